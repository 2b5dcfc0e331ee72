"""Days and weeks of a board, as its people count them. A week begins on Sunday."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

WEEK = timedelta(days=7)


def week_of(day: date) -> date:
    """The Sunday that a day's week begins with."""
    return day - timedelta(days=day.isoweekday() % 7)


def weeks_of_month(first: date) -> Iterator[list[date]]:
    """The whole weeks that have a day of the month. `first` is the first of it."""
    start = week_of(first)
    while start < next_month(first):
        yield [start + timedelta(days=number) for number in range(7)]
        start += WEEK


def next_month(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1)


def previous_month(first: date) -> date:
    return (first - timedelta(days=1)).replace(day=1)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """When a day begins there."""
    return datetime.combine(day, time(), zone)


def week_in_words(start: date) -> str:
    """«Nov 22 – Nov 28, 2026»."""
    end = start + timedelta(days=6)
    return f"{start:%b} {start.day} – {end:%b} {end.day}, {end.year}"
