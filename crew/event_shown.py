"""What the page of an event shows below its form: who is on it and who has seen the plan, its jobs in order, its history.
Reads only.
"""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from dispatch.models import Job
from dispatch.statuses import STATUS_FLOW, status_label
from dispatch.words import ago, moment_in_words, window_in_words

from .models import COUNTERS, Assignment, CrewChange, Event, Role
from .rules import warnings
from .weeks import midnight

STEPS = {
    "opened": "Opened",
    "edited": "Edited",
    "cancelled": "Cancelled",
    "claimed": "Claimed",
    "assigned": "Assigned",
    "released": "Released",
    "release_asked": "Asked to be released",
    "release_declined": "Not released",
    "planned": "Jobs changed",
    "renamed": "Has a new name",
}
LABELS = {field.name: field.verbose_name for field in Event._meta.fields}
SHOWN = 100
"""Steps of history on the page of an event. All of them are in the list of crew changes."""
OFFERED = 300
"""Jobs to choose from."""
DAY = timedelta(days=1)


def step_in_words(what: str) -> str:
    return STEPS.get(what, what)


def about(event: Event) -> dict[str, Any]:
    """For the template. Eight queries and two for each person, whose time is compared with other events."""
    steps = list(event.history.select_related("board", "member", "event__board").order_by("-pk")[: SHOWN + 1])
    return {
        "when": window_in_words(event.starts_at, event.ends_at, event.board.zone),
        "roles": [_role(event, role) for role in Role],
        "warnings": [] if event.cancelled_at else warnings(event),
        "is_over": event.ends_at <= timezone.now(),
        "jobs": _jobs(event),
        "history": in_words(steps[:SHOWN]),
        "has_more_history": len(steps) > SHOWN,
    }


def in_words(steps: list[CrewChange]) -> list[dict[str, Any]]:
    """Steps of a history: `{"step", "what", "when", "more"}`. One query."""
    uids = {step.facts["job"] for step in steps if "job" in step.facts}
    places = dict(Job.objects.filter(uid__in=uids).values_list("uid", "location")) if uids else {}
    return [
        {
            "step": step,
            "what": step_in_words(step.what),
            "when": moment_in_words(step.at, step.board.zone, year=True),
            "more": _facts(step.facts, places),
        }
        for step in steps
    ]


def offered(event: Event) -> list[tuple[str, list[tuple[str, str]]]]:
    """Open jobs that are not in this event, for a select: those of its day, then the others. Three queries."""
    open_ = [status for status, facts in STATUS_FLOW.items() if facts.is_open]
    jobs = Job.objects.filter(board=event.board, status__in=open_).exclude(outing__event=event)
    jobs = jobs.select_related("board", "outing__event").order_by("window_start", "pk")
    start = midnight(event.starts_at.astimezone(event.board.zone).date(), event.board.zone)
    that_day = jobs.filter(window_start__gte=start, window_start__lt=start + DAY)
    others = jobs.exclude(pk__in=that_day.values("pk"))[:OFFERED]
    groups = [("That day", that_day), ("Another day, or not set", others)]
    return [(title, [(job.uid, _choice(job)) for job in found]) for title, found in groups if found]


def _role(event: Event, role: Role) -> dict[str, Any]:
    people = event.assignments.present().filter(role=role).select_related("member").order_by("place")
    places = getattr(event, COUNTERS[role][1])
    shown = [_person(event, one) for one in people]
    return {"label": role.label, "places": places, "people": shown, "free": places - len(shown)}


def _person(event: Event, one: Assignment) -> dict[str, Any]:
    how = "claimed it" if one.is_claim else f"assigned by {one.by}" if one.by else "assigned"
    asked = one.release_asked_at
    return {
        "member": one.member,
        "how": f"{how}, {moment_in_words(one.since, event.board.zone)}",
        "override": one.override,
        "asked": f"Asked to be released {ago(timezone.now() - asked)}: {one.release_reason}" if asked else "",
        "seen": _seen(event, one),
        "has_seen": one.seen_seq >= event.seq,
    }


def _seen(event: Event, one: Assignment) -> str:
    if one.seen_at is None:
        return "has not seen it yet"
    when = moment_in_words(one.seen_at, event.board.zone)
    return f"has seen it, {when}" if one.seen_seq >= event.seq else f"has not seen the last change (looked {when})"


def _jobs(event: Event) -> list[dict[str, Any]]:
    """In order. `up` and `down` are the job that it would stand before, "" for the end; None where it cannot go."""
    jobs = [outing.job for outing in event.outings.select_related("job__board")]
    uids = [job.uid for job in jobs]
    return [
        {
            "job": job,
            "status": status_label(job.status),
            "when": _window(job),
            "up": uids[place - 1] if place else None,
            "down": "".join(uids[place + 2 : place + 3]) if place + 1 < len(jobs) else None,
        }
        for place, job in enumerate(jobs)
    ]


def _choice(job: Job) -> str:
    elsewhere = f"now in “{job.outing.event.title}”" if hasattr(job, "outing") else ""
    return " · ".join(filter(None, [job.location, _window(job), status_label(job.status), elsewhere]))


def _window(job: Job) -> str:
    return window_in_words(job.window_start, job.window_end, job.board.zone) if job.window_start else "no time set"


def _facts(facts: dict[str, Any], places: dict[str, str]) -> str:
    said = [str(LABELS.get(name, name)) for name in facts.get("changed", ())]
    if facts.get("role") in Role.values:
        said.append(Role(facts["role"]).label)
    if "job" in facts:
        said.append(f"{places.get(facts['job'], facts['job'])}: {'put in' if facts.get('into') else 'taken out'}")
    return ", ".join(said)
