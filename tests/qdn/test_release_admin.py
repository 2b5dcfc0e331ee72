"""The releases in the admin: who may, what the pages say, and that a GET changes nothing."""

import json
import re
import threading
from datetime import UTC, datetime

import pytest
from django.test import Client

from edge import pointer
from qdn import edge_places, release_admin
from qdn.site import SiteStore
from tests.dispatch.test_admin import text
from tests.factories import make_user
from tests.postgres import free_port
from tests.qdn.sites import edge, release, stage, use_folders
from tests.waiting import wait_for

LIST = "/admin/releases/"
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]  # the thread has a connection of its own


@pytest.fixture
def folder(settings, tmp_path, board):
    use_folders(settings, tmp_path)
    return tmp_path


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """A slow machine brings a release in more than the two seconds that a person waits for the page."""
    monkeypatch.setattr(release_admin, "AT_ONCE", 60.0)


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


def bring(browser, id):
    """As a person does who was asked and presses the button."""
    seen = re.search(r'name="seen" value="([^"]*)"', browser.get(f"{LIST}{id}/").content.decode())[1]
    return browser.post(f"{LIST}{id}/bring/", {"seen": seen}, follow=True)


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
    production, staging = words.split("What was done in production")[1].split("What was done in staging")
    by, at = now().history[0].by, now().history[0].at
    assert f" {at[:10]} {at[11:16]} {by} {first} – live" in production
    assert second not in production
    assert f"{by} {second} {first} live" in staging
    assert f"{by} {first} – live" in staging
    assert ("Roll back to" in words, "Damaged" in words) == (False, False)


def test_nothing_yet(office, folder):
    words = text(office.get(LIST))

    assert "Production nothing yet – – Staging nothing yet – –" in words
    assert words.count("Nothing yet. manage.py edge stage makes a release.") == 2


def test_the_index_leads_there(office):
    assert f'href="{LIST}"' in office.get("/admin/").content.decode()


@pytest.mark.parametrize("path", ["/admin/", "/admin/dispatch/job/", LIST])
def test_every_page_has_the_company_s_sign_on_its_tab(office, folder, path):
    assert '<link rel="icon" href="/static/dispatch/logo.svg" type="image/svg+xml">' in office.get(path).content.decode()


def test_promote_after_a_page_that_asks(office, folder, no_server):
    first = release("One")
    second = stage("Two")

    asked = office.get(f"{LIST}{second}/")
    assert f"Release {second} has 3 pages" in text(asked)
    assert f"Production is {first} now." in text(asked)
    assert 'value="Promote"' in asked.content.decode()
    assert now().release == first

    said = bring(office, second)

    assert f"Release {second} is live." in text(said)
    assert [(one.by, one.to, one.result) for one in now().history][1:] == [("root", second, "live")]


def test_back_to_a_chosen_one(office, folder, no_server):
    ids = [release(name) for name in ("One", "Two", "Three")]

    listed = text(office.get(LIST))
    assert f"Roll back to {ids[1]} {ids[0]} " in listed
    assert 'value="Roll back"' in office.get(f"{LIST}{ids[0]}/").content.decode()

    bring(office, ids[0])

    assert now().release == ids[0]


def test_one_that_is_there_already_can_be_brought_again(office, folder, no_server):
    id = release("One")
    (folder / "site" / "production" / "track.html").write_text("")

    asked = office.get(f"{LIST}{id}/")
    assert "It is in production now. Bringing it there again puts right what is damaged." in text(asked)
    assert 'value="Bring it again"' in asked.content.decode()
    assert f"Release {id} is live." in text(bring(office, id))

    assert (folder / "site" / "production" / "track.html").read_text() != ""


def test_when_production_has_changed_since_the_question_it_is_asked_again(office, folder, no_server):
    release("One")
    second, third = stage("Two"), stage("Three")
    page = office.get(f"{LIST}{third}/").content.decode()
    seen = re.search(r'name="seen" value="([^"]*)"', page)[1]
    edge("promote", second)

    said = office.post(f"{LIST}{third}/bring/", {"seen": seen}, follow=True)

    entry = now().history[-1]
    assert said.redirect_chain == [(f"{LIST}{third}/", 302)]
    assert (
        f"Nothing was done. Since you were asked, {entry.by} brought release {second} to production ({entry.at}: live). Do"
        " you still want this?"
    ) in text(said)
    assert f"Production is {second} now." in text(said)
    assert (now().release, now().to) == (second, None)

    assert f"Release {third} is live." in text(bring(office, third))


def test_there_and_back_again_is_a_change_as_well(office, folder, no_server):
    first, second = release("One"), stage("Two")
    page = office.get(f"{LIST}{second}/").content.decode()
    seen = re.search(r'name="seen" value="([^"]*)"', page)[1]
    edge("promote", second)
    edge("rollback")

    said = text(office.post(f"{LIST}{second}/bring/", {"seen": seen}, follow=True))

    assert "Nothing was done." in said
    assert now().release == first


def test_what_somebody_began_and_left_since_the_question_is_said(office, folder, no_server):
    first, second = release("One"), stage("Two")
    page = office.get(f"{LIST}{first}/").content.decode()
    seen = re.search(r'name="seen" value="([^"]*)"', page)[1]
    on_the_way(folder, to=second, by="Ana", at="2026-01-01T00:00:00+00:00", stopped="no keys")

    said = text(office.post(f"{LIST}{first}/bring/", {"seen": seen}, follow=True))

    began = f"Ana began to bring {second} there and stopped at 2026-01-01T00:00:00+00:00: no keys"
    assert f"Nothing was done. Since you were asked, {began}. Do you still want this?" in said
    assert now().to == second


def test_somebody_who_is_faster_by_a_moment_is_a_change_as_well(office, folder, no_server, monkeypatch):
    release("One")
    second, third = stage("Two"), stage("Three")
    without_server = edge_places.promotion

    def faster(place, progress):
        monkeypatch.setattr(edge_places, "promotion", without_server)
        without_server(place, progress).promote(second, by="Ana")
        return without_server(place, progress)

    monkeypatch.setattr(edge_places, "promotion", faster)

    said = text(bring(office, third))

    assert f"Nothing was done. Since you were asked, Ana brought release {second} to production" in said
    assert (now().release, now().to, [one.by for one in now().history][1:]) == (second, None, ["Ana"])


def test_what_was_seen_long_ago_is_asked_about_before_anything_is_begun(office, folder, no_server, monkeypatch):
    release("One")
    second, third = stage("Two"), stage("Three")
    monkeypatch.setattr(release_admin, "AT_ONCE", 0)
    monkeypatch.setattr(edge_places, "promotion", lambda *_: pytest.fail("it was begun"))

    said = office.post(f"{LIST}{third}/bring/", {"seen": f"1 {second} None"}, follow=True)

    assert "Nothing was done." in text(said)


def test_without_what_was_seen_nothing_is_done(office, folder, no_server):
    id = stage("One")

    said = text(office.post(f"{LIST}{id}/bring/", follow=True))

    assert "Nothing was done. Since you were asked, production was seen without a release." in said
    assert now().release is None


def test_a_damaged_release_is_listed_and_cannot_be_gone_back_to(office, folder, no_server):
    first, second, third = (release(name) for name in ("One", "Two", "Three"))
    (folder / "site" / "releases" / first / "manifest.json").write_text("{")

    words = text(office.get(LIST))

    assert f"Roll back to {second} Damaged {first}: releases/{first}/manifest.json is damaged" in words
    assert third in words


# --- a look


@pytest.fixture
def without_the_api(monkeypatch):
    whole = edge_places.problems
    monkeypatch.setattr(edge_places, "problems", lambda *which, say, **_: whole(*which, server_too=False, say=say))


def look(browser, place="production"):
    return text(browser.post(f"{LIST}look/{place}/", follow=True))


@pytest.mark.parametrize("place", ["production", "staging"])
def test_a_look_at_a_place_that_is_as_it_should_be(office, folder, without_the_api, place):
    release("One")
    ids = {"production": now().release, "staging": stage("Two")}

    assert f'action="{LIST}look/{place}/"' in office.get(LIST).content.decode()
    assert f"{place.capitalize()} is release {ids[place]}, as it should be." in look(office, place)


@pytest.mark.parametrize("place", ["production", "staging"])
def test_a_look_names_what_is_wrong_and_puts_nothing_right(office, folder, without_the_api, place):
    id = release("One")
    page = folder / "site" / place / "track.html"
    page.write_text("evil")

    said = look(office, place)

    assert f"{place.capitalize()} is not as release {id} should be: track.html: /track/" in said
    assert "leads to something else than this release's" in said
    assert page.read_text() == "evil"


def test_a_look_asks_the_server_and_the_socket_too(office, folder, settings):
    settings.API_ORIGIN = f"http://127.0.0.1:{free_port()}"
    release("One")

    said = look(office)

    assert f"{settings.API_ORIGIN}: cannot be reached" in said
    assert f"{settings.API_ORIGIN}/ws/track/: no websocket" in said


def test_of_many_problems_the_first_are_named(office, folder, monkeypatch):
    release("One")
    monkeypatch.setattr(edge_places, "problems", lambda *_, say: [f"problem {n}" for n in range(1, 13)])

    said = look(office)

    assert "; problem 10; and 2 more, which `manage.py edge verify --env production` names." in said
    assert "problem 11" not in said


def test_what_is_not_looked_at_is_said(office, folder, settings, monkeypatch):
    release("One")

    def problems(*_, say):
        say("No job's public copy is looked at: the database cannot be read")
        return []

    monkeypatch.setattr(edge_places, "problems", problems)
    monkeypatch.setattr(edge_places, "lacking", lambda place: f"{place}: not set")

    said = look(office)

    assert "Production: not set. No job's public copy is looked at: the database cannot be read Production is" in said


def test_a_look_that_takes_too_long_is_not_waited_for(office, folder, monkeypatch):
    release("One")
    end = threading.Event()
    monkeypatch.setattr(edge_places, "problems", lambda *_, say: end.wait(60) and [])
    monkeypatch.setattr(release_admin, "LOOK_SECONDS", 0.1)

    said = look(office)
    end.set()

    assert "the look took longer than 0.1 s: `manage.py edge verify --env production` takes its time" in said
    assert "as it should be" not in said


def test_a_place_that_is_empty_or_none(office, folder):
    assert "Nothing was ever brought to staging." in look(office, "staging")
    assert office.post(f"{LIST}look/elsewhere/").status_code == 404
    assert "Look at it" not in text(office.get(LIST))


def test_a_get_looks_at_nothing(office, folder, monkeypatch):
    release("One")
    looked = []
    monkeypatch.setattr(edge_places, "problems", lambda *_, say: looked.append(1) or [])

    assert office.get(f"{LIST}look/production/").status_code == 405
    assert looked == []


def test_what_goes_wrong_is_said_and_production_is_as_it_was(office, folder, no_server):
    first = release("One")
    second = stage("Two")
    (folder / "site" / "releases" / second / "track.html").write_text("evil")

    said = text(bring(office, second))

    assert f"Not done: releases/{second}/track.html was changed: it is not what was staged." in said
    assert (now().release, now().to) == (first, None)


def test_what_nobody_foresaw_is_no_success(office, folder, no_server, monkeypatch, caplog):
    first = release("One")
    second = stage("Two")

    def crashes(*_, **__):
        raise RuntimeError("nobody foresaw it")

    monkeypatch.setattr(edge_places, "edge", crashes)

    said = text(bring(office, second))

    assert "Not done: it failed unexpectedly (RuntimeError), and the server's log says where." in said
    assert f"Release {second} is live." not in said
    assert "nobody foresaw it" in caplog.text
    assert now().release == first


def test_of_a_step_that_nobody_foresaw_the_log_says_where(office, folder, no_server, monkeypatch, caplog):
    first = release("One")
    second = stage("Two")
    put_function = edge_places.Fronts.put_function

    def crashes(self, *_):
        monkeypatch.setattr(edge_places.Fronts, "put_function", put_function)
        raise TypeError("nobody foresaw it")

    monkeypatch.setattr(edge_places.Fronts, "put_function", crashes)

    said = text(bring(office, second))

    assert f"release {second} could not be put there, production is {first} again: TypeError: nobody foresaw it" in said
    assert 'raise TypeError("nobody foresaw it")' in caplog.text
    assert (now().release, now().to) == (first, None)


def test_a_thread_that_was_broken_off_is_no_success(office, folder, no_server, monkeypatch):
    id = release("One")
    monkeypatch.setattr(release_admin.Bringing, "run", lambda self: None)

    assert "Not done: it was broken off." in text(bring(office, id))


def test_while_somebody_is_at_it_there_are_no_buttons_and_nobody_may_begin(office, folder, no_server):
    first = release("One")
    second = stage("Two")
    on_the_way(folder, to=second, by="Ana", at=datetime.now(UTC).isoformat(timespec="seconds"))

    listed = text(office.get(LIST))
    assert f"Ana is bringing {second} there" in listed
    assert "Promote what" not in listed
    for id in (first, second):
        said = text(bring(office, id))
        assert f"Ana is bringing release {second} to production" in said
    assert now().to == second


def test_what_was_left_halfway_can_be_gone_on_with(office, folder, no_server):
    first = release("One")
    second = stage("Two")
    on_the_way(folder, to=second, by="Ana", at="2026-01-01T00:00:00+00:00")

    listed = text(office.get(LIST))
    assert "Go on with what was begun" in listed
    assert f"Roll back to {first} " in listed
    bring(office, second)

    assert (now().release, now().to) == (second, None)


def test_a_promotion_that_takes_long_goes_on_without_the_request(office, folder, no_server, monkeypatch):
    first = release("One")
    second = stage("Two")
    monkeypatch.setattr(release_admin, "AT_ONCE", 0.0)
    go_on, bringing, run = threading.Event(), [], release_admin.Bringing.run

    def run_later(self):
        bringing.append(self)
        go_on.wait(60)
        run(self)

    monkeypatch.setattr(release_admin.Bringing, "run", run_later)

    said = text(bring(office, second))

    assert f"Release {second} is on its way." in said
    assert now().release == first
    go_on.set()
    wait_for(lambda: bringing and not bringing[0].is_alive(), "the thread has done it", seconds=60)
    assert (now().release, now().history[-1].came_from) == (second, first)


def test_looking_and_asking_change_nothing(office, folder):
    release("One")
    second = stage("Two")
    before = {path: path.read_bytes() for path in (folder / "site").rglob("*") if path.is_file()}

    for path in (LIST, f"{LIST}{second}/"):
        office.get(path)
    assert office.get(f"{LIST}{second}/bring/").status_code == 405

    assert {path: path.read_bytes() for path in (folder / "site").rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    "path", [LIST, LIST + "0123456789abcdef/", LIST + "0123456789abcdef/bring/", LIST + "look/production/"]
)
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
    assert browser.post(f"{LIST}look/production/").status_code == 403


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
