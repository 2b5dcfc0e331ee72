"""Staging and production of the site: what stands in front of each, and how it is looked at."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.core.files.storage import storages
from django.db import Error
from django.db.models import F
from django.utils import timezone

from dispatch.mirror import faults
from dispatch.models import Job
from edge import engine, looking, pointer
from edge.cases import Case
from edge.cdn import Cdn, FolderCdn
from edge.cdn_aws import AwsCdn
from edge.manifest import Manifest
from edge.pointer import Pointer
from edge.promoting import Edge, Promotion
from edge.releases import Progress
from edge.serving import Rewrite, function, serving
from edge.store import EdgeError
from qdn import socket_probe
from qdn.site import SiteStore

NOT_FOUND = 4004
logger = logging.getLogger(__name__)
sleep = time.sleep
FAILURES = (EdgeError, BotoCoreError, ClientError, Error, *faults.UNREACHABLE)
"""What a step raises when it cannot be done; `reason` says it in a line."""


def reason(error: Exception) -> str:
    if isinstance(error, EdgeError):
        return str(error)
    if isinstance(error, Error):
        return f"the database cannot be read: {next(iter(str(error).splitlines()), '')}"
    return faults.explain(error, "SITE_BUCKET")


def on_the_way(now: Pointer) -> str:
    """«, Ana is bringing … there since …», or nothing when it is at rest."""
    if not now.to:
        return ""
    if now.stopped:
        return f", {now.by} began to bring {now.to} there and stopped at {now.at}: {now.stopped}"
    if now.is_held(timezone.now()):
        return f", {now.by} is bringing {now.to} there, last heard of at {now.at}"
    return f", {now.by} began to bring {now.to} there and was last heard of at {now.at}: promote it again, or another one"


def once(say: Callable[[str], object]) -> Callable[[str], object]:
    """Says each thing one time: a place is looked at again and again until it is well."""
    said = set()

    def say_once(words: str) -> None:
        if words not in said:
            said.add(words)
            say(words)

    return say_once


@dataclass(frozen=True)
class Fronts:
    """A function, and every distribution that serves the place."""

    cdn: Cdn
    function: str
    distributions: Sequence[str]

    def put_function(self, code: bytes, cases: Sequence[Case], progress: Progress) -> bool:
        return bool(self.function) and self.cdn.put_function(self.function, code, cases, progress)

    def invalidate(self, paths: Sequence[str], reference: str, progress: Progress) -> None:
        asked = {each: self.cdn.invalidate(each, paths, f"{reference}-{each}") for each in self.distributions}
        for distribution, invalidation in asked.items():
            self.cdn.wait(distribution, invalidation, progress)


def promotion(
    place: str, progress: Progress, *, server_too: bool = True, say: Callable[[str], object] = logger.warning
) -> Promotion:  # fmt: skip
    """`server_too`: whether the API and what it copied are looked at, too. `say` is told what is not looked at."""
    store = SiteStore()
    verify = partial(problems, store, place, server_too=server_too, say=once(say))
    return Promotion(
        store, edge(place), verify, progress, place=place, sleep=lambda seconds: sleep(seconds), explain=reason
    )  # fmt: skip


def edge(place: str) -> Edge:
    """CloudFront in front of a bucket. A folder on a laptop has a folder that stands for it."""
    return _fronts(place)


def lacking(place: str) -> str:
    """What is not set, so that a bucket may be served in another way than by our stack, or by mistake not at all."""
    names = {
        pointer.PRODUCTION: ("EDGE_FUNCTION", "SITE_DISTRIBUTIONS"),
        pointer.STAGING: ("STAGING_FUNCTION", "STAGING_DISTRIBUTIONS", "STAGING_ORIGIN"),
    }
    empty = [name for name in names[place] if settings.SITE_BUCKET and not _is_set(name)]
    return (
        f"{', '.join(empty)}: not set. What stands in front of {place} is left alone, or is not looked at" if empty else ""
    )


def _is_set(name: str) -> bool:
    return bool(getattr(settings, name)) and (name != "STAGING_ORIGIN" or settings.STAGING_ORIGIN != settings.PUBLIC_ORIGIN)


def live_code(place: str) -> bytes | None:
    """The edge function that visitors' requests run through there; None when there is none but that of this tree. Writes
    nothing. Raises CdnError."""
    if not settings.SITE_BUCKET and not (settings.VAR_DIR / "edge").is_dir():
        return None
    fronts = _fronts(place)
    return fronts.cdn.live_code(fronts.function) if fronts.function else None


def live_rewrite(place: str) -> Rewrite:
    """As the place has it at each request."""

    def rewrite(uri: str, query: str) -> tuple[str, str]:
        code = live_code(place)
        return function(code)(uri, query) if code else engine.rewrite(uri, query)

    return rewrite


def problems(
    store: SiteStore, place: str, release: Manifest, beat: Callable[[], None] = lambda: None, *, server_too: bool = True,
    say: Callable[[str], object] = logger.warning,
) -> list[str]:  # fmt: skip
    """What a customer would find wrong. `beat` is called before each look."""
    server = _server(place) if server_too else None
    expected = expected_headers() if settings.SITE_BUCKET else None
    with origin(store, place) as site:
        return looking.problems(release, site, server, probe(say) if server_too else None, expected, beat)


@contextmanager
def origin(store: SiteStore, place: str) -> Iterator[str]:
    """Where the place can be looked at. A folder is served for as long as that takes."""
    if settings.SITE_BUCKET:
        yield getattr(settings, _setting(place))
    else:
        with serving(store, read_state, place, rewrite=live_rewrite(place)) as server:
            yield server.origin


def _setting(place: str) -> str:
    return "PUBLIC_ORIGIN" if place == pointer.PRODUCTION else "STAGING_ORIGIN"


def _server(place: str) -> looking.Server:
    """As pages of the place ask it. A folder is served for a moment at an address that no server knows, so its pages count
    as those of PUBLIC_ORIGIN."""
    setting = _setting(place if settings.SITE_BUCKET else pointer.PRODUCTION)
    pages = getattr(settings, setting)
    elsewhere = settings.API_ORIGIN != settings.PUBLIC_ORIGIN  # else pages ask where they are
    return looking.Server(settings.API_ORIGIN, partial(socket_problem, pages, setting), pages if elsewhere else "", setting)


def expected_headers() -> dict[str, str]:
    """The words that the tracking page must come with: it has the token in its address, and asks the API for news."""
    api = f" {settings.API_ORIGIN} {settings.API_ORIGIN.replace('http', 'ws', 1)}"
    elsewhere = settings.API_ORIGIN != settings.PUBLIC_ORIGIN
    return {
        "Content-Security-Policy": f"default-src 'none' connect-src{api if elsewhere else ''}",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "X-Robots-Tag": "noindex",
    }


def page_headers() -> dict[str, str]:
    """What the distribution says of pages, for a site that is served on this machine."""
    directives = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"].items()
    policy = "; ".join(f"{name} {' '.join(sources)}" for name, sources in directives)
    return expected_headers() | {"Content-Security-Policy": policy, "X-Robots-Tag": "noindex, nofollow"}


def socket_problem(pages: str, setting: str) -> str:
    """Asks for a job that nobody has, as a customer's page does that comes from `pages`, which the server knows by that
    setting."""
    where, hello = f"{settings.API_ORIGIN}/ws/track/", {"type": "hello", "token": looking.NOBODYS}
    try:
        answer = socket_probe.ask(settings.API_ORIGIN, hello, pages)
    except socket_probe.Denied as error:
        return f"{where}: no websocket for pages of {pages}: {error}. The server's {setting} must be that"
    except socket_probe.NoSocket as error:
        return f"{where}: no websocket: {error}"
    return "" if answer == NOT_FOUND else f"{where}: answers {answer} instead of {NOT_FOUND} for a link that nobody has"


def read_state(name: str) -> bytes:
    """The public object behind `/state/<name>`. Raises FileNotFoundError."""
    content: bytes = storages["state"].read(f"public/{name}")[0]  # type: ignore[attr-defined]  # as the setting decides
    return content


def probe(say: Callable[[str], object] = logger.warning) -> looking.Probe | None:
    """A job whose copy is up to date and whose link works: its public copy must come through. Pages can be put right while
    the database is down, so then there is none."""
    try:
        job = Job.objects.filter(mirrored_seq=F("seq"), link_ends_at=None).order_by("-seq").first()
    except Error as error:
        say(f"No job's public copy is looked at: {reason(error)}")
        return None
    return looking.Probe(job.token, job.seq) if job else None


def _fronts(place: str) -> Fronts:
    if not settings.SITE_BUCKET:
        return Fronts(FolderCdn(settings.VAR_DIR / "edge"), f"rewrite-{place}", [place])
    if place == pointer.PRODUCTION:
        return Fronts(AwsCdn(), settings.EDGE_FUNCTION, settings.SITE_DISTRIBUTIONS)
    return Fronts(AwsCdn(), settings.STAGING_FUNCTION, settings.STAGING_DISTRIBUTIONS)
