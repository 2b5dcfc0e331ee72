"""What a message to somebody in the crews is about, as it stands in `Message.about`: an event and whose place in it, or the
person alone.
"""

import re
from dataclasses import dataclass

from dispatch.messages.checking import NotAtAll
from dispatch.messages.ledger import Message

from .models import Assignment, Event, Member

GONE = "Who or what this was about does not exist any more."
NAMES = re.compile(r"(?:event:(?P<event>[^/]+)/)?member:(?P<member>[^/]+)")


@dataclass(frozen=True, slots=True)
class Matter:
    """As it is now. `event` and `place` are None for a link to sign in; `place` is the latest that the member had there."""

    member: Member
    event: Event | None
    place: Assignment | None


def of_place(event: Event, member: Member) -> str:
    return f"event:{event.uid}/{of_member(member)}"


def of_member(member: Member) -> str:
    return f"member:{member.uid}"


def read(message: Message) -> Matter:
    """Raises NotAtAll when it is gone."""
    names = NAMES.fullmatch(message.about)
    member = names and Member.objects.select_related("board").filter(uid=names["member"]).first()
    if not names or not member:
        raise NotAtAll(GONE)
    if not names["event"]:
        return Matter(member, None, None)
    event = Event.objects.select_related("board", "truck").filter(uid=names["event"]).first()
    place = event and Assignment.objects.filter(event=event, member=member).order_by("pk").last()
    if not event or not place:
        raise NotAtAll(GONE)
    return Matter(member, event, place)
