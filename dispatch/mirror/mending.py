"""What `repairing.py` does to single objects and jobs. Nothing is overwritten that is not kept under `superseded/`."""

from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field

from django.conf import settings
from django.db import IntegrityError

from dispatch import flow
from dispatch.board import iso
from dispatch.messages import opt_outs
from dispatch.models import Board, Job, StatusChange

from . import boards, superseded
from .checking import JOBS, chunked, jobs_with
from .differences import Difference
from .document import job_document
from .reading import BadDocument, read
from .repository import Ahead, Corrupt, Document, JobRepository, Put, parse, serialise
from .storages import Conflict
from .sync import objects

CORRUPT = "superseded/corrupt/{name}-{etag}"
SUPERSEDED_BOARD = "boards/{slug}"


@dataclass
class Repaired:
    written: int = 0
    adopted: int = 0
    superseded: int = 0
    tombstones: int = 0
    left: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        told = (
            ("Jobs taken over from copies that knew more than the database", self.adopted),
            ("Documents kept under superseded/, because others take their place", self.superseded),
            ("Objects written", self.written),
            ("Objects of no job replaced by a tombstone", self.tombstones),
        )
        return [f"{words}: {count:,}." for words, count in told if count] or ["Nothing was done."]


class Mending:
    def __init__(self, repository: JobRepository, done: Repaired) -> None:
        self.repository, self.storage, self.done = repository, repository.storage, done
        self.reasons: dict[str, str] = {}
        """Why an object could not be mended, by its name."""
        self.spared: set[str] = set()
        """Links of jobs that are not in the database and could not be taken over."""

    def stored(self, name: str) -> Document | None:
        with suppress(FileNotFoundError, Corrupt):
            return self.repository.read(name)
        return None

    def all_stored(self, names: Iterable[str]) -> Iterator[tuple[str, Document | None]]:
        with ThreadPoolExecutor(settings.MIRROR_UPLOADS, "repair") as pool:
            for some in chunked(names):
                yield from zip(some, pool.map(self.stored, some), strict=True)

    def keep(self, uid: str, document: Document) -> None:
        self.done.superseded += superseded.keep(self.storage, uid, document)

    def keep_bytes(self, name: str) -> None:
        """Of an object that cannot be read."""
        with suppress(FileNotFoundError, Conflict):  # gone, or kept before
            content, etag = self.storage.read(name)
            self.storage.write(CORRUPT.format(name=name, etag=etag.strip('"')[:12]), content, if_match=None)
            self.done.superseded += 1

    def write(self, uids: Iterable[str]) -> list[tuple[Job, Ahead]]:
        """Writes jobs' objects as the database has them; returns those that have another change already."""
        refused = []
        with ThreadPoolExecutor(settings.MIRROR_UPLOADS, "repair") as pool:
            for some in chunked(dict.fromkeys(uids)):
                made = [(job, one) for job in jobs_with(uid__in=some) for one in objects(job)]
                outcomes = pool.map(self._put, [one for _, one in made])
                for (job, _), outcome in zip(made, outcomes, strict=True):
                    self.done.written += outcome is Put.WRITTEN
                    refused += [(job, outcome)] if isinstance(outcome, Ahead) else []
        return refused

    def _put(self, made: tuple[str, Document]) -> Put | Ahead:
        try:
            return self.repository.put(*made)
        except Ahead as ahead:
            return ahead

    def adopt(self, board: Board, name: str, above: int) -> bool:
        """Takes a job over from its copy. What loses is kept: the later change says how the job is, not both."""
        stored = self.stored(name)
        if stored is None:
            return False
        try:
            copy = read(name, stored)
            here = jobs_with(uid=copy.job.uid)
            if here:
                self.keep(copy.job.uid, job_document(here[0]) if copy.job.updated_at >= here[0].updated_at else stored)
            if Board.objects.filter(pk=board.pk, seq__lt=above).exists():
                flow.renew(board, [], above=above)
            flow.adopt(board, copy.job, copy.steps)
            opt_outs.from_copies([copy.job])
        except (BadDocument, IntegrityError) as error:
            why = "another job has its link" if isinstance(error, IntegrityError) else str(error)
            self.leave(name, f"it cannot be taken over: {why}", stored)
            return False
        self.done.adopted += 1
        return True

    def knows_more(self, name: str, stored: Document | None) -> bool:
        """Whether an older copy has steps that the database lacks: it did not come from this state of the database."""
        try:
            copy = read(name, stored or {})
        except BadDocument:
            return False
        here = {_step(step) for job in jobs_with(uid=copy.job.uid) for step in job.history.all()}
        return any(_step(step) not in here for step in copy.steps)

    def leave(self, name: str, reason: str, stored: Document | None) -> None:
        self.reasons[name] = reason
        if stored is not None and isinstance(stored.get("token"), str):
            self.spared.add(stored["token"])

    def overrule(self, board: Board, uids: Collection[str], above: int) -> None:
        """Gives jobs new numbers, so that they are copied over what is there, which is kept."""
        for some in chunked(uids):
            for uid in some:
                if (stored := self.stored(f"{JOBS}{uid}.json")) is not None:
                    self.keep(uid, stored)
            flow.renew(board, list(Job.objects.filter(uid__in=some).values_list("pk", flat=True)), above=above)

    def bury(self, one: Difference, board: Board | None = None, above: int = 0) -> None:
        """Replaces an object of no job by a tombstone. A private one is kept, and so is one that cannot be read."""
        etag, stored = self.storage.etag(one.name), self.stored(one.name)
        if etag is None:
            return
        if stored is None:
            self.keep_bytes(one.name)
        elif one.uid:
            self.keep(one.uid, stored)
        stored = stored or {"seq": 0, "epoch": ""}
        gone = {
            "gone": True,
            "seq": max(stored["seq"] + 1, above),
            "epoch": str(board.epoch if board else stored.get("epoch")),
        }
        with suppress(Conflict):  # it is looked at again
            self.storage.write(one.name, serialise(gone | ({"id": one.uid} if one.uid else {})), if_match=etag)
            self.done.tombstones += 1

    def take_over(self, board: Board) -> None:
        """Writes the board's object, whosever it was."""
        name = boards.FORMAT.format(slug=board.slug)
        content, etag = self.storage.read(name)
        self.keep(SUPERSEDED_BOARD.format(slug=board.slug), parse(name, content))
        board.refresh_from_db()
        self.storage.write(name, serialise(boards.board_document(board)), if_match=etag)


def _step(step: StatusChange) -> tuple[str | None, str, str]:
    return iso(step.at), step.to_status, step.by
