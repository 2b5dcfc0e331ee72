"""What stands in front of production and staging, and how it is looked at."""

import http.client
import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from urllib.parse import urlsplit

import pytest
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from django.db import OperationalError

from dispatch.mirror.document import job_object
from dispatch.mirror.repository import JobRepository
from dispatch.models import Job
from edge import engine, looking, pointer, releases
from edge.serving import serving
from edge.store import EdgeError
from qdn import edge_places
from qdn.site import SiteStore
from tests.factories import make_job
from tests.postgres import free_port
from tests.qdn.sites import release, stage, use_folders
from tests.servers import product
from tracking.projection import public_object, shown


@pytest.fixture
def folder(settings, tmp_path, board):
    use_folders(settings, tmp_path)
    return tmp_path


def copy(job: Job) -> None:
    for name, document in (job_object(job), public_object(job)):
        JobRepository(storages["state"]).put(name, document)
    Job.objects.filter(pk=job.pk).update(mirrored_seq=job.seq)


def test_a_job_that_was_copied_must_come_through(folder, board):
    id = release("One")
    copied, later = make_job(board), make_job(board)
    copy(shown().get(pk=copied.pk))
    assert edge_places.probe() == looking.Probe(copied.token, copied.seq)
    assert later.seq > copied.seq
    assert problems(id) == []

    (folder / "state" / "public" / "track" / f"{copied.token}.json").unlink()
    assert problems(id) == ["/state/track/….json: 404 for a job whose copy is in the bucket"]


def test_without_the_server_no_copy_is_looked_at(folder, board):
    id, job = release("One"), make_job(board)
    Job.objects.filter(pk=job.pk).update(mirrored_seq=job.seq)
    store = SiteStore()

    assert problems(id) == ["/state/track/….json: 404 for a job whose copy is in the bucket"]
    assert edge_places.problems(store, "production", releases.read(store, id), server_too=False) == []


def problems(id: str) -> list[str]:
    store = SiteStore()
    found = edge_places.problems(store, "production", releases.read(store, id))
    return [one for one in found if one.startswith("/")]  # there is no server here


def test_without_a_release_our_own_function_is_the_one_and_nothing_is_made(folder):
    assert edge_places.live_code("production") is None
    assert edge_places.live_rewrite("production")("/book", "") == engine.rewrite("/book", "")
    assert list(folder.iterdir()) == []


def test_the_function_is_that_of_the_release(folder):
    release("One")

    assert edge_places.live_code("production") == engine.FUNCTION.read_bytes()


def test_a_page_must_be_allowed_to_ask_an_api_elsewhere(settings):
    settings.PUBLIC_ORIGIN, settings.API_ORIGIN = "https://go.example.com", "https://api.example.com"

    policy = edge_places.expected_headers()["Content-Security-Policy"]

    assert policy == "default-src 'none' connect-src https://api.example.com wss://api.example.com"
    settings.API_ORIGIN = settings.PUBLIC_ORIGIN
    assert edge_places.expected_headers()["Content-Security-Policy"] == "default-src 'none' connect-src"


def test_what_our_own_server_says_of_pages_is_what_is_expected():
    given = edge_places.page_headers()

    for name, words in edge_places.expected_headers().items():
        assert [word for word in words.split() if word not in given[name].replace(";", " ").replace(",", " ").split()] == []


def test_a_socket_that_is_not_there(settings):
    settings.API_ORIGIN = f"http://127.0.0.1:{free_port()}"

    assert edge_places.socket_problem(settings.PUBLIC_ORIGIN, "PUBLIC_ORIGIN") == (
        f"{settings.API_ORIGIN}/ws/track/: no websocket: [Errno 111] Connection refused"
    )


# --- a staging site of its own


@contextmanager
def distribution():
    """Staging, as its distribution serves it."""
    with serving(SiteStore(), edge_places.read_state, "staging", headers=edge_places.expected_headers()) as site:
        yield site.origin


@pytest.mark.processes
@pytest.mark.django_db(transaction=True)
def test_staged_pages_reach_the_server_and_its_socket_and_the_board_does_not_open_to_them(folder, settings):
    id = stage("One")
    with product() as made:
        public, api = f"http://127.0.0.1:{free_port()}", made.origin
        settings.SITE_BUCKET, settings.PUBLIC_ORIGIN, settings.API_ORIGIN = "site", public, api
        with distribution() as known, distribution() as unknown:
            made.env |= {"PUBLIC_ORIGIN": public, "API_ORIGIN": api, "STAGING_ORIGIN": known}
            made.serve()

            settings.STAGING_ORIGIN = known
            assert look_at_staging(id) == []
            assert upgrade(api, "/ws/track/", known) == 101
            assert (upgrade(api, "/ws/board/main/", known), upgrade(api, "/ws/board/main/", api)) == (403, 101)

            settings.STAGING_ORIGIN = unknown
            mend = "the server's STAGING_ORIGIN must be that, and no proxy may change its Access-Control headers"
            assert look_at_staging(id) == [
                f"{api}: browsers may not read its answers on {unknown}: {mend}",
                f"{api}: browsers may not send it bookings from {unknown} (405): {mend}",
                f"{api}/ws/track/: no websocket for pages of {unknown}: the server answered “HTTP/1.1 403 Access denied”"
                " instead of 101. The server's STAGING_ORIGIN must be that",
            ]


def test_the_staff_s_forms_trust_no_staged_page():
    show = "import qdn.settings as s; print(s.CSRF_TRUSTED_ORIGINS, s.ALLOWED_HOSTS, s.CUSTOMER_ORIGINS)"
    origins = {"PUBLIC_ORIGIN": "https://go.qdn.example", "STAGING_ORIGIN": "https://staging.qdn.example"}
    command = [sys.executable, "-c", show]
    shown = subprocess.run(command, env=os.environ | origins, capture_output=True, text=True, check=True).stdout

    assert shown.strip() == (
        "['https://go.qdn.example'] ['go.qdn.example'] ['https://go.qdn.example', 'https://staging.qdn.example']"
    )


def look_at_staging(id: str) -> list[str]:
    store = SiteStore()
    return edge_places.problems(store, pointer.STAGING, releases.read(store, id))


def upgrade(origin: str, path: str, of_page: str) -> int:
    """What the server answers a browser that wants a websocket."""
    connection = http.client.HTTPConnection(urlsplit(origin).netloc, timeout=30)
    key = {"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
    connection.request("GET", path, headers={"Connection": "Upgrade", "Upgrade": "websocket", "Origin": of_page} | key)
    status = connection.getresponse().status
    connection.close()
    return status


@contextmanager
def api(allowed: dict[str, str], status: int = 204):
    """A server that answers all that is asked beforehand in the same way."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path == "/healthz" else 404)
            self.send_header("Access-Control-Allow-Origin", self.headers.get("Origin", ""))
            self.end_headers()

        def do_OPTIONS(self):
            self.send_response(status)
            for name, value in allowed.items():
                self.send_header(f"Access-Control-Allow-{name}", value)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


PAGES = "https://go.example.com"
ALL = {"Origin": PAGES, "Methods": "GET, POST", "Headers": "Content-Type, Idempotency-Key, If-None-Match"}


@pytest.mark.parametrize(
    ("changed", "status", "said"),
    [
        ({}, 204, []),
        ({}, 200, []),
        ({}, 301, ["(301): the server's PUBLIC_ORIGIN must be that"]),
        ({"Origin": "https://other.example.com"}, 204, [f"from {PAGES}: the server's PUBLIC_ORIGIN must be that"]),
        ({"Methods": "GET"}, 204, ["(Access-Control-Allow-Methods: GET): a proxy changes it"]),
        ({"Headers": "Content-Type"}, 204, ["(Access-Control-Allow-Headers: Content-Type): a proxy changes it"]),
    ],
)
def test_a_booking_is_asked_for_as_a_browser_does_before_it_is_sent(folder, settings, changed, status, said):
    id = release("One")
    settings.PUBLIC_ORIGIN = PAGES
    with api(ALL | changed, status) as settings.API_ORIGIN:
        store = SiteStore()
        found = edge_places.problems(store, "production", releases.read(store, id))

    assert found[-1].startswith(f"{settings.API_ORIGIN}/ws/track/: no websocket")
    assert [(one.startswith(f"{settings.API_ORIGIN}: browsers may not send"), said[0] in one) for one in found[:-1]] == [
        (True, True) for _ in said
    ]


def test_pages_that_have_the_api_at_their_own_origin_need_nobody_s_leave(folder, settings):
    id = release("One")
    with api({}) as settings.API_ORIGIN:
        settings.PUBLIC_ORIGIN = settings.API_ORIGIN
        store = SiteStore()
        found = edge_places.problems(store, "production", releases.read(store, id))

    assert [one for one in found if "browsers" in one] == []


def test_a_folder_s_pages_count_as_those_of_production(folder, settings):
    """It is served for a moment at an address that no server knows, for staging as well."""
    id = stage("One")
    settings.PUBLIC_ORIGIN, settings.STAGING_ORIGIN = PAGES, "https://staging.example.com"
    with api(ALL) as settings.API_ORIGIN:
        assert [one for one in look_at_staging(id) if "browsers" in one] == []


def test_what_is_not_looked_at_is_said_one_time():
    said = []
    say = edge_places.once(said.append)

    for words in ("no database", "no database", "no network", "no database"):
        say(words)

    assert said == ["no database", "no network"]


def test_looking_again_and_again_says_one_time_what_is_not_looked_at(folder, monkeypatch):
    id = release("One")
    monkeypatch.setattr(edge_places, "sleep", lambda seconds: None)
    monkeypatch.setattr(edge_places, "probe", lambda say: say("No copy is looked at"))
    (folder / "site" / "production" / "track.html").write_text("")
    said, printed = [], StringIO()

    verify = edge_places.promotion("production", lambda *_: None, say=said.append).verify
    for _ in range(3):
        verify(releases.read(SiteStore(), id), lambda: None)
    with pytest.raises(CommandError):
        call_command("edge", "verify", stdout=StringIO(), stderr=printed)

    assert (said, printed.getvalue().count("No copy is looked at")) == (["No copy is looked at"], 1)


def test_reasons_are_one_line_and_name_the_right_bucket():
    assert edge_places.reason(EdgeError("no")) == "no"
    assert edge_places.reason(OperationalError("no such table: x\nmore")) == "the database cannot be read: no such table: x"
    assert edge_places.reason(PermissionError(13, "Permission denied", "/x")).startswith("may not write /x")


def test_what_is_not_set_is_named(settings):
    assert edge_places.lacking("production") == ""
    settings.SITE_BUCKET = "site"
    assert edge_places.lacking("production").startswith(
        "EDGE_FUNCTION, SITE_DISTRIBUTIONS: not set. What stands in front of"
    )
    assert edge_places.lacking("staging").startswith("STAGING_FUNCTION, STAGING_DISTRIBUTIONS, STAGING_ORIGIN: not set.")
    settings.EDGE_FUNCTION, settings.SITE_DISTRIBUTIONS = "rewrite", ["E1"]
    assert edge_places.lacking("production") == ""
