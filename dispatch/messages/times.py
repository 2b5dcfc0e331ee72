"""When the crew comes, as customers read it: in the board's zone, with weekday, day, hours and the zone's name."""

from collections.abc import Callable
from datetime import date, datetime

from dispatch.models import Job

DAYS = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "es": ("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"),
}
MONTHS = {
    "en": (
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ),
    "es": (
        "enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre",
        "diciembre",
    ),
}  # fmt: skip
HALVES = {"en": ("AM", "PM"), "es": ("a. m.", "p. m.")}
NO_TIME = {"en": "time to be confirmed", "es": "hora por confirmar"}
NOT_SURE = {"en": "to be confirmed", "es": "por confirmar"}


def in_full(job: Job, language: str) -> str:
    """«Thursday, November 26, 8:00 AM – 10:00 AM MST», for an e-mail."""
    window = _window(job)
    return window_in_full(*window, language) if window else _wish(job, day, language)


def in_short(job: Job, language: str) -> str:
    """«Thu Nov 26, 8-10 AM MST», for a text."""
    window = _window(job)
    return window_in_short(*window, language) if window else _wish(job, _short_day, language)


def in_brief(job: Job, language: str) -> str:
    """A window over two days without the weekdays, which makes it much shorter; another one as `in_short`."""
    window = _window(job)
    return window_in_brief(*window, language) if window else in_short(job, language)


def window_in_full(start: datetime, end: datetime, language: str) -> str:
    """Of moments in the board's zone, as all of these."""
    first, last = (f"{day(moment, language)}, {_time(moment, language)}" for moment in (start, end))
    last = _time(end, language) if start.date() == end.date() else last
    return f"{first} – {last} {end:%Z}"


def window_in_short(start: datetime, end: datetime, language: str) -> str:
    if start.date() == end.date():
        return f"{_short_day(start, language)}, {_hours(start, end)} {end:%Z}"
    return _two_days(start, end, *(_short_day(one, language) for one in (start, end)))


def window_in_brief(start: datetime, end: datetime, language: str) -> str:
    if start.date() == end.date():
        return window_in_short(start, end, language)
    return _two_days(start, end, *(_date(one, language) for one in (start, end)))


def day(moment: date, language: str) -> str:
    """«Thursday, November 26», «jueves 26 de noviembre»."""
    weekday, month = DAYS[language][moment.weekday()], MONTHS[language][moment.month - 1]
    return f"{weekday} {moment.day} de {month}" if language == "es" else f"{weekday}, {month} {moment.day}"


def _window(job: Job) -> tuple[datetime, datetime] | None:
    if job.window_start is None or job.window_end is None:
        return None
    return job.window_start.astimezone(job.board.zone), job.window_end.astimezone(job.board.zone)


def _wish(job: Job, in_words: Callable[[date, str], str], language: str) -> str:
    """Without a window nothing is promised."""
    if job.preferred_day is None:
        return NO_TIME[language]
    return f"{in_words(job.preferred_day, language)}, {NOT_SURE[language]}"


def _short_day(moment: date, language: str) -> str:
    return f"{DAYS[language][moment.weekday()][:3]} {_date(moment, language)}"


def _date(moment: date, language: str) -> str:
    month = MONTHS[language][moment.month - 1][:3]
    return f"{moment.day} {month}" if language == "es" else f"{month} {moment.day}"


def _two_days(start: datetime, end: datetime, first: str, last: str) -> str:
    return f"{first} {_hour(start)} {_half(start)}-{last} {_hour(end)} {_half(end)} {end:%Z}"


def _hours(start: datetime, end: datetime) -> str:
    first = _hour(start) if _half(start) == _half(end) else f"{_hour(start)} {_half(start)}"
    return f"{first}-{_hour(end)} {_half(end)}"


def _hour(moment: datetime) -> str:
    return f"{moment.hour % 12 or 12}{f':{moment:%M}' if moment.minute else ''}"


def _half(moment: datetime) -> str:
    return HALVES["en"][moment.hour >= 12]


def _time(moment: datetime, language: str) -> str:
    return f"{moment.hour % 12 or 12}:{moment:%M} {HALVES[language][moment.hour >= 12]}"
