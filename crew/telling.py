"""What people of the crews are told, by e-mail or text, through the ledger of messages. Called inside the transaction of
the change that it tells of.

It goes by e-mail, or by text to who has no e-mail address; what others decide about an event of the next 24 hours goes by
text, too. It waits as long as an Undo, so that what is put right at once is told once, and is written when it is sent, from
the event as it is then.
"""

import secrets
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from dispatch.messages import quiet
from dispatch.messages.kinds import KINDS, UNDO_SECONDS
from dispatch.messages.ledger import WAITING, Channel, Message

from . import message_about
from .message_kinds import ALSO_BY_TEXT, JOINS, LEAVES, PLAN, SIGN_IN
from .models import Assignment, Event, Member

SOON = timedelta(hours=24)
OVERTAKEN = "The plan has moved on since."
ASKED_AGAIN = "They asked for another one."


def one(assignment: Assignment, kind: str, *, by: str) -> None:
    """Tells the member of one assignment. A reason is read from the history when the message is written."""
    event, member, now = assignment.event, assignment.member, timezone.now()
    if event.ends_at <= now or not (news := _news(message_about.of_place(event, member), kind)):
        return
    due = now + timedelta(seconds=UNDO_SECONDS)
    rows = [
        row(member, news, channel, event=event, key=f"{event.seq}:{news}", by=by, at=now, due=due)
        for channel in _channels(member, event, kind, by, now)
    ]
    Message.objects.bulk_create(rows, ignore_conflicts=True)


def all_of(event: Event, kind: str, *, by: str) -> None:
    """Tells everybody who has a place in an event."""
    for assignment in event.assignments.present().select_related("member"):
        one(assignment, kind, by=by)


def sign_in_link(member: Member, *, by: str) -> None:
    """Sends a link to sign in, now. It is made when it is sent, and kept nowhere. Of several that wait the last is sent."""
    now = timezone.now()
    Message.objects.take_back(ASKED_AGAIN, about=message_about.of_member(member), kind=SIGN_IN)
    key = f"{secrets.token_hex(6)}:{SIGN_IN}"
    rows = [row(member, SIGN_IN, channel, event=None, key=key, by=by, at=now, due=now) for channel in first_channel(member)]
    Message.objects.bulk_create(rows)


def first_channel(member: Member) -> list[str]:
    """The one by which somebody is told what is not urgent. Whoever does not want it, or whose mail comes back, gets the
    other: the sender sees to that."""
    return [Channel.EMAIL] if member.email else [Channel.SMS] if member.phone else []


def row(
    member: Member, kind: str, channel: str, *, event: Event | None, key: str, by: str, at: datetime, due: datetime
) -> Message:  # fmt: skip
    """A message that is to leave at `due`. Of one `key`, member and channel there is one."""
    what, board = KINDS[kind], event.board if event else member.board
    return Message(
        board=board,
        about=message_about.of_place(event, member) if event else message_about.of_member(member),
        topic=f"{member.name}: {event or 'to sign in'}",
        kind=kind,
        channel=channel,
        recipient=member.phone if channel == Channel.SMS else member.email.lower(),
        language=member.language,
        dedupe_key=f"crew:{event.uid if event else 'sign-in'}:{key}:{member.uid}:{channel}",
        seq=event.seq if event else 0,
        by=by[:150],
        created_at=at,
        send_after=quiet.until(what, channel, board, due, needed=needed(kind, event)),
        expires_at=due + what.shelf,
    )


def needed(kind: str, event: Event | None) -> datetime | None:
    """By when somebody has to know: when the event begins. A text that would come later than that leaves in the quiet
    hours. None for what can wait: the plan repeats what they have been told, and a link has nothing to wait for."""
    return event.starts_at if event and kind != PLAN else None


def _channels(member: Member, event: Event, kind: str, by: str, now: datetime) -> Iterator[str]:
    yield from first_channel(member)
    by_others = kind in ALSO_BY_TEXT and by != member.name
    if member.email and member.phone and by_others and event.starts_at - now <= SOON:
        yield Channel.SMS


def _news(about: str, kind: str) -> str | None:
    """What is to be told, now that what waits about this place is old. Whoever has not heard of a place yet hears of it as
    it is now, and nothing of one that is gone again."""
    waiting = Message.objects.filter(_overtaken_by(kind), about=about, status__in=WAITING)
    pks = list(waiting.values_list("pk", flat=True))
    if not pks or not Message.objects.take_back(OVERTAKEN, pk__in=pks):
        return kind
    unheard = _unheard(about, pks)
    if not unheard or kind in JOINS:
        return kind
    return None if kind in LEAVES else unheard


def _overtaken_by(kind: str) -> Q:
    """Who has no place any more needs to hear nothing else about it, and who has one need not hear that they had none.
    Otherwise only the same news gets old: that somebody stays on says nothing of a new hour, nor the other way round."""
    if kind in LEAVES:
        return Q()
    if kind in JOINS:
        return ~Q(kind=PLAN)  # it is written when it is sent
    return Q(kind__in=(kind, *JOINS))


def _unheard(about: str, pks: list[int]) -> str:
    """The kind of the message that was to tell of the place and has been taken back before anybody began to send it by any
    channel; "" when there is none."""
    told = Message.objects.filter(about=about, kind__in=JOINS)
    taken = told.filter(pk__in=pks, status=Message.Status.CANCELLED).values_list("kind", "seq").last()
    if taken is None or told.filter(kind=taken[0], seq=taken[1], attempts__gt=0).exists():
        return ""
    return str(taken[0])
