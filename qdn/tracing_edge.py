"""Hops of a trace: what the edge does with a customer's link, and what it serves."""

import hashlib

from django.conf import settings

from dispatch.mirror import faults
from dispatch.mirror.repository import Document
from dispatch.models import Job
from edge import engine, pointer, releases
from edge.manifest import Manifest
from edge.pointer import PRODUCTION
from edge.store import EdgeError
from qdn import edge_places
from qdn.site import SiteStore
from qdn.tracing_hops import Broken, Skipped, fetch

ROLL_BACK = "roll the edge back: `manage.py edge rollback`"
ATTACHED = "is the edge function attached to the distribution? `manage.py edge verify`; then look at its origins"
PROMOTE_AGAIN = "`manage.py edge promote` that release again: the edge forgets what it kept"


def function(token: str) -> str:
    try:
        uri, query = edge_places.live_rewrite(PRODUCTION)(f"/track/{token}", "")
    except engine.FunctionFailed as error:
        raise Broken(f"it throws: {error}", ROLL_BACK) from None
    except EdgeError as error:
        raise Skipped(f"the live function cannot be read from here: {error}") from None
    if (uri, query) != ("/track.html", f"token={token}"):
        raise Broken(f"it leads to {uri}{'?' * bool(query)}{query}, not to /track.html with the token", ROLL_BACK)
    return "leads to /track.html"


def release() -> str:
    store = SiteStore()
    try:
        now = pointer.read(store)
        if now.release is None and now.to is None:
            raise Skipped("nothing was released: Django serves the pages")
        if now.release is None:
            raise Broken(f"the first release, {now.to}, is not whole yet", f"run `manage.py edge promote {now.to}` again")
        _check(store, releases.read(store, now.release))
    except EdgeError as error:
        raise Broken(str(error), f"{ROLL_BACK}; docs/releases.md says how to put a damaged object back") from None
    except faults.UNREACHABLE as error:
        raise Broken(edge_places.reason(error), "check SITE_BUCKET and the credentials") from None
    return f"release {now.release}" + (f", on the way to {now.to}" if now.to else "")


def _check(store: SiteStore, release: Manifest) -> None:
    again = f"run `manage.py edge promote {release.id}` again"
    there = {name.removeprefix(f"{PRODUCTION}/") for name in store.names(f"{PRODUCTION}/")}
    if missing := sorted({*release.pages, *release.assets} - there):
        raise Broken(f"production has no {missing[0]}, which release {release.id} has", again)
    if _sha256(store.read(f"{PRODUCTION}/track.html")[0]) != release.files["track.html"].sha256:
        raise Broken(f"track.html in production is not that of release {release.id}", again)


def site(job: Job, expected: Document, insecure_origin: str) -> str:
    origin = settings.PUBLIC_ORIGIN
    if insecure_origin:
        _leads_on(insecure_origin, f"/track/{job.token}")
    page = fetch(origin, f"/track/{job.token}", "PUBLIC_ORIGIN, its DNS and its distribution")
    if page.status != 200:
        raise Broken(
            f"{origin}/track/… answers {page.status}: that is routing, not lost data",
            ATTACHED,
        )
    if b'id="job"' not in page.body:
        raise Broken(f"{origin}/track/… leads to another page: that is routing, not lost data", ATTACHED)
    if b"data-shell" in page.body and _released_page() not in {"", _sha256(page.body)}:
        raise Broken("the page comes from another release than production has", PROMOTE_AGAIN)
    state = fetch(origin, f"/state/track/{job.token}.json", "the distribution's /state/* behaviour")
    if state.status != 200 and not expected.get("gone"):
        raise Broken(
            f"the page comes, /state/track/….json answers {state.status}",
            "check the /state/* behaviour of the distribution and the bucket policy",
        )
    return "the page and its data come"


def _released_page() -> str:
    """The hash of the tracking page that production should have; nothing when that cannot be known."""
    store = SiteStore()
    try:
        now = pointer.read(store)
        return releases.read(store, now.release).files["track.html"].sha256 if now.release else ""
    except (EdgeError, *faults.UNREACHABLE):
        return ""


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _leads_on(origin: str, path: str) -> None:
    answer = fetch(origin, path, "the distribution's redirect to https")
    if not (300 < answer.status < 309 and str(answer.headers["Location"]).startswith(settings.PUBLIC_ORIGIN)):
        said = f"the link begins with http:, and {origin} does not lead on to https ({answer.status})"
        raise Broken(said, "let the distribution redirect http to https, and send links that begin with https")
