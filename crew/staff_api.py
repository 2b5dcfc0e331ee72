"""What the office does with events over HTTP: opens, edits and cancels them, gives and takes places, puts jobs into them.
Each handler loads, calls the plan once and answers with the event as the office reads it then.
"""

from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja import Header, Query, Status

from dispatch.api import name, needs, version
from dispatch.idempotency import once
from dispatch.models import Board, Job
from dispatch.problems import problem
from dispatch.schemas import Text
from dispatch.words import ago

from . import listing, plan
from .api import router
from .models import Event, Member, Truck
from .staff_schemas import EventEdit, EventFacts, JobPlace, NewEvent, Place, Reason

__all__ = ["router"]  # the crews' one: GET and POST /events are one address


@router.post("/events", response={201: Any}, summary="Open an event")
@needs("dispatch.change_job")
@once
def open_event(request: HttpRequest, facts: NewEvent) -> Status[dict[str, Any]]:
    board = get_object_or_404(Board, slug=facts.board)
    return Status(201, _shown(plan.open_event(board, by=name(request), **_with_truck(facts, board))))


@router.patch("/events/{slug:uid}", summary="Change what is known about an event")
@needs("dispatch.change_job")
def edit_event(
    request: HttpRequest, uid: str, facts: EventEdit, if_match: str = Header(""), seq: int | None = Query(None)
) -> dict[str, Any]:  # fmt: skip
    """Name the number you saw, as `If-Match: "<seq>"` or as `?seq=`: two editors cannot overwrite each other.
    New hours at which somebody is elsewhere are 409 `overlaps`, which says who and where; with a `reason` they may be on
    both."""
    event, expect = _event(uid), version(if_match, seq)
    changes = _with_truck(facts, event.board)
    return _shown(plan.edit_event(event, changes, expect=expect, by=name(request), reason=facts.reason))


@router.post("/events/{slug:uid}/cancel", summary="Cancel an event")
@needs("dispatch.change_job")
@once
def cancel_event(request: HttpRequest, uid: str, why: Reason) -> dict[str, Any]:
    """Its people are told, its jobs are without a crew then. A reason is needed."""
    return _shown(plan.cancel_event(_event(uid), by=name(request), reason=why.reason))


@router.post("/events/{slug:uid}/assign", summary="Give somebody a place")
@needs("dispatch.change_job")
@once
def assign(request: HttpRequest, uid: str, place: Place) -> dict[str, Any]:
    """409 `taken` says who has the last place. 409 `overlaps` says where else they are then; with a `reason` they may be on
    both."""
    event = _event(uid)
    plan.assign(event, _member(event, place.member), place.role, by=name(request), reason=place.reason)
    return _shown(event)


@router.delete("/events/{slug:uid}/assignments/{slug:member}", summary="Take somebody off an event")
@needs("dispatch.change_job")
def release(request: HttpRequest, uid: str, member: str, reason: Text = "") -> dict[str, Any]:
    """Also what lets somebody go who asked for it."""
    event = _event(uid)
    plan.release(event, _member(event, member), by=name(request), reason=reason, is_staff=True)
    return _shown(event)


@router.post("/events/{slug:uid}/decline/{slug:member}", summary="Keep somebody who asked to be released")
@needs("dispatch.change_job")
@once
def decline_release(request: HttpRequest, uid: str, member: str, why: Reason) -> dict[str, Any]:
    event = _event(uid)
    plan.decline_release(event, _member(event, member), by=name(request), reason=why.reason)
    return _shown(event)


@router.put("/jobs/{slug:uid}/event", summary="Put a job into an event, or take it out")
@needs("dispatch.change_job")
def put_job(request: HttpRequest, uid: str, place: JobPlace) -> dict[str, Any] | HttpResponse:
    """In front of the job `before`, or at the end. `events` are those that changed: at most two. Say with `from` which
    event you saw it in, and two people cannot overwrite each other: 409 `stale` says who put it elsewhere. Its `event` is
    the one that the job is in now, or was taken out of; `events` has the one that you saw, too."""
    job = get_object_or_404(Job.objects.select_related("board"), uid=uid)
    event = _event(place.event) if place.event else None
    seen = _event(place.seen_in) if place.seen_in else None
    was = Event.objects.filter(outings__job=job).first()
    try:
        plan.put_job(job, event, by=name(request), before=place.before, expect=place.expect)
    except plan.Stale as stale:
        there, both = stale.current, _listed(stale.current, seen)
        return problem(409, "stale", _elsewhere(job, there), event=listing.as_seen(there, None), events=both)
    return {"events": _listed(was, event)}


def _elsewhere(job: Job, event: Event) -> str:
    """Who put the job into an event, or took it out, and when. It may never have been there."""
    of_this_job = Q(what="planned", facts__job=job.uid) | Q(what="cancelled")
    step = event.history.filter(of_this_job).last()
    if step is None:
        return f"{plan.Stale(event)}."
    did = "cancelled" if step.what == "cancelled" else "put this job into" if step.facts["into"] else "took this job out of"
    return f"{step.by or 'Somebody'} {did} “{event.title}” {ago(timezone.now() - step.at)}."


def _listed(*events: Event | None) -> list[dict[str, Any]]:
    """As they are now."""
    now = Event.objects.filter(pk__in=[event.pk for event in events if event]).order_by("starts_at", "pk")
    return [listing.as_seen(one, None) for one in now]


def _with_truck(facts: EventFacts, board: Board) -> dict[str, Any]:
    """The columns, with the truck of that name. Raises ValidationError when the board has none, or it is not in use."""
    columns = facts.columns()
    if columns.get("truck") is not None:
        truck = Truck.objects.filter(board=board, name=columns["truck"], is_active=True).first()
        if truck is None:
            raise ValidationError({"truck": f"There is no truck “{columns['truck']}” in use."})
        columns["truck"] = truck
    return columns


def _shown(event: Event) -> dict[str, Any]:
    return {"event": listing.as_seen(event, None)}


def _event(uid: str) -> Event:
    return get_object_or_404(Event.objects.select_related("board"), uid=uid)


def _member(event: Event, uid: str) -> Member:
    """Also one who has left: whoever still has a place can be taken off."""
    return get_object_or_404(Member, uid=uid, board=event.board_id)
