"""nginx with njs in front of the real server, a folder of pages and the real copies of jobs, as `make edge` starts it."""

import http.client
import json
import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from edge import engine
from edge.local import nginx
from tests.conftest import missing
from tests.edge import njs
from tests.postgres import free_port
from tests.servers import Process, Product
from tests.waiting import wait_for

TOKENS = [f"token-of-customer-{number:04}" for number in range(2_000)]
UID = "a-job-behind-the-edge"
SITE = {
    "track.html": "the tracking page",
    "book.html": "the booking page",
    "404.html": "nothing here",
    "release.json": "{}",
    "static/tracking/track.0f3a9c1b.js": "export {};",
}


class Edge:
    """`python -m edge.local` as a process."""

    def __init__(
        self, folder: Path, state: Path, dispatch: str, port: int | None = None, state_seconds: int = 1
    ) -> None:  # fmt: skip
        self.port, self.log = port or free_port(), folder / "behind.log"
        self.origin = f"http://127.0.0.1:{self.port}"
        site = folder / "site"
        for name, text in SITE.items():
            (site / name).parent.mkdir(parents=True, exist_ok=True)
            (site / name).write_text(text)
        options = {
            "site": site,
            "state": state,
            "dispatch": dispatch,
            "port": self.port,
            "log": self.log,
            "page-seconds": 3600,
            "state-seconds": state_seconds,
        }
        command = [sys.executable, "-m", "edge.local", *(f"--{name}={value}" for name, value in options.items())]
        self.process = Process(command, folder / "edge.log", {**os.environ, "TMPDIR": str(folder)})

    def wait(self) -> None:
        self.process.wait_until(lambda: "Ctrl-C stops it." in self.process.read_log())

    def behind(self) -> list[str]:
        """What the cache did not answer."""
        return self.log.read_text().splitlines()

    def get(self, path: str, **headers: str) -> httpx.Response:
        return httpx.get(f"{self.origin}{path}", headers=headers, timeout=30)


@pytest.fixture(scope="module")
def edge(product: Product, tmp_path_factory) -> Iterator[Edge]:
    try:
        nginx.find()
    except nginx.CannotRun as reason:
        missing(str(reason))
    edge = Edge(tmp_path_factory.mktemp("edge"), product.folder / "state" / "public", f"127.0.0.1:{product.port}")
    try:
        edge.wait()
        yield edge
    finally:
        edge.process.stop()


@pytest.fixture(scope="module")
def link(edge: Edge, product: Product) -> str:
    """The token of a job whose public copy is there. Its address was asked for before there was a job."""
    token = "customer-of-the-local-edge"
    asked_too_early = edge.get(f"/api/v1/track/{token}").status_code
    assert asked_too_early == 404
    product.shell(
        "from dispatch.models import Board\nfrom tests.factories import make_job\n"
        f"make_job(Board.objects.get(slug='main'), token={token!r}, uid='{UID}')"
    )
    wait_for((product.folder / "state" / "public" / "track" / f"{token}.json").exists, "the copy", seconds=40)
    return token


@pytest.mark.processes
def test_one_kept_page_serves_the_links_of_all_customers(edge):
    connection = http.client.HTTPConnection("127.0.0.1", edge.port)
    pages = set()
    for token in TOKENS:
        connection.request("GET", f"/track/{token}?utm_source=sms")
        reply = connection.getresponse()
        pages.add((reply.status, reply.read()))
    connection.close()

    assert pages == {(200, b"the tracking page")}
    assert [line for line in edge.behind() if "track" in line] == ["GET /track.html"]


@pytest.mark.processes
def test_the_browser_never_sees_what_the_function_made_of_its_address(edge):
    answer = edge.get("/track/Ab3-_xYz01?lang=es")

    assert (answer.status_code, answer.history) == (200, [])
    assert [value for value in [answer.text, *answer.headers.values()] if "Ab3-_xYz01" in value or "token" in value] == []


@pytest.mark.processes
@pytest.mark.parametrize("path", ["/book", "/book/", "/book/when", "/book/when/?step=done"])
def test_every_step_is_the_booking_page(edge, path):
    assert edge.get(path).text == "the booking page"


@pytest.mark.processes
@pytest.mark.parametrize("path", ["/track", "/track/x", "/track/Ab3-_xYz01%2F", "/book/payment", "/track/" + "a" * 7000])
def test_garbage_is_the_missing_page_and_is_kept_too(edge, path):
    edge.get("/track/x")
    before = edge.behind()

    assert edge.get(path).text == "nothing here"
    assert edge.behind() == before


@pytest.mark.processes
@pytest.mark.parametrize("path", ["/", "/no/such/page", "/static/nothing.js", "/track.html/x", "/state/", "/board/main/"])
def test_what_is_not_there_is_404_with_the_same_page(edge, path):
    answer = edge.get(path)

    assert (answer.status_code, answer.text) == (404, "nothing here")


@pytest.mark.processes
def test_a_file_with_a_hash_in_its_name_is_kept_for_good(edge):
    answers = [edge.get(f"/static/tracking/track.0f3a9c1b.js?{number}") for number in range(3)]

    assert {answer.headers["Cache-Control"] for answer in answers} == {"public, max-age=31536000, immutable"}
    assert {answer.headers["Content-Type"] for answer in answers} == {"text/javascript; charset=utf-8"}
    assert edge.behind().count("GET /static/tracking/track.0f3a9c1b.js") == 1


@pytest.mark.processes
def test_pages_are_asked_for_again_by_browsers(edge):
    assert "max-age=0" in edge.get("/track/Ab3-_xYz01").headers["Cache-Control"]


def write_copy(state: Path, seq: int) -> str:
    """Where it is asked for."""
    copy = state / "track" / "kept-for-a-moment.json"
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_text(json.dumps({"seq": seq}))
    return f"/state/track/{copy.name}"


@pytest.mark.processes
def test_a_copy_is_kept(edge, tmp_path):
    another = Edge(tmp_path, tmp_path / "state", "127.0.0.1:9", state_seconds=3600)
    try:
        another.wait()
        path = write_copy(tmp_path / "state", 1)
        first, second = another.get(path), another.get(path + "?x=1")
        write_copy(tmp_path / "state", 2)
        third = another.get(path)
    finally:
        another.process.stop()

    assert [answer.json() for answer in (first, second, third)] == [{"seq": 1}] * 3
    assert [answer.headers["X-Cache"] for answer in (first, second, third)] == ["MISS", "HIT", "HIT"]
    assert first.headers["Cache-Control"] == "no-cache"


@pytest.mark.processes
def test_a_copy_is_read_anew_after_a_moment(edge, product):
    path = write_copy(product.folder / "state" / "public", 1)
    assert edge.get(path).json() == {"seq": 1}

    write_copy(product.folder / "state" / "public", 2)

    wait_for(lambda: edge.get(path).json() == {"seq": 2}, "the newer copy", seconds=30)


@pytest.mark.processes
def test_the_copy_of_a_real_job_is_served(edge, link):
    assert edge.get(f"/state/track/{link}.json").json()["seq"] >= 1


@pytest.mark.processes
@pytest.mark.parametrize(
    "path", ["/state/../jobs/{uid}.json", "/state/..%2fjobs/{uid}.json", "/state/track/%2e%2e/%2e%2e/jobs/{uid}.json"]
)
def test_what_is_private_in_the_copies_cannot_be_reached(edge, product, link, path):
    connection = http.client.HTTPConnection("127.0.0.1", edge.port)
    connection.request("GET", path.format(uid=UID))
    reply = connection.getresponse()
    connection.close()

    assert (product.folder / "state" / "jobs" / f"{UID}.json").exists()
    assert reply.status in {400, 404}


@pytest.mark.processes
@pytest.mark.parametrize("path", ["/release.json", "/%72elease.json", "//release.json", "/./release.json?x=1"])
def test_who_released_what_is_not_for_the_public(edge, path):
    answer = edge.get(path)

    assert (answer.status_code, answer.text) == (404, "nothing here")


@pytest.mark.processes
def test_only_copies_of_jobs_are_served_from_their_folder(edge, product):
    (product.folder / "state" / "public").mkdir(parents=True, exist_ok=True)
    (product.folder / "state" / "public" / "something-else.json").write_text("{}")

    assert edge.get("/state/something-else.json").status_code == 404


@pytest.mark.processes
def test_the_api_is_never_kept(edge, link):
    answer = edge.get(f"/api/v1/track/{link}")

    assert answer.status_code == 200  # and no longer the 404 from before there was a job
    assert (answer.headers.get("X-Cache"), answer.headers["Cache-Control"]) == (None, "no-store")


@pytest.mark.processes
def test_a_socket_goes_through_and_only_for_pages_of_the_edge(edge, link):
    address = f"ws://127.0.0.1:{edge.port}/ws/track/"
    with connect(address, origin=edge.origin, open_timeout=30) as socket_:
        socket_.send(json.dumps({"type": "hello", "token": link}))
        assert json.loads(socket_.recv(30))["type"] == "state"

    with pytest.raises(InvalidStatus, match="403"):
        connect(address, origin="http://elsewhere.example", open_timeout=30)


@pytest.mark.processes
def test_pages_take_no_post(edge):
    assert httpx.post(f"{edge.origin}/track/Ab3-_xYz01").status_code == 403


@pytest.mark.processes
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "kill"])
def test_it_ends_with_all_that_it_started_and_leaves_nothing(edge, tmp_path, number):
    another = Edge(tmp_path, tmp_path, "127.0.0.1:9")
    another.wait()
    assert another.get("/track/Ab3-_xYz01").text == "the tracking page"  # without a server

    assert another.process.stop(number) == 0
    assert another.process.read_log().endswith("\nStopped.\n")
    assert list(tmp_path.glob("qdn-edge-*")) == []
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", another.port)) != 0


@pytest.mark.processes
def test_a_taken_port_is_one_line(edge, tmp_path):
    another = Edge(tmp_path, tmp_path, "127.0.0.1:9", port=edge.port)

    assert another.process.process.wait(40) == 1
    assert another.process.read_log() == f"port {edge.port}: Address already in use. Choose another with --port\n"


FOR_TESTS = {"page_seconds": 60, "state_seconds": 1, "log": Path(os.devnull)}


def local(tmp_path: Path, **changed: object) -> nginx.LocalEdge:
    return nginx.LocalEdge(
        **{"site": tmp_path, "state": tmp_path, "dispatch": "127.0.0.1:9", "port": 8080} | FOR_TESTS | changed
    )


def test_a_site_that_is_not_there_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(nginx, "find", lambda: (Path("nginx"), Path("module")))

    with pytest.raises(nginx.CannotRun, match="there is no site"), nginx.running(local(tmp_path)):
        pass


def test_an_nginx_that_is_not_there_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(nginx, "MODULE", Path("usr/lib/no-such-module.so"))

    with pytest.raises(nginx.CannotRun, match="nginx with JavaScript is missing"):
        nginx.find()


@pytest.mark.parametrize(
    "dispatch", ["127.0.0.1:9; } server {", "$host:80", "a b", 'x"y', "http://127.0.0.1:9", "127.0.0.1"]
)
def test_what_means_something_in_a_configuration_is_refused(tmp_path, dispatch):
    with pytest.raises(nginx.CannotRun, match="dispatch: "):
        local(tmp_path, dispatch=dispatch).write(tmp_path, Path("/module.so"))


def test_nginx_gets_the_function_byte_by_byte(tmp_path):
    local(tmp_path).write(tmp_path, Path("/module.so"))

    assert (tmp_path / "edge.js").read_bytes().startswith(engine.FUNCTION.read_bytes())


parts = st.sampled_from(["token=1", "__proto__=1", "constructor=2", "%74oken", "", "=", "é=+"]) | st.text(
    "ab=%2", max_size=5
)


@given(st.lists(st.lists(parts, max_size=6).map("&".join), min_size=1, max_size=30))
@settings(max_examples=8, deadline=None)
def test_nginx_and_django_give_the_function_the_same_query(queries):
    adapter = (nginx.HERE / "adapter.js").read_text().partition("export default")[0]

    assert njs.run(f"{adapter}\nvar result = JSON.parse({json.dumps(json.dumps(queries))}).map(query);") == [
        engine.parse_query(text) for text in queries
    ]
