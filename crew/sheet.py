"""All that a board's crews look like at one moment, read once for everybody who looks: the rows are in memory, and each
viewer's text is made of them.
"""

import json
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from dispatch.models import Board

from . import showing
from .clashes import clashes
from .models import Event, Member, Roster, Truck

READ_AGAIN_SECONDS = 60.0
"""How old a sheet may get when no number moves: events end by themselves, and names on the roster change."""

NEAR = timedelta(days=2)
"""What a member has on their phone: today and tomorrow."""


@dataclass(eq=False)
class Sheet:
    """`events` are from `showing.upcoming`, `warnings` are theirs by key."""

    board: Board
    seq: int
    midnight: datetime
    events: list[Event]
    warnings: dict[int, list[str]]
    members: list[Member]
    trucks: list[str]
    read_at: float = field(default_factory=time.monotonic)

    def for_member(self, member: Member) -> dict[str, Any]:
        return self._head | {"events": [showing.for_member(event, member) for event in self.events]}

    @cached_property
    def for_office(self) -> dict[str, Any]:
        events = [showing.for_office(event, self.warnings[event.pk]) for event in self.events]
        people = [
            {"id": one.uid, "name": one.name, "canCaptain": one.can_captain, "canFirstMate": one.can_first_mate}
            for one in self.members
        ]
        return self._head | {"events": events, "members": people, "trucks": self.trucks}

    def text_for(self, member: Member | None) -> str:
        """The frame of a member, or, for None, of the office. Of each event all members read the same but those who are
        on it, so that two hundred phones cost little more than one."""
        if member is None:
            return self._office_text
        mine = self._own.get(member.pk)
        if mine is None:
            return self._outsiders_text
        texts = dict(zip(self.events, self._outside, strict=True))
        return self._frame([*(texts | {event: _text(showing.for_member(event, member)) for event in mine}).values()])

    def plan_of(self, member: Member) -> tuple[datetime, set[tuple[int, int]]] | None:
        """What makes the member's plan another one, besides the jobs themselves: the day, and which events they are on,
        each with its number. None for somebody without any."""
        mine = self._own.get(member.pk)
        return (self.midnight, {(event.pk, event.seq) for event in mine}) if mine else None

    def jobs_of(self, member: Member) -> set[int]:
        """The keys of the jobs on the member's near events."""
        return {outing.job_id for event in self._near(member) for outing in event.outings.all()}

    def is_fresh(self) -> bool:
        return time.monotonic() - self.read_at < READ_AGAIN_SECONDS and self.midnight == self.board.midnight()

    def _near(self, member: Member) -> Iterator[Event]:
        end = self.board.midnight(self.midnight + NEAR + timedelta(hours=12))  # a day may have 23 hours, or 25
        return (event for event in self._own.get(member.pk, []) if event.starts_at < end)

    @cached_property
    def _head(self) -> dict[str, Any]:
        facts = {"slug": self.board.slug, "name": self.board.name, "timezone": self.board.timezone}
        return {"board": facts, "seq": self.seq}

    @cached_property
    def _own(self) -> dict[int, list[Event]]:
        """By member: the events that they are on."""
        own = defaultdict(list)
        for event in self.events:
            for one in event.people:  # type: ignore[attr-defined]
                own[one.member_id].append(event)
        return dict(own)

    @cached_property
    def _office_text(self) -> str:
        return _text({"type": "events"} | self.for_office)

    @cached_property
    def _outside(self) -> list[str]:
        """Each event as somebody reads it who is not on it."""
        nobody = Member()
        return [_text(showing.for_member(event, nobody)) for event in self.events]

    @cached_property
    def _outsiders_text(self) -> str:
        return self._frame(self._outside)

    def _frame(self, events: list[str]) -> str:
        return f'{_text({"type": "events"} | self._head)[:-1]},"events":[{",".join(events)}]}}'


def read(slug: str) -> Sheet:
    """The number is read before the rows: they may be newer than it says, never older. Raises Board.DoesNotExist."""
    board = Board.objects.get(slug=slug)
    seq, midnight, events = showing.seq(board), board.midnight(), showing.upcoming(board)
    return Sheet(
        board=board,
        seq=seq,
        midnight=midnight,
        events=events,
        warnings=clashes(events),
        members=list(Member.objects.filter(board=board, is_active=True)),
        trucks=list(Truck.objects.filter(board=board, is_active=True).values_list("name", flat=True)),
    )


def latest(slug: str, known: Sheet | None) -> Sheet:
    """The sheet as it is now: `known` itself when nothing moved, for which one row is read. Raises Board.DoesNotExist."""
    if known and known.is_fresh() and known.seq == Roster.objects.seq_of(known.board):
        return known
    return read(slug)


def _text(value: dict[str, Any]) -> str:
    return json.dumps(value, separators=(",", ":"))
