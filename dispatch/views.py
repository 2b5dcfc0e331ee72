"""The pages for dispatchers. What happens on them goes through the API and the socket."""

from datetime import date, datetime, time, timedelta

from django.conf import settings
from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from . import board as boards
from .asks import ASKS
from .messages.kinds import OF_JOBS as MESSAGES
from .messages.ledger import Channel
from .models import Board, Job
from .phones import spoken
from .photos import KINDS as PHOTOS
from .statuses import status_label

PLACES = {"top": "Top", "up": "Up", "down": "Down", "bottom": "Bottom"}
"""Where the Move to… menu can put a card in its column; the keys are icons, too."""

KEYS = {
    "/": "Search",
    "n": "New job",
    "c": "Go to the first card",
    "← → ↑ ↓": "From card to card",
    "Enter": "Open the job",
    "m": "Move it to…",
    "e": "Its crew…",
    "u": "Undo the last move",
    "v": "Columns by status, or by crew",
    "[ ]": "A day back, a day on, with crews",
    "p": "Day list, to print",
    "Esc": "Put a dragged card back; close",
    "?": "This list",
}

WORDS = {
    "asks": {
        ask.kind: {"label": ask.label, "icon": ask.icon, "color": ask.color} | ({"byCrew": True} if ask.by_crew else {})
        for ask in ASKS.values()
    },
    "messages": {kind.slug: kind.label for kind in MESSAGES.values()},
    "channels": dict(Channel.choices),
    "photos": dict(PHOTOS),
}
"""What the kinds of things are called on the page and in its script."""


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    return redirect("dispatch:board", slug="main")


@require_safe
@never_cache
@login_required
@permission_required("dispatch.view_job", raise_exception=True)
def board(request: HttpRequest, slug: str) -> HttpResponse:
    found = get_object_or_404(Board, slug=slug)
    shown = {
        "board": found,
        "state": boards.state(found),
        "may": "change" if request.user.has_perm("dispatch.change_job") else "view",
        "may_add": request.user.has_perm("dispatch.add_job"),
        "today": timezone.localdate(timezone=found.zone),
        "track": f"{settings.PUBLIC_ORIGIN}/track/",
        "places": PLACES.items(),
        "keys": KEYS.items(),
        "services": Job.Service.choices,
        "languages": Job.Language.choices,
        "kinds": WORDS,
    }
    return render(request, "dispatch/board.html", shown)


@require_safe
@never_cache
@login_required
@permission_required("dispatch.view_job", raise_exception=True)
def day(request: HttpRequest, slug: str, day: date) -> HttpResponse:
    """The jobs of a day in order, to read or print. Times are in the board's zone."""
    found = get_object_or_404(Board, slug=slug)
    start = datetime.combine(day, time(), tzinfo=found.zone)
    end = datetime.combine(day + timedelta(days=1), time(), tzinfo=found.zone)
    jobs = list(Job.objects.filter(board=found, window_start__lt=end, window_end__gt=start).exclude(status="cancelled"))
    jobs.sort(key=lambda job: (job.window_start, job.rank))
    rows = [{"job": job, "phone": spoken(job.customer_phone), "status": status_label(job.status)} for job in jobs]
    with timezone.override(found.zone):
        around = {"before": day - timedelta(days=1), "after": day + timedelta(days=1)}
        return render(request, "dispatch/day.html", {"board": found, "day": day, "rows": rows, **around})
