"""People in the crews as an audience of messages: who the reader is now, whether it is still news to them, and what their
messages say. See dispatch/messages/audiences.py.
"""

from collections.abc import Collection
from datetime import datetime
from functools import partial

from django.core.mail import EmailAttachment
from django.urls import reverse

from dispatch.messages.audiences import Audience
from dispatch.messages.checking import NotAtAll
from dispatch.messages.fitting import cut, in_brief, leave_out
from dispatch.messages.ledger import Channel, Message, OptOut
from dispatch.models import Board

from . import doors, message_about, message_evening, message_values
from .message_about import Matter
from .message_calendar import attachment
from .message_kinds import LEAVES, PLAN, SIGN_IN, STAYS_ON
from .models import Assignment, Event
from .telling import OVERTAKEN, needed

LEFT = "They do not work here any more."
BUTTON = {"en": "Open my plan", "es": "Abrir mi plan"}
SIGN_IN_BUTTON = {"en": "Sign in", "es": "Entrar"}


class Crews(Audience):
    chore = "queue the crews' plans of tomorrow"
    placeholders = message_values.PLACEHOLDERS
    footer = "_crew_footer.txt"
    opted_out = {"sms": "They do not want texts.", "email": "They do not want e-mails."}  # noqa: RUF012 a Mapping
    no_address = {  # noqa: RUF012 a Mapping
        "sms": "They do not have this number any more.",
        "email": "They do not have this e-mail address any more.",
    }
    shortenings = (
        partial(cut, "company", 20),
        partial(cut, "where", 24),
        partial(cut, "reason", 24),
        partial(cut, "crew", 12),
        partial(cut, "truck", 16),
        partial(cut, "event", 32),
        in_brief,
        partial(cut, "company", 12),
        partial(leave_out, "where"),
        partial(leave_out, "crew"),
        partial(cut, "reason", 12),
        partial(cut, "truck", 8),
        partial(cut, "event", 16),
        partial(cut, "notes", 12),
        partial(cut, "company", 6),
    )

    def load(self, message: Message) -> None:
        message.loaded = message_about.read(message)
        message.board = (message.loaded.event or message.loaded.member).board

    def check(self, message: Message, now: datetime) -> None:
        matter: Matter = message.loaded
        if not matter.member.is_active:
            raise NotAtAll(LEFT)
        if matter.event and matter.place and not _is_news(message, matter.event, matter.place, now):
            raise NotAtAll(OVERTAKEN)

    def address(self, message: Message, channel: str) -> str:
        member = message.loaded.member
        return str(member.phone if channel == Channel.SMS else member.email.lower())

    def unwanted(self, message: Message) -> Collection[str]:
        member = message.loaded.member
        return OptOut.objects.channels_of(phone=member.phone, email=member.email)

    def values(self, message: Message, language: str) -> dict[str, str]:
        return message_values.of(message.loaded, language, message.channel)

    def sample(
        self, kind: str, board: Board, language: str, channel: str, *, longest: bool = False
    ) -> dict[str, str]:  # fmt: skip
        return message_values.example(board, language, channel, of_event=kind != SIGN_IN, longest=longest)

    def button(self, kind: str, language: str) -> str:
        return (SIGN_IN_BUTTON if kind == SIGN_IN else BUTTON)[language]

    def page(self, message: Message) -> str:
        found = message.loaded.event or message.loaded.member
        return reverse(f"admin:crew_{found._meta.model_name}_change", args=[found.pk])

    def queue_daily(self) -> int:
        return message_evening.queue()

    def needed(self, message: Message) -> datetime | None:
        return needed(message.kind, message.loaded.event)

    def attachments(self, message: Message, language: str) -> Collection[EmailAttachment]:
        event = message.loaded.event
        return [attachment(event, is_on=message.kind not in LEAVES)] if event else []

    def secret_link(self, message: Message) -> str:
        return doors.new_link(message.loaded.member)


def _is_news(message: Message, event: Event, place: Assignment, now: datetime) -> bool:
    """A change takes back what waits; this is for what was being sent at that moment, and for what is sent again."""
    if event.ends_at <= now:
        return False
    if message.kind == PLAN and (event.starts_at <= now or not message_evening.is_for(message, event)):
        return False
    if message.kind in STAYS_ON:
        return event.cancelled_at is None and place.ended_at is None
    return bool(event.cancelled_at) if message.kind == "crew_cancelled" else place.ended_at is not None
