"""News for open boards. One hub per process and board reads what changed, once, and hands it to every socket.

A commit sends a hint through the channel layer; the hub also compares the board's change number every second. A lost
hint, or a dead Redis, therefore costs at most that second and never a change.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Protocol
from weakref import WeakKeyDictionary, WeakValueDictionary

from channels.db import DatabaseSyncToAsync

from . import board, hints

logger = logging.getLogger(__name__)

COMPARE_SECONDS = 1.0
HEARTBEAT_SECONDS = 15.0
CATCH_UPS_KEPT = 32

_reader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="hub")


def in_database(function: Callable[..., Any]) -> Callable[..., Coroutine[Any, Any, Any]]:
    """Runs a query in the one thread per process that sockets use, so that they cannot exhaust the database."""
    return DatabaseSyncToAsync(function, thread_sensitive=False, executor=_reader)


class Listener(Protocol):
    """A socket that wants a board's news. Both methods return at once."""

    def news(self, frame: board.Frame) -> None: ...

    def heartbeat(self, text: str) -> None: ...


class Follower:
    """What hubs have in common: they wake up on a hint, compare every second, and survive whatever happens to the database
    or the channel layer. `what` names it in the log, `hints_to` is where its hints go."""

    def __init__(self, what: str, hints_to: str) -> None:
        self.what, self.hints_to = what, hints_to
        self.head = 0
        self.listeners: set[Any] = set()
        self._hinted = asyncio.Event()
        self._turn = asyncio.Lock()
        self._tasks: list[asyncio.Task[None]] = []

    async def _hand_out(self) -> None:
        """Reads what changed, if anything did, and gives it to the listeners."""
        raise NotImplementedError

    def leave(self, listener: Any) -> None:
        self.listeners.discard(listener)
        if not self.listeners:
            self.stop()

    def _begin(self) -> None:
        self._tasks = [asyncio.create_task(run()) for run in (self._follow, self._listen, self._beat)]

    def stop(self) -> None:
        """A hub without listeners reads nothing. The next one to join starts it again."""
        for task in self._tasks:
            task.cancel()
        self._tasks = []

    async def _follow(self) -> None:
        failures = 0
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._hinted.wait(), COMPARE_SECONDS)
            self._hinted.clear()
            try:
                await self._hand_out()
            except Exception as error:  # noqa: BLE001 a hub that ended would leave its sockets open and silent
                failures += 1
                if failures == 1:
                    logger.warning("%s: cannot read changes, trying again: %s", self.what, error)
            else:
                if failures:
                    logger.info("%s: reading changes again after %s failed tries", self.what, failures)
                failures = 0

    async def _listen(self) -> None:
        """Waits for hints. Whatever happens to the channel layer, the sockets stay open: the hub compares anyway."""
        failures = 0
        while True:
            try:
                async with hints.subscription(self.hints_to) as receive:
                    failures = 0
                    while True:
                        await receive()
                        self._hinted.set()
            except Exception as error:  # noqa: BLE001 each layer has its own exceptions; none may end the hub
                failures += 1
                if failures == 1:
                    logger.warning("%s: no hints (%s), comparing every second", self.what, error)
                await asyncio.sleep(COMPARE_SECONDS)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            text = json.dumps({"type": "heartbeat", "seq": self.head})
            for listener in list(self.listeners):
                listener.heartbeat(text)


class Hub(Follower):
    """Reads one board's changes for all its listeners in this process."""

    listeners: set[Listener]

    def __init__(self, slug: str) -> None:
        super().__init__(f"board {slug}", group(slug))
        self.slug = slug
        self.epoch: str | None = None
        self._catch_ups: dict[tuple[str | None, int], board.Frame] = {}

    async def join(self, listener: Listener, epoch: str | None, seq: int) -> None:
        """Gives the listener what it is missing since (epoch, seq), then everything that follows, without a gap: nothing is
        handed out while this holds the turn. Raises Board.DoesNotExist."""
        async with self._turn:
            frame = self._catch_ups.get((epoch, seq))
            if frame is None:
                frame = await in_database(board.changes)(self.slug, epoch, seq)
                # Still right for the next one who asks from the same position, until the head moves. Clients choose
                # positions, so only so many are kept.
                if len(self._catch_ups) < CATCH_UPS_KEPT:
                    self._catch_ups[epoch, seq] = frame
            if not self._tasks:
                self._start(frame.epoch, frame.to)
            listener.news(frame)
            self.listeners.add(listener)

    async def watch(self, listener: Listener) -> None:
        """Gives the listener everything from now on and nothing of before. Raises Board.DoesNotExist."""
        async with self._turn:
            if not self._tasks:
                self._start(*await in_database(board.position)(self.slug))
            self.listeners.add(listener)

    def _start(self, epoch: str, head: int) -> None:
        self.epoch, self.head = epoch, head
        self._begin()

    def stop(self) -> None:
        super().stop()
        self._catch_ups.clear()

    async def _hand_out(self) -> None:
        async with self._turn:
            frame = await in_database(_changes_if_moved)(self.slug, self.epoch, self.head)
            if frame is None:
                return
            self.epoch, self.head = frame.epoch, frame.to
            self._catch_ups.clear()
            for listener in list(self.listeners):
                listener.news(frame)


def _changes_if_moved(slug: str, epoch: str | None, head: int) -> board.Frame | None:
    """Comparing costs one row, whatever the size of the board."""
    return None if board.position(slug) == (epoch, head) else board.changes(slug, epoch, head)


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, WeakValueDictionary[str, Hub]] = WeakKeyDictionary()


def hub(slug: str) -> Hub:
    """This process's hub for a board, for as long as somebody holds it. Raises nothing for an unknown board; joining
    does."""
    hubs = _hubs.setdefault(asyncio.get_running_loop(), WeakValueDictionary())
    return hubs.setdefault(slug, Hub(slug))


def group(slug: str) -> str:
    return f"board.{slug}"


def announce(slug: str, seq: int) -> None:
    """Tells every process that a board changed. Call it after the commit."""
    hints.send(group(slug), {"type": "hint", "seq": seq})
