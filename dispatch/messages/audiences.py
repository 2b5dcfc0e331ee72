"""Whom messages are for. Everything about sending is the same for all of them; who the reader is now, whether it is still
news and what fills the gaps in the words, an audience knows. `of_jobs` is the one of this app, and other apps register
theirs when they are ready, so that nothing here imports them.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from django.core.mail import EmailAttachment

from .fitting import Step
from .kinds import KINDS
from .ledger import Message

if TYPE_CHECKING:
    from dispatch.models import Board


class Audience(ABC):
    """`load` comes first, always: the rest reads what it found, as it is now."""

    placeholders: Mapping[str, str]
    """What may stand between double braces, and what stands for it."""
    shortenings: tuple[Step, ...]
    """What is given up for one text, in this order."""
    footer: str
    """The file in `templates/mail/<language>` that ends an e-mail."""
    opted_out: Mapping[str, str]
    """By channel: why somebody is not written to, in words for the office."""
    no_address: Mapping[str, str]
    """By channel: that there is none any more."""

    chore: str
    """What `queue_daily` does, for a log."""

    @abstractmethod
    def load(self, message: Message) -> None:
        """Reads what the message is about anew, and `message.board` with it. Raises checking.NotAtAll when that is gone."""

    @abstractmethod
    def check(self, message: Message, now: datetime) -> None:
        """Raises checking.NotNow and checking.NotAtAll unless it is still news."""

    @abstractmethod
    def address(self, message: Message, channel: str) -> str:
        """Where its reader is reached now; may be empty."""

    @abstractmethod
    def unwanted(self, message: Message) -> Collection[str]:
        """The channels by which its reader does not want to be written to."""

    @abstractmethod
    def values(self, message: Message, language: str) -> dict[str, str]:
        """What is filled in: a value for each placeholder, "" for what is not known."""

    @abstractmethod
    def sample(
        self, kind: str, board: "Board", language: str, channel: str, *, longest: bool = False
    ) -> dict[str, str]:  # fmt: skip
        """The same of somebody who does not exist: ordinary values, or the longest that occur."""

    @abstractmethod
    def button(self, kind: str, language: str) -> str:
        """What stands on the link of an e-mail."""

    @abstractmethod
    def page(self, message: Message) -> str:
        """The admin's page of what it is about."""

    @abstractmethod
    def queue_daily(self) -> int:
        """Writes down what a time of day brings about. Called every minute by every worker, so that what is written twice
        is there once."""

    def needed(self, message: Message) -> datetime | None:
        """By when its reader has to know, even by a text in the quiet hours; None: it can wait for their end."""
        return None

    def attachments(self, message: Message, language: str) -> Collection[EmailAttachment]:
        return ()

    def secret_link(self, message: Message) -> str:
        """A new one, for this sending. Asked of kinds that are `on_demand`."""
        raise NotImplementedError(f"{message.kind} has no secret link")


AUDIENCES: dict[str, Audience] = {}
"""By the name that stands in `Kind.audience`."""


def register(name: str, audience: Audience) -> None:
    """When an app is ready."""
    AUDIENCES[name] = audience


def of(message: Message) -> Audience:
    return of_kind(message.kind)


def of_kind(kind: str) -> Audience:
    return AUDIENCES[KINDS[kind].audience]
