"""How many sockets one token and one address may have, through the whole ASGI application; and when a link ends."""

from datetime import timedelta

import pytest
from channels.db import database_sync_to_async
from channels.layers import channel_layers
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.db import connections

from dispatch import links, live
from dispatch.models import Job
from qdn.asgi import application
from tests.factories import make_job
from tracking import seats

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def clean():
    channel_layers.backends.clear()
    yield
    channel_layers.backends.clear()
    assert seats.taken() == []  # every socket has left its seat


@pytest.fixture
async def connect():
    opened = []

    async def connect(address="203.0.113.7", *forwarded):
        headers = [(b"origin", settings.PUBLIC_ORIGIN.encode())]
        headers += [(b"x-forwarded-for", one.encode()) for one in forwarded]
        socket = WebsocketCommunicator(application, "/ws/track/", headers=headers)
        socket.scope["client"] = [address, 4711]
        assert (await socket.connect(timeout=20))[0]
        opened.append(socket)
        return socket

    yield connect
    for socket in opened:
        await socket.disconnect(timeout=20)
    await live.in_database(
        connections.close_all
    )()  # a refused socket leaves one open, and the database could not be dropped


async def hello(socket, token):
    await socket.send_json_to({"type": "hello", "token": token})
    output = await socket.receive_output(timeout=20)
    return output.get("code", output["type"])


async def test_a_token_has_so_many_seats(board, job, connect, monkeypatch):
    monkeypatch.setitem(seats.MOST, "token", 2)
    other = await database_sync_to_async(make_job)(board)
    sockets = [await connect() for _ in range(4)]

    answers = [await hello(socket, job.token) for socket in sockets[:3]]
    elsewhere = await hello(sockets[3], other.token)
    await sockets[0].disconnect(timeout=20)
    after = await hello(await connect(), job.token)

    assert answers == ["websocket.send", "websocket.send", 4029]
    assert (elsewhere, after) == ("websocket.send", "websocket.send")


async def test_an_address_has_so_many_seats(board, connect, monkeypatch):
    monkeypatch.setitem(seats.MOST, "address", 1)
    await connect()
    refused, other = await connect(), await connect("198.51.100.1")

    assert (await refused.receive_output(timeout=20))["code"] == 4029
    assert await other.receive_nothing(timeout=0.05)


async def test_behind_a_proxy_its_clients_are_told_apart(board, connect, monkeypatch, settings):
    settings.PROXIES = 1
    monkeypatch.setitem(seats.MOST, "address", 1)
    sockets = [await connect("10.0.0.1", address) for address in ("203.0.113.7", "203.0.113.8", "203.0.113.7")]

    assert [await socket.receive_nothing(timeout=0.05) for socket in sockets] == [True, True, False]


async def test_an_ended_link_is_told_apart_from_a_wrong_one(board, connect):
    job = await database_sync_to_async(make_job)(board, status="completed")
    await database_sync_to_async(end)(job)

    assert [await hello(await connect(), token) for token in (job.token, "unknown-token")] == [4010, 4004]


async def test_a_link_that_ends_while_somebody_looks_closes_the_socket(board, connect):
    job = await database_sync_to_async(make_job)(board, status="completed")
    socket = await connect()
    await hello(socket, job.token)

    await database_sync_to_async(end)(job)

    output = await socket.receive_output(timeout=20)
    assert output.get("code") == 4010


def end(job):
    """As the clock does, and then the worker."""
    earlier, long_ago = job.seq_at - timedelta(days=1), job.seq_at - timedelta(days=2)
    Job.objects.filter(pk=job.pk).update(link_ends_at=earlier, seq_at=long_ago)
    links.close_ended()


def test_the_limits_are_those_of_the_docs():
    assert seats.MOST == {"token": 20, "address": 50}
