"""`manage.py trace`: each hop is broken in turn, by real servers and real files, and has to be named with what mends it."""

import base64
import hashlib
import io
import json
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from botocore.exceptions import ProfileNotFound
from django.core.files.storage import storages
from django.core.management import call_command
from django.db import DatabaseError, connections
from django.utils import timezone

from dispatch import flow, links
from dispatch.mirror.document import FORMAT, job_object
from dispatch.mirror.repository import JobRepository
from dispatch.models import Job
from edge import looking
from qdn import edge_places, tracing
from qdn.management.commands.trace import Command
from qdn.tracing import Trace
from qdn.tracing_hops import BROKEN, OK, SKIPPED
from tests.postgres import free_port
from tests.qdn.sites import release, use_folders
from tests.s3 import running_s3
from tests.servers import ROOT, product
from tracking.projection import public_object, public_projection, shown

pytestmark = pytest.mark.processes

HOPS = ["link", "database", "mirror", "public copy", "edge function", "release", "site", "API", "socket"]
PAGE = b'<main><article id="job"></article></main>'


class World:
    """Site, API and socket as one server; `answers` {beginning of a path: (status, body, headers)}; `socket` is a close
    code, a message, or None for no websocket at all."""

    def __init__(self, job) -> None:
        state = json.dumps(public_projection(shown().get(pk=job.pk))).encode()
        self.answers = {"/track/": (200, PAGE, {}), "/state/": (200, state, {}), "/api/": (200, state, {})}
        self.assets = {}
        self.socket = {"type": "state", "job": {}}
        self.wait = 0.0
        self.silent = ""

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        if self.silent and handler.path.startswith(self.silent):
            return self.say_nothing(handler)
        threading.Event().wait(self.wait)
        if handler.path == "/ws/track/":
            return self.speak(handler)
        known = {path: (200, body, {}) for path, body in self.assets.items()} | self.answers
        status, body, headers = next(
            (answer for path, answer in known.items() if handler.path.startswith(path)), (404, b"", {})
        )
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        return handler.wfile.write(body)

    def say_nothing(self, handler: BaseHTTPRequestHandler) -> None:
        """For a minute, and yet whoever waits hears something: they give up for no reason of their own."""
        for _ in range(60):
            handler.wfile.write(b"H")
            threading.Event().wait(1)

    def speak(self, handler: BaseHTTPRequestHandler) -> None:
        if self.socket is None:
            handler.send_error(404)
            return
        key = f"{handler.headers['Sec-WebSocket-Key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        handler.send_response(101)
        handler.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key.encode()).digest()).decode())
        handler.end_headers()
        handler.rfile.read(6)
        if isinstance(self.socket, int):
            handler.wfile.write(b"\x88\x02" + self.socket.to_bytes(2))
        else:
            payload = json.dumps(self.socket).encode()
            handler.wfile.write(bytes([0x81, len(payload)]) + payload)


@contextmanager
def serving(world: World):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            with suppress(OSError):  # whoever asked has gone
                world.answer(self)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.block_on_close = False  # who is still silent then is not waited for
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def job(settings, tmp_path, job):
    """In a database and in folders of its own, copied."""
    use_folders(settings, tmp_path)
    copy(job)
    return job


@pytest.fixture
def world(job, settings):
    world = World(job)
    with serving(world) as origin:
        settings.PUBLIC_ORIGIN = settings.API_ORIGIN = origin
        yield world


def copy(job: Job) -> None:
    current = shown().get(pk=job.pk)
    repository = JobRepository(storages["state"])
    for name, document in (job_object(current), public_object(current)):
        repository.put(name, document)


def walk(what: str, seconds: float = 30) -> dict:
    return {hop.name: hop for hop in Trace(what, seconds).hops()}


def broken(hops: dict) -> list[str]:
    return [name for name, hop in hops.items() if hop.state == BROKEN]


def link(job: Job, settings) -> str:
    return f"{settings.PUBLIC_ORIGIN}/track/{job.token}"


# --- all is well


def test_the_whole_way(world, job, settings):
    hops = walk(link(job, settings))

    assert {name: hop.state for name, hop in hops.items()} == dict.fromkeys(HOPS, OK) | {"release": SKIPPED}
    assert hops["release"].said == "nothing was released: Django serves the pages"
    assert all(hop.remedy == "" for hop in hops.values())


def test_nothing_is_written(world, job, settings, tmp_path):
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}

    walk(link(job, settings))

    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
    assert Job.objects.get().seq == job.seq


@pytest.mark.processes
def test_the_product_itself_from_a_release_to_the_socket():
    with product() as made:
        made.serve()
        uid, token = made.add_job()
        made.manage("mirror", "sync")
        made.manage("edge", "stage")
        made.manage("edge", "promote")

        told = json.loads(made.manage("trace", uid, "--json", "--seconds", "30"))

        assert (told["ok"], told["broken"], told["job"]) == (True, None, uid)
        assert [(hop["hop"], hop["state"]) for hop in told["hops"]] == [(name, OK) for name in HOPS]
        assert token not in json.dumps(told)


# --- link: what people paste


@pytest.mark.parametrize(
    "pasted",
    [
        "{link}", "  {link}\n", "<{link}>", "“{link}”", "'{link}'", "{link}.", "({link}),", "{link}/",
        "{link}?utm=a&b=c#top",
        "{token}", "\"{token}\"", "/track/{token}", "{bare}", "{half}\n{rest}", "{upper}",
    ],
)  # fmt: skip
def test_a_link_is_read_however_it_was_pasted(world, job, settings, pasted):
    whole = link(job, settings)
    words = {
        "link": whole, "token": job.token, "bare": whole.removeprefix("http://"), "half": whole[:40], "rest": whole[40:],
        "upper": whole.replace("http", "HTTP"),
    }  # fmt: skip

    assert broken(walk(pasted.format(**words))) == []


def test_a_job_s_id_is_as_good(world, job):
    assert walk(job.uid)["database"].said == f"job {job.uid}, requested, change {job.seq}"


@pytest.mark.parametrize(
    ("pasted", "said"),
    [
        ("", "this is neither a link, nor a token, nor a job's id"),
        ("what is this?", "this is neither"),
        ("{origin}/boks/where", "this is no tracking link: expected {origin}/track/<token>, or {origin}/book"),
        ("{origin}/book/nonsense", "booking has no such step"),
        ("{origin}/track/", "this is no tracking link"),
        ("{origin}/trak/{token}", "this is no tracking link"),
        ("http://[::1/track/{token}", "this is no address that can be read"),
    ],
)
def test_what_is_no_link_of_ours_is_named(world, job, settings, pasted, said):
    words = {"origin": settings.PUBLIC_ORIGIN, "token": job.token}
    hops = walk(pasted.format(**words) if pasted != "what is this?" else "???")

    assert broken(hops) == ["link"]
    assert hops["link"].said.startswith(said.format(**words))
    assert hops["link"].remedy
    assert job.token not in str(hops)
    assert {hops[name].said for name in ("database", "mirror", "site", "API", "socket")} == {"no job to look for"}


@pytest.mark.parametrize(
    "pasted",
    [
        "https://old.example.com/track/{token}", "https://ana:pw@old.example.com:443/track/{token}",
        "old.example.com/track/{token}",
    ],
)  # fmt: skip
def test_a_token_under_another_host_is_gone_on_with(world, job, settings, pasted):
    hops = walk(pasted.format(token=job.token))

    scheme = pasted.partition("://")[0] if "://" in pasted else "http"
    assert hops["link"].said == (
        f"the link leads to {scheme}://old.example.com, which is not ours: PUBLIC_ORIGIN is {settings.PUBLIC_ORIGIN}"
    )
    assert hops["link"].remedy == "send the customer our link; if customers do go there, set PUBLIC_ORIGIN to it"
    assert (list(hops), broken(hops)) == (HOPS, ["link"])
    assert hops["socket"].said == "sends the job"
    assert job.token not in str(hops)
    assert run(pasted.format(token=job.token))[0] == 1


@pytest.mark.parametrize(("headers", "expected"), [({"Location": "https"}, []), ({}, ["site"])], ids=["redirect", "none"])
def test_a_link_with_http_must_lead_on_to_https(world, job, settings, monkeypatch, headers, expected):
    """The site itself is asked by http here: there is no certificate for this machine."""
    insecure = settings.PUBLIC_ORIGIN
    settings.PUBLIC_ORIGIN = settings.API_ORIGIN = insecure.replace("http:", "https:")
    fetch = looking.fetch
    leads_on = {"Location": f"{settings.PUBLIC_ORIGIN}/track/x"} if headers else {}

    def by_http(origin, path, **more):
        if origin == insecure:
            world.answers["/track/"] = (301 if leads_on else 200, b"", leads_on)
        answer = fetch(origin.replace("https:", "http:"), path, **more)
        world.answers["/track/"] = (200, PAGE, {})
        return answer

    monkeypatch.setattr(looking, "fetch", by_http)

    hops = walk(f"{insecure}/track/{job.token}")

    assert "http: instead of https:" in hops["link"].said
    assert [name for name in broken(hops) if name != "socket"] == expected


# --- the booking page

FORM = b'{"rendered": "stamp"}'
LOOKED_AT = ["link", "edge function", "release", "site", "API"]


@pytest.fixture
def booking(world, board, tmp_path):
    """The booking page of a release, and its server."""
    release("One")
    world.answers |= {
        "/book": (200, production(tmp_path, "book.html").read_bytes(), {}), "/api/v1/bookings/form": (200, FORM, {}),
    }  # fmt: skip
    world.answers = dict(sorted(world.answers.items(), key=lambda answer: -len(answer[0])))
    world.assets = assets(tmp_path)
    return world


@pytest.mark.parametrize(
    "pasted", ["{origin}/book", "<{origin}/book/where>", "/book/when/", "book", "{origin}/book?lang=es"]
)
def test_the_whole_way_to_the_booking_page(booking, settings, pasted):
    hops = walk(pasted.format(origin=settings.PUBLIC_ORIGIN))

    assert {name: hop.state for name, hop in hops.items()} == dict.fromkeys(HOPS, SKIPPED) | dict.fromkeys(LOOKED_AT, OK)
    assert [hops[name].said for name in ("link", "edge function", "site", "API")] == [
        "has the shape of the booking page's address", "leads to /book.html", "the page comes", "bookings can be sent"
    ]  # fmt: skip


@pytest.mark.processes
def test_the_product_s_own_booking_page():
    with product() as made:
        made.serve()

        told = json.loads(made.manage("trace", f"{made.origin}/book", "--json", "--seconds", "30"))

        assert (told["ok"], told["broken"], told["job"]) == (True, None, None)
        assert [hop["hop"] for hop in told["hops"] if hop["state"] == OK] == ["link", "edge function", "site", "API"]
        assert made.shell("from dispatch.models import Job; print(Job.objects.count())") == "0"


@pytest.mark.parametrize(
    ("path", "answer", "hop", "said"),
    [
        ("/book", (404, b"", {}), "site", "/book/when answers 404: that is routing, not lost data"),
        ("/book", (200, PAGE, {}), "site", "/book/when leads to another page: that is routing, not lost data"),
        (
            "/book", (200, b'<div id="book"></div><template data-lang="es"></template>', {}), "site",
            "the page comes from another release than production has",
        ),
        ("/api/v1/bookings/form", (404, b"", {}), "API", "/bookings/form answers 404: there is no board to book on"),
        ("/api/v1/bookings/form", (500, b"", {}), "API", "/bookings/form answers 500"),
        ("/api/v1/bookings/form", (200, b"<html>", {}), "API", "/bookings/form answers something else than a form"),
        ("/api/v1/bookings/form", (200, b'{"rendered": ""}', {}), "API", "answers something else than a form"),
    ],
)  # fmt: skip
def test_a_booking_page_that_is_broken(booking, path, answer, hop, said):
    booking.answers[path] = answer

    hops = walk("/book/when")

    assert broken(hops) == [hop]
    assert said in hops[hop].said
    assert hops[hop].remedy
    assert run("/book/when")[0] == 1


def test_a_page_of_booking_that_the_function_leads_astray(booking, tmp_path):
    code = "function handler(e) { e.request.uri = '/book.html'; return e.request; }"
    (tmp_path / "edge" / "rewrite-production.js").write_text(code)

    hops = walk("/book/when")

    assert broken(hops) == ["edge function"]
    assert hops["edge function"].said == "it leads to /book.html, not to /book.html with step=when"


def test_bookings_that_browsers_may_not_send(booking, settings):
    """The API is at another origin. It lets pages read, and does not say what they may send."""
    settings.API_ORIGIN = settings.PUBLIC_ORIGIN.replace("127.0.0.1", "localhost")
    assert walk("/book")["API"].said == f"browsers on {settings.PUBLIC_ORIGIN} may not read its answer"
    allowed = {"Access-Control-Allow-Origin": settings.PUBLIC_ORIGIN}
    booking.answers["/api/v1/bookings/form"] = (200, FORM, allowed)

    hop = walk("/book")["API"]

    assert hop.said.startswith(f"{settings.API_ORIGIN}: browsers may not send it bookings from {settings.PUBLIC_ORIGIN}")
    assert "the server must have the same PUBLIC_ORIGIN" in hop.remedy


def test_a_booking_page_under_another_host_is_gone_on_with(booking):
    hops = walk("https://old.example.com/book")

    assert (broken(hops), hops["site"].said) == (["link"], "the page comes")


# --- database


def test_a_link_that_nobody_has(world):
    hops = walk("nobodys-token-nobodys-token-nobo")

    assert broken(hops) == ["database", "public copy"]
    assert (hops["database"].said, hops["edge function"].state) == ("no job has this link", OK)


def test_what_the_others_have_of_a_link_that_the_database_lost(world, job):
    """That is the diagnosis: the data are lost in the database alone."""
    uid, token = job.uid, job.token
    Job.objects.update(token="another-link-another-link-anothe")

    hops = walk(token)

    assert (broken(hops), hops["mirror"].said) == (["database"], "no job to look for")
    assert [hops[name].said for name in ("public copy", "site", "API", "socket")] == [
        "there is a public copy, of change 1: it works", "the page and its data come, of change 1",
        "answers with change 1", "sends the job",
    ]  # fmt: skip
    assert token not in str(hops)
    assert walk(uid[:7])["site"].said == "no job to look for"


def test_a_link_that_nothing_has_any_more(world, job, tmp_path):
    token = job.token
    Job.objects.update(token="another-link-another-link-anothe")
    path_of(links.PUBLIC.format(token=token), tmp_path).unlink()
    world.answers |= {"/state/": (404, b"", {}), "/api/": (404, b"", {})}
    world.socket = 4004

    assert broken(walk(token)) == ["database", "public copy", "site", "API", "socket"]


def test_a_link_that_was_replaced_names_the_job_and_not_the_new_link(world, job):
    old = job.token
    new = links.replace(job, by="Ana").token

    hop = walk(old)["database"]

    assert hop.said == f"this link was replaced by another one of job {job.uid}"
    assert hop.remedy == f"send the customer the link that stands on job {job.uid} now"
    assert new not in str(hop)
    assert walk(old)["site"].said == "no job to look for"
    assert walk(old.swapcase())["database"].said == "no job has this link"


def test_a_link_that_has_ended(world, job):
    ended = timezone.now() - timedelta(days=2)
    Job.objects.filter(pk=job.pk).update(link_ends_at=ended, seq_at=ended)

    assert walk(job.token)["database"].said == f"the link ended on {ended:%Y-%m-%d}"


def test_a_database_that_cannot_be_read(world, job, monkeypatch):
    def fails(*_):
        raise DatabaseError("no such table: dispatch_job\nmore")

    monkeypatch.setattr(Job.objects, "select_related", fails)

    hops = walk(job.token)
    hop = hops["database"]
    assert (broken(hops), hops["API"].said, hops["socket"].said) == (["database"], "answers with change 1", "sends the job")
    assert (hop.state, hop.said) == (BROKEN, "the database cannot be read: no such table: dispatch_job")
    assert hop.remedy == "check DATABASE_URL and the database"


# --- copies


def path_of(name: str, tmp_path):
    return tmp_path / "state" / name


@pytest.mark.parametrize("hop", ["mirror", "public copy"])
@pytest.mark.parametrize(
    ("spoil", "said", "remedy"),
    [
        (None, "is missing", "mirror repair"),
        (b"{", "", "mirror repair"),
        ({"seq": 0}, "the copy has change 0, the job 1", "is a worker running?"),
        ({"seq": 99}, "the copy has change 99 and the job only 1: the database was put back", "mirror check"),
        ({"status": "cancelled"}, "says cancelled, the job requested", "mirror repair"),
    ],
    ids=["missing", "corrupt", "older", "newer", "of another status"],
)
def test_a_copy_that_is_not_as_the_job(world, job, tmp_path, hop, spoil, said, remedy):
    name = FORMAT.format(uid=job.uid) if hop == "mirror" else links.PUBLIC.format(token=job.token)
    path = path_of(name, tmp_path)
    if spoil is None:
        path.unlink()
    else:
        path.write_bytes(spoil if isinstance(spoil, bytes) else json.dumps(json.loads(path.read_bytes()) | spoil).encode())

    hops = walk(job.token)

    assert broken(hops) == [hop]
    assert said in hops[hop].said
    assert remedy in hops[hop].remedy
    assert job.token not in str(hops)


def test_a_tombstone_where_the_link_works(world, job, tmp_path):
    path = path_of(links.PUBLIC.format(token=job.token), tmp_path)
    path.write_text(json.dumps({"gone": True, "seq": job.seq, "epoch": str(job.board.epoch)}))

    hops = walk(job.token)

    assert (broken(hops), hops["public copy"].said) == (
        ["public copy"], "the public copy says that the link is over, and it is not"
    )  # fmt: skip


def in_a_bucket(settings, url, name="state"):
    options = {
        "bucket_name": name, "endpoint_url": url, "access_key": "a", "secret_key": "b", "addressing_style": "path",
        "signature_version": "s3v4",
    }  # fmt: skip
    place = {"BACKEND": "dispatch.mirror.s3.CompareAndSwapS3Storage", "OPTIONS": options}
    settings.STORAGES = settings.STORAGES | {"state": place, "site": place}


def test_storage_that_cannot_be_reached(world, job, settings):
    url = f"http://127.0.0.1:{free_port()}"
    in_a_bucket(settings, url)

    hops = walk(job.token)

    assert broken(hops) == ["mirror", "public copy", "release"]
    assert hops["mirror"].said == hops["release"].said == f"cannot reach {url}: check the network and AWS_ENDPOINT_URL"
    assert "STATE_BUCKET" in hops["mirror"].remedy
    assert "SITE_BUCKET" in hops["release"].remedy


def test_a_bucket_that_is_not_there(world, job, settings):
    with running_s3() as s3:
        in_a_bucket(settings, s3.url, "nowhere")
        hops = walk(job.token)

    assert hops["mirror"].said == "there is no bucket nowhere: create it or set STATE_BUCKET"
    assert hops["release"].said == "there is no bucket nowhere: create it or set SITE_BUCKET"


# --- edge


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("function handler(e) { throw new Error('no'); }", "it throws: Error: no"),
        ("function handler(e) { return e.request; }", "it leads to /track/…, not to /track.html with the token"),
        (
            "function handler(e) { e.request.uri = '/404.html'; return e.request; }",
            "it leads to /404.html, not to /track.html with the token",
        ),
    ],
    ids=["throws", "does nothing", "leads astray"],
)
def test_the_function_that_is_live_is_run_and_not_ours(world, job, tmp_path, code, said):
    release("One")
    (tmp_path / "edge" / "rewrite-production.js").write_text(code)

    hops = walk(job.token)

    assert broken(hops) == ["edge function"]
    assert (hops["edge function"].said, hops["edge function"].remedy) == (
        said,
        "roll the edge back: `manage.py edge rollback`",
    )


@pytest.fixture
def bucket(settings):
    """The site's settings as on Amazon; its objects lie in the folder all the same."""
    settings.SITE_BUCKET, settings.EDGE_FUNCTION = "site", "rewrite"


class Amazon:
    """CloudFront, where `code` is live."""

    def __init__(self, code):
        self.code = code

    def live_code(self, name):
        return self.code


def test_a_function_that_was_never_published_is_not_ours(world, job, bucket, monkeypatch):
    monkeypatch.setattr(edge_places, "AwsCdn", lambda: Amazon(None))

    hops = walk(job.token)

    assert (broken(hops), hops["edge function"].said) == (["edge function"], "the function is not published")
    assert "`manage.py edge promote`" in hops["edge function"].remedy


@pytest.mark.parametrize(("code", "state"), [(b"", BROKEN), (None, OK)], ids=["empty", "ours"])
def test_the_function_on_amazon_is_run(world, job, bucket, settings, monkeypatch, code, state):
    ours = (settings.BASE_DIR / "edge" / "functions" / "rewrite.js").read_bytes()
    monkeypatch.setattr(edge_places, "AwsCdn", lambda: Amazon(ours if code is None else code))

    assert walk(job.token)["edge function"].state == state


def test_a_function_that_nobody_named_is_not_judged(world, job, bucket, settings):
    settings.EDGE_FUNCTION = ""

    hop = walk(job.token)["edge function"]

    assert (hop.state, hop.said[:24]) == (SKIPPED, "EDGE_FUNCTION is not set")


@pytest.mark.parametrize("error", [ProfileNotFound(profile="ana"), ValueError("Invalid endpoint: nowhere\nmore")])
def test_what_no_hop_foresaw_is_one_line_and_the_next_are_looked_at(world, job, bucket, monkeypatch, error):
    def fails():
        raise error

    monkeypatch.setattr(edge_places, "AwsCdn", fails)

    hops = walk(job.token)

    assert (list(hops), broken(hops)) == (HOPS, ["edge function"])
    assert hops["edge function"].said == (
        "ValueError: Invalid endpoint: nowhere"
        if isinstance(error, ValueError)
        else "no usable keys for the storage: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, to keys that"
        " are valid"
    )
    assert hops["edge function"].remedy


def production(tmp_path, name):
    return tmp_path / "site" / "production" / name


@pytest.mark.parametrize(
    ("spoil", "said", "remedy"),
    [
        (lambda path, id: production(path, "track.html").unlink(), "production has no track.html", "edge promote {id}"),
        (
            lambda path, id: production(path, "track.html").write_text("x"),
            "track.html in production is not",
            "promote {id}",
        ),
        (
            lambda path, id: next((path / "site/production/static").rglob("*.js")).unlink(),
            "production has no static/",
            "{id}",
        ),
        (
            lambda path, id: next((path / "site/production/static").rglob("*.js")).write_text(""),
            ".js in production is not",
            "{id}",
        ),
        (lambda path, id: production(path, "book.html").write_text(""), "book.html in production is not", "{id}"),
        (lambda path, id: (path / f"site/releases/{id}/manifest.json").unlink(), "there is no release {id}", "rollback"),
        (lambda path, id: (path / f"site/releases/{id}/manifest.json").write_text("{}"), "is damaged", "docs/releases.md"),
        (lambda path, id: production(path, "release.json").write_text("{"), "production/release.json is damaged", "docs/"),
    ],
    ids=[
        "no page",
        "another page",
        "no asset",
        "an empty asset",
        "another page of the release",
        "no manifest",
        "a damaged manifest",
        "a damaged pointer",
    ],
)
def test_a_release_that_is_not_whole(world, job, tmp_path, spoil, said, remedy):
    id = release("One")
    assert walk(job.token)["release"].said == f"release {id}"
    spoil(tmp_path, id)

    hops = walk(job.token)

    assert broken(hops) == ["release"]
    assert said.format(id=id) in hops["release"].said
    assert remedy.format(id=id) in hops["release"].remedy


def test_a_first_release_that_was_left_halfway(world, job, tmp_path):
    id = release("One")
    path = production(tmp_path, "release.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"release": None, "to": id}))

    assert walk(job.token)["release"].said == f"the first release, {id}, is not whole yet"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"release": id, "to": id}))
    assert walk(job.token)["release"].said == f"release {id}, on the way to {id}"


@pytest.mark.parametrize(
    ("path", "answer", "said", "remedy"),
    [
        ("/track/", (404, PAGE, {}), "/track/… answers 404: that is routing, not lost data", "edge function attached"),
        ("/track/", (503, b"", {}), "/track/… answers 503: that is routing, not lost data", "edge function attached"),
        ("/track/", (200, b"<main>welcome</main>", {}), "leads to another page: that is routing", "edge function attached"),
        ("/state/", (404, b"", {}), "the page comes, /state/track/….json answers 404", "/state/* behaviour"),
        ("/state/", (403, b"", {}), "the page comes, /state/track/….json answers 403", "bucket policy"),
        ("/state/", (200, b"<html>", {}), "/state/track/….json is no copy of a job", "/state/* behaviour"),
        ("/state/", (200, b"[]", {}), "/state/track/….json is no copy of a job", "/state/* behaviour"),
        ("/state/", (200, b'{"seq": 0}', {}), "its data have change 0, 1 was copied", "keeps /state/*"),
        ("/state/", (200, b'{"seq": 1, "gone": true}', {}), "its data say that the link is over", "/state/* behaviour"),
        (
            "/track/",
            (200, PAGE + b'<script src="/static/a.js"></script>', {}),
            "/static/a.js, which it names, answers 404",
            "edge promote",
        ),
    ],
)
def test_a_site_that_does_not_come(world, job, path, answer, said, remedy):
    Job.objects.update(mirrored_seq=job.seq)
    world.answers[path] = answer

    hops = walk(job.token)

    assert broken(hops) == ["site"]
    assert said in hops["site"].said
    assert remedy in hops["site"].remedy


def test_a_page_of_another_release_is_what_the_edge_has_kept(world, job, tmp_path):
    release("One")
    page = production(tmp_path, "track.html").read_bytes()
    world.answers["/track/"] = (200, page, {})
    world.assets = assets(tmp_path)
    assert broken(walk(job.token)) == []
    release("Two")

    hops = walk(job.token)

    assert (broken(hops), hops["site"].said) == (["site"], "the page comes from another release than production has")


def assets(tmp_path) -> dict[str, bytes]:
    root = tmp_path / "site" / "production"
    return {f"/{path.relative_to(root)}": path.read_bytes() for path in root.rglob("static/**/*") if path.is_file()}


def test_an_asset_that_comes_as_another_file(world, job, tmp_path):
    release("One")
    world.answers["/track/"] = (200, production(tmp_path, "track.html").read_bytes(), {})
    world.assets = dict.fromkeys(assets(tmp_path), b"")

    hops = walk(job.token)

    assert (broken(hops), hops["site"].said[-32:]) == (["site"], ", which it names, is another file"[-32:])


def test_a_site_that_is_down(world, job, settings):
    settings.PUBLIC_ORIGIN, api = f"http://127.0.0.1:{free_port()}", settings.API_ORIGIN
    settings.API_ORIGIN = api
    allowed = {"Access-Control-Allow-Origin": settings.PUBLIC_ORIGIN}
    world.answers["/api/"] = (*world.answers["/api/"][:2], allowed)

    hops = walk(job.token)

    assert broken(hops) == ["site"]
    assert hops["site"].said.startswith(f"{settings.PUBLIC_ORIGIN}: cannot be reached: ")
    assert hops["site"].remedy == "check PUBLIC_ORIGIN, its DNS and its distribution"


# --- the server


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((404, b"{}", {}), "does not know the link"),
        ((500, b"", {}), "/api/v1/track/… answers 500"),
        ((200, b"<html>", {}), "answers something else than a job"),
        ((200, b'{"seq": 0}', {}), "the API has change 0, the database 1"),
    ],
)
def test_an_api_that_does_not_answer_as_it_should(world, job, answer, said):
    world.answers["/api/"] = answer

    hops = walk(job.token)

    assert broken(hops) == ["API"]
    assert said in hops["API"].said
    assert hops["API"].remedy


def test_a_server_that_is_down(world, job, settings):
    settings.API_ORIGIN = f"http://127.0.0.1:{free_port()}"

    hops = walk(job.token)

    assert broken(hops) == ["API", "socket"]
    assert "cannot be reached" in hops["API"].said
    assert "Connection refused" in hops["socket"].said


def test_an_api_elsewhere_whose_answers_browsers_may_not_read(world, job, settings):
    settings.API_ORIGIN = settings.PUBLIC_ORIGIN.replace("127.0.0.1", "localhost")

    assert walk(job.token)["API"].said == f"browsers on {settings.PUBLIC_ORIGIN} may not read its answer"
    world.answers["/api/"] = (*world.answers["/api/"][:2], {"Access-Control-Allow-Origin": settings.PUBLIC_ORIGIN})
    assert broken(walk(job.token)) == []


@pytest.mark.parametrize(
    ("answer", "said", "remedy"),
    [
        (
            None,
            "no websocket: the server answered “HTTP/1.0 404 Not Found” instead of 101",
            "let the proxy pass websockets",
        ),
        (4004, "the socket does not know the link", "same database"),
        (4010, "the socket says that the link has ended", "books a new one"),
        (4029, "too many sockets are open from here or for this link", "close some"),
        (1011, "the socket answers 1011", "server's log"),
        ({"type": "odd"}, "the socket answers something else", "server's log"),
    ],
)
def test_a_socket_that_does_not_send_the_job(world, job, answer, said, remedy):
    world.socket = answer

    hops = walk(job.token)

    assert (broken(hops), hops["socket"].said) == (["socket"], said)
    assert remedy in hops["socket"].remedy


def test_no_hop_is_waited_for_longer_than_it_may_take(world, job):
    world.wait = 60
    trace, hops = Trace(job.token, 30), {}
    for hop in trace.hops():
        hops[hop.name] = hop
        if hop.name == "release":  # those up to here ask nobody who is silent, and a slow machine takes its time
            trace.seconds, began = 0.3, time.monotonic()

    assert time.monotonic() - began < 25
    assert broken(hops) == ["site", "API", "socket"]
    assert hops["site"].said == hops["API"].said == "no answer within 0.3 s"
    assert hops["site"].remedy == "check PUBLIC_ORIGIN, its DNS and its distribution"
    assert tracing.SECONDS == 10


@pytest.mark.processes
def test_the_command_ends_when_its_last_hop_does_whoever_is_still_silent(job, tmp_path):
    """A site that sends the page and never an asset: a dozen looks are still waiting when there is nothing more to say."""
    world = World(job)
    page = PAGE + b"".join(b'<script src="/static/%d.js"></script>' % n for n in range(40))
    world.answers["/track/"] = (200, page, {})
    world.silent = "/static/"
    with product() as made, serving(world) as origin:
        _, token = made.add_job()
        made.env |= {"PUBLIC_ORIGIN": origin, "API_ORIGIN": origin}
        command = [sys.executable, "manage.py", "trace", token, "--seconds", "3"]
        with subprocess.Popen(command, cwd=ROOT, env=made.env, stdout=subprocess.PIPE, text=True) as running:
            said = [(line, time.monotonic()) for line in running.stdout]
            code = running.wait(80)
            ended = time.monotonic()

    last = next(at for line, at in said if " socket " in line)
    assert (code, ended - last < 30) == (1, True)
    assert any("site" in line and "no answer within 3 s" in line for line, _ in said)


# --- as a command


def run(*arguments: str) -> tuple[int, str]:
    printed = io.StringIO()
    try:
        call_command("trace", *arguments, stdout=printed)
    except SystemExit as ended:
        return ended.code, printed.getvalue()
    return 0, printed.getvalue()


@pytest.mark.parametrize("token", ["-a23456789012345678901234567890-", "--verbosity-is-no-option-of-ours", "-vabcdefg"])
def test_a_token_may_begin_with_a_dash(world, job, monkeypatch, token):
    monkeypatch.setattr(connections, "close_all", lambda: None)  # as a process does at its end
    Job.objects.filter(pk=job.pk).update(token=token)
    copy(job)
    printed = io.StringIO()

    with suppress(SystemExit):
        Command(stdout=printed).run_from_argv(["manage.py", "trace", "--no-color", token, "--json"])

    told = json.loads(printed.getvalue())
    assert (told["ok"], told["job"]) == (True, job.uid)


def test_exit_codes_and_what_a_person_reads(world, job, settings):
    code, said = run(link(job, settings))
    assert (code, said.splitlines()[-1], said.count("✓")) == (0, "The whole way works.", 8)

    world.socket = None
    code, said = run(job.token)
    assert (code, said.splitlines()[-2:]) == (1, [
        "Broken at socket: no websocket: the server answered “HTTP/1.0 404 Not Found” instead of 101.",
        "To do: let the proxy pass websockets on; pages ask every few seconds meanwhile.",
    ])  # fmt: skip
    assert job.token not in said
    assert run("???")[0] == 2


def test_for_programs(world, job):
    world.socket = 4004

    code, said = run(job.token, "--json")

    told = json.loads(said)
    assert (code, told["ok"], told["broken"], told["job"]) == (1, False, "socket", job.uid)
    assert [hop["hop"] for hop in told["hops"]] == HOPS
    assert told["hops"][-1] | {"ms": 0} == {
        "hop": "socket", "state": BROKEN, "said": "the socket does not know the link", "ms": 0,
        "remedy": "is the server on the same database? Check DATABASE_URL and API_ORIGIN",
    }  # fmt: skip
    assert job.token not in said


def test_the_first_broken_hop_is_the_one_that_is_named(world, job):
    flow.move(job, "scheduled", by="Ana", channel="board", expect=job.seq)

    code, said = run(job.uid)

    assert code == 1
    assert "Broken at mirror: the copy has change 1, the job 2." in said
