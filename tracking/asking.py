"""What a customer asks for, from a form or from the API, and the form that shows it again when it is refused.

The token in the address is the capability: whoever has the link may ask. No cookie takes part, so there is nothing that
another site could borrow.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.dateparse import parse_date

from dispatch import asks
from dispatch.models import Job
from dispatch.rules import Refused

FIELD_OF = {"too_long": "text", "empty": "text", "no_stars": "stars", "past_day": "day", "bad_day": "day"}
"""Which field a refusal is about; others are about the whole."""
STARS = range(1, 6)


@dataclass(frozen=True, slots=True)
class Given:
    """What stands in the form, as it was typed."""

    text: str = ""
    day: str = ""
    stars: str = ""

    @classmethod
    def of(cls, form: Mapping[str, str]) -> "Given":
        return cls(form.get("text", ""), form.get("day", ""), form.get("stars", ""))


def ask(job: Job, kind: str, given: Given) -> Job:
    """The job with what the customer asked for. Raises Refused."""
    text = given.text.encode(errors="replace").decode()  # half an emoji fits into JSON and into no database
    day = _day(given.day) if kind == "reschedule" else None
    stars = int(given.stars) if given.stars in map(str, STARS) else None
    return asks.ask(job, kind, text=text, day=day, stars=stars)


def form(kind: str, texts: dict[str, Any], given: Given | None = None, code: str = "") -> dict[str, Any]:
    """What templates/tracking/_ask.html shows; with `code`, why it was refused."""
    return {
        "kind": kind,
        "texts": texts["ask"][kind],
        "given": given or Given(),
        "stars": [str(number) for number in STARS],
        "error": texts["error"].get(code, texts["error"]["not_now"]) if code else "",
        "field": FIELD_OF.get(code, "") if code else "",
    }


def _day(written: str) -> date | None:
    try:
        day = parse_date(written.strip()) if written.strip() else None
    except ValueError:  # well written, but there is no 30 February
        day = None
    if written.strip() and day is None:
        raise Refused("bad_day", "Please write the day as year-month-day, such as 2026-11-28.")
    return day
