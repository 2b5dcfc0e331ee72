"""The only writer of events and of the places in them. Every function is one change in one transaction: it takes the next
number of the board's crews, stamps the event with it, writes the history, has the crew's names follow in the jobs (so that
boards, copies and customers' pages follow, too), and queues what people are to be told.

Who is first decides one UPDATE, `EventQuerySet.take_place`: it matches while there is a place left, and locks the event
for the rest of the transaction. Rows are always written in this order, so that nobody waits in a circle: events (by pk),
member, roster, board.
"""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from dispatch.models import Board, Job
from dispatch.rules import Refused

from . import editing, rules, telling
from .models import COUNTERS, Assignment, Event, Member, Outing, Role
from .noting import group, name_crew, name_crews, note
from .rules import Overlaps, Stale, Taken, place_of, warnings
from .seeing import seen

__all__ = [
    "Overlaps", "Stale", "Taken", "assign", "cancel_event", "claim", "decline_release", "edit_event", "group", "open_event",
    "put_job", "release", "renamed", "seen", "warnings",
]  # fmt: skip

EDITABLE = frozenset({"title", "starts_at", "ends_at", "truck", "captains", "first_mates", "notes"})
HOURS = frozenset({"starts_at", "ends_at"})
MOVED = frozenset({*HOURS, "truck", "notes"})
"""What the people on an event are told when it changes."""


def open_event(board: Board, *, by: str, **fields: Any) -> Event:
    """Raises ValidationError, by field."""
    event = Event(board=board, **fields)
    editing.check(event, fields)
    with transaction.atomic():
        event.save(force_insert=True)
        return note(event, "opened", by=by)


def edit_event(event: Event, changes: Mapping[str, Any], *, expect: int, by: str, reason: str = "") -> Event:
    """Changes what is known about an event (`EDITABLE`). `expect` is its `seq` as it was seen. Nothing different is no
    change. With a reason new hours may put its people on two events at once. Raises Stale, Overlaps, ValidationError by
    field, and Refused for a cancelled event."""
    with transaction.atomic():
        current = _locked(event)
        if current.seq != expect:
            raise Stale(current)
        if unknown := set(changes) - EDITABLE:
            raise Refused("unknown_field", f"These cannot be edited: {', '.join(sorted(unknown))}.")
        different = {name: value for name, value in changes.items() if getattr(current, name) != value}
        was = (current.starts_at, current.ends_at)
        for name, value in different.items():
            setattr(current, name, value)
        editing.check(current, different)
        if not different:
            return current
        current.save(update_fields=list(different))
        why = editing.bring_along(current, was, reason.strip()) if HOURS & set(different) else ""
        changed = note(current, "edited", by=by, reason=why, facts={"changed": sorted(different)})
        if MOVED & set(different):
            telling.all_of(changed, "crew_changed", by=by)
        return changed


def cancel_event(event: Event, *, by: str, reason: str) -> Event:
    """Its people are told and free again, its jobs wait for another crew. Raises Refused."""
    if not (reason := reason.strip()):
        raise Refused("reason_required", "Cancelling an event needs a reason.")
    now = timezone.now()
    with transaction.atomic():
        current = _locked(event)
        editing.check_not_over(current)
        telling.all_of(current, "crew_cancelled", by=by)
        _end(current.assignments.present(), now, by, reason)
        jobs = [outing.job for outing in current.outings.select_related("job__board")]
        current.outings.all().delete()
        Event.objects.filter(pk=current.pk).update(
            cancelled_at=now, cancelled_because=reason, captains_taken=0, first_mates_taken=0
        )
        current.refresh_from_db()
        changed = note(current, "cancelled", by=by, reason=reason)
        for job in jobs:
            name_crew(job, [], by)
        return changed


def claim(event: Event, member: Member, *, by: str) -> tuple[Assignment, bool]:
    """A first mate's place, first come, first served. Returns the assignment and whether it is new: the same member asking
    again gets what they have. Raises Taken, Overlaps and Refused."""
    return _give(event, member, Role.FIRST_MATE, by=by, is_claim=True)


def assign(event: Event, member: Member, role: str, *, by: str, reason: str = "") -> tuple[Assignment, bool]:
    """The office gives somebody a place. With a reason they may be on two events at once. Raises Taken, Overlaps and
    Refused."""
    if role not in Role.values:
        raise Refused("unknown_role", f"There is no role “{role}”.")
    return _give(event, member, role, by=by, override=reason.strip())


def release(event: Event, member: Member, *, by: str, reason: str = "", is_staff: bool = False) -> Assignment:
    """Gives a place back, or, past the cut-off and for what the office assigned, asks for that: then `release_asked_at` is
    set and the place is still theirs. Raises Refused."""
    now, reason = timezone.now(), reason.strip()
    with transaction.atomic():
        current = _locked(event)
        mine = place_of(current, member)
        if mine is None:
            raise Refused("not_yours", f"{member.first_name} has no place in “{current.title}”.")
        if not is_staff and not rules.may_release(mine, current):
            if not reason:
                raise Refused("reason_required", "It is too late to give this back by yourself. Tell the office why.")
            Assignment.objects.filter(pk=mine.pk).update(release_asked_at=now, release_reason=reason)
            note(current, "release_asked", by=by, member=member, reason=reason)
        else:
            Event.objects.give_place_back(current.pk, mine.role)
            _end(Assignment.objects.filter(pk=mine.pk), now, by, reason)
            current.refresh_from_db()
            note(current, "released", by=by, member=member, reason=reason, facts={"role": mine.role})
            name_crews(current, by)
        mine.refresh_from_db()
        if mine.ended_at:
            telling.one(mine, "crew_released", by=by)
    return mine


def decline_release(event: Event, member: Member, *, by: str, reason: str = "") -> Assignment:
    """The place stays theirs. Raises Refused when they did not ask."""
    with transaction.atomic():
        current = _locked(event)
        mine = place_of(current, member)
        if mine is None or mine.release_asked_at is None:
            raise Refused("not_asked", f"{member.first_name} did not ask to be released.")
        Assignment.objects.filter(pk=mine.pk).update(release_asked_at=None, release_reason="")
        note(current, "release_declined", by=by, member=member, reason=reason.strip())
        mine.refresh_from_db()
        telling.one(mine, "crew_stays", by=by)
    return mine


def put_job(job: Job, event: Event | None, *, by: str, before: str | None = None, expect: str | None = None) -> None:
    """Puts a job into an event, in front of the job `before` (uid) or at the end; None takes it out of its event. `expect`
    is the uid of the event it was seen in, "" for none. Raises Refused, and Stale when it was put elsewhere meanwhile."""
    if event and event.board_id != job.board_id:
        raise Refused("other_board", "This event belongs to another board.")
    here = Outing.objects.filter(job=job)
    was = here.select_related("event").first()
    if expect is not None and expect != (was.event.uid if was else ""):
        raise Stale(was.event if was else Event.objects.get(uid=expect))
    if was and was.event == event and before == job.uid:
        return  # it stands there
    touched = {one.pk: one for one in (was and was.event, event) if one}
    try:
        with transaction.atomic():
            locked = {pk: _locked(touched[pk]) for pk in sorted(touched)}
            still = here.first()
            if (still and still.event_id) != (was and was.event_id):
                raise Stale(Event.objects.get(pk=(still or was).event_id))  # type: ignore[union-attr]  # one is there
            here.delete()
            if event:
                _insert(job, locked[event.pk], before)
            for pk, one in locked.items():
                facts = {"job": job.uid, "into": pk == (event and event.pk)}
                name_crews(note(one, "planned", by=by, facts=facts), by)
            if was and event is None:  # of a job that was in no event the crew may have been typed by hand
                name_crew(job, [], by)
    except IntegrityError:  # a job of no event was put into another one just now
        if there := here.select_related("event").first():
            raise Stale(there.event) from None
        raise


def renamed(member: Member, *, by: str) -> None:
    """Has a member's new name follow in the jobs of events that are not over."""
    mine = Event.objects.filter(assignments__member=member, assignments__ended_at=None, ends_at__gt=timezone.now())
    for event in mine.order_by("pk"):
        with suppress(Refused), transaction.atomic():  # one that was cancelled just now has no crew
            name_crews(note(_locked(event), "renamed", by=by, member=member), by)


def _give(
    event: Event, member: Member, role: str, *, by: str, is_claim: bool = False, override: str = ""
) -> tuple[Assignment, bool]:  # fmt: skip
    now = timezone.now()
    rules.check_member(member, event, role)
    is_full = Event.objects.is_full(event.pk, role)
    if mine := _present(event, member, role):
        return mine, False
    if is_full:  # most who are late learn it here, and hold nobody up
        raise Taken(event, rules.last_to_come(event, role))
    with transaction.atomic():
        is_first = Event.objects.take_place(event.pk, role, now)
        current = Event.objects.select_related("board", "truck").get(pk=event.pk)
        if mine := _present(current, member, role):  # their own second tap, which waited for the first
            transaction.set_rollback(True)
            return mine, False
        if not is_first:
            rules.check_takes_place(current)
            raise Taken(current, rules.last_to_come(current, role))
        Member.objects.filter(pk=member.pk).update(is_active=F("is_active"))  # whoever places them elsewhere waits
        member.refresh_from_db()
        rules.check_member(member, current, role)
        if not override:
            rules.check_free(member, current)
        made = Assignment.objects.create(
            event=current, member=member, role=role, place=_free_place(current, role), is_claim=is_claim, since=now,
            by=by[:150], override=override,
        )  # fmt: skip
        step = "claimed" if is_claim else "assigned"
        name_crews(note(current, step, by=by, member=member, reason=override, facts={"role": role}), by)
        telling.one(made, "crew_claimed" if is_claim else "crew_assigned", by=by)
    return made, True


def _present(event: Event, member: Member, role: str) -> Assignment | None:
    """What they have already. Raises Refused when that is another role."""
    mine = place_of(event, member)
    if mine and mine.role != role:
        raise Refused("has_place", f"{member.first_name} is {mine.get_role_display().lower()} of this event already.")
    return mine


def _locked(event: Event) -> Event:
    """The event as it is, with nobody else changing it until the end of the transaction. Raises Refused when it does not
    take place any more."""
    is_on = Event.objects.touch(event.pk)
    current = Event.objects.select_related("board", "truck").get(pk=event.pk)
    if not is_on:
        raise Refused("cancelled", f"“{current.title}” is cancelled.")
    return current


def _free_place(event: Event, role: str) -> int:
    taken = set(event.assignments.present().filter(role=role).values_list("place", flat=True))
    places: int = getattr(event, COUNTERS[Role(role)][1])
    return next(place for place in range(1, places + 1) if place not in taken)


def _end(assignments: QuerySet[Assignment], now: datetime, by: str, reason: str) -> None:
    assignments.update(ended_at=now, ended_by=by[:150], ended_because=reason)


def _insert(job: Job, event: Event, before: str | None) -> None:
    """Places are 1, 2, 3 … anew each time: a crew does a dozen jobs a day."""
    others = list(event.outings.select_related("job"))
    at = next((index for index, one in enumerate(others) if one.job.uid == before), len(others))
    outings = [*others[:at], Outing(job=job, event=event), *others[at:]]
    for place, one in enumerate(outings, start=1):
        one.place = place
        one.save(force_insert=one.job_id == job.pk)
