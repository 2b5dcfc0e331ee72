"""The customer's pages. GET changes nothing; no cookies; never in a search index or a shared cache."""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from dispatch.models import Board, Job
from dispatch.phones import spoken
from dispatch.words import moment_in_words, window_in_words

from .projection import find, public_projection

STEP_STATES = {"done": "done", "current": "now", "todo": "to come"}
PRIVATE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex, nofollow"}


def private(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Keeps an answer out of caches, search engines and referrers."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        for name, value in PRIVATE.items():
            response[name] = value
        return response

    return answer


@require_safe
@private
def track(request: HttpRequest) -> HttpResponse:
    """`/track/<token>`, rewritten to `/track.html?token=<token>` as at the edge."""
    try:
        job = find(request.GET.get("token", ""))
    except Job.DoesNotExist:
        return not_found(request)
    return render(request, "tracking/track.html", in_words(job))


@require_safe
@private
def book(request: HttpRequest) -> HttpResponse:
    return render(request, "tracking/book.html", company())


@require_safe
@private
def not_found(request: HttpRequest) -> HttpResponse:
    """One page for every link that leads nowhere, whatever the reason."""
    return render(request, "tracking/not_found.html", company(), status=404)


def in_words(job: Job) -> dict[str, Any]:
    """The public projection, and the times in it as people read them."""
    public, zone = public_projection(job), job.board.zone
    for step in public["steps"]:
        step["words"] = STEP_STATES[step["state"]]
    for entry in public["history"]:
        entry["words"] = moment_in_words(datetime.fromisoformat(entry["at"]), zone)
    return {
        "job": public,
        "window": window_in_words(job.window_start, job.window_end, zone),
        "history": public["history"],
        "updated": moment_in_words(job.updated_at, zone),
        "spoken": spoken(job.board.phone),
    }


def company() -> dict[str, Any]:
    """Whom to call when there is no job to tell it."""
    board = Board.objects.order_by("pk").first()
    return {"company": board, "spoken": spoken(board.phone if board else "")}
