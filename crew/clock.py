"""Clocking in and out, and which of two clocks counts. A shift keeps the times of both: ours, when it reached us, and the
phone's, when it was done. They differ where a phone had no network, and where its clock is wrong: how far it is off shows
when the phone says what time it is as it sends. The phone's time also tells what was sent twice, so it is kept as it came.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Case, DateTimeField, Expression, F, Max, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone
from django.utils.translation import gettext

from dispatch.board import iso

from .models import Member, Shift
from .spoken import Refusal

AHEAD = timedelta(minutes=1)
"""Clocks are never quite the same."""
OLDEST = timedelta(hours=48)
"""For so long a phone keeps what it could not send. An earlier time is that of a wrong clock."""
NONE = timedelta()


def skew(sent_at: datetime | None, *, least: timedelta = AHEAD) -> timedelta:
    """How far a phone's clock is ahead of ours, by what it said when it sent what just came. Up to `least` is nothing: on
    its way a request takes a while, too."""
    off = sent_at - timezone.now() if sent_at else NONE
    return off if abs(off) > least else NONE


def believable(at: datetime, now: datetime) -> datetime:
    """When it was done, or `now` where that cannot be: ahead of us, or longer ago than phones keep anything."""
    return at if now - OLDEST <= at <= now + AHEAD else now


def clock_in(member: Member, *, at: datetime, skew: timedelta = NONE) -> Shift:
    """Begins a shift, behind the end of the last. Who is at work already stays in the shift that they have. `skew` is how
    far the phone's clock is ahead."""
    shifts = Shift.objects.filter(member=member)
    if sent_before := shifts.filter(started_device_at=at).first():
        return sent_before
    last, now = shifts.aggregate(end=Max("ended_at"))["end"], timezone.now()
    started = max(now, last) if last else now  # a server's clock may be put back
    shift, _ = Shift.objects.get_or_create(
        member=member, ended_at=None,
        defaults={"started_at": started, "started_device_at": at, "started_skew": skew},
    )  # fmt: skip
    return shift


def clock_out(member: Member, *, at: datetime, skew: timedelta = NONE) -> None:
    """Ends the shift. Raises Refusal when there is none, unless this very clocking out was sent before."""
    shifts = Shift.objects.filter(member=member)
    sent_before = shifts.filter(ended_device_at=at)
    if sent_before.exists():
        return
    ended = Greatest(F("started_at"), timezone.now())
    changes = {"ended_at": ended, "ended_device_at": at, "ended_skew": skew}
    if not shifts.filter(ended_at=None).update(**changes) and not sent_before.exists():
        raise Refusal("not_in", gettext("You are not clocked in."))


def open_shift(member: Member) -> dict[str, Any] | None:
    """Since when the member is at work, as it counts."""
    shifts = counted(Shift.objects.filter(member=member, ended_at=None))
    started = shifts.values_list("counted_start", flat=True).first()  # type: ignore[misc]  # `counted` makes it
    return {"startedAt": iso(started)} if started else None


def counted(shifts: QuerySet[Shift]) -> QuerySet[Shift]:
    """With `counted_start` and `counted_end` (None for who is at work), the times that hours are paid by.

    The phone's count, put right by what its clock is off, where it was sent later, by more than a minute and at most 48
    hours. Ours count otherwise: it was sent at once, or the phone says what cannot be. A shift never counts from before
    the end of the last one, whatever a phone says, and where it would end before it begins both times are ours.
    """
    before = Shift.objects.filter(member=OuterRef("member"), pk__lt=OuterRef("pk")).order_by("-pk")
    with_the_last = shifts.annotate(_last=Subquery(before.values_list(_believed("ended"))[:1]))
    start, end = _believed("started"), _believed("ended")
    not_before = Case(When(_last__gt=start, started_at__gte=F("_last"), then=F("_last")), default=start)
    believed = with_the_last.annotate(_start=not_before, _end=end)
    makes_sense = Q(ended_at=None) | Q(_end__gt=F("_start"))
    return believed.annotate(
        counted_start=Case(When(makes_sense, then=F("_start")), default=F("started_at")),
        counted_end=Case(When(makes_sense, then=F("_end")), default=F("ended_at")),
    )


def _believed(which: str) -> Expression:
    """The phone's time of having `started` or `ended` in terms of our clock, if it can be that it was sent later; otherwise
    ours."""
    ours, phone, skew = F(f"{which}_at"), f"{which}_device_at", F(f"{which}_skew")
    was_late = Q(**{f"{phone}__lt": ours - AHEAD + skew, f"{phone}__gte": ours - OLDEST + skew})
    put_right = Case(When(was_late, then=F(phone) - skew), output_field=DateTimeField())
    return Coalesce(put_right, ours, output_field=DateTimeField())
