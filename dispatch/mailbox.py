"""The bounded queue between a hub and one socket."""

import asyncio
from collections.abc import Awaitable, Callable

SIZE = 256
TOO_SLOW = 4008


class Mailbox:
    """Sends texts in order. Who cannot keep up is hung up on with 4008 and catches up when connecting again, so that one
    slow socket costs neither memory nor the others' time."""

    def __init__(self, send: Callable[[str], Awaitable[None]], close: Callable[[int], Awaitable[None]]) -> None:
        self._queue: asyncio.Queue[str] = asyncio.Queue(SIZE)
        self._send, self._close = send, close
        self._full = False
        self._task = asyncio.create_task(self._deliver())

    def put(self, text: str) -> None:
        if self._full:
            return
        try:
            self._queue.put_nowait(text)
        except asyncio.QueueFull:
            self._full = True
            self._task.cancel()  # it may be stuck in a send that never ends
            self._task = asyncio.create_task(self._hang_up())

    def stop(self) -> None:
        self._task.cancel()

    async def _deliver(self) -> None:
        while True:
            await self._send(await self._queue.get())

    async def _hang_up(self) -> None:
        await self._close(TOO_SLOW)
