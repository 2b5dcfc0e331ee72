"""Whose a job was, and until when, from the history of the plan: a phone without a network goes on with a job that the
office has cancelled or planned anew. Reads only.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from dispatch.models import Job

from .models import Assignment, CrewChange, Event, Member, Outing

REMEMBERED = timedelta(days=14)
"""Whoever lost a job longer ago than this learns no more of it than anybody."""


@dataclass(frozen=True, slots=True)
class Lost:
    """A job was a member's from `since` until `at`, in `event`. `what` ended that: the event was cancelled, the job was
    given to another event (`to`, its title) or taken_out of this one, the member was taken_off or has given_back."""

    event: Event
    since: datetime
    at: datetime
    what: str
    by: str
    reason: str = ""
    to: str = ""


def lost(member: Member, uid: str) -> list[Lost]:
    """All the times that this job was theirs and ceased to be, in the order in which it did. Two queries, and one for
    each event that it left for another."""
    recent = Assignment.objects.filter(member=member, event__ends_at__gt=timezone.now() - REMEMBERED)
    places = list(recent.select_related("event__board", "member"))
    planned = CrewChange.objects.filter(
        event__in={place.event_id for place in places}, what="planned", facts__job=uid
    )  # fmt: skip
    steps = list(planned.order_by("pk"))
    found = [
        one
        for place in places
        for came, went in _stays(step for step in steps if step.event_id == place.event_id)
        if (one := _lost(place, came, went)) and one.since < one.at
    ]
    return sorted(found, key=lambda one: one.at)


def outing(one: Lost, uid: str) -> Outing:
    """The job in the event that it was in. Not to be saved."""
    past = Outing(job=Job.objects.select_related("board").get(uid=uid), event=one.event, place=0)
    past.is_past = True
    return past


def _stays(steps: Iterable[CrewChange]) -> Iterator[tuple[CrewChange, CrewChange | None]]:
    """From when until when a job was in an event, of the changes that put it there or elsewhere."""
    came = None
    for step in steps:
        if step.facts["into"]:
            came = came or step  # or it has got another place among the others
        elif came:
            yield came, step
            came = None
    if came:
        yield came, None


def _lost(place: Assignment, came: CrewChange, went: CrewChange | None) -> Lost | None:
    """What ended it first. None while it is theirs."""
    event, since = place.event, max(place.since, came.at)
    ends = []
    if event.cancelled_at:  # which ends all places at the same moment, so it stands first
        ends.append(Lost(event, since, event.cancelled_at, "cancelled", place.ended_by, event.cancelled_because))
    if place.ended_at:
        what = "given_back" if place.ended_by == place.member.name else "taken_off"
        ends.append(Lost(event, since, place.ended_at, what, place.ended_by, place.ended_because))
    if went:
        to = _given_to(went)
        ends.append(Lost(event, since, went.at, "given" if to else "taken_out", went.by, went.reason, to))
    return min(ends, key=lambda one: one.at, default=None)


def _given_to(went: CrewChange) -> str:
    """The title of the event that the job was put into by the same change, which took two numbers. "" for none."""
    other = CrewChange.objects.filter(
        board=went.board_id, seq__in=(went.seq - 1, went.seq + 1), what="planned", by=went.by, facts__job=went.facts["job"],
        facts__into=True,
    ).exclude(event=went.event_id)  # fmt: skip
    there = other.select_related("event").first()
    return there.event.title if there and there.event else ""
