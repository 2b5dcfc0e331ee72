"""The releases in the admin: who may, what the pages say, and that a GET changes nothing."""

import json
from datetime import UTC, datetime

import pytest
from django.test import Client

from edge import pointer
from qdn import edge_places, release_admin
from qdn.site import SiteStore
from tests.dispatch.test_admin import text
from tests.factories import make_user
from tests.qdn.sites import release, stage, use_folders
from tests.waiting import wait_for

LIST = "/admin/releases/"
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]  # the thread has a connection of its own


@pytest.fixture
def folder(settings, tmp_path, board):
    use_folders(settings, tmp_path)
    return tmp_path


@pytest.fixture
def office(client, admin):
    client.force_login(admin)
    return client


@pytest.fixture
def no_server(monkeypatch):
    """The API is not looked at: no server runs in these tests."""
    whole = edge_places.promotion
    monkeypatch.setattr(edge_places, "promotion", lambda place, progress, **_: whole(place, progress, server_too=False))


def now() -> pointer.Pointer:
    return pointer.read(SiteStore())


def on_the_way(folder, **facts):
    path = folder / "site" / "production" / "release.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | facts))


def test_the_page_says_what_is_where_and_what_was_done(office, folder):
    first = release("One")
    second = stage("Two")

    words = text(office.get(LIST))

    assert f"Production {first} –" in words
    assert f"Staging {second} –" in words
    assert "Promote what is staged" in words
    assert f"{now().history[0].by} {first} – live" in words
    assert "Roll back to" not in words


def test_nothing_yet(office, folder):
    words = text(office.get(LIST))

    assert "Production nothing yet – Staging nothing yet –" in words
    assert "Nothing yet. manage.py edge stage makes a release." in words


def test_the_index_leads_there(office):
    assert f'href="{LIST}"' in office.get("/admin/").content.decode()


def test_promote_after_a_page_that_asks(office, folder, no_server):
    first = release("One")
    second = stage("Two")

    asked = office.get(f"{LIST}{second}/")
    assert f"Release {second} has 3 pages" in text(asked)
    assert f"Production is {first} now." in text(asked)
    assert 'value="Promote"' in asked.content.decode()
    assert now().release == first

    said = office.post(f"{LIST}{second}/bring/", follow=True)

    assert f"Release {second} is live." in text(said)
    assert [(one.by, one.to, one.result) for one in now().history][1:] == [("root", second, "live")]


def test_back_to_a_chosen_one(office, folder, no_server):
    ids = [release(name) for name in ("One", "Two", "Three")]

    listed = text(office.get(LIST))
    assert f"Roll back to {ids[1]} {ids[0]} " in listed
    assert 'value="Roll back"' in office.get(f"{LIST}{ids[0]}/").content.decode()

    office.post(f"{LIST}{ids[0]}/bring/")

    assert now().release == ids[0]


def test_what_goes_wrong_is_said_and_production_is_as_it_was(office, folder, no_server):
    first = release("One")
    second = stage("Two")
    (folder / "site" / "releases" / second / "track.html").write_text("evil")

    said = text(office.post(f"{LIST}{second}/bring/", follow=True))

    assert f"Not done: releases/{second}/track.html was changed: it is not what was staged." in said
    assert (now().release, now().to) == (first, None)


def test_what_nobody_foresaw_is_no_success(office, folder, no_server, monkeypatch, caplog):
    first = release("One")
    second = stage("Two")

    def crashes(*_, **__):
        raise RuntimeError("nobody foresaw it")

    monkeypatch.setattr(edge_places, "edge", crashes)

    said = text(office.post(f"{LIST}{second}/bring/", follow=True))

    assert "Not done: it failed unexpectedly (RuntimeError), and the server's log says where." in said
    assert f"Release {second} is live." not in said
    assert "nobody foresaw it" in caplog.text
    assert now().release == first


def test_a_thread_that_was_broken_off_is_no_success(office, folder, no_server, monkeypatch):
    id = release("One")
    monkeypatch.setattr(release_admin.Bringing, "run", lambda self: None)

    assert "Not done: it was broken off." in text(office.post(f"{LIST}{id}/bring/", follow=True))


def test_while_somebody_is_at_it_there_are_no_buttons_and_nobody_may_begin(office, folder, no_server):
    first = release("One")
    second = stage("Two")
    on_the_way(folder, to=second, by="Ana", at=datetime.now(UTC).isoformat(timespec="seconds"))

    listed = text(office.get(LIST))
    assert f"Ana is bringing {second} there" in listed
    assert "Promote what" not in listed
    for id in (first, second):
        said = text(office.post(f"{LIST}{id}/bring/", follow=True))
        assert f"Ana is bringing release {second} to production" in said
    assert now().to == second


def test_what_was_left_halfway_can_be_gone_on_with(office, folder, no_server):
    first = release("One")
    second = stage("Two")
    on_the_way(folder, to=second, by="Ana", at="2026-01-01T00:00:00+00:00")

    listed = text(office.get(LIST))
    assert "Go on with what was begun" in listed
    assert f"Roll back to {first} " in listed
    office.post(f"{LIST}{second}/bring/")

    assert (now().release, now().to) == (second, None)


def test_a_promotion_that_takes_long_goes_on_without_the_request(office, folder, no_server, monkeypatch):
    first = release("One")
    second = stage("Two")
    monkeypatch.setattr(release_admin, "AT_ONCE", 0.0)

    said = text(office.post(f"{LIST}{second}/bring/", follow=True))

    assert f"Release {second} is on its way." in said
    wait_for(lambda: now().release == second, "the thread has done it")
    assert now().history[-1].came_from == first


def test_looking_and_asking_change_nothing(office, folder):
    release("One")
    second = stage("Two")
    before = {path: path.read_bytes() for path in (folder / "site").rglob("*") if path.is_file()}

    for path in (LIST, f"{LIST}{second}/"):
        office.get(path)
    assert office.get(f"{LIST}{second}/bring/").status_code == 405

    assert {path: path.read_bytes() for path in (folder / "site").rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("path", [LIST, LIST + "0123456789abcdef/", LIST + "0123456789abcdef/bring/"])
def test_only_superusers(client, folder, path):
    assert client.post(path).headers["Location"].startswith("/admin/login/")
    client.force_login(make_user("staff", "change_job", is_staff=True))
    assert client.post(path).status_code == 403
    assert 'href="/admin/releases/"' not in client.get("/admin/").content.decode()


def test_a_post_needs_the_page_s_own_token(folder, admin):
    id = release("One")
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(admin)

    assert browser.post(f"{LIST}{id}/bring/").status_code == 403


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (f"{LIST}0123456789abcdef/", "there is no release 0123456789abcdef"),
        (f"{LIST}nonsense/", "there is no release nonsense"),
    ],
)
def test_a_release_that_is_not_there(office, folder, path, words):
    answer = office.get(path)

    assert (answer.status_code, words in text(answer)) == (503, True)


def test_a_damaged_pointer_is_said_on_the_page(office, folder):
    release("One")
    (folder / "site" / "production" / "release.json").write_text("{")

    assert "production/release.json is damaged" in text(office.get(LIST))
