"""Times as customers read them, in the active language. English is as everywhere else: dispatch/words.py. The page's
script makes the same texts: static/tracking/dates.js."""

import re
from datetime import datetime, tzinfo

from django.utils.dates import MONTHS, WEEKDAYS
from django.utils.translation import get_language

from dispatch import words


def window_in_words(start: datetime | None, end: datetime | None, zone: tzinfo) -> str:
    """«Thursday, November 26, 8:00 AM – 10:00 AM MST», «jueves 26 de noviembre, 8:00 a. m. – 10:00 a. m. MST»; empty
    without a window."""
    if start is None or end is None:
        return ""
    if not _spanish():
        return words.window_in_words(start, end, zone)
    first, last = start.astimezone(zone), end.astimezone(zone)
    until = "" if first.date() == last.date() else f"{_day(last)}, "
    return f"{_day(first)}, {_time(first)} – {until}{_time(last)} {last:%Z}"


def moment_in_words(moment: datetime, zone: tzinfo) -> str:
    """«Tue, Nov 24, 9:41 AM MST», «mar 24 nov, 9:41 a. m. MST»."""
    if not _spanish():
        return words.moment_in_words(moment, zone)
    local = moment.astimezone(zone)
    return f"{_weekday(local)[:3]} {local.day} {_month(local)[:3]}, {_time(local)} {local:%Z}"


def time_in_words(moment: datetime, zone: tzinfo) -> str:
    """«9:41 AM MST», «9:41 a. m. MST»."""
    local = moment.astimezone(zone)
    return f"{_time(local)} {local:%Z}"


def in_two(text: str) -> tuple[str, str]:
    """The day and the hours of a window, so that a line breaks between them first."""
    start = re.search(r"\d{1,2}:\d\d", text)
    return (text[: start.start()], text[start.start() :]) if start else (text, "")


def _spanish() -> bool:
    return (get_language() or "").startswith("es")


def _day(local: datetime) -> str:
    return f"{_weekday(local)} {local.day} de {_month(local)}"


def _time(local: datetime) -> str:
    halves = ("a. m.", "p. m.") if _spanish() else ("AM", "PM")
    return f"{local.hour % 12 or 12}:{local:%M} {halves[local.hour // 12]}"


def _weekday(local: datetime) -> str:
    return str(WEEKDAYS[local.weekday()])


def _month(local: datetime) -> str:
    return str(MONTHS[local.month])
