"""How much may be sent, whatever goes wrong elsewhere: a loop in somebody's program, a mistake in an import, a job that is
moved to and fro. What is over the limit of an address or a job is not sent later either; what is over that of a day
waits."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Self

from django.conf import settings
from django.db.models import Count, Q, QuerySet

from dispatch.mirror.ledger import from_now

from .kinds import ON_DEMAND
from .ledger import DAY_SECONDS, SENDING, Message

TO_ONE = "{} messages went to this address in 24 hours already (MESSAGES_A_DAY_TO_ONE)."
ASKED_FOR = "{} links that were asked for went to this address in 24 hours already."
OF_JOB = "{} messages about this job were sent already (MESSAGES_A_JOB)."
OF_TOPIC = "{} messages about this were sent to them already (MESSAGES_A_JOB)."
IN_ALL = "{} messages were sent in 24 hours already (MESSAGES_A_DAY)."
OF_STRANGERS = "{} bookings from the website were confirmed in 24 hours already (half of MESSAGES_A_DAY)."
STRANGERS = {"kind": "booked", "by": "Website"}
"""What anybody can make us send. It has half a day's room, so that the rest is left for customers."""
ASKED_FOR_TO_ONE = 100
"""In 24 hours. Where links are asked for, too many are refused much earlier and aloud. This says nothing to who asks, and
is for mistakes of ours."""
WAIT_SECONDS = 600
"""What is over the limit of a day looks again so much later."""


class Reached(Exception):
    """No more may be sent. The message says why."""


class Undecided(Exception):
    """It depends on what becomes of others that are being sent at this moment."""


def check(message: Message, behind: Collection[int] = ()) -> None:
    """For one that has been begun. Two workers that begin at once cannot both send the last one: each counts the other's.
    `behind` are those (pks) that the same worker has begun and looks at after this one. Links to sign in are counted by
    themselves (ASKED_FOR_TO_ONE): anybody can ask for one in somebody's name, and must not use up the day of what they have
    to know. Raises Reached and Undecided."""
    others = Message.objects.exclude(pk__in=[message.pk, *behind])
    lately, ever = Q(sent_at__gt=from_now(-DAY_SECONDS)), Q(sent_at__isnull=False)
    to_one = others.filter(recipient=message.recipient)
    if message.kind in ON_DEMAND:
        _compare(to_one.filter(kind__in=ON_DEMAND), lately, ASKED_FOR_TO_ONE, ASKED_FOR)
        return
    _compare(to_one.exclude(kind__in=ON_DEMAND), lately, settings.MESSAGES_A_DAY_TO_ONE, TO_ONE)
    same, words = ({"about": message.about}, OF_TOPIC) if message.about else ({"job_id": message.job_id}, OF_JOB)
    _compare(others.filter(**same), ever, settings.MESSAGES_A_JOB, words)


def _compare(others: QuerySet[Message], sent: Q, most: int, words: str) -> None:
    begun = Q(status=SENDING, attempts__gt=0)
    found = others.aggregate(sent=Count("pk", filter=sent), begun=Count("pk", filter=begun & ~sent))
    if found["sent"] >= most:
        raise Reached(words.format(found["sent"]))
    if found["sent"] + found["begun"] >= most:
        raise Undecided


@dataclass
class Room:
    """How many more may be sent in all, and how many of them for strangers. Counted once for a batch: several workers
    together may send a batch more each."""

    in_all: int
    for_strangers: int

    @classmethod
    def now(cls) -> Self:
        used = [them.aggregate(all=Count("pk"), theirs=Count("pk", filter=Q(**STRANGERS))) for them in _used()]
        most = settings.MESSAGES_A_DAY
        return cls(most - sum(one["all"] for one in used), _half(most) - sum(one["theirs"] for one in used))

    def check(self, message: Message) -> None:
        """Raises Reached."""
        if self.in_all <= 0:
            raise Reached(IN_ALL.format(settings.MESSAGES_A_DAY))
        if _by_stranger(message) and self.for_strangers <= 0:
            raise Reached(OF_STRANGERS.format(_half(settings.MESSAGES_A_DAY)))

    def use(self, message: Message, number: int = 1) -> None:
        """-1 gives it back."""
        self.in_all -= number
        self.for_strangers -= number * _by_stranger(message)


def _used() -> tuple[QuerySet[Message], QuerySet[Message]]:
    return Message.objects.sent_lately(), Message.objects.under_way()


def _by_stranger(message: Message) -> bool:
    return all(getattr(message, name) == value for name, value in STRANGERS.items())


def _half(most: int) -> int:
    return (most + 1) // 2
