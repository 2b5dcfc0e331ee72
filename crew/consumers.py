"""The crews' socket, for phones and for the office. Commands go by HTTP; this only brings news. The protocol is in
docs/crew-live.md.
"""

import asyncio
import json
import logging
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import Error

from dispatch import access, sockets
from dispatch.access import NOT_ALLOWED
from dispatch.consumers import BAD_MESSAGE, TRY_AGAIN, read_message
from dispatch.live import in_database
from dispatch.mailbox import Mailbox
from dispatch.models import Board

from . import live, viewers
from .models import Member

logger = logging.getLogger(__name__)

HELLO_SECONDS = 10
TOO_MANY = 4029
PLAN = json.dumps({"type": "plan"})


class CrewConsumer(AsyncWebsocketConsumer):
    """Accept, then check when the hello says who it is for, then join: a browser is told why it is refused, and gets
    nothing before its hello."""

    channel_layer_alias = "none"  # the hub listens to the channel layer, once

    async def connect(self) -> None:
        self.viewer: viewers.Viewer | None = None
        self.asked: str | None = None
        self.hub: live.Hub | None = None
        self.guard: access.Guard | None = None
        self.member: Member | None = None
        self.device: int | None = None
        self.session_key = self.scope["session"].session_key
        self.over = False
        await self.accept()
        self.mailbox = Mailbox(self.send, self.close, self.scope["line"])
        sockets.opened(self)
        self.hello_due = asyncio.get_running_loop().call_later(HELLO_SECONDS, self._hang_up)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.over:
            return
        match read_message(text_data):
            case {"type": "hello", "board": str(slug)}:
                await self._hello(slug)
            case {"type": "hello", **more} if more.get("board") is None:
                await self._hello(None)
            case {"type": "ping"}:
                self.heartbeat(json.dumps({"type": "heartbeat", "seq": self.hub.head if self.hub else 0}))
            case _:
                await self.close(BAD_MESSAGE)

    async def _hello(self, slug: str | None) -> None:
        """Once for whom, and as often as they like after that: each is answered with everything."""
        self.hello_due.cancel()
        if self.viewer and slug != self.asked:
            await self.close(BAD_MESSAGE)
            return
        self.asked = slug
        try:
            if self.viewer is None:
                self.viewer = await in_database(viewers.find)(self.scope["cookies"], self.scope["user"], slug)
                self._enter(self.viewer)
            hub = self.hub or live.hub(self.viewer.slug)
            await hub.join(self)
            self.hub = hub
            if self.over:  # it was closed meanwhile
                self._leave()
        except viewers.MayNotLook as refusal:
            await self.close(refusal.code)
        except Board.DoesNotExist:
            await self.close(NOT_ALLOWED)
        except Error as error:
            logger.warning("cannot read what a socket of the crews shows: %s", error)
            await self.close(TRY_AGAIN)

    def _enter(self, viewer: viewers.Viewer) -> None:
        """From now on somebody looks whether they still may. Raises MayNotLook when they do already, too often."""
        self.member, self.device = viewer.member, viewer.device
        self.guard = viewers.guard() if viewer.member else access.guard()
        self.guard.enter(self)
        if viewer.member and viewers.is_full(self):
            raise viewers.MayNotLook(TOO_MANY)

    async def close(self, code: int | None = None, reason: str | None = None) -> None:
        """Nothing follows the close code."""
        self._leave()
        await super().close(code, reason)

    async def disconnect(self, code: int) -> None:
        self._leave()
        self.hello_due.cancel()
        self.mailbox.stop()
        sockets.closed(self)

    def _leave(self) -> None:
        self.over = True
        if self.hub:
            self.hub.leave(self)
        if self.guard:
            self.guard.leave(self)
        self.hub = self.guard = None

    def news(self, text: str) -> None:
        if not self.over:
            self.mailbox.put(text)

    heartbeat = news

    def plan(self) -> None:
        self.news(PLAN)

    def _hang_up(self) -> None:
        self.closing: asyncio.Future[Any] = asyncio.ensure_future(self.close(BAD_MESSAGE))
