"""The shell of the crew's page, what makes it an app, and the worker that keeps it."""

import html
import json
import re

import pytest
from django.contrib.staticfiles import finders

from crew import pages
from crew.devices import Device, hashed
from dispatch import asks, pictures

from .factories import make_event, make_member


def kept(client, query: str = "") -> dict:
    """What the worker is told to keep."""
    return json.loads(re.search(r"self\.SHELL = (.*);", client.get(f"/crew/worker.js{query}").content.decode())[1])


def test_the_shell_is_the_same_for_everybody(client, board):
    dee = make_member(board)
    make_event(board)
    nobody = client.get("/crew/").content
    client.cookies["crew"] = "secret"
    Device.objects.create(member=dee, secret=hashed("secret"))

    response = client.get("/crew/")

    assert response.content == nobody
    assert (response["Cache-Control"], response.cookies["csrf"]["samesite"]) == ("no-cache", "Lax")


def test_the_worker_is_asked_for_anew_and_may_keep_the_crews_pages_only(client, db):
    response = client.get("/crew/worker.js")

    assert (response["Content-Type"], response["Cache-Control"], response["Service-Worker-Allowed"]) == (
        "text/javascript; charset=utf-8", "no-cache", "/crew/",
    )  # fmt: skip


def test_the_worker_keeps_all_that_the_page_is_made_of_and_nothing_of_anybody(client, db):
    assets = kept(client)["assets"]

    asked = set(re.findall(r'(?:href|src|data-icons)="(/static/[^"#]+)"', client.get("/crew/").content.decode()))
    for name in pages.ASSETS:
        if name.endswith(".js"):
            asked |= {f"/static/crew/{module}" for module in re.findall(r'from "\./(\w+\.js)"', source(name))}
    assert asked - set(assets) == set()
    assert [path for path in assets if not path.startswith("/static/")] == []
    assert {client.get(path).status_code for path in assets} == {200}


def test_a_browser_without_module_workers_gets_one_it_can_read(client, db):
    assert client.get("/crew/worker.js").content.startswith(b'import "/static/crew/background.js";\n')
    assert not re.search(r"^import ", client.get("/crew/worker.js?plain").content.decode(), re.M)
    assert kept(client, "?plain") == kept(client)


@pytest.mark.parametrize("name", ["crew/crew.css", "crew/main.js", "dispatch/tokens.css"])
def test_other_content_is_another_version(client, db, monkeypatch, tmp_path, name):
    before = kept(client)["version"]
    assert kept(client)["version"] == before
    other, find = tmp_path / "other", finders.find
    other.write_text(source(name) + " ")
    monkeypatch.setattr(finders, "find", lambda path: str(other) if path == name else find(path))

    assert kept(client)["version"] != before


def test_the_app_can_be_put_on_the_home_screen(client, db):
    response = client.get("/crew/app.webmanifest")
    about = response.json()

    assert response["Content-Type"] == "application/manifest+json"
    assert (about["start_url"], about["scope"], about["display"]) == ("/crew/", "/crew/", "standalone")
    assert {client.get(icon["src"])["Content-Type"] for icon in about["icons"]} == {"image/png", "image/svg+xml"}
    assert {(icon["sizes"], icon["purpose"]) for icon in about["icons"]} >= {("512x512", "maskable"), ("192x192", "any")}


def test_the_page_knows_each_next_step_before_the_server_has_heard_of_the_last():
    assert {slug: facts["next"] for slug, facts in pages.flow().items()} == {
        "requested": None, "scheduled": "en_route", "ready_for_pickup": "en_route", "en_route": "in_progress",
        "in_progress": "completed", "completed": None, "cancelled": None,
    }  # fmt: skip


def test_the_page_knows_how_much_the_server_takes(client, db):
    said = re.search(r'data-limits="([^"]*)"', client.get("/crew/").content.decode())[1]

    assert json.loads(html.unescape(said)) == {"characters": asks.LONGEST, "bytes": pictures.MOST_BYTES}


def source(name: str) -> str:
    with open(finders.find(name)) as file:
        return file.read()
