"""Clocking in and out. Hours count by our clock; what the phone's said stands beside it, and tells what was sent twice."""

from datetime import datetime

from django.db.models import F, Max
from django.db.models.functions import Greatest
from django.utils import timezone

from dispatch.rules import Refused

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
