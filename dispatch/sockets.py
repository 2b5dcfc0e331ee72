"""The sockets that are open in this process, and how they are sent away when it stops (qdn/stopping.py)."""

import asyncio
import json
import random
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
    _open.setdefault(asyncio.get_running_loop(), set()).add(socket)


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
