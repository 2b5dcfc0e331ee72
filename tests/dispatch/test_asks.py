from datetime import date

import pytest
import time_machine

from dispatch import asks, flow
from dispatch.models import Board, Job
from dispatch.rules import Refused
from tests.factories import make_job

NOON = "2026-05-04T18:00:00Z"  # 12:00 in Denver
SHOWN = "2026-05-04T18:00:00.000Z"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def frozen():
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def refused(*arguments, **more) -> str:
    with pytest.raises(Refused) as error:
        asks.ask(*arguments, **more)
    assert Job.objects.get(pk=arguments[0].pk).seq == arguments[0].seq  # nothing was written
    return error.value.code


def test_what_a_customer_asks_for_is_a_change_of_the_job(board):
    job = make_job(board)

    asked = asks.ask(job, "reschedule", text=" After four,\r\nplease ", day=date(2026, 5, 8))

    assert asked.asks == [{"kind": "reschedule", "at": SHOWN, "text": "After four,\nplease", "day": "2026-05-08"}]
    assert (asked.seq, asked.updated_by, asks.waiting(asked)) == (job.seq + 1, "Customer", ["reschedule"])


@pytest.mark.parametrize("kind", [kind for kind, ask in asks.ASKS.items() if not ask.by_crew])
@pytest.mark.parametrize("status", flow.STATUS_FLOW)
def test_every_status_allows_what_makes_sense(board, status, kind):
    job = make_job(board, status=status)
    sensible = {
        "requested": ["reschedule", "cancel", "note"], "scheduled": ["reschedule", "cancel", "note"],
        "ready_for_pickup": ["reschedule", "cancel", "note"], "en_route": ["note"], "in_progress": ["note"],
        "completed": ["rating"], "cancelled": [],
    }[status]  # fmt: skip

    assert asks.allowed(job) == sensible
    if kind in sensible:
        assert asks.waiting(asks.ask(job, kind, text="Hm", stars=4)) == [kind]
    else:
        assert refused(job, kind, text="Hm", stars=4) == "not_now"


@pytest.mark.parametrize("status", flow.STATUS_FLOW)
def test_no_customer_asks_what_only_crews_may(board, status):
    job = make_job(board, status=status)

    assert "no_access" not in asks.allowed(job)
    assert refused(job, "no_access", text="Locked gate") == "unknown_ask"


def test_a_crew_asks_the_office_to_see_to_a_job(board):
    job = make_job(board, status="ready_for_pickup")

    asked = asks.ask_office(job, "no_access", text=" Locked gate ", by="Dee Ramos")

    assert asked.asks == [{"kind": "no_access", "at": SHOWN, "text": "Locked gate", "by": "Dee Ramos"}]
    assert (asked.updated_by, asks.waiting(asked), asks.rating(asked)) == ("Dee Ramos", ["no_access"], None)
    assert asks.waiting(asks.settle(asked, by="Ana")) == []


def test_a_note_goes_to_where_the_crew_looks(board):
    job = make_job(board, access_notes="Dog in the yard")

    job = asks.ask(job, "note", text="Gate code 4471")
    job = asks.ask(job, "note", text="Ring twice")

    assert job.access_notes == "Dog in the yard\nFrom the customer: Gate code 4471\nFrom the customer: Ring twice"
    assert [one["text"] for one in job.asks] == ["Gate code 4471", "Ring twice"]


def test_asking_again_takes_the_place_of_what_waits(board):
    job = make_job(board)

    for text in ("Friday", "no, Monday"):
        job = asks.ask(job, "reschedule", text=text)
    job = asks.settle(job, by="Ana")
    job = asks.ask(job, "reschedule", text="or Tuesday")

    done = {"doneAt": SHOWN, "doneBy": "Ana"}
    assert job.asks == [
        {"kind": "reschedule", "at": SHOWN, "text": "no, Monday", "again": 1} | done,
        {"kind": "reschedule", "at": SHOWN, "text": "or Tuesday"},
    ]


def test_settling_leaves_what_was_settled_before_as_it_was(board, frozen):
    job = asks.settle(asks.ask(make_job(board), "cancel"), by="Ana")
    frozen.shift(60)

    job = asks.settle(asks.ask(job, "note", text="Hm"), by="Bo")

    assert [(one["kind"], one["doneBy"], one["doneAt"]) for one in job.asks] == [
        ("cancel", "Ana", SHOWN),
        ("note", "Bo", "2026-05-04T18:01:00.000Z"),
    ]
    assert asks.waiting(job) == []


def test_settling_nothing_is_no_change(board):
    job = asks.settle(asks.ask(make_job(board), "cancel"), by="Ana")

    assert asks.settle(job, by="Bo").seq == job.seq == Board.objects.get().seq


def test_what_customers_ask_at_the_same_time_as_a_dispatcher_moves_is_not_lost(board):
    job = make_job(board)
    flow.move(job, "scheduled", expect=job.seq, by="Ana", channel="board")

    asked = asks.ask(job, "cancel")  # with the job as it was before

    assert (asked.status, asks.waiting(asked)) == ("scheduled", ["cancel"])


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"kind": "tip"}, "unknown_ask"),
        ({"kind": "note", "text": " \0 "}, "empty"),
        ({"kind": "note", "text": "x" * 501}, "too_long"),
        ({"kind": "reschedule", "day": date(2026, 5, 3)}, "past_day"),
    ],
)
def test_what_makes_no_sense_is_refused(board, arguments, code):
    assert refused(make_job(board), **arguments) == code


@pytest.mark.parametrize("stars", [None, 0, 6])
def test_a_rating_has_one_to_five_stars(board, stars):
    assert refused(make_job(board, status="completed"), "rating", stars=stars) == "no_stars"


def test_today_is_the_boards_day(board, frozen):
    frozen.move_to("2026-05-05T05:00:00Z")  # still the 4th in Denver

    assert asks.ask(make_job(board), "reschedule", day=date(2026, 5, 4)).asks[0]["day"] == "2026-05-04"


def test_a_job_takes_only_so_many(board):
    job = make_job(board)
    for number in range(asks.MOST):
        job = asks.ask(job, "note", text=f"note {number}")

    assert refused(job, "note", text="one more") == "too_many"


def test_taking_back_and_asking_again_has_an_end(board):
    job = make_job(board)
    for number in range(asks.MOST):
        job = asks.ask(job, "reschedule", text=f"rather at {number}")

    assert (len(job.asks), refused(job, "cancel")) == (1, "too_many")


def test_the_latest_rating_counts(board):
    job = make_job(board, status="completed")
    assert asks.rating(job) is None

    job = asks.ask(job, "rating", stars=2, text="Late")
    job = asks.ask(asks.settle(job, by="Ana"), "rating", stars=5)

    assert (asks.rating(job), len(job.asks)) == (5, 2)


def test_a_second_tap_is_no_second_ask(board, frozen):
    job = asks.ask(make_job(board), "note", text="Gate 4471")
    frozen.shift(59)
    job = asks.ask(job, "note", text="Gate 4471")
    assert (len(job.asks), job.access_notes) == (1, "From the customer: Gate 4471")
    assert job.seq == Board.objects.get().seq == 2  # nor a change

    frozen.shift(1)
    assert len(asks.ask(job, "note", text="Gate 4471").asks) == 2
