import json
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from crew import plan, showing
from crew.models import Member, Truck
from crew.sheet import latest, read
from dispatch.models import Board
from tests.crew.factories import make_event, make_member
from tests.factories import make_job


@pytest.fixture
def crowd(board):
    """Six members, five events, and who is on which."""
    names = ("Dee Ramos", "Sam Oak", "Kim Lee", "Ann Poe", "Lou Fox", "Max Orr")
    members = [make_member(board, name, can_captain=True) for name in names]
    events = [make_event(board, f"Event {n}", days=n * 2 + 0.1, first_mates=2, notes=f"Gate {n}") for n in range(5)]
    for number, event in enumerate(events):
        plan.claim(event, members[number % 3], by="")
        plan.assign(event, members[3], "captain", by="Ana")
    return members


def test_a_members_text_is_what_the_projection_says_of_each_event(board, crowd):
    sheet = read("main")

    for member in crowd:
        assert json.loads(sheet.text_for(member)) == {
            "type": "events",
            "board": {"slug": "main", "name": board.name, "timezone": "America/Denver"},
            "seq": sheet.seq,
            "events": [showing.for_member(event, member) for event in showing.upcoming(board)],
        }


def test_the_office_reads_warnings_people_and_trucks(board, crowd):
    Truck.objects.create(board=board, name="Big Red")
    Truck.objects.create(board=board, name="Sold", is_active=False)
    make_member(board, "Gone Girl", is_active=False)

    said = json.loads(read("main").text_for(None))

    assert said["trucks"] == ["Big Red"]
    assert said["members"][1] == {"id": crowd[0].uid, "name": "Dee Ramos", "canCaptain": True, "canFirstMate": True}
    assert [one["name"] for one in said["members"]] == sorted(member.name for member in crowd)
    assert said["events"] == [showing.for_office(event, []) for event in showing.upcoming(board)]


def test_who_is_on_nothing_shares_one_text(board, crowd):
    sheet = read("main")

    assert sheet.text_for(crowd[4]) is sheet.text_for(crowd[5])
    assert sheet.text_for(None) is sheet.text_for(None)


@pytest.mark.parametrize("events", [2, 12])
def test_reading_costs_the_same_however_much_there_is(board, django_assert_num_queries, events):
    member = make_member(board)
    for number in range(events):
        event = make_event(board, f"Event {number}", days=number + 0.1)
        plan.put_job(make_job(board), event, by="Ana")
        plan.claim(event, member, by="")

    with django_assert_num_queries(8):
        sheet = read("main")
    with django_assert_num_queries(0):
        for viewer in (member, Member(board=board, name="Nobody")):
            assert (len(sheet.text_for(viewer)) > 100, len(sheet.jobs_of(viewer)) > events) == (True, False)
            sheet.plan_of(viewer)
        sheet.text_for(None)


def test_comparing_costs_one_row(board, crowd, django_assert_num_queries):
    known = read("main")

    with django_assert_num_queries(1):
        assert latest("main", known) is known


def test_a_moved_number_is_a_new_sheet(board, crowd):
    known = read("main")
    make_event(board, "One more", days=1)

    now = latest("main", known)

    assert (now.seq, len(now.events)) == (known.seq + 1, 6)


def test_an_unknown_board_says_so(board):
    with pytest.raises(Board.DoesNotExist):
        read("nowhere")


def test_a_sheet_is_read_again_after_a_minute(board):
    known = read("main")
    member = make_member(board)  # the roster has no numbers
    known.read_at -= 59
    assert latest("main", known) is known

    known.read_at -= 2

    assert [one.pk for one in latest("main", known).members] == [member.pk]


def test_a_sheet_is_read_again_at_the_boards_midnight(board, monkeypatch):
    at = datetime(2026, 11, 24, 23, 59, 59, tzinfo=ZoneInfo("America/Denver"))
    monkeypatch.setattr(timezone, "now", lambda: at)
    known = read("main")
    assert latest("main", known) is known

    monkeypatch.setattr(timezone, "now", lambda: at + timedelta(seconds=2))

    assert latest("main", known) is not known


def test_the_jobs_of_a_phone_are_those_of_today_and_tomorrow(board, monkeypatch):
    at = datetime(2026, 10, 31, 12, tzinfo=ZoneInfo("America/Denver"))  # the clocks are set back tonight: 25 hours
    monkeypatch.setattr(timezone, "now", lambda: at)
    member, jobs = make_member(board), {}
    for name, days in (("today", 0.4), ("late tomorrow", 1.48), ("the day after", 1.6)):
        event, jobs[name] = make_event(board, name, days=days, hours=1), make_job(board)
        plan.put_job(jobs[name], event, by="Ana")
        plan.claim(event, member, by="")

    sheet = read("main")

    assert sheet.jobs_of(member) == {jobs["today"].pk, jobs["late tomorrow"].pk}
    assert sheet.jobs_of(make_member(board, "Sam Oak")) == set()


def test_a_plan_is_another_one_when_the_day_or_an_event_changed(board, monkeypatch):
    member, other = make_member(board), make_member(board, "Sam Oak")
    event, elsewhere = make_event(board, days=5), make_event(board, "Elsewhere", days=6)
    plan.claim(event, member, by="")
    first = read("main")

    plan.claim(elsewhere, other, by="")
    second = read("main")
    plan.edit_event(event, {"notes": "Bring straps."}, expect=event_seq(event), by="Ana")
    third = read("main")
    tomorrow = timezone.now() + timedelta(days=1)
    monkeypatch.setattr(timezone, "now", lambda: tomorrow)
    fourth = read("main")

    assert first.plan_of(member) == second.plan_of(member)
    assert len({str(sheet.plan_of(member)) for sheet in (second, third, fourth)}) == 3
    assert [sheet.plan_of(other) is None for sheet in (first, second)] == [True, False]


def event_seq(event):
    event.refresh_from_db()
    return event.seq
