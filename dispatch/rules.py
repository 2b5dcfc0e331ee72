"""What the flow allows, read from STATUS_FLOW, and how it says what happened. Writes nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.utils import timezone

from .models import Job, StatusChange
from .statuses import SAME_DAY_ONLY, STATUS_FLOW, status_label
from .words import ago

EDITABLE = frozenset({
    "service", "location", "access_notes", "customer_name", "customer_phone", "customer_email", "window_start",
    "window_end", "price", "load_eighths", "crew", "notes",
})  # fmt: skip
UNDO_WITHIN = timedelta(seconds=15)
"""The board offers it for 8 seconds; the rest is for slow lines."""


@dataclass(frozen=True, slots=True)
class PastStep:
    """A step of a history that was made elsewhere, to be kept when a job is imported."""

    status: str
    at: datetime
    by: str = ""
    channel: str = StatusChange.Channel.IMPORT
    reason: str = ""
    extra: Mapping[str, object] = field(default_factory=dict)


class Refused(Exception):
    """The flow does not allow this. `code` is stable, the message is for the person who tried."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def check_move(job: Job, to: str, *, reason: str = "", now: datetime | None = None) -> None:
    """Raises Refused unless the flow lets this job go to this status now."""
    check_known(to)
    here = STATUS_FLOW[job.status]
    if to not in here.may_go_to:
        allowed = ", ".join(status_label(slug) for slug in here.may_go_to)
        raise Refused("not_allowed", f"A job that is {here.label} cannot go to {status_label(to)}, only to: {allowed}.")
    if (job.status, to) in SAME_DAY_ONLY and job.status_at < job.board.midnight(now):
        raise Refused("too_late", f"{here.label} can be taken back to {status_label(to)} on the same day only.")
    if STATUS_FLOW[to].needs_reason and not reason.strip():
        raise Refused("reason_required", f"Moving a job to {status_label(to)} needs a reason.")


def check_known(status: str) -> None:
    if status not in STATUS_FLOW:
        raise Refused("unknown_status", f"There is no status “{status}”.")


def last_change_in_words(job: Job) -> str:
    """«Ana moved this to On the way 4 s ago»."""
    step = job.history.filter(seq=job.seq).last()
    who = job.updated_by or "Somebody"
    what = f"moved this to {status_label(step.to_status)}" if step else "changed this"
    return f"{who} {what} {ago(timezone.now() - job.updated_at)}"
