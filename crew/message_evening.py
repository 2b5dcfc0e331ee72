"""The evening before: everybody with an event tomorrow gets its plan."""

import re
from collections.abc import Iterable
from datetime import date, datetime, time

from django.db.models import Q
from django.utils import timezone

from dispatch.messages.ledger import Channel, Message
from dispatch.messages.reminders import Day, is_time
from dispatch.models import Board

from .message_kinds import PLAN
from .models import Assignment, Event
from .telling import first_channel, row

FROM = time(18)
"""Of the day before, on the board's wall. Whoever is assigned later than that has just been told."""
EVENING = re.compile(rf":(\d{{4}}-\d\d-\d\d):{PLAN}:")


def queue(now: datetime | None = None) -> int:
    """Writes a plan down for each member and event of tomorrow, once, however many workers do this, and however often.
    Four queries. Returns how many."""
    now = now or timezone.now()
    boards = [board for board in Board.objects.filter(messages_on=True) if is_time(now, board, FROM)]
    days = {board.pk: Day.after(now, board) for board in boards}
    places = [(one, days[one.event.board_id]) for one in _places(days.values(), now)] if days else []
    told = _told([_key(one, day, channel) for one, day in places for channel in Channel]) if places else set()
    rows = [
        plan
        for one, day in places
        if not told & {_key(one, day, channel) for channel in Channel}
        for plan in _rows(one, day, now)
    ]
    Message.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def is_for(message: Message, event: Event) -> bool:
    """Whether this is the plan of the day on which the event now is."""
    found = EVENING.search(message.dedupe_key)
    day = event.starts_at.astimezone(event.board.zone).date()
    return found is not None and date.fromisoformat(found[1]) == day


def _places(days: Iterable[Day], now: datetime) -> Iterable[Assignment]:
    which = Q()
    for day in days:
        evening = datetime.combine(now.astimezone(day.board.zone).date(), FROM, tzinfo=day.board.zone)
        tomorrow = Q(event__starts_at__gte=day.begins, event__starts_at__lt=day.ends)
        which |= Q(tomorrow, event__board=day.board, since__lt=evening)
    present = Assignment.objects.present().filter(which, event__cancelled_at=None, member__is_active=True)
    return present.select_related("event__board", "member").order_by("event__starts_at", "pk")


def _told(keys: list[str]) -> set[str]:
    return set(Message.objects.filter(dedupe_key__in=keys).values_list("dedupe_key", flat=True))


def _key(place: Assignment, day: Day, channel: str) -> str:
    return f"crew:{place.event.uid}:{day.date.isoformat()}:{PLAN}:{place.member.uid}:{channel}"


def _rows(place: Assignment, day: Day, now: datetime) -> Iterable[Message]:
    """Of no use once the event has begun. A text that would wait for that in the quiet hours is looked at at once, and sent
    as an e-mail instead if that can be."""
    event, key = place.event, f"{day.date.isoformat()}:{PLAN}"
    for channel in first_channel(place.member):
        made = row(place.member, PLAN, channel, event=event, key=key, by="", at=now, due=now)
        made.expires_at = min(made.expires_at, event.starts_at)
        if made.send_after >= made.expires_at:
            made.send_after = now
        yield made
