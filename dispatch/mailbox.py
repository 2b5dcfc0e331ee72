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
        self._too_slow = asyncio.Event()
        self._task = asyncio.create_task(self._deliver())

    def put(self, text: str) -> None:
        try:
            self._queue.put_nowait(text)
        except asyncio.QueueFull:
            self._too_slow.set()

    def stop(self) -> None:
        self._task.cancel()

    async def _deliver(self) -> None:
        while not self._too_slow.is_set():
            await self._send(await self._queue.get())
        await self._close(TOO_SLOW)
