"""The coming events of a board as one viewer reads them over the API: what crew/sheet.py sends through the socket, for any
days. Reads only.
"""

from datetime import datetime
from typing import Any

from django.db.models import Prefetch, QuerySet

from dispatch.models import Board

from . import rules, showing
from .clashes import clashes
from .models import Assignment, Event, Member, Outing, Truck
from .sheet import Sheet


def for_member(member: Member, *, since: datetime | None = None, days: int = showing.DAYS) -> dict[str, Any]:
    """Those of their board, whoever is on them. Four queries."""
    seq, events = _read(member.board, since, days)
    sheet = Sheet(
        board=member.board, seq=seq, midnight=member.board.midnight(), events=events, warnings={}, members=[], trucks=[]
    )
    return sheet.for_member(member)


def for_office(board: Board, *, since: datetime | None = None, days: int = showing.DAYS) -> dict[str, Any]:
    """Eight queries at most, however many events there are."""
    seq, events = _read(board, since, days)
    sheet = Sheet(
        board=board,
        seq=seq,
        midnight=board.midnight(),
        events=events,
        warnings=clashes(events),
        members=list(Member.objects.filter(board=board, is_active=True)),
        trucks=list(Truck.objects.filter(board=board, is_active=True).values_list("name", flat=True)),
    )
    return sheet.for_office


def as_seen(event: Event, viewer: Member | None) -> dict[str, Any]:
    """One event as it is now, for a member or (None) for the office."""
    found = prepared(Event.objects.filter(pk=event.pk)).get()
    if viewer:
        return showing.for_member(found, viewer)
    return showing.for_office(found, [] if found.cancelled_at else rules.warnings(found))


def prepared(events: QuerySet[Event]) -> QuerySet[Event]:
    """With what crew/showing.py reads of them. Three queries."""
    present = Assignment.objects.present().select_related("member")
    return events.select_related("truck", "board").prefetch_related(
        Prefetch("assignments", present, to_attr="people"),
        Prefetch("outings", Outing.objects.select_related("job__board")),
    )


def _read(board: Board, since: datetime | None, days: int) -> tuple[int, list[Event]]:
    """The number first: the rows may be newer than it says, never older."""
    return showing.seq(board), showing.upcoming(board, since=since, days=days)
