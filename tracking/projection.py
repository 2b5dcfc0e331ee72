"""What the public may know about a job: an allow-list, spelled out. Everything else stays inside.

    {"status", "label", "headline", "next", "cancelled", "service", "location", "window": {"start", "end"} | null, "timezone",
     "steps": [{"label", "state": "done" | "current" | "todo", "at"}], "history": [{"label", "at"}], "crew": [first name],
     "company": {"name", "phone"}, "updatedAt", "seq", "epoch"}

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
LEADING_NUMBER = re.compile(r"^\s*#?[nsew]?\d+(?:[-/]\d+)?[a-z]?(?:\s+\d/\d)?\s+(?=\S)", re.I)  # 1428 Elm St
TRAILING_NUMBER = re.compile(r"^([^,\d]*[^,\d\s])\s+\d+\s?[a-z]?(?=\s*(?:,|$))", re.I)  # Storgatan 12, Uppsala
UNIT = re.compile(r",?\s*(?:#|\b(?:apartment|apt|unit|suite|ste)\b\.?)\s*#?[\w-]+", re.I)

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
    return {
        "status": job.status,
        "label": status.customer_label,
        "headline": headline,
        "next": what_next,
        "cancelled": job.status == "cancelled",
        "service": job.get_service_display(),
        "location": without_house_number(job.location),
        "window": {"start": iso(job.window_start), "end": iso(job.window_end)} if job.window_start else None,
        "timezone": job.board.timezone,
        "steps": _steps(status.customer_label, history),
        "history": history[:1] + [later for earlier, later in pairwise(history) if later["label"] != earlier["label"]],
        "crew": [name.split()[0] for name in job.crew],
        "company": {"name": job.board.name, "phone": job.board.phone},
        "updatedAt": iso(job.updated_at),
        "seq": job.seq,
        "epoch": str(job.board.epoch),
    }


def without_house_number(location: str) -> str:
    """The street and what follows: enough to recognise the job by, not enough to find the door."""
    street = UNIT.sub("", location)
    street, leading = LEADING_NUMBER.subn("", street)
    return (street if leading else TRAILING_NUMBER.sub(r"\1", street)).strip(" ,")


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
