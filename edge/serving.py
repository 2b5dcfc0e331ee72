"""A site in a folder, served as the edge would serve it: the real edge function in front, one page for all tokens. For
trying a release on a laptop, and for looking at it before anybody is told that it is live.
"""

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import PurePosixPath
from types import MappingProxyType
from urllib.parse import urlsplit

import quickjs

from . import manifest
from .engine import MEMORY_BYTES, SECONDS, FunctionFailed, format_query, rewrite, viewer_request
from .store import Store

NOWHERE = "404.html"
STATE = "/state/"
PUBLIC = re.compile(r"track/[A-Za-z0-9_-]{1,64}\.json")
"""What of the copies everybody may read: one of a link, and no other."""
HOST = "127.0.0.1"
NOSNIFF = MappingProxyType({"X-Content-Type-Options": "nosniff"})

ReadState = Callable[[str], bytes]
"""The public object of a name such as `track/<token>.json`. Raises FileNotFoundError."""

Rewrite = Callable[[str, str], tuple[str, str]]
"""URI and query string, as sent and as the edge function leaves them. Raises FunctionFailed."""


def function(code: bytes) -> Rewrite:
    """Any edge function, such as the one that is live; `engine.rewrite` is the one of this tree."""

    def run(uri: str, query: str) -> tuple[str, str]:
        context = quickjs.Context()  # one for each call: it must not be used by two threads
        context.set_memory_limit(MEMORY_BYTES)
        context.set_time_limit(SECONDS)
        try:
            context.eval(code.decode())
            context.eval("function run(event) { return JSON.stringify(handler(JSON.parse(event))); }")
            request = json.loads(context.get("run")(json.dumps(viewer_request(uri, query))))
            return str(request["uri"]), format_query(request["querystring"])
        except (quickjs.JSException, ValueError, KeyError, TypeError, AttributeError) as error:
            raise FunctionFailed(str(error).partition("\n")[0]) from None

    return run


def public(uri: str) -> str:
    """`track/<token>.json` of `/state/track/<token>.json`. Raises FileNotFoundError: in a folder, `..` would lead from
    there to the office's own copies."""
    name = uri.removeprefix(STATE)
    if not PUBLIC.fullmatch(name):
        raise FileNotFoundError(uri)
    return name


class Handler(BaseHTTPRequestHandler):
    server: "Server"
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        try:
            uri, _ = self.server.rewrite(parts.path, parts.query)
        except FunctionFailed:  # as CloudFront does
            self._send(503, "text/plain; charset=utf-8", "no-store", b"The edge function failed.")
            return
        if uri.startswith(STATE):
            self._answer(lambda: self.server.state(public(uri)), uri, "public, max-age=2")
        else:
            self._answer(lambda: self.server.store.read(self._name(uri))[0], uri, manifest.cache_control(uri.lstrip("/")))

    do_HEAD = do_GET

    def _answer(self, read: Callable[[], bytes], uri: str, cache: str) -> None:
        status = 200
        try:
            body = read()
        except (OSError, ValueError):  # no such object, or a name that no storage has
            status, uri, cache = 404, NOWHERE, "public, max-age=5"
            body = self._nowhere()
        self._send(status, manifest.TYPES.get(PurePosixPath(uri).suffix, "application/octet-stream"), cache, body)

    def _send(self, status: int, content_type: str, cache: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", cache)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def _name(self, uri: str) -> str:
        """Raises FileNotFoundError for what is no file of a site, such as the pointer and what lies beside the place."""
        path = uri.removeprefix("/")
        if not manifest.is_path(path) or "//" in uri or PurePosixPath(path).name in manifest.OURS:
            raise FileNotFoundError(uri)
        return f"{self.server.place}/{path}"

    def _nowhere(self) -> bytes:
        try:
            return self.server.store.read(f"{self.server.place}/{NOWHERE}")[0]
        except FileNotFoundError:
            return b""

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing: there are tokens in addresses."""


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(
        self, store: Store, state: ReadState, place: str, port: int, rewrite: Rewrite, headers: Mapping[str, str]
    ) -> None:  # fmt: skip
        self.store, self.state, self.place, self.rewrite, self.headers = store, state, place, rewrite, headers
        super().__init__((HOST, port), Handler)

    @property
    def origin(self) -> str:
        return f"http://{HOST}:{self.server_address[1]}"


@contextmanager
def serving(
    store: Store, state: ReadState, place: str, port: int = 0, rewrite: Rewrite = rewrite,
    headers: Mapping[str, str] = NOSNIFF,
) -> Iterator[Server]:  # fmt: skip
    """Serves until the block ends. Port 0 is any free one. All answers carry the headers."""
    server = Server(store, state, place, port, rewrite, headers)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="site", daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
