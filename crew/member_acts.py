"""The buttons on the page of a member: a link to sign in, the end of phones, and of all that they have when they leave. For
whoever may change members: who has a link to sign in is that member to the phone pages.
"""

from contextlib import suppress

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_POST

from dispatch.api import name
from dispatch.rules import Refused

from . import doors, plan
from .member_forms import coming, counted
from .models import Device, Member

LEFT = "They do not work here any more."


@require_POST
def make_link(request: HttpRequest, pk: int) -> HttpResponse:
    """Shows a link once: it is kept nowhere. That somebody made one is in the history of the member."""
    member = _member(request, pk)
    try:
        link = doors.new_link(member)
    except doors.NotOnTheRoster as error:
        messages.error(request, str(error))
        return redirect("admin:crew_member_change", pk)
    _log(request, member, "Made a link to sign in.")
    context = admin.site.each_context(request) | {
        "title": f"A link that signs {member.name} in", "member": member, "link": link, "opts": Member._meta,
        "minutes": int(doors.LASTS.total_seconds() // 60),
    }  # fmt: skip
    return TemplateResponse(request, "admin/crew/member/link.html", context)


@require_POST
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """Ends the phone that was named, or all of them together with the links that nobody used."""
    member = _member(request, pk)
    if key := request.POST.get("device", ""):
        device = get_object_or_404(Device, pk=key if key.isdecimal() else 0, member=member)
        doors.revoke(device)
        words = f"Signed out: {device.name or 'a phone'}."
    else:
        doors.revoke(member)
        words = f"All phones of {member.name} are signed out, and no link that was made works any more."
    _log(request, member, words)
    messages.success(request, words)
    return redirect("admin:crew_member_change", pk)


@require_POST
def leave(request: HttpRequest, pk: int) -> HttpResponse:
    """Makes a member inactive, as the form does, and gives back the places that they have in events that are not over."""
    member = _member(request, pk)
    if not request.user.has_perm("crew.change_event"):
        raise PermissionDenied
    reason = request.POST.get("reason", "").replace("\0", "").strip() or LEFT
    with transaction.atomic():
        member.is_active = False
        member.save(update_fields=["is_active"])
        doors.revoke(member)
    given = []
    for event in coming(member):
        with suppress(Refused):  # cancelled, or given back by somebody else just now
            plan.release(event, member, by=name(request), reason=reason, is_staff=True)
            given.append(event)
    words = (
        f"{member.name} is not active, and has given {counted(given)} back." if given else f"{member.name} is not active."
    )
    _log(request, member, words)
    messages.success(request, words)
    return redirect("admin:crew_member_change", pk)


def _member(request: HttpRequest, pk: int) -> Member:
    if not request.user.has_perm("crew.change_member"):
        raise PermissionDenied
    return get_object_or_404(Member, pk=pk)


def _log(request: HttpRequest, member: Member, words: str) -> None:
    LogEntry.objects.log_actions(str(request.user.pk), [member], CHANGE, change_message=words, single_object=True)
