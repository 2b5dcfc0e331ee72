"""Reads back what `document.py` wrote: a job's document as the rows it was made of, exactly.

Lenient reading of what other systems wrote is `jobs_file.py`'s. Here `job_document` of what was read is the same again.
Only what the database cannot hold is refused: a rule that became stricter must not cost a job.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import BigIntegerField

from dispatch.models import TOKEN, UID, Job, StatusChange
from dispatch.rules import link_end

from .document import FORMAT, IMPORTED, LATER
from .values import (
    LARGEST_NUMBER,
    BadDocument,
    Reader,
    as_in,
    change_number,
    channels,
    day,
    entries,
    group,
    matching,
    names,
    optional,
    price,
    slug,
    some,
    status,
    storable,
    take,
    text,
    time,
    truth,
    whole,
)

__all__ = ["BadDocument", "Copy", "read"]

COLUMNS: dict[str, tuple[str, Reader]] = {
    "id": ("uid", partial(matching, UID, "up to 64 letters, digits, - and _")),
    "token": ("token", partial(matching, TOKEN, "8 to 64 letters, digits, - and _")),
    "status": ("status", status),
    "location": as_in(Job, "location"),
    "price": ("price", optional(price)),
    "createdAt": ("created_at", time),
    "seq": ("seq", partial(whole, 1, LARGEST_NUMBER)),
    "updatedAt": ("updated_at", time),
    "updatedBy": as_in(Job, "updated_by"),
    "statusAt": ("status_at", time),
    "rank": ("rank", partial(whole, -BigIntegerField.MAX_BIGINT - 1, BigIntegerField.MAX_BIGINT)),
    "service": as_in(Job, "service"),
    "crew": ("crew", names),
    "loadEighths": ("load_eighths", optional(partial(whole, 0, 32767))),
    "accessNotes": as_in(Job, "access_notes"),
    "notes": as_in(Job, "notes"),
    "preferredDay": ("preferred_day", optional(day)),
    "asks": ("asks", partial(entries, {"kind": str, "at": str})),
    "photos": ("photos", partial(entries, {"id": str, "kind": str, "width": int, "height": int})),
    "optedOut": ("opted_out", channels),
    "formerTokens": ("former_tokens", partial(entries, {"token": str, "seq": int, "epoch": str})),
}
CUSTOMER = {key: as_in(Job, f"customer_{key}") for key in ("name", "phone", "email", "language")}
CUSTOMER["notify"] = ("customer_notify", truth)
EARLIER: dict[str, Any] = {"preferredDay": None, "asks": [], "photos": [], "optedOut": [], "formerTokens": []}
CUSTOMER_EARLIER: dict[str, Any] = {"language": "en", "notify": True}
"""What documents lack that were written before there was such a thing."""
WINDOW = {key: (f"window_{key}", time) for key in ("start", "end")}
KNOWN = frozenset({*COLUMNS, "statusHistory", "epoch", "board", "window", "customer"})
STEP: dict[str, tuple[str, Reader]] = {
    "status": ("to_status", status),
    "at": ("at", time),
    "by": as_in(StatusChange, "by"),
    "reason": as_in(StatusChange, "reason"),
    "seq": ("seq", change_number),
}
CHANNELS = StatusChange.Channel.values
MAY_BE_MISSING = {"channel": StatusChange.Channel.IMPORT, "reason": "", "seq": 0}


@dataclass(frozen=True)
class Copy:
    """A job and its history as a document has them, not saved and without a board; `board` is the slug of its own."""

    job: Job
    steps: list[StatusChange]
    board: str
    epoch: str
    mended: bool
    """Whether something was replaced that no text in a database may have."""

    def complaints(self) -> list[str]:
        """What is unusual, though the database can hold it: what today's rules would let nobody write."""
        found = ["it had characters that no text may have, such as U+0000"] if self.mended else []
        try:
            self.job.full_clean(exclude={"board"}, validate_unique=False, validate_constraints=False)
        except ValidationError as error:
            found += [f"{column}: {' '.join(messages)}" for column, messages in error.message_dict.items()]
        return found


def read(name: str, document: Mapping[str, Any]) -> Copy:
    """Reads the document in the object `name`. Raises BadDocument, whatever is in it."""
    kept = storable(dict(document))
    kept = EARLIER | kept
    foreign = {IMPORTED.format(key=key): kept.pop(key) for key in LATER if not ours(key, kept[key])}
    columns = _columns(EARLIER | kept, COLUMNS)
    if name != FORMAT.format(uid=columns["uid"]):
        raise BadDocument(f"id: it says {columns['uid']}, which is another job")
    columns |= _columns(CUSTOMER_EARLIER | take(kept, "customer", group), CUSTOMER, "customer.")
    window = take(kept, "window", optional(group))
    columns |= _columns(window, WINDOW, "window.") if window is not None else {}
    columns["link_ends_at"] = link_end(columns["status"], columns["status_at"])
    job = Job(**columns, extra=foreign | {key: value for key, value in kept.items() if key not in KNOWN})
    steps: list[StatusChange] = []
    for place, value in enumerate(take(kept, "statusHistory", some)):
        steps.append(_step(f"statusHistory[{place}]", value, steps[-1].to_status if steps else "", job.seq))
    epoch = take(kept, "epoch", partial(text, longest=64))
    return Copy(job, steps, take(kept, "board", slug), epoch, mended=kept != document)


def ours(key: str, value: Any) -> bool:
    """Whether the value of one of the LATER keys is what we mean by it."""
    try:
        COLUMNS[key][1](value)
    except ValueError:
        return False
    return True


def _step(where: str, value: Any, previous: str, highest: int) -> StatusChange:
    step = MAY_BE_MISSING | take({where: value}, where, group)
    columns = _columns(step, STEP, f"{where}.")
    columns["seq"] = min(columns["seq"], highest)  # a step above the job's own number would not be shown
    extra = {key: kept for key, kept in step.items() if key not in STEP and key != "channel"}
    channel = step["channel"]
    if channel not in CHANNELS:  # an imported step's own
        extra, channel = extra | {"channel": channel}, StatusChange.Channel.IMPORT
    return StatusChange(from_status=previous, channel=channel, extra=extra, **columns)


def _columns(document: Mapping[str, Any], readers: Mapping[str, tuple[str, Reader]], inside: str = "") -> dict[str, Any]:
    return {column: take(document, key, read, inside) for key, (column, read) in readers.items()}
