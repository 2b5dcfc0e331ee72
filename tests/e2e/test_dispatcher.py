"""A dispatcher's hands: undo, conflicts in words, the drawer, lanes, filters, keys, and the day's list."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import wait_until
from tests.e2e.test_pages import violations

pytestmark = pytest.mark.browser


@pytest.fixture
def new_job(demo):
    """A fresh job of the given facts; gives its id."""

    def make(status="scheduled", **facts) -> str:
        code = (
            "from dispatch import flow; from dispatch.models import Board; board = Board.objects.get(slug='main')\n"
            f"print(flow.open_job(board, by='Test', channel='api', status={status!r}, **{facts!r}).uid)"
        )
        return demo.manage("shell", "-v", "0", "-c", code).strip()

    return make


def card(window, uid):
    return window.page.locator(f'.card[data-id="{uid}"]')


def in_column(window, uid, status):
    """Saved there: where a card was put it is shown before the server knows."""
    return window.page.locator(f'#column-{status} .card[data-id="{uid}"]:not([data-saving])')


def choose(window, uid, label) -> None:
    card(window, uid).get_by_role("button", name="to…").click()
    window.page.locator("#move-dialog").get_by_role("button", name=label, exact=True).click()


def test_undo_takes_a_move_back_for_everybody(screen, new_job):
    uid = new_job(location="1 Undo St")
    ana, ben = screen("ana"), screen("ben")

    undo = ana.page.get_by_role("button", name="Undo", exact=True)

    choose(ana, uid, "Ready for pickup")
    undo.focus()  # which keeps the message there
    expect(in_column(ben, uid, "ready_for_pickup")).to_be_visible()
    assert violations(ana.page) == []
    undo.click()

    expect(in_column(ana, uid, "scheduled")).to_be_visible()
    expect(in_column(ben, uid, "scheduled")).to_be_visible()
    expect(ana.page.locator("#announcer")).to_have_text("1 Undo St is back in Scheduled.")


def test_a_conflict_is_told_in_words_and_the_dispatcher_decides(screen, new_job):
    uid = new_job(location="1 Conflict St")
    ana, ben = screen("ana"), screen("ben")
    ana.page.route_web_socket("**/ws/board/**", lambda socket: None)  # Ana's line is dead, and says nothing
    ana.page.reload()
    expect(card(ana, uid)).to_be_visible()

    choose(ben, uid, "Ready for pickup")
    expect(in_column(ben, uid, "ready_for_pickup")).to_be_visible()
    choose(ana, uid, "On the way")

    dialog = ana.page.locator("#conflict-dialog")
    expect(dialog).to_contain_text(re.compile(r"Ben Okafor moved this to Ready for pickup \d+ s ago"))
    assert violations(ana.page) == []
    dialog.get_by_role("button", name="Keep it in Ready for pickup").click()
    expect(in_column(ana, uid, "ready_for_pickup")).to_be_visible()

    choose(ben, uid, "Scheduled")
    expect(in_column(ben, uid, "scheduled")).to_be_visible()
    choose(ana, uid, "On the way")
    dialog.get_by_role("button", name="Move it to On the way anyway").click()
    expect(in_column(ben, uid, "en_route")).to_be_visible()
    ana.complaints[:] = [text for text in ana.complaints if "409" not in text]


def test_a_job_is_read_and_edited_without_leaving_the_board(screen, new_job):
    uid = new_job(location="1 Drawer St", customer_phone="+13035550177", access_notes="Gate code 4471", price="385")
    ana, ben = screen("ana"), screen("ben")

    card(ana, uid).get_by_role("button", name="1 Drawer St", exact=True).click()
    drawer = ana.page.get_by_role("dialog", name="1 Drawer St")
    expect(drawer.get_by_label("Phone")).to_have_value("+13035550177")
    expect(drawer.get_by_label("Gate code")).to_have_value("Gate code 4471")
    expect(drawer.get_by_role("listitem")).to_contain_text("Scheduled")
    drawer.get_by_label("Window begins").fill("2030-07-04T09:00")
    drawer.get_by_label("Window ends").fill("2030-07-04T11:00")
    drawer.get_by_label("All-in price").fill("149.50")
    drawer.get_by_label("Phone").fill("(303) 555-0188")
    drawer.get_by_role("button", name="Save").click()

    expect(card(ben, uid)).to_contain_text("Thu 4, 9 – 11 AM")
    expect(card(ben, uid)).to_contain_text("$149.50")
    card(ben, uid).get_by_role("button", name="1 Drawer St", exact=True).click()
    expect(ben.page.get_by_label("Phone")).to_have_value("+13035550188")
    expect(ben.page.get_by_label("Window begins")).to_have_value("2030-07-04T09:00")


def test_what_is_wrong_stands_beside_its_field_and_nothing_is_lost(screen, new_job):
    uid = new_job(location="1 Wrong St")
    ana = screen("ana")
    card(ana, uid).get_by_role("button", name="1 Wrong St", exact=True).click()
    drawer = ana.page.locator("#drawer")

    drawer.get_by_label("Phone").fill("12")
    drawer.get_by_label("Notes", exact=True).fill("Two sofas")
    drawer.get_by_role("button", name="Save").click()

    expect(drawer.locator('[data-error="customer.phone"]')).to_contain_text("not a possible phone number")
    expect(drawer.get_by_label("Phone")).to_be_focused()
    drawer.get_by_label("Phone").fill("303 555 0188")
    drawer.get_by_label("Address").fill("")
    drawer.get_by_role("button", name="Save").click()
    expect(drawer.locator('[data-error="location"]')).to_contain_text("cannot be blank")
    expect(drawer.get_by_label("Notes", exact=True)).to_have_value("Two sofas")
    ana.complaints[:] = [text for text in ana.complaints if "422" not in text]


def test_two_people_editing_one_job_cannot_overwrite_each_other(screen, new_job):
    uid = new_job(location="1 Editors St")
    ana, ben = screen("ana"), screen("ben")
    for window in (ana, ben):
        card(window, uid).get_by_role("button", name="1 Editors St", exact=True).click()
        expect(window.page.locator("#drawer")).to_be_visible()
    notes = ana.page.get_by_label("Notes", exact=True)
    notes.fill("Two sofas")

    ben.page.get_by_label("Crew, with").fill("Dee Walker")
    ben.page.get_by_label("Notes", exact=True).fill("A piano")
    ben.page.locator("#drawer").get_by_role("button", name="Save").click()
    expect(ana.page.get_by_label("Crew, with")).to_have_value("Dee Walker")  # nobody typed there
    expect(notes).to_have_value("Two sofas")
    ana.page.locator("#drawer").get_by_role("button", name="Save").click()

    expect(ana.page.locator("#drawer").get_by_role("alert").first).to_contain_text("Ben Okafor changed this")
    ana.page.locator("#drawer").get_by_role("button", name="Save").click()
    expect(ana.page.locator("#drawer")).to_be_hidden()
    expect(ben.page.locator("#drawer")).to_be_hidden()  # an open job stands in the address
    ben.page.reload()
    card(ben, uid).get_by_role("button", name="1 Editors St", exact=True).click()
    expect(ben.page.get_by_label("Notes", exact=True)).to_have_value("Two sofas")
    expect(ben.page.get_by_label("Crew, with")).to_have_value("Dee Walker")
    ana.complaints[:] = [text for text in ana.complaints if "409" not in text]


def test_what_a_colleague_changed_meanwhile_is_no_conflict_elsewhere_in_the_form(screen, new_job):
    uid = new_job(location="1 Beside St")
    ana, ben = screen("ana"), screen("ben")
    for window in (ana, ben):
        card(window, uid).get_by_role("button", name="1 Beside St", exact=True).click()
    ana.page.get_by_label("Notes", exact=True).fill("Two sofas")
    ben.page.get_by_label("All-in price").fill("149.50")
    ben.page.locator("#drawer").get_by_role("button", name="Save").click()
    expect(ana.page.get_by_label("All-in price")).to_have_value("149.5")

    ana.page.locator("#drawer").get_by_role("button", name="Save").click()

    expect(ana.page.locator("#drawer")).to_be_hidden()
    expect(card(ana, uid)).to_contain_text("$149.50")


def test_a_new_job_is_opened_from_the_board(screen):
    ana, ben = screen("ana"), screen("ben")

    ana.page.keyboard.press("n")
    drawer = ana.page.get_by_role("dialog", name="New job")
    drawer.get_by_label("Address").fill("77 Brand New Ave")
    expect(drawer.get_by_label("Send a confirmation")).to_be_disabled()
    drawer.get_by_label("E-mail", exact=True).fill("new@example.com")
    expect(drawer.get_by_label("Send a confirmation")).to_be_checked()
    drawer.get_by_role("button", name="Save").click()

    expect(ana.page.locator(".toast")).to_contain_text("77 Brand New Ave is saved. E-mailing new@example.com now.")
    expect(ben.page.locator("#column-requested .card", has_text="77 Brand New Ave")).to_be_visible()


def test_unsaved_changes_are_not_lost_by_accident(screen, new_job):
    uid = new_job(location="1 Careless St")
    ana = screen("ana")
    card(ana, uid).get_by_role("button", name="1 Careless St", exact=True).click()
    ana.page.get_by_label("Notes", exact=True).fill("Two sofas")
    asked = []
    ana.page.once("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))

    ana.page.keyboard.press("Escape")

    expect(ana.page.get_by_label("Notes", exact=True)).to_have_value("Two sofas")
    assert asked == ["Your changes are not saved. Close all the same?"]


def test_jobs_left_over_stand_at_the_top_by_themselves(screen, new_job):
    old = new_job(location="1 Undone Ave", window_start="2026-01-05T16:00Z", window_end="2026-01-05T18:00Z")
    ana = screen("ana")

    column = ana.page.locator("#column-scheduled .cards > *")
    headings = ana.page.locator("#column-scheduled .lane")

    expect(column.first).to_have_text("Outstanding")
    assert "Today and later" in headings.all_inner_texts()
    expect(card(ana, old)).to_contain_text(re.compile(r"Late by \d+ d"))


def test_filters_stand_in_the_address(screen, new_job):
    uid = new_job(location="1 Filter St", service="dumpster_delivery", crew=["Zed Quill"])
    ana = screen("ana")

    ana.page.get_by_label("Search the board").fill("filter zed")
    expect(ana.page.locator(".card:visible")).to_have_count(1)
    ana.page.get_by_role("search").get_by_label("Service").select_option("dumpster_delivery")
    expect(ana.page).to_have_url(re.compile(r"/board/main/\?q=filter\+zed&service=dumpster_delivery$"))
    ana.page.reload()
    expect(ana.page.locator(".card:visible")).to_have_count(1)
    expect(card(ana, uid)).to_be_visible()
    expect(ana.page.locator("#column-scheduled .count")).to_have_text(re.compile(r"1/\d+"))

    ana.page.get_by_role("button", name="Clear").click()
    wait_until(lambda: ana.page.locator(".card:visible").count() > 10, seconds=20, what="all cards are back")


def test_escape_puts_a_dragged_card_back(screen, new_job):
    uid = new_job(location="1 Escape St")
    ana = screen("ana")
    ana.page.goto("/board/main/?q=1+Escape+St")  # nothing else in its column
    card(ana, uid).hover()  # waits until it has come to rest
    start, end = card(ana, uid).bounding_box(), ana.column("en_route").bounding_box()
    mouse = ana.page.mouse
    mouse.move(start["x"] + 100, start["y"] + 10)
    mouse.down()
    mouse.move(start["x"] + 112, start["y"] + 20, steps=4)
    mouse.move(end["x"] + 100, end["y"] + 120, steps=12)
    expect(ana.page.locator(".lifted")).to_be_visible()

    ana.page.keyboard.press("Escape")

    expect(ana.page.locator(".lifted")).to_have_count(0)
    mouse.up()
    expect(in_column(ana, uid, "scheduled")).to_be_visible()
    expect(ana.page.locator(".toast")).to_have_count(0)


def test_shortcuts_do_a_days_work_and_can_be_switched_off(screen, new_job):
    uid = new_job(status="requested", location="1 Keys St")
    ana = screen("ana")
    keys = ana.page.keyboard

    keys.press("/")
    keys.type("1 Keys St")
    expect(ana.page.locator(".card:visible")).to_have_count(1)
    keys.press("Enter")
    for status in ("scheduled", "ready_for_pickup"):
        keys.press("m")
        expect(ana.page.locator("#move-dialog")).to_be_visible()
        keys.press("Enter")
        expect(ana.page.locator(f'#column-{status} .card[data-id="{uid}"]:not([data-saving])')).to_be_visible()
    keys.press("u")
    expect(in_column(ana, uid, "scheduled")).to_be_visible()

    keys.press("?")
    sheet = ana.page.locator("#keys-dialog")
    sheet.get_by_label("Use single-key shortcuts").uncheck()
    keys.press("Escape")
    keys.press("n")
    expect(ana.page.locator("#drawer")).to_be_hidden()


def test_a_long_column_shows_fifty_and_more_on_request(screen, demo):
    code = (
        "from dispatch import flow; from dispatch.models import Board; b = Board.objects.get(slug='main')\n"
        "for n in range(130): flow.open_job(b, by='T', channel='api', status='completed', location=f'{n} Long St')"
    )
    demo.manage("shell", "-v", "0", "-c", code)
    ana = screen("ana")
    column = ana.column("completed")
    expect(column.locator(".card")).to_have_count(50)

    for shown in (100, 150):
        column.get_by_role("button", name="Show more").click()
        expect(column.locator(".card")).to_have_count(shown)


def test_who_else_is_here(screen):
    ana, ben = screen("ana"), screen("ben")

    expect(ana.page.locator("#people")).to_have_text("Ben Okafor here")
    expect(ben.page.locator("#people")).to_have_text("Ana Ruiz here")
    ben.page.close()

    expect(ana.page.locator("#people")).to_be_hidden()


def test_the_list_of_a_day(screen):
    ana = screen("ana")

    ana.page.get_by_role("link", name="Day list").click()

    expect(ana.page.get_by_role("heading", level=1)).to_have_text(re.compile(r"^\w+, \w+ \d+, \d{4}$"))
    expect(ana.page.get_by_role("row").nth(10)).to_be_attached()


def test_a_dragged_card_keeps_its_column_scrolling_at_the_edge(screen):
    ana = screen("ana", viewport={"width": 1000, "height": 700})
    columns = ana.page.locator("#columns")
    first = ana.column("requested").locator(".card").first
    box = first.bounding_box()

    ana.page.mouse.move(box["x"] + 90, box["y"] + 10)
    ana.page.mouse.down()
    ana.page.mouse.move(box["x"] + 120, box["y"] + 30, steps=4)
    ana.page.mouse.move(985, 300, steps=10)
    wait_until(
        lambda: ana.page.mouse.move(986, 301) or columns.evaluate("e => e.scrollLeft") > 100, seconds=20, what="auto-scroll"
    )
    ana.page.keyboard.press("Escape")
    ana.page.mouse.up()


def test_a_card_is_dragged_by_its_address_and_that_opens_nothing(screen, new_job):
    uid = new_job(location="1 Handle St")
    ana = screen("ana")
    ana.page.goto("/board/main/?q=1+Handle+St")  # nothing else in its column
    handle = card(ana, uid).get_by_role("button", name="1 Handle St", exact=True)
    handle.hover()
    box = handle.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    ana.page.mouse.move(x, y)
    ana.page.mouse.down()
    ana.page.mouse.move(x + 10, y + 10, steps=4)
    expect(ana.page.locator(".lifted")).to_be_visible()
    ana.page.mouse.move(x, y, steps=4)
    ana.page.mouse.up()

    expect(ana.page.locator(".lifted")).to_have_count(0)
    expect(ana.page.locator("#drawer")).to_be_hidden()
    ana.page.wait_for_timeout(300)  # as long as a click right after the drop is ignored
    handle.click()
    expect(ana.page.locator("#drawer")).to_be_visible()


def test_a_quick_flick_lands_where_it_was_let_go(screen, new_job):
    uid = new_job(location="1 Flick St")
    ana = screen("ana")
    ana.page.goto("/board/main/?q=1+Flick+St")  # nothing else in its column
    card(ana, uid).hover()  # waits until it has come to rest
    start, end = card(ana, uid).bounding_box(), ana.column("en_route").bounding_box()

    ana.page.mouse.move(start["x"] + 100, start["y"] + 12)
    ana.page.mouse.down()
    ana.page.mouse.move(start["x"] + 110, start["y"] + 20, steps=3)
    expect(ana.page.locator(".lifted")).to_be_visible()
    ana.page.mouse.move(end["x"] + 100, end["y"] + 200)
    ana.page.mouse.up()

    expect(in_column(ana, uid, "en_route")).to_be_visible()
