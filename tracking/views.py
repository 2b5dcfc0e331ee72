"""The customer's pages. GET changes nothing; no cookies; never in a search index or a shared cache."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from dispatch.models import Board, Job

from .projection import find, public_projection

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
    return render(request, "tracking/track.html", {"job": public_projection(job)})


@require_safe
@private
def book(request: HttpRequest) -> HttpResponse:
    return render(request, "tracking/book.html", {"company": Board.objects.order_by("pk").first()})


@require_safe
@private
def not_found(request: HttpRequest) -> HttpResponse:
    """One page for every link that leads nowhere, whatever the reason."""
    return render(request, "tracking/not_found.html", {"company": Board.objects.order_by("pk").first()}, status=404)
