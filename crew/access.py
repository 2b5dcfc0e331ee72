"""Who asks: a member by the phone that they signed in with, or by their account in the office."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from ninja.security import APIKeyCookie

from .devices import Device, hashed
from .models import Member

COOKIE = "__Host-crew" if settings.SECURE else "crew"


def device_of(cookie: str) -> Device | None:
    """The phone whose cookie this is, unless it was revoked or its member has left."""
    if not cookie:
        return None
    found: Device | None = Device.objects.select_related("member__board").filter(secret=hashed(cookie)).first()
    return found if found and found.revoked_at is None and found.member.is_active else None


def member_of(cookies: dict[str, str], user: Any) -> Member | None:
    """The cookie counts before the account: in the office a colleague's phone may be looked at."""
    if device := device_of(cookies.get(COOKIE, "")):
        return device.member
    member = getattr(user, "member", None) if user and user.is_authenticated and user.is_active else None
    return member if member and member.is_active else None


class ByMember(APIKeyCookie):
    """For handlers of the API that are a member's. They find it as `request.auth`. Requests that change something need
    the CSRF token, as for anybody with a cookie."""

    param_name = COOKIE

    def authenticate(self, request: HttpRequest, key: str | None) -> Member | None:
        return member_of(request.COOKIES, request.user)


by_member = ByMember()
