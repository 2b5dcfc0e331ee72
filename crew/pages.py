"""The crew's page: a shell without anybody's data, which phones keep, and what makes it an app of theirs.

Everything on it comes from the API. So the shell is the same for everybody, opens without a network, and says nothing to
whoever finds the phone. See docs/crew-phone.md.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from dispatch.asks import LONGEST
from dispatch.pictures import MOST_BYTES
from dispatch.statuses import STATUS_FLOW

from .today import next_step

FOLDER = Path(__file__).parent / "static" / "crew"
WORKER = FOLDER / "worker.js"
ASSETS = (
    "dispatch/tokens.css",
    "dispatch/logo.svg",
    *sorted(f"crew/{path.name}" for path in FOLDER.iterdir() if path != WORKER),
)
"""What the page is made of, by the names of static files."""
ICONS = (192, 512)


@require_safe
@cache_control(no_cache=True)
@ensure_csrf_cookie
def app(request: HttpRequest) -> HttpResponse:
    """For everybody, signed in or not. Sets the CSRF cookie: the copy on a phone cannot."""
    return render(request, "crew/app.html", _shell())


@require_safe
@cache_control(no_cache=True)
def manifest(request: HttpRequest) -> HttpResponse:
    """Makes the page an app on the phone's home screen."""
    icons = [
        {"src": static(f"crew/icon-{size}.png"), "sizes": f"{size}x{size}", "type": "image/png", "purpose": purpose}
        for size in ICONS
        for purpose in ("any", "maskable")
    ]
    icons.append({"src": static("dispatch/logo.svg"), "sizes": "any", "type": "image/svg+xml", "purpose": "any"})
    about = {
        "id": reverse("crew:app"),
        "name": "QuickDumpNow Crew",
        "short_name": "Crew",
        "start_url": reverse("crew:app"),
        "scope": reverse("crew:app"),
        "display": "standalone",
        "background_color": "#eef1f4",
        "theme_color": "#0f766e",
        "icons": icons,
    }
    return JsonResponse(about, content_type="application/manifest+json")


@require_safe
@cache_control(no_cache=True)
def worker(request: HttpRequest) -> HttpResponse:
    """The service worker, told what to keep. Other content is another version, which phones fetch whole. `?plain` leaves
    out the part that browsers without module workers cannot read."""
    background = "" if "plain" in request.GET else f'import "{static("crew/background.js")}";\n'
    kept = {
        "version": _version(),
        "page": reverse("crew:app"),
        "assets": [static(name) for name in ASSETS],
        "csrf": settings.CSRF_COOKIE_NAME,
    }
    script = f"{background}self.SHELL = {json.dumps(kept)};\n{WORKER.read_text()}"
    headers = {"Service-Worker-Allowed": reverse("crew:app")}
    return HttpResponse(script, content_type="text/javascript; charset=utf-8", headers=headers)


def _shell() -> dict[str, Any]:
    limits = {"characters": LONGEST, "bytes": MOST_BYTES}
    return {"csrf": settings.CSRF_COOKIE_NAME, "flow": json.dumps(flow()), "limits": json.dumps(limits)}


def flow() -> dict[str, dict[str, Any]]:
    """What the page has to know of STATUS_FLOW to show a step as done before the server has heard of it."""
    return {
        slug: {
            "color": status.color,
            "icon": status.icon,
            "next": next_step(slug),
            "isOpen": status.is_open,
            "mayGoTo": status.may_go_to,
        }
        for slug, status in STATUS_FLOW.items()
    }


def _version() -> str:
    """Changes with the content of anything that the page is made of."""
    found = hashlib.sha256(render_to_string("crew/app.html", _shell()).encode())
    for name in ASSETS:
        found.update(f"{name} {static(name)}".encode() + Path(finders.find(name) or "").read_bytes())
    return found.hexdigest()[:16]
