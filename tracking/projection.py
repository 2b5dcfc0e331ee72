"""What the public may know about a job: an allow-list, spelled out. Everything else stays inside.

    {"status", "label", "color", "headline", "next", "cancelled", "service", "location", "window": {"start", "end"} | null,
     "timezone", "steps": [{"label", "state": "done" | "current" | "todo", "at"}], "history": [{"label", "at"}],
     "crew": [first name], "company": {"name", "phone"}, "may": [kind], "asked": [kind], "rating": 1 to 5 | null,
     "photos": [{"id", "kind": "before" | "after", "width", "height"}], "validUntil": time | null, "updatedAt",
     "seq", "epoch"}

`may` is what the customer may ask for now, `asked` what still waits for an answer: kinds of dispatch/asks.py. Times are ISO
8601 in UTC. `seq` and `epoch` order copies of the same job; they identify nobody.
"""

import re
from itertools import pairwise
from typing import Any

from django.utils import timezone

from dispatch import asks, links
from dispatch.board import iso
from dispatch.models import TOKEN, Job, JobQuerySet, StatusChange
from dispatch.statuses import STATUS_FLOW

from .words import HEADLINES

STEPS = tuple(dict.fromkeys(status.customer_label for status in STATUS_FLOW.values() if status.slug != "cancelled"))
_UNITS = "apartment|apt|unit|suite|ste|flat|floor|room|rm|lot|building|bldg|trailer|trlr|space|spc|penthouse|ph"
_STREETS = "st|rd|ln|dr|ct|pl|av|sq|wy"  # Unit St
UNIT = re.compile(
    rf",?\s*(?:#\s*[\w-]+|\b(?:{_UNITS})\b\.?\s*#?\s*(?:[\w-]*\d[\w-]*|(?!(?:{_STREETS})\b)[a-z]{{1,2}}\b(?!\.)))", re.I
)
ENTRY_CODE = re.compile(  # gate 4711, door code: A-12#
    r",?\s*\b(?:(?:gate|door|entry|access|lock ?box)(?:\s+code)?|code|pin)\b\s*[:#=]?\s*[\w*#-]*\d[\w*#-]*", re.I
)
BRACKETS = re.compile(r"[()\[\]]")
ORDINAL = r"\d+(?:st|nd|rd|th)\b"  # 5th Ave
LEADING_NUMBER = re.compile(  # 1428 Elm St, 12B Oak Ave, N2345 County Rd, 12 1/2 Oak Ave, 12 - 14 Oak Ave, 753 10 Uppsala
    rf"^(?:no\.?\s*)?(?:(?:[nsew]\s?)?(?!{ORDINAL})\d\S*(?:\s[-–/]\s?\d\S*)*\s+)+(?=\S)", re.I
)
TRAILING_NUMBER = re.compile(rf"^(.*?[^\W\d_]\S*)\s+(?!{ORDINAL})\d.*$", re.I)  # Storgatan 12
BARE_NUMBER = re.compile(r"^\d+\s?[a-z]?$", re.I)  # Via Roma, 12

SHOWN_PHOTOS = frozenset({"before", "after"})  # a dump ticket is the company's business
ANSWERED = frozenset({"reschedule", "cancel"})  # asks that wait for an answer


class LinkEnded(Exception):
    """The job's tracking link has ended. `job` is still there, to say whom to call."""

    def __init__(self, job: Job) -> None:
        super().__init__("This tracking link has ended.")
        self.job = job


def public_object(job: Job) -> tuple[str, dict[str, Any]]:
    """The name and the content of a job's object for the edge: a tombstone when its link has ended."""
    name = links.PUBLIC.format(token=job.token)
    if links.has_ended(job):
        return name, {"gone": True, "seq": job.seq, "epoch": str(job.board.epoch)}
    return name, public_projection(job)


def find(token: str) -> Job:
    """The job that a customer's link shows, in one query: its history brings it along. Raises Job.DoesNotExist for unknown,
    replaced and malformed tokens alike, and LinkEnded."""
    if not TOKEN.fullmatch(token):
        raise Job.DoesNotExist
    history = StatusChange.objects.filter(job__token=token).select_related("job__board")
    born = next(iter(history), None)
    if born is None:
        raise Job.DoesNotExist
    job = born.job
    job._prefetched_objects_cache = {"history": history}  # type: ignore[attr-defined]  # as prefetch_related leaves it
    if is_past(job):
        raise LinkEnded(job)
    return job


def is_past(job: Job) -> bool:
    """Whether the link has ended by now. The public copy follows a little later."""
    return job.link_ends_at is not None and job.link_ends_at <= timezone.now()


def shown() -> JobQuerySet:
    return Job.objects.select_related("board").prefetch_related("history")


def public_projection(job: Job) -> dict[str, Any]:
    """Reads `job.board` and `job.history`."""
    status = STATUS_FLOW[job.status]
    headline, what_next = HEADLINES[job.status]
    history = [
        {"label": STATUS_FLOW[change.to_status].customer_label, "at": iso(change.at)}
        for change in job.history.all()
        if change.seq <= job.seq
    ]
    history = history[:1] + [later for earlier, later in pairwise(history) if later["label"] != earlier["label"]]
    return {
        "status": job.status,
        "label": status.customer_label,
        "color": status.color,
        "headline": headline,
        "next": what_next,
        "cancelled": job.status == "cancelled",
        "service": job.get_service_display(),
        "location": without_house_number(job.location),
        "window": {"start": iso(job.window_start), "end": iso(job.window_end)} if job.window_start else None,
        "timezone": job.board.timezone,
        "steps": _steps(status.customer_label, history),
        "history": history,
        "crew": [name.split()[0] for name in job.crew],
        "company": {"name": job.board.name, "phone": job.board.phone},
        "may": asks.allowed(job),
        "asked": [kind for kind in asks.waiting(job) if kind in ANSWERED],
        "rating": asks.rating(job),
        "photos": shown_photos(job),
        "validUntil": iso(job.link_ends_at),
        "updatedAt": iso(job.updated_at),
        "seq": job.seq,
        "epoch": str(job.board.epoch),
    }


def without_house_number(location: str) -> str:
    """The street and what follows: enough to recognise the job by, not enough to find the door."""
    parts = [part.strip() for part in UNIT.sub("", ENTRY_CODE.sub("", BRACKETS.sub("", location))).split(",")]
    found = False  # then a number at the end of a part is a postcode
    for place, part in enumerate(parts):
        street, cut = LEADING_NUMBER.subn("", part)
        if not cut and not found:
            street, cut = TRAILING_NUMBER.subn(r"\1", part)
        if not cut and not found:
            street, cut = BARE_NUMBER.subn("", part)
        parts[place], found = street, found or bool(cut)
    return ", ".join(filter(None, parts))


def shown_photos(job: Job) -> list[dict[str, Any]]:
    """Once the job is done: what it looked like before and after."""
    if job.status != "completed":
        return []
    return [
        {key: photo[key] for key in ("id", "kind", "width", "height")}
        for photo in job.photos
        if photo["kind"] in SHOWN_PHOTOS
    ]


def _steps(label: str, history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The five steps. The last one is done when it is reached: there is nothing to wait for. A cancelled job has none
    ahead of it; what it went through stands in its history."""
    if label not in STEPS:
        return []
    reached = STEPS.index(label)
    at = {entry["label"]: entry["at"] for entry in history}
    return [
        {
            "label": step,
            "state": "done" if place < reached or reached == len(STEPS) - 1 else "current" if place == reached else "todo",
            "at": at.get(step) if place <= reached else None,
        }
        for place, step in enumerate(STEPS)
    ]
