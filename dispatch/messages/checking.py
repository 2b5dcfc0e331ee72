"""Whether a message is still to be sent, looked at right before it is: with the job as it is now."""

import re
from collections.abc import Collection
from datetime import datetime

from django.utils import timezone

from dispatch.models import Job

from . import limits, quiet, reminders
from .kinds import KINDS
from .ledger import Channel, Message, OptOut
from .queueing import OPTED_OUT, OVERTAKEN, QUIET

TOO_LATE = "It was too late: it would have been old news."
ASKED_FOR = re.compile(r":asked:")


class NotNow(Exception):
    """It has to wait until `until`; None: a few seconds."""

    def __init__(self, until: datetime | None) -> None:
        super().__init__(f"not before {until}")
        self.until = until


class NotAtAll(Exception):
    """The message says why. `otherwise`: the news itself is good, and may go by another channel. `failed`: it was tried."""

    def __init__(self, why: str, *, otherwise: bool = False, failed: bool = False) -> None:
        super().__init__(why)
        self.otherwise, self.failed = otherwise, failed


def check(message: Message, behind: Collection[int] = ()) -> None:
    """`message.job` is read as it is: load it anew, with its board. `behind`: see limits.check. Raises NotNow and
    NotAtAll."""
    now, job = timezone.now(), message.job
    if now > message.expires_at:
        raise NotAtAll(f"{TOO_LATE} {message.error}".strip(), failed=bool(message.error))
    if not job.board.messages_on:
        raise NotNow(now)
    if _is_old_news(message, job, now):
        raise NotAtAll(OVERTAKEN)
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
    address = {"phone": "", "email": ""} | {"phone" if message.channel == Channel.SMS else "email": message.recipient}
    return OptOut.objects.channels_of(**address)


def _is_old_news(message: Message, job: Job, now: datetime) -> bool:
    """A move takes back what waits; this is for what was being written down or sent at that moment."""
    if ASKED_FOR.search(message.dedupe_key):
        return False
    of_status = KINDS[message.kind].of_status
    return (bool(of_status) and job.status != of_status) or reminders.is_old(message, job, now)
