"""Events as pages and the API show them. Reads only.

`{"id", "seq", "title", "start", "end", "day", "truck", "status": open | full | cancelled | over, "jobCount",
"captains" and "firstMates": {"places", "people": [{"name", "since", "you"}]}, "you": null | {"role", "since", "isClaim",
"mayRelease", "releaseAsked"}}`; times are ISO 8601 in UTC, the day is that of the board. Who is on it reads its
`notes`, too. The office reads `notes`, `jobs` (uids in order), `warnings` and of each person also `id`, `override`,
`releaseAsked`, `releaseReason` and `seen`: since when they have the event's last change on their phone.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Prefetch
from django.utils import timezone

from dispatch.board import iso
from dispatch.models import Board

from .models import COUNTERS, Assignment, Event, Member, Outing, Role, Roster
from .rules import may_release

DAYS = 14
"""How far ahead people look."""
KEYS = {Role.CAPTAIN: "captains", Role.FIRST_MATE: "firstMates"}


def upcoming(board: Board, *, since: datetime | None = None, days: int = DAYS) -> list[Event]:
    """From the beginning of today on, cancelled ones too: who was on one is to see that. Three queries."""
    start = since or board.midnight()
    present = Assignment.objects.present().select_related("member")
    events = Event.objects.on_board(board).filter(ends_at__gt=start, starts_at__lt=start + timedelta(days=days))
    found = events.select_related("truck", "board").prefetch_related(
        Prefetch("assignments", present, to_attr="people"), Prefetch("outings", Outing.objects.select_related("job"))
    )
    return list(found.order_by("starts_at", "pk"))


def for_member(event: Event, member: Member) -> dict[str, Any]:
    """`event` is from `upcoming`."""
    mine = next((one for one in event.people if one.member_id == member.pk), None)  # type: ignore[attr-defined]
    return _facts(event, member, {}) | ({"notes": event.notes} if mine else {})


def for_office(event: Event, warnings: list[str]) -> dict[str, Any]:
    """`event` is from `upcoming`."""
    more = {
        one.pk: {
            "id": one.member.uid,
            "override": one.override,
            "releaseAsked": iso(one.release_asked_at),
            "releaseReason": one.release_reason,
            "seen": iso(one.seen_at) if one.seen_seq >= event.seq else None,
        }
        for one in event.people  # type: ignore[attr-defined]
    }
    jobs = [outing.job.uid for outing in event.outings.all()]
    return _facts(event, None, more) | {"notes": event.notes, "jobs": jobs, "warnings": warnings}


def seq(board: Board) -> int:
    """The number that the crews of a board have reached. Read it before the rows."""
    return Roster.objects.seq_of(board)


def status(event: Event) -> str:
    if event.cancelled_at:
        return "cancelled"
    if event.ends_at <= timezone.now():
        return "over"
    return "full" if event.first_mates_taken >= event.first_mates else "open"


def _facts(event: Event, viewer: Member | None, more: dict[int, dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": event.uid,
        "seq": event.seq,
        "title": event.title,
        "start": iso(event.starts_at),
        "end": iso(event.ends_at),
        "day": event.starts_at.astimezone(event.board.zone).date().isoformat(),
        "truck": event.truck.name if event.truck else None,
        "status": status(event),
        "jobCount": len(event.outings.all()),
        **{KEYS[role]: _places(event, role, viewer, more) for role in Role},
        "you": _you(event, viewer) if viewer else None,
    }


def _places(event: Event, role: Role, viewer: Member | None, more: dict[int, dict[str, Any]]) -> dict[str, Any]:
    people = [
        {"name": one.member.name, "since": iso(one.since), "you": bool(viewer and one.member_id == viewer.pk)}
        | more.get(one.pk, {})
        for one in event.people  # type: ignore[attr-defined]
        if one.role == role
    ]
    return {"places": getattr(event, COUNTERS[role][1]), "people": people}


def _you(event: Event, viewer: Member) -> dict[str, Any] | None:
    for one in event.people:  # type: ignore[attr-defined]
        if one.member_id == viewer.pk:
            return {
                "role": one.role,
                "since": iso(one.since),
                "isClaim": one.is_claim,
                "mayRelease": may_release(one, event),
                "releaseAsked": iso(one.release_asked_at),
            }
    return None
