"""Hops of a trace: what the edge does with a customer's link, and what it serves."""

import hashlib

from django.conf import settings

from dispatch.mirror import faults
from edge import engine, looking, pointer, releases, serving
from edge.manifest import Manifest
from edge.pointer import PRODUCTION
from edge.store import EdgeError
from qdn import edge_places
from qdn.deadlines import each
from qdn.site import REFERENCE, SiteStore
from qdn.tracing_hops import Broken, Skipped, Sought, Visit, fetch, of_job, parse

ROLL_BACK = "roll the edge back: `manage.py edge rollback`"
ATTACHED = "is the edge function attached to the distribution? `manage.py edge verify`; then look at its origins"
STATE = "check the /state/* behaviour of the distribution and the bucket policy"
PUBLISH = "`manage.py edge promote` the release that is live again, which publishes it; `manage.py edge verify` then"
PROMOTE_AGAIN = "`manage.py edge promote` that release again: the edge forgets what it kept"
STATIC = f"{PROMOTE_AGAIN}; where Django serves the pages, `manage.py collectstatic`"


def function(visit: Visit) -> str:
    if settings.SITE_BUCKET and not settings.EDGE_FUNCTION:
        raise Skipped("EDGE_FUNCTION is not set, so nobody here knows which one is in front; the site says what it does")
    try:
        code = edge_places.live_code(PRODUCTION)
        if code is None and settings.SITE_BUCKET:
            raise Broken("the function is not published", PUBLISH)
        rewrite = engine.rewrite if code is None else serving.function(code)
        uri, query = rewrite(visit.path, "")
    except engine.FunctionFailed as error:
        raise Broken(f"it throws: {error}", ROLL_BACK) from None
    except EdgeError as error:
        raise Skipped(f"the live function cannot be read from here: {error}") from None
    if (uri, query) != (f"/{visit.page}", visit.query):
        raise Broken(f"it leads to {uri}{'?' * bool(query)}{query}, not to /{visit.page} with {visit.words}", ROLL_BACK)
    return f"leads to /{visit.page}"


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
    """Every file, as it lies there."""
    again = f"run `manage.py edge promote {release.id}` again"

    def look(path: str) -> None:
        try:
            content, _ = store.read(f"{PRODUCTION}/{path}")
        except FileNotFoundError:
            raise Broken(f"production has no {path}, which release {release.id} has", again) from None
        if _sha256(content) != release.files[path].sha256:
            raise Broken(f"{path} in production is not that of release {release.id}", again)

    each(look, [*release.pages, *release.assets])


def site(sought: Sought, insecure_origin: str) -> str:
    page(of_job(sought.token), insecure_origin)
    return f"the page and its data come{_its_data(settings.PUBLIC_ORIGIN, sought)}"


def page(visit: Visit, insecure_origin: str) -> str:
    if insecure_origin:
        _leads_on(insecure_origin, visit.path)
    answer = fetch(settings.PUBLIC_ORIGIN, visit.path, "PUBLIC_ORIGIN, its DNS and its distribution")
    release = _released() if visit.shell in answer.body else None
    _is_the_page(settings.PUBLIC_ORIGIN, visit, answer, release)
    _its_assets(settings.PUBLIC_ORIGIN, answer, release)
    return "the page comes"


def _is_the_page(origin: str, visit: Visit, answer: looking.Answer, release: Manifest | None) -> None:
    if answer.status != 200:
        raise Broken(f"{origin}{visit.path} answers {answer.status}: that is routing, not lost data", ATTACHED)
    if visit.mark not in answer.body:
        raise Broken(f"{origin}{visit.path} leads to another page: that is routing, not lost data", ATTACHED)
    if release and release.files[visit.page].sha256 != _sha256(answer.body):
        raise Broken("the page comes from another release than production has", PROMOTE_AGAIN)


def _its_assets(origin: str, page: looking.Answer, release: Manifest | None) -> None:
    """Scripts and styles that the page names. Without them it stays empty."""

    def look(path: str) -> None:
        answer = fetch(origin, f"/{path}", "the distribution's way to /static/*")
        if answer.status != 200:
            raise Broken(f"the page comes, and /{path}, which it names, answers {answer.status}", STATIC)
        if release and path in release.files and release.files[path].sha256 != _sha256(answer.body):
            raise Broken(f"the page comes, and /{path}, which it names, is another file", PROMOTE_AGAIN)

    named = dict.fromkeys(f"static/{name}" for name in REFERENCE.findall(page.body.decode(errors="replace")))
    each(look, named)


def _its_data(origin: str, sought: Sought) -> str:
    """Nothing to add when they are as they should be, or what they say of a link that the database does not know."""
    state = fetch(origin, f"/state/track/{sought.token}.json", "the distribution's /state/* behaviour")
    if sought.is_gone:
        return ""
    if state.status != 200:
        raise Broken(f"the page comes, /state/track/….json answers {state.status}", STATE)
    found = parse(state.body)
    if found is None:
        raise Broken("the page comes, /state/track/….json is no copy of a job", STATE)
    if sought.job is None:
        return f", of change {found['seq']}"
    if found["seq"] < (sought.job.mirrored_seq or 0):
        said = f"the page comes, its data have change {found['seq']}, {sought.job.mirrored_seq} was copied"
        raise Broken(said, "the edge keeps /state/* for too long, or reads another bucket: check that behaviour")
    if found.get("gone"):
        raise Broken("the page comes, its data say that the link is over, and it is not", STATE)
    return ""


def _released() -> Manifest | None:
    """What production should have; None when that cannot be known."""
    store = SiteStore()
    try:
        now = pointer.read(store)
        return releases.read(store, now.release) if now.release else None
    except (EdgeError, *faults.UNREACHABLE):
        return None


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _leads_on(origin: str, path: str) -> None:
    answer = fetch(origin, path, "the distribution's redirect to https")
    if not (300 < answer.status < 309 and str(answer.headers["Location"]).startswith(settings.PUBLIC_ORIGIN)):
        said = f"the link begins with http:, and {origin} does not lead on to https ({answer.status})"
        raise Broken(said, "let the distribution redirect http to https, and send links that begin with https")
