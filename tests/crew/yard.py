"""A running product's members and their phones, for tests and measurements with real processes."""

import json
from collections.abc import Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx
import websockets

from tests.servers import Product

OPEN = """
import json
from crew.devices import Device, hashed, new_secret
from dispatch.models import Board
from tests.crew.factories import make_event, make_member
board = Board.objects.get(slug="main")
events = [make_event(board, f"Event {{n}}", days=1 + n / 4, first_mates={places}).uid for n in range({events})]
cookies = [new_secret() for _ in range({members})]
for n, cookie in enumerate(cookies):
    Device.objects.create(member=make_member(board, f"M{{n}} Poe"), secret=hashed(cookie))
print(json.dumps([events, cookies]))
"""


def open_yard(product: Product, *, events: int = 1, members: int = 2, places: int = 1) -> tuple[list[str], list[str]]:
    """Opens events and signs members' phones in. The events' uids and the phones' cookies."""
    uids, cookies = json.loads(product.shell(OPEN.format(events=events, members=members, places=places)).splitlines()[-1])
    return uids, cookies


class Phone:
    def __init__(self, client: httpx.Client) -> None:
        self.client = client

    def claim(self, uid: str) -> dict[str, Any]:
        return self._send("POST", f"/api/v1/events/{uid}/claim")

    def release(self, uid: str) -> dict[str, Any]:
        return self._send("DELETE", f"/api/v1/events/{uid}/claim")

    def _send(self, method: str, path: str) -> dict[str, Any]:
        headers = {"X-CSRFToken": self.client.cookies["csrf"]}
        return self.client.request(method, path, headers=headers).raise_for_status().json()


@contextmanager
def phone(origin: str, cookie: str, public_origin: str = "") -> Iterator[Phone]:
    headers = {"Origin": public_origin or origin}
    with httpx.Client(base_url=origin, headers=headers, cookies={"crew": cookie}, timeout=20) as client:
        client.get("/crew/").raise_for_status()
        yield Phone(client)


@asynccontextmanager
async def socket_of(origin: str, cookie: str, public_origin: str = "") -> Any:
    """It has said hello; the first frame is still to be read."""
    address, headers = f"ws://{urlsplit(origin).netloc}/ws/crew/", {"Cookie": f"crew={cookie}"}
    async with websockets.connect(address, origin=public_origin or origin, additional_headers=headers) as socket:
        await socket.send('{"type": "hello"}')
        yield socket
