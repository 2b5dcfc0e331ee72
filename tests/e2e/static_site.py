"""A CDN in a few lines: static files and the public copies in a folder, behind the edge function. No server of ours."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from edge.engine import rewrite


class Edge(SimpleHTTPRequestHandler):
    """Answers as CloudFront would. `is_down` makes it a line on which nothing arrives."""

    is_down = False

    def do_GET(self) -> None:
        if self.is_down:
            self.close_connection = True
            self.connection.close()
            return
        uri, _, query = self.path.partition("?")
        self.path, _ = rewrite(uri, query)
        super().do_GET()

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def log_message(self, *arguments: object) -> None:
        pass


@contextmanager
def serving(folder: Path) -> Iterator[tuple[str, type[Edge]]]:
    """The origin, and the switch."""

    class Switched(Edge):
        pass

    def handler(*arguments: object) -> Edge:
        return Switched(*arguments, directory=str(folder))  # type: ignore[arg-type]

    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, name="edge", daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", Switched
        finally:
            server.shutdown()
            thread.join()
