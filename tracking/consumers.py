"""The socket of a customer's page. The token comes in the first message, so that it stands in no log."""

import asyncio
import json
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer

from dispatch import live
from dispatch.board import Frame
from dispatch.consumers import BAD_MESSAGE, read_message
from dispatch.mailbox import Mailbox
from dispatch.models import Job

from .projection import find, public_projection, shown

NOT_FOUND = 4004
HELLO_SECONDS = 10


class TrackConsumer(AsyncWebsocketConsumer):
    """Client: `{"type": "hello", "token"}`. Server: `{"type": "state", "job": projection}` at once and after each change,
    and `{"type": "heartbeat"}`. It listens to the hub of the job's board and looks again when its job was in the news."""

    channel_layer_alias = "none"

    async def connect(self) -> None:
        self.job: Job | None = None
        self.mailbox = Mailbox(self.send, self.close)
        await self.accept()
        self.hello_due = asyncio.get_running_loop().call_later(HELLO_SECONDS, self._hang_up)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        match read_message(text_data):
            case {"type": "hello", "token": str(token)} if self.job is None:
                await self._follow(token)
            case {"type": "ping"}:
                self.heartbeat("")
            case _:
                await self.close(BAD_MESSAGE)

    async def _follow(self, token: str) -> None:
        self.hello_due.cancel()
        try:
            self.job = await live.in_database(find)(token)
        except Job.DoesNotExist:
            await self.close(NOT_FOUND)
            return
        await live.hub(self.job.board.slug).watch(self)
        self._send_state(self.job)
        await self._look_again(self.job)  # for what changed before the hub knew of this socket

    async def disconnect(self, code: int) -> None:
        self.hello_due.cancel()
        self.mailbox.stop()
        if self.job:
            live.hub(self.job.board.slug).leave(self)

    def news(self, frame: Frame) -> None:
        if self.job and (frame.start is None or any(job.pk == self.job.pk for job in frame.jobs)):
            self.looking = asyncio.ensure_future(self._look_again(self.job))

    def heartbeat(self, text: str) -> None:
        self.mailbox.put('{"type":"heartbeat"}')

    async def _look_again(self, job: Job) -> None:
        latest = await live.in_database(_if_changed)(job)
        if latest is None:
            return
        if latest.token != job.token:
            await self.close(NOT_FOUND)
            return
        self.job = latest
        self._send_state(latest)

    def _send_state(self, job: Job) -> None:
        state: dict[str, Any] = {"type": "state", "job": public_projection(job)}
        self.mailbox.put(json.dumps(state, separators=(",", ":")))

    def _hang_up(self) -> None:
        self.closing = asyncio.ensure_future(self.close(BAD_MESSAGE))


def _if_changed(job: Job) -> Job | None:
    return shown().filter(pk=job.pk).exclude(seq=job.seq).first()
