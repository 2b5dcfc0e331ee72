"""The socket of a customer's page. The token comes in the first message, so that it stands in no log."""

import asyncio
import json
import logging
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import Error

from dispatch import live, sockets
from dispatch.addresses import client_address
from dispatch.board import Frame
from dispatch.consumers import BAD_MESSAGE, TRY_AGAIN, read_message
from dispatch.mailbox import Mailbox
from dispatch.models import Job

from .projection import LinkEnded, find, is_past, public_projection, shown
from .seats import TOO_MANY, Seats

logger = logging.getLogger(__name__)

NOT_FOUND = 4004
LINK_ENDED = 4010
HELLO_SECONDS = 10
LOOK_AGAIN_SECONDS = 1.0


class TrackConsumer(AsyncWebsocketConsumer):
    """Client: `{"type": "hello", "token"}`. Server: `{"type": "state", "job": projection}` at once and after each change,
    and `{"type": "heartbeat"}`. It listens to the hub of the job's board and looks again when its job was in the news.
    It is closed with 4004 when the token leads nowhere, 4010 when the link has ended, 4029 when there are too many."""

    channel_layer_alias = "none"

    async def connect(self) -> None:
        self.job: Job | None = None
        self.hub: live.Hub | None = None
        self.looking: asyncio.Task[None] | None = None
        self.in_the_news = asyncio.Event()
        self.seats = Seats()
        await self.accept()  # first, or the browser would not be told why it is refused
        self.mailbox = Mailbox(self.send, self.close, self.scope["line"])
        sockets.opened(self)
        self.hello_due = asyncio.get_running_loop().call_later(HELLO_SECONDS, self._hang_up)
        if not self.seats.take("address", client_address(self.scope)):
            await self.close(TOO_MANY)

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
            job = await live.in_database(find)(token)
            if not self.seats.take("token", token):
                await self.close(TOO_MANY)
                return
            self.job, hub = job, live.hub(job.board.slug)
            await hub.watch(self)
        except Job.DoesNotExist:
            await self.close(NOT_FOUND)
        except LinkEnded:
            await self.close(LINK_ENDED)
        except Error as error:
            logger.warning("cannot read a tracked job: %s", error)
            await self.close(TRY_AGAIN)
        else:
            self.hub = hub
            self._send_state(job)
            self.in_the_news.set()  # for what changed before the hub knew of this socket
            self.looking = asyncio.create_task(self._keep_looking(job))

    async def disconnect(self, code: int) -> None:
        self.hello_due.cancel()
        self.mailbox.stop()
        self.seats.leave()
        sockets.closed(self)
        if self.looking:
            self.looking.cancel()
        if self.hub:
            self.hub.leave(self)

    def news(self, frame: Frame) -> None:
        if self.job and (frame.start is None or any(job.pk == self.job.pk for job in frame.jobs)):
            self.in_the_news.set()

    def heartbeat(self, text: str) -> None:
        self.mailbox.put('{"type":"heartbeat"}')

    async def _keep_looking(self, job: Job) -> None:
        """One look at a time, so that states leave in order, and again after a look that failed."""
        while True:
            await self.in_the_news.wait()
            self.in_the_news.clear()
            try:
                latest = await live.in_database(_if_changed)(job)
            except Error as error:
                logger.warning("cannot read a tracked job, trying again: %s", error)
                await asyncio.sleep(LOOK_AGAIN_SECONDS)
                self.in_the_news.set()
                continue
            if latest is None:
                continue
            if latest.token != job.token:
                await self.close(NOT_FOUND)
                return
            if is_past(latest):
                await self.close(LINK_ENDED)
                return
            job = latest
            self._send_state(job)

    def _send_state(self, job: Job) -> None:
        state: dict[str, Any] = {"type": "state", "job": public_projection(job)}
        self.mailbox.put(json.dumps(state, separators=(",", ":")))

    def _hang_up(self) -> None:
        self.closing = asyncio.ensure_future(self.close(BAD_MESSAGE))


def _if_changed(job: Job) -> Job | None:
    return shown().filter(pk=job.pk).exclude(seq=job.seq).first()
