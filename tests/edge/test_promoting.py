import json
from datetime import UTC, datetime, timedelta

import pytest

from edge import manifest, pointer, releases
from edge.cdn import FolderCdn
from edge.manifest import BadRelease
from edge.pointer import Busy, Lost
from edge.promoting import Broken, Promotion, Refused, Stuck
from edge.releases import NoSuchRelease
from edge.store import Conflict, EdgeError
from tests.edge.ended import ended, leave
from tests.edge.stores import Countdown, Killed, MemoryStore, Mortal

pytestmark = pytest.mark.processes

POINTER = "production/release.json"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def content(version: str) -> dict[str, bytes]:
    return {
        "track.html": f"track {version}".encode(),
        "404.html": b"nowhere",
        f"only-{version}.html": b"x",
        f"static/track.{version}.js": version.encode(),
        "static/logo.1.svg": b"<svg/>",
        "function.js": f"function {version}".encode(),
    }


class Edge:
    """Remembers the function and every invalidation."""

    def __init__(self) -> None:
        self.code, self.cases, self.invalidated = b"", [], dict[str, list[str]]()

    def put_function(self, code, cases, progress):
        changed, self.code, self.cases = code != self.code, code, cases
        return changed

    def invalidate(self, paths, reference, progress):
        if self.invalidated.setdefault(reference, list(paths)) != list(paths):
            raise EdgeError("the reference belongs to another invalidation")  # as CloudFront says


def quiet(*_) -> None:
    pass


@pytest.fixture
def store():
    return MemoryStore()


@pytest.fixture
def edge():
    return Edge()


def promotion(store, edge, wrong=lambda release: [], now=NOW) -> Promotion:
    return Promotion(store, edge, lambda release, beat: wrong(release), quiet, lambda: now, sleep=quiet)


def staged(store, version: str) -> str:
    return releases.stage(store, content(version), quiet).id


def production(store) -> dict[str, bytes]:
    names = [name for name in store.names("production/") if name != POINTER]
    return {name.removeprefix("production/"): store.read(name)[0] for name in names}


def is_whole(store, edge, version: str) -> bool:
    """All of the release and no page of another; assets of others stay for pages that are still open somewhere."""
    found, wanted = production(store), content(version)
    pages = {path for path in found if path.endswith(".html")}
    files = {path: body for path, body in wanted.items() if path != "function.js"}
    return (
        found | files == found
        and pages == {path for path in wanted if path.endswith(".html")}
        and edge.code == wanted["function.js"]
    )


def test_the_first_release(store, edge):
    id = staged(store, "a")

    live = promotion(store, edge).promote(id, by="Ana")

    assert is_whole(store, edge, "a")
    assert (live.release, live.to, live.number) == (id, None, 1)
    assert [(one.by, one.came_from, one.to, one.result) for one in live.history] == [("Ana", None, id, "live")]
    [(reference, paths)] = edge.invalidated.items()
    assert (reference[:-9], paths) == (f"production-{id}-1", ["/404.html", "/only-a.html", "/track.html"])
    assert store.types["production/track.html"] == ("text/html; charset=utf-8", manifest.ASK_AGAIN)
    assert store.types["production/static/track.a.js"] == ("text/javascript; charset=utf-8", manifest.FOREVER)


def test_assets_come_before_pages(store, edge):
    id = staged(store, "a")
    store.writes.clear()

    promotion(store, edge).promote(id, by="Ana")

    order = [name.removeprefix("production/") for name in store.writes if name != POINTER]
    assert [name.endswith(".html") for name in order] == [False, False, True, True, True]


def test_back_to_an_older_release_is_the_same_way_and_is_invalidated_again(store, edge):
    a, b = staged(store, "a"), staged(store, "b")
    for id in (a, b, a):
        promotion(store, edge).promote(id, by="Ana")

    assert is_whole(store, edge, "a")
    assert [reference[:-9] for reference in edge.invalidated] == [
        f"production-{a}-1", f"production-{b}-2", f"production-{a}-3"
    ]  # fmt: skip
    assert "/only-b.html" in list(edge.invalidated.values())[2]  # a page that is gone must not be kept by the edge
    assert "production/static/track.b.js" in store.objects


def test_a_release_that_does_not_work_is_taken_back_by_itself(store, edge):
    a, b = staged(store, "a"), staged(store, "b")
    promotion(store, edge).promote(a, by="Ana")

    with pytest.raises(Refused) as error:
        promotion(store, edge, lambda release: ["track.html: 500"] if release.id == b else []).promote(b, by="Ben")

    assert str(error.value) == f"release {b} does not work, production is {a} again: track.html: 500"
    assert is_whole(store, edge, "a")
    now = pointer.read(store)
    assert (now.release, now.to) == (a, None)
    assert [(one.by, one.came_from, one.to, one.result) for one in now.history[1:]] == [
        ("Ben", b, a, f"back from {b}: track.html: 500")
    ]


def test_the_first_release_has_nothing_to_go_back_to(store, edge):
    id = staged(store, "a")
    with pytest.raises(Broken, match="none to go back to: dark"):
        promotion(store, edge, lambda release: ["dark"]).promote(id, by="Ana")

    now = pointer.read(store)
    assert (now.release, now.to, now.history[-1].result) == (id, None, "does not work: dark")


def test_only_what_was_live_is_gone_back_to(store, edge):
    a, b, c = staged(store, "a"), staged(store, "b"), staged(store, "c")
    promotion(store, edge).promote(a, by="Ana")
    promotion(store, edge).promote(b, by="Ana")
    with pytest.raises(Refused):
        promotion(store, edge, lambda release: ["dark"] if release.id == c else []).promote(c, by="Ana")

    assert pointer.read(store).before() == a
    promotion(store, edge).promote(a, by="Ana")
    assert pointer.read(store).before() == b


def test_every_file_of_before_goes_but_assets_and_the_pointer(store, edge):
    old = content("a") | {"robots.txt": b"x", "site.webmanifest": b"{}"}
    promotion(store, edge).promote(releases.stage(store, old, quiet).id, by="Ana")

    promotion(store, edge).promote(staged(store, "b"), by="Ana")

    assert {path for path in production(store) if not path.startswith("static/")} == {
        "track.html", "404.html", "only-b.html"
    }  # fmt: skip


def test_when_nothing_works_somebody_is_told(store, edge):
    a, b = staged(store, "a"), staged(store, "b")
    promotion(store, edge).promote(a, by="Ana")

    with pytest.raises(Broken, match=f"release {a}, to which production went back, does not work either: dark"):
        promotion(store, edge, lambda release: ["dark"]).promote(b, by="Ana")
    assert is_whole(store, edge, "a")


# --- whoever is stopped, is stopped anywhere


def crash_points(run) -> int:
    clock = Countdown()
    run(clock)
    return clock.ticks


@pytest.mark.parametrize("way", ["forward", "back", "taken back"])
def test_whoever_is_killed_at_any_step_and_runs_again_leaves_one_whole_release(way):
    def begin():
        store, edge = MemoryStore(), Edge()
        a, b = staged(store, "a"), staged(store, "b")
        promotion(store, edge).promote(a, by="Ana")
        if way == "back":
            promotion(store, edge).promote(b, by="Ana")
        return store, edge, (a if way == "back" else b), (a, b)

    def wrong(ids):
        return lambda release: ["dark"] if way == "taken back" and release.id == ids[1] else []

    def run(clock, store, edge, target, ids):
        promotion(Mortal(store, clock), Mortal(edge, clock), wrong(ids)).promote(target, by="Ana")

    def whole_run(clock):
        store, edge, target, ids = begin()
        try:
            run(clock, store, edge, target, ids)
        except Refused:
            assert way == "taken back"

    steps, gone = crash_points(whole_run), ended()
    assert steps > 60
    for step in range(steps):
        store, edge, target, ids = begin()
        with pytest.raises((Killed, Refused)):
            run(Countdown(step), store, edge, target, ids)

        on_the_way = pointer.read(store).to or target
        leave(store, "production", gone)
        try:
            promotion(store, edge, wrong(ids)).promote(on_the_way, by="Ana")
        except Refused:
            assert way == "taken back"

        now = pointer.read(store)
        end = {"forward": "b", "back": "a", "taken back": "a"}[way]
        assert (is_whole(store, edge, end), now.release, now.to) == (True, ids[end == "b"], None), step
        asked = list(edge.invalidated.values())[2 if way == "back" else 1 :][-1]
        assert {"/only-a.html", "/only-b.html", "/track.html"} <= set(asked), step


def test_only_what_is_new_is_written(store, edge):
    a, b = staged(store, "a"), staged(store, "b")
    promotion(store, edge).promote(a, by="Ana")
    store.writes.clear()

    promotion(store, edge).promote(b, by="Ana")

    written = {name for name in store.writes if name != POINTER}
    assert written == {"production/track.html", "production/only-b.html", "production/static/track.b.js"}


# --- two at once


class Slow(Edge):
    """While the first one waits for the edge, `meanwhile` happens."""

    def __init__(self, meanwhile) -> None:
        super().__init__()
        self.meanwhile = meanwhile

    def invalidate(self, paths, reference, progress):
        super().invalidate(paths, reference, progress)
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile:
            meanwhile()


@pytest.mark.parametrize(("version", "by"), [("b", "Ben"), ("a", "Ben"), ("a", "Ana")])
def test_of_two_at_once_the_second_is_told_who_is_at_it(store, version, by):
    """Whatever they bring, and whoever they are: two windows of one operator are two."""
    a, _ = staged(store, "a"), staged(store, "b")
    told = []

    def second():
        with pytest.raises(Busy) as error:
            promotion(store, edge).promote(staged(store, version), by=by)
        told.append(str(error.value))

    edge = Slow(second)
    promotion(store, edge).promote(a, by="Ana")

    assert told == [
        f"Ana is bringing release {a} to production on this machine, last heard of at 2026-11-24T12:00:00+00:00. Wait for"
        " it; once that process has ended, try again at once"
    ]
    assert is_whole(store, edge, "a")


def test_who_is_silent_for_too_long_loses_to_who_takes_over(store):
    a, b = staged(store, "a"), staged(store, "b")

    def second():
        promotion(store, edge, now=NOW + pointer.LEASE).promote(b, by="Ben")

    edge = Slow(second)
    with pytest.raises(Lost) as error:
        promotion(store, edge).promote(a, by="Ana")

    assert str(error.value) == (
        f"Ben took over in the meantime and has brought release {b} to production. `manage.py edge verify` says whether it"
        " is whole"
    )
    assert is_whole(store, edge, "b")
    assert pointer.read(store).release == b


class Sleepy(MemoryStore):
    """Whoever is about to do the step falls asleep, and `meanwhile` happens."""

    def __init__(self, step: str) -> None:
        super().__init__()
        self.step, self.meanwhile = step, None

    def _sleep(self, step: str) -> None:
        meanwhile = self.meanwhile
        if meanwhile and step == self.step:
            self.meanwhile = None
            meanwhile()

    def write(self, name, content, **more):
        self._sleep(f"write {name}")
        return super().write(name, content, **more)

    def delete(self, name):
        super().delete(name)
        self._sleep(f"deleted {name}")

    def read(self, name):
        found = super().read(name)
        self._sleep(f"read {name}")
        return found


@pytest.mark.parametrize(
    "step",
    [
        "write production/404.html",
        "write production/track.html",
        "read production/track.html",
        "read production/404.html",
        "deleted production/only-a.html",
    ],
)
def test_who_wakes_up_after_somebody_took_over_writes_nothing_more(edge, step):
    """Ana promotes b over a and falls asleep; Ben brings c. What Ana had in hand must not be on top of it."""
    store = Sleepy(step)
    pages = {version: content(version) | {"404.html": f"nowhere {version}".encode()} for version in "abc"}
    pages["b"]["also.html"] = b"gone with c"
    pages["a"]["z.html"] = pages["c"]["z.html"] = b"gone with b"
    a, b, c = (releases.stage(store, pages[version], quiet).id for version in "abc")
    promotion(store, edge).promote(a, by="Ana")
    store.meanwhile = lambda: promotion(store, edge, now=NOW + pointer.LEASE).promote(c, by="Ben")

    with pytest.raises(Lost):
        promotion(store, edge).promote(b, by="Ana")

    assert only_pages(production(store)) == only_pages(pages["c"])
    assert pointer.read(store).release == c


@pytest.mark.parametrize("path", ["404.html", "track.html"])
def test_nor_where_it_is_the_same_again_as_before(edge, path):
    """Ben goes back to a, so the page has the etag that Ana knows."""
    store = Sleepy(f"read production/{path}")
    pages = {version: content(version) | {"404.html": f"nowhere {version}".encode()} for version in "ab"}
    a, b = (releases.stage(store, pages[version], quiet).id for version in "ab")
    promotion(store, edge).promote(a, by="Ana")
    store.meanwhile = lambda: promotion(store, edge, now=NOW + pointer.LEASE).promote(a, by="Ben")

    with pytest.raises(Lost):
        promotion(store, edge).promote(b, by="Ana")

    assert only_pages(production(store)) == only_pages(pages["a"])


def only_pages(files: dict[str, bytes]) -> dict[str, bytes]:
    return {path: body for path, body in files.items() if path.endswith(".html")}


def test_who_is_heard_of_during_a_long_wait_keeps_it(store):
    a, b = staged(store, "a"), staged(store, "b")
    clock = [NOW]

    class Long(Edge):
        def invalidate(self, paths, reference, progress):
            for _ in range(20):
                clock[0] += timedelta(minutes=1)
                progress("forgotten", 0, 1)
                with pytest.raises(Busy):
                    Promotion(store, Edge(), lambda *_: [], quiet, lambda: clock[0]).promote(b, by="Ben")

    Promotion(store, Long(), lambda *_: [], quiet, lambda: clock[0]).promote(a, by="Ana")

    assert pointer.read(store).release == a


class Failing(Edge):
    def __init__(self, error) -> None:
        super().__init__()
        self.error = error

    def invalidate(self, paths, reference, progress):
        raise self.error


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit("terminated")], ids=["^C", "ended"])
def test_who_gives_up_says_so_and_nobody_has_to_wait(store, edge, error):
    a, b = staged(store, "a"), staged(store, "b")
    promotion(store, edge).promote(a, by="Ana")

    with pytest.raises(type(error)):
        promotion(store, Failing(error)).promote(b, by="Ana")

    now = pointer.read(store)
    assert (now.release, now.to, now.stopped, now.before()) == (a, b, "interrupted", a)
    promotion(store, edge).promote(a, by="Ben")
    assert is_whole(store, edge, "a")
    assert (pointer.read(store).to, pointer.read(store).stopped) == (None, "")


def test_two_who_bring_the_same_release_in_the_same_second_are_told_apart(store):
    """The first one is found at rest by both; what they write differs by its holder only."""
    a = staged(store, "a")

    class Raced(MemoryStore):
        def write(self, name, content, **more):
            if name == POINTER:
                first.append(pointer.take(store, "production", a, by="Ana", now=lambda: NOW))
            return super().write(name, content, **more)

    raced, first = Raced(), []
    raced.objects = store.objects
    with pytest.raises(Busy, match="Ana is bringing release"):
        pointer.take(raced, "production", a, by="Ana", now=lambda: NOW)

    first[0].beat()


@pytest.mark.parametrize("version", ["a", "b"], ids=["the same one", "another one"])
def test_whose_process_has_ended_is_gone_on_with_at_once(store, edge, version):
    a, b = staged(store, "a"), staged(store, "b")
    pointer.take(store, "production", a, by="Ana", now=lambda: NOW)
    leave(store, "production", ended())
    assert pointer.read(store).is_held(NOW) is False

    promotion(store, edge).promote(a if version == "a" else b, by="Ben")

    assert is_whole(store, edge, version)


@pytest.mark.parametrize(
    ("holder", "said"),
    [
        (
            f"web-2/{'0' * 8}:7:7:{'0' * 16}",
            " on web-2, last heard of at 2026-11-24T12:00:00+00:00. Wait for it; if it was killed, try again there at once,"
            " or here from 2026-11-24T12:10:00+00:00 on",
        ),
        (
            "0123456789abcdef",  # as it was written before
            ", last heard of at 2026-11-24T12:00:00+00:00. Wait for it; if it was killed, try again from"
            " 2026-11-24T12:10:00+00:00 on",
        ),
    ],
    ids=["another machine", "who does not say"],
)
def test_of_whom_nothing_is_known_is_waited_for(store, edge, holder, said):
    a = staged(store, "a")
    pointer.take(store, "production", a, by="Ana", now=lambda: NOW)
    leave(store, "production", holder)

    with pytest.raises(Busy) as error:
        promotion(store, edge, now=NOW + pointer.LEASE - timedelta(seconds=1)).promote(a, by="Ana")

    assert str(error.value) == f"Ana is bringing release {a} to production{said}"
    promotion(store, edge, now=NOW + pointer.LEASE).promote(a, by="Ana")
    assert is_whole(store, edge, "a")


def test_who_was_faster_is_named_though_it_is_all_over(store):
    a, b = staged(store, "a"), staged(store, "b")

    class Raced(MemoryStore):
        def __init__(self):
            super().__init__()
            self.objects = store.objects

        def write(self, name, content, **more):
            if name == POINTER and b"Ben" in content:
                promotion(store, Edge()).promote(a, by="Ana")
            return super().write(name, content, **more)

    with pytest.raises(Busy, match=f"Ana has just brought release {a} to production"):
        promotion(Raced(), Edge()).promote(b, by="Ben")


def test_a_release_that_is_pruned_before_it_was_declared_is_not_begun(store, edge):
    a, b = staged(store, "a"), staged(store, "b")
    promotion(store, edge).promote(a, by="Ana")

    class Raced(MemoryStore):
        def write(self, name, content, **more):
            if name == POINTER:
                store.delete(f"releases/{b}/manifest.json")
            return super().write(name, content, **more)

    raced = Raced()
    raced.objects = store.objects
    with pytest.raises(Refused, match=f"production is {a} again: there is no release {b}"):
        promotion(raced, edge).promote(b, by="Ana")

    assert is_whole(store, edge, "a")
    assert pointer.read(store).to is None


def test_not_a_second_before(store, edge):
    a, b = staged(store, "a"), staged(store, "b")
    pointer.take(store, "production", a, by="Ana", now=lambda: NOW)

    with pytest.raises(Busy):
        promotion(store, edge, now=NOW + pointer.LEASE - timedelta(seconds=1)).promote(b, by="Ben")


# --- bad input leaves production as it is


@pytest.mark.parametrize(
    ("spoil", "error", "words"),
    [
        (lambda store, id: store.delete(f"releases/{id}/manifest.json"), NoSuchRelease, "there is no release"),
        (lambda store, id: store.delete(f"releases/{id}/track.html"), BadRelease, "track.html is missing"),
        (
            lambda store, id: store.objects.update({f"releases/{id}/static/track.b.js": b"evil"}),
            BadRelease,
            "static/track.b.js was changed",
        ),
        (
            lambda store, id: store.objects.update({f"releases/{id}/manifest.json": b'{"id": "x", "files": {}}'}),
            BadRelease,
            "was changed",
        ),
        (lambda store, id: store.objects.update({f"releases/{id}/manifest.json": b"{"}), BadRelease, "is damaged"),
        (lambda store, id: store.objects.update({POINTER: b"{}"}), EdgeError, "is damaged"),
    ],
    ids=["no manifest", "half an upload", "a tampered file", "a tampered manifest", "half a manifest", "half a pointer"],
)
def test_what_is_wrong_is_named_and_production_is_left_alone(store, edge, spoil, error, words):
    a, b = staged(store, "a"), staged(store, "b")
    promotion(store, edge).promote(a, by="Ana")
    spoil(store, b)
    before = dict(store.objects)

    with pytest.raises(error, match=words):
        promotion(store, edge).promote(b, by="Ana")

    assert (store.objects, edge.code) == (before, b"function a")


@pytest.mark.parametrize("id", ["", "../../production", "A" * 16, "0" * 15])
def test_what_is_no_id_is_no_release(store, edge, id):
    with pytest.raises(NoSuchRelease):
        promotion(store, edge).promote(id, by="Ana")


def test_staging_is_a_place_of_its_own(store, edge):
    a, b = staged(store, "a"), staged(store, "b")
    promotion(store, edge).promote(a, by="Ana")

    Promotion(store, Edge(), lambda *_: [], quiet, lambda: NOW, pointer.STAGING).promote(b, by="Ben")

    assert is_whole(store, edge, "a")
    assert store.read("staging/track.html")[0] == b"track b"
    assert (pointer.read(store).release, pointer.read(store, pointer.STAGING).release) == (a, b)


# --- what belongs to a release, and what was damaged


class Fronted(Edge):
    """Before an edge that tries functions."""

    def __init__(self, cdn) -> None:
        super().__init__()
        self.cdn = cdn

    def put_function(self, code, cases, progress):
        return self.cdn.put_function("rewrite", code, cases, progress)


def test_a_function_is_tried_with_the_cases_of_its_own_release(store, tmp_path):
    """Function and cases change together; going back, the old function has to do what it had to do then."""
    front, ids = Fronted(FolderCdn(tmp_path)), []
    for uri in ("/old.html", "/new.html"):
        cases = [{"name": uri, "event": {"request": {"uri": "/"}}, "expected": {"uri": uri}}]
        code = f"function handler(event) {{ event.request.uri = '{uri}'; return event.request; }}"
        files = content("a") | {"cases.json": json.dumps(cases).encode(), "function.js": code.encode()}
        ids.append(releases.stage(store, files, quiet).id)
    for id in (*ids, ids[0]):
        promotion(store, front).promote(id, by="Ana")

    assert b"/old.html" in front.cdn.live_code("rewrite")
    assert "production/cases.json" not in store.objects


def test_a_function_without_cases_has_to_lead_somewhere(store, tmp_path):
    front = Fronted(FolderCdn(tmp_path))
    good = releases.stage(store, content("a") | {"function.js": b"function handler(e) { return e.request; }"}, quiet).id
    bad = releases.stage(store, content("a") | {"function.js": b"function handler(e) { return {}; }"}, quiet).id
    promotion(store, front).promote(good, by="Ana")

    with pytest.raises(Refused, match=f"production is {good} again: .*: the function returns no request"):
        promotion(store, front).promote(bad, by="Ana")

    assert front.cdn.live_code("rewrite") == b"function handler(e) { return e.request; }"


@pytest.mark.parametrize("cases", [b"{", b"[1]", b'[{"name": "x"}]', b"3"])
def test_cases_that_are_none_are_named(store, edge, cases):
    id = releases.stage(store, content("a") | {"cases.json": cases}, quiet).id

    with pytest.raises(BadRelease, match=r"cases\.json is damaged"):
        promotion(store, edge).promote(id, by="Ana")


@pytest.mark.parametrize("file", ["track.html", "manifest.json"])
def test_without_a_way_back_nothing_new_goes_out(store, edge, file):
    a, b = staged(store, "a"), staged(store, "b")
    promotion(store, edge).promote(a, by="Ana")
    kept = store.objects.pop(f"releases/{a}/{file}")
    before = dict(store.objects)

    with pytest.raises(BadRelease, match=f"there would be no way back to release {a}, which is live: .*stage"):
        promotion(store, edge).promote(b, by="Ana")

    assert (store.objects, edge.code) == (before, b"function a")
    store.objects[f"releases/{a}/{file}"] = kept
    promotion(store, edge).promote(b, by="Ana")


@pytest.mark.parametrize("way", ["forward", "back"])
def test_an_asset_that_was_damaged_in_production_is_put_right(store, edge, way):
    a, b = staged(store, "a"), staged(store, "b")
    promotion(store, edge).promote(a, by="Ana")
    if way == "back":
        promotion(store, edge).promote(b, by="Ana")
    store.objects["production/static/logo.1.svg"] = b"evil"

    promotion(store, edge).promote(a if way == "back" else b, by="Ana")

    assert is_whole(store, edge, "a" if way == "back" else "b")


def test_what_is_wrong_only_for_a_moment_is_no_reason_to_go_back(store, edge):
    a, b = staged(store, "a"), staged(store, "b")
    promotion(store, edge).promote(a, by="Ana")
    answers, slept = [["track.html: 502"], ["track.html: leads to something else"], []], []

    Promotion(store, edge, lambda *_: answers.pop(0), quiet, lambda: NOW, sleep=slept.append).promote(b, by="Ana")

    assert (pointer.read(store).release, slept, answers) == (b, [2, 4], [])


def test_what_stays_wrong_for_half_a_minute_is(store, edge):
    a, b, slept = staged(store, "a"), staged(store, "b"), []
    promotion(store, edge).promote(a, by="Ana")
    wrong = lambda release, beat: ["dark"] if release.id == b else []  # noqa: E731

    with pytest.raises(Refused):
        Promotion(store, edge, wrong, quiet, lambda: NOW, sleep=slept.append).promote(b, by="Ana")

    assert slept == [2, 4, 8, 16]


# --- what cannot be done is taken back


class Flaky(Edge):
    """Refuses a step so many times; `before` is what was there when it was first asked."""

    def __init__(self, step, times, error=None) -> None:
        super().__init__()
        self.step, self.left, self.error = step, times, error or EdgeError("not allowed")

    def put_function(self, code, cases, progress):
        self._refuse("put_function")
        return super().put_function(code, cases, progress)

    def invalidate(self, paths, reference, progress):
        self._refuse("invalidate")
        super().invalidate(paths, reference, progress)

    def _refuse(self, step) -> None:
        if step == self.step and self.left:
            self.left -= 1
            raise self.error


@pytest.mark.parametrize("place", [pointer.PRODUCTION, pointer.STAGING])
@pytest.mark.parametrize("step", ["put_function", "invalidate"])
@pytest.mark.parametrize("error", [EdgeError("not allowed"), OSError("not allowed"), ValueError("not allowed")], ids=repr)
def test_a_step_that_cannot_be_done_leads_back_by_itself(store, step, error, place):
    a, b = staged(store, "a"), staged(store, "b")
    edge = Flaky(step, 0, error)
    whole = Promotion(store, edge, lambda *_: [], quiet, lambda: NOW, place, quiet)
    whole.promote(a, by="Ana")
    edge.left = 1

    with pytest.raises(Refused) as refused:
        whole.promote(b, by="Ben")

    assert str(refused.value) == f"release {b} could not be put there, {place} is {a} again: not allowed"
    assert refused.value.__cause__ is error
    found = {path: store.read(f"{place}/{path}")[0] for path in ("track.html", "404.html", "only-a.html")}
    assert (found, edge.code) == ({path: content("a")[path] for path in found}, b"function a")
    assert f"{place}/only-b.html" not in store.objects
    now = pointer.read(store, place)
    assert (now.release, now.to, now.stopped) == (a, None, "")
    assert [(one.number, one.by, one.came_from, one.to, one.result) for one in now.history[1:]] == [
        (3, "Ben", b, a, f"back from {b}: not allowed")
    ]
    [*_, (reference, forgotten)] = edge.invalidated.items()  # what the edge may have kept of b is forgotten
    assert reference.startswith(f"{place}-{a}-3-")
    assert forgotten == ["/404.html", "/only-a.html", "/only-b.html", "/track.html"]
    whole.promote(b, by="Ben")
    assert pointer.read(store, place).release == b


def test_a_look_that_fails_leads_back_too(store, edge):
    a, b = staged(store, "a"), staged(store, "b")
    promotion(store, edge).promote(a, by="Ana")

    def looks(release):
        if release.id == b:
            raise OSError
        return []

    with pytest.raises(Refused, match=f"release {b} could not be put there, production is {a} again: OSError"):
        promotion(store, edge, looks).promote(b, by="Ana")

    assert is_whole(store, edge, "a")


@pytest.mark.parametrize("way", ["forward", "back"])
def test_when_there_is_no_going_back_either_both_reasons_are_written_down_and_either_can_be_gone_on_with(store, way):
    a, b = staged(store, "a"), staged(store, "b")
    edge = Flaky("invalidate", 0)
    promotion(store, edge).promote(a, by="Ana")
    edge.left = 2

    with pytest.raises(Stuck) as stuck:
        promotion(store, edge).promote(b, by="Ana")

    assert str(stuck.value) == (
        f"release {b} could not stay: not allowed; and going back to {a} failed: not allowed. Run the same command again,"
        f" or bring {a}: both go on from here"
    )
    now = pointer.read(store)
    assert (now.release, now.to, now.stopped) == (a, a, str(stuck.value))
    assert (now.is_held(NOW), now.before()) == (False, a)
    promotion(store, edge).promote(b if way == "forward" else a, by="Ben")
    assert is_whole(store, edge, "b" if way == "forward" else "a")
    assert "/only-b.html" in list(edge.invalidated.values())[-1]  # it was deleted before, and nobody was told
    now = pointer.read(store)
    assert (now.to, now.stopped) == (None, "")
    assert [one.result for one in now.history[1:]] == [
        f"release {a} was begun and not finished: {stuck.value}", "live"
    ]  # fmt: skip


def test_two_long_reasons_are_both_written_down(store):
    a, b = staged(store, "a"), staged(store, "b")
    edge = Flaky("invalidate", 0)
    promotion(store, edge).promote(a, by="Ana")
    edge.left, edge.error = 2, EdgeError("no " * 2000)

    with pytest.raises(Stuck):
        promotion(store, edge).promote(b, by="Ana")

    stopped = pointer.read(store).stopped
    assert stopped.endswith(f"no no…. Run the same command again, or bring {a}: both go on from here")
    assert stopped.count("…") == 2


def test_what_is_there_does_not_work_after_a_step_that_could_not_be_done(store):
    a, b = staged(store, "a"), staged(store, "b")
    edge = Flaky("invalidate", 0)
    promotion(store, edge).promote(a, by="Ana")
    edge.left = 1

    with pytest.raises(Broken) as broken:
        promotion(store, edge, lambda release: ["dark"]).promote(b, by="Ana")

    assert str(broken.value) == (
        f"release {a}, to which production went back, does not work either: dark. What was wrong with {b}: not allowed"
    )
    now = pointer.read(store)
    assert (now.release, now.to, now.history[-1].result) == (
        a, None, f"back from {b}: not allowed; does not work either: dark"
    )  # fmt: skip


@pytest.mark.parametrize("step", ["put_function", "invalidate"])
def test_the_first_release_stops_where_it_cannot_go_on(store, step):
    a, edge = staged(store, "a"), Flaky(step, 1)

    with pytest.raises(EdgeError, match=r"^not allowed$"):
        promotion(store, edge).promote(a, by="Ana")

    assert (pointer.read(store).to, pointer.read(store).stopped) == (a, "not allowed")
    promotion(store, edge).promote(a, by="Ana")
    assert is_whole(store, edge, "a")


def test_what_is_live_is_put_right_or_stops_but_there_is_nothing_to_go_back_to(store):
    a, edge = staged(store, "a"), Flaky("invalidate", 0)
    promotion(store, edge).promote(a, by="Ana")
    edge.left = 1

    with pytest.raises(EdgeError, match=r"^not allowed$"):
        promotion(store, edge).promote(a, by="Ana")

    assert (pointer.read(store).release, pointer.read(store).to, pointer.read(store).stopped) == (a, a, "not allowed")


def test_who_lost_it_does_not_go_back_on_top_of_who_has_it(store):
    a, b, c = staged(store, "a"), staged(store, "b"), staged(store, "c")
    promotion(store, Edge()).promote(a, by="Ana")

    class Late(Edge):
        def invalidate(self, paths, reference, progress):
            promotion(store, self.other, now=NOW + pointer.LEASE).promote(c, by="Ben")
            raise EdgeError("not allowed")

    edge = Late()
    edge.other = Edge()
    with pytest.raises(Lost):
        promotion(store, edge).promote(b, by="Ana")

    assert is_whole(store, edge.other, "c")
    assert pointer.read(store).release == c


def test_what_goes_wrong_is_put_into_words(store):
    a, b, edge = staged(store, "a"), staged(store, "b"), Flaky("invalidate", 0)
    whole = Promotion(store, edge, lambda *_: [], quiet, lambda: NOW, sleep=quiet, explain=lambda error: f"«{error}»")
    whole.promote(a, by="Ana")
    edge.left = 1

    with pytest.raises(Refused, match=r"again: «not allowed»$"):
        whole.promote(b, by="Ana")


# --- whoever is at it is heard of


@pytest.mark.parametrize("step", ["put_function", "verify"])
def test_who_is_heard_of_during_a_long_step_keeps_it(store, step):
    a, b = staged(store, "a"), staged(store, "b")
    clock = [NOW]

    def takes_long(beat):
        for _ in range(20):
            clock[0] += timedelta(minutes=1)
            beat()
            with pytest.raises(Busy):
                Promotion(store, Edge(), lambda *_: [], quiet, lambda: clock[0]).promote(b, by="Ben")

    class Long(Edge):
        def put_function(self, code, cases, progress):
            if step == "put_function":
                takes_long(lambda: progress("cases", 0, 1))
            return super().put_function(code, cases, progress)

    def verify(release, beat):
        if step == "verify":
            takes_long(beat)
        return []

    Promotion(store, Long(), verify, quiet, lambda: clock[0]).promote(a, by="Ana")

    assert pointer.read(store).release == a


def test_who_loses_it_during_a_look_is_told(store, edge):
    a, b = staged(store, "a"), staged(store, "b")

    def verify(release, beat):
        promotion(store, Edge(), now=NOW + pointer.LEASE).promote(b, by="Ben")
        clock.append(NOW + pointer.LEASE)
        beat()

    clock = [NOW]
    with pytest.raises(Lost):
        Promotion(store, edge, verify, quiet, lambda: clock[-1]).promote(a, by="Ana")


# --- the record


@pytest.mark.parametrize("stopped", ["no keys", ""], ids=["stopped", "killed"])
def test_what_was_begun_and_not_finished_is_written_down(store, edge, stopped):
    a, b, c = staged(store, "a"), staged(store, "b"), staged(store, "c")
    promotion(store, edge).promote(a, by="Ana")
    hold = pointer.take(store, "production", b, by="Ben", now=lambda: NOW)
    if stopped:
        hold.stop(stopped)

    promotion(store, edge, now=NOW + pointer.LEASE).promote(c, by="Cem")

    words = f"release {b} was begun and not finished: {stopped or 'nothing more was heard'}"
    assert [(one.number, one.by, one.came_from, one.to, one.result) for one in pointer.read(store).history[1:]] == [
        (2, "Ben", b, a, words), (3, "Cem", a, c, "live")
    ]  # fmt: skip
    assert pointer.read(store).before() == a


def test_who_takes_over_the_same_release_does_not_wipe_out_who_began(store, edge):
    a, gone = staged(store, "a"), ended()
    for by in ("Ana", "Ana", "Ben"):
        pointer.take(store, "production", a, by=by, now=lambda: NOW)
        leave(store, "production", gone)

    assert [(one.number, one.by, one.came_from, one.to) for one in pointer.read(store).history] == [(1, "Ana", None, a)]


def test_a_pointer_whose_write_lost_its_answer_is_ours(store, edge):
    """The write arrives, its answer does not, and the client asks once more: a conflict with ourselves."""

    class Lossy(MemoryStore):
        def write(self, name, content, **more):
            etag = super().write(name, content, **more)
            if name == POINTER:
                raise Conflict(name)
            return etag

    lossy = Lossy()
    lossy.objects = store.objects
    a = staged(store, "a")

    promotion(lossy, edge).promote(a, by="Ana")

    assert (is_whole(store, edge, "a"), pointer.read(store).release) == (True, a)


@pytest.mark.parametrize(
    "wrong",
    [
        {"release": 7}, {"to": ["x"]}, {"number": "7"}, {"number": True}, {"by": None}, {"at": "yesterday"}, {"at": 7},
        {"at": "2026-11-24T12:00:00"}, {"stopped": 1}, {"holder": {}}, {"history": {}}, {"history": [7]},
        {"history": [{"number": "1", "at": NOW.isoformat(), "by": "", "came_from": None, "to": "", "result": ""}]},
        {"to": "0" * 16, "at": ""}, {"place": "staging"}, {"etag": "x"},
    ],
    ids=str,
)  # fmt: skip
def test_a_pointer_of_other_types_is_damaged(store, edge, wrong):
    promotion(store, edge).promote(staged(store, "a"), by="Ana")
    store.objects[POINTER] = json.dumps(json.loads(store.objects[POINTER]) | wrong).encode()

    with pytest.raises(EdgeError, match="is damaged"):
        pointer.read(store)
