"""The page to book a pickup, as it works without a script."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.test import Client
from django.utils.translation import gettext, override

from dispatch import links
from dispatch.models import Board, Job, StatusChange
from tracking import booking, shell
from tracking.forms import BookingForm

FILLED_IN = {
    "location": "1428 Elm St", "service": "dumpster_delivery", "what": "Old sofa", "preferred_day": "",
    "part_of_day": "morning", "access_notes": "Gate 4711", "name": "Mia <b>Chen</b>", "phone": "(303) 555-0123",
    "email": "mia@example.com", "consent": "on",
}  # fmt: skip


@pytest.fixture
def clock():
    with time_machine.travel("2026-11-24T18:00:00Z", tick=False) as clock:
        yield clock


def hidden(response) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', response.text))


def errors(response) -> list[str]:
    return re.findall(r"<li>(?:<a href=\"#\w+\">)?([^<]+)", response.text.split('id="problems"')[1].split("</ul>")[0])


def kept(response) -> dict[str, str]:
    """What the form holds, field by field."""
    form = response.context["form"]
    return {name: form[name].value() for name in FILLED_IN}


def fill_in(client: Client, path: str = "/book") -> dict[str, str]:
    return FILLED_IN | hidden(client.get(path))


@pytest.fixture
def sent(client, board, clock) -> dict[str, str]:
    """A form that took ten seconds to fill in."""
    data = fill_in(client)
    clock.shift(timedelta(seconds=10))
    return data


@pytest.mark.parametrize("path", ["/book", "/book/", "/book/where", "/book/done"])
def test_every_step_is_the_one_page_for_now(client, board, path):
    response = client.get(path)

    assert (response.status_code, response.templates[0].name) == (200, "tracking/book.html")
    assert (response["Cache-Control"], response["Referrer-Policy"], response.cookies) == ("no-store", "no-referrer", {})


def test_a_step_that_there_is_not_is_nowhere(client, board):
    assert client.get("/book/piano").status_code == 404


def test_looking_at_the_form_changes_nothing_and_makes_a_new_key_each_time(client, board):
    first, second = hidden(client.get("/book")), hidden(client.get("/book"))

    assert len({first["key"], second["key"]}) == 2
    assert Job.objects.count() == 0


def test_the_form_is_ready_for_what_a_phone_fills_in_by_itself(client, board, clock):
    text = client.get("/book").text

    found = dict(re.findall(r'name="(\w+)"[^>]*?autocomplete="([\w-]+)"', text))
    assert found == {
        "location": "street-address", "name": "name", "phone": "tel", "email": "email", "website": "off",
    }  # fmt: skip
    assert re.search(r'name="preferred_day" min="2026-11-24" max="2027-02-22"', text)
    assert re.search(r'name="consent" id="id_consent">', text)  # not ticked


def test_a_form_that_is_sent_is_booked(client, sent):
    response = client.post("/book", sent)

    job = Job.objects.get()
    assert (response.status_code, response.templates[0].name) == (200, "tracking/book_done.html")
    assert (job.uid[-8:] in response.text, job.tracking_link in response.text) == (True, True)
    assert "tel:+13035550100" in response.text
    assert (job.service, job.notes, job.customer_phone) == (
        "dumpster_delivery", "Old sofa\nPrefers the morning.", "+13035550123",
    )  # fmt: skip
    assert StatusChange.objects.get().channel == "booking"


def test_a_reload_of_the_result_is_the_same_booking(client, sent, clock):
    first = client.post("/book", sent)
    clock.shift(timedelta(days=2))

    assert client.post("/book", sent).text == first.text
    assert Job.objects.count() == 1

    job = links.replace(Job.objects.get(), by="Ana")
    after = client.post("/book", sent).text
    assert (job.uid[-8:] in after, "/track/" in after) == (True, False)


def test_no_csrf_token_is_asked_for_and_no_cookie_set(board, clock):
    strict = Client(enforce_csrf_checks=True)
    data = fill_in(strict)
    clock.shift(timedelta(seconds=10))

    assert strict.post("/book", data).status_code == 200
    assert strict.cookies == {}


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"location": ""}, ["Please write the address."]),
        ({"name": " ", "phone": "12"}, ["Please write your name.", "Please write the phone number with its area code."]),
        ({"phone": "", "email": ""}, ["Please give us a phone number or an e-mail address, so that we can answer."]),
        ({"consent": ""}, ["Please tick this, so that we may answer."]),
        ({"preferred_day": "2026-11-23"}, ["Please choose a day from today on, at most 90 days ahead."]),
        ({"what": "a\0b"}, ["There is a character in it that we cannot read. Please type it again."]),
    ],
)
def test_a_mistake_keeps_everything_that_was_typed(client, sent, changes, found):
    data = sent | changes

    response = client.post("/book", data)

    assert (response.status_code, errors(response)) == (422, found)
    typed = {name: value for name, value in data.items() if name not in {"key", "rendered", "consent"}}
    assert {name: value for name, value in kept(response).items() if name != "consent"} == typed
    assert kept(response)["consent"] is bool(data["consent"])
    assert hidden(response) == {"key": sent["key"], "rendered": sent["rendered"]}
    assert "Mia &lt;b&gt;" in response.text or "name" in changes
    assert Job.objects.count() == 0


def test_each_error_leads_to_its_field_and_is_read_with_it(client, sent):
    text = client.post("/book", sent | {"phone": "12"}).text

    assert '<a href="#id_phone">' in text
    assert re.search(r'name="phone"[^>]*aria-invalid="true" aria-describedby="id_phone_error" id="id_phone"', text)
    assert re.search(r'id="problems" role="alert" tabindex="-1" autofocus', text)


def test_a_form_that_was_filled_in_too_fast_can_be_sent_once_more(client, board, clock):
    data = fill_in(client)

    response = client.post("/book", data)

    assert (response.status_code, Job.objects.count()) == (422, 0)
    assert errors(response) == ["That was very quick. Please check what you wrote and send it once more."]
    clock.shift(timedelta(seconds=2))
    assert client.post("/book", data | hidden(response)).status_code == 200


@pytest.mark.parametrize("without", [{}, {"rendered": "", "key": ""}, {"rendered": "forged"}])
def test_a_form_that_is_out_of_date_comes_back_with_a_new_stamp(client, board, clock, without):
    """So does the form of a page from a CDN, which has neither stamp nor key."""
    data = fill_in(client) | without
    clock.shift(timedelta(hours=25))

    response = client.post("/book", data)

    assert (response.status_code, Job.objects.count()) == (422, 0)
    assert errors(response) == ["This page may be out of date. Please check it and send it once more."]
    assert kept(response) == FILLED_IN | {"consent": True}
    clock.shift(timedelta(seconds=3))
    assert client.post("/book", data | hidden(response)).status_code == 200


def test_who_fills_in_what_people_do_not_see_books_nothing_and_may_try_again(client, sent):
    """A password manager may have done it: the field comes back empty."""
    response = client.post("/book", sent | {"website": "https://example.com"})

    assert (response.status_code, Job.objects.count()) == (422, 0)
    assert errors(response) == ["We could not take this booking here. Please call us at (303) 555-0100."]
    assert "https://example.com" not in response.text
    assert client.post("/book", sent | hidden(response)).status_code == 200


def test_who_comes_back_and_writes_another_place_is_asked_and_then_books_again(client, sent):
    client.post("/book", sent)

    response = client.post("/book", sent | {"location": "9 Oak Ave"})

    assert (response.status_code, Job.objects.count()) == (409, 1)
    assert errors(response)[0].startswith("This form has been sent already, with other details")
    assert client.post("/book", sent | hidden(response) | {"location": "9 Oak Ave"}).status_code == 200
    assert [job.location for job in Job.objects.order_by("pk")] == ["1428 Elm St", "9 Oak Ave"]


def test_who_books_too_often_is_given_a_number_to_call(client, sent, settings):
    settings.BOOKINGS_AN_HOUR_FROM_ONE = 1
    client.post("/book", sent)

    response = client.post("/book", sent | {"key": "another"})

    assert (response.status_code, response["Retry-After"]) == (429, "3600")
    assert "Please call us at (303) 555-0100." in errors(response)[0]
    assert kept(response) == FILLED_IN | {"consent": True}


def test_the_page_and_the_confirmation_are_in_the_language_of_the_visitor(client, board, clock):
    data = fill_in(client, "/book?lang=es")
    wrong = client.post("/book?lang=es", data | {"location": ""})
    clock.shift(timedelta(seconds=10))
    done = client.post("/book?lang=es", data)

    assert 'action="/book?lang=es"' in wrong.text
    assert errors(wrong) == ["Por favor, escriba la dirección."]
    assert '<html lang="es">' in done.text
    assert "Tenemos su solicitud" in done.text
    assert Job.objects.get().customer_language == "es"


def test_every_word_of_the_page_is_there_in_spanish():
    pages = "".join(page.read_text() for page in (settings.BASE_DIR / "templates" / "tracking").glob("book*.html"))
    words = re.findall(r"""{% translate (?:"([^"]+)"|'([^']+)')""", pages)

    with override("es"):
        assert len(words) > 20
        assert [one for one in map("".join, words) if gettext(one) == one] == []
        assert [
            field.label
            for field in BookingForm(board=Board(timezone="UTC"))
            if re.search(r"[Yy]ou|[Ww]e\b", str(field.label))
        ] == []


def test_a_company_without_a_phone_can_be_booked_with(client, board, clock):
    Board.objects.update(phone="")
    data = fill_in(client)
    clock.shift(timedelta(seconds=10))

    assert client.post("/book", data | {"website": "x"}).status_code == 422
    done = client.post("/book", data)

    assert (done.status_code, "tel:" in done.text) == (200, False)


def test_a_file_for_a_cdn_holds_the_form_in_every_language_and_nothing_of_today(board, settings):
    settings.API_ORIGIN = "https://api.example.com"

    page = shell.pages()["book.html"].decode()

    english, spanish = page.split('<template data-lang="es">')
    assert ("Address of the pickup" in english, "Dirección de la recogida" in spanish) == (True, True)
    assert 'action="https://api.example.com/book?lang=en"' in english
    assert 'action="https://api.example.com/book?lang=es"' in spanish
    assert 'data-api="https://api.example.com"' in english
    assert re.findall(r'name="(?:key|rendered)" value|min="\d', page) == []


def test_the_page_is_light(client, board):
    assert len(client.get("/book").content) < 16_000


def test_the_consent_on_the_page_is_the_one_that_is_kept(client, board):
    assert booking.consent_text(board) in client.get("/book").text
