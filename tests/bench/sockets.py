"""A thousand open boards on one server: what each costs in memory, and how long half of them need to come back."""

import json
import resource
import time
from collections.abc import Iterator
from pathlib import Path

from tests import servers
from tests.bench.desk import sign_in
from tests.bench.row import Row
from tests.bench.watchers import Watcher, Watchers

SOCKETS, MISSED = 1_000, 5


def measure() -> Iterator[Row]:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # the server inherits it
    with servers.product() as product:
        origin = product.serve()
        pid = product.started[-1].process.pid
        with sign_in(origin) as desk:
            watchers = Watchers(product.port, "/ws/board/main/", session=desk.session)
            job = desk.open_job("1428 Elm St")
            listen(watchers, watchers.open(10))  # whatever is loaded only once
            before = resident_kb(pid)
            listen(watchers, watchers.open(SOCKETS))
            each = (resident_kb(pid) - before) / SOCKETS
            half = watchers.all[: SOCKETS // 2]
            position = json.loads(half[0].last)
            watchers.close(half)
            for _ in range(MISSED):
                job = desk.move(job)
            began = time.perf_counter()
            back = watchers.open(len(half))
            listen(watchers, back, position["epoch"], position["to"])
            took = time.perf_counter() - began
            watchers.read_until(lambda: all(head(watcher) == job["seq"] for watcher in watchers.all), "all are at the head")
            news = json.loads(back[0].last)
            watchers.close(watchers.all)
    yield Row(f"memory per open board, {SOCKETS:,} sockets", f"{each:.0f} KB")
    yield Row(f"{SOCKETS // 2} of them come back at once and catch up", f"{took:.1f} s")
    complete = news["to"] == job["seq"]
    yield Row("  and know what they missed", "yes" if complete else "no", "yes", complete)


def listen(watchers: Watchers, new: list[Watcher], epoch: str | None = None, seq: int = 0) -> None:
    for watcher in new:
        watchers.say(watcher, type="hello", epoch=epoch, seq=seq)
    watchers.read_until(lambda: all(watcher.frames for watcher in new), "everybody's first frame")


def head(watcher: Watcher) -> int:
    return int(json.loads(watcher.last)["to"])


def resident_kb(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])
