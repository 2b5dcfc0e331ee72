"""How a server process ends when it is told to: it takes no more connections, sends its sockets away, gives the answers
that it is working on, and then it is gone.

Daphne alone cancels what it is working on. A change that is made already would stay without its answer, and a thread that
waits for the event loop would wait for ever, and the process with it.
"""

import asyncio
import logging
import os
import sys
import threading
from typing import Any

from dispatch import sockets

logger = logging.getLogger(__name__)

ANSWER_SECONDS = 5.0
"""What takes longer is cancelled."""
CANCEL_SECONDS = 2.0
"""What does not even end then, such as a thread that waits for a dead network, is left behind with the process."""

_working: set[asyncio.Future[None]] = set()
_stopping = False


def finishing(application: Any) -> Any:
    """An ASGI application whose answers are finished though the server cancels them because it stops. From then on they ask
    the client to make another connection for what comes next."""

    async def answer(scope: dict[str, Any], receive: Any, send: Any) -> None:
        async def last(message: dict[str, Any]) -> None:
            if _stopping and message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), (b"Connection", b"close")]
            await send(message)

        work = asyncio.ensure_future(application(scope, receive, last))
        _working.add(work)
        work.add_done_callback(_working.discard)
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError:
            if not _stopping:
                work.cancel()
            raise

    return answer


async def finish() -> int:
    """Waits until all is answered and all sockets are sent away. Returns how much could not be ended."""
    await asyncio.gather(sockets.drain(), _ended(ANSWER_SECONDS))
    for work in _working:
        work.cancel()
    await _ended(CANCEL_SECONDS)
    return len(_working)


async def _ended(seconds: float) -> None:
    """Waits for what is worked on, also for what comes meanwhile on connections that are open already."""
    deadline = asyncio.get_running_loop().time() + seconds
    was_busy = bool(_working)
    while _working and (left := deadline - asyncio.get_running_loop().time()) > 0:
        await asyncio.wait(_working, timeout=left, return_when=asyncio.FIRST_COMPLETED)
    if was_busy:
        await asyncio.sleep(sockets.FLUSH_SECONDS)


def end_in_order() -> None:
    """Under daphne, before Twisted's reactor ends. Other servers finish their answers themselves."""
    if "daphne.server" not in sys.modules:
        return
    from twisted.internet import defer, reactor, tcp

    async def end() -> None:
        if stuck := await finish():
            logger.warning("stopped in the middle of %d requests, which did not end", stuck)
            # Python would wait for their threads, and they wait for an event loop that is gone.
            watchdog = threading.Timer(CANCEL_SECONDS, os._exit, [1])
            watchdog.daemon = True
            watchdog.start()

    def stop() -> defer.Deferred[None]:
        global _stopping
        _stopping = True
        for reader in reactor.getReaders():  # type: ignore[misc]  # the stub forgot self
            if isinstance(reader, tcp.Port):
                reader.stopListening()
        return defer.Deferred.fromFuture(asyncio.ensure_future(end()))

    reactor.addSystemEventTrigger("before", "shutdown", stop)  # type: ignore[arg-type]  # the stub wants no phase
