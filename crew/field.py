"""What members do to jobs on the way. Without a network a phone keeps it and sends it later, in order and perhaps twice: so
each says from which status it started, and when the phone thinks it was done.

The phone's time stands in the history beside ours, as `deviceAt`; `deviceClock` is `ahead` or `old` where it cannot be
true. Nothing is refused for it.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone

from dispatch import asks, flow
from dispatch.board import iso
from dispatch.models import Job, StatusChange
from dispatch.rules import Refused
from dispatch.statuses import status_label
from dispatch.words import ago

from .models import Member, Outing
from .today import STEPS, is_current

LATE = timedelta(minutes=30)
"""Sent later than this after it was done, “on the way” is no news for the customer any more."""
OLDEST = timedelta(hours=48)
"""For so long a phone keeps what it could not send. An earlier time is that of a wrong clock."""
AHEAD = timedelta(minutes=1)
"""Clocks are never quite the same."""
STILL_NEWS = frozenset({"completed"})
"""The customer is told of these however late."""
GAVE_UP = "ready_for_pickup"
"""Where a job waits that the crew could not get to."""
MOST_NOTES = 20_000
"""Characters, of all that stands in a job's notes on access."""
TRIES = 20


class NotYours(Exception):
    """The member has no place in an event of now that has this job, or there is no such job."""

    def __init__(self) -> None:
        super().__init__("This job is not on your plan any more. Ask the office.")


class MovedOn(Exception):
    """The job is not where the phone thought it was. The message says who moved it, where and when; `outing` has it."""

    def __init__(self, outing: Outing) -> None:
        step: StatusChange | None = outing.job.history.last()
        who = (step and step.by) or "Somebody"
        when = f" {ago(timezone.now() - step.at)}" if step else ""
        super().__init__(f"{who} moved this to {status_label(outing.job.status)}{when}")
        self.outing = outing


class Busy(Exception):
    """Others change the job all the time. It can be sent again."""


def outing_of(member: Member, uid: str, at: datetime | None = None) -> Outing:
    """The job `uid` in the event that has it, if that is a member's to work on: now, or when the phone says that it was
    done (`at`), so that what waited overnight is not lost. Raises NotYours."""
    now, outings = timezone.now(), Outing.objects.select_related("job__board", "event__board")
    found = outings.filter(job__uid=uid, event__assignments__member=member, event__assignments__ended_at=None).first()
    then = at if at and not device_facts(at, now).get("deviceClock") else now
    if found is None or not (is_current(found.event, now) or is_current(found.event, then)):
        raise NotYours
    return found


def move(outing: Outing, to: str, *, was: str, member: Member, at: datetime) -> str:
    """Moves the job on, from `was`, whatever else was changed about it meanwhile. Done once, however often it is sent.
    Returns the name of whoever else had done it already, or "". Raises MovedOn, Refused and Busy."""
    now = timezone.now()
    if to not in STEPS:
        raise Refused("not_allowed", f"A crew can move a job to: {', '.join(map(status_label, STEPS))}.")
    facts = device_facts(at, now)
    change = partial(
        flow.move, to=to, by=member.name, channel=StatusChange.Channel.CREW, extra=facts,
        notify=now - at <= LATE or to in STILL_NEWS,
    )  # fmt: skip
    return _once(outing, to, was, member, facts, lambda job: change(job, expect=job.seq))


def no_access(outing: Outing, reason: str, *, was: str, member: Member, at: datetime) -> str:
    """The crew stood before a locked gate: the job goes back to wait, with a mark for the office and no word to the
    customer. Returns the name of the colleague who had said so already, or "". Raises MovedOn, Refused and Busy."""
    facts, reason = device_facts(at, timezone.now()), asks.cleaned(reason)
    if not reason:
        raise Refused("reason_required", "Say what was in the way: a locked gate, a dog, nobody there.")
    if was not in {"en_route", "in_progress"}:
        raise Refused("not_allowed", "You can say this once you are on the way.")

    def give_up(job: Job) -> Job:
        with transaction.atomic():
            moved = flow.move(
                job, GAVE_UP, expect=job.seq, by=member.name, channel=StatusChange.Channel.CREW,
                reason=f"No access: {reason}", extra=facts,
            )  # fmt: skip
            return asks.ask_office(moved, "no_access", text=reason, by=member.name)

    return _once(outing, GAVE_UP, was, member, facts, give_up)


def note(outing: Outing, text: str, *, member: Member, at: datetime) -> Outing:
    """Adds a line to where crews look for gate codes. The same line is not added twice. Raises Refused."""
    text = asks.cleaned(text)
    if not text:
        raise Refused("empty", "Please write something.")
    line = f"From the crew ({member.first_name}, {_time(at, outing)}): {text}"
    outing.job = flow.amend(outing.job, partial(_with_line, line), by=member.name)
    return outing


def device_facts(at: datetime, now: datetime) -> dict[str, Any]:
    """What the history keeps of the phone's clock."""
    doubt = "ahead" if at > now + AHEAD else "old" if at < now - OLDEST else ""
    return {"deviceAt": iso(at)} | ({"deviceClock": doubt} if doubt else {})


def _once(
    outing: Outing, to: str, was: str, member: Member, facts: dict[str, Any], change: Callable[[Job], Job]
) -> str:  # fmt: skip
    for _ in range(TRIES):
        who = _done_by(outing.job, to, member, facts)
        if who is not None:
            return "" if who == member.name else who
        if outing.job.status != was:
            raise MovedOn(outing)
        try:
            outing.job = change(outing.job)
        except flow.Conflict as conflict:  # somebody edited it, or moved it: look again
            outing.job = conflict.current
        else:
            return ""
    raise Busy("This job is being changed all the time. Try again.")


def _done_by(job: Job, to: str, member: Member, facts: dict[str, Any]) -> str | None:
    """Who did it: whoever the job is there by, or this member, when it was there once at just this time of their phone.
    A job that the office put back has not told it of a locked gate: that is for crews to have done."""
    history = list(job.history.all())
    if job.status == to and history and (to != GAVE_UP or history[-1].channel == StatusChange.Channel.CREW):
        return history[-1].by or "Somebody"
    theirs = [step for step in history if step.by == member.name and step.channel == StatusChange.Channel.CREW]
    was_sent = any(step.to_status == to and step.extra.get("deviceAt") == facts["deviceAt"] for step in theirs)
    return member.name if was_sent else None


def _with_line(line: str, job: Job, seq: int) -> dict[str, Any]:
    if f"\n{line}\n" in f"\n{job.access_notes}\n":
        return {}
    notes = f"{job.access_notes}\n{line}".strip()
    if len(notes) > MOST_NOTES:
        raise Refused("too_many", "There are too many notes on this job. Call the office.")
    return {"access_notes": notes}


def _time(at: datetime, outing: Outing) -> str:
    """«14:05», or with the day when that is not today: by the phone's clock, where that can be true."""
    now, zone = timezone.now(), outing.event.board.zone
    local = (now if "deviceClock" in device_facts(at, now) else at).astimezone(zone)
    day = "" if local.date() == now.astimezone(zone).date() else f"{local:%b} {local.day}, "
    return f"{day}{local:%H:%M}"
