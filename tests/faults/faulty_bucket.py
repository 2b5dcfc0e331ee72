"""A bucket that fails where a test wants it to: a proxy in front of an S3 server, in a thread of the test process.

    held = faulty.on(method="PUT", key="jobs/*", fault=faults.held_request, times=1)

Rules are asked in the order in which they were made; the first that fits and is not used up decides, else the request goes
through. `requests` is the log. A client that tries again by itself sends a request for every try.
"""

import asyncio
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from tests.faults.exchange import Exchange, Request
from tests.faults.faults import name_of
from tests.postgres import bound
from tests.s3 import env_at
from tests.waiting import wait_for

SECONDS_FOR_A_COMMAND = 30


@dataclass
class Rule:
    fault: object
    method: str
    key: str
    times: int | None
    hits: int = 0
    released: asyncio.Event = field(default_factory=asyncio.Event)
    loop: asyncio.AbstractEventLoop | None = None

    def fits(self, request):
        used_up = self.released.is_set() or (self.times is not None and self.hits >= self.times)
        return not used_up and fnmatchcase(request.method, self.method) and fnmatchcase(request.key, self.key)

    def arrived(self, times=1, seconds=30):
        """Waits until that many requests have met this rule."""
        wait_for(lambda: self.hits >= times, f"{times} × {self.method} {self.key} for {name_of(self.fault)}", seconds)

    def release(self):
        """The rule is over: those it holds go on, and nobody meets it any more."""
        self.loop.call_soon_threadsafe(self.released.set)
        wait_for(self.released.is_set, "released", SECONDS_FOR_A_COMMAND)


class FaultyBucket:
    """`url` and `env` are those of the proxy. Use it as a context manager."""

    def __init__(self, s3):
        self.s3, self.bucket = s3, s3.bucket
        self.requests: list[Request] = []
        self.rules: list[Rule] = []
        self._socket, self._server = bound(0), None
        self.port = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.env = env_at(self.url, s3.bucket)
        self._loop = asyncio.new_event_loop()
        self._serving = set()
        self._thread = threading.Thread(target=self._loop.run_forever, name="faulty-bucket")

    def __enter__(self):
        self._thread.start()
        self.come_back()
        return self

    def __exit__(self, *_):
        self._run(self._gone())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._socket.close()

    def on(self, *, fault, method="*", key="*", times=None):
        """Gives the next `times` fitting requests (None: all) to the fault. `method` and `key` are patterns as in fnmatch,
        `key` is that of the object, without the bucket, and empty for a listing."""
        rule = Rule(fault, method, key, times, loop=self._loop)
        self.rules.append(rule)
        return rule

    def clear(self):
        """No rules from here on; whatever they hold goes on."""
        rules, self.rules = self.rules, []
        for rule in rules:
            rule.release()

    def count(self, method="*", key="*", **exactly):
        """How many requests came so far; `status=` and `fault=` narrow it down."""
        return sum(
            fnmatchcase(one.method, method)
            and fnmatchcase(one.key, key)
            and all(getattr(one, name) == value for name, value in exactly.items())
            for one in list(self.requests)
        )

    def wait_for(self, times, method="*", key="*", seconds=30, **exactly):
        """Waits until that many such requests came."""
        what = f"{times} × {method} {key} {exactly or ''}"
        wait_for(lambda: self.count(method, key, **exactly) >= times, what, seconds)

    def gone(self):
        """Breaks off every connection, and refuses new ones until it comes back. What it held is forgotten."""
        self._run(self._gone())

    def come_back(self):
        """At the same address."""
        self._run(self._come_back())

    def _run(self, coroutine):
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(SECONDS_FOR_A_COMMAND)

    async def _come_back(self):
        self._server = self._server or await asyncio.start_server(self._serve, sock=self._socket)

    async def _gone(self):
        if self._server:
            self._server.close()
            self._server = None
            self._socket = bound(self.port)  # and does not listen: nobody else takes the port meanwhile
        while connections := asyncio.all_tasks() - {asyncio.current_task()}:
            for task in connections:
                task.cancel()
            await asyncio.wait(connections)

    async def _serve(self, reader, writer):
        self._serving.add(asyncio.current_task())  # or nothing would hold it once the client has left
        try:
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):  # the client left, or we are gone
                while not writer.is_closing():
                    await self._answer(await Exchange.begun(reader, writer, self.s3.url))
                await writer.wait_closed()
        finally:
            writer.transport.abort()
            self._serving.discard(asyncio.current_task())

    async def _answer(self, exchange):
        self.requests.append(exchange.request)
        rule = next((rule for rule in self.rules if rule.fits(exchange.request)), None)
        if rule is None:
            await exchange.answer(await exchange.forward())
            return
        exchange.request.fault = name_of(rule.fault)
        exchange.released = rule.released
        rule.hits += 1
        await rule.fault(exchange)
