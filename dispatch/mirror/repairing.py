"""Makes the copies and the database equal and loses nothing: what is overwritten is kept under `superseded/`.

A bucket that knows later changes than the database tells that the database was put back to an older state. Then the copies
are taken over (or overruled, with `keep_database`) and the board begins a new epoch.
"""

from collections.abc import Iterable, Mapping, Sequence

from dispatch import flow
from dispatch.models import Board, Job

from . import boards
from .checking import JOBS, PUBLIC, Progress, check, chunked
from .differences import Difference
from .mending import Mending, Repaired
from .repository import JobRepository
from .storages import refuse_unconditional
from .sync import documents
from .syncing import sync

ROUNDS = 4
FOREIGN = (
    "another database wrote it: give each database a bucket of its own, or let this one take the bucket over with"
    " `manage.py mirror repair --keep-database`"
)
NO_BOARD = "its board is not in this database; `manage.py mirror repair --keep-database` buries it and keeps a copy"
UNREADABLE = "it cannot be read; `manage.py mirror repair --keep-database` buries it and keeps its bytes"


def repair(repository: JobRepository, progress: Progress, keep_database: bool = False) -> Repaired:
    """Raises what keeps everything from being repaired: the storage cannot be reached, or the database."""
    done, before, reasons = Repaired(), None, dict[str, str]()
    for _ in range(ROUNDS):
        found = check(repository, progress).differences
        if not found or found == before:
            break
        refuse_unconditional(repository.storage)
        repairing = Repairing(repository, done, progress, keep_database)
        if repairing.mend(found):
            boards.keep_boards(repository)
            done.written += sum(1 for one in found if one.board and not one.uid)
            if Job.objects.behind().exists():
                done.written += sync(repository, progress).copied * len(documents())
        reasons, before = repairing.reasons, found
    else:
        found = check(repository, progress).differences
    done.left = [f"{one}: {reasons[one.name]}" if one.name in reasons else str(one) for one in found]
    return done


class Repairing(Mending):
    """One round."""

    def __init__(self, repository: JobRepository, done: Repaired, progress: Progress, keep_database: bool) -> None:
        super().__init__(repository, done)
        self.progress, self.keep_database = progress, keep_database
        self.ours = {board.slug: self._lineage(board) for board in Board.objects.note_epochs()}
        self.known = set().union(*self.ours.values())

    def mend(self, found: Sequence[Difference]) -> bool:
        """Whether copying may go on."""
        for one in found:
            if self._is_foreign(one):
                self.reasons[one.name] = FOREIGN
        if any(one.board and not one.uid and self._is_foreign(one) for one in found):
            return False  # nothing is copied into another database's bucket
        mine = [one for one in found if one.name not in self.reasons]
        for board in Board.objects.order_by("pk"):
            self._board(board, [one for one in mine if one.board == board.slug])
        for one in mine:
            if one.kind == "unknown" and one.board not in self.ours:
                self._boardless(one)
        for one in mine:
            if one.kind == "stale":
                self._stale(one)
        return True

    def _lineage(self, board: Board) -> set[str]:
        """Epochs of this database, those included that began after the state to which it was put back."""
        stored = self.stored(boards.FORMAT.format(slug=board.slug))
        later = stored.get("epochs", []) if stored else []
        return {*board.epochs, *(later if str(board.epoch) in later else [])}

    def _is_foreign(self, one: Difference) -> bool:
        """An older object is overwritten whosever it is; so are those that say nothing."""
        if self.keep_database or not one.epoch or one.kind == "older":
            return False
        return one.epoch not in self.ours.get(one.board, self.known)

    def _board(self, board: Board, found: Sequence[Difference]) -> None:
        for one in found:
            if one.kind == "corrupt":
                self.keep_bytes(one.name)
        older = [one for one in found if one.kind == "older"]
        later = {one.uid for one in older}
        here = [
            one for one in found if one.uid and one.uid not in later and one.kind in {"missing", "corrupt", "different"}
        ]
        refused = [(job, ahead) for job, ahead in self.write(one.uid for one in here) if ahead.name not in self.reasons]
        parted = {one.name: one.uid for one in found if one.kind in {"newer", "unknown"} and one.uid}
        parted |= {ahead.name: job.uid for job, ahead in refused}
        itself = [one for one in found if not one.uid and one.kind in {"newer", "foreign"}]
        parted |= self._older(older, went_back=bool(parted or itself))
        above = max((*(one.seq for one in found), *(ahead.seq for _, ahead in refused)), default=0)
        jobs = {name: uid for name, uid in parted.items() if name.startswith(JOBS)}
        if self.keep_database:
            self._overrule(board, jobs, itself, above)
        else:
            self._adopt(board, jobs, itself, above)
        if links := parted.keys() - jobs.keys():
            pks = Job.objects.filter(uid__in=[parted[name] for name in links]).values_list("pk", flat=True)
            flow.renew(board, list(pks), above=above)

    def _older(self, older: Sequence[Difference], went_back: bool) -> dict[str, str]:
        """Writes them, but for copies that know steps which the database lacks; those are returned."""
        uids, parted = {one.name: one.uid for one in older}, {}
        for name, stored in self.all_stored(name for name in uids if name.startswith(JOBS)):
            if self.knows_more(name, stored):
                parted[name] = uids[name]
            elif stored and (went_back or stored.get("epoch") not in self.known):
                self.keep(uids[name], stored)
        self.write(uid for uid in uids.values() if uid not in parted.values())
        return parted

    def _adopt(self, board: Board, jobs: Mapping[str, str], itself: Sequence[Difference], above: int) -> None:
        """The new epoch begins last: until then, workers leave alone what is ahead of the database in the present one."""
        adopted = set()
        for place, name in enumerate(jobs, start=1):
            if self.adopt(board, name, above):
                adopted.add(name)
            self.progress("looked at for more", place, len(jobs))
        here = self._here(uid for name, uid in jobs.items() if name not in adopted)
        self.overrule(board, here, above)
        if adopted or here or itself:
            self._begin_epoch(board, itself, above)

    def _overrule(self, board: Board, jobs: Mapping[str, str], itself: Sequence[Difference], above: int) -> None:
        if jobs or itself:
            self._begin_epoch(board, itself, above)
        here = self._here(jobs.values())
        self.overrule(board, here, above)
        for name, uid in jobs.items():
            if uid not in here:
                self.bury(Difference(name, "unknown", uid=uid), board, above)

    def _begin_epoch(self, board: Board, itself: Sequence[Difference], above: int) -> None:
        lineage = self.ours[board.slug]
        epochs = [*sorted(lineage.difference(board.epochs)), *board.epochs]
        Board.objects.filter(pk=board.pk).update(epochs=epochs)  # first: a repair killed here still knows what is its own
        flow.begin_epoch(board, above=above)
        if any(one.epoch not in lineage for one in itself):
            self.take_over(board)

    def _here(self, uids: Iterable[str]) -> set[str]:
        return {job for some in chunked(uids) for job in Job.objects.filter(uid__in=some).values_list("uid", flat=True)}

    def _boardless(self, one: Difference) -> None:
        """A copy that names no board of ours, or cannot be read at all."""
        stored = self.stored(one.name)
        if self.keep_database:
            self.bury(one)
        else:
            self.leave(one.name, UNREADABLE if stored is None else NO_BOARD, stored)

    def _stale(self, one: Difference) -> None:
        token = one.name.removeprefix(PUBLIC).removesuffix(".json")
        if token in self.spared:
            self.reasons[one.name] = "it belongs to a job that could not be taken over"
        elif one.name != f"{PUBLIC}{token}.json" or not Job.objects.filter(token=token).exists():
            self.bury(one)
