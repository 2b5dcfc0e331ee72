"""Who and what is in two places at once, for many events together. `rules.warnings` says the same of a single one."""

from django.db.models import Prefetch

from .models import Assignment, Event


def clashes(events: list[Event]) -> dict[int, list[str]]:
    """The warnings of each event, by its key. `events` are one board's, from `showing.upcoming`. Two queries at most,
    however many they are. A cancelled event clashes with nothing."""
    on = [event for event in events if event.cancelled_at is None]
    known = sorted([*on, *_at_the_edges(on)], key=lambda event: (event.starts_at, event.pk))
    return {event.pk: [] if event.cancelled_at else _warnings(event, _others(event, known)) for event in events}


def _at_the_edges(events: list[Event]) -> list[Event]:
    """What the screen leaves out and shares a minute with what it shows."""
    if not events:
        return []
    start, end = min(event.starts_at for event in events), max(event.ends_at for event in events)
    around = Event.objects.on_board(events[0].board).overlapping(start, end)
    present = Prefetch("assignments", Assignment.objects.present(), to_attr="people")
    return list(around.exclude(pk__in=[event.pk for event in events]).prefetch_related(present))


def _others(event: Event, known: list[Event]) -> list[Event]:
    return [
        other
        for other in known
        if other.starts_at < event.ends_at and event.starts_at < other.ends_at and other.pk != event.pk
    ]


def _warnings(event: Event, others: list[Event]) -> list[str]:
    found = []
    truck = next((other for other in others if event.truck_id and other.truck_id == event.truck_id), None)
    if truck:
        found.append(f"{event.truck} is on “{truck.title}” at the same time.")
    for one in event.people:  # type: ignore[attr-defined]
        elsewhere = next((other for other in others if one.member_id in _members(other)), None)
        if elsewhere:
            found.append(f"{one.member.first_name} is on “{elsewhere.title}” at the same time.")
    return found


def _members(event: Event) -> set[int]:
    return {one.member_id for one in event.people}  # type: ignore[attr-defined]
