"""What the public may know about a job: an allow-list, spelled out. Everything else stays inside.

    {"status", "label", "color", "headline", "next", "cancelled", "service", "location", "window": {"start", "end"} | null,
     "timezone", "steps": [{"label", "state": "done" | "current" | "todo", "at"}], "history": [{"label", "at"}],
     "crew": [first name], "company": {"name", "phone"}, "updatedAt", "seq", "epoch"}

Times are ISO 8601 in UTC. `seq` and `epoch` order copies of the same job; they identify nobody.
"""

import re
from itertools import pairwise
from typing import Any

from dispatch.board import iso
from dispatch.models import TOKEN, Job, JobQuerySet
from dispatch.statuses import STATUS_FLOW

FORMAT = "public/track/{token}.json"
STEPS = tuple(dict.fromkeys(status.customer_label for status in STATUS_FLOW.values() if status.slug != "cancelled"))
UNIT = re.compile(
    r",?\s*(?:#\s*[\w-]+|\b(?:apartment|apt|unit|suite|ste|flat|floor|room|rm|lot|building|bldg|trailer|trlr)\b\.?"
    r"\s*#?\s*(?:\d[\w-]*|[a-z]\b(?!\.)))",
    re.I,
)
ORDINAL = r"\d+(?:st|nd|rd|th)\b"  # 5th Ave
LEADING_NUMBER = re.compile(  # 1428 Elm St, 12B Oak Ave, N2345 County Rd, 12 1/2 Oak Ave, 12 - 14 Oak Ave, 753 10 Uppsala
    rf"^(?:no\.?\s*)?(?:(?:[nsew]\s?)?(?!{ORDINAL})\d\S*(?:\s[-–/]\s?\d\S*)*\s+)+(?=\S)", re.I
)
TRAILING_NUMBER = re.compile(rf"^(.*?[^\W\d_]\S*)\s+(?!{ORDINAL})\d.*$", re.I)  # Storgatan 12
BARE_NUMBER = re.compile(r"^\d+\s?[a-z]?$", re.I)  # Via Roma, 12

_WORDS = {
    "requested": ("We have your request", "We will confirm your time soon."),
    "scheduled": ("You are booked", "We will tell you when a crew is ready."),
    "ready_for_pickup": ("A crew is ready for you", "We will tell you when the crew sets off."),
    "en_route": ("The crew is on the way", "Please make sure that the crew can get in."),
    "in_progress": ("The crew is at work", "This will not take long."),
    "completed": ("All done", "Thank you for choosing us."),
    "cancelled": ("This job was cancelled", "Call us if that is a mistake, or to book again."),
}


def public_object(job: Job) -> tuple[str, dict[str, Any]]:
    """The name and the content of a job's object for the edge."""
    return FORMAT.format(token=job.token), public_projection(job)


def find(token: str) -> Job:
    """The job that a customer's link shows. Raises Job.DoesNotExist for unknown, replaced and malformed tokens alike."""
    if not TOKEN.fullmatch(token):
        raise Job.DoesNotExist
    return shown().get(token=token)


def shown() -> JobQuerySet:
    return Job.objects.select_related("board").prefetch_related("history")


def public_projection(job: Job) -> dict[str, Any]:
    """Reads `job.board` and `job.history`."""
    status = STATUS_FLOW[job.status]
    headline, what_next = _WORDS[job.status]
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
        "updatedAt": iso(job.updated_at),
        "seq": job.seq,
        "epoch": str(job.board.epoch),
    }


def without_house_number(location: str) -> str:
    """The street and what follows: enough to recognise the job by, not enough to find the door."""
    parts = [part.strip() for part in UNIT.sub("", location).split(",")]
    found = False  # then a number at the end of a part is a postcode
    for place, part in enumerate(parts):
        street, cut = LEADING_NUMBER.subn("", part)
        if not cut and not found:
            street, cut = TRAILING_NUMBER.subn(r"\1", part)
        if not cut and not found:
            street, cut = BARE_NUMBER.subn("", part)
        parts[place], found = street, found or bool(cut)
    return ", ".join(filter(None, parts))


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
