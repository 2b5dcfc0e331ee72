"""The sockets that are open in this process, and their orderly end when the process is told to stop."""

import asyncio
import json
import random
import sys
from collections.abc import Coroutine
from typing import Any, Protocol
from weakref import WeakKeyDictionary

RESTARTING = 4012
RETRY_MS = (500, 3000)
FLUSH_SECONDS = 0.3


class Socket(Protocol):
    def send(self, text_data: str) -> Coroutine[Any, Any, None]: ...

    def close(self, code: int) -> Coroutine[Any, Any, None]: ...


_open: WeakKeyDictionary[asyncio.AbstractEventLoop, set[Socket]] = WeakKeyDictionary()


def opened(socket: Socket) -> None:
    loop = asyncio.get_running_loop()
    if loop not in _open:
        _open[loop] = set()
        _drain_when_stopped()
    _open[loop].add(socket)


def closed(socket: Socket) -> None:
    _open.get(asyncio.get_running_loop(), set()).discard(socket)


async def drain() -> None:
    """Tells every open socket to come back in a moment, each in another one, and closes it."""
    sockets = list(_open.get(asyncio.get_running_loop(), ()))
    await asyncio.gather(*(_send_away(socket) for socket in sockets), return_exceptions=True)
    if sockets:
        await asyncio.sleep(FLUSH_SECONDS)


async def _send_away(socket: Socket) -> None:
    retry = random.randrange(*RETRY_MS)  # noqa: S311 spreads clients, hides nothing
    await socket.send(json.dumps({"type": "restart", "retry_ms": retry}))
    await socket.close(RESTARTING)


def _drain_when_stopped() -> None:
    """Under daphne, before Twisted's reactor ends. Other servers send their own close code for this."""
    if "daphne.server" not in sys.modules:
        return
    from twisted.internet import defer, reactor

    def send_away() -> defer.Deferred[None]:
        return defer.Deferred.fromFuture(asyncio.ensure_future(drain()))

    reactor.addSystemEventTrigger("before", "shutdown", send_away)  # type: ignore[arg-type]  # the stub wants no phase
