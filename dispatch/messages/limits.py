"""How much may be sent, whatever goes wrong elsewhere: a loop in somebody's program, a mistake in an import, a job that is
moved to and fro. What is over a limit is not sent later either."""

from collections.abc import Collection

from django.conf import settings
from django.db.models import Count, Q, QuerySet

from dispatch.mirror.ledger import from_now

from .ledger import DAY_SECONDS, SENDING, Message

TO_ONE = "{} messages went to this address in 24 hours already (MESSAGES_A_DAY_TO_ONE)."
OF_JOB = "{} messages about this job were sent already (MESSAGES_A_JOB)."
IN_ALL = "{} messages were sent in 24 hours already (MESSAGES_A_DAY)."


class Reached(Exception):
    """No more may be sent. The message says why."""


class Undecided(Exception):
    """It depends on what becomes of others that are being sent at this moment."""


def check(message: Message, behind: Collection[int] = ()) -> None:
    """For one that has been begun. Two workers that begin at once cannot both send the last one: each counts the other's.
    `behind` are those (pks) that the same worker has begun and looks at after this one. Raises Reached and Undecided."""
    others = Message.objects.exclude(pk__in=[message.pk, *behind])
    lately, ever = Q(sent_at__gt=from_now(-DAY_SECONDS)), Q(sent_at__isnull=False)
    _compare(others.filter(recipient=message.recipient), lately, settings.MESSAGES_A_DAY_TO_ONE, TO_ONE)
    _compare(others.filter(job_id=message.job_id), ever, settings.MESSAGES_A_JOB, OF_JOB)


def _compare(others: QuerySet[Message], sent: Q, most: int, words: str) -> None:
    begun = Q(status=SENDING, attempts__gt=0)
    found = others.aggregate(sent=Count("pk", filter=sent), begun=Count("pk", filter=begun & ~sent))
    if found["sent"] >= most:
        raise Reached(words.format(found["sent"]))
    if found["sent"] + found["begun"] >= most:
        raise Undecided


def room() -> int:
    """How many more may be sent in all. Asked once for a batch: several workers together may send a batch more each."""
    return settings.MESSAGES_A_DAY - Message.objects.sent_lately().count() - Message.objects.under_way().count()
