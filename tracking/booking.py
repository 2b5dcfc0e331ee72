"""A customer asks for a pickup, and it is a job: once for each key, however often it is sent, and not too often from one
place."""

import hashlib
import json
import time
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from math import ceil

from django.conf import settings
from django.core import signing
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext

from dispatch import flow
from dispatch.models import Board, Job, StatusChange
from dispatch.phones import spoken
from dispatch.rules import Refused

from .models import Booking

BY = "Website"
CONSENT = "2026-11"
"""Names the wording below, and is kept with each booking. Change both together."""
DAYS_AHEAD = 90
FASTEST, OLDEST = timedelta(seconds=2), timedelta(hours=24)
_STAMP = "tracking.booking.rendered"

PARTS_OF_DAY = {"any": "", "morning": "Prefers the morning.", "afternoon": "Prefers the afternoon."}
"""What the dispatcher reads about each."""


@dataclass(frozen=True, slots=True)
class BookingFacts:
    """What the customer said, checked: see `forms.BookingForm`."""

    location: str
    name: str
    phone: str = ""  # E.164
    email: str = ""
    service: str = Job.Service.JUNK_REMOVAL
    what: str = ""
    preferred_day: date | None = None
    part_of_day: str = "any"
    access_notes: str = ""


@dataclass(frozen=True, slots=True)
class Booked:
    job: Job
    replay: bool = False  # it was there already

    @property
    def reference(self) -> str:
        """What a customer says on the telephone. The board's search finds the job by it."""
        return self.job.uid[-8:]

    @property
    def token(self) -> str | None:
        """None when the link was replaced since: the one of now is for whom it was sent to, not for who knows a key."""
        return None if self.replay and self.job.former_tokens else self.job.token

    @property
    def link(self) -> str | None:
        return self.job.tracking_link if self.token else None


class KeyReused(Exception):
    """The key stands for another booking, of which this says nothing: whoever sends a key may have guessed it."""


class TooMany(Exception):
    """`retry_after` is in seconds."""

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


def request_pickup(
    facts: BookingFacts, *, board: Board, key: str, source: str, language: str = "en", rendered: str | None = None
) -> Booked:  # fmt: skip
    """Opens a job with a tracking link and a confirmation. The same key again, now or at the very same time, is the same
    job. `source` is the sender's address, `rendered` the stamp of the form that was filled in. Raises KeyReused, TooMany,
    Refused for a stamp, and ValidationError for facts that the form would not have let through."""
    sent = _hash_of(facts, board)
    if known := _known(key, sent):
        return known
    if rendered is not None:
        check_stamp(rendered)
    origin = salted_hmac("tracking.booking.source", source, algorithm="sha256").hexdigest()
    others = Booking.objects.exclude(key=key)  # its twin may be committed at any moment, and is not one more
    _check_limits(others, origin, facts, board)
    try:
        with transaction.atomic():
            job = _open(facts, board, language)
            # The board's row is ours from here to the commit: nobody else books, and the count is right.
            Booking.objects.create(job=job, key=key, facts=sent, source=origin, consent=CONSENT, consent_at=job.created_at)
            _check_limits(others, origin, facts, board)
    except IntegrityError:
        if known := _known(key, sent):  # the same form was sent twice at the very same time
            return known
        raise
    return Booked(job)


def stamp() -> str:
    """Says when a form was made, and that we made it."""
    return signing.dumps(time.time(), salt=_STAMP)


def check_stamp(rendered: str) -> None:
    """Raises Refused for a form that was filled in faster than people can, or so long ago that its days are over."""
    try:
        age = time.time() - float(signing.loads(rendered, salt=_STAMP))
    except (signing.BadSignature, ValueError):  # half a character cannot even be compared
        age = OLDEST.total_seconds() + 1
    if age > OLDEST.total_seconds():
        raise Refused("too_old", gettext("This page may be out of date. Please check it and send it once more."))
    if age < FASTEST.total_seconds():
        raise Refused("too_fast", gettext("That was very quick. Please check what you wrote and send it once more."))


def days(board: Board) -> tuple[date, date]:
    """The first and the last day that can be asked for."""
    today = timezone.localdate(timezone=board.zone)
    return today, today + timedelta(days=DAYS_AHEAD)


def consent_text(board: Board) -> str:
    return gettext(
        "%(company)s may send me texts and e-mails about this pickup. Message and data rates may apply. I can reply STOP "
        "to end the texts."
    ) % {"company": board.name}


def or_call(board: Board) -> str:
    """What to do instead, to stand behind what went wrong."""
    phone = spoken(board.phone)
    return gettext("Please call us at %(phone)s.") % {"phone": phone} if phone else gettext("Please try again later.")


def _open(facts: BookingFacts, board: Board, language: str) -> Job:
    return flow.open_job(
        board,
        by=BY,
        channel=StatusChange.Channel.BOOKING,
        notify=True,
        location=facts.location,
        service=facts.service,
        notes="\n".join(filter(None, [facts.what, PARTS_OF_DAY[facts.part_of_day]])),
        access_notes=facts.access_notes,
        preferred_day=facts.preferred_day,
        customer_name=facts.name,
        customer_phone=facts.phone,
        customer_email=facts.email,
        customer_language=language,
    )


def _known(key: str, sent: str) -> Booked | None:
    booking = Booking.objects.select_related("job__board").filter(key=key).first()
    if booking and booking.facts != sent:
        raise KeyReused(
            gettext(
                "This form has been sent already, with other details, and we have that booking. If you need another pickup "
                "as well, send it once more."
            )
        )
    return Booked(booking.job, replay=True) if booking else None


def _hash_of(facts: BookingFacts, board: Board) -> str:
    return hashlib.sha256(json.dumps([board.pk, asdict(facts)], default=str).encode()).hexdigest()


def _check_limits(others: QuerySet[Booking], origin: str, facts: BookingFacts, board: Board) -> None:
    """From one place, for one customer, and all together: each booking sends messages to whom it names."""
    hour, day = timedelta(hours=1), timedelta(days=1)
    _check(others.filter(source=origin), settings.BOOKINGS_AN_HOUR_FROM_ONE, hour, board)
    same = Q(job__customer_phone=facts.phone) & ~Q(job__customer_phone="")
    same |= Q(job__customer_email__iexact=facts.email) & ~Q(job__customer_email="")
    _check(others.filter(same), settings.BOOKINGS_A_DAY_BY_PHONE, day, board)
    _check(others.filter(job__board=board), settings.BOOKINGS_A_DAY, day, board, from_you=False)


def _check(bookings: QuerySet[Booking], most: int, span: timedelta, board: Board, *, from_you: bool = True) -> None:
    now = timezone.now()
    latest = bookings.filter(created_at__gt=now - span).order_by("-created_at").values_list("created_at", flat=True)
    full: datetime | None = next(iter(latest[most - 1 : most]), None)
    if full:
        several = gettext("There were several bookings from you already, so we cannot take another one here now.")
        message = f"{several} {or_call(board)}" if from_you else or_call(board)
        raise TooMany(message, ceil((full + span - now).total_seconds()))
