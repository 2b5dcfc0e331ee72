"""The board's forms and dialogs: whole at every width, and what is pressed twice is done once."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.test_crew_lanes import day, elsewhere, lane, lanes, new_job  # noqa: F401 fixtures
from tests.e2e.test_dispatcher import card
from tests.e2e.test_pages import SCREENS, too_wide, violations

pytestmark = pytest.mark.browser

WIDTHS = {320: 640, 390: 844, 768: 1024, 1440: 900}
STICKING_OUT = """() => {
  const shown = document.querySelector("dialog:modal") || document.body;
  const { left } = shown.getBoundingClientRect();
  const padding = parseFloat(getComputedStyle(shown).paddingRight);
  const edge = shown === document.body ? innerWidth : left + shown.clientLeft + shown.clientWidth - padding;
  const mayScroll = (one) => /auto|scroll/.test(getComputedStyle(one).overflowX);
  const scrolls = (one) => one !== shown && (mayScroll(one) || scrolls(one.parentElement));
  const isSeen = (one) => one.checkVisibility({ visibilityProperty: true }) && one.offsetWidth > 1;
  const isOut = (one) => one.getBoundingClientRect().right > edge + 0.5 && !scrolls(one.parentElement);
  const out = [...shown.querySelectorAll("*")].filter((one) => isSeen(one) && isOut(one));
  return out.map((one) => one.outerHTML.slice(0, 90));
}"""
SMALL = """() => {
  const shown = document.querySelector("dialog:modal") || document.body;
  const what = "button:not(.open), input:not([type=checkbox]), select, label.switch, label.chip";
  const small = (one) => one.checkVisibility() && one.offsetWidth > 1 && one.getBoundingClientRect().height < 44;
  return [...shown.querySelectorAll(what)].filter(small).map((one) => one.outerHTML.slice(0, 90));
}"""


def whole(page) -> tuple:
    """Nothing beside the window or the dialog, and on a phone nothing too small for a finger."""
    is_phone = page.viewport_size["width"] < 760
    return too_wide(page), page.evaluate(STICKING_OUT), page.evaluate(SMALL) if is_phone else []


WHOLE = (0, [], [])
LONG_TITLE = "Cottonwood Heights senior center clean-out, and " + "storage" * 7


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_wider_than_the_window(lanes, day, width):  # noqa: F811
    day.step("claim", "north", "Otto Orr")
    day.step("release", "north", "Otto Orr", reason="My car broke down.")
    ana = lanes(viewport={"width": width, "height": WIDTHS[width]}, has_touch=width < 760)
    page, dialog = ana.page, ana.page.locator("dialog[open]")

    assert whole(page) == WHOLE
    if width < 760:
        page.get_by_role("tab", name="North").click()
        assert whole(page) == WHOLE
    page.get_by_role("button", name="New event").click()
    assert whole(page) == WHOLE
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.locator("[aria-invalid]").first).to_be_visible()
    assert whole(page) == WHOLE
    page.keyboard.press("Escape")
    lane(ana, "North").get_by_role("button", name="People").click()
    assert whole(page) == WHOLE
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Status", exact=True).click()
    assert whole(page) == WHOLE
    page.locator("#freshness span").evaluate("(said) => (said.textContent = 'Offline since 12:02 PM')")
    assert whole(page) == WHOLE
    page.get_by_role("button", name="New job").click()
    assert whole(page) == WHOLE
    page.keyboard.press("Escape")
    page.locator(".card:visible .open").first.click()
    expect(page.locator("#drawer")).to_be_visible()
    assert whole(page) == WHOLE
    page.keyboard.press("Escape")
    page.locator(".card:visible [data-action=move]").first.click()
    assert whole(page) == WHOLE
    page.locator("#move-dialog").get_by_role("button", name="Crew…").click()
    expect(page.locator("#crew-dialog")).to_be_visible()
    assert whole(page) == WHOLE
    ana.complaints[:] = [text for text in ana.complaints if "422" not in text]


@pytest.mark.parametrize("width", WIDTHS)
def test_a_new_event_is_at_hand_at_every_width(lanes, width):  # noqa: F811
    ana = lanes(viewport={"width": width, "height": WIDTHS[width]}, has_touch=width < 760)
    bar = ana.page.get_by_role("region", name="Day of the crews")

    for one in bar.locator("button, input, .crews-fresh").all():
        box = one.bounding_box()
        assert (box["x"] >= 0, box["x"] + box["width"] <= width) == (True, True), one.inner_text()
    assert bar.evaluate("(one) => one.scrollWidth - one.clientWidth") == 0


@pytest.mark.parametrize("width", WIDTHS)
def test_a_long_title_is_whole_in_lanes_and_dialogs(lanes, day, elsewhere, new_job, width):  # noqa: F811
    new_job(location="1 Long Ct", **day.window())
    elsewhere.run(f"one = event({LONG_TITLE!r}, {day.date!r})")
    ana = lanes(viewport={"width": width, "height": WIDTHS[width]}, has_touch=width < 760)

    ana.page.locator(".card:visible [data-action=crew]").first.click()
    expect(ana.page.locator("#crew-dialog").get_by_role("button", name="Cottonwood")).to_be_visible()
    assert whole(ana.page) == WHOLE
    ana.page.keyboard.press("Escape")
    if width < 760:
        ana.page.get_by_role("tab", name="Cottonwood").click()
    for name in ("People", "Edit"):
        lane(ana, LONG_TITLE).get_by_role("button", name=name).click()
        assert whole(ana.page) == WHOLE
        ana.page.keyboard.press("Escape")
    elsewhere.run("plan.cancel_event(one, by='Test', reason='The test is over.')")


def test_a_job_that_is_saved_twice_is_one_job(screen):
    """Two presses, and once more after an answer that got lost on the way."""
    ana, held, keys, jobs = screen("ana"), [], [], []

    def answer_the_first(*, is_lost=False):
        """After all presses: an answer in between would let the last one begin anew."""
        expect(save).to_have_text("Saving…")
        expect(save).to_have_attribute("aria-disabled", "true")
        route = held.pop(0)
        keys.append(route.request.headers["idempotency-key"])
        answer = route.fetch()
        jobs.append(answer.json()["id"])
        if is_lost:
            route.abort()
        else:
            route.fulfill(response=answer)

    ana.page.route("**/api/v1/jobs", lambda route: held.append(route))
    ana.page.get_by_role("button", name="New job").click()
    drawer = ana.page.locator("#drawer")
    save = drawer.locator("[data-action=save]")
    drawer.get_by_label("Address").fill("1 Once St")
    with ana.page.expect_request("**/api/v1/jobs"):
        save.dblclick()
    answer_the_first(is_lost=True)
    expect(drawer.get_by_role("alert").first).to_have_text("The server cannot be reached. Try again when you are online.")
    expect(save).to_be_focused()
    expect(save).to_have_text("Save")
    assert violations(ana.page) == []
    with ana.page.expect_request("**/api/v1/jobs"):
        drawer.get_by_label("Address").press("Enter")
    drawer.get_by_label("Address").press("Enter")
    answer_the_first()

    expect(drawer).to_be_hidden()
    expect(ana.page.locator(".card", has_text="1 Once St")).to_have_count(1)
    assert (held, len(jobs), len(set(jobs)), len(set(keys))) == ([], 2, 1, 1)

    ana.page.get_by_role("button", name="New job").click()
    drawer.get_by_label("Address").fill("1 Once St")
    with ana.page.expect_request("**/api/v1/jobs"):
        save.click()
    answer_the_first()
    expect(drawer).to_be_hidden()
    expect(ana.page.locator(".card", has_text="1 Once St")).to_have_count(2)
    assert (held, len(set(jobs)), len(set(keys))) == ([], 2, 2)
    ana.complaints[:] = [text for text in ana.complaints if "ERR_FAILED" not in text]


def test_what_is_typed_after_an_answer_that_got_lost_is_not_taken_for_saved(screen):
    ana, lost = screen("ana"), []

    def lose(route):
        lost.append(route.fetch().json()["id"])
        route.abort()

    ana.page.route("**/api/v1/jobs", lose, times=1)
    ana.page.get_by_role("button", name="New job").click()
    drawer = ana.page.locator("#drawer")
    drawer.get_by_label("Address").fill("1 Later St")
    drawer.get_by_role("button", name="Save").click()
    expect(drawer.get_by_role("alert").first).to_contain_text("The server cannot be reached")
    drawer.get_by_label("Notes", exact=True).fill("Two sofas")
    drawer.get_by_role("button", name="Save").click()

    expect(drawer.get_by_role("alert").first).to_have_text(
        "This job was saved as you had it first. Close this, and change it on the board."
    )
    ana.page.once("dialog", lambda dialog: dialog.accept())
    ana.page.keyboard.press("Escape")
    expect(card(ana, lost[0])).to_have_count(1)
    ana.complaints[:] = [text for text in ana.complaints if not re.search("ERR_FAILED|422", text)]


def test_a_form_that_was_closed_while_it_was_saved_says_what_came_of_it(screen):
    ana, held = screen("ana"), []
    ana.page.route("**/api/v1/jobs", lambda route: held.append(route), times=1)
    ana.page.get_by_role("button", name="New job").click()
    drawer = ana.page.locator("#drawer")
    drawer.get_by_label("Address").fill("1 Closed St")
    with ana.page.expect_request("**/api/v1/jobs"):
        drawer.get_by_role("button", name="Save").click()

    asked = []
    ana.page.once("dialog", lambda dialog: (asked.append(dialog.message), dialog.accept()))
    ana.page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()
    ana.page.get_by_role("button", name="New job").click()
    expect(drawer.get_by_role("button", name="Save")).not_to_have_attribute("aria-disabled", "true")
    drawer.get_by_label("Address").fill("2 Closed St")
    held[0].continue_()

    expect(ana.page.locator(".toast", has_text="1 Closed St is saved.")).to_be_visible()
    expect(drawer).to_be_visible()
    expect(drawer.get_by_label("Address")).to_have_value("2 Closed St")
    assert asked == ["Your changes are still being saved. Close all the same?"]


def test_a_text_is_sent_once_however_often_one_presses(screen, new_job):  # noqa: F811
    uid = new_job(location="1 Text St", customer_name="Marisol Vega", customer_phone="+13035550177")
    ana, sent = screen("ana"), []

    def lose_the_second(route):
        sent.append(route.request.headers["idempotency-key"])
        answer = route.fetch()
        if len(sent) == 2:
            route.abort()
        else:
            route.fulfill(response=answer)

    def texts():
        return len(ana.page.request.get(f"/api/v1/jobs/{uid}").json()["messages"])

    card(ana, uid).locator(".open").click()
    drawer = ana.page.locator("#drawer")
    ana.page.route(f"**/api/v1/jobs/{uid}/messages", lose_the_second)
    said = drawer.locator(".toast")

    drawer.get_by_role("button", name="Send", exact=True).dblclick()
    expect(said).to_have_count(1)
    assert (len(sent), texts()) == (1, 1)
    expect(drawer.get_by_role("region", name="Messages").get_by_role("listitem")).to_have_count(1)  # the job was read again

    ana.page.route(f"**/api/v1/jobs/{uid}", lambda route: route.abort())  # nor does the list show it
    drawer.get_by_role("button", name="Send", exact=True).click()
    expect(drawer.locator(".toast", has_text="The server cannot be reached")).to_be_visible()
    with ana.page.expect_response(f"**/api/v1/jobs/{uid}/messages"):
        drawer.get_by_role("button", name="Send", exact=True).click()
    ana.page.unroute(f"**/api/v1/jobs/{uid}")
    assert (len(sent), len(set(sent)), texts()) == (3, 2, 2)
    ana.complaints[:] = [text for text in ana.complaints if "ERR_FAILED" not in text]


def test_two_quick_presses_assign_one_person(lanes, day):  # noqa: F811
    ana, assigned = lanes(), []
    ana.page.on("request", lambda request: assigned.append(request.url) if request.url.endswith("/assign") else None)
    lane(ana, "North").get_by_role("button", name="Edit").click()
    ana.page.locator("#event-dialog").get_by_label("First mates").fill("3")
    ana.page.locator("#event-dialog").get_by_role("button", name="Save").click()
    expect(lane(ana, "North")).to_contain_text("3 first mates still needed")
    lane(ana, "North").get_by_role("button", name="People").click()
    dialog = ana.page.locator("#people-dialog")
    assign = dialog.get_by_role("button", name="Assign as first mate")
    assign.click()
    expect(dialog.get_by_role("button", name=re.compile("^Take .* off$"))).to_have_count(1)  # the answer was quick
    box = assign.bounding_box()
    ana.page.mouse.move(box["x"] + 5, box["y"] + 5)
    ana.page.mouse.down(click_count=2)
    ana.page.mouse.up(click_count=2)

    dialog.get_by_role("button", name="Done").click()
    expect(lane(ana, "North")).to_contain_text("1 captain and 2 first mates still needed")
    assert len(assigned) == 1


def test_what_is_asked_has_one_name_whoever_asks(screen, new_job, elsewhere):  # noqa: F811
    by_crew, by_customer = new_job("ready_for_pickup", location="1 Gate St"), new_job(location="2 Gate St")
    elsewhere.run(f"asks.ask_office(Job.objects.get(uid={by_crew!r}), 'no_access', text='Locked.', by='Dee Walker')")
    elsewhere.run(f"asks.ask(Job.objects.get(uid={by_customer!r}), 'cancel', text='My brother takes it.')")
    ana = screen("ana")

    ana.page.goto("/board/main/?asks=waiting")  # as in bookmarks

    expect(ana.page.get_by_role("checkbox", name="Asks")).to_be_checked()
    expect(card(ana, by_crew)).to_be_visible()
    expect(card(ana, by_customer)).to_be_visible()
    expect(ana.page.locator(".card:visible:not(:has(.ask))")).to_have_count(0)
    for uid, said in ((by_crew, "Crew had no access"), (by_customer, "Wants to cancel")):
        card(ana, uid).locator(".open").click()
        region = ana.page.locator("#drawer").get_by_role("region", name="Asks", exact=True)
        expect(region).to_contain_text(said)
        assert "ustomer" not in region.locator("h3").inner_text()
        region.get_by_role("button", name="Done").click()
        expect(ana.page.locator("#drawer .toast").last).to_contain_text("The asks are done.")
        ana.page.keyboard.press("Escape")


@pytest.mark.parametrize("size", SCREENS)
def test_a_button_that_does_nothing_now_looks_like_it(screen, size):
    ana = screen("ana", **SCREENS[size])
    ana.page.get_by_role("button", name="New job").click()
    looks = """([button, mark]) => {
      button.toggleAttribute("disabled", mark === "disabled");
      button.toggleAttribute("aria-disabled", false);
      if (mark === "aria-disabled") button.setAttribute("aria-disabled", "true");
      const { color, backgroundColor, borderTopStyle, cursor } = getComputedStyle(button);
      return [color, backgroundColor, borderTopStyle, cursor];
    }"""

    for button in ana.page.locator("#drawer footer .button, #event-dialog .dialog-foot .button").all():
        one = button.element_handle()
        one.evaluate("(button) => (button.style.transition = 'none')")
        ready, off, busy = (ana.page.evaluate(looks, [one, mark]) for mark in ("", "disabled", "aria-disabled"))
        assert off == busy
        assert (ready[2:], off[2:]) == (["solid", "pointer"], ["dashed", "not-allowed"])
        assert off[:2] != ready[:2]
    assert violations(ana.page) == []
