"""Hints between processes, through the channel layer. They may be lost: whoever gets them compares anyway."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS = 0.5
PAUSE_SECONDS = 5.0

_rest_until = 0.0


def send(group: str, message: dict[str, Any]) -> None:
    """Tells every process that listens to the group. A hint that cannot be sent is only logged, and the next ones are left
    out for a while: whoever changes something must not wait for a dead Redis each time."""
    global _rest_until
    if time.monotonic() < _rest_until:
        return
    try:
        async_to_sync(send_from_socket)(group, message)
    except Exception as error:  # noqa: BLE001 what the hint is about is committed; a broken layer must not turn it into an error
        _rest_until = time.monotonic() + PAUSE_SECONDS
        logger.warning("a hint to %s was not sent: %s", group, str(error) or type(error).__name__)


async def send_from_socket(group: str, message: dict[str, Any]) -> None:
    """The same for a coroutine. Raises whatever the channel layer raises, and TimeoutError."""
    await asyncio.wait_for(get_channel_layer().group_send(group, message), TIMEOUT_SECONDS)


@asynccontextmanager
async def subscription(group: str) -> AsyncIterator[Callable[[], Awaitable[Any]]]:
    """Listens to a group; gives a function that waits for the next message."""
    layer = get_channel_layer()
    channel = await layer.new_channel()
    try:
        await layer.group_add(group, channel)
        yield lambda: layer.receive(channel)
    finally:
        with suppress(Exception):  # a layer that is down has forgotten us already
            await asyncio.wait_for(layer.group_discard(group, channel), TIMEOUT_SECONDS)
