"""Many websockets in one thread, as cheap as Python allows, so that a measurement shows the server and not its client."""

import json
import os
import selectors
import socket
import struct
import time
from dataclasses import dataclass, field

UPGRADE = (
    "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nOrigin: {origin}\r\n{cookie}\r\n"
)
CARDS = b'"jobs":[{'
FRAMES = (b'"type":"delta"', b'"type":"snapshot"', b'"type": "delta"', b'"type": "snapshot"', b'"type":"events"')


@dataclass
class Watcher:
    line: socket.socket
    unread: bytes = b""
    upgraded: bool = False
    frames: int = 0  # deltas and snapshots, or lists of events
    news: int = 0  # those that hold cards
    at: float = 0.0  # when the last one came, by time.perf_counter()
    last: bytes = field(default=b"", repr=False)


class Watchers:
    """Opens sockets to one server and counts what comes. Times are seconds."""

    def __init__(self, port: int, path: str, *, origin: str = "", session: str = "") -> None:
        self.port, self.cookie = port, f"session={session}" if session else ""
        self.facts = {"path": path, "port": port, "origin": origin or f"http://127.0.0.1:{port}"}
        self.selector = selectors.EpollSelector()
        self.all: list[Watcher] = []

    def open(self, count: int, seconds: float = 60, cookie: str = "") -> list[Watcher]:
        """Connects all of them at once and waits for the handshakes."""
        opened, cookie = [], cookie or self.cookie
        request = UPGRADE.format(**self.facts, cookie=f"Cookie: {cookie}\r\n" if cookie else "")
        for _ in range(count):
            line = socket.create_connection(("127.0.0.1", self.port), timeout=seconds)
            line.sendall(request.encode())
            line.setblocking(False)
            watcher = Watcher(line)
            self.selector.register(line, selectors.EVENT_READ, watcher)
            opened.append(watcher)
        self.all += opened
        self.read_until(lambda: all(watcher.upgraded for watcher in opened), "handshakes", seconds)
        return opened

    def close(self, watchers: list[Watcher]) -> None:
        for watcher in list(watchers):
            self.selector.unregister(watcher.line)
            watcher.line.close()
            self.all.remove(watcher)

    def read_until(self, done, what: str, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not done():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{what}: not within {seconds} s")
            for key, _ in self.selector.select(0.5):
                self._read(key.data)

    def wait_for_news(self, each: int, seconds: float = 60) -> None:
        """Until every socket got so many frames with cards. Counts what is missing instead of asking everybody anew."""
        missing = sum(max(0, each - watcher.news) for watcher in self.all)
        deadline = time.monotonic() + seconds
        while missing > 0:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{missing} deliveries are missing after {seconds} s")
            for key, _ in self.selector.select(0.5):
                before = key.data.news
                self._read(key.data)
                missing -= key.data.news - before

    def _read(self, watcher: Watcher) -> None:
        data = watcher.line.recv(1 << 18)
        if not data:
            raise ConnectionError(f"the server hung up: {watcher.unread[:200]!r} {watcher.last[:200]!r}")
        data = watcher.unread + data
        if not watcher.upgraded:
            head, end, data = data.partition(b"\r\n\r\n")
            if not end:
                watcher.unread = head
                return
            if b" 101 " not in head:
                raise ConnectionError(head.decode(errors="replace"))
            watcher.upgraded = True
        watcher.unread = self._frames(watcher, data)

    def _frames(self, watcher: Watcher, data: bytes) -> bytes:
        at, size = 0, len(data)
        while size - at >= 2:
            length, begin = data[at + 1] & 127, at + 2
            if length == 126:
                length, begin = int.from_bytes(data[at + 2 : at + 4]), at + 4
            elif length == 127:
                length, begin = int.from_bytes(data[at + 2 : at + 10]), at + 10
            if size < begin + length:
                break
            if data.find(CARDS, begin, begin + length) >= 0:
                watcher.news += 1
                watcher.frames += 1
                watcher.at = time.perf_counter()
                watcher.last = data[begin : begin + length]
            elif any(data.find(kind, begin, begin + 40) >= 0 for kind in FRAMES):
                watcher.frames += 1
                watcher.at = time.perf_counter()
                watcher.last = data[begin : begin + length]
            elif data[at] & 15 == 8:
                raise ConnectionError(f"the server closed with {int.from_bytes(data[begin : begin + 2])}")
            at = begin + length
        return data[at:]

    def say(self, watcher: Watcher, **message: object) -> None:
        """A client's frames are masked."""
        payload, mask = json.dumps(message).encode(), os.urandom(4)
        assert len(payload) < 126
        masked = bytes(byte ^ mask[place % 4] for place, byte in enumerate(payload))
        watcher.line.sendall(struct.pack("!BB", 0x81, 0x80 | len(payload)) + mask + masked)
