"""From the press of a button to another screen: a move over HTTP, until 20 other sockets have it."""

import asyncio
import json
import statistics
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import websockets

from tests import servers
from tests.bench.desk import Desk, sign_in
from tests.bench.row import Row

SCREENS, PER_SECOND, SECONDS = 20, 5, 10


def measure() -> Iterator[Row]:
    with servers.product() as product:
        origin = product.serve()
        with sign_in(origin) as desk:
            took = sorted(asyncio.run(race(origin, desk)))
    p99 = took[int(len(took) * 0.99) - 1]
    yield Row(f"move → {SCREENS} other screens at {PER_SECOND} moves/s, p50", f"{statistics.median(took):.0f} ms")
    yield Row("  p99", f"{p99:.0f} ms", "< 100 ms", p99 < 100)


async def race(origin: str, desk: Desk) -> list[float]:
    """Milliseconds from sending the request to each screen's frame."""
    address = f"ws://{urlsplit(origin).netloc}/ws/board/main/"
    headers = {"Cookie": f"session={desk.session}"}
    arrived: list[tuple[int, float]] = []

    async def watch(ready: asyncio.Barrier) -> None:
        async with websockets.connect(address, origin=origin, additional_headers=headers) as socket:
            await socket.send(json.dumps({"type": "hello", "epoch": None, "seq": 0}))
            await socket.recv()
            await ready.wait()
            async for text in socket:
                news = json.loads(text)
                arrived.extend((card["seq"], time.perf_counter()) for card in news.get("jobs", []))

    job = await asyncio.to_thread(desk.open_job, "1428 Elm St")
    ready = asyncio.Barrier(SCREENS + 1)
    screens = [asyncio.create_task(watch(ready)) for _ in range(SCREENS)]
    await asyncio.wait_for(ready.wait(), 20)
    sent: dict[int, float] = {}
    began = time.perf_counter()
    for number in range(PER_SECOND * SECONDS):
        await asyncio.sleep(max(0.0, began + number / PER_SECOND - time.perf_counter()))
        at = time.perf_counter()
        job = await asyncio.to_thread(desk.move, job)
        sent[job["seq"]] = at
    deadline = time.perf_counter() + 5
    while (took := [(at - sent[seq]) * 1000 for seq, at in arrived if seq in sent]) and len(took) < len(sent) * SCREENS:
        if time.perf_counter() > deadline:
            raise TimeoutError(f"{len(took)} of {len(sent) * SCREENS} frames arrived")
        await asyncio.sleep(0.01)
    for screen in screens:
        screen.cancel()
    await asyncio.gather(*screens, return_exceptions=True)
    return took
