"""The page to book a pickup. It works without a script: a POST to the page checks, books and shows what comes next."""

import secrets
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import get_language, override
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from dispatch.addresses import client_address
from dispatch.idempotency import PRINTABLE
from dispatch.models import Board
from dispatch.rules import Refused

from . import booking, page
from .forms import BookingForm
from .views import nowhere, private


@csrf_exempt  # there is no session to borrow: whoever may send this here may send it from anywhere
@require_http_methods(["GET", "HEAD", "POST"])
@private
def book(request: HttpRequest) -> HttpResponse:
    """`/book` and `/book/<step>`, rewritten to `/book.html?step=<step>` as at the edge. All steps are one page so far."""
    board = Board.objects.order_by("pk").first()
    if board is None:
        return nowhere(request)
    if request.method == "POST":
        return _take(request, BookingForm(_with_key(request.POST), board=board))
    new = {"key": new_key(), "rendered": booking.stamp()}
    return _filled_in(request, BookingForm(board=board, initial=new))


def shell(others: Iterable[str]) -> dict[str, Any]:
    """What book.html is given as a file for a CDN: it holds the form in other languages, too, and no key, stamp or day."""
    board = Board.objects.order_by("pk").first()
    if board is None:
        raise Http404
    also = []
    for language in others:
        with override(language):
            also.append({"lang": language, "main": render_to_string("tracking/book_main.html", context(_timeless(board)))})
    return context(_timeless(board)) | {"also": also}


def new_key() -> str:
    """128 random bits: nobody guesses another's."""
    return secrets.token_urlsafe(16)


def context(form: BookingForm) -> dict[str, Any]:
    """What book.html is given."""
    language = language_code()
    api = settings.API_ORIGIN if settings.API_ORIGIN != settings.PUBLIC_ORIGIN else ""
    return page.of_company(form.board) | {"form": form, "api": api, "action": f"{api}/book?lang={language}"}


def language_code() -> str:
    """The active language as a job has it."""
    return (get_language() or "en").partition("-")[0]


def _timeless(board: Board) -> BookingForm:
    form = BookingForm(board=board)
    for limit in ("min", "max"):
        del form.fields["preferred_day"].widget.attrs[limit]
    return form


def _take(request: HttpRequest, form: BookingForm) -> HttpResponse:
    if not form.is_valid():
        return _filled_in(request, form, 422)
    rendered, key = form.cleaned_data["rendered"], form.cleaned_data["key"]
    source = client_address(request)
    try:
        booked = booking.request_pickup(
            form.facts(), board=form.board, key=key, source=source, language=language_code(), rendered=rendered
        )
    except Refused as refused:  # a stamp that is too young needs nothing but time
        new = {"rendered": booking.stamp()} if refused.code == "too_old" else {}
        return _filled_in(request, form, 422, str(refused), **new)
    except booking.KeyReused as reused:  # who comes back to a form that was sent and writes another one, may mean it
        return _filled_in(request, form, 409, str(reused), key=new_key())
    except booking.TooMany as many:
        response = _filled_in(request, form, 429, str(many))
        response["Retry-After"] = str(many.retry_after)
        return response
    return render(request, "tracking/book_done.html", page.of_company(form.board) | {"booked": booked})


def _with_key(posted: QueryDict) -> QueryDict:
    """The form of a page that came from a CDN has no key, and what is no key is none."""
    data = posted.copy()
    if not PRINTABLE.fullmatch(data.get("key", "")):
        data["key"] = new_key()
    return data


def _filled_in(request: HttpRequest, form: BookingForm, status: int = 200, error: str = "", **new: str) -> HttpResponse:
    """The form as it was filled in, with other hidden values where it needs them."""
    if error:
        form.add_error(None, error)
    if form.is_bound:
        form.data = _changed(form.data, website="", **new)
    return render(request, "tracking/book.html", context(form), status=status)


def _changed(data: Any, **values: str) -> QueryDict:
    changed: QueryDict = data.copy()
    for name, value in values.items():
        changed[name] = value
    return changed
