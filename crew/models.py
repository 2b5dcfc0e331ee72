"""Who works, when, and on what. Only `crew.plan` writes outings, assignments and their history; the admin keeps the roster
of people and trucks.

An event is a dated outing of one truck with its jobs in order. It has places for captains and for first mates. Who has a
place is an `Assignment`; the row stays when they give it back, as history. A first mate who takes a place without being
asked is a claim.
"""

from datetime import datetime, timedelta
from typing import ClassVar, Self

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import connection, models
from django.db.models import F, Q
from django.utils import timezone

from dispatch.ids import new_uid
from dispatch.models import Board, Job

from .devices import Device, SignInLink
from .hours import Shift
from .people import Member, Role, Truck

__all__ = [
    "Assignment", "CrewChange", "Device", "Event", "FirstMateClaim", "Member", "Outing", "Role", "Roster", "Shift",
    "SignInLink", "Truck",
]  # fmt: skip

MOST_PLACES = 20
LONGEST = timedelta(days=3)
"""Of one event: an outing, not a season."""


class RosterQuerySet(models.QuerySet["Roster"]):
    def take_number(self, board: Board) -> int:
        """The next number of what happens to a board's crews. Inside the transaction that uses it: the row stays locked
        until commit, so the order of numbers is the order of commits."""
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO crew_roster (board_id, seq) VALUES (%s, 1)"
                " ON CONFLICT (board_id) DO UPDATE SET seq = crew_roster.seq + 1 RETURNING seq",
                [board.pk],
            )
            return int(cursor.fetchone()[0])

    def seq_of(self, board: Board) -> int:
        return self.filter(board=board).values_list("seq", flat=True).first() or 0


class Roster(models.Model):
    """How many changes a board's crews have seen. Whoever shows them compares this one number."""

    board = models.OneToOneField(Board, on_delete=models.PROTECT, primary_key=True, related_name="roster")
    seq = models.BigIntegerField(default=0)

    objects = RosterQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.board}: {self.seq}"


class EventQuerySet(models.QuerySet["Event"]):
    def on_board(self, board: Board) -> Self:
        return self.filter(board=board)

    def overlapping(self, start: datetime, end: datetime) -> Self:
        """Those that share a minute with it and take place. One that ends when the other begins does not."""
        return self.filter(cancelled_at=None, starts_at__lt=end, ends_at__gt=start)

    def touch(self, pk: int, seq: int | None = None) -> bool:
        """Locks an event that takes place for the rest of the transaction, by writing to it."""
        takes_place = self.filter(pk=pk, cancelled_at=None)
        return bool(takes_place.update(seq=F("seq") if seq is None else seq))

    def take_place(self, pk: int, role: str, now: datetime) -> bool:
        """Takes one place of an event that has one left and is not over. The one UPDATE that decides who is first."""
        taken, places = COUNTERS[role]
        free = self.filter(pk=pk, cancelled_at=None, ends_at__gt=now, **{f"{taken}__lt": F(places)})
        return bool(free.update(**{taken: F(taken) + 1}))

    def is_full(self, pk: int, role: str) -> bool:
        taken, places = COUNTERS[role]
        return self.filter(pk=pk, cancelled_at=None, ends_at__gt=timezone.now(), **{f"{taken}__gte": F(places)}).exists()

    def give_place_back(self, pk: int, role: str) -> None:
        taken, _ = COUNTERS[role]
        event = self.filter(pk=pk)
        event.update(**{taken: F(taken) - 1})


COUNTERS: dict[str, tuple[str, str]] = {
    Role.CAPTAIN: ("captains_taken", "captains"),
    Role.FIRST_MATE: ("first_mates_taken", "first_mates"),
}
"""By role: the column that counts who has a place, and the one that says how many there are."""


class Event(models.Model):
    """A dated outing. `seq` is the number of its last change among all that happens to the board's crews."""

    uid = models.CharField(max_length=64, unique=True, default=new_uid, editable=False)
    board = models.ForeignKey(Board, on_delete=models.PROTECT, related_name="events")
    seq = models.BigIntegerField(default=0, editable=False)
    title = models.CharField(max_length=100)
    starts_at = models.DateTimeField("from")
    ends_at = models.DateTimeField("until")
    truck = models.ForeignKey(Truck, on_delete=models.PROTECT, null=True, blank=True, related_name="events")
    captains = models.PositiveSmallIntegerField(
        "places for captains", default=1, validators=[MinValueValidator(0), MaxValueValidator(MOST_PLACES)]
    )
    first_mates = models.PositiveSmallIntegerField(
        "places for first mates", default=1, validators=[MinValueValidator(0), MaxValueValidator(MOST_PLACES)]
    )
    captains_taken = models.PositiveSmallIntegerField(default=0, editable=False)
    first_mates_taken = models.PositiveSmallIntegerField(default=0, editable=False)
    notes = models.TextField(blank=True, help_text="For the crew: where to meet, what to bring.")
    cancelled_at = models.DateTimeField(null=True, blank=True, editable=False)
    cancelled_because = models.TextField(blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = EventQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["starts_at", "pk"]
        indexes: ClassVar = [models.Index(fields=["board", "starts_at"], name="event_day")]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="event_ends_after_it_starts"),
            models.CheckConstraint(condition=Q(captains_taken__lte=F("captains")), name="event_captains_fit"),
            models.CheckConstraint(condition=Q(first_mates_taken__lte=F("first_mates")), name="event_first_mates_fit"),
        ]

    def __str__(self) -> str:
        return f"{self.title}, {self.starts_at.astimezone(self.board.zone):%Y-%m-%d}"

    def clean(self) -> None:
        if self.starts_at and self.ends_at and self.ends_at <= self.starts_at:
            raise ValidationError({"ends_at": "The event ends before it begins."})
        if self.starts_at and self.ends_at and self.ends_at - self.starts_at > LONGEST:
            raise ValidationError({"ends_at": f"An event takes {LONGEST.days} days at most. Open one for each outing."})
        if self.truck and self.truck.board_id != self.board_id:
            raise ValidationError({"truck": "This truck belongs to another board."})
        for taken, places in COUNTERS.values():
            if getattr(self, places) is not None and getattr(self, places) < getattr(self, taken):
                raise ValidationError({places: f"{getattr(self, taken)} of them are taken. Release them first."})


class Outing(models.Model):
    """A job's place in an event. A job is in one event at most."""

    job = models.OneToOneField(Job, on_delete=models.PROTECT, primary_key=True, related_name="outing")
    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="outings")
    place = models.PositiveIntegerField(help_text="The order in which the crew does them.")
    is_past = False  # made by crew.whose of one that is over, and never saved

    class Meta:
        ordering: ClassVar = ["place", "pk"]

    def __str__(self) -> str:
        return f"{self.place}. {self.job}"


class AssignmentQuerySet(models.QuerySet["Assignment"]):
    def present(self) -> Self:
        return self.filter(ended_at=None)


class Assignment(models.Model):
    """A member has a place in an event, or had it until `ended_at`. Never deleted."""

    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="assignments")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="assignments")
    role = models.CharField(max_length=10, choices=Role)
    place = models.PositiveSmallIntegerField()
    is_claim = models.BooleanField(default=False)  # they took it themselves
    since = models.DateTimeField()
    by = models.CharField(max_length=150, blank=True)
    override = models.TextField(blank=True)  # why they may be in two events at once
    release_asked_at = models.DateTimeField(null=True)  # past the cut-off the office decides
    release_reason = models.TextField(blank=True)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=150, blank=True)
    ended_because = models.TextField(blank=True)
    seen_seq = models.BigIntegerField(default=0)  # the event's number that they have had on their phone
    seen_at = models.DateTimeField(null=True)

    objects = AssignmentQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["event", "role", "place", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["event", "role", "place"], condition=Q(ended_at=None), name="place_has_one_member"
            ),
            models.UniqueConstraint(fields=["event", "member"], condition=Q(ended_at=None), name="member_has_one_place"),
        ]
        indexes: ClassVar = [models.Index(fields=["member"], condition=Q(ended_at=None), name="assignment_of_member")]

    def __str__(self) -> str:
        return f"{self.member}: {self.get_role_display()} of {self.event}"


class ClaimManager(models.Manager["FirstMateClaim"]):
    def get_queryset(self) -> models.QuerySet["FirstMateClaim"]:
        return super().get_queryset().filter(role=Role.FIRST_MATE, is_claim=True)


class FirstMateClaim(Assignment):
    """A first mate's place that somebody took without being asked: who, when, given back when and why."""

    objects: ClassVar = ClaimManager()  # type: ignore[assignment]  # of a part of them

    class Meta:
        proxy = True


class CrewChange(models.Model):
    """One step in the history of a board's crews. Append-only."""

    board = models.ForeignKey(Board, on_delete=models.PROTECT, related_name="crew_history")
    seq = models.BigIntegerField()
    event = models.ForeignKey(Event, on_delete=models.PROTECT, null=True, related_name="history")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, null=True, related_name="history")
    what = models.CharField(max_length=20)  # one of crew.plan.STEPS
    at = models.DateTimeField()
    by = models.CharField(max_length=150, blank=True)
    reason = models.TextField(blank=True)
    facts = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering: ClassVar = ["pk"]

    def __str__(self) -> str:
        return f"{self.what}: {self.event or self.board}"
