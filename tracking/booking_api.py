"""Bookings over HTTP, for the page's script and for other websites. No session is looked at: there is nothing to forge."""

import re
import secrets
from typing import Any

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import translation
from django.utils.translation import gettext
from ninja import Header, Router, Status
from pydantic import Field

from dispatch.addresses import client_address
from dispatch.idempotency import DESCRIPTION, REPLAY, checked_key
from dispatch.models import Board, Job
from dispatch.problems import problem
from dispatch.schemas import Input

from . import booking, language, words
from .forms import BookingForm

router = Router(tags=["booking"])
NAMES = {
    "preferred_day": "preferredDay", "part_of_day": "partOfDay", "access_notes": "accessNotes", "name": "customer.name",
    "phone": "customer.phone", "email": "customer.email",
}  # fmt: skip
"""What a field of the form is called over the API, where that differs."""


class BookingCustomer(Input):
    """A phone number or an e-mail address is needed."""

    name: str
    phone: str = Field("", description="As people write it; with a country code from abroad.")
    email: str = ""
    language: str = Field("", description="en or es, for messages and errors. Else what Accept-Language says.")


class NewBooking(Input):
    location: str = Field(description="The address of the pickup, up to 200 characters.")
    service: str = Field("", description="junk_removal (the default), dumpster_delivery or dumpster_pickup.")
    what: str = Field("", description="What there is to take, up to 1,000 characters.")
    preferred_day: str | None = Field(None, alias="preferredDay", description="Such as 2026-11-28; see the form's days.")
    part_of_day: str = Field("", alias="partOfDay", description="any (the default), morning or afternoon.")
    access_notes: str = Field("", alias="accessNotes", description="Gate code, where to park. Customers never see it.")
    customer: BookingCustomer
    consent: bool = Field(False, description="That the customer agreed to the form's `consent`. Nothing is booked without.")
    board: str | None = Field(None, description="Slug of a board; the first one by default.")
    rendered: str | None = Field(None, description="The stamp of the form that a person filled in. Left out: no form.")
    website: str = Field("", description="Leave it empty.")

    def fields(self) -> dict[str, Any]:
        """As the form has them."""
        given = self.model_dump(exclude={"customer", "board", "rendered"})
        return given | self.customer.model_dump(exclude={"language"})


@router.get("/bookings/form", summary="What a form to book a pickup needs", auth=None)
def get_form(request: HttpRequest, response: HttpResponse, board: str | None = None) -> dict[str, Any]:
    """`rendered` says when the form was made: send it back. `consent` is what the customer has to agree to, in the language
    of the request; `days` are the first and the last that can be asked for."""
    found = _board(board)
    response["Cache-Control"] = "no-store"
    with translation.override(language.chosen(request)):
        first, last = booking.days(found)
        return {
            "rendered": booking.stamp(),
            "consent": booking.consent_text(found),
            "consentVersion": booking.CONSENT,
            "days": {"first": first, "last": last},
            "services": list(Job.Service.values),
            "partsOfDay": list(booking.PARTS_OF_DAY),
            "board": found.slug,
        }


@router.post("/bookings", summary="Book a pickup", auth=None, response={201: Any})
def post_booking(
    request: HttpRequest, response: HttpResponse, body: NewBooking,
    idempotency_key: str | None = Header(None, alias="Idempotency-Key", description=DESCRIPTION),
) -> Any:  # fmt: skip
    """Opens a requested job, and writes to the customer that we have it. With `Idempotency-Key` it is safe to send again:
    the answer is the same, with the header `Idempotent-Replay: true`, but for `token` and `link`, which are null when staff
    have replaced the link since. 409 `key_reused`: the key stands for another booking.
    429 `too_many`: come back after `Retry-After` seconds."""
    key = secrets.token_urlsafe(16) if idempotency_key is None else checked_key(idempotency_key)
    response["Cache-Control"] = "no-store"
    with translation.override(_language(request, body)):
        form = BookingForm(body.fields(), board=_board(body.board))
        if not form.is_valid():
            raise ValidationError({NAMES.get(name, name): [*map(str, found)] for name, found in form.errors.items()})
        try:
            booked = booking.request_pickup(
                form.facts(), board=form.board, key=key, source=client_address(request),
                language=_language(request, body), rendered=body.rendered,
            )  # fmt: skip
        except booking.KeyReused as reused:
            return problem(409, "key_reused", str(reused))
        except booking.TooMany as many:
            return problem(429, "too_many", str(many), {"Retry-After": str(many.retry_after)})
        if booked.replay:
            response[REPLAY] = "true"
        return Status(201, _shown(booked))


def _shown(booked: booking.Booked) -> dict[str, Any]:
    job = booked.job
    return {
        "reference": booked.reference,
        "token": booked.token,
        "link": booked.link,
        "status": job.status,
        "headline": gettext(words.HEADLINES[job.status][0]),
    }


SLUG = re.compile(r"[-\w]{1,50}", re.ASCII)


def _board(slug: str | None) -> Board:
    boards = Board.objects.order_by("pk")
    if slug is not None and not SLUG.fullmatch(slug):
        raise Http404  # what no slug can be is asked of no database
    return get_object_or_404(boards[:1]) if slug is None else get_object_or_404(boards, slug=slug)


def _language(request: HttpRequest, body: NewBooking) -> str:
    wanted = body.customer.language
    return wanted if wanted in Job.Language.values else language.chosen(request)
