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


def punch(client, is_in: bool, key: str, at: datetime = NOW, sent_at: datetime | None = None):
    more = {"sentAt": sent_at.isoformat()} if sent_at else {}
    return send(client, "POST", "/crew/clock", {"in": is_in, "at": at.isoformat()} | more, key=key)


def shifts() -> list[tuple]:
    rows = Shift.objects.order_by("pk")
    return list(rows.values_list("started_at", "started_device_at", "ended_at", "ended_device_at"))


def test_a_day_s_work_is_a_shift_with_the_times_of_both_clocks(dee, morning):
    client, late = phone(dee), timedelta(minutes=7)
    first = punch(client, True, "k-1", NOW - late)
    counts = {"startedAt": "2026-05-04T13:53:00.000Z"}  # what hours are paid by
    assert send(client, "GET", "/crew/plan").json()["shift"] == first.json()["shift"] == counts
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


# --- a phone's clock that is wrong


def skews() -> list[tuple]:
    return list(Shift.objects.order_by("pk").values_list("started_skew", "ended_skew"))


@pytest.mark.parametrize("off", [timedelta(hours=-3), timedelta(hours=3), timedelta(days=-40), timedelta(days=4000)])
def test_who_clocks_in_and_out_at_once_is_counted_by_our_clock_whatever_the_phones(dee, morning, off):
    client = phone(dee)
    morning.move_to(at(8), tick=False)
    shown = punch(client, True, "k-1", at(8) + off, at(8) + off)
    morning.move_to(at(16), tick=False)
    punch(client, False, "k-2", at(16) + off, at(16) + off + timedelta(seconds=2))

    assert shown.json() == {"shift": {"startedAt": "2026-05-04T08:00:00.000Z"}}
    assert hours() == [(at(8), at(16))]
    assert skews() == [(off, off + timedelta(seconds=2))]


@pytest.mark.parametrize("off", [timedelta(hours=-3), timedelta(hours=3), timedelta(days=-40), timedelta(days=4000)])
def test_a_day_without_a_signal_counts_in_full_though_the_clock_is_wrong(dee, morning, off):
    client = phone(dee)
    morning.move_to(at(17), tick=False)
    punch(client, True, "k-1", at(8) + off, at(17) + off)
    punch(client, False, "k-2", at(16, 30) + off, at(17) + off)

    assert hours() == [(at(8), at(16, 30))]
    assert [(start, end) for _, start, _, end in shifts()] == [(at(8) + off, at(16, 30) + off)]


def test_setting_the_clock_back_pays_nothing(dee, morning):
    """Between clocking in and clocking out, or before both."""
    client = phone(dee)
    for hour, key, is_in, back in ((8, "a", True, 4), (12, "b", False, 0), (13, "c", True, 0), (16, "d", False, 2)):
        morning.move_to(at(hour), tick=False)
        punch(client, is_in, key, at(hour - back), at(hour - back))

    assert hours() == [(at(8), at(12)), (at(13), at(16))]


@pytest.mark.parametrize("seconds", [-60, -59, 0, 60])
def test_up_to_a_minute_is_no_wrong_clock(dee, morning, seconds):
    morning.move_to(at(17), tick=False)
    punch(phone(dee), True, "k-1", at(8), at(17) + timedelta(seconds=seconds))

    assert (hours(), skews()) == ([(at(8), None)], [(timedelta(), timedelta())])


@pytest.mark.parametrize(
    ("said", "counts"),
    [
        (at(16, 59, 0), at(17)), (at(16, 58, 59), at(16, 58, 59)),
        (at(17, day=2), at(17, day=2)), (at(16, 59, 59, day=2), at(17)), (at(17, 2), at(17)),
    ],
)  # fmt: skip
@pytest.mark.parametrize("off", [timedelta(hours=-3), timedelta(hours=3, microseconds=1)])
def test_the_bounds_are_those_of_the_time_that_was_put_right(dee, said, counts, off):
    Shift.objects.create(member=dee, started_at=at(17), started_device_at=said + off, started_skew=off)

    assert hours() == [(counts, None)]


def test_each_end_has_a_clock_of_its_own(dee, morning):
    """It was put right in between."""
    client = phone(dee)
    morning.move_to(at(17), tick=False)
    punch(client, True, "k-1", at(5), at(14))
    punch(client, False, "k-2", at(16, 30), at(17))

    assert hours() == [(at(8), at(16, 30))]


def test_the_next_shift_begins_behind_the_end_that_was_put_right(dee):
    off = timedelta(hours=-3)
    Shift.objects.create(
        member=dee, started_at=at(8), started_device_at=at(8), ended_at=at(13), ended_device_at=at(12) + off, ended_skew=off
    )
    Shift.objects.create(member=dee, started_at=at(14), started_device_at=at(11))

    assert hours() == [(at(8), at(12)), (at(12), None)]


@pytest.mark.parametrize("key", ["k-1", "k-2"])
def test_what_the_clock_says_when_it_is_sent_again_makes_it_no_other_one(dee, morning, key):
    client, off = phone(dee), timedelta(hours=-3)
    punch(client, True, "k-1", NOW + off, NOW + off)
    morning.shift(90)

    again = punch(client, True, key, NOW + off, NOW + off + timedelta(seconds=90))

    assert (again.json(), len(shifts())) == ({"shift": {"startedAt": SHOWN}}, 1)
    assert again.get("Idempotent-Replay") == ("true" if key == "k-1" else None)


def test_a_clock_at_sending_that_is_no_time_is_refused(dee):
    body = {"in": True, "at": NOW.isoformat(), "sentAt": "x"}

    assert code(send(phone(dee), "POST", "/crew/clock", body, key="k-1")) == (422, "invalid")


def test_without_the_phones_times_ours_count(dee):
    worked(dee, start=None, start_came=at(8), end=None, end_came=at(16))

    assert hours() == [(at(8), at(16))]
