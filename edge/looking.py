"""Looks at a site as a customer has it, and says what is wrong. Nothing here trusts what was written: it fetches."""

import hashlib
import http.client
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from .manifest import Manifest

SECONDS = 10
PAUSES = (2, 4, 8, 16)
"""Seconds between one look and the next, before what is wrong counts: the edge may hold on to a copy for a moment, and one
answer of 500 is no reason to take anything back."""
NOBODYS = "nobodys-link-nobodys-link-nobody"
"""The shape of a token, and no job has it: one page serves all tokens."""
LINKS = {"track.html": f"/track/{NOBODYS}", "book.html": "/book", "404.html": "/track/not%20a%20token"}
"""What a customer opens to get each page."""


class Unreachable(Exception):
    """Nobody answers there, or not in HTTP."""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes


@dataclass(frozen=True)
class Probe:
    """A job whose public copy is known: its link, and the number that the copy must have reached."""

    token: str
    seq: int


@dataclass(frozen=True)
class Server:
    """Where the API is, and how to ask its socket: what is wrong with that, nothing when all is well. `pages` is where the
    pages that ask it come from, when that is another origin; `setting` is what the server knows it by."""

    origin: str
    socket: Callable[[], str]
    pages: str = ""
    setting: str = ""


def lasting(look: Callable[[], Sequence[str]], sleep: Callable[[float], object] = time.sleep) -> Sequence[str]:
    """Looks again after each of PAUSES for as long as something is wrong; what the last look found counts."""
    found = look()
    for seconds in PAUSES:
        if not found:
            break
        sleep(seconds)
        found = look()
    return found


def problems(
    release: Manifest, site: str, server: Server | None = None, probe: Probe | None = None,
    headers: Mapping[str, str] | None = None, beat: Callable[[], None] = lambda: None,
) -> list[str]:  # fmt: skip
    """What a customer would find wrong; an empty list: all is well. `site` is an origin, `headers` are words that must be
    in those of the tracking page, `{"Referrer-Policy": "no-referrer"}`. What is not given is not looked at. `beat` is
    called before each look: all of them may take minutes."""
    found = []
    looks = (
        *_pages(release, site), *_headers(site, headers or {}), *_assets(release, site), *_state(site, probe),
        *_server(server),
    )  # fmt: skip
    for look in looks:
        beat()
        try:
            problem = look()
        except Unreachable as error:
            problem = str(error)
        if problem and problem not in found:
            found.append(problem)
    return found


def fetch(origin: str, path: str, method: str = "GET", **headers: str) -> Answer:
    """Raises Unreachable."""
    parts = urlsplit(origin)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.netloc, timeout=SECONDS)
    try:
        connection.request(method, path, headers={"User-Agent": "qdn-edge-verify", **headers})
        reply = connection.getresponse()
        return Answer(reply.status, reply.headers, reply.read())
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise Unreachable(f"{origin}: cannot be reached: {error or type(error).__name__}") from None
    finally:
        connection.close()


def _pages(release: Manifest, site: str) -> Iterator[Callable[[], str]]:
    for page in release.pages:
        link = LINKS.get(page, f"/{page}")
        yield lambda page=page, link=link: _is(release, page, fetch(site, link), f"{link} leads")  # type: ignore[misc]


def _headers(site: str, expected: Mapping[str, str]) -> Iterator[Callable[[], str]]:
    if expected:
        yield lambda: _lacks(fetch(site, LINKS["track.html"]).headers, expected)


def _lacks(headers: http.client.HTTPMessage, expected: Mapping[str, str]) -> str:
    """Every word counts, in any order."""
    lacking = [
        f"{name} {word}"
        for name, words in expected.items()
        for word in words.split()
        if word not in re.split(r"[\s;,]+", headers.get(name, ""))
    ]
    return f"track.html: comes without {', '.join(lacking)}" if lacking else ""


def _is(release: Manifest, path: str, answer: Answer, what: str) -> str:
    if answer.status >= 400 and path != "404.html":
        return f"{path}: {answer.status}"
    if hashlib.sha256(answer.body).hexdigest() != release.files[path].sha256:
        return f"{path}: {what} to something else than this release's"
    return ""


def _assets(release: Manifest, site: str) -> Iterator[Callable[[], str]]:
    for path in release.assets:
        yield lambda path=path: _asset(release, path, fetch(site, f"/{path}"))  # type: ignore[misc]


def _asset(release: Manifest, path: str, answer: Answer) -> str:
    if "immutable" not in str(answer.headers["Cache-Control"]) and answer.status == 200:
        return f"{path}: browsers are not told to keep it"
    return _is(release, path, answer, "it leads")


def _server(server: Server | None) -> Iterator[Callable[[], str]]:
    if server:
        yield lambda: _status(server.origin, "/healthz", 200, "the server does not answer")
        yield lambda: _status(server.origin, f"/api/v1/track/{NOBODYS}", 404, "the API does not know links")
        if server.pages:
            yield lambda: _may_read(server)
            yield lambda: may_send(server.origin, server.pages, server.setting)
        yield server.socket


def _may_read(server: Server) -> str:
    answer = fetch(server.origin, f"/api/v1/track/{NOBODYS}", Origin=server.pages)
    if answer.headers.get("Access-Control-Allow-Origin") == server.pages:
        return ""
    return f"{server.origin}: browsers may not read its answers on {server.pages}: {_mend(server.setting)}"


def may_send(api: str, pages: str, setting: str) -> str:
    """What is wrong with what a browser asks before it sends a booking from these pages; nothing when all is well. Raises
    Unreachable."""
    asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type,idempotency-key"}
    answer = fetch(api, "/api/v1/bookings", "OPTIONS", Origin=pages, **asks)
    words = f"{api}: browsers may not send it bookings from {pages}"
    if not 200 <= answer.status < 300:
        return f"{words} ({answer.status}): {_mend(setting)}"
    if answer.headers.get("Access-Control-Allow-Origin") != pages:
        return f"{words}: {_mend(setting)}"
    for name, needed in (("Methods", {"post"}), ("Headers", {"content-type", "idempotency-key"})):
        allowed = answer.headers.get(f"Access-Control-Allow-{name}", "")
        if not needed <= set(re.split(r"[\s,]+", allowed.lower())):
            return f"{words} (Access-Control-Allow-{name}: {allowed}): a proxy changes it"
    return ""


def _mend(setting: str) -> str:
    return f"the server's {setting} must be that, and no proxy may change its Access-Control headers"


def _status(api: str, path: str, expected: int, words: str) -> str:
    status = fetch(api, path).status
    return "" if status == expected else f"{api}{path}: {words} ({status} instead of {expected})"


def _state(site: str, probe: Probe | None) -> Iterator[Callable[[], str]]:
    if probe:
        yield lambda: _copy(site, probe)


def _copy(site: str, probe: Probe) -> str:
    answer = fetch(site, f"/state/track/{probe.token}.json")
    if answer.status != 200:
        return f"/state/track/….json: {answer.status} for a job whose copy is in the bucket"
    try:
        seq = int(json.loads(answer.body)["seq"])
    except (ValueError, KeyError, TypeError):
        return "/state/track/….json: is no copy of a job"
    return "" if seq >= probe.seq else f"/state/track/….json: has change {seq}, {probe.seq} was copied"
