"""The product as it is run: server processes, real sockets, a worker, PostgreSQL and Redis."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest
import websockets
from psycopg import sql

from tests import servers
from tests.waiting import until, wait_for

pytestmark = pytest.mark.processes


@contextmanager
def sign_in(origin, username="ana"):
    """Somebody's browser, signed in as a browser does it."""
    with httpx.Client(base_url=origin, headers={"Origin": origin}, timeout=30) as browser:
        browser.get("/login/").raise_for_status()
        form = {"username": username, "password": "password", "csrfmiddlewaretoken": browser.cookies["csrf"]}
        assert browser.post("/login/", data=form).headers.get("Location") == "/"
        yield browser


def open_job(browser):
    """A new job's uid and token."""
    headers = {"X-CSRFToken": browser.cookies["csrf"]}
    opened = browser.post("/api/v1/jobs", json={"location": "1428 Elm St"}, headers=headers).raise_for_status().json()
    return opened["id"], opened["token"]


def post_move(browser, uid, to):
    seq = browser.get(f"/api/v1/jobs/{uid}").raise_for_status().json()["seq"]
    headers = {"X-CSRFToken": browser.cookies["csrf"]}
    return browser.post(f"/api/v1/jobs/{uid}/move", json={"to": to, "seq": seq}, headers=headers).raise_for_status().json()


@asynccontextmanager
async def open_socket(origin, path, browser=None, public_origin=None):
    headers = {"Cookie": f"session={browser.cookies['session']}"} if browser else {}
    address = f"ws://{urlsplit(origin).netloc}{path}"
    async with websockets.connect(
        address, origin=public_origin or origin, additional_headers=headers, open_timeout=30
    ) as socket:
        yield socket


async def hear_people(socket, names):
    """Waits until a screen shows just these people."""
    while (message := await hear(socket))["type"] != "presence" or names != [one["name"] for one in message["people"]]:
        pass
    return names


async def until_closed(socket):
    """What a socket still says before it is closed, with whatever code."""
    with suppress(websockets.ConnectionClosed):
        while True:
            yield await asyncio.wait_for(socket.recv(), 20)


async def say(socket, **message):
    await socket.send(json.dumps(message))
    return await hear(socket)


async def hear(socket):
    """The next message but for heartbeats, which may come at any time."""
    async with asyncio.timeout(20):
        while (message := json.loads(await socket.recv()))["type"] == "heartbeat":
            pass
        return message


async def hear_of(socket, uid, status):
    """Waits for the delta in which the job has the status."""
    async with asyncio.timeout(20):
        while True:
            news = json.loads(await socket.recv())
            if any(card["id"] == uid and card["status"] == status for card in news.get("jobs", [])):
                return


@pytest.fixture(scope="module")
def dispatch_desk(product):
    with sign_in(product.origin) as desk:
        yield desk


class TestOnALaptop:
    """One server, one worker, SQLite and files."""

    @pytest.fixture
    def job(self, dispatch_desk):
        return open_job(dispatch_desk)

    async def test_a_move_over_the_api_arrives_on_an_open_board(self, product, job, dispatch_desk):
        uid, _ = job
        async with open_socket(product.origin, "/ws/board/main/", dispatch_desk) as socket:
            snapshot = await say(socket, type="hello", epoch=None, seq=0)

            moved = await asyncio.to_thread(post_move, dispatch_desk, uid, "scheduled")
            delta = await hear(socket)

        assert (snapshot["type"], uid in [card["id"] for card in snapshot["jobs"]]) == ("snapshot", True)
        assert (delta["type"], delta["from"], delta["to"]) == ("delta", snapshot["to"], moved["seq"])
        card = {name: moved[name] for name in delta["jobs"][0]}
        assert delta["jobs"] == [card | {"customer": {"name": ""}}]

    async def test_a_move_arrives_on_the_customers_page(self, product, job, dispatch_desk):
        uid, token = job
        async with open_socket(product.origin, "/ws/track/") as socket:
            first = await say(socket, type="hello", token=token)

            moved = await asyncio.to_thread(post_move, dispatch_desk, uid, "scheduled")
            second = await hear(socket)

        assert (first["job"]["status"], second["job"]["status"], second["job"]["seq"]) == (
            "requested", "scheduled", moved["seq"]
        )  # fmt: skip
        assert second["job"] == dispatch_desk.get(f"/api/v1/track/{token}").json()

    def test_the_objects_of_a_job_follow(self, product, job, dispatch_desk):
        uid, token = job
        private, public = (product.folder / "state" / name for name in (f"jobs/{uid}.json", f"public/track/{token}.json"))
        wait_for(private.exists, "the new job's object exists", 40)

        moved = post_move(dispatch_desk, uid, "scheduled")
        wait_for(lambda: json.loads(private.read_text())["seq"] == moved["seq"], product.logs(), seconds=20)
        wait_for(lambda: json.loads(public.read_text())["seq"] == moved["seq"], product.logs(), seconds=20)

        document = json.loads(private.read_text())
        assert document == {name: moved[name] for name in document}

    async def test_a_server_that_is_told_to_stop_sends_its_sockets_away_first(self):
        with servers.product() as running:
            running.serve()
            server = running.started[-1].process
            with sign_in(running.origin) as browser:
                async with (
                    open_socket(running.origin, "/ws/board/main/", browser) as board,
                    open_socket(running.origin, "/ws/track/") as customer,
                ):
                    await say(board, type="hello", epoch=None, seq=0)
                    await board.ping()
                    await customer.ping()
                    server.terminate()
                    said = [await hear(socket) for socket in (board, customer)]
                    for socket in (board, customer):
                        with pytest.raises(websockets.ConnectionClosed):
                            await socket.recv()
            await asyncio.to_thread(server.wait, 30)

        assert [message["type"] for message in said] == ["restart", "restart"]
        assert all(500 <= message["retry_ms"] < 3000 for message in said)
        assert [socket.close_code for socket in (board, customer)] == [4012, 4012]
        assert server.returncode == 0

    async def test_a_client_that_stops_reading_is_hung_up_on(self, product, dispatch_desk):
        """It asks for the whole board again and again and takes nothing: what waits for it must not pile up."""
        many = "for n in range(100): flow.open_job(board, by='T', channel='api', location=f'{n} St')"
        product.shell(f"from dispatch import flow, models\nboard = models.Board.objects.get(slug='main')\n{many}")
        headers = {"Cookie": f"session={dispatch_desk.cookies['session']}"}
        address = f"ws://{urlsplit(product.origin).netloc}/ws/board/main/"
        async with websockets.connect(
            address, origin=product.origin, additional_headers=headers, max_queue=1, ping_interval=None, close_timeout=10
        ) as socket:
            with suppress(websockets.ConnectionClosed):
                for _ in range(2_000):
                    await socket.send(json.dumps({"type": "hello", "epoch": None, "seq": 0}))
            # However slow the server is: nothing is read before it has had enough.
            await until(lambda: "cannot keep up" in product.logs(), "it hangs up", 60)
            taken = [message async for message in until_closed(socket)]

        # Who does not even read the goodbye within a second is cut off without one.
        assert socket.close_code in {4008, 1006}
        assert len(taken) < 2_000

    async def test_another_origin_is_refused_before_the_socket_opens(self, product, dispatch_desk):

        with pytest.raises(websockets.InvalidStatus) as refusal:
            async with open_socket(product.origin, "/ws/board/main/", dispatch_desk, "https://evil.example"):
                pass

        assert refusal.value.response.status_code == 403

    async def test_without_a_session_the_socket_says_to_sign_in(self, product):
        async with open_socket(product.origin, "/ws/board/main/") as socket:
            with pytest.raises(websockets.ConnectionClosed) as closed:
                await socket.recv()

        assert closed.value.rcvd.code == 4001

    def test_a_worker_ends_on_request(self, product):
        worker = product.work()
        wait_for(lambda: "Worker started" in worker.read_log() or worker.process.poll() is not None, "it starts", 40)

        code = worker.stop()

        assert (code, worker.read_log().splitlines()[-1]) == (0, "Worker stopped.")


class TestSeveralProcesses:
    """Two servers on one PostgreSQL and one Redis."""

    @pytest.fixture
    def database_url(self, postgres_url):
        with psycopg.connect(postgres_url, autocommit=True) as server:
            server.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier("whole_application")))
            server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier("whole_application")))
        return postgres_url.rpartition("/")[0] + "/whole_application"

    async def test_a_move_on_one_arrives_at_the_other_with_and_without_redis(self, database_url, redis_server):
        with servers.product(DATABASE_URL=database_url, REDIS_URL=redis_server.url) as product, ExitStack() as processes:
            with ThreadPoolExecutor() as pool:
                here, there = pool.map(product.serve, [product.port, servers.free_port()])
            browser = processes.enter_context(sign_in(here))
            uid, token = open_job(browser)

            async def move(to):
                """Until both have heard of it: two moves at once would be one piece of news."""
                moved = await asyncio.to_thread(post_move, browser, uid, to)
                await hear_of(socket, uid, to)
                states.append(await hear(customer))
                return moved

            states = []
            async with (
                open_socket(there, "/ws/board/main/", browser, product.origin) as socket,
                open_socket(there, "/ws/track/", None, product.origin) as customer,
            ):
                await say(socket, type="hello", epoch=None, seq=0)
                await say(customer, type="hello", token=token)
                # The first hint may come before the subscription; the second one cannot.
                await move("scheduled")
                subscribers = await until(lambda: subscriptions(redis_server), "both listen", 20)
                moved = await move("ready_for_pickup")

                redis_server.stop()
                await move("en_route")

                redis_server.start()
                await until(lambda: subscriptions(redis_server) == subscribers, "it listens again", 20)
                last = await move("in_progress")

                assert (socket.state.name, customer.state.name) == ("OPEN", "OPEN")
            assert [state["job"]["status"] for state in states] == [
                "scheduled", "ready_for_pickup", "en_route", "in_progress"
            ], product.logs()  # fmt: skip
            assert last["seq"] - moved["seq"] == 2, product.logs()

    async def test_people_and_access_are_known_across_servers(self, database_url, redis_server):
        with servers.product(DATABASE_URL=database_url, REDIS_URL=redis_server.url) as product, ExitStack() as processes:
            with ThreadPoolExecutor() as pool:
                here, there = pool.map(product.serve, [product.port, servers.free_port()])
            product.add_user("ben", "view_job")
            ana, ben = (processes.enter_context(sign_in(here, user)) for user in ("ana", "ben"))
            async with (
                open_socket(here, "/ws/board/main/", ana) as anas,
                open_socket(there, "/ws/board/main/", ben, product.origin) as bens,
            ):
                for socket in (anas, bens):
                    await say(socket, type="hello", epoch=None, seq=0, presence=True)

                seen = [await hear_people(socket, ["ana", "ben"]) for socket in (anas, bens)]
                form = {"csrfmiddlewaretoken": ben.get("/board/main/").cookies.get("csrf") or ben.cookies["csrf"]}
                await asyncio.to_thread(ben.post, "/logout/", data=form)
                with pytest.raises(websockets.ConnectionClosed):
                    await asyncio.wait_for(hear_people(bens, ["nobody"]), 20)
                alone = await hear_people(anas, ["ana"])

            assert (seen, alone, bens.close_code) == ([["ana", "ben"]] * 2, ["ana"], 4001), product.logs()


def subscriptions(server):
    """How many processes are subscribed to the main board's hints."""
    import redis

    with redis.Redis(port=server.port) as client:
        return dict(client.pubsub_numsub("qdn__group__board.main"))[b"qdn__group__board.main"]
