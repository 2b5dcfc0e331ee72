"""What the templates of the customer's page are given: the public projection in words, the asks, whom to call."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import get_language

from dispatch.models import Board, Job
from dispatch.phones import spoken
from dispatch.statuses import STATUS_FLOW

from . import asking, words
from .dates import in_two, moment_in_words, time_in_words, window_in_words
from .projection import public_projection

MODULES = ("tracking/ask.js", "tracking/dates.js", "tracking/draw.js", "tracking/news.js", "tracking/words.js")
"""What track.js imports: named in the page, a browser loads all of it at once."""


def of_job(job: Job) -> dict[str, Any]:
    """The page of a job in the active language, with the times as people read them."""
    public, zone, texts = public_projection(job), job.board.zone, words.of_the_page()
    for step in public["steps"]:
        step |= {"words": texts["label"][step["label"]], "stateWords": texts["state"][step["state"]]}
    for entry in public["history"]:
        at = datetime.fromisoformat(entry["at"])
        entry |= {"words": texts["label"][entry["label"]], "time": moment_in_words(at, zone)}
    for photo in public["photos"]:
        photo["words"] = texts["page"][photo["kind"]]
    is_over = not STATUS_FLOW[job.status].is_open
    no_window = "" if is_over else texts["page"]["noWindow"]
    return frame(texts) | {
        "job": public,
        "company": public["company"],
        "spoken": spoken(job.board.phone),
        "headline": texts["headline"][job.status],
        "next": texts["next"][job.status],
        "service": texts["label"][public["service"]],
        "is_over": is_over,
        "window": in_two(window_in_words(job.window_start, job.window_end, zone) or no_window),
        "may": [{"kind": kind, "link": texts["ask"][kind]["link"]} for kind in public["may"]],
        "asked": _asked(public, texts),
        "updated": texts["page"]["updated"].format(time=time_in_words(timezone.now(), zone)),
    }


def of_nobody() -> dict[str, Any]:
    """The same page before its script knows the job."""
    return of_company() | frame(words.of_the_page())


def frame(texts: dict[str, Any]) -> dict[str, Any]:
    """What the page has with and without a job."""
    return {
        "modules": MODULES,
        "texts": texts,
        "words": words.as_json(get_language() or "en"),
        "forms": [asking.form(kind, texts) for kind in words.ASKS],
        "api": settings.API_ORIGIN if settings.API_ORIGIN != settings.PUBLIC_ORIGIN else "",
    }


def of_company(board: Board | None = None) -> dict[str, Any]:
    """Whom to call: the company of a job, or when there is no job to tell it, the first."""
    board = board or Board.objects.order_by("pk").first()
    return {"company": board, "spoken": spoken(board.phone if board else ""), "texts": words.of_the_page()}


def _asked(public: dict[str, Any], texts: dict[str, Any]) -> list[str]:
    lines = [texts["ask"][kind]["asked"] for kind in public["asked"]]
    rating = [texts["page"]["stars"].format(stars=public["rating"])] if public["rating"] else []
    return lines + rating
