"""The bounded queue between a hub and one socket."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

SIZE = 256
TOO_SLOW = 4008


class Mailbox:
    """Sends texts in order. Who cannot keep up is hung up on with 4008 and catches up when connecting again, so that one
    slow socket costs neither memory nor the others' time.

    A server that takes every text at once, such as daphne, hides a stalled client from the queue. Who acknowledges frames
    is therefore held to it; who never does is left to the server's own ping timeout.
    """

    def __init__(self, send: Callable[[str], Awaitable[None]], close: Callable[[int], Awaitable[None]]) -> None:
        self._queue: asyncio.Queue[str] = asyncio.Queue(SIZE)
        self._send, self._close = send, close
        self._full = False
        self._acknowledges = False
        self._unseen: deque[int] = deque(maxlen=SIZE + 1)
        self._task = asyncio.create_task(self._deliver())

    def put(self, text: str, *, seq: int | None = None) -> None:
        """Hands a text over; a frame with the change number that it leads to."""
        if self._full:
            return
        if seq is not None:
            self._unseen.append(seq)
        if self._queue.full() or (self._acknowledges and len(self._unseen) > SIZE):
            self._full = True
            self._task.cancel()  # it may be stuck in a send that never ends
            self._task = asyncio.create_task(self._hang_up())
            return
        self._queue.put_nowait(text)

    def acknowledge(self, seq: int) -> None:
        """The client has applied everything up to the frame that leads to this change number."""
        self._acknowledges = True
        if seq in self._unseen:
            while self._unseen.popleft() != seq:
                pass

    def stop(self) -> None:
        self._task.cancel()

    async def _deliver(self) -> None:
        while True:
            await self._send(await self._queue.get())

    async def _hang_up(self) -> None:
        await self._close(TOO_SLOW)
