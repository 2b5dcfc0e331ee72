"""The life of the part of a worker that sends: texts and e-mails side by side, so that an outage of one does not slow the
other, and every so often what else there is to do. See mirror/working.py for the other part.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import Error, close_old_connections

from dispatch import links
from dispatch.answers import Answer
from dispatch.mirror.ledger import SENDS
from dispatch.mirror.working import BEAT_SECONDS, Pulse, name, pause_after

from . import opt_outs, sms
from .audiences import AUDIENCES
from .failures import one_line
from .ledger import Channel, OptOut
from .sending import BATCH, Outage, Sender

logger = logging.getLogger(__name__)

INTERVAL_SECONDS = 1.0
CHORES_SECONDS = 60.0
OPT_OUTS_SECONDS = 3600.0


def run(stop: threading.Event) -> None:
    """Works until `stop` is set. Whatever goes wrong is said once, and tried again after a random pause that grows."""
    worker = name()
    senders = [threading.Thread(target=Line(channel, worker, stop).run, name=f"send-{channel}") for channel in Channel]
    for sender in senders:
        sender.start()
    try:
        Chores().run(stop)
    finally:
        for sender in senders:
            sender.join()


class Line:
    """One channel of a worker, with a row in the database that says how it is: “… sends sms”."""

    def __init__(self, channel: str, worker: str, stop: threading.Event) -> None:
        self.channel, self.stop = channel, stop
        self.pulse = Pulse(f"{worker}{SENDS}{channel}"[-100:])
        self.sender = Sender(channel, self.pulse.name, self.pulse.beat, stop.is_set)
        self.failures, self.outage = 0, False

    def run(self) -> None:
        while not self.stop.is_set():
            pause = self.turn()
            self._wait(pause)
        self._quietly(self.pulse.end)

    def turn(self) -> float:
        """One batch. Returns for how many seconds to pause."""
        try:
            batch = self.sender.batch() if settings.MESSAGES else None
            if self.failures and ((batch and batch.sent) or not self.outage):
                logger.info("messages: sending by %s again after %s failed tries", self.channel, self.failures)
                self.failures, self.outage = 0, False
            self.pulse.beat(None if self.failures else "")
            return 0 if batch and batch.taken == BATCH else INTERVAL_SECONDS
        except Outage as outage:
            self._failed(str(outage), goes_on=outage.sent > 0)
            self.outage = True
        except Error as error:
            self._failed(one_line(error))
        except Exception as error:
            if not self.failures:
                logger.exception("messages: a mistake of ours")
            self._failed(one_line(error))
        finally:
            close_old_connections()
        return pause_after(self.failures)

    def _failed(self, reason: str, *, goes_on: bool = False) -> None:
        """With `goes_on` the pause does not grow: a provider that wants us to slow down takes some every time."""
        if not self.failures:
            logger.warning("messages: cannot send by %s, trying again: %s", self.channel, reason)
        self.failures = 1 if goes_on else self.failures + 1
        self._quietly(lambda: self.pulse.beat(reason))

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self.stop.wait(min(BEAT_SECONDS, max(0.0, until - time.monotonic()))) and time.monotonic() < until:
            self._quietly(self.pulse.beat)

    def _quietly(self, say: Callable[[], None]) -> None:
        try:
            say()
        except Error:
            logger.debug("messages: the database cannot be reached")
        finally:
            close_old_connections()


@dataclass
class Chores:
    """What any worker does every minute or every hour, and any number of them may. The first time is after a minute."""

    began: float = field(default_factory=time.monotonic)
    broken: set[str] = field(default_factory=set)

    def run(self, stop: threading.Event) -> None:
        opt_outs_at = self.began
        while not stop.wait(CHORES_SECONDS):
            self.do("close links that have ended", links.close_ended)
            self.do("forget old answers", Answer.objects.sweep)
            if settings.MESSAGES:
                for audience in AUDIENCES.values():
                    self.do(audience.chore, audience.queue_daily)
            if settings.MESSAGES and time.monotonic() - opt_outs_at >= OPT_OUTS_SECONDS:
                opt_outs_at = time.monotonic()
                self.do("ask who opted out", ask_who_opted_out)

    def do(self, what: str, chore: Callable[[], object]) -> None:
        """Says in one line that it did not work, and once that it does again."""
        try:
            chore()
        except Exception as error:  # noqa: BLE001 it is tried again, and the other chores are to be done
            if what not in self.broken:
                logger.warning("messages: cannot %s, trying again: %s", what, one_line(error))
            self.broken.add(what)
        else:
            if what in self.broken:
                logger.info("messages: can %s again", what)
            self.broken.discard(what)
        finally:
            close_old_connections()


def ask_who_opted_out() -> None:
    """Who told the provider STOP is not written to any more."""
    numbers = set(sms.provider().opted_out())
    known = OptOut.objects.filter(channel=Channel.SMS).values_list("address", flat=True)
    for number in sorted(numbers - set(known)):
        try:
            opt_outs.add(Channel.SMS, number, OptOut.Reason.STOP, "The provider's list has it.")
        except ValidationError:
            logger.debug("messages: the provider's list has a number that is none of ours")
