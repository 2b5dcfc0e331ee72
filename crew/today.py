"""What a member's phone shows: their events of today and tomorrow with the jobs in order, and their week. Reads only.

A job is `{"id", "seq", "status", "label", "color", "icon", "place", "service", "serviceLabel", "location", "window":
{"start", "end"} | null, "loadEighths", "next": {"to", "label"} | null, "startFrom", "photos": [{"id", "kind"}], "contact":
{"name", "phone", "accessNotes", "notes"} | null}`. How to reach a customer and how to get in is there as long as the crew
needs it: while the job is open and its event is today or tomorrow, or was over less than six hours ago.

An event that was `cancelled` is `{"id", "title", "start", "end", "day", "at", "by", "reason"}`.

`startFrom` is when a crew may be on the way at the earliest. A phone without a network has tomorrow's plan since yesterday,
so it must know the moment: that it is too early now is no news in the morning.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Q
from django.utils import timezone

from dispatch.board import iso
from dispatch.statuses import STATUS_FLOW

from . import showing
from .clock import open_shift
from .listing import prepared
from .models import Assignment, Event, Member, Outing, Role

WEEK = 7
STEPS = ("en_route", "in_progress", "completed")
"""The statuses that a crew moves a job to, in their order."""
OVERTIME = timedelta(hours=6)
"""After its end an event stays the crew's for so long: the last job takes longer than planned."""
EARLY = timedelta(hours=6)
"""So long before an event begins its crew may be on the way, if that is on the day before."""


def plan(member: Member) -> dict[str, Any]:
    """Six queries, however much there is. `seq` is read first: what follows may be newer, never older."""
    board, now = member.board, timezone.now()
    seq = showing.seq(board)
    week = _week_of(member, now)
    return {
        "member": _about(member),
        "board": {"slug": board.slug, "name": board.name, "phone": board.phone, "timezone": board.timezone},
        "now": iso(now),
        "seq": seq,
        "today": board.midnight(now).date().isoformat(),
        "events": [_with_jobs(event, member) for event in week if is_current(event, now)],
        "week": [showing.for_member(event, member) for event in week],
        "cancelled": _cancelled(member, now),
        "shift": open_shift(member),
    }


def is_current(event: Event, moment: datetime) -> bool:
    """Whether it takes place on the board's today or tomorrow, or is under way, overtime included. One that was cancelled
    was current until then."""
    midnight = event.board.midnight(moment)
    takes_place = event.cancelled_at is None or moment < event.cancelled_at
    begins_soon = midnight <= event.starts_at < midnight + timedelta(days=2)
    return takes_place and (begins_soon or event.starts_at <= moment < event.ends_at + OVERTIME)


def start_from(event: Event) -> datetime:
    """When its crew may be on the way at the earliest: on the board's day on which it begins, or six hours before."""
    return min(event.board.midnight(event.starts_at), event.starts_at - EARLY)


def shown(outing: Outing, *, is_now: bool) -> dict[str, Any]:
    """A job as its crew reads it. `is_now`: whether its event is current."""
    job, status = outing.job, STATUS_FLOW[outing.job.status]
    return {
        "id": job.uid,
        "seq": job.seq,
        "status": job.status,
        "label": status.label,
        "color": status.color,
        "icon": status.icon,
        "place": outing.place,
        "service": job.service,
        "serviceLabel": job.get_service_display(),
        "location": job.location,
        "window": {"start": iso(job.window_start), "end": iso(job.window_end)} if job.window_start else None,
        "loadEighths": job.load_eighths,
        "next": None if outing.is_past else _next(job.status),
        "startFrom": iso(start_from(outing.event)),
        "photos": [{"id": photo["id"], "kind": photo["kind"]} for photo in job.photos],
        "contact": _contact(outing) if is_now and status.is_open else None,
    }


def shown_now(outing: Outing) -> dict[str, Any]:
    return shown(outing, is_now=not outing.is_past and is_current(outing.event, timezone.now()))


def _about(member: Member) -> dict[str, Any]:
    return {
        "id": member.uid,
        "name": member.name,
        "firstName": member.first_name,
        "language": member.language,
        "roles": [role.value for role in Role if member.may_be(role)],
    }


def _week_of(member: Member, now: datetime) -> list[Event]:
    """The events that they have a place in, from those of today and those under way on, overtime included."""
    midnight = member.board.midnight(now)
    places = Assignment.objects.present().filter(member=member)
    events = Event.objects.filter(
        Q(starts_at__gte=midnight) | Q(ends_at__gt=now - OVERTIME),
        starts_at__lt=midnight + timedelta(days=WEEK), cancelled_at=None, pk__in=places.values("event"),
    )  # fmt: skip
    return list(prepared(events).order_by("starts_at", "pk"))


def _cancelled(member: Member, now: datetime) -> list[dict[str, Any]]:
    """Of today and tomorrow what they had a place in until it was cancelled: who had a plan asks where it is."""
    zone, midnight = member.board.zone, member.board.midnight(now)
    theirs = Assignment.objects.filter(
        member=member, ended_at=F("event__cancelled_at"), event__ends_at__gt=midnight,
        event__starts_at__lt=midnight + timedelta(days=2),
    )  # fmt: skip
    return [
        {
            "id": one.event.uid,
            "title": one.event.title,
            "start": iso(one.event.starts_at),
            "end": iso(one.event.ends_at),
            "day": one.event.starts_at.astimezone(zone).date().isoformat(),
            "at": iso(one.ended_at),
            "by": one.ended_by,
            "reason": one.event.cancelled_because,
        }
        for one in theirs.select_related("event").order_by("event__starts_at", "event__pk")
    ]


def _with_jobs(event: Event, member: Member) -> dict[str, Any]:
    jobs = [shown(outing, is_now=True) for outing in event.outings.all()]
    return showing.for_member(event, member) | {"jobs": jobs}


def next_step(status: str) -> str | None:
    """The crew's next step: of those that the flow allows the first that lies further along."""
    later = STEPS[STEPS.index(status) + 1 :] if status in STEPS else STEPS
    return next((step for step in later if step in STATUS_FLOW[status].may_go_to), None)


def _next(status: str) -> dict[str, str] | None:
    to = next_step(status)
    return {"to": to, "label": STATUS_FLOW[to].label} if to else None


def _contact(outing: Outing) -> dict[str, str]:
    job = outing.job
    return {
        "name": job.customer_name,
        "phone": job.customer_phone,
        "accessNotes": job.access_notes,
        "notes": job.notes,
    }
