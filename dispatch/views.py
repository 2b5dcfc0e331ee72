"""The board page. What happens on it goes through the API and the socket."""

from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from . import board as boards
from .models import Board

PLACES = {"top": "Top", "up": "Up", "down": "Down", "bottom": "Bottom"}
"""Where the Move to… menu can put a card in its column; the keys are icons, too."""


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    return redirect("dispatch:board", slug="main")


@require_safe
@never_cache
@login_required
@permission_required("dispatch.view_job", raise_exception=True)
def board(request: HttpRequest, slug: str) -> HttpResponse:
    found = get_object_or_404(Board, slug=slug)
    may_move = request.user.has_perm("dispatch.change_job")
    shown = {"board": found, "state": boards.state(found), "may_move": may_move, "places": PLACES.items()}
    return render(request, "dispatch/board.html", shown)
