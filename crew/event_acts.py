"""The buttons on the page of an event: one call of the plan each, its answer as a message, and back to the page."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from dispatch.api import name
from dispatch.models import Job
from dispatch.rules import Refused

from . import plan
from .models import Event, Member, Role

NO = (plan.Taken, plan.Stale, Refused, ValidationError)
"""How the plan says no, in words for people."""


@require_POST
def act(request: HttpRequest, pk: int, what: str) -> HttpResponse:
    """Whoever may change events may do all of this."""
    if what not in ACTS:
        raise Http404
    if not request.user.has_perm("crew.change_event"):
        raise PermissionDenied
    event = get_object_or_404(Event.objects.select_related("board"), pk=pk)
    again = {}
    try:
        messages.success(request, ACTS[what](request, event))
    except plan.Overlaps as error:
        messages.error(request, f"{error}. Say below why they may be on both, and assign them again.")
        again = {key: _typed(request, f"assign-{key}") for key in ("member", "role")}
    except NO as error:
        messages.error(request, " ".join(error.messages) if isinstance(error, ValidationError) else _sentence(error))
    return _back(event, again)


def assign(request: HttpRequest, event: Event) -> str:
    member, role = _member(event, _typed(request, "assign-member")), _typed(request, "assign-role")
    _, is_new = plan.assign(event, member, role, by=name(request), reason=_typed(request, "assign-reason"))
    had = "is" if is_new else "already is"
    return f"{member.name} {had} {Role(role).label.lower()} of this event."


def release(request: HttpRequest, event: Event) -> str:
    member, reason = _member(event, _typed(request, "member")), _typed(request, "reason")
    plan.release(event, member, by=name(request), reason=reason, is_staff=True)
    return f"{member.name} is released."


def decline(request: HttpRequest, event: Event) -> str:
    member, reason = _member(event, _typed(request, "member")), _typed(request, "reason")
    plan.decline_release(event, member, by=name(request), reason=reason)
    return f"{member.name} stays on this event."


def cancel(request: HttpRequest, event: Event) -> str:
    plan.cancel_event(event, by=name(request), reason=_typed(request, "reason"))
    return f"“{event.title}” is cancelled. Its people are told, and its jobs wait for another crew."


def put(request: HttpRequest, event: Event) -> str:
    """Also how the order changes: a job of this event is put before another one."""
    job = _job(event, _typed(request, "put-job"))
    plan.put_job(job, event, by=name(request), before=_typed(request, "put-before") or None)
    return f"{job.location} is in this event."


def take_out(request: HttpRequest, event: Event) -> str:
    """Of this event only: it may be in another one by now."""
    job = _job(event, _typed(request, "put-job"))
    if not event.outings.filter(job=job).exists():
        raise Refused("not_here", f"{job.location} is not in this event any more.")
    plan.put_job(job, None, by=name(request))
    return f"{job.location} waits for another crew."


ACTS: dict[str, Callable[[HttpRequest, Event], str]] = {
    "assign": assign, "release": release, "decline": decline, "cancel": cancel, "put": put, "take-out": take_out,
}  # fmt: skip


def _typed(request: HttpRequest, key: str) -> str:
    """What was posted, without the NULs that PostgreSQL takes in no text."""
    return request.POST.get(key, "").replace("\0", "")


def _member(event: Event, key: str) -> Member:
    """Also one who has left: whoever still has a place can be taken off."""
    found = Member.objects.filter(pk=key, board=event.board_id).first() if key.isdecimal() else None
    if found is None:
        raise Refused("no_member", "Choose somebody first.")
    return found


def _job(event: Event, uid: str) -> Job:
    found: Job | None = Job.objects.select_related("board").filter(uid=uid, board=event.board_id).first()
    if found is None:
        raise Refused("no_job", "Choose a job first.")
    return found


def _sentence(error: Exception) -> str:
    """Some refusals end with a full stop, some with a time."""
    return f"{str(error).rstrip('.')}."


def _back(event: Event, again: dict[str, Any]) -> HttpResponseRedirect:
    address = reverse("admin:crew_event_change", args=[event.pk])
    return redirect(f"{address}?{urlencode(again)}#assign" if again else address)
