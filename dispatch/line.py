"""The short way to a browser under daphne: a text is framed once and written to each socket at once.

The usual way of a text leads through Channels, daphne, Autobahn and Twisted's next turn, and costs ten times as much for
each socket. Where there is no short way (another server, TLS in daphne, compression) the usual one is taken.
"""

import sys
from collections.abc import Awaitable, Callable
from functools import lru_cache, partial
from typing import Any

Application = Callable[[dict[str, Any], Any, Any], Awaitable[None]]


class Line:
    """A daphne socket that is open. Beside daphne itself nobody may write to it while this does."""

    def __init__(self, protocol: Any) -> None:
        self._protocol, self._transport = protocol, protocol.transport

    def write(self, text: str) -> int:
        """Returns how many bytes wait because the other side does not read. A socket that is closing takes nothing."""
        protocol, transport = self._protocol, self._transport
        if protocol.state != protocol.STATE_OPEN:
            return 0
        frame = framed(text)
        if transport.dataBuffer or transport._tempDataBuffer:
            transport.write(frame)
        else:
            written = transport.writeSomeData(frame)
            if not isinstance(written, int):  # the connection is lost, which Twisted finds out by writing
                written = 0
            if written < len(frame):
                transport.write(frame[written:])
        return len(transport.dataBuffer) - transport.offset + transport._tempDataLen


@lru_cache(maxsize=64)
def framed(text: str) -> bytes:
    """One WebSocket text frame, as a server sends it."""
    from autobahn.websocket.protocol import PreparedMessage

    return PreparedMessage(text.encode(), isBinary=False, applyMask=False, doNotCompress=True).payloadHybi


def with_line(application: Application) -> Application:
    """Puts a socket's line, or None, into its scope as `line`. To be wrapped around everything else: it reads `send`."""

    async def offered(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            scope = scope | {"line": find(send)}
        await application(scope, receive, send)

    return offered


def find(send: Any) -> Line | None:
    """The line behind an ASGI `send`, if daphne made it and bytes pass through as they are."""
    if "daphne.ws_protocol" not in sys.modules or not isinstance(send, partial) or not send.args:
        return None
    from daphne.ws_protocol import WebSocketProtocol
    from twisted.internet.tcp import Server

    protocol = send.args[0]
    plain = isinstance(protocol, WebSocketProtocol) and isinstance(protocol.transport, Server)
    if not plain or protocol.transport.TLS or protocol._perMessageCompress is not None:
        return None
    return Line(protocol)
