"""One change to 200 open boards: this product's hub, the way Channels' tutorial does it, and what Python can do at best."""

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore

from tests.bench.row import Row
from tests.bench.watchers import Watchers
from tests.postgres import free_port
from tests.servers import Process

SOCKETS, BATCH, SECONDS = 200, 50, 4
DAPHNE = [sys.executable, "-m", "daphne", "-b", "127.0.0.1", "--application-close-timeout", "1", "-p"]


def measure() -> Iterator[Row]:
    stock = rate("stock", "/", "/")
    ours = rate("ours", "/ws/board/main/", "/go/")
    bare = rate("bare", "/", "/")
    yield Row(f"deliveries to {SOCKETS} sockets, hub under daphne", f"{ours:,.0f}/s")
    yield Row("  stock Channels group_send under daphne", f"{stock:,.0f}/s")
    yield Row("  bare websockets.broadcast", f"{bare:,.0f}/s")
    yield Row("  hub : stock", f"{ours / stock:.1f} ×", "≥ 10 ×", ours >= 10 * stock)
    yield Row("  hub : bare", f"{100 * ours / bare:.0f} %", "≥ 40 %", ours >= 0.4 * bare)


def rate(kind: str, path: str, control: str) -> float:
    """Deliveries per second. The next batch is asked for when the last one has arrived everywhere."""
    with server(kind) as port:
        watchers = Watchers(port, path, session=session() if kind == "ours" else "")
        everybody = watchers.open(SOCKETS)
        if kind == "ours":
            for watcher in everybody:
                watchers.say(watcher, type="hello", epoch=None, seq=0)
            watchers.read_until(lambda: all(watcher.frames for watcher in everybody), "snapshots")
        driver = everybody[0] if control == path else Watchers(port, control).open(1)[0]
        batches, began = 0, time.perf_counter()
        while (took := time.perf_counter() - began) < SECONDS:
            watchers.say(driver, type="go")
            batches += 1
            watchers.wait_for_news(batches * BATCH)
        watchers.close(everybody)
        return batches * BATCH * SOCKETS / took


@contextmanager
def server(kind: str) -> Iterator[int]:
    port = free_port()
    command = [*DAPHNE, str(port), f"tests.bench.fanout_servers:{kind}"]
    if kind == "bare":
        command = [sys.executable, "-m", "tests.bench.fanout_servers", str(port)]
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"FANOUT": kind, "PUBLIC_ORIGIN": f"http://127.0.0.1:{port}"}
        process = Process(command, Path(folder) / "server.log", environment)
        try:
            process.wait_until(lambda: answers(port))
            yield port
        except Exception as error:
            error.add_note(process.read_log())
            raise
        finally:
            process.stop()


def answers(port: int) -> bool:
    import socket

    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def session() -> str:
    """A signed-in dispatcher's session in the measurements' own database."""
    user, _ = User.objects.get_or_create(username="fanout", is_superuser=True)
    store = SessionStore()
    store[SESSION_KEY], store[BACKEND_SESSION_KEY] = str(user.pk), settings.AUTHENTICATION_BACKENDS[0]
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store.save()
    return store.session_key
