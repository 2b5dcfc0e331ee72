"""Asks the customer's socket once, as a page does: a handshake, one message, one answer (RFC 6455, text frames only)."""

import base64
import hashlib
import json
import os
import socket
import ssl
import struct
import time
from typing import Any
from urllib.parse import urlsplit

SECONDS = 10
LONGEST_LINE, MOST_LINES, MOST_BYTES = 8_192, 100, 1 << 20
TEXT, CLOSE = 0x1, 0x8
NO_CODE = 1005
GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # of the standard


class NoSocket(Exception):
    """There is no websocket, or it does not answer. The message says what came instead."""


class Denied(NoSocket):
    """403: the server takes no sockets from pages of that origin."""


def ask(api: str, message: dict[str, Any], origin: str, seconds: float = SECONDS) -> dict[str, Any] | int:
    """The first message that comes back, or the code with which the socket was closed. Raises NoSocket, after `seconds` at
    the latest."""
    try:
        with Line(api, time.monotonic() + seconds) as line:
            line.shake_hands(urlsplit(api).netloc, origin)
            line.send(json.dumps(message).encode())
            return line.answer()
    except TimeoutError:
        raise NoSocket(f"no answer within {seconds:g} s") from None
    except (OSError, EOFError, ValueError) as error:
        raise NoSocket(str(error) or type(error).__name__) from error


class Line:
    """A connection with one deadline for all that is done with it."""

    def __init__(self, api: str, deadline: float) -> None:
        parts = urlsplit(api)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        self.deadline = deadline
        self.socket = socket.create_connection((parts.hostname or "", port), self._left())
        if parts.scheme == "https":
            self.socket = ssl.create_default_context().wrap_socket(self.socket, server_hostname=parts.hostname)
        self.kept = b""

    def __enter__(self) -> "Line":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def shake_hands(self, host: str, origin: str) -> None:
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [
            "GET /ws/track/ HTTP/1.1", f"Host: {host}", "Connection: Upgrade", "Upgrade: websocket",
            "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}", f"Origin: {origin}", "", "",
        ]  # fmt: skip
        self.socket.sendall("\r\n".join(lines).encode())
        status, headers = self._head()
        if " 101" not in status:
            raise (Denied if " 403" in status else NoSocket)(f"the server answered “{status}” instead of 101")
        if headers.get("sec-websocket-accept") != _accepted(key):
            raise NoSocket("the server answered 101, and its handshake is not that of a websocket")

    def send(self, payload: bytes) -> None:
        """What a client sends is masked."""
        mask = os.urandom(4)
        length = bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + struct.pack(">H", len(payload))
        masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
        self.socket.sendall(bytes([0x80 | TEXT]) + length + mask + masked)

    def answer(self) -> dict[str, Any] | int:
        while True:
            first, second = self._exactly(2)
            length = second & 0x7F
            if length >= 126:
                length = int.from_bytes(self._exactly(2 if length == 126 else 8))
            payload = self._exactly(length)
            if first & 0x0F == CLOSE:
                return int.from_bytes(payload[:2]) or NO_CODE
            if first & 0x0F == TEXT:
                message: dict[str, Any] = json.loads(payload)
                return message

    def _head(self) -> tuple[str, dict[str, str]]:
        lines = []
        for _ in range(MOST_LINES):
            line = self._line()
            if not line:
                break
            lines.append(line)
        pairs = [line.partition(":") for line in lines[1:]]
        return lines[0] if lines else "", {name.lower(): value.strip() for name, _, value in pairs}

    def _line(self) -> str:
        while b"\n" not in self.kept[:LONGEST_LINE]:
            if len(self.kept) > LONGEST_LINE:
                raise NoSocket("what answers there does not speak HTTP")
            self._more()
        line, _, self.kept = self.kept.partition(b"\n")
        return line.decode("latin-1").strip()

    def _exactly(self, count: int) -> bytes:
        if count > MOST_BYTES:
            raise NoSocket(f"a message of {count:,} bytes is no customer's job")
        while len(self.kept) < count:
            self._more()
        got, self.kept = self.kept[:count], self.kept[count:]
        return got

    def _more(self) -> None:
        self.socket.settimeout(self._left())
        got = self.socket.recv(65_536)
        if not got:
            raise NoSocket("the line was cut")
        self.kept += got

    def _left(self) -> float:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


def _accepted(key: str) -> str:
    digest = hashlib.sha1(f"{key}{GUID}".encode(), usedforsecurity=False).digest()
    return base64.b64encode(digest).decode()
