"""A server in front of the product, for tests of releases: it can bring another release, and take the API away."""

import http.client
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

MARK = 'document.documentElement.dataset.release = "next";\n'


class Front(ThreadingHTTPServer):
    daemon_threads = True
    is_next = False  # the next release is out
    is_down = False  # the API answers 503

    def __init__(self, behind: str) -> None:
        super().__init__(("127.0.0.1", 0), Passing)
        self.behind = urlsplit(behind).netloc
        self.origin = f"http://127.0.0.1:{self.server_port}"

    def released(self, path: str, body: bytes) -> bytes:
        """Another version, and a script that says so."""
        if self.is_next and path == "/crew/worker.js":
            return re.sub(rb'"version": "\w+"', b'"version": "next"', body)
        return MARK.encode() + body if self.is_next and path.endswith("/crew/main.js") else body


class Passing(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Front

    def pass_on(self) -> None:
        sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = self.path.partition("?")[0]
        if self.server.is_down and path.startswith("/api/"):
            return self.answer(503, [], b"")
        headers = {
            name: value for name, value in self.headers.items() if name.lower() not in {"connection", "accept-encoding"}
        }
        behind = http.client.HTTPConnection(self.server.behind, timeout=30)
        try:
            behind.request(self.command, self.path, sent or None, headers)
            response = behind.getresponse()
            body, kept = response.read(), response.getheaders()
        finally:
            behind.close()
        return self.answer(response.status, kept, self.server.released(path, body))

    do_GET = do_POST = do_DELETE = pass_on

    def answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in {"content-length", "transfer-encoding", "connection"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


@contextmanager
def front_of(origin: str) -> Iterator[Front]:
    front = Front(origin)
    thread = threading.Thread(target=front.serve_forever, args=[0.05])
    thread.start()
    try:
        yield front
    finally:
        front.shutdown()
        front.server_close()
        thread.join()
