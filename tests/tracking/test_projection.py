import json
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dispatch import asks, flow, links
from dispatch.flow import PastStep
from dispatch.models import Job
from tests.factories import make_job
from tracking.projection import LinkEnded, find, public_object, public_projection, shown, without_house_number

BORN = datetime(2026, 5, 4, 15, 30, tzinfo=UTC)
BORN_SHOWN = "2026-05-04T15:30:00.000Z"


def at(minute: int) -> str:
    return f"2026-05-04T15:{minute}:00.000Z"


def job_that_went(board, *statuses: str, **fields) -> Job:
    """A job that was in these statuses, one minute after the other."""
    past = [PastStep(status, BORN.replace(minute=30 + place), "Ana") for place, status in enumerate(statuses)]
    return flow.open_job(board, by="Ana", channel="import", past=past, **{"location": "1428 Elm St"} | fields)


EXPECTED = [
    (
        ["requested"],
        ["Booked", "We have your request", "We will confirm your time soon."],
        [("Booked", "current", at(30)), ("Ready", "todo", None), ("On the way", "todo", None), ("Loading", "todo", None),
         ("Done", "todo", None)],
        [("Booked", at(30))],
    ),
    (
        ["requested", "scheduled"],
        ["Booked", "You are booked", "We will tell you when a crew is ready."],
        [("Booked", "current", at(30)), ("Ready", "todo", None), ("On the way", "todo", None), ("Loading", "todo", None),
         ("Done", "todo", None)],
        [("Booked", at(30))],
    ),
    (
        ["requested", "ready_for_pickup"],
        ["Ready", "A crew is ready for you", "We will tell you when the crew sets off."],
        [("Booked", "done", at(30)), ("Ready", "current", at(31)), ("On the way", "todo", None), ("Loading", "todo", None),
         ("Done", "todo", None)],
        [("Booked", at(30)), ("Ready", at(31))],
    ),
    (
        ["scheduled", "en_route"],
        ["On the way", "The crew is on the way", "Please make sure that the crew can get in."],
        [("Booked", "done", at(30)), ("Ready", "done", None), ("On the way", "current", at(31)), ("Loading", "todo", None),
         ("Done", "todo", None)],
        [("Booked", at(30)), ("On the way", at(31))],
    ),
    (
        ["scheduled", "ready_for_pickup", "in_progress"],
        ["Loading", "The crew is at work", "This will not take long."],
        [("Booked", "done", at(30)), ("Ready", "done", at(31)), ("On the way", "done", None),
         ("Loading", "current", at(32)), ("Done", "todo", None)],
        [("Booked", at(30)), ("Ready", at(31)), ("Loading", at(32))],
    ),
    (
        ["requested", "scheduled", "ready_for_pickup", "en_route", "in_progress", "completed"],
        ["Done", "All done", "Thank you for choosing us."],
        [("Booked", "done", at(30)), ("Ready", "done", at(32)), ("On the way", "done", at(33)), ("Loading", "done", at(34)),
         ("Done", "done", at(35))],
        [("Booked", at(30)), ("Ready", at(32)), ("On the way", at(33)), ("Loading", at(34)), ("Done", at(35))],
    ),
    (
        ["requested", "scheduled", "cancelled"],
        ["Cancelled", "This job was cancelled", "Call us if that is a mistake, or to book again."],
        [],
        [("Booked", at(30)), ("Cancelled", at(32))],
    ),
]  # fmt: skip
COLORS = {
    "requested": "grey", "scheduled": "violet", "ready_for_pickup": "green", "en_route": "teal", "in_progress": "yellow",
    "completed": "blue", "cancelled": "red",
}  # fmt: skip
EARLY = ["reschedule", "cancel", "note"]
MAY = {
    "requested": EARLY, "scheduled": EARLY, "ready_for_pickup": EARLY, "en_route": ["note"], "in_progress": ["note"],
    "completed": ["rating"], "cancelled": [],
}  # fmt: skip
PHOTOS = [
    {"id": f"{kind}-1", "kind": kind, "width": 640, "height": 480, "at": at(40), "by": "Dee Park"}
    for kind in ("before", "after", "ticket", "access")
]
SHOWN_PHOTOS = [
    {"id": "before-1", "kind": "before", "width": 640, "height": 480},
    {"id": "after-1", "kind": "after", "width": 640, "height": 480},
]


@pytest.mark.parametrize(("statuses", "words", "steps", "history"), EXPECTED, ids=[case[0][-1] for case in EXPECTED])
def test_a_customer_reads_exactly_this(board, monkeypatch, statuses, words, steps, history):
    monkeypatch.setattr(timezone, "now", lambda: BORN.replace(minute=50))
    job = job_that_went(
        board, *statuses, crew=["Dee Park", "Al"], window_start=BORN, window_end=BORN.replace(hour=17),
        location="1428 Elm St, Denver, CO 80202", service="dumpster_delivery", photos=PHOTOS,
    )  # fmt: skip
    over = statuses[-1] in {"completed", "cancelled"}

    assert public_projection(find(job.token)) == {
        "status": statuses[-1],
        "label": words[0],
        "color": COLORS[statuses[-1]],
        "headline": words[1],
        "next": words[2],
        "cancelled": statuses[-1] == "cancelled",
        "service": "Dumpster delivery",
        "location": "Elm St, Denver, CO 80202",
        "window": {"start": BORN_SHOWN, "end": "2026-05-04T17:30:00.000Z"},
        "timezone": "America/Denver",
        "steps": [{"label": label, "state": state, "at": moment} for label, state, moment in steps],
        "history": [{"label": label, "at": moment} for label, moment in history],
        "crew": ["Dee", "Al"],
        "company": {"name": "QuickDumpNow Denver", "phone": "+13035550100"},
        "may": MAY[statuses[-1]],
        "asked": [],
        "rating": None,
        "photos": SHOWN_PHOTOS if statuses[-1] == "completed" else [],
        "validUntil": f"2026-06-03T15:{30 + len(statuses) - 1}:00.000Z" if over else None,
        "updatedAt": at(50),
        "seq": 1,
        "epoch": str(board.epoch),
    }


def test_found_by_its_link_or_by_its_number_it_is_the_same(board):
    job = job_that_went(board, "requested", "scheduled", "ready_for_pickup")

    assert public_projection(find(job.token)) == public_projection(shown().get(pk=job.pk))


def test_what_waits_for_an_answer_is_shown_until_it_is_dealt_with(board):
    job = make_job(board)
    asks.ask(job, "cancel", text="We moved away")
    asks.ask(job, "reschedule", text="Rather in the morning")
    asks.ask(job, "note", text="Gate code 4471")
    asked = public_projection(find(job.token))

    asks.settle(job, by="Ana")

    assert (asked["asked"], public_projection(find(job.token))["asked"]) == (["reschedule", "cancel"], [])


def test_the_latest_stars_are_shown(board):
    job = make_job(board, status="completed")
    for stars in (2, 5):
        asks.ask(job, "rating", stars=stars, text="Fast")

    assert public_projection(find(job.token))["rating"] == 5


def test_a_link_ends_on_time_not_when_its_public_copy_does(board, time_machine):
    job = make_job(board, status="completed")
    time_machine.move_to(job.link_ends_at - timedelta(seconds=1), tick=False)
    assert find(job.token) == job

    time_machine.move_to(job.link_ends_at, tick=False)

    with pytest.raises(LinkEnded) as ended:
        find(job.token)
    assert (ended.value.job, links.has_ended(job)) == (job, False)


def test_the_public_copy_of_an_ended_link_is_a_tombstone(board, time_machine):
    job = make_job(board, status="completed")
    time_machine.move_to(job.link_ends_at + timedelta(seconds=1))
    links.close_ended()
    job = shown().get(pk=job.pk)

    assert public_object(job) == (
        f"public/track/{job.token}.json", {"gone": True, "seq": job.seq, "epoch": str(board.epoch)}
    )  # fmt: skip


def test_a_job_without_a_window_has_none(board):
    assert public_projection(find(make_job(board).token))["window"] is None


def test_nothing_private_goes_out(board):
    secret = "SENTINEL"
    job = job_that_went(
        board, "requested", "cancelled",
        uid=f"{secret}-uid", token=f"{secret}-token", location="1428 Elm St Apt 9",
        access_notes=secret, notes=secret, customer_name=secret, customer_phone="+13035557777",
        customer_email=f"{secret}@example.com", price="7777.77", load_eighths=63, crew=[f"Dee {secret}"],
        extra={"internal": secret},
    )  # fmt: skip
    flow.move(job, "requested", expect=job.seq, by=f"{secret} dispatcher", channel="board", reason=secret)
    job = find(job.token)
    job.history.update(by=secret, reason=secret, extra={"note": secret})

    public = public_projection(find(job.token))
    del public["epoch"]  # random hexadecimal digits, in which anything may turn up
    sent = json.dumps(public)

    assert job.updated_by == f"{secret} dispatcher"
    assert [part for part in (secret, "5557777", "7777", "1428", "Apt", job.uid, job.token) if part in sent] == []


SECRET = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=8, max_size=20).map(
    lambda text: f"§{text.replace(' ', '_')}§"
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(secret=SECRET, status=st.sampled_from(list(flow.STATUS_FLOW)))
def test_nothing_that_people_typed_for_us_ever_goes_out(board, secret, status):
    note = {"at": at(40), "text": secret, "doneBy": secret}
    job = job_that_went(
        board, status, notes=secret, access_notes=secret, customer_name=secret, crew=[f"Dee {secret}"],
        extra={"more": secret}, location="1428 Elm St",
        asks=[{"kind": kind, "stars": 4, **note} for kind in asks.ASKS],
        photos=[photo | {"by": secret, "id": photo["kind"]} for photo in PHOTOS],
        former_tokens=[{"token": secret, "seq": 1, "epoch": "e"}], opted_out=["sms"],
    )  # fmt: skip

    public = public_projection(shown().get(pk=job.pk))
    del public["epoch"]
    sent = json.dumps(public, ensure_ascii=False)

    assert [word for word in (secret, job.uid, job.token, "ticket", "access", "sms", "1428") if word in sent] == []


def test_the_edge_copy_is_named_by_the_token_and_is_the_same(board):
    job = find(make_job(board).token)

    assert public_object(job) == (f"public/track/{job.token}.json", public_projection(job))


def test_equal_words_in_a_row_are_one_line_of_history(board):
    job = job_that_went(board, "requested", "scheduled", "requested", "ready_for_pickup", "scheduled", "ready_for_pickup")

    assert [(step["label"], step["at"]) for step in public_projection(find(job.token))["history"]] == [
        ("Booked", at(30)), ("Ready", at(33)), ("Booked", at(34)), ("Ready", at(35)),
    ]  # fmt: skip


def test_a_step_made_after_the_row_was_read_belongs_to_the_next_version(board):
    job = make_job(board)
    flow.move(job, "ready_for_pickup", expect=job.seq, by="Ana", channel="board")
    job = Job.objects.get(pk=job.pk)
    job.seq, job.status = 1, "requested"  # the row as it was read before the move

    assert [step["label"] for step in public_projection(job)["history"]] == ["Booked"]


@pytest.mark.parametrize(
    "token", ["", "short", "unknown-token", "a" * 65, "../../etc/passwd", "%41b3-_xYz01", "A b c d e f", "\0" * 8]
)
def test_a_token_that_leads_nowhere_finds_nothing(board, token):
    make_job(board)

    with pytest.raises(Job.DoesNotExist):
        find(token)


@pytest.mark.parametrize("token", ["short", "a" * 65, "../../etc/passwd", "\0" * 8])
def test_what_cannot_be_a_token_never_reaches_the_database(db, django_assert_num_queries, token):
    with django_assert_num_queries(0), pytest.raises(Job.DoesNotExist):
        find(token)


def test_finding_and_showing_a_job_costs_one_query(board, django_assert_num_queries):
    job = job_that_went(board, "requested", "scheduled", "ready_for_pickup", "en_route")

    with django_assert_num_queries(1):
        public_projection(find(job.token))


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("1428 Elm St", "Elm St"),
        ("1428 Elm St, Denver, CO 80202", "Elm St, Denver, CO 80202"),
        ("1428 Elm St. Denver CO 80202", "Elm St. Denver CO 80202"),
        ("  1428   Elm St  ", "Elm St"),
        ("1428- Elm St", "Elm St"),
        ("1428A-B Elm St", "Elm St"),
        ("#12 Elm St", "Elm St"),
        ("No. 12 Elm St", "Elm St"),
        ("12B Oak Ave", "Oak Ave"),
        ("12-14 Oak Ave", "Oak Ave"),
        ("12 - 14 Oak Ave", "Oak Ave"),
        ("12-B Oak Ave", "Oak Ave"),
        ("12 1/2 Oak Ave", "Oak Ave"),
        ("12½ Oak Ave", "Oak Ave"),
        ("12 Oak Ave,Denver", "Oak Ave, Denver"),
        ("5th Ave", "5th Ave"),
        ("123 5th Ave", "5th Ave"),
        ("1428 W 5th Ave", "W 5th Ave"),
        ("W 5th Ave", "W 5th Ave"),
        ("5th Ave 1428", "5th Ave"),
        ("E 42nd St, New York", "E 42nd St, New York"),
        ("1428 Elm St Apt 4", "Elm St"),
        ("1428 Elm St #4B", "Elm St"),
        ("1428 Elm St, Unit 4B, Denver", "Elm St, Denver"),
        ("1428 Elm St, Apt. B, Denver", "Elm St, Denver"),
        ("Apt 4, 1428 Elm St", "Elm St"),
        ("Flat 3, 12 High St, London SW1A 1AA", "High St, London SW1A 1AA"),
        ("Suite 200, 1428 Elm St", "Elm St"),
        ("12 Ste Anne Rd", "Ste Anne Rd"),
        ("N2345 County Rd", "County Rd"),
        ("N 2345 County Rd", "County Rd"),
        ("W123N456 Main St", "Main St"),
        ("1428 County Rd 12", "County Rd 12"),
        ("100 Highway 50, Fernley", "Highway 50, Fernley"),
        ("Acme Corp, 1428 Elm St, Denver", "Acme Corp, Elm St, Denver"),
        ("Warehouse 12, 900 Dock Rd", "Warehouse, Dock Rd"),
        ("Storgatan 12, Uppsala", "Storgatan, Uppsala"),
        ("Storgatan 12 A, 753 10 Uppsala", "Storgatan, Uppsala"),
        ("Acme Corp, Storgatan 12, Uppsala", "Acme Corp, Storgatan, Uppsala"),
        ("Hauptstraße 12-14, 10115 Berlin", "Hauptstraße, Berlin"),
        ("Calle Mayor 12 3º B, Madrid", "Calle Mayor, Madrid"),
        ("Via Roma, 12, Milano", "Via Roma, Milano"),
        ("12, rue de la Paix, Paris", "rue de la Paix, Paris"),
        ("Corner of 5th and Main", "Corner of 5th and Main"),
        ("Town Square", "Town Square"),
        ("1428", ""),
        ("1428 Elm St Apt B12, Denver", "Elm St, Denver"),
        ("1428 Elm St Unit A-12", "Elm St"),
        ("1428 Elm St, Ste B200", "Elm St"),
        ("1428 Elm St Space 12", "Elm St"),
        ("1428 Elm St Unit AB", "Elm St"),
        ("(1428) Elm St", "Elm St"),
        ("1428 Elm St, gate 4711, Denver", "Elm St, Denver"),
        ("1428 Elm St (gate code: 4711#)", "Elm St"),
        ("1428 Elm St door code A-12", "Elm St"),
        ("12 Space Center Blvd", "Space Center Blvd"),
        ("12 Unit St, Gate City", "Unit St, Gate City"),
        ("12 Golden Gate Ave", "Golden Gate Ave"),
        ("12 Suite Ln", "Suite Ln"),
    ],
)  # fmt: skip
def test_the_house_number_stays_at_home(location, shown):
    assert without_house_number(location) == shown
