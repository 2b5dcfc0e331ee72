"""The board page with 1,000 open and 50,000 finished jobs: its queries, its size, and how soon a person can use it."""

import gzip
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from dispatch.models import Board
from tests.bench.fill import fill
from tests.bench.row import Row, median_ms
from tests.postgres import free_port
from tests.servers import Process, is_ready

OPEN, FINISHED, VISITS = 1_000, 50_000, 5
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
USABLE = """() => document.querySelector('#freshness')?.dataset.state === 'live'
    && document.querySelectorAll('.card').length >= 100 && performance.now()"""


def measure() -> Iterator[Row]:
    few = Board.objects.create(slug="few", name="Few")
    fill(few, 10)
    fill(Board.objects.get(slug="main"), OPEN, FINISHED)
    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(User.objects.create_superuser("page", password="page"))
    client.get("/board/few/")
    queries = [count(client, slug) for slug in ("few", "main")]
    size = len(gzip.compress(client.get("/board/main/").content)) / 1024
    took = median_ms(lambda number: client.get("/board/main/"), 5)
    yield Row(f"board page, {OPEN:,} open and {FINISHED:,} finished jobs", f"{took:.0f} ms")
    yield Row("  its queries, and those with 10 jobs", "{1} and {0}".format(*queries), "the same", len(set(queries)) == 1)
    yield Row("  its size, compressed", f"{size:.0f} KB", "≤ 200 KB", size <= 200)
    if binary := next(filter(None, map(shutil.which, CHROMIUM)), None):
        usable = visit(binary, client.cookies["session"].value)
        yield Row("  until live and drawn in Chromium", f"{usable:.0f} ms", "< 1,000 ms", usable < 1000)


def count(client: Client, slug: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        client.get(f"/board/{slug}/")
    return len(queries)


def visit(binary: str, session: str) -> float:
    """The median time from the start of the navigation, with a warm cache as on a dispatcher's second day."""
    from playwright.sync_api import sync_playwright

    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", str(port), "qdn.asgi:application"]
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        environment = os.environ | {"PUBLIC_ORIGIN": origin, "VAR_DIR": str(settings.VAR_DIR)}
        server = Process(command, Path(folder) / "server.log", environment)
        try:
            server.wait_until(lambda: is_ready(origin))
            browser = playwright.chromium.launch(executable_path=binary, args=["--no-sandbox", "--disable-gpu"])
            context = browser.new_context(viewport={"width": 1440, "height": 900})
            context.add_cookies([{"name": "session", "value": session, "url": origin}])
            page = context.new_page()
            times = []
            for _ in range(VISITS + 1):
                page.goto(f"{origin}/board/main/", wait_until="commit")
                times.append(page.wait_for_function(USABLE, timeout=20_000).json_value())
            browser.close()
            return sorted(times[1:])[VISITS // 2]
        finally:
            server.stop()
