"""An application for daphne whose answer is large, and comes once the file LET is there."""

import asyncio
import os
from pathlib import Path

from qdn import stopping

SIZE = 8_000_000


async def answer(scope, receive, send):
    if scope["path"] == "/large":
        while not Path(os.environ["LET"]).exists():
            await asyncio.sleep(0.01)
    body = bytes(SIZE if scope["path"] == "/large" else 0)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"Content-Length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


stopping.end_in_order()
application = stopping.finishing(answer)
