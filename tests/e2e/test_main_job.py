"""The main job: jobs.json in, a card dragged on a live board, and everybody else follows."""

import json
import re
from itertools import count

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import ROOT, SLOWED, wait_until
from tests.e2e.test_pages import violations

pytestmark = pytest.mark.browser

EXAMPLE = ROOT / "tests" / "data" / "jobs.json"
LOCATION = "Soderblom Ave"
LEFT_OVER = """async () => {
  const at = (hours) => new Date(Date.now() - hours * 3_600_000).toISOString();
  const job = { location: "1 Leftover St", window: { start: at(49), end: at(48) } };
  const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
  const headers = { "Content-Type": "application/json", "X-CSRFToken": token };
  await fetch("/api/v1/jobs", { method: "POST", headers, body: JSON.stringify(job) });
}"""


@pytest.fixture(scope="module")
def first_job(demo) -> dict:
    """The job that the project began with, imported as a company would."""
    jobs = json.loads(EXAMPLE.read_text())["jobs"]
    demo.manage("import_jobs", str(EXAMPLE))
    return next(iter(jobs.values()))


def drag(screen, card, target, there=None) -> None:
    """By mouse, as a person does: press, move in steps, look, let go."""
    card.hover()  # waits until it has come to rest
    start, end = card.bounding_box(), target.bounding_box()
    mouse = screen.page.mouse
    mouse.move(start["x"] + start["width"] / 2, start["y"] + 30)
    mouse.down()
    mouse.move(start["x"] + start["width"] / 2 + 12, start["y"] + 40, steps=4)
    mouse.move(end["x"] + end["width"] / 2, end["y"] + 90, steps=12)
    there, step = there or target.locator(".ghost").is_visible, count()

    def seen() -> bool:  # a hand is never quite still, and the board looks again only when it moves
        mouse.move(end["x"] + end["width"] / 2 + next(step) % 2, end["y"] + 90)
        return there()

    wait_until(seen, seconds=20, what="the card is seen where it will land")
    mouse.up()


def one(screen, job):
    return screen.page.locator(f'.card[data-id="{job["id"]}"]')


def in_column(screen, job, status):
    return screen.page.locator(f'#column-{status} .card[data-id="{job["id"]}"]')


def test_a_dragged_card_reaches_the_other_board_the_customer_and_the_mirror(screen, demo, first_job):
    ana, ben = screen("ana"), screen("ben")
    customer = screen(viewport={"width": 390, "height": 844})
    customer.page.goto(f"/track/{first_job['token']}")
    expect(customer.page.get_by_role("heading", level=1)).to_have_text("A crew is ready for you")
    expect(in_column(ben, first_job, "ready_for_pickup")).to_be_visible()

    drag(ana, in_column(ana, first_job, "ready_for_pickup"), ana.column("en_route"))

    expect(in_column(ana, first_job, "en_route")).to_be_visible()
    expect(in_column(ben, first_job, "en_route")).to_be_visible()
    expect(customer.page.get_by_role("heading", level=1)).to_have_text("The crew is on the way")
    expect(customer.page).to_have_url(re.compile(f"/track/{first_job['token']}$"))
    paths = [
        demo.var / "state" / name for name in (f"jobs/{first_job['id']}.json", f"public/track/{first_job['token']}.json")
    ]

    def read():
        return [json.loads(path.read_text()) for path in paths if path.exists()]

    wait_until(lambda: [copy["status"] for copy in read()] == ["en_route"] * 2, seconds=20, what="the mirror follows")
    document, public = read()
    assert [step["status"] for step in document["statusHistory"]][-2:] == ["ready_for_pickup", "en_route"]
    assert (document["statusHistory"][-1]["by"], document["price"], document["location"]) == ("Ana Ruiz", 600, LOCATION)
    assert (public["status"], public["headline"]) == ("en_route", "The crew is on the way")


def test_a_refused_drag_goes_back_to_its_slot_and_says_why(screen, first_job):
    ana = screen("ana")
    card = ana.column("requested").locator(".card").nth(1)
    moved = card.get_attribute("data-id")

    drag(ana, card, ana.column("completed"))

    toast = ana.page.locator(".toast")
    expect(toast).to_contain_text("A job that is Requested cannot go to Completed")
    assert ana.column("requested").locator(".card").nth(1).get_attribute("data-id") == moved
    ana.complaints[:] = [text for text in ana.complaints if "422" not in text]  # the refusal itself


def test_a_card_dragged_inside_its_column_stands_there_for_everybody(screen, first_job):
    ana, ben = screen("ana"), screen("ben")
    ana.page.evaluate(LEFT_OVER)  # it stands above the lane, and behind it in rank
    expect(ana.card("1 Leftover St")).to_be_visible()
    in_a_lane = '.lane[data-lane="unscheduled"] ~ .card'  # a card never leaves its lane, wherever it is dropped
    cards = ana.column("requested").locator(in_a_lane)
    first, second, third = (cards.nth(place).get_attribute("data-id") for place in range(3))

    drag(ana, cards.nth(2), ana.column("requested"), lambda: cards.nth(2).get_attribute("data-id") != third)

    def order(window):
        shown = window.column("requested").locator(in_a_lane)
        return [shown.nth(place).get_attribute("data-id") for place in range(3)]

    wait_until(
        lambda: sorted(order(ana)) == sorted((first, second, third)) and order(ana)[2] != third, seconds=20, what="moved up"
    )
    wait_until(lambda: order(ben) == order(ana), seconds=20, what="both screens agree")
    ana.page.reload()
    assert order(ana) == order(ben)


def test_the_move_menu_does_by_keyboard_what_dragging_does(screen, first_job):
    ana, ben = screen("ana"), screen("ben")
    card = ana.column("requested").locator(".card").first
    uid = card.get_attribute("data-id")

    card.get_by_role("button", name="to…").focus()
    ana.page.keyboard.press("Enter")
    expect(ana.page.get_by_role("dialog")).to_contain_text("Now in Requested")
    ana.page.keyboard.press("Enter")

    expect(ben.page.locator(f'#column-scheduled .card[data-id="{uid}"]')).to_be_visible()
    expect(ana.page.locator("#announcer")).to_contain_text("moved to Scheduled")


def test_cancelling_asks_for_the_reason_first(screen, first_job):
    ana = screen("ana")
    card = ana.column("requested").locator(".card").first
    uid = card.get_attribute("data-id")

    card.get_by_role("button", name="to…").click()
    ana.page.get_by_role("button", name="Cancelled").last.click()
    assert violations(ana.page) == []
    ana.page.get_by_label("Reason").fill("Moved to another city")
    ana.page.get_by_role("button", name="Cancel the job").click()

    ana.page.get_by_role("button", name="Cancelled").first.click()
    expect(ana.page.locator(f'#column-cancelled .card[data-id="{uid}"]')).to_be_visible()


def test_by_touch_a_swipe_scrolls_and_a_long_press_drags(screen, first_job):
    phone = screen("ana", viewport={"width": 390, "height": 600}, has_touch=True, is_mobile=True)
    finished = phone.page.locator("#tab-completed")  # a column without lanes
    finished.tap()
    cards, scrolled = phone.column("completed").locator(".card"), phone.page.locator("#column-completed .cards")
    first, second = cards.nth(0).get_attribute("data-id"), cards.nth(1).get_attribute("data-id")
    touch = phone.page.context.new_cdp_session(phone.page)

    def send(kind, **point):
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [point] if point else []})

    def middle(card):
        box = card.bounding_box()
        return box["x"] + 60, box["y"] + 40

    phone.page.evaluate(SLOWED.format(250))
    x, y = middle(cards.nth(1))
    send("touchStart", x=x, y=y)  # never a long press, however slowly the moves come
    for step in range(1, 6):
        send("touchMove", x=x, y=y - step * 30)
    wait_until(lambda: scrolled.evaluate("list => list.scrollTop") > 0, seconds=20, what="the column scrolls")
    send("touchEnd")
    assert [cards.nth(place).get_attribute("data-id") for place in (0, 1)] == [first, second]

    phone.page.reload()
    phone.page.wait_for_selector('#freshness[data-state="live"]')
    finished.tap()
    x, y = middle(cards.nth(1))
    send("touchStart", x=x, y=y)
    expect(cards.nth(1)).to_have_class(re.compile("sortable-chosen"))  # it was long enough
    for step in range(1, 9):
        send("touchMove", x=x, y=y - step * 20)
    step = count()

    def seen() -> bool:  # as in `drag`
        send("touchMove", x=x, y=y - 160 - next(step) % 2)
        return cards.nth(0).get_attribute("data-id") == second

    wait_until(seen, seconds=20, what="the card is seen where it will land")
    send("touchEnd")
    expect(cards.nth(0)).to_have_attribute("data-id", second)
    expect(phone.page.locator("#announcer")).to_contain_text("moved")
