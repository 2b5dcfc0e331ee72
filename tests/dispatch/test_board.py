import json
import random
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import pytest

from dispatch import board as boards
from dispatch import flow
from dispatch.board import CLOSED_SHOWN, DELTA_LIMIT, card, changes, snapshot, state
from dispatch.models import Board, Job
from dispatch.statuses import STATUS_FLOW
from tests.factories import make_job

EPOCH = "11111111-2222-3333-4444-555555555555"
NO_JOBS = dict.fromkeys(STATUS_FLOW, 0)


@pytest.fixture
def board(board) -> Board:
    board.epoch = UUID(EPOCH)
    board.save()
    return board


# --- cards


def test_a_card_is_exactly_this(board):
    job = make_job(
        board, uid="1", token="never-on-a-card", location="Soderblom Ave", price=Decimal("149.50"), crew=["Dee", "Marcus"],
        customer_name="Priya Natarajan", customer_phone="+13035550123", customer_email="priya@example.com",
        access_notes="Gate 4411", notes="Two sofas", load_eighths=4, extra={"source": "web"},
        window_start=datetime(2026, 5, 4, 9, tzinfo=timezone(timedelta(hours=-6))),
        window_end=datetime(2026, 5, 4, 17, 0, 0, 123456, tzinfo=UTC),
        created_at=datetime(2026, 5, 1, 12, tzinfo=UTC), preferred_day=date(2026, 5, 6),
        asks=[
            {"kind": "note", "at": "2026-05-01T12:00:00.000Z", "doneAt": "2026-05-01T12:30:00.000Z", "doneBy": "Ana"},
            {"kind": "cancel", "at": "2026-05-01T13:00:00.000Z"},
        ],
    )  # fmt: skip

    assert card(job) == {
        "id": "1",
        "seq": 1,
        "status": "requested",
        "rank": 2**20,
        "service": "junk_removal",
        "location": "Soderblom Ave",
        "window": {"start": "2026-05-04T15:00:00.000Z", "end": "2026-05-04T17:00:00.123Z"},
        "price": 149.5,
        "crew": ["Dee", "Marcus"],
        "customer": {"name": "Priya Natarajan"},
        "loadEighths": 4,
        "createdAt": "2026-05-01T12:00:00.000Z",
        "statusAt": "2026-05-01T12:00:00.000Z",
        "updatedBy": "Ana",
        "preferredDay": "2026-05-06",
        "waitingAsks": ["cancel"],
        "optedOut": [],
    }


def test_what_is_not_known_of_a_job_is_null(board):
    found = card(make_job(board))

    assert {name for name, value in found.items() if value is None} == {"window", "price", "loadEighths", "preferredDay"}


@pytest.mark.parametrize(
    ("price", "shown"),
    [
        ("600.00", "600"),
        ("149.50", "149.5"),
        ("0.00", "0"),
        ("0.10", "0.1"),
        ("99999999.99", "99999999.99"),
        ("1E+3", "1000"),
    ],
)
def test_a_price_is_a_plain_number_without_rounding(price, shown):
    assert json.dumps(boards.number(Decimal(price))) == shown


# --- frames


def test_a_delta_holds_each_changed_job_once_oldest_change_first(board):
    a, b, c = (make_job(board) for _ in range(3))
    flow.edit(a, {"notes": "Two sofas"}, expect=a.seq, by="Ben")
    flow.move(b, "scheduled", expect=b.seq, by="Ben", channel="board")

    frame = changes("main", EPOCH, 2)

    now = {job.uid: job for job in Job.objects.all()}
    assert frame.as_dict() == {
        "type": "delta",
        "epoch": EPOCH,
        "from": 2,
        "to": 5,
        "jobs": [card(now[job.uid]) for job in (c, a, b)],
        "counts": NO_JOBS | {"requested": 2, "scheduled": 1},
    }
    assert json.loads(frame.text) == frame.as_dict()


def test_who_is_up_to_date_gets_an_empty_delta(board, job):
    assert changes("main", EPOCH, 1).as_dict() == {
        "type": "delta",
        "epoch": EPOCH,
        "from": 1,
        "to": 1,
        "jobs": [],
        "counts": NO_JOBS | {"requested": 1},
    }


@pytest.mark.parametrize(
    ("epoch", "since"),
    [(None, 0), ("aaaaaaaa-2222-3333-4444-555555555555", 1), (EPOCH, 2), (EPOCH, -1)],
    ids=["says hello for the first time", "knows the board before a restore", "is ahead of the board", "asks nonsense"],
)
def test_who_cannot_be_given_a_delta_gets_a_snapshot(board, job, epoch, since):
    assert changes("main", epoch, since).as_dict() == {
        "type": "snapshot",
        "epoch": EPOCH,
        "to": 1,
        "jobs": [card(job)],
        "counts": NO_JOBS | {"requested": 1},
    }


def test_who_missed_more_than_the_limit_gets_a_snapshot(board, monkeypatch):
    monkeypatch.setattr(boards, "DELTA_LIMIT", 3)
    for _ in range(4):
        make_job(board)

    kinds = [changes("main", EPOCH, since).as_dict()["type"] for since in (0, 1)]

    assert kinds == ["snapshot", "delta"]
    assert DELTA_LIMIT == 300


def test_an_unknown_board_is_an_error(board):
    with pytest.raises(Board.DoesNotExist):
        changes("boulder", None, 0)
    with pytest.raises(Board.DoesNotExist):
        boards.position("boulder")


def test_a_position_is_epoch_and_change_number(board, job):
    assert boards.position("main") == (EPOCH, 1)


def test_nothing_of_another_board_is_shown(board, job):
    elsewhere = Board.objects.create(slug="boulder", name="Boulder")
    make_job(elsewhere)

    assert [found.pk for found in snapshot(board).jobs] == [job.pk]
    assert [found.pk for found in changes("main", EPOCH, 0).jobs] == [job.pk]
    assert snapshot(board).counts == NO_JOBS | {"requested": 1}


def test_a_snapshot_shows_columns_in_order_of_rank(board):
    a, b, c = (make_job(board) for _ in range(3))
    flow.place(c, expect=c.seq, by="Ana", before=a.uid)

    assert [job.uid for job in snapshot(board).jobs] == [c.uid, a.uid, b.uid]


def test_finished_jobs_are_capped_newest_on_top_and_still_counted(board):
    for number in range(CLOSED_SHOWN + 2):
        make_job(board, uid=f"done-{number}", status="completed")
    for number in range(CLOSED_SHOWN + 2):
        make_job(board, uid=f"open-{number}")

    frame = snapshot(board)

    shown = [job.uid for job in frame.jobs if job.status == "completed"]
    assert shown == [f"done-{number}" for number in range(CLOSED_SHOWN + 1, 1, -1)]
    assert len([job for job in frame.jobs if job.status == "requested"]) == CLOSED_SHOWN + 2
    assert frame.counts == NO_JOBS | {"completed": CLOSED_SHOWN + 2, "requested": CLOSED_SHOWN + 2}


def test_the_state_of_a_board_is_exactly_this(board, job):
    found = state(board)

    assert found["board"] == {
        "slug": "main",
        "name": "QuickDumpNow Denver",
        "timezone": "America/Denver",
        "epoch": EPOCH,
        "seq": 1,
    }
    assert found["jobs"] == [card(job)]
    assert [(column["status"], column["count"]) for column in found["columns"]] == list(
        (NO_JOBS | {"requested": 1}).items()
    )
    assert found["columns"][-1] == {
        "status": "cancelled",
        "label": "Cancelled",
        "color": "red",
        "icon": "cross",
        "count": 0,
        "mayGoTo": ("requested", "scheduled"),
        "needsReason": True,
        "isOpen": False,
    }


def test_a_snapshot_never_says_a_newer_number_than_its_cards(board, job):
    stale = Board.objects.get()
    flow.edit(job, {"notes": "Two sofas"}, expect=job.seq, by="Ben")

    assert snapshot(stale).to == 2


# --- the promise of the change number


def act(board: Board, dice: random.Random) -> None:
    """One thing that a dispatcher may do."""
    jobs = list(Job.objects.filter(board=board).order_by("id"))
    deed = dice.choice(["open", "move", "move", "move", "place", "place", "edit"])
    job = dice.choice(jobs) if jobs else None
    if job is None or (deed == "open" and len(jobs) < 12):
        make_job(board, status=dice.choice(list(STATUS_FLOW)))
    elif deed == "place":
        flow.place(job, expect=job.seq, by="Ben", after=dice.choice(jobs).uid)
    elif deed == "edit":
        flow.edit(job, {"location": f"{dice.randrange(9999)} Elm St"}, expect=job.seq, by="Ben")
    else:
        to = dice.choice(STATUS_FLOW[job.status].may_go_to)
        flow.move(job, to, expect=job.seq, by="Ben", channel="board", reason="Rain", before=dice.choice(jobs).uid)


@pytest.mark.parametrize("seed", range(4))
def test_an_old_snapshot_and_the_deltas_since_are_the_new_snapshot(board, seed):
    dice = random.Random(seed)
    for _ in range(5):
        act(board, dice)
    frame = snapshot(board)
    cards, at, counts = {shown["id"]: shown for shown in frame.as_dict()["jobs"]}, frame.to, frame.counts

    for _ in range(25):
        for _ in range(dice.randrange(4)):
            act(board, dice)
        delta = changes("main", EPOCH, at)
        cards |= {changed["id"]: changed for changed in delta.as_dict()["jobs"]}
        assert (delta.start, delta.to) == (at, Board.objects.get().seq)
        at, counts = delta.to, delta.counts

        now = snapshot(board)
        assert cards == {shown["id"]: shown for shown in now.as_dict()["jobs"]}
        assert (at, counts) == (now.to, now.counts)


@pytest.mark.parametrize("jobs", [1, 40])
def test_reading_a_board_costs_the_same_whatever_the_number_of_jobs(board, django_assert_num_queries, jobs):
    for number in range(jobs):
        make_job(board, status=list(STATUS_FLOW)[number % 7])

    with django_assert_num_queries(3):  # the board, the jobs, the counts
        delta = json.loads(changes("main", EPOCH, 0).text)
    with django_assert_num_queries(5):  # the board, open, completed and cancelled jobs, the counts
        whole = json.loads(snapshot(board).text)
    with django_assert_num_queries(5):
        state(board)
    with django_assert_num_queries(1):
        boards.position("main")

    assert (len(delta["jobs"]), len(whole["jobs"])) == (jobs, jobs)
