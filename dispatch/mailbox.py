"""The bounded queue between a hub and one socket."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable

from .line import Line

logger = logging.getLogger(__name__)

SIZE = 256
MOST_WAITING_BYTES = 4 * 1024 * 1024
TOO_SLOW = 4008


class Mailbox:
    """Sends texts in order. Who cannot keep up is hung up on with 4008 and catches up when connecting again, so that one
    slow socket costs neither memory nor the others' time.

    With a `line` texts are written at once and the bytes that wait are counted, otherwise they go through a queue. A server
    may hide a stalled client from the queue; who acknowledges frames is therefore held to it as well.
    """

    def __init__(
        self, send: Callable[[str], Awaitable[None]], close: Callable[[int], Awaitable[None]], line: Line | None = None
    ) -> None:
        self._queue: asyncio.Queue[str] = asyncio.Queue(SIZE)
        self._send, self._close, self._line = send, close, line
        self._full = False
        self._acknowledges = False
        self._unseen: deque[int] = deque(maxlen=SIZE + 1)
        self._task = None if line else asyncio.create_task(self._deliver())

    def put(self, text: str, *, seq: int | None = None) -> None:
        """Hands a text over; a frame with the change number that it leads to."""
        if self._full:
            return
        if seq is not None:
            self._unseen.append(seq)
        if self._acknowledges and len(self._unseen) > SIZE:
            self._give_up()
        elif self._line:
            if self._line.write(text) > MOST_WAITING_BYTES:
                self._give_up()
        elif self._queue.full():
            self._give_up()
        else:
            self._queue.put_nowait(text)

    def acknowledge(self, seq: int) -> None:
        """The client has applied everything up to the frame that leads to this change number."""
        self._acknowledges = True
        if seq in self._unseen:
            while self._unseen.popleft() != seq:
                pass

    def stop(self) -> None:
        if self._task:
            self._task.cancel()

    def _give_up(self) -> None:
        self._full = True
        logger.info("a socket cannot keep up: hung up on it")
        self.stop()  # it may be stuck in a send that never ends
        self._task = asyncio.create_task(self._hang_up())

    async def _deliver(self) -> None:
        while True:
            await self._send(await self._queue.get())

    async def _hang_up(self) -> None:
        await self._close(TOO_SLOW)
