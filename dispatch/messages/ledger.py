"""Every message that somebody gets or was to get, in the database: one row for each event and channel. Rows are written
in the transaction of the change and sent by workers, which share them by a lease on the database's clock.

It knows neither Job nor the flow: a message names its job, or in `about` what else it is about, and that is all.
"""

import random
from collections.abc import Collection
from datetime import datetime
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import F
from django.db.models.expressions import Combinable, CombinedExpression
from django.db.models.functions import Greatest, Now

from dispatch.mirror.ledger import from_now

from .kinds import KINDS, ON_DEMAND

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 15.0, 1800.0
MOST_ATTEMPTS = 8
DAY_SECONDS = 86400


class Channel(models.TextChoices):
    SMS = "sms", "Text"
    EMAIL = "email", "E-mail"


class MessageQuerySet(models.QuerySet["Message"]):
    """What a worker does names its `claim` in the WHERE: who slept past its lease finds no row and overwrites nothing."""

    def due(self) -> Self:
        """What may be sent now, longest due first: queued ones, and those whose worker was not heard of again. What is for
        a board whose messages are switched off waits, but for what somebody has just asked for."""
        waiting = self.filter(status__in=WAITING, send_after__lte=Now())
        waiting = waiting.filter(models.Q(board__messages_on=True) | models.Q(kind__in=ON_DEMAND))
        return waiting.order_by("send_after", "pk")

    def take(self, claim: str, limit: int) -> list["Message"]:
        """Takes up to `limit` due messages that nobody else has, for MESSAGE_LEASE_SECONDS. Of several workers who take the
        same, one gets it; who gets none looks again before it says that there are none."""
        for _ in range(3):
            pks = list(self.due().values_list("pk", flat=True)[:limit])
            free = self.filter(pk__in=pks, status__in=WAITING, send_after__lte=Now())
            if not pks or free.update(status=SENDING, claim=claim, send_after=_lease()):
                break
        return list(self._held(claim).order_by("pk"))

    def begin(self, claim: str, *pks: int) -> set[int]:
        """Counts an attempt of each and renews the lease, right before the network is asked. Returns which: the others are
        somebody else's by now, or were taken back."""
        held = self._held(claim).filter(pk__in=pks)
        held.update(attempts=F("attempts") + 1, send_after=_lease())
        return set(held.values_list("pk", flat=True))

    def renew(self, claim: str) -> None:
        self._held(claim).update(send_after=_lease())

    def sent(self, claim: str, pk: int, provider_id: str, *, subject: str, body: str) -> bool:
        """The provider has it. What the provider reported before we got to write it down stays."""
        words = {"subject": subject[:200], "body": body}
        handed_over = {"status": Message.Status.SENT, "sent_at": Now(), "provider_id": provider_id[:200]} | words
        if self._settle(claim, pk, error="", **handed_over):
            return True
        return bool(self.filter(pk=pk, provider_id=provider_id[:200], body="").exclude(provider_id="").update(**words))

    def suppress(self, claim: str, pk: int, reason: str) -> bool:
        return self._settle(claim, pk, status=Message.Status.SUPPRESSED, error=reason, settled_at=Now())

    def fail(self, claim: str, pk: int, error: str) -> bool:
        return self._settle(claim, pk, status=Message.Status.FAILED, error=error, settled_at=Now())

    def put_off(self, claim: str, pk: int, error: str) -> bool:
        """The next try comes after a random pause that doubles its limit with each attempt, up to half an hour. False: that
        was the last one, and the message has failed."""
        attempts = self._held(claim).filter(pk=pk).values_list("attempts", flat=True).first() or 1
        if attempts >= MOST_ATTEMPTS:
            self.fail(claim, pk, error)
            return False
        longest = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** (attempts - 1))
        pause = random.uniform(0, longest)  # noqa: S311 not a secret
        self._settle(claim, pk, status=Message.Status.QUEUED, error=error, send_after=from_now(pause))
        return True

    def put_back(self, claim: str, pk: int, send_after: datetime | Combinable, error: str = "") -> bool:
        """To be begun again at that time, as if it had not been begun."""
        begun_before = Greatest(F("attempts") - 1, 0)
        facts = {"status": Message.Status.QUEUED, "attempts": begun_before, "send_after": send_after, "error": error}
        return self._settle(claim, pk, **facts)

    def release(self, claim: str) -> int:
        """Gives back what was taken and not begun. Returns how many."""
        return self._held(claim).update(status=Message.Status.QUEUED, claim="", send_after=Now())

    def take_back(self, error: str, **which: object) -> int:
        """Cancels those that nobody has begun to send. Returns how many."""
        untouched = models.Q(status=Message.Status.QUEUED) | models.Q(status=SENDING, attempts=0)
        facts = {"status": Message.Status.CANCELLED, "error": error, "claim": ""}
        return self.filter(untouched, **which).update(**facts)

    def sent_lately(self) -> Self:
        """What left us in the last 24 hours."""
        return self.filter(sent_at__gt=from_now(-DAY_SECONDS))

    def under_way(self) -> Self:
        """Begun, and not reported on yet."""
        return self.filter(status=SENDING, attempts__gt=0)

    def _held(self, claim: str) -> Self:
        return self.filter(claim=claim, status=SENDING)

    def _settle(self, claim: str, pk: int, **facts: object) -> bool:
        return bool(self._held(claim).filter(pk=pk).update(claim="", **facts))


def _lease() -> CombinedExpression:
    return from_now(settings.MESSAGE_LEASE_SECONDS)


class Message(models.Model):
    """One message to one address. `send_after` is when it is due; while a worker has it (`sending`), it is when its lease
    ends. `seq` is the change number, of the job or of what it is about, that it tells of."""

    class Status(models.TextChoices):
        QUEUED = "queued", "Queued"
        SENDING = "sending", "Being sent"
        SENT = "sent", "Handed over"
        DELIVERED = "delivered", "Delivered"
        FAILED = "failed", "Failed"
        SUPPRESSED = "suppressed", "Not sent"
        CANCELLED = "cancelled", "Cancelled"

    board = models.ForeignKey("dispatch.Board", on_delete=models.PROTECT, related_name="messages")
    job = models.ForeignKey("dispatch.Job", on_delete=models.PROTECT, null=True, related_name="messages")
    about = models.CharField(max_length=150, blank=True)  # without a job: what its audience finds it by, "event:…/member:…"
    topic = models.CharField(max_length=250, blank=True)  # the same in words, for the office
    kind = models.CharField(max_length=20, choices=[(kind.slug, kind.label) for kind in KINDS.values()])
    channel = models.CharField(max_length=10, choices=Channel)
    recipient = models.CharField(max_length=254)
    language = models.CharField(max_length=5, default="en")
    status = models.CharField(max_length=10, choices=Status, default=Status.QUEUED)
    dedupe_key = models.CharField(max_length=200, unique=True)
    seq = models.BigIntegerField()
    by = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField()
    send_after = models.DateTimeField()
    expires_at = models.DateTimeField()  # later than this it is not sent any more
    claim = models.CharField(max_length=100, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    subject = models.CharField(max_length=200, blank=True)  # as it was sent
    body = models.TextField(blank=True)
    provider_id = models.CharField(max_length=200, blank=True)
    error = models.TextField(blank=True)
    sent_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)  # when it was delivered, failed or was suppressed

    objects = MessageQuerySet.as_manager()

    loaded: Any = None
    """What its audience has read, when that is no job."""

    class Meta:
        app_label = "dispatch"
        ordering: ClassVar = ["-pk"]
        indexes: ClassVar = [
            models.Index(fields=["send_after"], condition=models.Q(status__in=["queued", "sending"]), name="message_due"),
            models.Index(fields=["claim"], condition=~models.Q(claim=""), name="message_claim"),
            models.Index(fields=["about"], condition=~models.Q(about=""), name="message_about"),
            models.Index(fields=["recipient", "sent_at"], name="message_to"),
            models.Index(fields=["sent_at"], name="message_sent"),
            models.Index(fields=["settled_at"], condition=models.Q(status="failed"), name="message_failed"),
            models.Index(fields=["provider_id"], condition=~models.Q(provider_id=""), name="message_provider_id"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(job__isnull=False, about="") | (models.Q(job__isnull=True) & ~models.Q(about="")),
                name="message_is_about_one_thing",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} to {self.recipient}"


SENDING = Message.Status.SENDING
WAITING: Collection[str] = (Message.Status.QUEUED, SENDING)


class OptOutQuerySet(models.QuerySet["OptOut"]):
    def channels_of(self, *, phone: str, email: str) -> list[str]:
        """The channels by which this customer may not be written to."""
        wanted = models.Q(channel=Channel.SMS, address=phone) | models.Q(channel=Channel.EMAIL, address=email.lower())
        return sorted(self.filter(wanted).exclude(address="").values_list("channel", flat=True)) if phone or email else []


class OptOut(models.Model):
    """An address that is not written to any more: its owner said STOP, or mail to it comes back."""

    class Reason(models.TextChoices):
        STOP = "stop", "Said STOP"
        BOUNCE = "bounce", "Does not exist (bounced)"
        COMPLAINT = "complaint", "Marked us as spam"
        STAFF = "staff", "Asked us"

    channel = models.CharField(max_length=10, choices=Channel)
    address = models.CharField(max_length=254, help_text="A phone number such as +13035550123, or an e-mail address.")
    reason = models.CharField(max_length=10, choices=Reason, default=Reason.STAFF)
    detail = models.TextField(blank=True)
    at = models.DateTimeField(auto_now_add=True)

    objects = OptOutQuerySet.as_manager()

    class Meta:
        app_label = "dispatch"
        ordering: ClassVar = ["-at"]
        verbose_name = "opt-out"
        constraints: ClassVar = [models.UniqueConstraint(fields=["channel", "address"], name="opt_out_once")]

    def __str__(self) -> str:
        return f"{self.address}: {self.get_reason_display()}"


class MessageTemplate(models.Model):
    """A company's own words for a kind of message, instead of those in `templates/`."""

    board = models.ForeignKey("dispatch.Board", on_delete=models.CASCADE, related_name="message_templates")
    kind = models.CharField(max_length=20, choices=[(kind.slug, kind.label) for kind in KINDS.values()])
    channel = models.CharField(max_length=10, choices=Channel)
    language = models.CharField(max_length=5, choices=[("en", "English"), ("es", "Spanish")], default="en")
    subject = models.CharField(max_length=200, blank=True, help_text="Of an e-mail.")
    body = models.TextField()

    class Meta:
        app_label = "dispatch"
        ordering: ClassVar = ["board", "kind", "channel", "language"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["board", "kind", "channel", "language"], name="message_template_once")
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {self.get_channel_display()}, {self.get_language_display()}"
