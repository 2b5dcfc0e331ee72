"""Whether a message is still to be sent, looked at right before it is: with the job as it is now."""

import re
from collections.abc import Collection
from datetime import datetime

from django.utils import timezone

from dispatch.models import Job

from . import limits, quiet, reminders
from .kinds import KINDS, OF_STATUS
from .ledger import SENDING, Channel, Message, OptOut
from .queueing import OPTED_OUT, OVERTAKEN, QUIET, address

TOO_LATE = "It was too late: it would have been old news."
SWITCHED_OFF = "Messages about this job were switched off."
NO_ADDRESS = {
    "sms": "The job does not have the customer's number any more.",
    "email": "The job does not have the customer's e-mail address any more.",
}
ASKED_FOR = re.compile(r":asked:")


class NotNow(Exception):
    """It has to wait until `until`; None: a few seconds. `why` is for people; may be empty."""

    def __init__(self, until: datetime | None, why: str = "") -> None:
        super().__init__(f"not before {until}")
        self.until, self.why = until, why


class NotAtAll(Exception):
    """The message says why. `otherwise`: the news itself is good, and may go by another channel. `failed`: it was tried."""

    def __init__(self, why: str, *, otherwise: bool = False, failed: bool = False) -> None:
        super().__init__(why)
        self.otherwise, self.failed = otherwise, failed


def check(message: Message, behind: Collection[int] = ()) -> None:
    """`message.job` is read as it is: load it anew, with its board. What was for an address that the job does not have any
    more is for its present one from now on. `behind`: see limits.check. Raises NotNow and NotAtAll."""
    now, job = timezone.now(), message.job
    if now > message.expires_at:
        raise NotAtAll(f"{TOO_LATE} {message.error}".strip(), failed=bool(message.error))
    if not job.board.messages_on:
        raise NotNow(now)
    if _is_old_news(message, job, now):
        raise NotAtAll(OVERTAKEN)
    if not job.customer_notify and not ASKED_FOR.search(message.dedupe_key):
        raise NotAtAll(SWITCHED_OFF)
    _wait_for_newer(message, now)
    _readdress(message, job)
    if message.channel in job.opted_out or message.channel in _opted_out(message):
        raise NotAtAll(OPTED_OUT[message.channel], otherwise=True)
    if message.channel == Channel.SMS and (awake := quiet.over(job.board, now)) > now:
        if awake > message.expires_at:
            raise NotAtAll(QUIET, otherwise=True)
        raise NotNow(awake)
    try:
        limits.check(message, behind)
    except limits.Reached as reached:
        raise NotAtAll(str(reached)) from None
    except limits.Undecided:
        raise NotNow(None) from None


def _opted_out(message: Message) -> list[str]:
    whose = {"phone": "", "email": ""} | {"phone" if message.channel == Channel.SMS else "email": message.recipient}
    return OptOut.objects.channels_of(**whose)


def _wait_for_newer(message: Message, now: datetime) -> None:
    """A confirmation is old news once the same channel told of a later move. While that one waits, perhaps for its Undo,
    the confirmation waits, too: when it is taken back, the customer is to hear of the booking after all."""
    if message.kind != "booked" or ASKED_FOR.search(message.dedupe_key):
        return
    told = {"job_id": message.job_id, "channel": message.channel, "seq__gt": message.seq}
    announced = Message.objects.filter(**told, kind__in=[kind.slug for kind in OF_STATUS.values()])
    if announced.filter(status__in=[Message.Status.SENT, Message.Status.DELIVERED]).exists():
        raise NotAtAll(OVERTAKEN)
    if newer := announced.filter(status__in=[Message.Status.QUEUED, SENDING]).order_by("seq").last():
        raise NotNow(newer.send_after if newer.send_after > now else None)


def _readdress(message: Message, job: Job) -> None:
    """Somebody may have corrected the customer's number or address: strangers do not get the link."""
    present = address(job, message.channel)
    if not present:
        raise NotAtAll(NO_ADDRESS[message.channel], otherwise=True)
    if message.recipient.lower() == present:
        return
    if not Message.objects.filter(pk=message.pk, claim=message.claim, status=SENDING).update(recipient=present):
        raise NotNow(None)  # somebody else has it by now, and does this
    message.recipient = present


def _is_old_news(message: Message, job: Job, now: datetime) -> bool:
    """A move takes back what waits; this is for what was being written down or sent at that moment."""
    if ASKED_FOR.search(message.dedupe_key):
        return False
    of_status = KINDS[message.kind].of_status
    return (bool(of_status) and job.status != of_status) or reminders.is_old(message, job, now)
