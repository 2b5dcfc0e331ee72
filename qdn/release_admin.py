"""Releases of the site in the admin: what is where, what was done, and three buttons: look at it, promote, roll back.

For superusers: whoever puts a release live changes what every customer sees, and there is no model that a finer permission
could belong to.

A promotion waits for minutes until the edge has forgotten the old pages. No request waits for that: a thread of this
process does it, and the pointer in the store says how far it is, to every process. When this process ends in the middle,
production is on its way until somebody presses the button again, here or by `manage.py edge promote`.
"""

import logging
import threading
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from dispatch.api import name
from edge import pointer, releases
from edge.manifest import Manifest
from edge.pointer import PRODUCTION, STAGING, Busy, Changed, Pointer
from qdn import edge_places
from qdn.deadlines import TooLate, within
from qdn.site import SiteStore

SHOWN = 30
AT_ONCE = 2.0
"""Seconds that a request waits for the thread: what goes wrong at once is said at once."""
LOOK_SECONDS = 30.0
"""The most that a look takes. It takes one second, or ten when nobody answers."""
NAMED = 10
"""Problems of one look."""

logger = logging.getLogger(__name__)
View = Callable[..., HttpResponse]


class Bringing(threading.Thread):
    """Brings a release to production, if that is still as it was `seen`. Once the thread has ended, `is_done` says whether
    it did, `problem` why not, and `changed` what production is when it is another than was seen."""

    def __init__(self, id: str, by: str, seen: str) -> None:
        super().__init__(name=f"release-{id}", daemon=True)  # a server that stops does not wait for it
        self.id, self.by, self.seen, self.problem, self.is_done = id, by, seen, "", False
        self.changed: Pointer | None = None

    def run(self) -> None:
        try:
            edge_places.promotion(PRODUCTION, lambda what, done, total: None).promote(
                self.id, by=self.by, expect=self.seen
            )  # fmt: skip
            self.is_done = True
        except edge_places.FAILURES as error:
            self.problem = edge_places.reason(error)
            self.changed = error.pointer if isinstance(error, Changed) else None
            is_caused = (
                error.__cause__ is not None
            )  # a step failed, perhaps in a way that nobody foresaw: the log says where
            logger.warning("release %s was not brought to production: %s", self.id, self.problem, exc_info=is_caused)
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
    there = dict(releases.listed(store))
    context = {
        **admin.site.each_context(request),
        "title": "Releases",
        "places": [_shown(production), _shown(staging)],
        "is_held": production.is_held(timezone.now()),
        "staged": staging.release if staging.release != production.release or production.to else None,
        "unfinished": production.to,
        "earlier": _earlier({id for id, found in there.items() if isinstance(found, Manifest)}, production),
        "damaged": {id: str(found) for id, found in there.items() if not isinstance(found, Manifest)},
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
        "seen": production.state,
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
    seen = request.POST.get("seen", "")
    if seen != now.state:
        return _asked_again(request, id, now)
    bringing = Bringing(id, name(request), seen)
    bringing.start()
    bringing.join(AT_ONCE)
    if bringing.changed:  # while the files of the release were checked
        return _asked_again(request, id, bringing.changed)
    return _back(request, *_outcome(bringing))


def _asked_again(request: HttpRequest, id: str, now: Pointer) -> HttpResponse:
    messages.warning(request, f"Nothing was done. Since you were asked, {_last(now)}. Do you still want this?")
    return redirect(reverse("release_confirm", args=[id]))


def _outcome(bringing: Bringing) -> tuple[int, str]:
    """The level of a message, and its words."""
    if bringing.is_alive():
        words = f"Release {bringing.id} is on its way. That takes minutes; load this page again to see how far it is."
        return messages.INFO, words
    if bringing.is_done:
        return messages.SUCCESS, f"Release {bringing.id} is live."
    return messages.ERROR, f"Not done: {bringing.problem or 'it was broken off'}."


@for_superusers
@require_POST
def release_look(request: HttpRequest, place: str) -> HttpResponse:
    """As `manage.py edge verify` does, one time. It asks other servers, and writes nothing."""
    if place not in {PRODUCTION, STAGING}:
        raise Http404
    store = SiteStore()
    now = pointer.read(store, place)
    if now.release is None:
        return _back(request, messages.ERROR, f"Nothing was ever brought to {place}.")
    for level, words in _found(store, now, releases.read(store, now.release)):
        messages.add_message(request, level, words)
    return redirect(reverse("releases"))


def _found(store: SiteStore, now: Pointer, release: Manifest) -> list[tuple[int, str]]:
    """Levels of messages, and their words."""
    beware = [f"{lacking}." for lacking in [edge_places.lacking(now.place)] if lacking]
    command = f"`manage.py edge verify --env {now.place}`"
    try:
        found = within(LOOK_SECONDS, lambda: _look(store, now.place, release, beware.append))
    except TooLate:
        found = [f"the look took longer than {LOOK_SECONDS:g} s: {command} takes its time"]
    warnings = [(messages.WARNING, words) for words in beware]
    if not found:
        return [*warnings, (messages.SUCCESS, f"{now.place.capitalize()} is release {release.id}, as it should be.")]
    more = [f"and {len(found) - NAMED} more, which {command} names"] if len(found) > NAMED else []
    words = f"is not as release {release.id} should be{edge_places.on_the_way(now)}: {'; '.join([*found[:NAMED], *more])}"
    return [*warnings, (messages.ERROR, f"{now.place.capitalize()} {words}.")]


def _look(store: SiteStore, place: str, release: Manifest, say: Callable[[str], object]) -> list[str]:
    try:
        return edge_places.problems(store, place, release, say=say)
    finally:
        connection.close()  # it belongs to this thread


def _shown(now: Pointer) -> dict[str, Any]:
    history = [(datetime.fromisoformat(entry.at), entry) for entry in reversed(now.history)][:SHOWN]
    return {
        "name": now.place,
        "release": now.release,
        "way": edge_places.on_the_way(now).lstrip(", "),
        "history": history,
    }


def _last(production: Pointer) -> str:
    """Who did what there."""
    if way := edge_places.on_the_way(production).lstrip(", "):
        return way
    if not production.history:
        return "production was seen without a release"
    entry = production.history[-1]
    return f"{entry.by} brought release {entry.to} to production ({entry.at}: {entry.result})"


def _earlier(whole: set[str], production: Pointer) -> list[str]:
    """Those that were live and can be brought back, the latest first."""
    was_live = dict.fromkeys(entry.to for entry in reversed(production.history) if entry.result == pointer.LIVE)
    return [id for id in was_live if id in whole and (id != production.release or production.to)]


def _back(request: HttpRequest, level: int, words: str) -> HttpResponseRedirect:
    messages.add_message(request, level, words)
    return redirect(reverse("releases"))


urlpatterns: list[URLPattern] = [
    path("", release_list, name="releases"),
    path("look/<slug:place>/", release_look, name="release_look"),
    path("<slug:id>/", release_confirm, name="release_confirm"),
    path("<slug:id>/bring/", release_bring, name="release_bring"),
]
