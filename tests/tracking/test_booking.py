"""A booking is a job, once for each key, and only so many from one place."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from threading import Barrier

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.core.signing import dumps
from django.db import connections
from django.utils import timezone

from dispatch import flow
from dispatch.models import Board, Job, Message
from dispatch.rules import Refused
from tests.factories import make_job
from tracking import booking
from tracking.booking import BookingFacts, KeyReused, TooMany, request_pickup
from tracking.models import Booking

AT_ONCE = 16
HOME = "203.0.113.7"


def book(board: Board, key: str = "k-1", source: str = HOME, language: str = "en", rendered: str | None = None, **facts):
    wanted = BookingFacts(**{"location": "1428 Elm St", "name": "Mia Chen", "phone": "+13035550123"} | facts)
    return request_pickup(wanted, board=board, key=key, source=source, language=language, rendered=rendered)


def test_a_booking_is_a_requested_job_with_everything_that_the_customer_said(board):
    booked = book(
        board, language="es", email="mia@example.com", service="dumpster_delivery", what="Old sofa\nTen bags",
        preferred_day=date(2026, 12, 1), part_of_day="morning", access_notes="Gate 4711",
    )  # fmt: skip

    job = Job.objects.get()
    assert (job.status, job.location, job.service) == ("requested", "1428 Elm St", "dumpster_delivery")
    assert (job.notes, job.access_notes) == ("Old sofa\nTen bags\nPrefers the morning.", "Gate 4711")
    assert (job.preferred_day, job.customer_language) == (date(2026, 12, 1), "es")
    assert (job.customer_name, job.customer_phone, job.customer_email) == ("Mia Chen", "+13035550123", "mia@example.com")
    assert [(step.by, step.channel) for step in job.history.all()] == [("Website", "booking")]
    assert (booked.job, booked.reference, booked.replay) == (job, job.uid[-8:], False)


def test_the_customer_gets_a_confirmation_in_the_language_of_the_page(board):
    book(board, language="es", email="mia@example.com")

    rows = Message.objects.order_by("channel").values_list("kind", "channel", "recipient", "language", "status")
    assert list(rows) == [
        ("booked", "email", "mia@example.com", "es", "queued"),
        ("booked", "sms", "+13035550123", "es", "queued"),
    ]


def test_a_booking_remembers_the_consent_and_not_the_address_it_came_from(board, settings):
    job = book(board).job

    kept = Booking.objects.get()
    assert (kept.job, kept.key, kept.consent, kept.consent_at) == (job, "k-1", booking.CONSENT, job.created_at)
    assert len(kept.source) == 64
    assert HOME not in kept.source
    settings.SECRET_KEY = "another"
    book(board, key="k-2")
    assert Booking.objects.get(key="k-2").source != kept.source


def test_the_same_key_again_is_the_same_job(board):
    first, second = book(board), book(board)

    assert (second.job, second.replay) == (first.job, True)
    assert (Job.objects.count(), Booking.objects.count(), Message.objects.count()) == (1, 1, 1)


def test_the_same_key_with_other_facts_is_an_error_that_tells_nothing(board):
    job = book(board).job

    with pytest.raises(KeyReused) as refused:
        book(board, location="9 Oak Ave")

    assert [secret for secret in (job.token, job.uid[-8:], "Elm") if secret in str(refused.value)] == []
    assert Job.objects.count() == 1


def test_a_booking_on_another_board_is_another_booking(board):
    book(board)

    with pytest.raises(KeyReused):
        book(Board.objects.create(slug="boulder", name="Boulder"))


def test_facts_that_no_form_lets_through_leave_nothing_behind(board):
    with pytest.raises(ValidationError):
        book(board, location="x" * 201)

    assert (Job.objects.count(), Booking.objects.count()) == (0, 0)


# --- limits


def test_from_one_address_only_so_many_in_an_hour(board, settings):
    settings.BOOKINGS_AN_HOUR_FROM_ONE = 2
    with time_machine.travel("2026-11-24T18:00:00Z", tick=False) as clock:
        for number, minutes in enumerate((0, 20)):
            clock.shift(timedelta(minutes=minutes))
            book(board, key=f"k-{number}", phone=f"+1303555010{number}")

        with pytest.raises(TooMany) as refused:
            book(board, key="k-2", phone="+13035550199")
        assert str(refused.value) == (
            "There were several bookings from you already, so we cannot take another one here now. "
            "Please call us at (303) 555-0100."
        )
        assert refused.value.retry_after == 40 * 60

        assert book(board, key="k-1", phone="+13035550101").replay  # one that we have is answered all the same
        assert not book(board, key="k-2", phone="+13035550199", source="203.0.113.8").replay
        clock.shift(timedelta(seconds=40 * 60))
        assert not book(board, key="k-3", phone="+13035550199").replay


def test_by_one_phone_only_so_many_in_a_day(board, settings):
    settings.BOOKINGS_A_DAY_BY_PHONE = 1
    with time_machine.travel("2026-11-24T18:00:00Z", tick=False) as clock:
        book(board, source="198.51.100.1")

        with pytest.raises(TooMany) as refused:
            book(board, key="k-2", source="198.51.100.2")
        assert refused.value.retry_after == 24 * 3600

        book(board, key="k-3", source="198.51.100.3", phone="", email="mia@example.com")
        clock.shift(timedelta(days=1))
        assert not book(board, key="k-2", source="198.51.100.2").replay


def test_by_one_mailbox_only_so_many_however_it_is_written(board, settings):
    settings.BOOKINGS_A_DAY_BY_PHONE = 1
    book(board, source="198.51.100.1", phone="", email="mia@example.com")

    with pytest.raises(TooMany):
        book(board, key="k-2", source="198.51.100.2", phone="", email="Mia@Example.com")


def test_all_together_only_so_many_in_a_day(board, settings):
    settings.BOOKINGS_A_DAY = 2
    for number in range(2):
        book(board, key=f"k-{number}", source=f"198.51.100.{number}", phone=f"+1303555010{number}")

    with pytest.raises(TooMany) as refused:
        book(board, key="k-2", source="198.51.100.9", phone="+13035550199")
    assert str(refused.value) == "Please call us at (303) 555-0100."


def test_jobs_that_a_dispatcher_opened_do_not_count(board, settings):
    settings.BOOKINGS_A_DAY_BY_PHONE = 1
    for _ in range(3):
        make_job(board, customer_phone="+13035550123")

    assert not book(board).replay


# --- stamps


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(0, "too_fast"), (1.9, "too_fast"), (2, None), (86_400, None), (86_401, "too_old"), (-60, "too_fast")],
)
def test_a_form_is_filled_in_at_the_pace_of_people(board, seconds, code):
    with time_machine.travel("2026-11-24T18:00:00Z", tick=False) as clock:
        rendered = booking.stamp()
        clock.shift(timedelta(seconds=seconds))

        if code is None:
            assert book(board, rendered=rendered).job.status == "requested"
        else:
            with pytest.raises(Refused) as refused:
                book(board, rendered=rendered)
            assert (refused.value.code, Job.objects.count()) == (code, 0)


FORGED = {
    "half a character": "a:b:\ud800",
    "empty": "",
    "a letter": "x",
    "cut": "1795531110.1:1xVrfC:XxGn",
    "for something else": dumps(0.0, salt="another"),
}


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
def test_a_stamp_that_we_did_not_make_is_out_of_date(board, forged):
    with pytest.raises(Refused) as refused:
        book(board, rendered=forged)

    assert (refused.value.code, Job.objects.count()) == ("too_old", 0)


def test_what_is_booked_is_answered_however_old_the_form_is(board):
    with time_machine.travel("2026-11-24T18:00:00Z", tick=False) as clock:
        rendered = booking.stamp()
        clock.shift(timedelta(seconds=10))
        job = book(board, rendered=rendered).job
        clock.shift(timedelta(days=3))

        assert book(board, rendered=rendered).job == job


def test_the_days_are_those_of_the_board(board):
    with time_machine.travel("2026-11-25T05:30:00Z"):  # still the 24th in Denver
        assert booking.days(board) == (date(2026, 11, 24), date(2027, 2, 22))


# --- at the very same time


def at_once(board: Board, calls: list[dict]) -> list:
    """What each call came to: a Booked, or the exception."""
    start = Barrier(len(calls))

    def one(call: dict):
        start.wait(20)
        try:
            return book(board, **call)
        except (TooMany, KeyReused) as error:
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(one, calls))


@pytest.mark.django_db(transaction=True)
def test_sixteen_posts_of_one_key_are_one_job(board, settings):
    settings.BOOKINGS_A_DAY_BY_PHONE = settings.BOOKINGS_AN_HOUR_FROM_ONE = 1

    booked = at_once(board, [{"key": "k-1"}] * AT_ONCE)

    job = Job.objects.get()
    assert [one.job for one in booked] == [job] * AT_ONCE
    assert sorted(one.replay for one in booked) == [False, *[True] * (AT_ONCE - 1)]
    assert (Booking.objects.count(), Message.objects.count()) == (1, 1)
    assert (job.seq, Board.objects.get(pk=board.pk).seq) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_sixteen_bookings_at_once_do_not_slip_past_the_limit(board, settings):
    settings.BOOKINGS_A_DAY_BY_PHONE, settings.BOOKINGS_AN_HOUR_FROM_ONE = 3, 100

    booked = at_once(board, [{"key": f"k-{number}", "source": f"203.0.113.{number}"} for number in range(AT_ONCE)])

    assert sorted(type(one).__name__ for one in booked) == ["Booked"] * 3 + ["TooMany"] * (AT_ONCE - 3)
    assert (Job.objects.count(), Booking.objects.count()) == (3, 3)


@pytest.mark.django_db(transaction=True)
def test_of_two_bookings_with_one_key_and_different_facts_one_is_refused(board):
    booked = at_once(board, [{"key": "k-1", "location": f"{number} Elm St"} for number in range(AT_ONCE)])

    assert sorted(type(one).__name__ for one in booked) == ["Booked", *["KeyReused"] * (AT_ONCE - 1)]
    assert Job.objects.count() == 1


def test_a_job_that_was_booked_goes_on_like_any_other(board):
    job = book(board).job

    moved = flow.move(job, "scheduled", expect=job.seq, by="Ana", channel="board")

    assert moved.status_at <= timezone.now()
    assert Booking.objects.get().job == moved
