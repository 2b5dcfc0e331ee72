"""One request of an S3 client on its way through the proxy, and the means by which a fault decides what becomes of it."""

import asyncio
import socket
import struct
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import unquote, urlsplit

END_OF_HEAD = b"\r\n\r\n"
HOP = ("connection:", "expect:", "keep-alive:")


@dataclass
class Request:
    """A line of the log: `status` is what the client was told, None while or because it was told nothing."""

    method: str
    key: str
    status: int | None = None
    fault: str = ""
    headers: dict[str, str] = field(default_factory=dict, compare=False, repr=False)
    """By their names in lower case."""
    at: datetime = field(default_factory=lambda: datetime.now(UTC), compare=False, repr=False)


class Exchange:
    """A request that was read whole and waits for its fate."""

    def __init__(self, reader, writer, upstream, head, headers, body):
        self.reader, self.writer, self.upstream = reader, writer, urlsplit(upstream)
        self.head, self.body = head, body
        method, target, _ = head.split("\r\n", 1)[0].split(" ")
        key = unquote(urlsplit(target).path).lstrip("/").partition("/")[2]
        self.request = Request(method, key, headers=headers)
        self.released: asyncio.Event | None = None

    @classmethod
    async def begun(cls, reader, writer, upstream):
        head = (await reader.readuntil(END_OF_HEAD)).decode("latin-1").removesuffix("\r\n\r\n")
        headers = {
            name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head.split("\r\n")[1:])
        }
        if headers.get("expect", "").lower() == "100-continue":
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if "chunked" in headers.get("transfer-encoding", ""):
            body = await read_chunks(reader)
        else:
            body = await reader.readexactly(int(headers.get("content-length", 0)))
        return cls(reader, writer, upstream, head, headers, body)

    async def forward(self):
        """Has the request carried out; returns the whole reply."""
        async with connected(self.upstream) as (reader, writer):
            writer.write(without_hop(self.head, "Connection: close") + self.body)
            await writer.drain()
            head, _, body = (await reader.read()).partition(END_OF_HEAD)
        return without_hop(head.decode("latin-1")) + body

    async def answer(self, reply):
        self.request.status = int(reply.split(b" ", 2)[1])
        await self.write(reply)

    async def write(self, content):
        self.writer.write(content)
        await self.writer.drain()

    async def client_leaves(self):
        await self.reader.read()
        self.hang_up()

    def hang_up(self, *, rudely=False):
        if rudely:
            no_farewell = struct.pack("ii", 1, 0)
            self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, no_farewell)
            self.writer.transport.abort()
        self.writer.close()


@asynccontextmanager
async def connected(url):
    reader, writer = await asyncio.open_connection(url.hostname, url.port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def read_chunks(reader):
    """A chunked body as it came: `size[;…]` CRLF content CRLF, …, `0` CRLF, trailers, CRLF."""
    body = b""
    while size := int((line := await reader.readuntil(b"\r\n")).partition(b";")[0], 16):
        body += line + await reader.readexactly(size + 2)
    body += line
    while line != b"\r\n":
        body += (line := await reader.readuntil(b"\r\n"))
    return body


def without_hop(head, *instead):
    """The lines of a head that are meant for more than one connection."""
    lines = [line for line in head.split("\r\n") if not line.lower().startswith(HOP)]
    return "\r\n".join([*lines, *instead]).encode("latin-1") + END_OF_HEAD
