"""The only writer of jobs and their history. Every function here is one change: it takes the board's next change number,
stamps it on the job, writes the history row, all in one transaction, and tells open boards after the commit.

Who changes a job names the change number they saw (`expect`). It stands in the WHERE of the one UPDATE, which is the lock:
of several people changing the same job exactly one wins and the others get `Conflict` with the current row.
"""

import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from . import live, ranks, rules
from .histories import as_rows, later_columns, united
from .messages import queueing
from .models import Board, Job, JobQuerySet, OptOut, StatusChange
from .rules import AMENDABLE, EDITABLE, PastStep, Refused, check_move, differences, last_change_in_words, link_end
from .statuses import STATUS_FLOW, next_status_label, status_color, status_label

__all__ = [
    "EDITABLE", "STATUS_FLOW", "Conflict", "PastStep", "Refused", "adopt", "amend", "begin_epoch", "check_move", "edit",
    "edit_board", "move", "next_status_label", "open_job", "place", "renew", "restore", "status_color", "status_label",
    "undo",
]  # fmt: skip

BY_LENGTH = 150  # a person's full name may be longer than what history keeps of it


class Conflict(Exception):
    """Somebody was faster. `current` is the job as it is now; the message says who did what, and when."""

    def __init__(self, current: Job) -> None:
        super().__init__(last_change_in_words(current))
        self.current = current


def open_job(
    board: Board, *, by: str, channel: str, status: str = "requested", past: Sequence[PastStep] = (), hint: bool = True,
    notify: bool = False, **fields: Any,
) -> Job:  # fmt: skip
    """Creates a job with the beginning of its history. `past` brings a history along; its last step gives the status, and
    its first the time of birth unless `created_at` is given. With `notify` the customer gets a confirmation. Raises
    ValidationError for bad fields, and Refused."""
    now = timezone.now()
    steps = list(past) or [PastStep(status, fields.get("created_at", now), by, channel)]
    rules.check_known(*(step.status for step in steps))
    job = Job(board=board, seq=0, rank=0, updated_by=by[:BY_LENGTH], updated_at=now, **fields)
    job.status, job.status_at = steps[-1].status, steps[-1].at
    job.created_at = fields.get("created_at", steps[0].at)
    job.link_ends_at = link_end(job.status, job.status_at)
    job.full_clean(exclude={"board", "seq", "rank"}, validate_unique=False, validate_constraints=False)
    with transaction.atomic():
        job.seq = Board.objects.take_numbers(board.pk)
        job.rank = _mint_rank(job, job.status)
        job.opted_out = OptOut.objects.channels_of(phone=job.customer_phone, email=job.customer_email)
        job.save(force_insert=True)
        _write_history(job, steps, previous="")
        if notify:
            queueing.queue(job, "booked", by=by, at=now)
        if hint:
            _tell(board, job.seq)
    return job


def move(
    job: Job, to: str, *, expect: int, by: str, channel: str, reason: str = "", before: str | None = None,
    after: str | None = None, notify: bool = False, extra: Mapping[str, Any] | None = None,
) -> Job:  # fmt: skip
    """Moves a job to another status, in front of the job `before` or behind the job `after` (uids) where they still stand
    in that column, otherwise to its usual place. With `notify` the customer is told. Its step in the history keeps
    `extra`. Raises Conflict or Refused."""
    now, reason = timezone.now(), reason.replace("\0", "").strip()
    current = _as_expected(job, expect)
    check_move(current, to, reason=reason, now=now)
    with transaction.atomic():
        seq = Board.objects.take_numbers(current.board_id)
        rank = _mint_rank(current, to, before, after)
        changed = _stamp(current, expect, seq, by, now, rank=rank, **_status(to, now))
        step = PastStep(to, now, by, channel, reason, extra or {})
        _write_history(changed, [step], previous=current.status, rank=current.rank)
        queueing.overtaken(changed)
        if notify:
            queueing.announce(changed, by=by, at=now)
        _tell(current.board, seq)
    return changed


def undo(job: Job, *, expect: int, by: str) -> Job:
    """Takes the latest move back, to the status and the place that the job came from, also where the flow has no such way.
    Only who made the move may, soon, and if nothing changed since. What it was to tell the customer is taken back if it
    has not gone out yet. Raises Conflict or Refused."""
    now = timezone.now()
    current = _as_expected(job, expect)
    step = rules.check_undo(current, by=by[:BY_LENGTH], now=now)
    with transaction.atomic():
        seq = Board.objects.take_numbers(current.board_id)
        rank = _mint_rank(current, step.from_status) if step.from_rank is None else step.from_rank
        changed = _stamp(current, expect, seq, by, now, rank=rank, **_status(step.from_status, now))
        _write_history(changed, [PastStep(changed.status, now, by, "undo")], previous=current.status, rank=current.rank)
        queueing.overtaken(changed, f"{by} took the move back.")
        _tell(current.board, seq)
    return changed


def place(job: Job, *, expect: int, by: str, before: str | None = None, after: str | None = None) -> Job:
    """Changes a job's place inside its column. Raises Conflict."""
    current = _as_expected(job, expect)
    with transaction.atomic():
        seq = Board.objects.take_numbers(current.board_id)
        rank = _mint_rank(current, current.status, before, after)
        changed = _stamp(current, expect, seq, by, timezone.now(), rank=rank)
        _tell(current.board, seq)
    return changed


def edit(job: Job, changes: Mapping[str, Any], *, expect: int, by: str) -> Job:
    """Changes what is known about a job (`EDITABLE`). Nothing different is no change and takes no number. Raises Conflict,
    and ValidationError for bad values."""
    current = _as_expected(job, expect)
    if not (different := differences(current, changes)):
        return current
    with transaction.atomic():
        seq = Board.objects.take_numbers(current.board_id)
        changed = _stamp(current, expect, seq, by, timezone.now(), **different)
        _tell(current.board, seq)
    return changed


def amend(job: Job, change: Callable[[Job, int], Mapping[str, Any]], *, by: str) -> Job:
    """Adds to what is kept in a job (`AMENDABLE`), whatever else has happened to it: `change(job, seq)` gets the job as it
    is and its new number, and returns the new columns; none are no change. Returns the job with the number that it had just
    before, as `seq_before`. Raises what `change` raises."""
    with transaction.atomic():
        seq = Board.objects.take_numbers(job.board_id)  # from here to the commit nobody else writes to this board
        current = Job.objects.select_related("board").get(pk=job.pk)
        columns = change(current, seq)
        if not columns:
            transaction.set_rollback(True)  # the number is given back
            return current
        assert set(columns) <= AMENDABLE, columns.keys()  # noqa: S101 a mistake of ours, not of a person
        changed = _stamp(current, current.seq, seq, by, timezone.now(), **columns)
        changed.seq_before = current.seq
        _tell(current.board, seq)
    return changed


def edit_board(board: Board, changes: Mapping[str, Any]) -> None:
    """Changes what is known about a board. Copies and customers' pages show it, so all its jobs take new numbers."""
    with transaction.atomic():
        Board.objects.filter(pk=board.pk).update(**changes)
        _tell(board, _give_new_numbers(Job.objects.filter(board=board), board))


def renew(board: Board, jobs: Collection[int], *, above: int = 0) -> None:
    """Gives jobs (pks) new numbers, above `above`, though nothing else changed, so that their copies are written anew."""
    with transaction.atomic():
        Board.objects.filter(pk=board.pk, seq__lt=above).update(seq=above)
        _tell(board, _give_new_numbers(Job.objects.filter(board=board, pk__in=jobs), board))


def begin_epoch(board: Board, *, above: int = 0) -> None:
    """Declares that numbers may have been given twice, as after a restore: live boards start over, and from now on
    numbers are above `above`."""
    with transaction.atomic():
        seq = max(Board.objects.take_numbers(board.pk), above)
        board.refresh_from_db()
        past, board.epoch = str(board.epoch), uuid.uuid4()
        board.epochs = list(dict.fromkeys([*board.epochs, past, str(board.epoch)]))
        Board.objects.filter(pk=board.pk).update(epoch=board.epoch, epochs=board.epochs, seq=seq)
        _tell(board, seq)


def restore(board: Board, copies: Sequence[tuple[Job, Sequence[StatusChange]]]) -> None:
    """Writes jobs and their histories as their copies have them, numbers and all. For jobs that are not here."""
    with transaction.atomic():
        for job, _ in copies:
            job.board = board
        Job.objects.bulk_create([job for job, _ in copies])
        for job, step in ((job, step) for job, steps in copies for step in steps):
            step.job = job
        StatusChange.objects.bulk_create([step for _, steps in copies for step in steps])


def adopt(board: Board, copy: Job, steps: Sequence[StatusChange]) -> None:
    """Takes over a copy that knows more than this database, under a new number. Where both went on since they parted, the
    later move says where the job is and the later change says all else about it; the history has the steps of both."""
    with transaction.atomic():
        copy.seq = Board.objects.take_numbers(board.pk)
        here = Job.objects.filter(uid=copy.uid).first()
        if here:
            Job.objects.filter(pk=here.pk).update(seq=copy.seq, seq_at=timezone.now(), **later_columns(here, copy))
            history = united(here, list(here.history.all()), steps)
            here.history.all().delete()
            StatusChange.objects.bulk_create(history)
        else:
            restore(board, [(copy, steps)])
        _tell(board, copy.seq)


def _as_expected(job: Job, expect: int) -> Job:
    """The job as the caller saw it. What is checked against it holds exactly if the guarded UPDATE then matches."""
    current = Job.objects.select_related("board").get(pk=job.pk)
    if current.seq != expect:
        raise Conflict(current)
    return current


def _stamp(job: Job, expect: int, seq: int, by: str, now: datetime, **columns: Any) -> Job:
    updated = Job.objects.filter(pk=job.pk, seq=expect).update(
        seq=seq, seq_at=now, updated_at=now, updated_by=by[:BY_LENGTH], **columns
    )
    current = Job.objects.select_related("board").get(pk=job.pk)
    if not updated:
        raise Conflict(current)
    return current


def _status(to: str, now: datetime) -> dict[str, Any]:
    return {"status": to, "status_at": now, "link_ends_at": link_end(to, now)}


def _mint_rank(job: Job, status: str, before: str | None = None, after: str | None = None) -> int:
    try:
        return ranks.mint(job, status, before=before, after=after)
    except ranks.NoRoom:
        _renumber(job, status)
        return ranks.mint(job, status, before=before, after=after)


def _renumber(job: Job, status: str) -> None:
    """Spreads a column out again. Each job takes a change number of its own, so that boards and copies follow."""
    others = Job.objects.in_column(job.board_id, status).exclude(pk=job.pk)
    column = list(others.order_by("rank", "id"))
    for place, other in enumerate(column, start=1):
        other.rank = place * ranks.GAP
    Job.objects.bulk_update(column, ["rank"], batch_size=500)
    _give_new_numbers(others, job.board)


def _give_new_numbers(jobs: JobQuerySet, board: Board) -> int:
    """In the order of their old ones. Returns the last."""
    pks = list(jobs.order_by("seq").values_list("pk", flat=True))
    last = Board.objects.take_numbers(board.pk, len(pks) or 1)
    with connection.cursor() as cursor:
        numbers = enumerate(pks, start=last - len(pks) + 1)
        cursor.executemany("UPDATE dispatch_job SET seq = %s WHERE id = %s", list(numbers))
    jobs.update(seq_at=timezone.now())
    return last


def _write_history(job: Job, steps: Sequence[PastStep], *, previous: str, rank: int | None = None) -> None:
    StatusChange.objects.bulk_create(as_rows(job, steps, previous=previous, by=BY_LENGTH, rank=rank))


def _tell(board: Board, seq: int) -> None:
    transaction.on_commit(partial(live.announce, board.slug, seq), robust=True)
