"""The pages on which members sign in and out, and see their phones. They need no script. GET changes nothing: programs that
look through mail open every link."""

import re
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth import logout
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.middleware.csrf import rotate_token
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language_from_request, get_supported_language_variant
from django.views.decorators.http import require_http_methods, require_POST

from dispatch.addresses import client_address

from . import doors
from .access import COOKIE, device_of, member_of
from .models import Device, Member

HOME = "/crew/"
YEAR = 365 * 24 * 3600
PRIVATE = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex, nofollow"}
WITHOUT_THE_PATH = "strict-origin"
"""The Referrer-Policy of a form whose address is secret. With no-referrer browsers would send `Origin: null` along, and the
check against forged requests would have nothing to go by."""
INSIDE = re.compile(r"/crew/(?!.*\.\.)[A-Za-z0-9_./?=&-]*")
LINK = re.compile(r"/crew/sign-in/([A-Za-z0-9_-]{43})(?![A-Za-z0-9_-])")
PHONE = re.compile(r"[0-9]{1,18}")
LONGEST_TAG = 35  # of a language (RFC 5646, 4.4.1)


def private(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Answers in the reader's language and for their eyes only. The view is given the phone that asks, or None."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        device = device_of(request.COOKIES.get(COOKIE, ""))
        with translation.override(language_of(request, device.member if device else None)):
            response = view(request, device, *args, **kwargs)
            response.setdefault("Content-Language", translation.get_language())
        patch_vary_headers(response, ["Accept-Language", "Cookie"])
        for name, value in PRIVATE.items():
            response[name] = value
        return response

    return answer


@require_http_methods(["GET", "HEAD", "POST"])
@private
def sign_in(request: HttpRequest, device: Device | None) -> HttpResponse:
    """Asks where to send the link. Afterwards it says the same to everybody."""
    if request.method != "POST":
        return asking(request, device, asked="asked" in request.GET)
    if "link" in request.POST:
        return pasted(request, request.POST["link"])
    written = request.POST.get("address", "")
    try:
        doors.ask(written, source=client_address(request))
    except doors.NotAnAddress as mistake:
        return asking(request, device, 422, error=mistake, written=written)
    except doors.TooManyAsks as refusal:
        response = asking(request, device, 429, error=refusal, written=written)
        response["Retry-After"] = str(refusal.retry_after)
        return response
    return redirect(f"{request.path}?asked=1{language_kept(request)}")


def pasted(request: HttpRequest, text: str) -> HttpResponse:
    """Leads to the page of the link in a text, on this site whatever site it names. An iPhone opens links in Safari, which
    shares no cookies with an app on the home screen. A text without one ends where every link does that does not work."""
    found = LINK.search(text)
    address = reverse("crew:sign-in-link", args=[found[1] if found else "-"])
    return redirect(address + language_kept(request).replace("&", "?"))


def asking(request: HttpRequest, device: Device | None, status: int = 200, **more: Any) -> HttpResponse:
    """Says who is signed in here, by the phone or else by an account in the office."""
    member = who(request, device)
    ends = ends_account(request.user, member)
    context = {"device": device, "member": member, "home": home(request), "ends_account": ends}
    return render(request, "crew/sign_in.html", context | more, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@private
def sign_in_link(request: HttpRequest, device: Device | None, secret: str) -> HttpResponse:
    """A link: GET shows whom it signs in, POST does it. Every link that does not work looks the same."""
    if request.method == "POST":
        return use(request, device, secret)
    member = doors.peek(secret)
    if member is None:
        return dead(request, device)
    with translation.override(language_of(request, member)):
        response = render(request, "crew/sign_in_link.html", {"member": member, "device": device})
        response["Content-Language"] = translation.get_language()
    response["Referrer-Policy"] = WITHOUT_THE_PATH
    return response


def use(request: HttpRequest, device: Device | None, secret: str) -> HttpResponse:
    try:
        _, cookie = doors.sign_in(secret, request.headers.get("User-Agent", ""), instead_of=device)
    except doors.DeadLink:
        return dead(request, device)
    rotate_token(request)
    response = redirect(home(request))
    response.set_cookie(COOKIE, cookie, max_age=YEAR, secure=settings.SECURE, httponly=True, samesite="Lax")
    response["Referrer-Policy"] = "no-referrer"
    return response


def dead(request: HttpRequest, device: Device | None) -> HttpResponse:
    """Whoever pressed twice is signed in already, and reads that."""
    context = {"device": device, "home": home(request)}
    response = render(request, "crew/sign_in_dead.html", context, status=410)
    response["Referrer-Policy"] = "no-referrer"
    return response


@require_POST
@private
def sign_out(request: HttpRequest, device: Device | None) -> HttpResponse:
    if ends_account(request.user, who(request, device)):
        logout(request)
    if device:
        doors.sign_out(device)
    response = redirect("crew:sign-in")
    response.delete_cookie(COOKIE, samesite="Lax")
    return response


def who(request: HttpRequest, device: Device | None) -> Member | None:
    return device.member if device else member_of({}, request.user)


def ends_account(user: Any, member: Member | None) -> bool:
    """Whether signing this member out ends the account in the office, too: it would sign them in again at once. That of a
    colleague who looks at somebody's phone stays."""
    return member is not None and member_of({}, user) == member


@require_http_methods(["GET", "HEAD", "POST"])
@private
def phones(request: HttpRequest, device: Device | None) -> HttpResponse:
    """A member's own phones. POST ends one of them."""
    member = who(request, device)
    if member is None:
        return redirect("crew:sign-in")
    mine = Device.objects.filter(member=member, revoked_at=None)
    if request.method == "POST":
        return end_one(request, mine)
    context = {"member": member, "zone": member.board.zone, "phones": mine, "device": device}
    return render(request, "crew/sign_in_phones.html", context)


def end_one(request: HttpRequest, mine: QuerySet[Device]) -> HttpResponse:
    chosen = request.POST.get("phone", "")
    phone = mine.filter(pk=chosen).first() if PHONE.fullmatch(chosen) else None
    if phone is None:
        raise Http404
    doors.revoke(phone)
    return redirect("crew:phones")


def home(request: HttpRequest) -> str:
    """Where to go once signed in: `?next=`, but only inside the members' pages."""
    next_ = request.GET.get("next", "")
    return next_ if INSIDE.fullmatch(next_) else HOME


def language_of(request: HttpRequest, member: Member | None) -> str:
    """`?lang=`, else the member's own, else the browser's."""
    with suppress(LookupError):
        return get_supported_language_variant(request.GET.get("lang", "")[:LONGEST_TAG])
    return member.language if member else get_language_from_request(request)


def language_kept(request: HttpRequest) -> str:
    return f"&lang={translation.get_language()}" if "lang" in request.GET else ""
