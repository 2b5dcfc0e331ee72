"""What members do to jobs on the way. Without a network a phone keeps it and sends it later, in order and perhaps twice: so
each says from which status it started, and when the phone thinks it was done (`at`), and how far the phone's clock is ahead
of ours (`skew`) may be known.

The phone's time stands in the history beside ours, as `deviceAt`; `deviceClock` is `ahead` or `old` where it cannot be
true. Nothing is refused for it. What is decided by it is decided by `at - skew`.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from types import MappingProxyType
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import get_language, gettext, gettext_noop

from dispatch import asks, flow
from dispatch.board import iso
from dispatch.messages import times
from dispatch.models import Job, StatusChange

from . import whose
from .clock import AHEAD, NONE, OLDEST, believable
from .models import Event, Member, Outing
from .spoken import Refusal, ago, status_label, window
from .today import STEPS, is_current, start_from

_ = gettext_noop  # marks a text; it is translated when it is said

LATE = timedelta(minutes=30)
"""Sent later than this after it was done, “on the way” is no news for the customer any more."""
STILL_NEWS = frozenset({"completed"})
"""The customer is told of these however late."""
GAVE_UP = "ready_for_pickup"
"""Where a job waits that the crew could not get to."""
MOST_NOTES = 20_000
"""Characters, of all that stands in a job's notes on access."""
TRIES = 20
LOST: Mapping[str, str] = MappingProxyType({
    "cancelled": _("{event} was cancelled by {who} {ago}"),
    "given": _("{who} gave this job to {to} {ago}"),
    "taken_out": _("{who} took this job off {event} {ago}"),
    "taken_off": _("{who} took you off {event} {ago}"),
    "given_back": _("You gave back your place in {event} {ago}"),
})  # fmt: skip
"""By `what` of crew.whose.Lost."""


class NotYours(Exception):
    """The member has no place in an event of now that has this job, or there is no such job. Who had one is told what
    became of it; `facts` has the same to be read by programs."""

    def __init__(self, lost: whose.Lost | None = None) -> None:
        nothing_more = gettext("This job is not on your plan any more. Ask the office.")
        super().__init__(_lost_in_words(lost) if lost else nothing_more)
        self.facts: dict[str, Any] = _facts_of(lost) if lost else {}


class NotYet(Exception):
    """It is too early to be on the way. The message says when it is planned; `facts` has that, too."""

    def __init__(self, event: Event) -> None:
        super().__init__(_planned_in_words(event))
        self.facts: dict[str, Any] = {"start": iso(event.starts_at), "startFrom": iso(start_from(event))}


class MovedOn(Exception):
    """The job is not where the phone thought it was. The message says who moved it, where and when, as `facts` do;
    `outing` has it."""

    def __init__(self, outing: Outing) -> None:
        step: StatusChange | None = outing.job.history.last()
        who = (step and step.by) or gettext("Somebody")
        when = ago(step.at, timezone.now()) if step else ""
        text = gettext("{who} moved this to {status} {ago}").format(
            who=who, status=status_label(outing.job.status), ago=when
        )
        super().__init__(text.strip())
        self.outing = outing
        self.facts: dict[str, Any] = {
            "by": step.by if step else "",
            "at": iso(step.at) if step else None,
            "to": outing.job.status,
            "reason": step.reason if step else "",
        }


class Busy(Exception):
    """Others change the job all the time. It can be sent again."""


def outing_of(member: Member, uid: str, at: datetime | None = None) -> Outing:
    """The job `uid` in the event that has it, if that is a member's to work on: now, or when it was done (`at`), so that
    what waited overnight is not lost. What was done while the job was theirs is theirs, too, though the office has planned
    anew since. Raises NotYours."""
    now, outings = timezone.now(), Outing.objects.select_related("job__board", "event__board")
    found = outings.filter(job__uid=uid, event__assignments__member=member, event__assignments__ended_at=None).first()
    then = believable(at, now) if at else now
    if found and (is_current(found.event, now) or is_current(found.event, then)):
        return found
    lost = whose.lost(member, uid)
    for one in reversed(lost):
        if one.since <= then < one.at and is_current(one.event, then):
            return whose.outing(one, uid)
    raise NotYours(lost[-1] if lost and not found else None)


def move(outing: Outing, to: str, *, was: str, member: Member, at: datetime, skew: timedelta = NONE) -> str:
    """Moves the job on, from `was`, whatever else was changed about it meanwhile. Done once, however often it is sent.
    Returns the name of whoever else had done it already, or "". Raises MovedOn, NotYet, Refused and Busy."""
    now = timezone.now()
    if to not in STEPS:
        steps = ", ".join(map(status_label, STEPS))
        raise Refusal("not_allowed", gettext("A crew can move a job to: {steps}.").format(steps=steps))
    if to == "en_route" and believable(at - skew, now) < start_from(outing.event):
        raise NotYet(outing.event)
    facts = device_facts(at, now)
    is_news = now - (at - skew) <= LATE and not outing.is_past  # whoever lost the job does not come
    change = partial(
        flow.move, to=to, by=member.name, channel=StatusChange.Channel.CREW, extra=facts,
        notify=is_news or to in STILL_NEWS,
    )  # fmt: skip
    return _once(outing, to, was, member, facts, lambda job: change(job, expect=job.seq))


def no_access(outing: Outing, reason: str, *, was: str, member: Member, at: datetime) -> str:
    """The crew stood before a locked gate: the job goes back to wait, with a mark for the office and no word to the
    customer. Returns the name of the colleague who had said so already, or "". Raises MovedOn, Refused and Busy."""
    facts, reason = device_facts(at, timezone.now()), asks.cleaned(reason)
    if not reason:
        raise Refusal("reason_required", gettext("Say what was in the way: a locked gate, a dog, nobody there."))
    if was not in {"en_route", "in_progress"}:
        raise Refusal("not_allowed", gettext("You can say this once you are on the way."))

    def give_up(job: Job) -> Job:
        with transaction.atomic():
            moved = flow.move(
                job, GAVE_UP, expect=job.seq, by=member.name, channel=StatusChange.Channel.CREW,
                reason=f"No access: {reason}", extra=facts,
            )  # fmt: skip
            return asks.ask_office(moved, "no_access", text=reason, by=member.name)

    return _once(outing, GAVE_UP, was, member, facts, give_up)


def note(outing: Outing, text: str, *, member: Member, at: datetime, skew: timedelta = NONE) -> Outing:
    """Adds a line to where crews look for gate codes. The same line is not added twice. Raises Refused."""
    text = asks.cleaned(text)
    if not text:
        raise Refusal("empty", gettext("Please write something."))
    line = f"From the crew ({member.first_name}, {_time(at - skew, outing)}): {text}"
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
            outing.job = Job.objects.select_related("board").get(pk=outing.job_id)  # it may be older than its history
            return "" if who == member.name else who
        if outing.job.status != was:
            raise MovedOn(outing)
        try:
            outing.job = change(outing.job)
        except flow.Conflict as conflict:  # somebody edited it, or moved it: look again
            outing.job = conflict.current
        else:
            return ""
    raise Busy(gettext("This job is being changed all the time. Try again."))


def _done_by(job: Job, to: str, member: Member, facts: dict[str, Any]) -> str | None:
    """Who did it: whoever the job is there by, or this member, when it was there once at just this time of their phone.
    A job that the office put back has not told it of a locked gate: that is for crews to have done."""
    history = list(job.history.all())
    if job.status == to and history and (to != GAVE_UP or history[-1].channel == StatusChange.Channel.CREW):
        return history[-1].by or gettext("Somebody")
    theirs = [step for step in history if step.by == member.name and step.channel == StatusChange.Channel.CREW]
    was_sent = any(step.to_status == to and step.extra.get("deviceAt") == facts["deviceAt"] for step in theirs)
    return member.name if was_sent else None


def _with_line(line: str, job: Job, seq: int) -> dict[str, Any]:
    if f"\n{line}\n" in f"\n{job.access_notes}\n":
        return {}
    notes = f"{job.access_notes}\n{line}".strip()
    if len(notes) > MOST_NOTES:
        raise Refusal("too_many", gettext("There are too many notes on this job. Call the office."))
    return {"access_notes": notes}


def _time(at: datetime, outing: Outing) -> str:
    """«14:05», or with the day when that is not today: by the phone's clock, where that can be true."""
    now, zone = timezone.now(), outing.event.board.zone
    local = believable(at, now).astimezone(zone)
    day = "" if local.date() == now.astimezone(zone).date() else f"{local:%b} {local.day}, "
    return f"{day}{local:%H:%M}"


def _lost_in_words(lost: whose.Lost) -> str:
    """«South side was cancelled by Ana Ruiz 5 min ago: Truck broke down.»"""
    who, when = lost.by or gettext("Somebody"), ago(lost.at, timezone.now())
    said = gettext(LOST[lost.what]).format(event=lost.event.title, who=who, to=lost.to, ago=when)
    text = f"{said}: {lost.reason}" if lost.reason else said
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _facts_of(lost: whose.Lost) -> dict[str, Any]:
    facts = {"what": lost.what, "event": lost.event.title, "by": lost.by, "at": iso(lost.at), "reason": lost.reason}
    return facts | ({"to": lost.to} if lost.to else {})


def _planned_in_words(event: Event) -> str:
    """«This is planned for tomorrow, 8:00 AM. Ask the office if you start today.»"""
    zone, language = event.board.zone, (get_language() or "en")[:2]
    start, today = event.starts_at.astimezone(zone), timezone.now().astimezone(zone).date()
    if start.date() != today + timedelta(days=1):
        text = gettext("This is planned for {when}. Ask the office if you start earlier.")
        return text.format(when=window(start, event.ends_at.astimezone(zone)))
    time = f"{start.hour % 12 or 12}:{start:%M} {times.HALVES[language][start.hour >= 12]}"
    return gettext("This is planned for tomorrow, {time}. Ask the office if you start today.").format(time=time)
