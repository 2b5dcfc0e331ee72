"""What an event has to be when it is opened, edited or cancelled, and whether its people can come along to new hours.
Called by crew.plan inside its transactions; the admin's form asks `elsewhere` before that.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import F
from django.utils import timezone

from dispatch.rules import Refused

from .models import COUNTERS, MOST_PLACES, Assignment, Event, Member
from .rules import Overlaps

Hours = tuple[datetime, datetime]
"""From, until."""
PLACES = f"There can be 0 to {MOST_PLACES} places."


class PeopleOverlap(Overlaps):
    """Like Overlaps, of people who have other places at that time. The message names them all."""

    def __init__(self, places: list[Assignment]) -> None:
        super().__init__(places[0].member, places[0].event)
        self.args = (in_words(places),)


def check(event: Event, changed: Collection[str]) -> None:
    """`changed` are the columns that are new. A truck that is not in use any more stays where it is and goes nowhere else.
    Raises ValidationError, by field."""
    errors: dict[str, Any] = {}
    try:
        event.full_clean(exclude={"board"}, validate_unique=False, validate_constraints=False)
    except ValidationError as error:
        errors = error.error_dict
    for _, places in COUNTERS.values():
        if places in errors and getattr(event, places) not in {None, *range(MOST_PLACES + 1)}:
            errors[places] = [PLACES]
    if "truck" in changed and event.truck and not event.truck.is_active and "truck" not in errors:
        errors["truck"] = [f"{event.truck} is not in use. It gets no new events."]
    if errors:
        raise ValidationError(errors)


def check_not_over(event: Event) -> None:
    """Raises Refused."""
    if event.ends_at <= timezone.now():
        raise Refused("over", f"“{event.title}” is over. It cannot be cancelled any more.")


def bring_along(event: Event, was: Hours, reason: str) -> str:
    """For an event whose new hours are written. With a reason its people may be on two events at once: it is kept with the
    places of those who are, and returned; "" when nobody is. Raises Overlaps.

    Members' rows are written before their other places are looked up, as when somebody gets a place, so that of two changes
    one comes after the other."""
    present = event.assignments.present()
    for pk in present.order_by("member_id").values_list("member_id", flat=True):
        Member.objects.filter(pk=pk).update(is_active=F("is_active"))
    places = elsewhere(event, was, (event.starts_at, event.ends_at))
    if not places:
        return ""
    if not reason:
        raise PeopleOverlap(places)
    present.filter(member__in=[one.member_id for one in places]).update(override=reason)
    return reason


def elsewhere(event: Event, was: Hours, hours: Hours) -> list[Assignment]:
    """The other places that people of this event have at its new hours: the first of each. Those that they had at the old
    hours, too, are no news and left out."""
    start, end = was
    others = Event.objects.overlapping(*hours).exclude(pk=event.pk).exclude(starts_at__lt=end, ends_at__gt=start)
    people = event.assignments.present().values("member")
    found = Assignment.objects.present().filter(event__in=others, member__in=people)
    places: dict[int, Assignment] = {}
    for one in found.select_related("member", "event__board").order_by("member__name", "event__starts_at", "pk"):
        places.setdefault(one.member_id, one)
    return list(places.values())


def in_words(places: list[Assignment]) -> str:
    """«Dee is on “South” then: …; Sam is on “West” then: …»"""
    return "; ".join(str(Overlaps(one.member, one.event)) for one in places)
