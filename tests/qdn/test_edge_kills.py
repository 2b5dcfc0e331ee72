"""Promotions of a site in a folder, by real processes: killed before and after every step, and several at the same time."""

import os
import signal
from datetime import UTC, datetime

import pytest

from dispatch.mirror.storages import CompareAndSwapFileSystemStorage
from edge import pointer, releases
from edge.pointer import Busy
from edge.promoting import Promotion
from qdn.site import SiteStore
from tests.edge.stores import Countdown, Killed, Mortal

pytestmark = pytest.mark.processes
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
EVERY = 7
"""All steps are tried without processes in tests/edge/test_promoting.py; here every seventh, and the first and the last."""


class Edge:
    def put_function(self, code, cases, progress):
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


def promote(store, id, clock, edge=None):
    Promotion(Mortal(store, clock), edge or Mortal(Edge(), clock), lambda *_: [], quiet, lambda: NOW).promote(id, by="Ana")


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


def test_who_is_at_it_is_not_disturbed_until_that_process_ends(tmp_path):
    """The same operator in another window, with the same command: told while the first one lives, and at once when not."""
    store = new_store(tmp_path)
    id = releases.stage(store, content("a"), quiet).id
    waits, never = os.pipe(), os.pipe()

    class Long(Edge):
        def invalidate(self, paths, reference, progress):
            os.write(waits[1], b".")
            os.read(never[0], 1)

    child = os.fork()
    if child == 0:
        try:
            promote(store, id, Countdown(), Long())
        finally:
            os._exit(1)
    assert os.read(waits[0], 1) == b"."
    for _ in range(2):
        with pytest.raises(Busy, match=f"Ana is bringing release {id} to production on this machine"):
            promote(store, id, Countdown())
    assert pointer.read(store).is_held(NOW) is True

    os.kill(child, signal.SIGKILL)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    assert pointer.read(store).is_held(NOW) is False
    promote(store, id, Countdown())

    os.waitpid(child, 0)
    for end in (*waits, *never):
        os.close(end)
    assert (pointer.read(store).release, pointer.read(store).to) == (id, None)


@pytest.mark.parametrize("version", [lambda number: number, lambda number: 0], ids=["each its own", "the same release"])
def test_of_many_processes_at_once_one_wins_each_time_and_all_others_are_told(tmp_path, version):
    """All are there until the last one was answered: who has it may not be taken for one that has ended."""
    for round_ in range(10):
        place, answers = f"place-{round_}", []
        go, said, end = os.pipe(), os.pipe(), os.pipe()
        children = []
        for number in range(6):
            child = os.fork()
            if child == 0:
                try:
                    os.close(end[1])
                    os.read(go[0], 1)
                    os.write(said[1], declare(new_store(tmp_path), place, f"{version(number):016x}"))
                    os.read(end[0], 1)
                finally:
                    os._exit(0)
            children.append(child)
        os.write(go[1], b"g" * 6)
        while len(answers) < 6:
            answers += os.read(said[0], 6)
        for each in (*go, *said, *end):
            os.close(each)
        for child in children:
            os.waitpid(child, 0)

        assert sorted(map(chr, answers)) == ["b", "b", "b", "b", "b", "w"]


def declare(store, place, id) -> bytes:
    try:
        pointer.take(store, place, id, by="Ana", now=lambda: NOW)
        return b"w"
    except Busy:
        return b"b"
