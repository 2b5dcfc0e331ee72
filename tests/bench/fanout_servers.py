"""The three servers that tests/bench/fanout.py compares. Each sends BATCH texts to all its sockets when told `go`.

`stock` and `ours` are ASGI applications for daphne, `python -m tests.bench.fanout_servers PORT` is the bare one.
"""

import asyncio
import json
import os
import sys
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "qdn.settings")

from qdn.asgi import application  # sets Django up, so that what follows may import models

# isort: split
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.layers import get_channel_layer
from django.utils import timezone

from dispatch import board, live
from dispatch.models import Job

BATCH = 50
EPOCH = "00000000-0000-4000-8000-000000000000"


def frame(number: int) -> board.Frame:
    """One card, as after one move."""
    job = Job(
        uid="01JD9X3K5W8Q2M4N6P7R8S9T0V", seq=number, status="en_route", rank=3 << 20, location="1428 Elm St", price=None,
        crew=["Dee Walker"], customer_name="Marisol Vega", load_eighths=4, updated_by="Ana Ruiz",
        window_start=timezone.now(), window_end=timezone.now(),
    )  # fmt: skip
    return board.Frame(EPOCH, number - 1, number, [job], {"requested": 8})


class Stock(AsyncWebsocketConsumer):
    """What Channels' own tutorial does: every socket is a member of the group and gets its own message."""

    groups = ("everybody",)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        layer = get_channel_layer()
        for number in range(BATCH):
            await layer.group_send("everybody", {"type": "news", "text": frame(number + 1).text})

    async def news(self, event: dict[str, Any]) -> None:
        await self.send(text_data=event["text"])


class Changes:
    """In place of the database, which would be what is measured: whenever the hub reads there is one more change."""

    def __init__(self) -> None:
        self.head = 0

    def position(self, slug: str) -> tuple[str, int]:
        return EPOCH, self.head + 1

    def changes(self, slug: str, epoch: str | None, since: int) -> board.Frame:
        if epoch != EPOCH:
            return board.Frame(EPOCH, None, self.head, [], {})
        self.head += 1
        return frame(self.head)


changes = Changes()


async def ours(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """The product with its own consumer, hub and mailboxes. `/go/` lets the hub read and hand out, as after a hint."""
    if scope["type"] == "websocket" and scope["path"] == "/go/":
        await receive()
        await send({"type": "websocket.accept"})
        while (await receive())["type"] == "websocket.receive":
            for _ in range(BATCH):
                await live.hub("main")._hand_out()
    else:
        await application(scope, receive, send)


stock = Stock.as_asgi()
if os.environ.get("FANOUT") == "ours":
    live.COMPARE_SECONDS = 3600.0
    board.position, board.changes = changes.position, changes.changes


async def bare(port: int) -> None:
    """The fastest that a Python process can do: one text, built once, written to every socket."""
    import websockets

    async def serve(socket: websockets.ServerConnection) -> None:
        async for _ in socket:
            for number in range(BATCH):
                websockets.broadcast(server.connections, frame(number + 1).text)
                await asyncio.sleep(0)

    async with websockets.serve(serve, "127.0.0.1", port, compression=None) as server:
        await server.serve_forever()


if __name__ == "__main__":
    assert len(json.dumps(frame(1).as_dict(), separators=(",", ":"))) > 300
    asyncio.run(bare(int(sys.argv[1])))
