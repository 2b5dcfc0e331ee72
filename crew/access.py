"""Who asks: a member by the phone that they signed in with, or by their account in the office."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils import timezone
from ninja.security import APIKeyCookie

from .devices import Device, hashed
from .models import Member

COOKIE = "__Host-crew" if settings.SECURE else "crew"
SEEN_EVERY = timedelta(minutes=10)


def device_of(cookie: str) -> Device | None:
    """The phone whose cookie this is, unless it was revoked or its member has left."""
    if not cookie:
        return None
    found: Device | None = Device.objects.select_related("member__board").filter(secret=hashed(cookie)).first()
    if found is None or found.revoked_at or not found.member.is_active:
        return None
    note_seen(found)
    return found


def note_seen(device: Device) -> None:
    """Notes that a phone was used, every ten minutes at most: people recognise theirs by it. It is an UPDATE of this one
    column, so that a phone that is revoked at the same time stays so."""
    now = timezone.now()
    if now - device.last_seen_at >= SEEN_EVERY:
        Device.objects.filter(pk=device.pk, last_seen_at=device.last_seen_at).update(last_seen_at=now)
        device.last_seen_at = now


def member_of(cookies: dict[str, str], user: Any) -> Member | None:
    """The cookie counts before the account: in the office a colleague's phone may be looked at."""
    if device := device_of(cookies.get(COOKIE, "")):
        return device.member
    member = getattr(user, "member", None) if user and user.is_authenticated and user.is_active else None
    return member if member and member.is_active else None


class ByMember(APIKeyCookie):
    """For handlers of the API that are a member's. They find it as `request.auth`. Whoever is signed in and no member is
    refused. Requests that change something need the CSRF token, as for anybody with a cookie."""

    param_name = COOKIE

    def authenticate(self, request: HttpRequest, key: str | None) -> Member | None:
        if member := member_of(request.COOKIES, request.user):
            return member
        if request.user.is_authenticated:
            raise PermissionDenied
        return None


by_member = ByMember()
