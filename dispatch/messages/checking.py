"""Whether a message is still to be sent, looked at right before it is: with what it is about as it is now."""

from collections.abc import Collection
from datetime import datetime

from django.utils import timezone

from . import audiences, limits, quiet
from .audiences import Audience
from .kinds import KINDS, ON_DEMAND
from .ledger import SENDING, Channel, Message, OptOut
from .queueing import QUIET

TOO_LATE = "It was too late: it would have been old news."


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
    """The message is loaded anew (`Audience.load`). What was for an address that its reader does not have any more is for
    the present one from now on. `behind`: see limits.check. Raises NotNow and NotAtAll."""
    now, audience = timezone.now(), audiences.of(message)
    if now > message.expires_at:
        raise NotAtAll(f"{TOO_LATE} {message.error}".strip(), failed=bool(message.error))
    if not message.board.messages_on and message.kind not in ON_DEMAND:
        raise NotNow(now)
    audience.check(message, now)
    _readdress(message, audience)
    if message.channel in audience.unwanted(message) or message.channel in _opted_out(message):
        raise NotAtAll(audience.opted_out[message.channel], otherwise=True)
    _wait_for_morning(message, audience, now)
    try:
        limits.check(message, behind)
    except limits.Reached as reached:
        raise NotAtAll(str(reached)) from None
    except limits.Undecided:
        raise NotNow(None) from None


def _opted_out(message: Message) -> list[str]:
    whose = {"phone": "", "email": ""} | {"phone" if message.channel == Channel.SMS else "email": message.recipient}
    return OptOut.objects.channels_of(**whose)


def _wait_for_morning(message: Message, audience: Audience, now: datetime) -> None:
    kind, needed = KINDS[message.kind], audience.needed(message)
    if (awake := quiet.until(kind, message.channel, message.board, now, needed=needed)) <= now:
        return
    if awake > message.expires_at:
        raise NotAtAll(QUIET, otherwise=True)
    raise NotNow(awake)


def _readdress(message: Message, audience: Audience) -> None:
    """Somebody may have corrected the number or address: strangers do not get the link."""
    present = audience.address(message, message.channel)
    if not present:
        raise NotAtAll(audience.no_address[message.channel], otherwise=True)
    if message.recipient.lower() == present:
        return
    if not Message.objects.filter(pk=message.pk, claim=message.claim, status=SENDING).update(recipient=present):
        raise NotNow(None)  # somebody else has it by now, and does this
    message.recipient = present
