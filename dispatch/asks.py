"""What customers ask for on their page: another time, to cancel, a note for the crew, how they liked it. And what a crew
asks of the office: to see to a job that they had no access to.

They stand in `Job.asks` in the order in which they came, and the dispatcher sees each as a mark on the card until it is
dealt with: `{"kind", "at", "text"?, "day"?, "stars"?, "by"?, "again"?, "doneAt"?, "doneBy"?}` (`again` is how often it took
the place of one that waited, `by` who of the crew), times in ISO 8601, the day as 2026-11-28.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from types import MappingProxyType
from typing import Any

from django.utils import timezone

from . import flow
from .board import iso
from .models import Job
from .rules import Refused

BY = "Customer"
MOST = 40
"""Of one job. Whoever has more to say had better call."""
LONGEST = 500
TWO_TAPS = timedelta(minutes=1)
"""The same again within so short a time is one ask."""


@dataclass(frozen=True, slots=True)
class Ask:
    kind: str
    label: str  # as the dispatcher reads it
    icon: str
    color: str
    when: frozenset[str]  # statuses in which it may be asked
    once: bool = True  # the next one takes the place of the one that waits
    by_crew: bool = False  # never by a customer


_OPEN = frozenset({"requested", "scheduled", "ready_for_pickup"})
_TABLE = (
    Ask("reschedule", "Wants another time", "calendar", "yellow", _OPEN),
    Ask("cancel", "Wants to cancel", "cross", "red", _OPEN),
    Ask("note", "Left a note", "note", "violet", _OPEN | {"en_route", "in_progress"}, once=False),
    Ask("rating", "Rated the job", "star", "blue", frozenset({"completed"})),
    Ask("no_access", "Crew had no access", "warning", "red", frozenset({"ready_for_pickup"}), by_crew=True),
)
ASKS: Mapping[str, Ask] = MappingProxyType({ask.kind: ask for ask in _TABLE})
"""Every kind by its name, in the order in which pages show them."""


def allowed(job: Job) -> list[str]:
    """What the customer may ask for now."""
    return [ask.kind for ask in _TABLE if job.status in ask.when and not ask.by_crew]


def waiting(job: Job) -> list[str]:
    """The kinds that nobody has dealt with yet."""
    kinds = {one["kind"] for one in job.asks if "doneAt" not in one}
    return [kind for kind in ASKS if kind in kinds]


def rating(job: Job) -> int | None:
    """The latest stars, 1 to 5."""
    return next((one.get("stars") for one in reversed(job.asks) if one["kind"] == "rating"), None)


def ask(job: Job, kind: str, *, text: str = "", day: date | None = None, stars: int | None = None) -> Job:
    """Notes what a customer asks for. A note goes to where the crew looks for gate codes, too. Raises Refused."""
    if kind not in ASKS or ASKS[kind].by_crew:
        raise Refused("unknown_ask", f"There is no such request: “{kind}”.")
    text = cleaned(text)
    if kind == "note" and not text:
        raise Refused("empty", "Please write something.")
    if kind == "rating" and stars not in range(1, 6):
        raise Refused("no_stars", "Please choose 1 to 5 stars.")
    if day and day < timezone.localdate(timezone=job.board.zone):
        raise Refused("past_day", "Please choose a day that is not over.")
    given = {"text": text, "day": day.isoformat() if day else None, "stars": stars if kind == "rating" else None}
    entry = {"kind": kind, "at": iso(timezone.now())} | {key: value for key, value in given.items() if value}
    return flow.amend(job, partial(_with, entry), by=BY)


def ask_office(job: Job, kind: str, *, text: str, by: str) -> Job:
    """Notes what a crew asks of the office. Raises Refused."""
    assert ASKS[kind].by_crew, kind  # noqa: S101 a mistake of ours, not of a person
    entry = {"kind": kind, "at": iso(timezone.now()), "text": cleaned(text), "by": by[: flow.BY_LENGTH]}
    return flow.amend(job, partial(_with, entry), by=by)


def cleaned(text: str) -> str:
    """What was typed, as it is kept. Raises Refused when it is too long."""
    text = text.replace("\0", "").replace("\r\n", "\n").strip()
    if len(text) > LONGEST:
        raise Refused("too_long", f"Please use at most {LONGEST} characters; this has {len(text)}.")
    return text


def settle(job: Job, *, by: str) -> Job:
    """Marks everything that waits as dealt with. When nothing does, nothing is changed."""
    return flow.amend(job, partial(_settled, by), by=by)


def _with(entry: dict[str, Any], job: Job, seq: int) -> dict[str, Any]:
    kind = ASKS[entry["kind"]]
    if any(_is_second_tap(entry, one) for one in job.asks):
        return {}
    if job.status not in kind.when:
        raise Refused("not_now", "This is no longer possible for this job. Please call us.")
    replaced = [one for one in job.asks if kind.once and one["kind"] == kind.kind and "doneAt" not in one]
    others = [one for one in job.asks if one not in replaced]
    if sum(1 + one.get("again", 0) for one in job.asks) >= MOST and not kind.by_crew:
        raise Refused("too_many", "There are too many requests for this job. Please call us.")
    again = sum(1 + one.get("again", 0) for one in replaced)
    columns: dict[str, Any] = {"asks": [*others, entry | ({"again": again} if again else {})]}
    if kind.kind == "note":
        columns["access_notes"] = f"{job.access_notes}\nFrom the customer: {entry['text']}".strip()
    return columns


def _is_second_tap(entry: dict[str, Any], before: dict[str, Any]) -> bool:
    same = {**before, "at": ""} == {**entry, "at": ""}
    return same and entry["at"] < str(iso(datetime.fromisoformat(before["at"]) + TWO_TAPS))


def _settled(by: str, job: Job, seq: int) -> dict[str, Any]:
    if not waiting(job):
        return {}
    done = {"doneAt": iso(timezone.now()), "doneBy": by[:150]}
    return {"asks": [one if "doneAt" in one else one | done for one in job.asks]}
