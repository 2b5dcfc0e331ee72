"""What is under the pointer stays there, so that a click hits what it was meant for."""

from datetime import datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests.e2e.test_dispatcher import card, in_column, new_job  # noqa: F401

pytestmark = pytest.mark.browser

SCROLLED = """async (list) => {
  list.scrollTop = list.scrollHeight;
  const cards = [...list.querySelectorAll(".card")].slice(-4);
  const places = () => cards.map((card) => Math.round(card.getBoundingClientRect().top));
  const before = places();
  for (let frame = 0; frame < 5; frame += 1) await new Promise(requestAnimationFrame);
  return [before, places()];
}"""
MOVED = """async (id) => {
  const job = await (await fetch(`/api/v1/jobs/${id}`)).json();
  const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
  const headers = { "Content-Type": "application/json", "X-CSRFToken": token };
  const body = JSON.stringify({ to: "ready_for_pickup", seq: job.seq, notify: false });
  return (await fetch(`/api/v1/jobs/${id}/move`, { method: "POST", headers, body })).status;
}"""


def test_nothing_moves_after_a_column_was_scrolled(screen):
    ana = screen("ana")
    lists = ana.page.locator(".column .cards").all()
    longest = max(lists, key=lambda one: one.locator(".card").count())
    assert longest.evaluate("list => list.scrollHeight > 2 * list.clientHeight")

    before, after = longest.evaluate(SCROLLED)

    assert after == before


def test_a_press_holds_the_board_until_it_is_a_click(screen, new_job):  # noqa: F811
    one, uid, other = (new_job(location=f"{n} Press St") for n in (1, 2, 3))
    ana = screen("ana")
    ana.page.clock.install()
    ana.page.clock.pause_at(datetime.now() + timedelta(seconds=15))  # no press is so long that it holds nothing any more
    with ana.page.expect_websocket() as opened:
        ana.page.goto("/board/main/?q=Press+St")  # nothing else in their column
    button = card(ana, uid).get_by_role("button", name="to…")
    button.hover()

    ana.page.mouse.down()
    for uid_of_another in (one, other):  # the card is in the middle: something above it goes
        with opened.value.expect_event("framereceived", lambda frame, uid=uid_of_another: uid in frame):
            assert ana.page.evaluate(MOVED, uid_of_another) == 200
    ana.page.mouse.up()
    ana.page.clock.resume()

    expect(ana.page.locator("#move-dialog")).to_contain_text("2 Press St")
    expect(in_column(ana, one, "ready_for_pickup")).to_be_visible()
    expect(in_column(ana, other, "ready_for_pickup")).to_be_visible()
