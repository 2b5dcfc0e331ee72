"""The calendar of events in the admin: the right days, in words, for every month there is."""

import html
import re
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine

from crew import plan
from crew.models import Event, Role, Truck
from crew.weeks import next_month, previous_month, week_in_words, week_of
from dispatch.models import Board
from tests.crew.factories import make_event, make_member
from tests.factories import make_job

CALENDAR = "/admin/crew/event/calendar/"
NOON = datetime(2026, 11, 24, 19, tzinfo=UTC)


@pytest.fixture
def office(client, admin):
    client.force_login(admin)
    return client


@pytest.fixture(autouse=True)
def on_the_24th():
    with time_machine.travel(NOON, tick=False):
        yield


def at(board: Board, day: date, hour: float = 7) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=board.zone) + timedelta(hours=hour)


def outing(board: Board, title: str, day: date, **fields) -> Event:
    return make_event(board, title, starts_at=at(board, day), ends_at=at(board, day, 16), **fields)


def text(answer) -> str:
    body = answer.content.decode().split('id="content-main"')[1]
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body)))


def days(answer) -> dict[str, list[str]]:
    """The titles by day, of days that have events."""
    shown = [day for week in answer.context["weeks"] for day in week]
    return {str(day.date): [entry.event.title for entry in day.entries] for day in shown if day.entries}


def where(answer) -> dict[str, str]:
    return {key: answer.context[key][1].split("?")[1] for key in ("earlier", "now", "later", "other")}


def test_a_month_is_whole_weeks_from_sunday_on(office, board):
    answer = office.get(CALENDAR, {"month": "2026-11"})

    weeks = answer.context["weeks"]
    assert (answer.context["title"], answer.context["names"][0], answer.context["names"][6]) == (
        "November 2026", "Sunday", "Saturday",
    )  # fmt: skip
    assert [str(week[0].date) for week in weeks] == [f"2026-11-{n:02}" for n in (1, 8, 15, 22, 29)]
    assert [str(day.date) for week in weeks for day in week if day.is_today] == ["2026-11-24"]
    assert [str(day.date) for week in weeks for day in week if day.is_outside] == [f"2026-12-0{n}" for n in range(1, 6)]


def test_events_stand_on_the_day_of_their_board(office, board):
    """At 23:30 in Denver it is the next day in UTC."""
    late = at(board, date(2026, 11, 30), 23.5)
    make_event(board, "Late", starts_at=late, ends_at=late + timedelta(hours=4))
    outing(board, "Early", date(2026, 12, 1))
    outing(board, "October", date(2026, 10, 31))

    answer = office.get(CALENDAR, {"month": "2026-11"})

    assert days(answer) == {"2026-11-30": ["Late"], "2026-12-01": ["Early"]}
    assert "11:30 PM – Tue 3:30 AM" in text(answer)


def test_how_an_event_stands_is_in_words(office, board):
    dee = make_member(board, "Dee Ramos", can_captain=True)
    truck = Truck.objects.create(board=board, name="Truck 1")
    free = outing(board, "Free", date(2026, 11, 25), first_mates=2, truck=truck)
    full = outing(board, "Full", date(2026, 11, 26), captains=0)
    off = outing(board, "Off", date(2026, 11, 27))
    over = outing(board, "Over", date(2026, 11, 23))
    plan.assign(free, dee, Role.CAPTAIN, by="Ana")
    plan.claim(full, dee, by="Dee")
    plan.cancel_event(off, by="Ana", reason="Snow")
    plan.put_job(make_job(board), free, by="Ana")

    entries = {
        entry.event.title: entry
        for week in office.get(CALENDAR, {"month": "2026-11"}).context["weeks"]
        for day in week
        for entry in day.entries
    }

    said = text(office.get(CALENDAR, {"month": "2026-11"}))
    assert {title: (entry.state.icon, entry.words) for title, entry in entries.items()} == {
        "Over": ("–", "over"), "Free": ("○", "free: 2 first mates"), "Full": ("●", "full"), "Off": ("✕", "cancelled"),
    }  # fmt: skip
    assert "Free 7:00 AM – 4:00 PM · Truck 1 · 1 job Dee Ramos (captain) ○ free: 2 first mates" in said
    assert f'href="/admin/crew/event/{over.pk}/change/"' in office.get(CALENDAR).content.decode()


def test_a_week_is_a_list_with_the_jobs(office, board):
    event = outing(board, "North", date(2026, 11, 25))
    outing(board, "Next week", date(2026, 11, 29))
    plan.put_job(make_job(board, location="1 Elm St"), event, by="Ana")

    answer = office.get(CALENDAR, {"week": "2026-11-25"})

    assert answer.context["title"] == "Week of Nov 22 – Nov 28, 2026"
    assert [len(day.entries) for day in answer.context["days"]] == [0, 0, 0, 1, 0, 0, 0]
    assert "1 Elm St" in text(answer)
    assert "Next week 7:00" not in text(answer)


def test_the_way_on_and_back(office, board):
    month = where(office.get(CALENDAR, {"month": "2026-12"}))
    week = where(office.get(CALENDAR, {"week": "2026-11-30"}))

    assert month == {
        "earlier": "month=2026-11&board=main", "later": "month=2027-01&board=main", "now": "month=2026-11&board=main",
        "other": "week=2026-12-01&board=main",
    }  # fmt: skip
    assert week == {
        "earlier": "week=2026-11-22&board=main", "later": "week=2026-12-06&board=main",
        "now": "week=2026-11-24&board=main", "other": "month=2026-12&board=main",
    }  # fmt: skip


@pytest.mark.parametrize("query", [{}, {"month": "2026-13"}, {"month": "x"}, {"month": "9999-12"}, {"week": "0001-01-01"}])
def test_what_is_no_date_is_this_month(office, board, query):
    answer = office.get(CALENDAR, query)

    assert (answer.status_code, answer.context["title"]) == (200, "November 2026")


def test_today_is_that_of_the_board(office, board):
    with time_machine.travel(datetime(2026, 12, 1, 5, tzinfo=UTC), tick=False):  # 22:00 on November 30 in Denver
        assert office.get(CALENDAR).context["title"] == "November 2026"


def test_each_board_has_its_own(office, board):
    other = Board.objects.create(slug="boulder", name="Boulder", timezone="UTC")
    outing(other, "Theirs", date(2026, 11, 25))
    outing(board, "Ours", date(2026, 11, 25))

    ours, theirs = office.get(CALENDAR), office.get(CALENDAR, {"board": "boulder"})

    assert (days(ours), days(theirs)) == ({"2026-11-25": ["Ours"]}, {"2026-11-25": ["Theirs"]})
    assert ours.context["others"] == [("Boulder", "?board=boulder")]


def test_a_month_costs_the_same_however_full_it_is(office, board, django_assert_num_queries):
    dee = make_member(board, "Dee Ramos", can_captain=True)
    office.get(CALENDAR)
    for number in range(1, 29):
        event = outing(board, f"Day {number}", date(2026, 11, number), captains=1)
        if number > 24:
            plan.assign(event, dee, Role.CAPTAIN, by="Ana")
            plan.put_job(make_job(board), event, by="Ana")

    with django_assert_num_queries(6):  # session, user, boards, events, people, jobs
        office.get(CALENDAR)


def test_the_day_with_an_hour_more_is_whole(office, board):
    """Denver set its clocks back on Sunday, November 1, 2026."""
    late = datetime(2026, 11, 2, 6, 30, tzinfo=UTC)  # 23:30 on Sunday
    make_event(board, "Late", starts_at=late, ends_at=late + timedelta(hours=1))

    assert days(office.get(CALENDAR)) == {"2026-11-01": ["Late"]}


@pytest.mark.parametrize(
    ("day", "sunday"), [(date(2026, 11, 22), date(2026, 11, 22)), (date(2026, 11, 28), date(2026, 11, 22))]
)
def test_a_week_begins_on_sunday(day, sunday):
    assert week_of(day) == sunday


def test_months_follow_each_other_over_the_year():
    assert (next_month(date(2026, 12, 1)), previous_month(date(2027, 1, 1))) == (date(2027, 1, 1), date(2026, 12, 1))
    assert week_in_words(date(2026, 12, 27)) == "Dec 27 – Jan 2, 2027"
