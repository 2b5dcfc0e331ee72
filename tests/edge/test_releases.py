import hashlib
import threading

import pytest

from edge import manifest, releases
from edge.manifest import BadRelease
from tests.edge.stores import Countdown, Killed, MemoryStore, Mortal

CONTENT = {"track.html": b"track", "404.html": b"nowhere", "static/a.1.js": b"a", "function.js": b"f"}


def quiet(*_) -> None:
    pass


@pytest.fixture
def store():
    return MemoryStore()


def test_a_release_is_written_once_with_its_manifest_last(store):
    seen = []
    release = releases.stage(store, CONTENT, lambda *progress: seen.append(progress))

    folder = f"releases/{release.id}/"
    assert store.objects == {folder + path: body for path, body in CONTENT.items()} | {
        f"{folder}manifest.json": release.as_bytes()
    }
    assert store.writes[-1] == f"{folder}manifest.json"
    assert seen[-1] == ("staged", 4, 4)


def test_the_same_content_is_the_same_release_and_writes_nothing(store):
    first = releases.stage(store, CONTENT, quiet)
    store.writes.clear()

    second = releases.stage(store, dict(reversed(CONTENT.items())), quiet)

    assert (second, store.writes) == (first, [])
    assert releases.stage(store, CONTENT | {"track.html": b"other"}, quiet).id != first.id


def test_the_id_follows_from_names_and_content(store):
    lines = "".join(f"{path} {hashlib.sha256(body).hexdigest()} {len(body)}\n" for path, body in sorted(CONTENT.items()))

    assert manifest.of(CONTENT).id == hashlib.sha256(lines.encode()).hexdigest()[:16]


def test_who_is_killed_while_staging_goes_on_with_it():
    clock = Countdown()
    releases.stage(Mortal(MemoryStore(), clock), CONTENT, quiet)

    for step in range(clock.ticks):
        store = MemoryStore()
        with pytest.raises(Killed):
            releases.stage(Mortal(store, Countdown(step)), CONTENT, quiet)
        assert list(releases.staged(store)) in ([], [manifest.of(CONTENT).id])

        release = releases.stage(store, CONTENT, quiet)

        assert releases.read(store, release.id) == release
        releases.check(store, release, quiet)


def test_somebody_else_s_file_in_its_place_is_not_overwritten(store):
    folder = f"releases/{manifest.of(CONTENT).id}/"
    store.objects[f"{folder}track.html"] = b"evil"

    with pytest.raises(BadRelease, match=r"track\.html was changed"):
        releases.stage(store, CONTENT, quiet)

    assert list(releases.staged(store)) == []


@pytest.mark.parametrize(
    "path",
    ["../x.html", "a/.hidden.html", "x.php", "a b.html", "", "x" * 201 + ".html", "html", "release.json", "manifest.json"],
)
def test_a_path_that_no_site_has_is_refused(path):
    with pytest.raises(BadRelease):
        manifest.of(CONTENT | {path: b""})


def test_every_site_has_a_page_for_links_that_lead_nowhere():
    with pytest.raises(BadRelease, match=r"404\.html is missing"):
        manifest.of({"track.html": b""})


def test_staging_again_writes_what_is_gone_and_nothing_else(store):
    release = releases.stage(store, CONTENT, quiet)
    store.delete(f"releases/{release.id}/track.html")
    store.writes.clear()

    releases.stage(store, CONTENT, quiet)

    assert store.writes == [f"releases/{release.id}/track.html"]
    releases.check(store, release, quiet)


def test_a_stray_file_is_no_release(store):
    release = releases.stage(store, CONTENT, quiet)
    for name in ("releases/README", "releases/notes/manifest.json", f"releases/{release.id}/old/manifest.json"):
        store.objects[name] = b"x"

    assert list(releases.staged(store)) == [release.id]


def test_a_damaged_release_is_listed_with_what_is_wrong_and_hides_no_other(store):
    ids = sorted(releases.stage(store, CONTENT | {"track.html": body}, quiet).id for body in (b"a", b"b", b"c"))
    store.objects[f"releases/{ids[0]}/manifest.json"] = b"{"

    (first, error), *others = releases.listed(store)

    assert (first, str(error)) == (ids[0], f"releases/{ids[0]}/manifest.json is damaged: it cannot be read as a manifest")
    assert isinstance(error, BadRelease)
    assert others == [(id, releases.read(store, id)) for id in ids[1:]]


def test_what_is_deleted_while_it_is_listed_is_left_out(store):
    ids = sorted(releases.stage(store, CONTENT | {"track.html": body}, quiet).id for body in (b"a", b"b"))
    read = store.read

    def too_late(name):
        store.delete(f"releases/{ids[1]}/manifest.json")
        return read(name)

    store.read = too_late

    assert [id for id, _ in releases.listed(store)] == ids[:1]


def test_of_many_releases_a_few_are_read_at_a_time(store):
    ids = sorted(releases.stage(store, CONTENT | {"track.html": bytes([65 + n])}, quiet).id for n in range(20))
    together, first, read = threading.Barrier(releases.AT_A_TIME), iter(range(releases.AT_A_TIME)), store.read

    def slow(name):
        if next(first, None) is not None:
            together.wait(60)
        return read(name)

    store.read = slow

    assert [id for id, _ in releases.listed(store)] == ids


def test_the_manifest_of_another_release_is_not_that_of_this_one(store):
    one, other = (releases.stage(store, CONTENT | {"track.html": body}, quiet).id for body in (b"a", b"b"))
    store.objects[f"releases/{one}/manifest.json"] = store.objects[f"releases/{other}/manifest.json"]

    with pytest.raises(BadRelease, match=f"releases/{one}/manifest.json is that of release {other}"):
        releases.read(store, one)
