"""From the press of Claim to the other phones: a claim or a release over HTTP, until 200 other sockets have it. Beside it,
in the same server, a move until 200 boards have it.
"""

import time
from collections.abc import Callable, Iterator

from tests import servers
from tests.bench.desk import sign_in
from tests.bench.row import Row
from tests.bench.watchers import Watchers
from tests.crew.yard import open_yard, phone

SOCKETS, PHONES, EVENTS = 200, 40, 30
PER_SECOND, TIMES = 5, 60


def measure() -> Iterator[Row]:
    with servers.product() as product:
        uids, cookies = open_yard(product, events=EVENTS, members=PHONES + 1)
        origin = product.serve()
        boards = moves(product.port, origin)
        claims, size = claims_of(product.port, origin, uids, cookies)
    ratio = at(claims, 0.5) / at(boards, 0.5)
    yield Row(f"claim → {SOCKETS} other phones at {PER_SECOND} claims/s, p50", f"{at(claims, 0.5):.0f} ms")
    yield Row("  p99", f"{at(claims, 0.99):.0f} ms")
    yield Row(f"  a frame, {EVENTS} events", f"{size / 1024:.1f} KB")
    yield Row(f"move → {SOCKETS} other boards in the same run, p50", f"{at(boards, 0.5):.0f} ms")
    yield Row("  p99", f"{at(boards, 0.99):.0f} ms")
    yield Row("  claim : move, p50", f"{ratio:.1f} ×", "≤ 4 ×", ratio <= 4)


def moves(port: int, origin: str) -> list[float]:
    with sign_in(origin) as desk:
        watchers = Watchers(port, "/ws/board/main/", session=desk.session)
        for watcher in watchers.open(SOCKETS):
            watchers.say(watcher, type="hello", epoch=None, seq=0)
        watchers.read_until(lambda: all(watcher.frames for watcher in watchers.all), "snapshots")
        job = [desk.open_job("1428 Elm St")]
        watchers.read_until(lambda: all(watcher.frames == 2 for watcher in watchers.all), "the new job")

        def move(_: int) -> None:
            job[0] = desk.move(job[0])

        took = arrivals(watchers, move)
        watchers.close(watchers.all)
    return took


def claims_of(port: int, origin: str, uids: list[str], cookies: list[str]) -> tuple[list[float], int]:
    """Every phone has five pages open; one that has none claims."""
    hand, *others = cookies
    watchers = Watchers(port, "/ws/crew/")
    for cookie in others:
        for watcher in watchers.open(SOCKETS // PHONES, cookie=f"crew={cookie}"):
            watchers.say(watcher, type="hello")
    watchers.read_until(lambda: all(watcher.frames for watcher in watchers.all), "first frames")
    with phone(origin, hand) as own:

        def claim_or_release(number: int) -> None:
            uid = uids[-1 - number // 2 % 10]  # far enough ahead to be given back
            (own.claim if number % 2 == 0 else own.release)(uid)

        took = arrivals(watchers, claim_or_release)
    size = len(watchers.all[0].last)
    watchers.close(watchers.all)
    return took, size


def arrivals(watchers: Watchers, change: Callable[[int], None]) -> list[float]:
    """Milliseconds from the request to each socket's frame. The answer is waited for before frames are looked at, so this
    is a bit more than it takes."""
    took, began = [], time.perf_counter()
    for number in range(TIMES):
        time.sleep(max(0.0, began + number / PER_SECOND - time.perf_counter()))
        heard = sum(watcher.frames for watcher in watchers.all)
        asked = time.perf_counter()
        change(number)
        everybody = heard + SOCKETS
        watchers.read_until(lambda: sum(one.frames for one in watchers.all) >= everybody, "everybody has it")  # noqa: B023
        took += [(watcher.at - asked) * 1000 for watcher in watchers.all]
    return took


def at(took: list[float], share: float) -> float:
    return sorted(took)[max(0, int(len(took) * share) - 1)]
