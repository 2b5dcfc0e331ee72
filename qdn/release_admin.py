"""Releases of the site in the admin: what is where, what was done, and two buttons.

For superusers: whoever puts a release live changes what every customer sees, and there is no model that a finer permission
could belong to.

A promotion waits for minutes until the edge has forgotten the old pages. No request waits for that: a thread of this
process does it, and the pointer in the store says how far it is, to every process. When this process ends in the middle,
production is on its way until somebody presses the button again, here or by `manage.py edge promote`.
"""

import logging
import threading
from collections.abc import Callable
from functools import wraps

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from dispatch.api import name
from edge import pointer, releases
from edge.pointer import PRODUCTION, STAGING, Busy, Pointer
from qdn import edge_places
from qdn.site import SiteStore

SHOWN = 30
AT_ONCE = 2.0
"""Seconds that a request waits for the thread: what goes wrong at once is said at once."""

logger = logging.getLogger(__name__)
View = Callable[..., HttpResponse]


class Bringing(threading.Thread):
    """Brings a release to production. Once the thread has ended, `is_done` says whether it did, `problem` why not."""

    def __init__(self, id: str, by: str) -> None:
        super().__init__(name=f"release-{id}", daemon=True)  # a server that stops does not wait for it
        self.id, self.by, self.problem, self.is_done = id, by, "", False

    def run(self) -> None:
        try:
            edge_places.promotion(PRODUCTION, lambda what, done, total: None).promote(self.id, by=self.by)
            self.is_done = True
        except edge_places.FAILURES as error:
            self.problem = edge_places.reason(error)
            logger.warning("release %s was not brought to production: %s", self.id, self.problem)
        except Exception as error:  # whatever it is, nobody may be told that the release is live
            self.problem = f"it failed unexpectedly ({type(error).__name__}), and the server's log says where"
            logger.exception("release %s was not brought to production", self.id)
        finally:
            connection.close()  # it belongs to this thread


def for_superusers(view: View) -> View:
    """Inside the admin, so that whoever is not signed in is asked to. Failures of the store are said on the page."""

    @wraps(view)
    def checked(request: HttpRequest, *args: str, **kwargs: str) -> HttpResponse:
        if not request.user.is_superuser:
            raise PermissionDenied
        try:
            return view(request, *args, **kwargs)
        except edge_places.FAILURES as error:
            context = {**admin.site.each_context(request), "title": "Releases", "problem": edge_places.reason(error)}
            return TemplateResponse(request, "admin/releases.html", context, status=503)

    return admin.site.admin_view(checked)


@for_superusers
@require_safe
def release_list(request: HttpRequest) -> HttpResponse:
    store = SiteStore()
    production, staging = pointer.read(store, PRODUCTION), pointer.read(store, STAGING)
    context = {
        **admin.site.each_context(request),
        "title": "Releases",
        "places": [
            (place.place, place.release, edge_places.on_the_way(place).lstrip(", ")) for place in (production, staging)
        ],
        "is_held": production.is_held(timezone.now()),
        "staged": staging.release if staging.release != production.release or production.to else None,
        "unfinished": production.to,
        "history": list(reversed(production.history))[:SHOWN],
        "earlier": _earlier(store, production),
    }
    return TemplateResponse(request, "admin/releases.html", context)


@for_superusers
@require_safe
def release_confirm(request: HttpRequest, id: str) -> HttpResponse:
    """Says what will happen. GET changes nothing."""
    store = SiteStore()
    release, production = releases.read(store, id), pointer.read(store)
    context = {
        **admin.site.each_context(request),
        "title": f"Bring release {id} to production?",
        "release": release,
        "production": production,
        "was_live": any(entry.to == id for entry in production.history),
    }
    return TemplateResponse(request, "admin/release_confirm.html", context)


@for_superusers
@require_POST
def release_bring(request: HttpRequest, id: str) -> HttpResponse:
    store = SiteStore()
    releases.read(store, id)
    if (now := pointer.read(store)).is_held(timezone.now()):
        return _back(request, messages.ERROR, str(Busy(now)))
    bringing = Bringing(id, name(request))
    bringing.start()
    bringing.join(AT_ONCE)
    return _back(request, *_outcome(bringing))


def _outcome(bringing: Bringing) -> tuple[int, str]:
    """The level of a message, and its words."""
    if bringing.is_alive():
        words = f"Release {bringing.id} is on its way. That takes minutes; load this page again to see how far it is."
        return messages.INFO, words
    if bringing.is_done:
        return messages.SUCCESS, f"Release {bringing.id} is live."
    return messages.ERROR, f"Not done: {bringing.problem or 'it was broken off'}."


def _earlier(store: SiteStore, production: Pointer) -> list[str]:
    """Those that were live and can be brought back, the latest first."""
    there = set(releases.staged(store))
    was_live = dict.fromkeys(entry.to for entry in reversed(production.history) if entry.result == pointer.LIVE)
    return [id for id in was_live if id in there and (id != production.release or production.to)]


def _back(request: HttpRequest, level: int, words: str) -> HttpResponseRedirect:
    messages.add_message(request, level, words)
    return redirect(reverse("releases"))


urlpatterns: list[URLPattern] = [
    path("", release_list, name="releases"),
    path("<slug:id>/", release_confirm, name="release_confirm"),
    path("<slug:id>/bring/", release_bring, name="release_bring"),
]
