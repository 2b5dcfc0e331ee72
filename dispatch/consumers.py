"""The live board's socket. Commands go by HTTP; this only brings news. The protocol is in docs/live-board.md."""

import json
import logging
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import Error

from . import access, live, presence, sockets
from .access import NOT_ALLOWED
from .board import Frame
from .mailbox import Mailbox
from .models import Board

logger = logging.getLogger(__name__)

TRY_AGAIN = 1011
BAD_MESSAGE = 4000


class BoardConsumer(AsyncWebsocketConsumer):
    """Check, then accept, then join: a browser is told why it is refused, and gets nothing before its hello."""

    channel_layer_alias = (
        "none"  # the hub listens to the channel layer, once; a socket of its own would cost a subscription
    )

    async def connect(self) -> None:
        self.mailbox: Mailbox | None = None
        self.hub: live.Hub | None = None
        self.slug = self.scope["url_route"]["kwargs"]["slug"]
        user = self.scope["user"]
        refusal = await live.in_database(access.refuse)(user)
        await self.accept()
        if refusal:
            await self.close(refusal)
            return
        self.name = user.get_full_name() or user.get_username()
        self.session_key = self.scope["session"].session_key
        self.room = presence.room(self.slug)
        self.mailbox = Mailbox(self.send, self.close, self.scope["line"])
        sockets.opened(self)
        access.guard().enter(self)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        message = read_message(text_data)
        if self.mailbox is None:
            return
        match message:
            case {"type": "hello", "epoch": str() | None as epoch, "seq": int(seq)}:
                await self._join(epoch, seq, presence=message.get("presence") is True)
            case {"type": "ping"}:
                self.heartbeat(json.dumps({"type": "heartbeat", "seq": self.hub.head if self.hub else 0}))
            case {"type": "ack", "seq": int(seq)}:
                self.mailbox.acknowledge(seq)
            case _:
                await self.close(BAD_MESSAGE)

    async def _join(self, epoch: str | None, seq: int, *, presence: bool) -> None:
        hub = self.hub or live.hub(self.slug)
        try:
            await hub.join(self, epoch, seq)
            self.hub = hub
            if presence:  # for screens that show people; a program that follows the board is nobody
                self.room.enter(self)
        except Board.DoesNotExist:
            await self.close(NOT_ALLOWED)
        except Error as error:
            logger.warning("board %s: cannot read what a socket is missing: %s", self.slug, error)
            await self.close(TRY_AGAIN)

    async def disconnect(self, code: int) -> None:
        if self.hub:
            self.hub.leave(self)
        if self.mailbox:
            self.mailbox.stop()
            self.room.leave(self)
            access.guard().leave(self)
            sockets.closed(self)

    def news(self, frame: Frame) -> None:
        if self.mailbox:
            self.mailbox.put(frame.text, seq=frame.to)

    def heartbeat(self, text: str) -> None:
        if self.mailbox:
            self.mailbox.put(text)

    presence = heartbeat


def read_message(text: str | None) -> Any:
    try:
        return json.loads(text or "")
    except (ValueError, RecursionError):  # not JSON, or brackets nested a thousand deep
        return None
