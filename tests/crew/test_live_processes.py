"""The crews' socket as it is run: two servers on one PostgreSQL and one Redis, and phones at both."""

import asyncio
import json
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import psycopg
import pytest
import redis
import websockets
from psycopg import sql

from tests import servers
from tests.crew.yard import open_yard, phone, socket_of
from tests.waiting import until

pytestmark = pytest.mark.processes


@pytest.fixture
def database_url(postgres_url):
    name = sql.Identifier("crew_live")
    with psycopg.connect(postgres_url, autocommit=True) as server:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(name))
        server.execute(sql.SQL("CREATE DATABASE {}").format(name))
    return postgres_url.rpartition("/")[0] + "/crew_live"


@pytest.fixture
def two_servers(database_url, redis_server):
    with servers.product(DATABASE_URL=database_url, REDIS_URL=redis_server.url) as product:
        with ThreadPoolExecutor() as pool:
            here, there = pool.map(product.serve, [product.port, servers.free_port()])
        yield product, here, there


async def hear_of(socket, uid, people):
    """Waits for the frame in which just these are first mates of the event."""
    async with asyncio.timeout(20):
        while True:
            frame = json.loads(await socket.recv())
            for event in frame.get("events", []):
                if event["id"] == uid and [one["name"] for one in event["firstMates"]["people"]] == people:
                    return


async def test_a_claim_on_one_is_seen_at_the_other_with_and_without_redis(two_servers, redis_server):
    product, here, there = two_servers
    (uid,), (mine, other) = open_yard(product, members=2)
    with phone(here, mine) as hand:
        async with socket_of(there, other, product.origin) as socket:
            await hear_of(socket, uid, [])
            await until(lambda: subscriptions(redis_server), "it listens", 20)

            async def turn(number):
                """One claim, or the release after it, until the other phone shows it."""
                act, people = [(hand.claim, ["M0 Poe"]), (hand.release, [])][number % 2]
                async with asyncio.TaskGroup() as both:
                    both.create_task(hear_of(socket, uid, people))
                    await asyncio.to_thread(act, uid)

            turns = await turns_until_hinted(redis_server, turn, 0)
            redis_server.stop(signal.SIGKILL)
            for number in range(turns, turns + 3):
                await turn(number)
            redis_server.start()
            await until(lambda: subscriptions(redis_server), "it listens again", 20)
            await turns_until_hinted(redis_server, turn, turns + 3)

            assert socket.state.name == "OPEN", product.logs()


async def turns_until_hinted(server, turn, first):
    """Whoever could not send a hint in time sends none for a while. How many turns there were then."""
    with hints(server) as hinted:
        for number in range(first, first + 20):
            await turn(number)
            if hinted():
                return number + 1
            await asyncio.sleep(1)
    raise AssertionError("no claim is hinted at")


async def test_a_lost_phone_is_cut_off_at_every_server(two_servers):
    product, here, there = two_servers
    _, (mine, other) = open_yard(product, members=2)
    async with (
        socket_of(here, mine) as first,
        socket_of(there, mine, product.origin) as second,
        socket_of(there, other, product.origin) as stays,
    ):
        for socket in (first, second, stays):
            await asyncio.wait_for(socket.recv(), 20)

        await asyncio.to_thread(product.shell, REVOKE)
        for socket in (first, second):
            await said_until_closed(socket)

        await stays.send('{"type": "ping"}')
        assert json.loads(await asyncio.wait_for(stays.recv(), 20))["type"] == "heartbeat"
    assert [socket.close_code for socket in (first, second)] == [4001, 4001], product.logs()


async def test_a_server_that_is_told_to_stop_sends_phones_away_first(two_servers):
    product, here, _ = two_servers
    _, (mine, _) = open_yard(product, members=2)
    async with socket_of(here, mine) as socket:
        assert json.loads(await asyncio.wait_for(socket.recv(), 20))["type"] == "events"

        next(one for one in product.started if str(product.port) in one.log.name).process.terminate()
        last = (await said_until_closed(socket))[-1]

    assert (last["type"], 500 <= last["retry_ms"] < 3000, socket.close_code) == ("restart", True, 4012)


REVOKE = """
from crew import doors
from crew.models import Device
doors.revoke(Device.objects.select_related("member").get(member__name="M0 Poe"))
"""


async def said_until_closed(socket):
    """All that a socket still says, a heartbeat or two included."""
    said = []
    with suppress(websockets.ConnectionClosed):
        async with asyncio.timeout(20):
            while True:
                said.append(json.loads(await socket.recv()))
    return said


HINTS = "qdn__group__crew.main"


@contextmanager
def hints(server):
    """Listens to Redis itself; a function that tells whether a hint about the main board's crews has come since."""
    with redis.Redis(port=server.port) as client, client.pubsub(ignore_subscribe_messages=True) as listening:
        listening.subscribe(HINTS)
        listening.get_message(timeout=20)  # that it is subscribed
        yield lambda: listening.get_message() is not None


def subscriptions(server):
    """How many processes are subscribed to the hints about the main board's crews."""
    with redis.Redis(port=server.port) as client:
        return dict(client.pubsub_numsub(HINTS))[HINTS.encode()]
