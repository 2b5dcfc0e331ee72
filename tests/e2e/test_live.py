"""The live board when things go wrong: no network, an old screen, a server that is killed. All screens agree afterwards."""

import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import pytest
from playwright.sync_api import expect

from tests import servers
from tests.e2e.conftest import wait_until

pytestmark = pytest.mark.browser

AGREE_WITHIN_S = 20
BACK_WITHIN_S = AGREE_WITHIN_S + 20  # after some tries in vain a board pauses for up to 20 s
MOVES, KILL_AFTER = 20_000, 60  # so many that the server is killed long before the last one
MOVE = """async ({uid, to, seq}) => {
    const token = document.querySelector('[name=csrfmiddlewaretoken]')?.value
        ?? document.cookie.match(/(?:^|; )(?:__Host-)?csrf=([^;]+)/)[1];
    const answer = await fetch(`/api/v1/jobs/${uid}/move`, {
        method: "POST",
        headers: {"Content-Type": "application/json", "X-CSRFToken": token},
        body: JSON.stringify({to, seq})
    });
    return answer.status;
}"""
COLUMNS = """() => Object.fromEntries([...document.querySelectorAll('.column')].map(
    (column) => [column.id, [...column.querySelectorAll('.card')].map((card) => card.dataset.id).sort()]))"""

COLUMN = "card => card.closest('.column').id"


def columns(page) -> dict:
    return page.evaluate(COLUMNS)


def is_live(page) -> bool:
    return page.locator("#freshness").get_attribute("data-state") == "live"


def agree(pages, seconds=AGREE_WITHIN_S) -> None:
    """All say Live and show the same cards in the same columns, which are those that the server has."""

    def same() -> bool:
        return all(is_live(page) for page in pages) and all(columns(page) == columns(pages[0]) for page in pages[1:])

    wait_until(same, seconds=seconds, what="all screens are live and agree")


def move(page, uid, to) -> int:
    job = page.evaluate("(uid) => fetch(`/api/v1/jobs/${uid}`).then((answer) => answer.json())", uid)
    return page.evaluate(MOVE, {"uid": uid, "to": to, "seq": job["seq"]})


def ids(window, status, count) -> list[str]:
    return window.column(status).locator(".card").evaluate_all("cards => cards.map((card) => card.dataset.id)")[:count]


def forget_network_errors(*windows) -> None:
    """What the browser itself says about a line that the test has cut."""
    for window in windows:
        window.complaints[:] = [
            text for text in window.complaints if "ERR_INTERNET_DISCONNECTED" not in text and "WebSocket" not in text
        ]


def test_who_was_offline_catches_up_on_both_tabs(screen):
    ana, ben = screen("ana"), screen("ben")
    second = ana.page.context.new_page()
    second.goto("/")
    expect(second.locator('#freshness[data-state="live"]')).to_be_visible()
    moved = ids(ben, "scheduled", 5)
    assert len(moved) == 5
    before = columns(ana.page)

    ana.page.context.set_offline(True)
    expect(ana.page.locator('#freshness[data-state="offline"]')).to_be_visible()
    assert [move(ben.page, uid, "ready_for_pickup") for uid in moved] == [200] * 5
    expect(ben.page.locator(f'#column-ready_for_pickup .card[data-id="{moved[-1]}"]')).to_be_visible()
    assert columns(ana.page) == before
    ana.page.context.set_offline(False)

    agree([ana.page, second, ben.page])
    assert set(moved) <= set(columns(ana.page)["column-ready_for_pickup"])
    forget_network_errors(ana)


@pytest.fixture
def deaf(screen):
    """Ana's board on a line that says Live and brings nothing while `held` is true."""
    ana, line = screen("ana"), {"held": False, "missed": []}

    def carry(page_side) -> None:
        server_side = page_side.connect_to_server()
        server_side.on_message(lambda text: line["missed"].append(text) if line["held"] else page_side.send(text))

    ana.page.route_web_socket("**/ws/board/main/", carry)
    ana.page.reload()
    expect(ana.page.locator('#freshness[data-state="live"]')).to_be_visible()
    ana.line = line
    return ana


def test_a_move_from_an_old_screen_is_refused_and_undoes_nobodys_work(screen, deaf):
    ana, ben = deaf, screen("ben")
    uid, other, last = ids(ana, "requested", 3)
    card = ana.page.locator(f'.card[data-id="{uid}"]')

    ana.line["held"] = True
    assert [move(ben.page, uid, to) for to in ("ready_for_pickup", "en_route")] == [200, 200]
    assert move(ben.page, other, "scheduled") == 200
    expect(ben.page.locator(f'#column-en_route .card[data-id="{uid}"]')).to_be_visible()
    assert card.evaluate(COLUMN) == "column-requested"
    card.get_by_role("button", name="Move").click()
    ana.page.get_by_role("dialog").get_by_role("button", name="Scheduled").click()

    expect(ana.page.locator(".toast")).to_contain_text("Ben Okafor moved this to On the way")
    assert [card.evaluate(COLUMN), ben.page.locator(f'.card[data-id="{uid}"]').evaluate(COLUMN)] == ["column-en_route"] * 2
    ana.line["held"] = False
    assert move(ben.page, last, "scheduled") == 200  # its delta shows that some are missing
    agree([ana.page, ben.page])
    ana.complaints[:] = [text for text in ana.complaints if "409" not in text]  # the refusal itself


# --- a server that is killed


@contextmanager
def desk(origin):
    """Ana over HTTP, as a script."""
    with httpx.Client(base_url=origin, headers={"Origin": origin}, timeout=10) as client:
        client.get("/login/").raise_for_status()
        form = {"username": "ana", "password": "password", "csrfmiddlewaretoken": client.cookies["csrf"]}
        assert client.post("/login/", data=form).status_code == 302
        yield client


def post(client, path, body) -> httpx.Response:
    return client.post(path, json=body, headers={"X-CSRFToken": client.cookies["csrf"]})


@pytest.fixture
def product():
    with servers.product() as running:
        running.serve()
        yield running


def open_window(context, origin, client):
    context.add_cookies([{"name": name, "value": value, "url": origin} for name, value in client.cookies.items()])
    page = context.new_page()
    page.goto(f"{origin}/board/main/")
    expect(page.locator('#freshness[data-state="live"]')).to_be_visible()
    return page


def test_a_server_killed_in_a_burst_of_moves_loses_nothing_that_it_acknowledged(product, browser):
    server, acknowledged = product.started[-1], {}
    contexts = [browser.new_context() for _ in range(2)]
    with desk(product.origin) as client, ThreadPoolExecutor(1) as pool:
        jobs = [post(client, "/api/v1/jobs", {"location": f"{number} Elm St"}).json() for number in range(10)]
        pages = [open_window(context, product.origin, client) for context in contexts]
        pages.append(contexts[0].new_page())
        pages[2].goto(f"{product.origin}/board/main/")
        agree(pages)

        def burst() -> int:
            for number in range(MOVES):
                job = jobs[number % len(jobs)]
                to = "scheduled" if job["status"] == "requested" else "requested"
                try:
                    answer = post(client, f"/api/v1/jobs/{job['id']}/move", {"to": to, "seq": job["seq"]})
                except httpx.TransportError:
                    return number  # the server is gone
                jobs[number % len(jobs)] = answer.raise_for_status().json()
                acknowledged[job["id"]] = answer.json()["seq"]
            return MOVES

        running = pool.submit(burst)
        wait_until(lambda: max(acknowledged.values(), default=0) >= KILL_AFTER, seconds=20, what="the burst is under way")
        assert server.stop(signal.SIGKILL) == -signal.SIGKILL
        made = running.result(20)
        for page in pages:
            expect(page.locator('#freshness[data-state="offline"]')).to_be_visible()

        product.serve(product.port)
        agree(pages, BACK_WITHIN_S)
        board = client.get("/api/v1/boards/main").raise_for_status().json()

    assert KILL_AFTER - len(jobs) <= made < MOVES
    kept = {job["id"]: job["seq"] for job in board["jobs"]}
    assert {uid: kept[uid] for uid, seq in acknowledged.items() if kept[uid] < seq} == {}
    wanted = {f"column-{column['status']}": [] for column in board["columns"]}
    for job in board["jobs"]:
        wanted[f"column-{job['status']}"].append(job["id"])
    assert columns(pages[0]) == {name: sorted(cards) for name, cards in wanted.items()}
    for context in contexts:
        context.close()
