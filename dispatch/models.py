"""Boards, jobs and their history. Only `dispatch.flow` writes jobs and history; everybody else reads."""

import uuid
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import ClassVar, Self
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import connection, models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from .answers import Answer
from .ids import TOKEN, UID, new_token, new_uid
from .messages.ledger import Message, MessageTemplate, OptOut
from .mirror.ledger import Upload, Worker
from .phones import validate_phone
from .statuses import STATUS_FLOW

__all__ = [
    "TOKEN", "UID", "Answer", "Board", "Job", "JobQuerySet", "Message", "MessageTemplate", "OptOut", "StatusChange",
    "Upload", "Worker", "new_token", "new_uid",
]  # fmt: skip


def validate_timezone(name: str) -> None:
    if name not in available_timezones():
        raise ValidationError("“%(name)s” is not an IANA time zone such as America/Denver.", params={"name": name})


class BoardQuerySet(models.QuerySet["Board"]):
    def take_numbers(self, pk: int, count: int = 1) -> int:
        """Takes the board's next `count` change numbers and returns the last one. Call it inside the transaction that uses
        them: the row stays locked until commit, so the order of numbers is the order of commits and there are no gaps."""
        with connection.cursor() as cursor:
            cursor.execute("UPDATE dispatch_board SET seq = seq + %s WHERE id = %s RETURNING seq", [count, pk])
            return int(cursor.fetchone()[0])

    def note_epochs(self) -> list["Board"]:
        """All boards. An epoch that is not among the board's `epochs` yet is noted there."""
        boards: list[Board] = list(Board.objects.order_by("pk"))
        for board in boards:
            if str(board.epoch) not in board.epochs:
                board.epochs = [*board.epochs, str(board.epoch)]
                self.filter(pk=board.pk, epoch=board.epoch).update(epochs=board.epochs)
        return boards


class Board(models.Model):
    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=100, help_text="The company or region, as customers know it.")
    timezone = models.CharField(max_length=64, default="UTC", validators=[validate_timezone])
    phone = models.CharField(
        max_length=16, blank=True, validators=[validate_phone], help_text="Shown to customers, such as +13035550123."
    )
    messages_on = models.BooleanField(
        "messages are sent",
        default=True,
        help_text="Off: no texts and e-mails to customers and crews, except the links that crews sign in with. What waits "
        "goes out when this is on again, unless it would come too late.",
    )
    quiet_from = models.TimeField(
        default=time(21),
        help_text="No texts from this time of the board's day on: they wait for the end of the quiet hours.",
    )
    quiet_until = models.TimeField(default=time(7), help_text="The same time as above: no quiet hours.")
    seq = models.BigIntegerField(default=0, editable=False)
    epoch = models.UUIDField(default=uuid.uuid4, editable=False)
    epochs = models.JSONField(default=list, editable=False)  # all that this database had: by them it knows its own copies

    objects = BoardQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    def midnight(self, now: datetime | None = None) -> datetime:
        """When today began on this board."""
        # fold=0: where the clocks are set back at midnight, the day began with the first of the two
        return timezone.localtime(now, self.zone).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)


class JobQuerySet(models.QuerySet["Job"]):
    def on_board(self, slug: str) -> Self:
        return self.filter(board__slug=slug)

    def in_column(self, board_id: int, status: str) -> Self:
        return self.filter(board_id=board_id, status=status)

    def changed_since(self, board_id: int, seq: int) -> Self:
        """A board's jobs with a change number above `seq`, oldest change first: the delta of a live board."""
        return self.filter(board_id=board_id, seq__gt=seq).order_by("seq")

    def behind(self) -> Self:
        """Jobs whose copy in object storage is older than the row. A partial index holds just these."""
        return self.filter(mirrored_seq__lt=F("seq"))

    def mark_mirrored(self, pk: int, seq: int) -> None:
        """Notes that the stored copy of a job has reached `seq`. The one column of a job that is not part of a change. A
        number that the job has not reached is of a state that the database was put back from: it says nothing."""
        self.filter(pk=pk, mirrored_seq__lt=seq, seq__gte=seq).update(mirrored_seq=seq)

    def past_their_links(self) -> Self:
        """Finished jobs whose tracking link ended after their last change number was given: the public copy still has
        them. A partial index holds just those that will come."""
        return self.filter(link_ends_at__lte=timezone.now(), seq_at__lt=F("link_ends_at")).order_by("link_ends_at")

    def waiting(self) -> Self:
        """What a worker may try now: behind, and neither taken by another worker nor put off after a failure."""
        return self.behind().filter(Q(upload=None) | Q(upload__not_before__lte=Now())).order_by("seq")


class Job(models.Model):
    """A pickup or a delivery. `seq` is the number of its last change: the version for optimistic locking, its position in
    the board's feed, and the version of every copy. A job never changes its board and is never deleted."""

    class Service(models.TextChoices):
        JUNK_REMOVAL = "junk_removal", "Junk removal"
        DUMPSTER_DELIVERY = "dumpster_delivery", "Dumpster delivery"
        DUMPSTER_PICKUP = "dumpster_pickup", "Dumpster pickup"

    class Language(models.TextChoices):
        ENGLISH = "en", "English"
        SPANISH = "es", "Spanish"

    uid = models.CharField(
        max_length=64, unique=True, default=new_uid, editable=False, validators=[RegexValidator(rf"\A{UID.pattern}\Z")]
    )
    token = models.CharField(
        max_length=64, unique=True, default=new_token, editable=False, validators=[RegexValidator(rf"\A{TOKEN.pattern}\Z")]
    )
    board = models.ForeignKey(Board, on_delete=models.PROTECT, related_name="jobs")
    seq = models.BigIntegerField(editable=False)
    seq_at = models.DateTimeField(default=timezone.now, editable=False)  # when it was given: copies follow from then on
    mirrored_seq = models.BigIntegerField(default=0, editable=False)
    status = models.CharField(max_length=20, default="requested", editable=False)
    status_at = models.DateTimeField(default=timezone.now, editable=False)
    rank = models.BigIntegerField(editable=False)

    service = models.CharField(max_length=20, choices=Service, default=Service.JUNK_REMOVAL)
    location = models.CharField(max_length=200, help_text="Street address. Customers see it without the house number.")
    access_notes = models.TextField(blank=True, help_text="Gate code, dog, where the pile is. Never shown to customers.")
    customer_name = models.CharField(max_length=100, blank=True)
    customer_phone = models.CharField(max_length=16, blank=True, validators=[validate_phone])
    customer_email = models.EmailField(blank=True)
    customer_language = models.CharField("language", max_length=5, choices=Language, default=Language.ENGLISH)
    customer_notify = models.BooleanField(
        "messages", default=True, help_text="Whether this customer gets texts and e-mails about the job."
    )
    window_start = models.DateTimeField(null=True, blank=True)
    window_end = models.DateTimeField(null=True, blank=True)
    preferred_day = models.DateField(null=True, blank=True, help_text="What the customer asked for.")
    price = models.DecimalField(
        max_digits=10, decimal_places=2, null=True, blank=True, validators=[MinValueValidator(Decimal(0))],
        help_text="All-in.",
    )  # fmt: skip
    load_eighths = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(64)], help_text="Eighths of a truck."
    )
    crew = models.JSONField(default=list, blank=True, help_text="Names of the crew on this job.")
    notes = models.TextField(blank=True)
    extra = models.JSONField(default=dict, blank=True, editable=False)

    # Written by programs, through flow.amend:
    asks = models.JSONField(default=list, blank=True, editable=False)  # what the customer asked for: dispatch/asks.py
    photos = models.JSONField(default=list, blank=True, editable=False)  # dispatch/photos.py
    opted_out = models.JSONField(default=list, blank=True, editable=False)  # channels that the customer does not want
    former_tokens = models.JSONField(default=list, blank=True, editable=False)  # dispatch/links.py
    link_ends_at = models.DateTimeField(null=True, blank=True, editable=False)  # when the tracking link stops working

    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_by = models.CharField(max_length=150, blank=True, editable=False)

    seq_before: int | None = None  # of what flow.amend returns; no column

    objects = JobQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(status__in=list(STATUS_FLOW)), name="job_status_known"),
            models.UniqueConstraint(fields=["board", "seq"], name="job_seq_once_per_board"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["board", "status", "rank"], name="job_column"),
            models.Index(fields=["seq"], condition=Q(mirrored_seq__lt=F("seq")), name="job_behind"),
            models.Index(fields=["link_ends_at"], condition=Q(seq_at__lt=F("link_ends_at")), name="job_link_to_end"),
            models.Index(fields=["window_start"], name="job_window"),
            models.Index(fields=["customer_phone"], condition=~Q(customer_phone=""), name="job_phone"),
            models.Index(fields=["customer_email"], condition=~Q(customer_email=""), name="job_email"),
        ]

    def __str__(self) -> str:
        return f"{self.location} ({self.uid})"

    @property
    def tracking_link(self) -> str:
        """The customer's page. Its origin is configured, never taken from a request."""
        return f"{settings.PUBLIC_ORIGIN}/track/{self.token}"

    def clean(self) -> None:
        for field in self._meta.fields:  # what Django leaves to forms and the database refuses
            value = getattr(self, field.attname)
            if value is None and field.blank and not field.null and not field.primary_key:
                raise ValidationError({field.name: "This field cannot be null."})
            if isinstance(value, str) and "\0" in value:
                raise ValidationError({field.name: "Null characters are not allowed."})
        if bool(self.window_start) != bool(self.window_end):
            raise ValidationError({"window_end": "A window needs both a start and an end."})
        if self.window_start and self.window_end and not timedelta(0) < self.window_end - self.window_start:
            raise ValidationError({"window_end": "The window ends before it starts."})
        if not isinstance(self.crew, list) or not all(isinstance(name, str) and name.strip() for name in self.crew):
            raise ValidationError({"crew": "Expected a list of names."})


class StatusChange(models.Model):
    """One step of a job's history. Append-only; the first one is the job's birth and comes from no status."""

    class Channel(models.TextChoices):
        BOARD = "board", "Board"
        ADMIN = "admin", "Admin"
        API = "api", "API"
        CREW = "crew", "Crew"
        BOOKING = "booking", "Booking"
        IMPORT = "import", "Import"
        UNDO = "undo", "Undo"

    job = models.ForeignKey(Job, on_delete=models.PROTECT, related_name="history")
    from_status = models.CharField(max_length=20, blank=True)
    from_rank = models.BigIntegerField(null=True, blank=True, editable=False)  # where undo puts the job back
    to_status = models.CharField(max_length=20)
    at = models.DateTimeField()
    by = models.CharField(max_length=150, blank=True)
    channel = models.CharField(max_length=10, choices=Channel)
    reason = models.TextField(blank=True)
    seq = models.BigIntegerField()
    extra = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return f"{self.from_status or 'born'} → {self.to_status}"
