"""What the flow allows, read from STATUS_FLOW, and how it says what happened. Writes nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from .models import Job, OptOut, StatusChange
from .statuses import SAME_DAY_ONLY, STATUS_FLOW, status_label
from .words import ago

EDITABLE = frozenset({
    "service", "location", "access_notes", "customer_name", "customer_phone", "customer_email", "window_start",
    "window_end", "price", "load_eighths", "crew", "notes", "customer_language", "customer_notify",
    "preferred_day",
})  # fmt: skip
AMENDABLE = frozenset({"token", "former_tokens", "asks", "photos", "opted_out", "access_notes", "crew"})
"""What programs keep about a job, what a customer may add to, and who is on it by the plan of the crews."""
LINK_LASTS = timedelta(days=30)
"""A tracking link works so long after its job is over."""

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


def check_known(*statuses: str) -> None:
    for status in statuses:
        if status not in STATUS_FLOW:
            raise Refused("unknown_status", f"There is no status “{status}”.")


def check_undo(job: Job, *, by: str, now: datetime) -> StatusChange:
    """The move that may be taken back. Raises Refused."""
    step: StatusChange | None = job.history.last()
    if step is None or step.seq != job.seq or not step.from_status or step.channel == StatusChange.Channel.UNDO:
        raise Refused("nothing_to_undo", "There is no move to take back.")
    if step.by != by:
        raise Refused("not_yours", f"{step.by or 'Somebody else'} made this move. Move the job yourself instead.")
    if now - step.at > UNDO_WITHIN:
        raise Refused("too_late_to_undo", "The move is too long ago. Move the job back instead.")
    return step


def differences(job: Job, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The changes that would change something, cleaned: "600" is no other price than 600.00. A new phone or
    address has opted out, or not. Raises ValidationError, and
    Refused for what cannot be edited."""
    unknown = set(changes) - EDITABLE
    if unknown:
        raise Refused("unknown_field", f"These cannot be edited: {', '.join(sorted(unknown))}.")
    draft = Job(pk=job.pk, **{name: getattr(job, name) for name in EDITABLE} | dict(changes))
    draft.clean_fields(exclude=[field.name for field in Job._meta.fields if field.name not in changes])
    draft.clean()
    found = {name: getattr(draft, name) for name in changes if getattr(draft, name) != getattr(job, name)}
    if {"customer_phone", "customer_email"} & set(found):
        phone, email = (found.get(name, getattr(job, name)) for name in ("customer_phone", "customer_email"))
        found["opted_out"] = OptOut.objects.channels_of(phone=phone, email=email)
    return found


def link_end(status: str, since: datetime) -> datetime | None:
    """When the tracking link of a job stops working that has been in a status for so long; None while it is open."""
    return None if STATUS_FLOW[status].is_open else since + LINK_LASTS


def last_change_in_words(job: Job) -> str:
    """«Ana moved this to On the way 4 s ago»."""
    step = job.history.filter(seq=job.seq).last()
    who = job.updated_by or "Somebody"
    what = f"moved this to {status_label(step.to_status)}" if step else "changed this"
    return f"{who} {what} {ago(timezone.now() - job.updated_at)}"
