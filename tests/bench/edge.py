"""The CloudFront function: its size, what a call costs in two engines, and how often the pages' bucket is asked when 2,000
customers open their links."""

import http.client
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from edge import engine
from edge.local.nginx import LocalEdge, running
from tests.bench.row import Row, median_ms
from tests.edge import njs
from tests.postgres import free_port

CALLS, CUSTOMERS = 2_000, 2_000
LINK = "/track/k3Vd0qXyT9bQmZr2LwHnC7sJ"


def measure() -> Iterator[Row]:
    size = len(engine.FUNCTION.read_bytes())
    yield Row("the edge function", f"{size:,} bytes", "≤ 2,048", size <= 2048)
    took = median_ms(lambda number: engine.rewrite(LINK, "utm=a"), CALLS)
    yield Row("  one call, QuickJS, from Python", f"{took * 1000:.0f} µs")
    yield Row("  one call, njs, with its event as JSON", f"{microseconds_in_njs():.1f} µs")
    yield from local_edge()


def microseconds_in_njs() -> float:
    event = json.dumps(json.dumps(engine.viewer_request(LINK, "utm=a")))
    took: float = njs.run(
        f"""var text = {event}, began = Date.now();
        for (var i = 0; i < 100000; i++) {{ JSON.stringify(handler(JSON.parse(text))); }}
        var result = (Date.now() - began) / 100;"""
    )
    return took


def local_edge() -> Iterator[Row]:
    """Through nginx and its cache, on one connection."""
    with tempfile.TemporaryDirectory(prefix="qdn-bench-edge-") as name:
        folder = Path(name)
        (folder / "track.html").write_text("<p>a page</p>")
        edge = LocalEdge(folder, folder, "127.0.0.1:9", free_port(), 60, 5, folder / "behind.log")
        with running(edge):
            began = time.perf_counter()
            open_links(edge.port)
            took = time.perf_counter() - began
        behind = len(edge.log.read_text().splitlines())
    yield Row(f"  fetches for {CUSTOMERS:,} customers' links", f"{behind}", "1", behind == 1)
    yield Row("  links a second through nginx", f"{CUSTOMERS / took:,.0f}/s")


def open_links(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    for number in range(CUSTOMERS):
        connection.request("GET", f"/track/token-of-customer-{number}")
        assert connection.getresponse().read() == b"<p>a page</p>"
    connection.close()
