"""Clocking in and out, and which of two clocks counts. A shift keeps the times of both: ours, when it reached us, and the
phone's, when it was done. They differ where a phone had no network. The phone's also tells what was sent twice.
"""

from datetime import datetime

from django.db.models import Case, DateTimeField, Expression, F, Max, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from dispatch.rules import Refused

from .field import AHEAD, OLDEST
from .models import Member, Shift


def clock_in(member: Member, *, at: datetime) -> Shift:
    """Begins a shift, behind the end of the last. Who is at work already stays in the shift that they have."""
    shifts = Shift.objects.filter(member=member)
    if sent_before := shifts.filter(started_device_at=at).first():
        return sent_before
    last, now = shifts.aggregate(end=Max("ended_at"))["end"], timezone.now()
    started = max(now, last) if last else now  # a server's clock may be put back
    shift, _ = Shift.objects.get_or_create(
        member=member, ended_at=None, defaults={"started_at": started, "started_device_at": at}
    )
    return shift


def clock_out(member: Member, *, at: datetime) -> None:
    """Ends the shift. Raises Refused when there is none, unless this very clocking out was sent before."""
    shifts = Shift.objects.filter(member=member)
    sent_before = shifts.filter(ended_device_at=at)
    if sent_before.exists():
        return
    ended = Greatest(F("started_at"), timezone.now())
    if not shifts.filter(ended_at=None).update(ended_at=ended, ended_device_at=at) and not sent_before.exists():
        raise Refused("not_in", "You are not clocked in.")


def counted(shifts: QuerySet[Shift]) -> QuerySet[Shift]:
    """With `counted_start` and `counted_end` (None for who is at work), the times that hours are paid by.

    The phone's count where it was sent later, by more than a minute and at most 48 hours. Ours count otherwise: the clocks
    agree, or the phone's is ahead or far behind. A shift never counts from before the end of the last one, whatever a phone
    says, and where it would end before it begins both times are ours.
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
    """The phone's time of having `started` or `ended`, if it can be that it was sent later; otherwise ours."""
    ours, phone = F(f"{which}_at"), f"{which}_device_at"
    was_late = Q(**{f"{phone}__lt": ours - AHEAD, f"{phone}__gte": ours - OLDEST})
    return Coalesce(Case(When(was_late, then=F(phone))), ours, output_field=DateTimeField())
