"""The only writer of jobs and their history. Every function here is one change: it takes the board's next change number,
stamps it on the job, writes the history row, all in one transaction, and tells open boards after the commit.

Who changes a job names the change number they saw (`expect`). It stands in the WHERE of the one UPDATE, which is the lock:
of several people changing the same job exactly one wins and the others get `Conflict` with the current row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone

from . import live, ranks
from .models import Board, Job, StatusChange
from .statuses import SAME_DAY_ONLY, STATUS_FLOW, next_status_label, status_color, status_label
from .words import ago

__all__ = [
    "EDITABLE", "STATUS_FLOW", "Conflict", "PastStep", "Refused", "check_move", "edit", "move", "next_status_label",
    "open_job", "place", "status_color", "status_label", "undo",
]  # fmt: skip

EDITABLE = frozenset({
    "service", "location", "access_notes", "customer_name", "customer_phone", "customer_email", "window_start",
    "window_end", "price", "load_eighths", "crew", "notes",
})  # fmt: skip
UNDO_WITHIN = timedelta(seconds=15)
"""The board offers it for 8 seconds; the rest is for slow lines."""

BY_LENGTH = 150
"""A person's full name may be longer than what history keeps of it."""


class Refused(Exception):
    """The flow does not allow this. `code` is stable, the message is for the person who tried."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Conflict(Exception):
    """Somebody was faster. `current` is the job as it is now; the message says who did what, and when."""

    def __init__(self, current: Job) -> None:
        super().__init__(last_change_in_words(current))
        self.current = current


@dataclass(frozen=True, slots=True)
class PastStep:
    """A step of a history that was made elsewhere, to be kept when a job is imported."""

    status: str
    at: datetime
    by: str = ""
    channel: str = StatusChange.Channel.IMPORT
    reason: str = ""
    extra: Mapping[str, object] = field(default_factory=dict)


def open_job(
    board: Board, *, by: str, channel: str, status: str = "requested", past: Sequence[PastStep] = (), hint: bool = True,
    **fields: Any,
) -> Job:  # fmt: skip
    """Creates a job with the beginning of its history. `past` brings a history along; its last step gives the status, and
    its first the time of birth unless `created_at` is given. Raises ValidationError for bad fields, and Refused."""
    now = timezone.now()
    steps = list(past) or [PastStep(status, fields.get("created_at", now), by, channel)]
    for step in steps:
        _check_known(step.status)
    job = Job(board=board, seq=0, rank=0, updated_by=by[:BY_LENGTH], updated_at=now, **fields)
    job.status, job.status_at = steps[-1].status, steps[-1].at
    job.created_at = fields.get("created_at", steps[0].at)
    job.full_clean(exclude={"board", "seq", "rank"}, validate_unique=False, validate_constraints=False)
    with transaction.atomic():
        job.seq = Board.objects.take_numbers(board.pk)
        job.rank = _mint_rank(job, job.status)
        job.save(force_insert=True)
        _write_history(job, steps, previous="")
        if hint:
            _tell(board, job.seq)
    return job


def move(
    job: Job, to: str, *, expect: int, by: str, channel: str, reason: str = "", before: str | None = None,
    after: str | None = None,
) -> Job:  # fmt: skip
    """Moves a job to another status, in front of the job `before` or behind the job `after` (uids) where they still stand
    in that column, otherwise to its usual place. Raises Conflict or Refused."""
    now, reason = timezone.now(), reason.replace("\0", "").strip()
    current = _as_expected(job, expect)
    check_move(current, to, reason=reason, now=now)
    with transaction.atomic():
        seq = Board.objects.take_numbers(current.board_id)
        rank = _mint_rank(current, to, before, after)
        changed = _stamp(current, expect, seq, by, now, status=to, status_at=now, rank=rank)
        _write_history(changed, [PastStep(to, now, by, channel, reason)], previous=current.status, rank=current.rank)
        _tell(current.board, seq)
    return changed


def undo(job: Job, *, expect: int, by: str) -> Job:
    """Takes the latest move back, to the status and the place that the job came from, also where the flow has no such way.
    Only who made the move may, soon, and if nothing changed since. Raises Conflict or Refused."""
    now = timezone.now()
    current = _as_expected(job, expect)
    step = current.history.last()
    if step is None or step.seq != expect or not step.from_status or step.channel == StatusChange.Channel.UNDO:
        raise Refused("nothing_to_undo", "There is no move to take back.")
    if step.by != by[:BY_LENGTH]:
        raise Refused("not_yours", f"{step.by or 'Somebody else'} made this move. Move the job yourself instead.")
    if now - step.at > UNDO_WITHIN:
        raise Refused("too_late_to_undo", "The move is too long ago. Move the job back instead.")
    with transaction.atomic():
        seq = Board.objects.take_numbers(current.board_id)
        rank = _mint_rank(current, step.from_status) if step.from_rank is None else step.from_rank
        changed = _stamp(current, expect, seq, by, now, status=step.from_status, status_at=now, rank=rank)
        back = PastStep(step.from_status, now, by, StatusChange.Channel.UNDO)
        _write_history(changed, [back], previous=current.status, rank=current.rank)
        _tell(current.board, seq)
    return changed


def place(job: Job, *, expect: int, by: str, before: str | None = None, after: str | None = None) -> Job:
    """Changes a job's place inside its column. Raises Conflict."""
    now = timezone.now()
    current = _as_expected(job, expect)
    with transaction.atomic():
        seq = Board.objects.take_numbers(current.board_id)
        rank = _mint_rank(current, current.status, before, after)
        changed = _stamp(current, expect, seq, by, now, rank=rank)
        _tell(current.board, seq)
    return changed


def edit(job: Job, changes: Mapping[str, Any], *, expect: int, by: str) -> Job:
    """Changes what is known about a job (`EDITABLE`). Nothing different is no change and takes no number. Raises Conflict,
    and ValidationError for bad values."""
    unknown = set(changes) - EDITABLE
    if unknown:
        raise Refused("unknown_field", f"These cannot be edited: {', '.join(sorted(unknown))}.")
    current = _as_expected(job, expect)
    draft = Job(pk=current.pk, **{name: getattr(current, name) for name in EDITABLE} | dict(changes))
    draft.clean_fields(exclude=[field.name for field in Job._meta.fields if field.name not in changes])
    draft.clean()
    # Compared when cleaned: "600" is no other price than 600.00.
    different = {name: getattr(draft, name) for name in changes if getattr(draft, name) != getattr(current, name)}
    if not different:
        return current
    with transaction.atomic():
        seq = Board.objects.take_numbers(current.board_id)
        changed = _stamp(current, expect, seq, by, timezone.now(), **different)
        _tell(current.board, seq)
    return changed


def check_move(job: Job, to: str, *, reason: str = "", now: datetime | None = None) -> None:
    """Raises Refused unless the flow lets this job go to this status now."""
    _check_known(to)
    here = STATUS_FLOW[job.status]
    if to not in here.may_go_to:
        allowed = ", ".join(status_label(slug) for slug in here.may_go_to)
        raise Refused("not_allowed", f"A job that is {here.label} cannot go to {status_label(to)}, only to: {allowed}.")
    if (job.status, to) in SAME_DAY_ONLY and job.status_at < job.board.midnight(now):
        raise Refused("too_late", f"{here.label} can be taken back to {status_label(to)} on the same day only.")
    if STATUS_FLOW[to].needs_reason and not reason.strip():
        raise Refused("reason_required", f"Moving a job to {status_label(to)} needs a reason.")


def _check_known(status: str) -> None:
    if status not in STATUS_FLOW:
        raise Refused("unknown_status", f"There is no status “{status}”.")


def last_change_in_words(job: Job) -> str:
    """«Ana moved this to On the way 4 s ago»."""
    step = job.history.filter(seq=job.seq).last()
    who = job.updated_by or "Somebody"
    what = f"moved this to {status_label(step.to_status)}" if step else "changed this"
    return f"{who} {what} {ago(timezone.now() - job.updated_at)}"


def _as_expected(job: Job, expect: int) -> Job:
    """The job as the caller saw it. What is checked against it holds exactly if the guarded UPDATE then matches."""
    current = Job.objects.select_related("board").get(pk=job.pk)
    if current.seq != expect:
        raise Conflict(current)
    return current


def _stamp(job: Job, expect: int, seq: int, by: str, now: datetime, **columns: Any) -> Job:
    updated = Job.objects.filter(pk=job.pk, seq=expect).update(
        seq=seq, updated_at=now, updated_by=by[:BY_LENGTH], **columns
    )
    current = Job.objects.select_related("board").get(pk=job.pk)
    if not updated:
        raise Conflict(current)
    return current


def _mint_rank(job: Job, status: str, before: str | None = None, after: str | None = None) -> int:
    try:
        return ranks.mint(job, status, before=before, after=after)
    except ranks.NoRoom:
        _renumber(job, status)
        return ranks.mint(job, status, before=before, after=after)


def _renumber(job: Job, status: str) -> None:
    """Spreads a column out again. Each job takes a change number of its own, so that boards and copies follow."""
    column = list(Job.objects.in_column(job.board_id, status).exclude(pk=job.pk).order_by("rank", "id"))
    last = Board.objects.take_numbers(job.board_id, len(column))
    for place, other in enumerate(column, start=1):
        other.rank, other.seq = place * ranks.GAP, last - len(column) + place
    Job.objects.bulk_update(column, ["rank", "seq"], batch_size=500)


def _write_history(job: Job, steps: Sequence[PastStep], *, previous: str, rank: int | None = None) -> None:
    rows = []
    for step in steps:
        rows.append(
            StatusChange(
                job=job, from_status=previous, to_status=step.status, at=step.at, by=step.by[:BY_LENGTH],
                channel=step.channel, reason=step.reason, seq=job.seq, from_rank=rank, extra=dict(step.extra),
            )
        )  # fmt: skip
        previous = step.status
    StatusChange.objects.bulk_create(rows)


def _tell(board: Board, seq: int) -> None:
    transaction.on_commit(partial(live.announce, board.slug, seq), robust=True)
