"""Bookings over HTTP: what may be sent, and what comes back."""

import json
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from dispatch import links
from dispatch.models import Board, Job
from tests.factories import make_job
from tracking import booking

URL = "/api/v1/bookings"
FACTS = {
    "location": "1428 Elm St", "service": "junk_removal", "what": "Old sofa", "partOfDay": "afternoon",
    "accessNotes": "Gate 4711", "customer": {"name": "Mia Chen", "phone": "(303) 555-0123", "email": "mia@example.com"},
    "consent": True,
}  # fmt: skip


def post(client: Client, key: str | None = None, facts: dict = FACTS, /, headers: dict | None = None, **changes):
    headers = (headers or {}) | ({} if key is None else {"Idempotency-Key": key})
    return client.post(URL, json.dumps(facts | changes), content_type="application/json", headers=headers)


def code(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_a_booking_is_answered_with_the_link_to_watch_it(client, board, settings):
    answer = post(client)

    job = Job.objects.get()
    assert (answer.status_code, answer.json()) == (
        201,
        {
            "reference": job.uid[-8:],
            "token": job.token,
            "link": f"{settings.PUBLIC_ORIGIN}/track/{job.token}",
            "status": "requested",
            "headline": "We have your request",
        },
    )
    assert (answer["Cache-Control"], answer.get("Idempotent-Replay"), answer.cookies) == ("no-store", None, {})
    assert (job.notes, job.access_notes) == ("Old sofa\nPrefers the afternoon.", "Gate 4711")
    assert (job.customer_phone, job.customer_email) == ("+13035550123", "mia@example.com")


def test_the_least_that_makes_a_booking(client, board):
    answer = post(
        client, None, {"location": "1 Elm St", "customer": {"name": "Mia", "email": "m@example.com"}, "consent": True}
    )

    job = Job.objects.get()
    assert answer.status_code == 201
    assert (job.service, job.notes, job.preferred_day, job.customer_language) == ("junk_removal", "", None, "en")


def test_the_same_key_is_answered_with_the_same_words(client, board):
    first, second = post(client, "k-1"), post(client, "k-1")

    assert (second.status_code, second.content) == (first.status_code, first.content)
    assert (first.get("Idempotent-Replay"), second["Idempotent-Replay"]) == (None, "true")
    assert Job.objects.count() == 1


def test_a_link_that_was_replaced_since_is_not_told_to_who_knows_the_key(client, board):
    first = post(client, "k-1").json()
    links.replace(Job.objects.get(), by="Ana")

    again = post(client, "k-1").json()

    assert again == first | {"token": None, "link": None}


def test_without_a_key_each_post_is_its_own(client, board):
    assert post(client).json()["token"] != post(client).json()["token"]


def test_a_key_stands_for_one_booking(client, board):
    post(client, "k-1")

    assert code(post(client, "k-1", location="9 Oak Ave")) == (409, "key_reused")
    assert code(post(client, "x" * 101)) == (422, "bad_key")
    assert Job.objects.count() == 1


def test_it_needs_no_csrf_token_and_looks_at_no_session(board, dispatcher):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(dispatcher)

    answer = post(strict)

    assert answer.status_code == 201
    assert [step.by for step in Job.objects.get().history.all()] == ["Website"]


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"location": " \u200b "}, "location", "Please write the address."),
        ({"location": "x" * 201}, "location", "Ensure this value has at most 200 characters (it has 201)."),
        ({"location": "1 Elm\0 St"}, "location", "There is a character in it that we cannot read. Please type it again."),
        ({"what": "bell \a"}, "what", "There is a character in it that we cannot read. Please type it again."),
        ({"service": "piano"}, "service", "Select a valid choice. piano is not one of the available choices."),
        ({"partOfDay": "night"}, "partOfDay", "Select a valid choice. night is not one of the available choices."),
        ({"preferredDay": "soon"}, "preferredDay", "Please write the day as year-month-day, such as 2026-11-28."),
        ({"accessNotes": "x" * 501}, "accessNotes", "Ensure this value has at most 500 characters (it has 501)."),
        ({"consent": False}, "consent", "Please tick this, so that we may answer."),
        ({"customer": {"name": "", "phone": "303 555 0123"}}, "customer.name", "Please write your name."),
        (
            {"customer": {"name": "Mia", "phone": "12"}},
            "customer.phone",
            "Please write the phone number with its area code.",
        ),
        ({"customer": {"name": "Mia", "email": "mia@"}}, "customer.email", "Enter a valid email address."),
        (
            {"customer": {"name": "Mia"}},
            "customer.phone",
            "Please give us a phone number or an e-mail address, so that we can answer.",
        ),
        ({"customer": {"phone": "303 555 0123"}}, "customer.name", "This is needed."),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(client, board, changes, field, words):
    answer = post(client, "k-1", **changes)

    assert (*code(answer), answer.json()["errors"]) == (422, "invalid", {field: [words]})
    assert Job.objects.count() == 0
    assert post(client, "k-1").status_code == 201  # and the key is free for what is right


@pytest.mark.parametrize("text", ['"\\ud800"', "17", "null", "[]", "{}"])
def test_what_is_no_text_is_refused(client, board, text):
    body = json.dumps(FACTS | {"location": "HERE"}).replace('"HERE"', text)

    answer = client.post(URL, body, content_type="application/json")

    assert (code(answer), Job.objects.count()) == ((422, "invalid"), 0)


def test_errors_are_in_the_language_of_the_customer(client, board):
    by_header = post(client, location="", headers={"Accept-Language": "es-MX"}).json()
    by_body = post(client, location="", customer=FACTS["customer"] | {"language": "es"}).json()

    assert by_header["errors"] == by_body["errors"] == {"location": ["Por favor, escriba la dirección."]}
    assert post(client, headers={"Accept-Language": "es"}).json()["headline"] == "Tenemos su solicitud"
    assert Job.objects.get().customer_language == "es"


@pytest.mark.parametrize(("days", "status"), [(-1, 422), (0, 201), (90, 201), (91, 422)])
def test_a_day_is_from_today_on_and_not_too_far_away(client, board, days, status):
    with time_machine.travel("2026-11-25T05:30:00Z", tick=False):  # still the 24th in Denver
        day = timezone.localdate(timezone=board.zone) + timedelta(days=days)

        assert post(client, preferredDay=day.isoformat()).status_code == status


def test_what_address_books_put_around_a_number_is_no_mistake(client, board):
    customer = {"name": "Ana\u0301  Ruiz", "phone": "\u202a+1 (303) 555-0123\u202c"}

    post(client, location="1428 Elm St\r\nApt 4,\nDenver", customer=customer)

    job = Job.objects.get()
    assert (job.customer_phone, job.customer_name) == ("+13035550123", "Aná Ruiz")
    assert job.location == "1428 Elm St, Apt 4, Denver"


def test_a_program_that_fills_in_everything_books_nothing(client, board):
    answer = post(client, website="https://example.com")

    assert code(answer) == (422, "invalid")
    assert answer.json()["detail"] == "We could not take this booking here. Please call us at (303) 555-0100."
    assert Job.objects.count() == 0


def test_a_stamp_is_checked_where_there_is_one(client, board):
    with time_machine.travel("2026-11-24T18:00:00Z", tick=False) as clock:
        rendered = client.get(f"{URL}/form").json()["rendered"]
        assert code(post(client, rendered=rendered)) == (422, "too_fast")
        assert code(post(client, rendered="x")) == (422, "too_old")
        clock.shift(timedelta(seconds=2))
        assert post(client, rendered=rendered).status_code == 201


def test_who_books_too_often_hears_when_to_come_back(client, board, settings):
    settings.BOOKINGS_AN_HOUR_FROM_ONE = 1
    with time_machine.travel("2026-11-24T18:00:00Z", tick=False):
        post(client)

        answer = post(client)

    assert (*code(answer), answer["Retry-After"]) == (429, "too_many", "3600")
    assert answer["Content-Type"] == "application/problem+json"
    assert "(303) 555-0100" in answer.json()["detail"]


def test_proxies_of_ours_say_who_it_is_and_others_are_not_believed(client, board, settings):
    settings.BOOKINGS_AN_HOUR_FROM_ONE = 1

    def status(claimed: str) -> int:
        return post(client, headers={"X-Forwarded-For": claimed}).status_code

    assert [status("203.0.113.1"), status("203.0.113.2")] == [201, 429]
    settings.PROXIES = 1
    assert [status("203.0.113.3"), status("198.51.100.1, 203.0.113.3"), status("203.0.113.4")] == [201, 429, 201]


def test_a_board_can_be_named(client, board):
    boulder = Board.objects.create(slug="boulder", name="Boulder")

    assert post(client, board="boulder").status_code == 201
    assert Job.objects.get().board == boulder
    assert code(post(client, board="atlantis")) == (404, "not_found")


def test_the_form_says_what_a_page_needs(client, board):
    with time_machine.travel("2026-11-25T05:30:00Z", tick=False):
        answer = client.get(f"{URL}/form")
    found = answer.json()

    assert found.pop("rendered")
    assert found == {
        "consent": "QuickDumpNow Denver may send me texts and e-mails about this pickup. Message and data rates may apply. "
        "I can reply STOP to end the texts.",
        "consentVersion": booking.CONSENT,
        "days": {"first": "2026-11-24", "last": "2027-02-22"},
        "services": ["junk_removal", "dumpster_delivery", "dumpster_pickup"],
        "partsOfDay": ["any", "morning", "afternoon"],
        "board": "main",
    }
    assert (answer["Cache-Control"], answer.cookies) == ("no-store", {})
    assert "STOP" in client.get(f"{URL}/form?lang=es").json()["consent"]


def test_the_pages_of_another_origin_of_ours_may_book(client, board, settings):
    settings.API_ORIGIN = "https://api.example.com"
    asked = {"Origin": settings.PUBLIC_ORIGIN, "Access-Control-Request-Method": "POST"}

    preflight = client.options(URL, headers=asked)
    answer = post(client, headers={"Origin": settings.PUBLIC_ORIGIN})

    assert "Idempotency-Key" in preflight["Access-Control-Allow-Headers"]
    assert (answer.status_code, answer["Access-Control-Allow-Origin"]) == (201, settings.PUBLIC_ORIGIN)


def test_a_booking_takes_few_queries(client, board, django_assert_max_num_queries):
    make_job(board)

    with django_assert_max_num_queries(24):
        post(client)


def test_the_api_describes_itself(client):
    paths = client.get("/api/v1/openapi.json").json()["paths"]

    operation = paths["/api/v1/bookings"]["post"]
    assert [argument["name"] for argument in operation["parameters"]] == ["Idempotency-Key"]
    assert "security" not in operation
    assert set(paths["/api/v1/bookings/form"]) == {"get"}


@pytest.mark.parametrize("slug", ["a%00b", "no/such", "%ED%A0%80", "x" * 51])
def test_what_is_no_board_is_not_even_looked_for(client, board, slug, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert client.get(f"/api/v1/bookings/form?board={slug}").status_code == 404
