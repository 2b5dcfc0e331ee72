"""What customers ask for, from the page without a script and over the API."""

import json

import pytest
from django.test import Client

from dispatch import asks
from dispatch.models import Job
from tests.factories import make_job

OPEN = ["reschedule", "cancel", "note"]


@pytest.fixture
def post(client, job):
    """Sends the form as a browser without a script does."""
    return lambda kind, more="", **form: client.post(f"/track/{job.token}?ask={kind}{more}", form)


@pytest.fixture
def post_api(client, job):
    return lambda **body: client.post(f"/api/v1/track/{job.token}/asks", body, content_type="application/json")


def asked():
    return [{key: value for key, value in one.items() if key != "at"} for one in Job.objects.get().asks]


@pytest.mark.parametrize("kind", OPEN)
def test_looking_at_the_question_asks_for_nothing(client, job, kind):
    page = client.get(f"/track/{job.token}?ask={kind}")

    assert (page.status_code, page.templates[0].name, asked()) == (200, "tracking/ask.html", [])
    assert f'<form method="post" action="?ask={kind}"' in page.text
    assert job.token not in page.text


@pytest.mark.parametrize(
    ("kind", "form", "entry"),
    [
        ("reschedule", {"day": "2126-11-28", "text": "Mornings"}, {"text": "Mornings", "day": "2126-11-28"}),
        ("reschedule", {"day": "", "text": ""}, {}),
        ("cancel", {"text": "We moved"}, {"text": "We moved"}),
        ("note", {"text": "Gate code 4471"}, {"text": "Gate code 4471"}),
    ],
)
def test_the_form_asks_and_leads_back_with_thanks(client, job, post, kind, form, entry):
    answer = post(kind, **form)

    assert (answer.status_code, answer["Location"]) == (303, f"?thanks={kind}")
    assert asked() == [{"kind": kind} | entry]
    page = client.get(f"/track/{job.token}{answer['Location']}")
    assert (page.status_code, "Thank you." in page.context["thanks"]) == (200, True)


def test_the_language_is_kept_on_the_way_back(client, job, post):
    answer = post("cancel", "&lang=es")

    assert answer["Location"] == "?thanks=cancel&lang=es"
    assert "Usted pidió cancelar; le responderemos." in client.get(f"/track/{job.token}?lang=es").text


def test_a_done_job_is_rated(client, board):
    job = make_job(board, status="completed")

    answer = client.post(f"/track/{job.token}?ask=rating", {"stars": "4", "text": "Fast"})

    assert (answer.status_code, asked()) == (303, [{"kind": "rating", "stars": 4, "text": "Fast"}])
    assert "You gave 4 of 5 stars. Thank you." in client.get(f"/track/{job.token}").text


def test_no_cookie_and_no_token_of_a_form_is_needed(job):
    strict = Client(enforce_csrf_checks=True)

    answer = strict.post(f"/track/{job.token}?ask=cancel", headers={"origin": "https://elsewhere.example"})
    over_api = strict.post(f"/api/v1/track/{job.token}/asks", {"kind": "cancel"}, content_type="application/json")

    assert (answer.status_code, over_api.status_code, dict(answer.cookies)) == (303, 200, {})


@pytest.mark.parametrize(
    ("kind", "form", "field", "words"),
    [
        ("note", {"text": "  "}, "text", "Please write something."),
        ("note", {"text": "x" * 501}, "text", "Please use at most 500 characters."),
        ("reschedule", {"day": "2020-01-01", "text": "Mornings"}, "day", "Please choose a day that is not over."),
        ("reschedule", {"day": "tomorrow"}, "day", "Please write the day as year-month-day, such as 2026-11-28."),
        ("reschedule", {"day": "2026-02-30"}, "day", "Please write the day as year-month-day, such as 2026-11-28."),
    ],
)
def test_a_mistake_is_named_next_to_its_field_and_what_was_typed_is_kept(post, kind, form, field, words):
    page = post(kind, **form)

    assert (page.status_code, asked()) == (422, [])
    assert (page.context["form"]["error"], page.context["form"]["field"]) == (words, field)
    assert f'aria-describedby="{kind}-error"' in page.text
    assert all(value in page.text for value in form.values())


@pytest.mark.parametrize("stars", ["", "0", "6", "five", "4.5", "²"])
def test_a_rating_has_one_to_five_stars(client, board, stars):
    job = make_job(board, status="completed")
    page = client.post(f"/track/{job.token}?ask=rating", {"stars": stars, "text": "Fast & good"})

    assert (page.status_code, page.context["form"]["field"], asked()) == (422, "stars", [])
    assert "Fast &amp; good" in page.text


def test_what_may_not_be_asked_leads_to_the_page_and_is_refused(client, board):
    job = make_job(board, status="en_route")

    looked = [client.get(f"/track/{job.token}?ask={kind}") for kind in ("cancel", "rating", "nonsense", "")]
    sent = client.post(f"/track/{job.token}?ask=cancel")

    assert [(answer.status_code, answer["Location"]) for answer in looked] == [(303, "?")] * 4
    assert (sent.status_code, "no longer possible" in sent.text, asked()) == (422, True, [])


def test_two_taps_are_one_ask(post):
    for _ in range(2):
        post("cancel", text="We moved")
        post("note", text="Gate code 4471\r\nDog")

    assert [one["kind"] for one in asked()] == ["cancel", "note"]
    assert Job.objects.get().access_notes == "From the customer: Gate code 4471\nDog"


def test_the_same_note_later_is_another(post, time_machine):
    time_machine.move_to("2026-11-24T15:00:00Z", tick=False)
    post("note", text="Gate code 4471")
    time_machine.move_to("2026-11-24T15:01:00Z", tick=False)
    post("note", text="Gate code 4471")

    assert len(asked()) == 2


def test_there_is_an_end_to_asking(post):
    for number in range(asks.MOST):
        post("note", text=f"Note {number}")

    assert (post("note", text="One more").status_code, len(asked())) == (422, asks.MOST)


def test_a_gate_code_goes_in_and_never_out(client, job, post):
    post("note", text="Gate code 4471")

    assert Job.objects.get().access_notes == "From the customer: Gate code 4471"
    pages = [f"/track/{job.token}", f"/track/{job.token}?ask=note", f"/api/v1/track/{job.token}"]
    assert ["4471" in client.get(path).text for path in pages] == [False] * 3


def test_the_api_asks_and_answers_with_the_job(post_api):
    answer = post_api(kind="reschedule", text="Mornings", day="2126-11-28")

    assert (answer.status_code, answer["Cache-Control"], answer.json()["asked"]) == (200, "no-store", ["reschedule"])
    assert asked() == [{"kind": "reschedule", "text": "Mornings", "day": "2126-11-28"}]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"kind": "note"}, "empty"),
        ({"kind": "note", "text": "x" * 501}, "too_long"),
        ({"kind": "reschedule", "day": "2020-01-01"}, "past_day"),
        ({"kind": "reschedule", "day": "soon"}, "bad_day"),
        ({"kind": "rating", "stars": 5}, "not_now"),
        ({"kind": "rating", "stars": 0}, "no_stars"),
        ({"kind": "rating", "stars": 9}, "no_stars"),
        ({"kind": "discount"}, "unknown_ask"),
        ({"text": "no kind"}, "invalid"),
        ({"kind": "rating", "stars": "many"}, "invalid"),
    ],
)
def test_the_api_refuses_by_code_and_changes_nothing(post_api, body, code):
    answer = post_api(**body)

    assert (answer.status_code, answer["Content-Type"], answer.json()["code"]) == (422, "application/problem+json", code)
    assert asked() == []


def test_asking_over_the_api_by_get_changes_nothing(client, job):
    assert client.get(f"/api/v1/track/{job.token}/asks?kind=cancel").status_code == 405
    assert asked() == []


@pytest.mark.parametrize("text", ["\ud83d broken emoji", "a\0b", "\u202eevil"])
def test_whatever_a_phone_sends_can_be_kept_and_read(client, job, text):
    body = json.dumps({"kind": "note", "text": text})

    answer = client.post(f"/api/v1/track/{job.token}/asks", body, content_type="application/json")

    assert (answer.status_code, len(asked())) == (200, 1)
    assert client.get(f"/track/{job.token}").status_code == 200
