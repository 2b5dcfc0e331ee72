"""What the plan of the crews allows, and how it says no. Writes nothing."""

from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext

from .models import Assignment, Event, Member, Role
from .spoken import Refusal, ago, window

RELEASE_UNTIL = timedelta(hours=12)
"""Before an event begins. Later than this, whoever wants to give a claimed place back asks the office."""


class Taken(Exception):
    """All places are taken. The message says by whom; `event` is the event."""

    def __init__(self, event: Event, assignment: Assignment | None) -> None:
        super().__init__(_taken_by(assignment) if assignment else gettext("There are no places"))
        self.event = event


class Overlaps(Exception):
    """The member is somewhere else at that time. The message names the other event; `other` is that."""

    def __init__(self, member: Member, other: Event) -> None:
        start, end = (moment.astimezone(other.board.zone) for moment in (other.starts_at, other.ends_at))
        text = gettext("{name} is on “{event}” then: {when}")
        super().__init__(text.format(name=member.first_name, event=other.title, when=window(start, end)))
        self.other = other


class Stale(Exception):
    """Somebody else changed the event in the meantime. `current` is the event as it is now."""

    def __init__(self, current: Event) -> None:
        step = current.history.last()
        who = (step and step.by) or "Somebody"
        super().__init__(
            f"{who} changed this event {ago(step.at, timezone.now())}" if step else f"{who} changed this event"
        )
        self.current = current


def check_member(member: Member, event: Event, role: str) -> None:
    """Raises Refusal unless this person could have such a place at all."""
    if not member.is_active:
        raise Refusal("inactive", gettext("{name} does not work here any more.").format(name=member.first_name))
    if member.board_id != event.board_id:
        raise Refusal("other_board", gettext("{name} belongs to another board.").format(name=member.first_name))
    if not member.may_be(role):
        captains, mates = (
            gettext("{name} is not on the list of captains."),
            gettext("{name} is not on the list of first mates."),
        )
        raise Refusal("wrong_role", (captains if role == Role.CAPTAIN else mates).format(name=member.first_name))


def check_takes_place(event: Event) -> None:
    """Raises Refusal when there is nothing to join any more."""
    if event.cancelled_at:
        raise Refusal("cancelled", gettext("“{event}” is cancelled.").format(event=event.title))
    if event.ends_at <= timezone.now():
        raise Refusal("over", gettext("“{event}” is over.").format(event=event.title))


def check_free(member: Member, event: Event) -> None:
    """Raises Overlaps when the member is on another event at that time."""
    others = Event.objects.overlapping(event.starts_at, event.ends_at).exclude(pk=event.pk).select_related("board")
    other = others.filter(assignments__member=member, assignments__ended_at=None).order_by("starts_at").first()
    if other:
        raise Overlaps(member, other)


def place_of(event: Event, member: Member) -> Assignment | None:
    """What this member has there."""
    mine: Assignment | None = event.assignments.present().filter(member=member).select_related("member").first()
    return mine


def last_to_come(event: Event, role: str) -> Assignment | None:
    """Who took the last place."""
    last: Assignment | None = (
        event.assignments.present().filter(role=role).select_related("member").order_by("since").last()
    )
    return last


def may_release(assignment: Assignment, event: Event) -> bool:
    """Whether a member may give the place back without asking: what they claimed, in time."""
    return assignment.is_claim and timezone.now() <= event.starts_at - RELEASE_UNTIL


def warnings(event: Event) -> list[str]:
    """What the dispatcher should know: a truck or a person that is in two places at once."""
    others = Event.objects.overlapping(event.starts_at, event.ends_at).exclude(pk=event.pk)
    found: list[str] = []
    if event.cancelled_at:
        return found
    if event.truck_id and (other := others.filter(truck=event.truck_id).first()):
        found.append(f"{event.truck} is on “{other.title}” at the same time.")
    mine = event.assignments.present().select_related("member")
    for one in mine:
        if other := others.filter(assignments__member=one.member_id, assignments__ended_at=None).first():
            found.append(f"{one.member.first_name} is on “{other.title}” at the same time.")
    return found


def _taken_by(assignment: Assignment) -> str:
    when = ago(assignment.since, timezone.now())
    return gettext("Taken by {name} {ago}").format(name=assignment.member.first_name, ago=when)
