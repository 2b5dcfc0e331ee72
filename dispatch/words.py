"""Times as people read them: in the board's zone, with weekday, date and the zone's name."""

from datetime import datetime, timedelta, tzinfo


def window_in_words(start: datetime | None, end: datetime | None, zone: tzinfo) -> str:
    """«Tuesday, November 24, 8:00 AM – 10:00 AM MST»."""
    if start is None or end is None:
        return "We have not set a time yet"
    start, end = start.astimezone(zone), end.astimezone(zone)
    if start.date() == end.date():
        return f"{_day(start)}, {_time(start)} – {_time(end)} {end:%Z}"
    return f"{_day(start)}, {_time(start)} – {_day(end)}, {_time(end)} {end:%Z}"


def moment_in_words(moment: datetime, zone: tzinfo, *, year: bool = False) -> str:
    """«Tue, Nov 24, 9:41 AM MST», or with the year after the day."""
    local = moment.astimezone(zone)
    return f"{local:%a, %b} {local.day}{f', {local.year}' if year else ''}, {_time(local)} {local:%Z}"


def ago(passed: timedelta) -> str:
    """«4 s ago», «2 h ago»: in one unit, rounded down."""
    seconds = max(0, int(passed.total_seconds()))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} s ago"


def _day(local: datetime) -> str:
    return f"{local:%A, %B} {local.day}"


def _time(local: datetime) -> str:
    return f"{local.hour % 12 or 12}:{local:%M} {'AM' if local.hour < 12 else 'PM'}"
