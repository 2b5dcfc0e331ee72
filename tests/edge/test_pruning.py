import threading
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from edge import pointer, pruning, releases
from edge.promoting import Promotion
from edge.releases import NoSuchRelease
from edge.store import EdgeError
from tests.edge.stores import Countdown, Killed, MemoryStore, Mortal

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


class Edge:
    def put_function(self, code, cases, progress):
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
    Promotion(store, Edge(), lambda *_: [], quiet, lambda: NOW, place).promote(id, by="Ana")


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


@pytest.mark.parametrize("place", [pointer.PRODUCTION, pointer.STAGING])
def test_what_is_there_stays_though_its_history_was_lost(store, place):
    a, b = staged(store, "a"), staged(store, "b")
    bring(store, a, place)
    store.objects[f"{place}/release.json"] = replace(pointer.read(store, place), history=[]).as_bytes()

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
            assert f"releases/{a}/pruned.json" not in store.objects
    assert "live" in outcomes
    assert NoSuchRelease in outcomes


# --- what was never whole


def half_staged(store, version) -> str:
    """As it is when whoever staged it was killed before the manifest."""
    id = staged(store, version)
    store.delete(f"releases/{id}/manifest.json")
    return id


def test_what_was_half_staged_goes_too(store):
    a, b = half_staged(store, "a"), staged(store, "b")
    bring(store, b)

    assert pruning.prune(store, 1) == [a]
    assert folders(store) == {b}


def test_a_stray_file_goes_with_its_release_and_no_other_does(store):
    a, b = half_staged(store, "a"), staged(store, "b")
    bring(store, b)
    for name in (f"releases/{a}/.notes", "releases/README", "releases/notes/manifest.json"):
        store.objects[name] = b"x"

    assert pruning.prune(store, 1) == [a]
    assert folders(store) == {b, "README", "notes"}


def test_a_stray_file_is_not_put_back_into_what_is_staged_meanwhile(store):
    a, b = half_staged(store, "a"), staged(store, "b")
    bring(store, b)
    store.objects[f"releases/{a}/!notes.exe"] = b"x"  # the first that is deleted
    delete = store.delete

    def delete_while_it_is_staged(name):
        store.delete = delete
        delete(name)
        staged(store, "a")

    store.delete = delete_while_it_is_staged

    assert pruning.prune(store, 1) == []
    releases.check(store, releases.read(store, a), quiet)
    assert [name for name in store.objects if name.endswith((".exe", "pruned.json"))] == []


class Between(Countdown):
    """At one step of whoever is watched, `meanwhile` happens."""

    def __init__(self, step, meanwhile) -> None:
        super().__init__()
        self.step, self.meanwhile = step, meanwhile

    def tick(self):
        self.ticks += 1
        if self.ticks == self.step:
            self.meanwhile()


def begin(whole: bool):
    store = MemoryStore()
    a, b = staged(store, "a") if whole else half_staged(store, "a"), staged(store, "b")
    bring(store, b)
    return store, a, b


def is_whole_or_none(store, id) -> bool:
    if id not in folders(store):
        return False
    releases.check(store, releases.read(store, id), quiet)
    assert f"releases/{id}/pruned.json" not in store.objects
    return True


@pytest.mark.parametrize("whole", [False, True], ids=["half staged", "staged"])
def test_whoever_stages_what_is_just_being_deleted_has_it_whole(whole):
    """Staged between two steps of the deletion, at each in turn. Before the deletion begins, it finds a whole release that
    is nowhere, and may delete it."""
    steps = Countdown()
    pruning.prune(Mortal(begin(whole)[0], steps), 1)
    outcomes = []
    for step in range(1, steps.ticks + 1):
        store, a, _ = begin(whole)
        pruning.prune(Mortal(store, Between(step, lambda store=store: staged(store, "a"))), 1)
        outcomes.append(is_whole_or_none(store, a))

    marked = outcomes.index(True)
    assert all(outcomes[marked:])
    assert len(outcomes) - marked > 20


@pytest.mark.parametrize("whole", [False, True], ids=["half staged", "staged"])
def test_what_is_deleted_while_somebody_stages_it_is_whole_in_the_end_or_gone(whole):
    """The deletion runs between two steps of staging, at each in turn. At the last ones it was staged already."""
    steps = Countdown()
    staged(Mortal(begin(whole)[0], steps), "a")
    outcomes = []
    for step in range(1, steps.ticks + 1):
        store, a, _ = begin(whole)
        staged(Mortal(store, Between(step, lambda store=store: pruning.prune(store, 1))), "a")
        outcomes.append(is_whole_or_none(store, a))

    assert outcomes[0] is True
    assert outcomes.count(False) <= 4


@pytest.mark.parametrize("whole", [False, True], ids=["half staged", "staged"])
def test_a_deletion_that_falls_asleep_and_wakes_up_while_it_is_staged_leaves_it_whole(whole):
    """Both take turns: the deletion does some steps, staging does some, the deletion goes on to its end, then staging."""
    prune_steps, stage_steps = Countdown(), Countdown()
    pruning.prune(Mortal(begin(whole)[0], prune_steps), 1)
    staged(Mortal(begin(whole)[0], stage_steps), "a")
    seen = set()
    for first in range(1, prune_steps.ticks + 1, 3):
        for second in range(1, stage_steps.ticks + 1, 3):
            store, a, _ = begin(whole)
            take_turns(store, first, second)
            seen.add(is_whole_or_none(store, a))
    assert True in seen


def take_turns(store, first: int, second: int) -> None:
    staging_waits, pruning_is_done = threading.Event(), threading.Event()

    def stage_some():
        thread.start()
        assert staging_waits.wait(60)

    def let_prune():
        staging_waits.set()
        assert pruning_is_done.wait(60)

    def stage():
        staged(Mortal(store, Between(second, let_prune)), "a")
        staging_waits.set()  # it may have fewer steps

    thread = threading.Thread(target=stage)
    pruning.prune(Mortal(store, Between(first, stage_some)), 1)
    pruning_is_done.set()
    if thread.ident:
        thread.join(60)


def test_two_who_delete_at_the_same_time_leave_nothing(store):
    steps = Countdown()
    pruning.prune(Mortal(begin(True)[0], steps), 1)
    for step in range(1, steps.ticks + 1):
        store, _, b = begin(True)

        pruning.prune(Mortal(store, Between(step, lambda store=store: pruning.prune(store, 1))), 1)
        pruning.prune(store, 1)

        assert folders(store) == {b}


def test_what_was_half_deleted_and_staged_again_is_not_marked_any_more(store):
    a = staged(store, "a")
    store.objects[f"releases/{a}/pruned.json"] = b"{}"

    staged(store, "a")

    assert f"releases/{a}/pruned.json" not in store.objects
