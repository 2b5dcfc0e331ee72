"""A server process that is told to stop, in the middle of answers: in a loop of its own, and as it is run."""

import asyncio
import http.client
import os
import signal
import sqlite3
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from urllib.parse import urlsplit

import httpx
import pytest

from qdn import stopping
from tests import servers
from tests.qdn.large_answer import SIZE
from tests.waiting import until, wait_for

CLOSE = (b"Connection", b"close")


class Slow:
    """An application that answers when it is let."""

    def __init__(self):
        self.let, self.ended = asyncio.Event(), []

    async def __call__(self, scope, receive, send):
        try:
            await self.let.wait()
            await send({"type": "http.response.start", "status": 200, "headers": [(b"Allow", b"GET")]})
            await send({"type": "http.response.body", "body": b"here"})
        finally:
            self.ended.append(asyncio.current_task().cancelling())


@pytest.fixture
async def slow():
    return Slow()


@pytest.fixture
def sent():
    return []


@pytest.fixture
async def answering(slow, sent):
    """The server's task for one request, in the middle of it."""

    async def send(message):
        sent.append(message)

    task = asyncio.ensure_future(stopping.finishing(slow)({"type": "http"}, None, send))
    await until(lambda: stopping._working, "it is worked on")
    yield task
    task.cancel()
    for work in stopping._working:
        work.cancel()
    await asyncio.wait([task])
    await until(lambda: not stopping._working, "all is over")


@pytest.fixture
def stops(monkeypatch):
    monkeypatch.setattr(stopping, "_stopping", True)
    monkeypatch.setattr(stopping.sockets, "FLUSH_SECONDS", 0)


async def test_usually_an_answer_is_what_the_application_sends(answering, slow, sent):
    slow.let.set()
    await answering

    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert (sent[0]["headers"], slow.ended, stopping._working) == ([(b"Allow", b"GET")], [0], set())


async def test_usually_what_the_server_cancels_ends(answering, slow, sent):
    answering.cancel()
    await asyncio.wait([answering])
    await until(lambda: slow.ended, "it has ended")

    assert (answering.cancelled(), slow.ended, sent) == (True, [1], [])


async def test_while_the_server_stops_an_answer_is_finished_and_is_the_last_of_its_connection(answering, slow, sent, stops):
    answering.cancel()
    await asyncio.wait([answering])
    finishing = asyncio.ensure_future(stopping.finish())
    await asyncio.wait([finishing], timeout=0.05)
    slow.let.set()

    assert (await finishing, slow.ended, stopping._working) == (0, [0], set())
    assert (sent[0]["headers"], sent[1]["body"]) == ([(b"Allow", b"GET"), CLOSE], b"here")


async def test_what_takes_too_long_is_cancelled(answering, slow, sent, stops, monkeypatch):
    monkeypatch.setattr(stopping, "ANSWER_SECONDS", 0.01)

    assert (await stopping.finish(), slow.ended, sent) == (0, [1], [])


async def test_what_cannot_be_cancelled_is_counted(stops, monkeypatch):
    monkeypatch.setattr(stopping, "ANSWER_SECONDS", 0.01)
    monkeypatch.setattr(stopping, "CANCEL_SECONDS", 0.01)
    let = asyncio.Event()

    async def stubborn(scope, receive, send):
        with suppress(asyncio.CancelledError):
            await let.wait()
        await let.wait()

    task = asyncio.ensure_future(stopping.finishing(stubborn)({"type": "http"}, None, None))
    await until(lambda: stopping._working, "it is worked on")

    assert await stopping.finish() == 1
    let.set()
    await task


# --- as it is run


def daphne(port, application="qdn.asgi:application", answer_seconds=60, cancel_seconds=60):
    """The server as it is run, but for its patience."""
    code = (
        f"from qdn import stopping; stopping.ANSWER_SECONDS, stopping.CANCEL_SECONDS = {answer_seconds}, {cancel_seconds}\n"
        "from daphne.cli import CommandLineInterface; CommandLineInterface.entrypoint()"
    )
    return [sys.executable, "-c", code, "-b", "127.0.0.1", "-p", str(port), application]


def ask(request):
    """Returns when the request has left, which is before whatever is asked for next. The answer is still to be read."""
    connection = http.client.HTTPConnection(urlsplit(str(request.url)).netloc, timeout=60)
    connection.request(request.method, request.url.path, request.read(), dict(request.headers))
    return connection


@contextmanager
def busy(running, origin):
    """Signs in while the database is locked: one request that the server is in the middle of. Gives the answer's list and a
    function that unlocks."""
    answers = []

    def read():
        with suppress(OSError, http.client.HTTPException):
            answers.append(connection.getresponse())

    with httpx.Client(base_url=origin, headers={"Origin": origin}, timeout=30) as browser:
        browser.get("/login/").raise_for_status()
        form = {"username": "ana", "password": "password", "csrfmiddlewaretoken": browser.cookies["csrf"]}
        with closing(sqlite3.connect(running.folder / "db.sqlite3", isolation_level=None)) as database:
            database.execute("BEGIN IMMEDIATE")
            connection = ask(browser.build_request("POST", "/login/", data=form))
            thread = threading.Thread(target=read)
            thread.start()
            for _ in range(20):  # by then it is worked on: the server reads what came first, first
                browser.get("/healthz").raise_for_status()

            def unlock():
                database.rollback()
                thread.join()

            with closing(connection):
                yield answers, unlock
                unlock()


def is_refused(origin) -> bool:
    try:
        httpx.get(f"{origin}/healthz")
    except httpx.ConnectError:
        return True
    except httpx.TransportError:  # it waited to be accepted when the server closed the door
        return False
    return False


@pytest.mark.processes
def test_an_answer_is_given_before_the_process_ends():
    with servers.product() as running:
        started = running.start(daphne(running.port), "daphne.log")
        started.wait_until(lambda: servers.is_ready(running.origin))
        server = started.process
        with busy(running, running.origin) as (answers, unlock):
            server.send_signal(signal.SIGTERM)
            wait_for(lambda: is_refused(running.origin), "it takes no more connections", 20)
            assert (answers, server.poll()) == ([], None)

            unlock()
            assert server.wait(30) == 0

    [answer] = answers
    assert (answer.status, answer.headers["Location"], answer.headers["Connection"]) == (302, "/", "close")


@pytest.mark.processes
def test_a_large_answer_is_given_to_its_last_byte(tmp_path):
    let = tmp_path / "let"
    port = servers.free_port()
    command = daphne(port, "tests.qdn.large_answer:application")
    origin, running = f"http://127.0.0.1:{port}", servers.Process(command, tmp_path / "log", os.environ | {"LET": str(let)})
    try:
        running.wait_until(lambda: servers.is_ready(origin))
        with closing(ask(httpx.Request("GET", f"{origin}/large"))) as connection, ThreadPoolExecutor() as pool:
            large = pool.submit(lambda: connection.getresponse().read())
            for _ in range(20):
                httpx.get(origin, timeout=30).raise_for_status()
            running.process.send_signal(signal.SIGTERM)
            wait_for(lambda: is_refused(origin), "it takes no more connections", 20)
            let.touch()
            assert (len(large.result()), running.process.wait(30)) == (SIZE, 0)
    finally:
        running.stop()


@pytest.mark.processes
def test_a_process_ends_though_an_answer_does_not():
    """The thread waits for the database for 20 s; Python would wait for the thread, and the thread for the event loop."""
    with servers.product() as running:
        server = running.start(daphne(running.port, answer_seconds=0.2, cancel_seconds=0.2), "hasty.log")
        server.wait_until(lambda: servers.is_ready(running.origin))
        with busy(running, running.origin) as (answers, _):
            server.process.send_signal(signal.SIGTERM)
            assert (server.process.wait(30), answers) == (1, [])

        assert "stopped in the middle of 1 requests, which did not end" in server.read_log()


@pytest.mark.processes
def test_a_busy_server_stops():
    with servers.product() as running:
        origin = running.serve()
        server, over, codes = running.started[-1].process, threading.Event(), set()

        def ask_again_and_again():
            with httpx.Client(base_url=origin) as browser:
                while not over.is_set():
                    with suppress(httpx.TransportError):
                        codes.add(browser.get("/login/").status_code)

        threads = [threading.Thread(target=ask_again_and_again) for _ in range(4)]
        for thread in threads:
            thread.start()
        wait_for(lambda: codes, "it is busy", 30)
        server.send_signal(signal.SIGTERM)
        try:
            assert (server.wait(40), codes) == (0, {200})
        finally:
            over.set()
            for thread in threads:
                thread.join()
