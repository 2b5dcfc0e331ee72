"""Promotions of a site in a folder, by processes that are really killed: SIGKILL before and after every step."""

import os
import signal
from datetime import UTC, datetime

import pytest

from dispatch.mirror.storages import CompareAndSwapFileSystemStorage
from edge import pointer, releases
from edge.promoting import Promotion
from qdn.site import SiteStore
from tests.edge.stores import Countdown, Killed, Mortal

pytestmark = pytest.mark.processes
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
EVERY = 7
"""All steps are tried without processes in tests/edge/test_promoting.py; here every seventh, and the first and the last."""


class Edge:
    def put_function(self, code, cases):
        return True

    def invalidate(self, paths, reference, progress):
        pass


class Deadly(Countdown):
    def tick(self):
        try:
            super().tick()
        except Killed:
            os.kill(os.getpid(), signal.SIGKILL)


def content(version: str) -> dict[str, bytes]:
    return {
        "track.html": f"track {version}".encode() * 9000,
        "404.html": b"nowhere",
        f"static/track.{version}.js": version.encode() * 70000,
        "function.js": b"f",
    }


def quiet(*_):
    pass


def new_store(folder) -> SiteStore:
    store = SiteStore.__new__(SiteStore)
    store.storage = CompareAndSwapFileSystemStorage(location=folder)
    return store


def promote(store, id, clock):
    Promotion(Mortal(store, clock), Mortal(Edge(), clock), lambda release: [], quiet, lambda: NOW).promote(id, by="Ana")


def in_a_process(run) -> int:
    """The signal that ended it, 0 for none."""
    child = os.fork()
    if child == 0:
        try:
            run()
        finally:
            os._exit(0)
    return os.waitpid(child, 0)[1] & 0x7F


@pytest.mark.parametrize("way", [("a", "b"), ("a", "b", "a")], ids=["forward", "back"])
def test_production_is_one_whole_release_whenever_the_process_was_killed(tmp_path, way):
    def begin(step):
        store = new_store(tmp_path / str(step))
        ids = {version: releases.stage(store, content(version), quiet).id for version in set(way)}
        for version in way[:-1]:
            promote(store, ids[version], Countdown())
        return store, ids

    store, ids = begin("all")
    whole = Countdown()
    promote(store, ids[way[-1]], whole)
    killed = 0
    for step in sorted({*range(0, whole.ticks, EVERY), whole.ticks - 1}):
        store, ids = begin(step)
        ended_by = in_a_process(lambda store=store, ids=ids, step=step: promote(store, ids[way[-1]], Deadly(step)))
        assert ended_by == signal.SIGKILL
        killed += 1

        promote(store, ids[way[-1]], Countdown())

        wanted = {path: body for path, body in content(way[-1]).items() if path != "function.js"}
        assert {path: store.read(f"production/{path}")[0] for path in wanted} == wanted
        now = pointer.read(store)
        assert (now.release, now.to) == (ids[way[-1]], None)
    assert killed > 5
