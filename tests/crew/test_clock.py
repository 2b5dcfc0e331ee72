"""Clocking in and out."""

from datetime import UTC, datetime, timedelta

import pytest

from crew import clock
from crew.models import Shift
from dispatch.rules import Refused
from tests.crew.factories import make_member
from tests.crew.phones import code, phone, send

NOW = datetime(2026, 5, 4, 14, tzinfo=UTC)
SHOWN = "2026-05-04T14:00:00.000Z"


@pytest.fixture(autouse=True)
def morning(time_machine):
    time_machine.move_to(NOW, tick=False)
    return time_machine


@pytest.fixture
def dee(board):
    return make_member(board)


def punch(client, is_in: bool, key: str, at: datetime = NOW):
    return send(client, "POST", "/crew/clock", {"in": is_in, "at": at.isoformat()}, key=key)


def shifts() -> list[tuple]:
    rows = Shift.objects.order_by("pk")
    return list(rows.values_list("started_at", "started_device_at", "ended_at", "ended_device_at"))


def test_a_day_s_work_is_a_shift_with_the_times_of_both_clocks(dee, morning):
    client, late = phone(dee), timedelta(minutes=7)
    first = punch(client, True, "k-1", NOW - late)
    assert send(client, "GET", "/crew/plan").json()["shift"] == first.json()["shift"] == {"startedAt": SHOWN}
    morning.shift(8 * 3600)

    last = punch(client, False, "k-2", NOW + timedelta(hours=8) - late)

    assert (last.status_code, last.json()) == (200, {"shift": None})
    assert shifts() == [(NOW, NOW - late, NOW + timedelta(hours=8), NOW + timedelta(hours=8) - late)]


@pytest.mark.parametrize("key", ["k-1", "k-2"])
def test_clocking_in_twice_is_one_shift(dee, morning, key):
    client = phone(dee)
    punch(client, True, "k-1")
    morning.shift(60)

    assert punch(client, True, key).json() == {"shift": {"startedAt": SHOWN}}
    assert len(shifts()) == 1


def test_clocking_out_needs_a_shift(dee):
    assert code(punch(phone(dee), False, "k-1")) == (422, "not_in")


@pytest.mark.parametrize("key", ["k-2", "k-3"])
def test_clocking_out_that_is_sent_again_is_done_already(dee, morning, key):
    client = phone(dee)
    punch(client, True, "k-1")
    punch(client, False, "k-2", NOW + timedelta(hours=1))
    morning.shift(7200)

    assert punch(client, False, key, NOW + timedelta(hours=1)).json() == {"shift": None}
    assert code(punch(client, False, "k-4", NOW + timedelta(hours=2))) == (422, "not_in")
    assert [ended for _, _, ended, _ in shifts()] == [NOW]


def test_clocking_out_sent_again_does_not_end_the_next_shift(dee):
    client = phone(dee)
    punch(client, True, "k-1")
    punch(client, False, "k-2", NOW + timedelta(hours=1))
    punch(client, True, "k-3", NOW + timedelta(hours=2))

    assert punch(client, False, "k-4", NOW + timedelta(hours=1)).json() == {"shift": {"startedAt": SHOWN}}


def test_clocking_in_sent_again_after_the_shift_is_no_new_one(dee):
    client = phone(dee)
    punch(client, True, "k-1")
    punch(client, False, "k-2", NOW + timedelta(hours=1))

    assert punch(client, True, "k-3").json() == {"shift": None}
    assert len(shifts()) == 1


def test_times_neither_overlap_nor_go_backwards_though_the_servers_clock_does(dee, morning):
    clock.clock_in(dee, at=NOW)
    morning.shift(-600)
    clock.clock_out(dee, at=NOW)
    morning.shift(-600)
    clock.clock_in(dee, at=NOW + timedelta(seconds=1))

    assert [(start, end) for start, _, end, _ in shifts()] == [(NOW, NOW), (NOW, None)]


def test_everybody_has_their_own_shift(board, dee):
    sam = make_member(board, "Sam Oak")
    clock.clock_in(dee, at=NOW)

    with pytest.raises(Refused):
        clock.clock_out(sam, at=NOW)
    assert shifts()[0][2] is None


@pytest.mark.parametrize(
    "body", [{}, {"in": True}, {"in": "perhaps", "at": "2026-05-04T14:00:00Z"}, {"in": True, "at": "x"}]
)
def test_what_makes_no_sense_is_refused(dee, body):
    assert code(send(phone(dee), "POST", "/crew/clock", body, key="k-1")) == (422, "invalid")


# --- which clock counts


def at(hour: int, minute: int = 0, second: int = 0, *, day: int = 4) -> datetime:
    return datetime(2026, 5, day, hour, minute, second, tzinfo=UTC)


def worked(member, *, start: datetime, end: datetime | None, start_came: datetime, end_came: datetime | None) -> None:
    Shift.objects.create(
        member=member, started_at=start_came, started_device_at=start, ended_at=end_came, ended_device_at=end
    )


def hours() -> list[tuple]:
    return list(clock.counted(Shift.objects.order_by("pk")).values_list("counted_start", "counted_end"))


def test_a_day_without_a_signal_that_is_sent_in_the_evening_counts_in_full(dee, morning):
    client = phone(dee)
    morning.move_to(at(17), tick=False)
    punch(client, True, "k-1", at(8))
    morning.shift(36)
    punch(client, False, "k-2", at(16, 30))

    assert hours() == [(at(8), at(16, 30))]
    assert shifts() == [(at(17), at(8), at(17, 0, 36), at(16, 30))]


@pytest.mark.parametrize(
    ("said", "counts"),
    [
        (at(17, 0, 30), at(17)),
        (at(17, 2), at(17)),
        (at(16, 59, 0), at(17)),
        (at(16, 58, 59), at(16, 58, 59)),
        (at(17, day=2), at(17, day=2)),
        (at(16, 59, 59, day=2), at(17)),
    ],
)
def test_a_phones_time_counts_when_it_was_sent_a_minute_to_two_days_later(dee, said, counts):
    worked(dee, start=said, start_came=at(17), end=None, end_came=None)

    assert hours() == [(counts, None)]


def test_each_end_of_a_shift_counts_by_itself(dee):
    worked(dee, start=at(8), start_came=at(8), end=at(16, 30), end_came=at(17))
    worked(dee, start=at(18), start_came=at(19), end=at(23), end_came=at(20))

    assert hours() == [(at(8), at(16, 30)), (at(18), at(20))]


@pytest.mark.parametrize("end", [at(7), at(8)])
def test_where_a_phone_left_before_it_came_both_ends_count_by_us(dee, end):
    worked(dee, start=at(8), start_came=at(9), end=end, end_came=at(17))

    assert hours() == [(at(9), at(17))]


def test_a_shift_does_not_count_from_before_the_end_of_the_last_one_whatever_a_phone_says(board, dee):
    worked(dee, start=at(8), start_came=at(8), end=at(12), end_came=at(12))
    worked(make_member(board, "Sam Oak"), start=at(8), start_came=at(8), end=at(15), end_came=at(15))
    worked(dee, start=at(9), start_came=at(13), end=at(14), end_came=at(16))

    assert hours() == [(at(8), at(12)), (at(8), at(15)), (at(12), at(14))]


def test_shifts_that_arrive_together_count_one_after_the_other(dee):
    worked(dee, start=at(8), start_came=at(17), end=at(12), end_came=at(17))
    worked(dee, start=at(12, 30), start_came=at(17), end=at(16), end_came=at(17))

    assert hours() == [(at(8), at(12)), (at(12, 30), at(16))]


def test_without_the_phones_times_ours_count(dee):
    worked(dee, start=None, start_came=at(8), end=None, end_came=at(16))

    assert hours() == [(at(8), at(16))]
