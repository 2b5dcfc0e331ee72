import logging
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import product

import pytest
import time_machine
from channels.layers import InMemoryChannelLayer
from django.core.exceptions import ValidationError
from django.db import transaction

from dispatch import flow, ranks
from dispatch.flow import Conflict, PastStep, Refused
from dispatch.mirror.document import job_document
from dispatch.models import Board, Job
from dispatch.statuses import STATUS_FLOW
from tests.factories import make_job

PAIRS = list(product(STATUS_FLOW, STATUS_FLOW))
ALLOWED = [(here, to) for here, to in PAIRS if to in STATUS_FLOW[here].may_go_to]
FORBIDDEN = [(here, to) for here, to in PAIRS if to not in STATUS_FLOW[here].may_go_to]


def everything(board: Board) -> tuple:
    """All that a change could touch."""
    jobs = list(Job.objects.filter(board=board).order_by("id").values())
    history = [list(job.history.values()) for job in Job.objects.filter(board=board).order_by("id")]
    return jobs, history, Board.objects.get(pk=board.pk).seq


def column(board: Board, status: str = "requested") -> list[str]:
    return list(Job.objects.in_column(board.pk, status).order_by("rank").values_list("location", flat=True))


def steps(job: Job) -> list[tuple]:
    return list(job.history.values_list("from_status", "to_status", "by", "channel", "reason", "seq"))


# --- move


@pytest.mark.parametrize(("here", "to"), ALLOWED)
def test_an_allowed_move_takes_the_next_number_and_writes_history(board, here, to):
    job = make_job(board, status=here)

    moved = flow.move(job, to, expect=job.seq, by="Ben", channel="admin", reason=" Changed their mind ")

    assert (moved.status, moved.seq, moved.updated_by) == (to, job.seq + 1, "Ben")
    assert moved.status_at == moved.updated_at > job.status_at
    assert Board.objects.get().seq == job.seq + 1
    assert steps(moved) == [
        ("", here, "Ana", "board", "", job.seq),
        (here, to, "Ben", "admin", "Changed their mind", job.seq + 1),
    ]
    assert Job.objects.get().seq == moved.seq


@pytest.mark.parametrize(("here", "to"), FORBIDDEN)
def test_any_other_move_is_refused_and_changes_nothing(board, here, to):
    job = make_job(board, status=here)
    before = everything(board)

    with pytest.raises(Refused) as refused:
        flow.move(job, to, expect=job.seq, by="Ben", channel="board", reason="Because")

    assert refused.value.code == "not_allowed"
    assert everything(board) == before


def test_a_refusal_says_where_the_job_may_go(job):
    with pytest.raises(Refused) as refused:
        flow.move(job, "completed", expect=job.seq, by="Ben", channel="board")

    assert str(refused.value) == (
        "A job that is Requested cannot go to Completed, only to: Scheduled, Ready for pickup, Cancelled."
    )


def test_an_unknown_status_is_refused(board, job):
    before = everything(board)

    with pytest.raises(Refused) as refused:
        flow.move(job, "lost", expect=job.seq, by="Ben", channel="board")

    assert (refused.value.code, str(refused.value)) == ("unknown_status", "There is no status “lost”.")
    assert everything(board) == before


@pytest.mark.parametrize("reason", ["", "  \n", "\0"])
def test_cancelling_needs_a_reason(board, job, reason):
    before = everything(board)

    with pytest.raises(Refused) as refused:
        flow.move(job, "cancelled", expect=job.seq, by="Ben", channel="board", reason=reason)

    assert (refused.value.code, str(refused.value)) == ("reason_required", "Moving a job to Cancelled needs a reason.")
    assert everything(board) == before


@pytest.mark.parametrize(
    ("completed", "now"),
    [
        ("2026-05-04T00:00:00-06:00", "2026-05-04T23:59:59-06:00"),
        ("2026-03-08T00:00:00-07:00", "2026-03-08T23:59:59-06:00"),  # a day of 23 hours
        ("2026-11-01T00:00:00-06:00", "2026-11-01T23:59:59-07:00"),  # a day of 25 hours
        ("2026-11-01T00:30:00-06:00", "2026-11-01T01:30:00-07:00"),
    ],
)
def test_completing_is_taken_back_all_through_the_boards_day(board, completed, now):
    with time_machine.travel(datetime.fromisoformat(completed), tick=False):
        job = make_job(board, status="completed")

    with time_machine.travel(datetime.fromisoformat(now), tick=False):
        moved = flow.move(job, "in_progress", expect=job.seq, by="Ben", channel="undo")

    assert (moved.status, moved.seq) == ("in_progress", job.seq + 1)


@pytest.mark.parametrize(
    ("completed", "now"),
    [
        ("2026-05-04T23:59:59-06:00", "2026-05-05T00:00:00-06:00"),
        ("2026-05-04T12:00:00-06:00", "2026-05-05T11:00:00-06:00"),
        ("2026-03-07T23:59:59-07:00", "2026-03-08T03:00:00-06:00"),
        ("2026-10-31T23:59:59-06:00", "2026-11-01T01:30:00-07:00"),
    ],
)
def test_completing_is_not_taken_back_after_the_boards_midnight(board, completed, now):
    with time_machine.travel(datetime.fromisoformat(completed), tick=False):
        job = make_job(board, status="completed")
    before = everything(board)

    with time_machine.travel(datetime.fromisoformat(now), tick=False), pytest.raises(Refused) as refused:
        flow.move(job, "in_progress", expect=job.seq, by="Ben", channel="undo")

    assert refused.value.code == "too_late"
    assert str(refused.value) == "Completed can be taken back to In progress on the same day only."
    assert everything(board) == before


def test_a_move_keeps_what_came_with_it_in_its_step_and_in_the_copy(job):
    flow.move(job, "scheduled", expect=job.seq, by="Dee", channel="crew", extra={"deviceAt": "2026-05-04T15:30:00.000Z"})

    assert [step.extra for step in job.history.all()] == [{}, {"deviceAt": "2026-05-04T15:30:00.000Z"}]
    assert job_document(Job.objects.get(pk=job.pk))["statusHistory"][1]["deviceAt"] == "2026-05-04T15:30:00.000Z"


def test_a_name_longer_than_history_keeps_is_cut(job):
    moved = flow.move(job, "scheduled", expect=job.seq, by="A" * 200, channel="board")

    assert moved.updated_by == moved.history.last().by == "A" * 150


# --- conflicts


def test_who_saw_an_older_job_gets_the_current_one_and_a_sentence(board):
    with time_machine.travel(datetime(2026, 5, 4, 16, 0, tzinfo=UTC), tick=False) as clock:
        seen = make_job(board)
        flow.move(seen, "scheduled", expect=seen.seq, by="Ana", channel="board")
        before = everything(board)
        clock.shift(timedelta(seconds=4))

        with pytest.raises(Conflict) as conflict:
            flow.move(seen, "ready_for_pickup", expect=seen.seq, by="Ben", channel="board")

    assert (conflict.value.current.status, conflict.value.current.seq) == ("scheduled", seen.seq + 1)
    assert str(conflict.value) == "Ana moved this to Scheduled 4 s ago"
    assert everything(board) == before


def test_a_conflict_with_an_edit_is_called_a_change(job):
    flow.edit(job, {"notes": "Two sofas"}, expect=job.seq, by="Ana")

    with pytest.raises(Conflict, match=r"^Ana changed this \d s ago$"):
        flow.move(job, "scheduled", expect=job.seq, by="Ben", channel="board")


@pytest.mark.parametrize("expect", [0, 2, -1])
def test_every_change_needs_the_number_that_is_current(board, job, expect):
    before = everything(board)

    for change in (
        lambda: flow.move(job, "scheduled", expect=expect, by="Ben", channel="board"),
        lambda: flow.place(job, expect=expect, by="Ben"),
        lambda: flow.edit(job, {"notes": "Two sofas"}, expect=expect, by="Ben"),
    ):
        with pytest.raises(Conflict):
            change()

    assert everything(board) == before


def test_a_stale_move_is_a_conflict_even_where_the_flow_would_refuse_it_by_now(job):
    flow.move(job, "cancelled", expect=job.seq, by="Ana", channel="board", reason="Rain")

    with pytest.raises(Conflict) as conflict:
        flow.move(job, "ready_for_pickup", expect=job.seq, by="Ben", channel="board")

    assert conflict.value.current.status == "cancelled"


@pytest.mark.parametrize("change", ["move", "place", "edit"])
def test_who_is_overtaken_after_looking_loses_all_the_same(board, job, monkeypatch, change):
    """Another dispatcher commits between the look at the job and the update: the WHERE of the update is the lock."""
    look = flow._as_expected

    def look_and_be_overtaken(job, expect):
        current = look(job, expect)
        monkeypatch.setattr(flow, "_as_expected", look)
        flow.edit(job, {"notes": "Ana was here"}, expect=expect, by="Ana")
        return current

    monkeypatch.setattr(flow, "_as_expected", look_and_be_overtaken)
    changes = {
        "move": lambda: flow.move(job, "scheduled", expect=job.seq, by="Ben", channel="board"),
        "place": lambda: flow.place(job, expect=job.seq, by="Ben"),
        "edit": lambda: flow.edit(job, {"notes": "Ben was here"}, expect=job.seq, by="Ben"),
    }

    with pytest.raises(Conflict) as conflict:
        changes[change]()

    now = Job.objects.get()
    assert (now.notes, now.status, now.seq, now.updated_by) == ("Ana was here", "requested", job.seq + 1, "Ana")
    assert conflict.value.current.notes == "Ana was here"
    assert Board.objects.get().seq == job.seq + 1
    assert len(steps(now)) == 1


# --- edit


def test_an_edit_takes_a_number_and_writes_no_history(board, job):
    edited = flow.edit(job, {"price": Decimal("149.50"), "crew": ["Dee"]}, expect=job.seq, by="Ben")

    assert (edited.price, edited.crew, edited.seq, edited.updated_by) == (Decimal("149.50"), ["Dee"], job.seq + 1, "Ben")
    assert Board.objects.get().seq == edited.seq
    assert len(steps(edited)) == 1


def test_an_edit_without_a_difference_is_no_change(board, job):
    before = everything(board)

    same = flow.edit(job, {"location": job.location, "price": None, "crew": []}, expect=job.seq, by="Ben")

    assert same.seq == job.seq
    assert everything(board) == before


def test_a_value_written_differently_is_no_difference(board):
    job = make_job(board, price=Decimal(600), load_eighths=4)
    before = everything(board)

    flow.edit(job, {"price": "600.00", "load_eighths": "4"}, expect=job.seq, by="Ben")

    assert everything(board) == before


@pytest.mark.parametrize("field", ["status", "seq", "uid", "token", "rank", "board", "extra", "created_at", "colour"])
def test_what_cannot_be_edited_is_refused_by_name(board, job, field):
    before = everything(board)

    with pytest.raises(Refused) as refused:
        flow.edit(job, {field: "x", "notes": "Two sofas"}, expect=job.seq, by="Ben")

    assert (refused.value.code, str(refused.value)) == ("unknown_field", f"These cannot be edited: {field}.")
    assert everything(board) == before


@pytest.mark.parametrize(
    "changes",
    [
        {"price": Decimal("-1")},
        {"price": "a lot"},
        {"location": ""},
        {"location": "x" * 201},
        {"notes": None},
        {"customer_phone": "12"},
        {"customer_email": "at home"},
        {"window_start": datetime(2026, 5, 4, tzinfo=UTC)},
        {"crew": "Dee"},
        {"service": "moving"},
        {"load_eighths": 0},
        {"notes": "a\0b"},
    ],
)
def test_a_bad_value_is_a_validation_error_and_changes_nothing(board, job, changes):
    before = everything(board)

    with pytest.raises(ValidationError) as refused:
        flow.edit(job, changes, expect=job.seq, by="Ben")

    assert set(refused.value.message_dict) <= {*changes, "window_end"}
    assert everything(board) == before


def test_an_old_value_that_would_be_bad_today_does_not_block_other_edits(board, job):
    Job.objects.filter(pk=job.pk).update(customer_phone="12")

    edited = flow.edit(job, {"notes": "Two sofas"}, expect=job.seq, by="Ben")

    assert edited.notes == "Two sofas"


# --- place


def test_a_job_is_placed_in_front_of_or_behind_another(board):
    a, _, c = (make_job(board, location=name) for name in "abc")

    first = flow.place(c, expect=c.seq, by="Ben", before=a.uid)
    behind = column(board)
    flow.place(first, expect=first.seq, by="Ben", after=a.uid)

    assert behind == ["c", "a", "b"]
    assert column(board) == ["a", "c", "b"]
    assert Board.objects.get().seq == 5
    assert len(steps(c)) == 1


def test_a_move_lands_where_it_was_dropped(board):
    _, b, c = (make_job(board, location=name, status="scheduled") for name in "abc")
    job = make_job(board, location="new")

    flow.move(job, "scheduled", expect=job.seq, by="Ben", channel="board", before=c.uid, after=b.uid)

    assert column(board, "scheduled") == ["a", "b", "new", "c"]


def test_a_used_up_gap_is_renumbered_with_a_number_for_each_job(board):
    a, b, c, d = (make_job(board, location=name) for name in "abcd")
    Job.objects.filter(pk=b.pk).update(rank=a.rank + 1)

    placed = flow.place(d, expect=d.seq, by="Ben", after=a.uid)

    found = {job.location: job for job in Job.objects.all()}
    assert column(board) == ["a", "d", "b", "c"]
    assert placed.seq == 5
    assert {name: found[name].seq for name in "abcd"} == {"a": 6, "b": 7, "c": 8, "d": 5}
    assert {name: found[name].rank for name in "abc"} == {"a": ranks.GAP, "b": 2 * ranks.GAP, "c": 3 * ranks.GAP}
    assert Board.objects.get().seq == 8
    assert [len(steps(job)) for job in (a, b, c, d)] == [1, 1, 1, 1]


def test_the_order_survives_any_number_of_jobs_in_the_same_gap(board):
    jobs = {name: make_job(board, location=name) for name in "abcxy"}
    expected = list("abcxy")

    for turn in range(60):
        name = "xy"[turn % 2]
        jobs[name].refresh_from_db()
        flow.place(jobs[name], expect=jobs[name].seq, by="Ben", after=jobs["a"].uid)
        expected.remove(name)
        expected.insert(1, name)

        assert column(board) == expected

    assert Board.objects.get().seq > 65  # it was renumbered on the way
    assert sorted(Job.objects.values_list("seq", flat=True))[-1] == Board.objects.get().seq


# --- open_job


def test_history_begins_at_birth(board):
    job = make_job(board, by="Ana")

    assert steps(job) == [("", "requested", "Ana", "board", "", 1)]
    assert job.created_at == job.status_at == job.history.get().at
    assert Board.objects.get().seq == job.seq == 1


def test_a_past_history_is_kept_and_gives_the_status(board):
    past = [
        PastStep("requested", datetime(2026, 5, 1, 9, tzinfo=UTC), "booking", "booking", extra={"ip": "203.0.113.9"}),
        PastStep("cancelled", datetime(2026, 5, 2, 9, tzinfo=UTC), "Ana", "board", "Moved house"),
    ]

    job = make_job(board, past=past, by="import", channel="import")

    job.refresh_from_db()
    assert (job.status, job.status_at, job.created_at) == ("cancelled", past[1].at, past[0].at)
    assert [
        (step.from_status, step.to_status, step.at, step.by, step.reason, step.extra) for step in job.history.all()
    ] == [
        ("", "requested", past[0].at, "booking", "", {"ip": "203.0.113.9"}),
        ("requested", "cancelled", past[1].at, "Ana", "Moved house", {}),
    ]
    assert {step.seq for step in job.history.all()} == {job.seq}


def test_a_bad_job_is_not_opened_and_takes_no_number(board):
    with pytest.raises(ValidationError) as refused:
        make_job(board, location="", customer_phone="12")

    assert set(refused.value.message_dict) == {"location", "customer_phone"}
    assert everything(board) == ([], [], 0)


def test_a_job_cannot_be_born_in_an_unknown_status(board):
    with pytest.raises(Refused) as refused:
        make_job(board, status="lost")

    assert refused.value.code == "unknown_status"
    assert everything(board) == ([], [], 0)


# --- telling


@pytest.fixture
def announced(monkeypatch) -> list[tuple[str, int]]:
    heard: list[tuple[str, int]] = []
    monkeypatch.setattr("dispatch.live.announce", lambda slug, seq: heard.append((slug, seq)))
    return heard


def test_boards_hear_of_each_change_after_its_commit(board, announced, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as commit:
        job = make_job(board)
        job = flow.move(job, "scheduled", expect=1, by="Ben", channel="board")
        job = flow.place(job, expect=2, by="Ben")
        job = flow.edit(job, {"notes": "Two sofas"}, expect=3, by="Ben")
        flow.edit(job, {"notes": "Two sofas"}, expect=4, by="Ben")
    before = list(announced)

    for tell in commit:
        tell()

    assert (before, announced) == ([], [("main", 1), ("main", 2), ("main", 3), ("main", 4)])


def test_a_change_that_is_rolled_back_is_not_told(board, announced, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        make_job(board)
        transaction.set_rollback(True)

    assert (announced, everything(board)) == ([], ([], [], 0))


def test_an_import_tells_nobody(board, announced, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        make_job(board, hint=False)

    assert announced == []


def test_a_broken_channel_layer_does_not_turn_a_change_into_an_error(
    board, monkeypatch, caplog, django_capture_on_commit_callbacks
):
    async def broken(*_):
        raise ConnectionRefusedError("Redis is down")

    monkeypatch.setattr(InMemoryChannelLayer, "group_send", broken)
    monkeypatch.setattr("dispatch.hints._rest_until", 0.0)

    with caplog.at_level(logging.WARNING), django_capture_on_commit_callbacks(execute=True):
        job = make_job(board)

    assert Job.objects.get() == job
    assert [record.getMessage() for record in caplog.records] == ["a hint to board.main was not sent: Redis is down"]


# --- undo


def moved(board, *, by="Ana", to="ready_for_pickup", status="scheduled", **place):
    """A job in the middle of its column that was just moved away."""
    above, job, below = (make_job(board, status=status) for _ in range(3))
    return above, flow.move(job, to, expect=job.seq, by=by, channel="board", **place), below


def order(board, status):
    return list(Job.objects.in_column(board.pk, status).order_by("rank").values_list("pk", flat=True))


def test_undo_puts_a_job_back_where_it_was(board):
    above, job, below = moved(board)

    back = flow.undo(job, expect=job.seq, by="Ana")

    assert (back.status, back.seq) == ("scheduled", 5)
    assert order(board, "scheduled") == [above.pk, job.pk, below.pk]
    last = back.history.last()
    assert (last.from_status, last.to_status, last.by, last.channel, last.seq) == (
        "ready_for_pickup", "scheduled", "Ana", "undo", 5,
    )  # fmt: skip


def test_undo_goes_back_where_the_flow_has_no_way(board):
    job = make_job(board, status="ready_for_pickup")
    job = flow.move(job, "cancelled", expect=job.seq, by="Ana", channel="board", reason="Wrong card")
    with pytest.raises(Refused):
        flow.check_move(job, "ready_for_pickup")

    assert flow.undo(job, expect=job.seq, by="Ana").status == "ready_for_pickup"


@pytest.mark.parametrize(
    ("seconds", "by", "code"),
    [(15, "Ana", None), (16, "Ana", "too_late_to_undo"), (1, "Bo", "not_yours")],
)
def test_undo_is_for_who_made_the_move_and_soon(board, seconds, by, code):
    with time_machine.travel(datetime(2026, 5, 4, 16, tzinfo=UTC), tick=False) as clock:
        _, job, _ = moved(board)
        clock.shift(seconds)
        if code is None:
            assert flow.undo(job, expect=job.seq, by=by).status == "scheduled"
            return
        before = everything(board)
        with pytest.raises(Refused) as refused:
            flow.undo(job, expect=job.seq, by=by)
    assert (refused.value.code, everything(board)) == (code, before)


def test_there_is_nothing_to_undo_after_birth_an_undo_or_an_edit(board):
    born = make_job(board)
    _, undone, _ = moved(board)
    undone = flow.undo(undone, expect=undone.seq, by="Ana")
    _, edited, _ = moved(board)
    edited = flow.edit(edited, {"notes": "Two sofas"}, expect=edited.seq, by="Ana")

    for job in (born, undone, edited):
        with pytest.raises(Refused) as refused:
            flow.undo(job, expect=job.seq, by="Ana")
        assert refused.value.code == "nothing_to_undo"


def test_undo_of_what_a_colleague_changed_since_is_a_conflict(board):
    _, job, _ = moved(board)
    flow.move(job, "en_route", expect=job.seq, by="Bo", channel="board")

    with pytest.raises(Conflict) as conflict:
        flow.undo(job, expect=job.seq, by="Ana")

    assert conflict.value.current.status == "en_route"


def test_undo_of_an_older_row_goes_to_the_usual_place(board):
    above, job, below = moved(board)
    job.history.update(from_rank=None)

    flow.undo(job, expect=job.seq, by="Ana")

    assert order(board, "scheduled") == [above.pk, below.pk, job.pk]
