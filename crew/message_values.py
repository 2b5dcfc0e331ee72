"""What is filled into the words for people in the crews, from the event as it is now. The office has typed it; customers'
addresses are cut to the street, and what is strange in them cannot look like a link.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from django.conf import settings

from dispatch.messages import times
from dispatch.messages.fitting import BRIEF
from dispatch.messages.ledger import Channel
from dispatch.messages.values import clean, first_name, no_link
from dispatch.messages.writing import BLANK
from dispatch.models import Board
from dispatch.phones import spoken

from .message_about import Matter
from .models import Assignment, Event, Member, Outing, Role

PLACEHOLDERS: Mapping[str, str] = MappingProxyType({
    "company": "the board's name",
    "name": "the first name of who gets it",
    "event": "what the event is called",
    "when": "day and hours of the event",
    "truck": "the truck; may be empty",
    "role": "captain or first mate",
    "jobs": "how many jobs, such as 5 jobs; may be empty",
    "where": "street and town of the first stop; may be empty",
    "crew": "first names of the others on it; may be empty",
    "notes": "the office's notes for the crew; may be empty",
    "reason": "why the office cancelled it, took the place back, or keeps them on it; may be empty",
    "phone": "the company's phone number; may be empty",
    "link": "the crew's page, or the link to sign in",
})  # fmt: skip
ROLES = {
    "en": {Role.CAPTAIN: "captain", Role.FIRST_MATE: "first mate"},
    "es": {Role.CAPTAIN: "capitán", Role.FIRST_MATE: "ayudante"},
}
JOBS = {"en": ("job", "jobs"), "es": ("trabajo", "trabajos")}
HOUSE_NUMBER = re.compile(r"^\s*#?\d+[\w/-]*\s+")


@dataclass(frozen=True, slots=True)
class Facts:
    """Of an event, for one of its people. Times are in the board's zone."""

    title: str
    start: datetime
    end: datetime
    truck: str = ""
    role: str = Role.FIRST_MATE
    jobs: int = 0
    first_stop: str = ""
    others: tuple[str, ...] = ()
    notes: str = ""
    reason: str = ""


EXAMPLE = {
    "title": "Tuesday, north", "truck": "Truck 2", "jobs": 5, "first_stop": "1428 Elm St, Denver",
    "others": ("Al Ray",), "notes": "Meet in the yard. Bring the long straps.", "reason": "The truck is in the workshop.",
}  # fmt: skip
LONGEST = {
    "title": "Saturday clean-up of the whole Martin Luther King Junior Boulevard with both of the big trucks",
    "truck": "The big red one with the crane and the new tail lift", "jobs": 18,
    "first_stop": "12345 South Martin Luther King Junior Boulevard, Colorado Springs, CO 80903-1234",
    "others": ("Christopher Montgomery", "Alejandra Villanueva", "Bartholomew Fitzgerald"), "notes": "Bring gloves. " * 20,
    "reason": "The container does not fit between the gate and the wall, and the neighbours were not at home.",
}  # fmt: skip


def of(matter: Matter, language: str, channel: str) -> dict[str, str]:
    """A value for each of PLACEHOLDERS, "" for what is not known, and BRIEF. A link to sign in is a secret, and shown as
    one."""
    event, place = matter.event, matter.place
    facts = _facts(event, place) if event and place else None
    return _filled(matter.member, matter.member.board, facts, language, channel)


def example(board: Board, language: str, channel: str, *, of_event: bool, longest: bool) -> dict[str, str]:
    """The same of somebody who does not exist."""
    if longest:
        member, start, hours = "Maximiliano-Alexander Smith", datetime(2026, 9, 30, 20, 30, tzinfo=board.zone), 10
    else:
        member, start, hours = "Dee Ramos", datetime(2026, 11, 24, 8, tzinfo=board.zone), 8
    end = start + timedelta(hours=hours)
    facts = Facts(start=start, end=end, **(LONGEST if longest else EXAMPLE)) if of_event else None  # type: ignore[arg-type]
    filling = _filled(Member(name=member), board, facts, language, channel)
    return filling if of_event else filling | {"link": f"{settings.API_ORIGIN}/crew/sign-in/{'A' * 43}/"}


def link() -> str:
    """Where the phone's page is. It is served where the board is."""
    return f"{settings.API_ORIGIN}/crew/"


def _filled(member: Member, board: Board, facts: Facts | None, language: str, channel: str) -> dict[str, str]:
    about_all = {
        "company": clean(board.name), "name": first_name(member.name), "phone": spoken(board.phone),
        "link": link() if facts else BLANK,
    }  # fmt: skip
    if facts is None:
        return dict.fromkeys(PLACEHOLDERS, "") | {BRIEF: ""} | about_all
    in_words = times.window_in_short if channel == Channel.SMS else times.window_in_full
    return about_all | {
        "event": clean(facts.title),
        "when": in_words(facts.start, facts.end, language),
        BRIEF: times.window_in_brief(facts.start, facts.end, language),
        "truck": clean(facts.truck),
        "role": ROLES[language][Role(facts.role)],
        "jobs": f"{facts.jobs} {JOBS[language][facts.jobs != 1]}" if facts.jobs else "",
        "where": no_link(clean(HOUSE_NUMBER.sub("", facts.first_stop))),
        "crew": ", ".join(filter(None, map(first_name, facts.others))),
        "notes": clean(facts.notes),
        "reason": clean(facts.reason),
    }


def _facts(event: Event, place: Assignment) -> Facts:
    """Four queries at most."""
    outings = list(Outing.objects.filter(event=event).select_related("job"))
    others = event.assignments.present().exclude(member=place.member_id)
    return Facts(
        title=event.title,
        start=event.starts_at.astimezone(event.board.zone),
        end=event.ends_at.astimezone(event.board.zone),
        truck=event.truck.name if event.truck else "",
        role=place.role,
        jobs=len(outings),
        first_stop=outings[0].job.location if outings else "",
        others=tuple(others.values_list("member__name", flat=True)),
        notes=event.notes,
        reason=_reason(event, place),
    )


def _reason(event: Event, place: Assignment) -> str:
    """Why it is cancelled, why they are off, or else why they have to stay: what others say. Why a member wants to go is
    for the office, and the board lets them go for that reason."""
    if event.cancelled_at:
        return event.cancelled_because
    if place.ended_at:
        is_their_own = place.ended_by == place.member.name or place.ended_because == place.release_reason
        return "" if is_their_own else place.ended_because
    declined = event.history.filter(member=place.member_id, what="release_declined")
    return declined.values_list("reason", flat=True).last() or ""
