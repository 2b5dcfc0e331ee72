from datetime import UTC, datetime

import pytest
from icalendar import Calendar

from dispatch import flow, links
from tests.factories import make_job

START = datetime(2026, 11, 26, 15, tzinfo=UTC)


@pytest.fixture
def job(board):
    return make_job(
        board, status="scheduled", window_start=START, window_end=START.replace(hour=17), access_notes="Gate code 4471",
        customer_name="Marisol Vega", location="1428 Elm St, Denver",
    )  # fmt: skip


def event(client, token, query=""):
    answer = client.get(f"/api/v1/track/{token}/calendar.ics{query}")
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/calendar; charset=utf-8")
    assert answer["Content-Disposition"] == 'attachment; filename="pickup.ics"'
    calendar = Calendar.from_ical(answer.content)
    assert (calendar["METHOD"], calendar["VERSION"]) == ("PUBLISH", "2.0")
    [found] = calendar.walk("VEVENT")
    return found


def test_a_window_fits_into_a_calendar(client, job):
    found = event(client, job.token)

    assert (found["DTSTART"].dt, found["DTEND"].dt) == (START, START.replace(hour=17))
    assert (found["SUMMARY"], found["LOCATION"]) == ("Junk removal · QuickDumpNow Denver", "Elm St, Denver")
    assert (found["STATUS"], found["SEQUENCE"]) == ("CONFIRMED", job.seq)
    assert found["DTSTAMP"].dt == job.updated_at.replace(microsecond=0)
    assert found["DESCRIPTION"] == "You are booked. +13035550100"
    assert found["URL"] == job.tracking_link


def test_it_tells_nothing_private(client, job):
    text = client.get(f"/api/v1/track/{job.token}/calendar.ics").text.replace("\r\n ", "")

    assert [word for word in ("4471", "Vega", "1428", job.uid) if word in text] == []


def test_a_cancelled_job_cancels_the_event_that_is_there(client, job):
    before = event(client, job.token)
    flow.move(job, "cancelled", expect=job.seq, by="Ana", channel="board", reason="Customer asked")
    after = event(client, job.token)

    assert (after["STATUS"], after["UID"], after["SEQUENCE"] > before["SEQUENCE"]) == ("CANCELLED", before["UID"], True)


def test_a_new_link_leads_to_the_same_event_and_another_job_to_another(client, board, job):
    first = event(client, job.token)["UID"]
    renewed = links.replace(job, by="Ana")
    other = make_job(board, window_start=START, window_end=START.replace(hour=17))

    assert event(client, renewed.token)["UID"] == first
    assert event(client, other.token)["UID"] != first


def test_without_a_window_there_is_no_event(client, board):
    token = make_job(board).token
    answer = client.get(f"/api/v1/track/{token}/calendar.ics")

    assert (answer.status_code, answer.json()["code"], answer["Cache-Control"]) == (404, "no_window", "no-store")
    assert client.get(f"/track/{token}?calendar=ics").status_code == 404


def test_the_page_has_it_at_its_own_address_and_in_its_own_language(client, job):
    answer = client.get(f"/track/{job.token}?calendar=ics&lang=es")

    [found] = Calendar.from_ical(answer.content).walk("VEVENT")
    assert found["SUMMARY"] == "Retiro de desechos · QuickDumpNow Denver"
    assert (answer["Cache-Control"], answer["Referrer-Policy"]) == ("no-store", "no-referrer")
