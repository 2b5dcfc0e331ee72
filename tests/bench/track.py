"""The customer's page: what a phone has to load, how soon it is drawn, and what the API takes next to a static file of the
same size from the same server."""

import asyncio
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
from django.conf import settings
from django.test import Client

from dispatch.models import Board, Job
from tests.bench.fill import fill
from tests.bench.page import CHROMIUM
from tests.bench.row import Row, median_ms
from tests.postgres import free_port
from tests.servers import Process, is_ready

REQUESTS, AT_ONCE, VISITS = 600, 8, 5
LIGHT = 60
LARGEST_PAINT = """() => new Promise((resolve) => new PerformanceObserver((list) =>
    resolve(list.getEntries().at(-1).startTime)).observe({ type: "largest-contentful-paint", buffered: true }))"""


def measure() -> Iterator[Row]:
    if not Job.objects.filter(status="en_route").exists():
        fill(Board.objects.get(slug="main"), 10)
    client, job = Client(headers={"host": "127.0.0.1"}), Job.objects.filter(status="en_route").first()
    page = client.get(f"/track/{job.token}")
    files = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text))
    size = (len(page.content) + sum(len(client.get(name).content) for name in files)) / 1024
    yield Row(f"the customer's page with its {len(files)} files", f"{size:.0f} KB", f"≤ {LIGHT} KB", size <= LIGHT)
    yield Row("  one answer", f"{median_ms(lambda number: client.get(f'/track/{job.token}'), 50):.1f} ms")
    answer = client.get(f"/api/v1/track/{job.token}").content
    with tempfile.TemporaryDirectory() as folder, Server(Path(folder), answer) as server:
        static, _ = asyncio.run(load(f"{server.origin}/static/answer.json"))
        api, p99 = asyncio.run(load(f"{server.origin}/api/v1/track/{job.token}"))
        yield Row(f"  the API, {len(answer):,} bytes, {AT_ONCE} at a time", f"{api:,.0f}/s, p99 {p99:.0f} ms")
        yield Row("  a static file of that size, same server", f"{static:,.0f}/s")
        if binary := next(filter(None, map(shutil.which, CHROMIUM)), None):
            drawn = visit(binary, f"{server.origin}/track/{job.token}")
            yield Row("  largest paint in Chromium, nothing cached", f"{drawn:.0f} ms", "< 500 ms", drawn < 500)


class Server:
    """Daphne with the files collected as in production, and one more of `answer`."""

    def __init__(self, folder: Path, answer: bytes) -> None:
        port = free_port()
        self.origin, self.folder = f"http://127.0.0.1:{port}", folder
        (folder / "static").mkdir()
        (folder / "static" / "answer.json").write_bytes(answer)
        command = [sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", str(port), "qdn.asgi:application"]
        files = {"STATIC_ROOT": str(folder / "static")}
        environment = os.environ | {"PUBLIC_ORIGIN": self.origin, "VAR_DIR": str(settings.VAR_DIR)} | files
        collect = [sys.executable, "manage.py", "collectstatic", "--no-input", "-v0"]
        Process(collect, folder / "collect.log", environment).process.wait(120)
        self.process = Process(command, folder / "server.log", environment)

    def __enter__(self) -> "Server":
        self.process.wait_until(lambda: is_ready(self.origin))
        return self

    def __exit__(self, *_: object) -> None:
        self.process.stop()


async def load(address: str) -> tuple[float, float]:
    """Requests a second and the 99th percentile in milliseconds."""
    took: list[float] = []

    async def ask(client: httpx.AsyncClient, times: int) -> None:
        for _ in range(times):
            began = time.perf_counter()
            (await client.get(address)).raise_for_status()
            took.append((time.perf_counter() - began) * 1000)

    async with httpx.AsyncClient() as client:
        await ask(client, 20)
        took.clear()
        began = time.perf_counter()
        await asyncio.gather(*(ask(client, REQUESTS // AT_ONCE) for _ in range(AT_ONCE)))
    return len(took) / (time.perf_counter() - began), sorted(took)[int(len(took) * 0.99) - 1]


def visit(binary: str, address: str) -> float:
    """The median time from the start of the navigation, each in a browser that knows nothing of us yet."""
    from playwright.sync_api import sync_playwright

    times = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary, args=["--no-sandbox", "--disable-gpu"])
        for _ in range(VISITS + 1):
            context = browser.new_context(viewport={"width": 390, "height": 844})
            page = context.new_page()
            page.goto(address)
            times.append(page.evaluate(LARGEST_PAINT))
            context.close()
        browser.close()
    return sorted(times[1:])[VISITS // 2]
