"""The calendar of a board's events: a month as a grid, or a week as a list with people and jobs. It needs no script."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Count, Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from dispatch.models import Board

from .models import Assignment, Event, Outing, Role
from .places import State, state, state_in_words
from .weeks import WEEK, midnight, next_month, previous_month, week_in_words, week_of, weeks_of_month

YEARS = range(1971, 2200)
"""What a calendar can show without leaving what dates and time zones know."""


@dataclass
class Entry:
    event: Event
    state: State
    words: str
    when: str
    people: list[str]


@dataclass
class Day:
    date: date
    is_outside: bool
    """It belongs to the month before or after."""
    is_today: bool
    entries: list[Entry]


def answer(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """`?month=2026-11`, or `?week=` with any day of it; without either, this month. `?board=` is a slug. What is no date
    is this month, too."""
    boards = list(Board.objects.order_by("pk"))
    board = next((one for one in boards if one.slug == request.GET.get("board")), boards[0])
    today = timezone.now().astimezone(board.zone).date()
    if day := _date(request.GET.get("week", "")):
        shown = _week(board, week_of(day), today)
    else:
        shown = _month(board, _date(f"{request.GET.get('month', '')}-01") or today.replace(day=1), today)
    others = [(one.name, f"?{urlencode({'board': one.slug})}") for one in boards if one != board]
    context |= shown | {"board": board, "others": others, "opts": Event._meta}
    return TemplateResponse(request, "admin/crew/event/calendar.html", context)


def _month(board: Board, first: date, today: date) -> dict[str, Any]:
    weeks = list(weeks_of_month(first))
    entries = _entries(board, weeks[0][0], weeks[-1][-1])
    here = today if today.replace(day=1) == first else first
    return {
        "title": f"{first:%B %Y}",
        "weeks": [
            [Day(day, day.month != first.month, day == today, entries.get(day, [])) for day in week] for week in weeks
        ],
        "names": [f"{day:%A}" for day in weeks[0]],
        "earlier": ("Previous month", _address(board, month=previous_month(first))),
        "later": ("Next month", _address(board, month=next_month(first))),
        "now": ("This month", _address(board, month=today)),
        "other": ("Week as a list", _address(board, week=here)),
    }


def _week(board: Board, start: date, today: date) -> dict[str, Any]:
    days = [start + timedelta(days=number) for number in range(7)]
    entries = _entries(board, days[0], days[-1])
    return {
        "title": f"Week of {week_in_words(start)}",
        "days": [Day(day, False, day == today, entries.get(day, [])) for day in days],
        "earlier": ("Previous week", _address(board, week=start - WEEK)),
        "later": ("Next week", _address(board, week=start + WEEK)),
        "now": ("This week", _address(board, week=today)),
        "other": ("Month", _address(board, month=max(start, (start + timedelta(days=6)).replace(day=1)))),
    }


def _entries(board: Board, first: date, last: date) -> dict[date, list[Entry]]:
    """By the day on which they begin. Three queries."""
    start, end = midnight(first, board.zone), midnight(last + timedelta(days=1), board.zone)
    found: dict[date, list[Entry]] = {}
    for event in _prepared(Event.objects.on_board(board).filter(starts_at__gte=start, starts_at__lt=end)):
        local = event.starts_at.astimezone(board.zone)
        found.setdefault(local.date(), []).append(_entry(event, board))
    return found


def _prepared(events: QuerySet[Event]) -> QuerySet[Event]:
    people = Assignment.objects.present().select_related("member").order_by("role", "place")
    jobs = Outing.objects.select_related("job")
    counted = events.select_related("truck").annotate(job_count=Count("outings"))
    return counted.prefetch_related(Prefetch("assignments", people, to_attr="people"), Prefetch("outings", jobs))


def _entry(event: Event, board: Board) -> Entry:
    how = state(event)
    people = [
        f"{one.member.name} ({Role(one.role).label.lower()})"
        for one in event.people  # type: ignore[attr-defined]
    ]
    return Entry(event, how, state_in_words(event, how), _hours(event, board), people)


def _hours(event: Event, board: Board) -> str:
    """«8:00 AM – 4:00 PM», with the day when it ends on another one."""
    start, end = event.starts_at.astimezone(board.zone), event.ends_at.astimezone(board.zone)
    other_day = "" if start.date() == end.date() else f"{end:%a} "
    return f"{start.hour % 12 or 12}:{start:%M %p} – {other_day}{end.hour % 12 or 12}:{end:%M %p}"


def _date(written: str) -> date | None:
    try:
        day = date.fromisoformat(written)
    except ValueError:
        return None
    return day if day.year in YEARS else None


def _address(board: Board, **what: date) -> str:
    [(name, day)] = what.items()
    shown = f"{day:%Y-%m}" if name == "month" else day.isoformat()
    return f"{reverse('admin:crew_event_calendar')}?{urlencode({name: shown, 'board': board.slug})}"
