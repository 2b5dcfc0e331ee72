"""What the members' API says to people, in their language: English here, Spanish in crew/locale. Codes stay as they are.

Refusals of the crews' own are made in the reader's language (`Refusal`, and gettext in the other exceptions). What others
refuse, crew.plan, the office's modules and the API as a whole, is English; who reads another language gets it by its code,
from the tables here.
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import wraps
from types import MappingProxyType
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.translation import get_language, gettext, gettext_noop

from dispatch import statuses, words
from dispatch.messages import times
from dispatch.rules import Refused

from .models import Member

_ = gettext_noop  # marks a text; it is translated when it is said

ENGLISH = "en"
STATUSES = (
    _("Requested"), _("Scheduled"), _("Ready for pickup"), _("On the way"), _("In progress"), _("Completed"),
    _("Cancelled"),
)  # fmt: skip
"""As STATUS_FLOW has them."""
OTHERS: Mapping[str, str] = MappingProxyType({
    "bad_key": _("The key of this request cannot be used. Load the page again."),
    "cancelled": _("This event is cancelled."),
    "has_place": _("You have another place in this event already."),
    "key_reused": _("Something else was sent with the same key. Do it again, please."),
    "not_allowed": _("This job cannot take that step now."),
    "not_now": _("This is no longer possible for this job."),
    "not_yours": _("You have no place in this event."),
    "reason_required": _("It is too late to give this back by yourself. Tell the office why."),
    "too_late": _("This can be taken back on the same day only. Ask the office."),
    "too_long": _("This text is too long. Please use at most 500 characters."),
    "too_many": _("This job has as many photos as it may have."),
    "unknown_kind": _("There is no such kind of photo."),
})  # fmt: skip
"""What crew.plan and dispatch refuse to members, by code."""
EVERYWHERE: Mapping[str, str] = MappingProxyType({
    "bad_picture": _("We cannot read this photo, or it is too large. Use JPEG, PNG, WebP or HEIC."),
    "csrf": _("This page is too old. Load it again."),
    "error": _("This did not work. Try again, or call the office."),
    "forbidden": _("You may not do this. Ask the office."),
    "invalid": _("Something about this is missing or wrong."),
    "key_required": _("This request has no key."),
    "not_found": _("This is not there any more. Ask the office."),
    "sign_in": _("Sign in first."),
    "too_large": _("This photo is too large. It may have at most 15 MB."),
    "unreadable": _("This cannot be read. Try again."),
})  # fmt: skip
"""What the API as a whole answers, by code."""


class Refusal(Refused):
    """One of the crews' own: the message is in the language of who reads it."""


def ago(moment: datetime, now: datetime) -> str:
    """«4 s ago»"""
    number, unit, _ago = words.ago(now - moment).split()
    return gettext("{number} {unit} ago").format(number=number, unit=unit)


def status_label(slug: str) -> str:
    return gettext(statuses.status_label(slug))


def window(start: datetime, end: datetime) -> str:
    """Of moments in the board's zone: «Tuesday, November 24, 8:00 AM – 10:00 AM MST»."""
    return times.window_in_full(start, end, _language())


def in_their_language(handler: Callable[..., Any]) -> Callable[..., Any]:
    """For the handlers of the API: what they say is in the language of the member who asks."""

    @wraps(handler)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        with translation.override(_language_of(request)):
            try:
                return handler(request, *args, **kwargs)
            except Refusal:
                raise
            except Refused as refused:
                raise Refused(refused.code, _said(OTHERS, refused.code, str(refused))) from refused

    return answer


def problems_in_their_language(run: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """For the operations of the API as a whole, with who is asked and what is read before a handler is called."""

    @wraps(run)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = run(request, *args, **kwargs)
        with translation.override(_language_of(request)):
            if response.status_code >= 400 and _language() != ENGLISH:
                _say_anew(response)
        return response

    return answer


def _say_anew(response: HttpResponse) -> None:
    if response["Content-Type"] != "application/problem+json":
        return
    body = json.loads(response.content)
    response.content = json.dumps(body | {"detail": _said(EVERYWHERE, body["code"], body["detail"])}).encode()


def _said(texts: Mapping[str, str], code: str, english: str) -> str:
    return gettext(texts[code]) if code in texts and _language() != ENGLISH else english


def _language() -> str:
    return (get_language() or ENGLISH)[:2]


def _language_of(request: HttpRequest) -> str:
    """The member's, for staff English, and the browser's for who is not known."""
    who = getattr(request, "auth", None)
    if who is None:
        return translation.get_language_from_request(request)
    return str(who.language) if isinstance(who, Member) else ENGLISH
