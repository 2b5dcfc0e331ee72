"""Hands due messages of one channel to its provider, batch by batch.

What is promised holds by conditional UPDATEs alone: a message is begun, sent, put off or given up only by the worker whose
claim stands in its row. A worker may die or sleep anywhere. What the provider has taken and nobody could write down is sent
again when the lease is over; nothing else is ever sent twice, and nothing is lost.
"""

import logging
import math
import random
import secrets
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import Error, close_old_connections, transaction
from django.utils import timezone

from dispatch.mirror.ledger import from_now

from . import audiences, checking, limits, mail, opt_outs, queueing, sms
from .failures import OptedOutAtProvider, Permanent, Transient, Unreachable, one_line
from .ledger import Channel, Message, OptOut
from .writing import Written, for_sending

logger = logging.getLogger(__name__)

BATCH = 40
AT_ONCE = 8
GIVE_UP_AFTER = 3
SOON_SECONDS = 15.0
BEAT_SECONDS = 5.0
WARN_SECONDS = 3600.0
WRITES_AGAIN = (0.005, 0.02, 0.05, 0.1, 0.2)
"""Shares of a lease to pause for before the results are written down once more."""
Running = dict[Future[str], tuple[Message, Written]]
Result = tuple[Message, Written, Future[str]]
BROKEN = "This message cannot be written or sent"


class Outage(Exception):
    """The provider is to blame and not a message: several in a row were not taken. `sent` were, before."""

    def __init__(self, reason: str, sent: int) -> None:
        super().__init__(reason)
        self.sent = sent


@dataclass
class Batch:
    taken: int = 0
    sent: int = 0
    in_a_row: int = 0
    """Failures since the last success that may be the provider's fault."""
    outage: str = ""


class Sender:
    """What one worker does for one channel. `beat` is called every few seconds during long work; when `stopping` says so,
    what is under way is finished and the rest is given back."""

    def __init__(
        self, channel: str, name: str, beat: Callable[[], None] = lambda: None, stopping: Callable[[], bool] = lambda: False
    ) -> None:
        self.channel, self.name, self.beat, self.stopping = channel, name, beat, stopping
        self.warned = dict[str, float]()

    def batch(self) -> Batch:
        """Up to BATCH messages that are due, those that waited longest first. Raises Outage; then those that were not begun
        are given back as they were."""
        self.claim = f"{self.name} {secrets.token_hex(4)}"
        taken = Message.objects.filter(channel=self.channel).take(self.claim, BATCH)
        batch = Batch(taken=len(taken))
        if taken:
            self.room = limits.Room.now()
            self._send(taken, batch)
        if batch.outage:
            raise Outage(batch.outage, batch.sent)
        return batch

    def _send(self, taken: list[Message], batch: Batch) -> None:
        """Everything about the database happens here: the threads know none. What can be is written down together, and what
        is begun is committed before the network is asked."""
        pending, running = deque(taken), Running()
        with ThreadPoolExecutor(AT_ONCE, f"send-{self.channel}") as pool:
            try:
                self._work(pool, pending, running, batch)
            except Error:  # the database is away, and what is under way comes to an end all the same
                through, _ = wait(running)
                self._settle(running, through, batch)
                raise
        if pending:
            Message.objects.release(self.claim)

    def _work(self, pool: ThreadPoolExecutor, pending: deque[Message], running: Running, batch: Batch) -> None:
        pace = min(BEAT_SECONDS, settings.MESSAGE_LEASE_SECONDS / 3)
        beaten = time.monotonic()
        while True:
            if pending and not batch.outage and not self.stopping():
                for message, written in self._begun(pending, AT_ONCE - len(running)):
                    running[pool.submit(hand_over, message, written)] = (message, written)
            elif not running:
                break
            through, _ = wait(running, timeout=pace, return_when="FIRST_COMPLETED")
            self._settle(running, through, batch)
            if time.monotonic() - beaten > pace:
                Message.objects.renew(self.claim)
                self.beat()
                beaten = time.monotonic()

    def _begun(self, pending: deque[Message], most: int) -> list[tuple[Message, Written]]:
        """Begins the next few. Those that are not to be sent, not now or not by us are not in what it returns."""
        next_ones = [pending.popleft() for _ in range(min(most, len(pending)))]
        ours = Message.objects.begin(self.claim, *(message.pk for message in next_ones))
        begun = [message for message in next_ones if message.pk in ours]
        behind = [[message.pk for message in begun[place:]] for place in range(1, len(begun) + 1)]
        ready = [(message, self._ready(message, rest)) for message, rest in zip(begun, behind, strict=True)]
        return [(message, written) for message, written in ready if written]

    def _settle(self, running: Running, through: Iterable[Future[str]], batch: Batch) -> None:
        """Nothing of it is let go before it is written down."""
        results = [(*running[future], future) for future in through]
        _insist(lambda: self._write_down(results))
        for message, _, future in results:
            self._count(message, future.exception(), batch)
            del running[future]
        _insist(lambda: _note_stops(results))

    @transaction.atomic
    def _write_down(self, results: list[Result]) -> None:
        for message, written, future in results:
            self._report(message, written, future)

    def _ready(self, message: Message, behind: list[int]) -> Written | None:
        try:
            audiences.of(message).load(message)
            checking.check(message, behind)
            self._check_room(message)
            written = for_sending(message)
        except checking.NotNow as later:
            until = later.until or from_now(random.uniform(0.2, 3))  # noqa: S311 not a secret
            Message.objects.put_back(self.claim, message.pk, until, later.why)
        except checking.NotAtAll as reason:
            self._give_up(message, str(reason), otherwise=reason.otherwise, failed=reason.failed)
        except Error:
            raise
        except Exception as wrong:  # noqa: BLE001 whatever is wrong with this message, the next one may be fine
            self._put_off(message, _broken(wrong))
        else:
            self.room.use(message)
            return written
        return None

    def _check_room(self, message: Message) -> None:
        """What is over the limit waits: it says so, and the log does now and then."""
        try:
            self.room.check(message)
        except limits.Reached as reached:
            why = str(reached)
            if time.monotonic() - self.warned.get(why, -math.inf) > WARN_SECONDS:
                logger.warning("messages: no more is sent: %s", why)
                self.warned[why] = time.monotonic()
            raise checking.NotNow(timezone.now() + timedelta(seconds=limits.WAIT_SECONDS), why) from None

    def _report(self, message: Message, written: Written, future: Future[str]) -> None:
        """Writes down what became of a message."""
        match error := future.exception():
            case None:
                facts = {"subject": written.subject, "body": written.kept}
                Message.objects.sent(self.claim, message.pk, future.result(), **facts)
            case Permanent():
                logger.info("messages: %s %s was refused for good", message.channel, message.pk)
                self._give_up(message, str(error), otherwise=True, failed=True)
            case Unreachable():
                soon = from_now(random.uniform(0, SOON_SECONDS))  # noqa: S311 not a secret
                Message.objects.put_back(self.claim, message.pk, soon, str(error))
            case Transient():
                self._put_off(message, str(error), quietly=True)
            case Exception():
                self._put_off(message, _broken(error))
            case _:
                raise error

    def _count(self, message: Message, error: BaseException | None, batch: Batch) -> None:
        """What it says about the provider."""
        if error is None:
            batch.sent, batch.in_a_row = batch.sent + 1, 0
            return
        self.room.use(message, -1)
        if isinstance(error, Permanent):
            batch.in_a_row = 0
        elif isinstance(error, Unreachable | Transient):
            batch.in_a_row += 1
            if batch.in_a_row >= (min(GIVE_UP_AFTER, batch.taken) if isinstance(error, Unreachable) else GIVE_UP_AFTER):
                batch.outage = batch.outage or str(error)

    def _put_off(self, message: Message, reason: str, *, quietly: bool = False) -> None:
        tries_again = Message.objects.put_off(self.claim, message.pk, reason)
        if not tries_again:
            logger.error("messages: gave up %s %s after all its tries: %s", message.channel, message.pk, reason)
        elif not quietly and not message.attempts:
            logger.error("messages: cannot send %s %s, trying again: %s", message.channel, message.pk, reason)

    def _give_up(self, message: Message, why: str, *, otherwise: bool = False, failed: bool = False) -> None:
        """For good; `otherwise` the news goes by the other channel, in the same transaction."""
        settle = Message.objects.fail if failed else Message.objects.suppress
        if not otherwise:
            settle(self.claim, message.pk, why)
            return
        with transaction.atomic():
            if settle(self.claim, message.pk, why):
                message.send_after = timezone.now()
                queueing.by_other_channel(message)


def hand_over(message: Message, written: Written) -> str:
    """Where the network is asked. Returns the provider's name for the message. Raises failures.Failure."""
    try:
        if message.channel == Channel.SMS:
            return sms.provider().send(message.recipient, written.text, message.dedupe_key)
        words = (written.subject, written.text, written.html)
        return mail.send(message.recipient, *words, message.dedupe_key, written.attachments)
    except OSError as error:  # of a provider of one's own, that does not know our names for it
        raise Transient(f"the connection to the provider broke off ({one_line(error)})") from error


def _note_stops(results: Iterable[Result]) -> None:
    for message, _, future in results:
        if isinstance(error := future.exception(), OptedOutAtProvider):
            with suppress(ValidationError):  # an address of old that we would not take any more
                opt_outs.add(message.channel, message.recipient, OptOut.Reason.STOP, str(error))


def _insist(write: Callable[[], None]) -> None:
    """A result that is not written down is a message that is sent twice: what may be done twice is tried on fresh
    connections as long as the lease lasts. Raises Error after that."""
    until = time.monotonic() + settings.MESSAGE_LEASE_SECONDS
    for share in WRITES_AGAIN:
        try:
            return write()
        except Error as error:
            if time.monotonic() > until:
                raise
            logger.debug("messages: cannot write down what became of some, trying again: %s", one_line(error))
            close_old_connections()
            time.sleep(share * settings.MESSAGE_LEASE_SECONDS)
    return write()


def _broken(error: Exception) -> str:
    return f"{BROKEN}: {one_line(error)}"
