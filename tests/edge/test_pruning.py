from datetime import UTC, datetime

import pytest

from edge import pointer, pruning, releases
from edge.promoting import Promotion
from edge.releases import NoSuchRelease
from edge.store import EdgeError
from tests.edge.stores import Countdown, Killed, MemoryStore, Mortal

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


class Edge:
    def put_function(self, code, cases):
        return True

    def invalidate(self, paths, reference, progress):
        pass


def quiet(*_):
    pass


@pytest.fixture
def store():
    return MemoryStore()


def staged(store, version) -> str:
    content = {"404.html": b"nowhere", "track.html": version.encode(), f"static/{version}.js": version.encode()}
    return releases.stage(store, content, quiet).id


def bring(store, id, place=pointer.PRODUCTION):
    Promotion(store, Edge(), lambda release: [], quiet, lambda: NOW, place).promote(id, by="Ana")


def folders(store) -> set[str]:
    return {name.split("/")[1] for name in store.names("releases/")}


def test_the_latest_of_production_and_staging_stay_and_nothing_of_the_others_does(store):
    a, b, c, d, e = (staged(store, version) for version in "abcde")
    for id in (a, b, c):
        bring(store, id)
    bring(store, d, pointer.STAGING)

    assert sorted(pruning.prune(store, 2)) == sorted([a, e])

    assert folders(store) == {b, c, d}
    assert "production/static/a.js" in store.objects


@pytest.mark.parametrize("place", [pointer.PRODUCTION, pointer.STAGING])
def test_what_is_there_stays_however_few_are_kept(store, place):
    a, b = staged(store, "a"), staged(store, "b")
    bring(store, a, place)
    bring(store, b, place)
    bring(store, a, place)

    assert pruning.prune(store, 1) == [b]
    assert folders(store) == {a}


def test_what_is_on_the_way_stays(store):
    a, b = staged(store, "a"), staged(store, "b")
    bring(store, a)
    pointer.take(store, pointer.PRODUCTION, b, by="Ana", now=lambda: NOW)

    assert pruning.prune(store, 1) == []


def test_at_least_one_is_kept(store):
    with pytest.raises(EdgeError, match="keep at least one"):
        pruning.prune(store, 0)


def test_a_pointer_that_cannot_be_read_deletes_nothing(store):
    staged(store, "a")
    store.objects["staging/release.json"] = b"{"
    before = dict(store.objects)

    with pytest.raises(EdgeError, match="is damaged"):
        pruning.prune(store, 1)

    assert store.objects == before


def test_whoever_is_killed_at_any_step_goes_on_by_running_it_again():
    def begin():
        store = MemoryStore()
        a, b = staged(store, "a"), staged(store, "b")
        bring(store, b)
        return store, a, b

    clock = Countdown()
    pruning.prune(Mortal(begin()[0], clock), 1)
    assert clock.ticks > 20
    for step in range(clock.ticks):
        store, _, b = begin()
        with pytest.raises(Killed):
            pruning.prune(Mortal(store, Countdown(step)), 1)

        pruning.prune(store, 1)

        assert folders(store) == {b}, step


def test_what_was_half_deleted_can_be_staged_again_and_then_stays():
    store = MemoryStore()
    a, b = staged(store, "a"), staged(store, "b")
    bring(store, b)
    clock = Countdown()
    pruning.prune(Mortal(store, clock), 1)
    for step in range(clock.ticks):
        store = MemoryStore()
        a, b = staged(store, "a"), staged(store, "b")
        bring(store, b)
        with pytest.raises(Killed):
            pruning.prune(Mortal(store, Countdown(step)), 1)

        assert staged(store, "a") == a
        bring(store, a)

        assert pruning.prune(store, 1) == [b]
        releases.check(store, releases.read(store, a), quiet)


def test_whoever_promotes_what_is_just_being_deleted_either_gets_it_whole_or_nothing_happens(store):
    """The promotion declares itself between two steps of the deletion, at each in turn."""
    outcomes = set()
    for step in range(60):
        store = MemoryStore()
        a, b = staged(store, "a"), staged(store, "b")
        bring(store, b)

        class Meanwhile(Countdown):
            def tick(self, store=store, a=a):
                self.ticks += 1
                if self.ticks == self.left:
                    try:
                        bring(store, a)
                        outcomes.add("live")
                    except EdgeError as error:
                        outcomes.add(type(error))

        pruning.prune(Mortal(store, Meanwhile(step)), 1)

        now = pointer.read(store)
        page = store.read("production/track.html")[0]
        assert (now.release, page) in {(a, b"a"), (b, b"b")}
        if now.release == a:
            releases.check(store, releases.read(store, a), quiet)
    assert "live" in outcomes
    assert NoSuchRelease in outcomes
