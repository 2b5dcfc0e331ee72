"""Customers on the dispatcher's board: what they ask for, what they are told, their link, and photos of the job."""

import io
import re

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.e2e.conftest import wait_until
from tests.e2e.test_dispatcher import card, choose, in_column, new_job
from tests.e2e.test_pages import SCREENS, too_wide, violations

pytestmark = pytest.mark.browser

__all__ = ["new_job"]  # a fixture
MARISOL = {"customer_name": "Marisol Vega", "customer_phone": "+13035550177"}


@pytest.fixture
def awake(demo) -> None:
    """Texts go out at any time of the day."""
    shell(
        demo,
        "from datetime import time; from dispatch.models import Board",
        "Board.objects.update(quiet_from=time(0), quiet_until=time(0))",
    )


def shell(demo, *lines) -> str:
    return demo.manage("shell", "-v", "0", "-c", "\n".join(lines)).strip()


def ask(demo, uid, kind, text) -> None:
    shell(demo, "from dispatch import asks; from dispatch.models import Job", f"job = Job.objects.get(uid={uid!r})",
          f"asks.ask(job, {kind!r}, text={text!r})")  # fmt: skip


def job(window, uid) -> dict:
    return window.page.request.get(f"/api/v1/jobs/{uid}").json()


def messages(window, uid) -> list[tuple[str, str]]:
    return [(one["kind"], one["status"]) for one in job(window, uid)["messages"]]


def open_drawer(window, uid):
    card(window, uid).locator(".open").click()
    drawer = window.page.locator("#drawer")
    expect(drawer).to_be_visible()
    return drawer


def test_what_a_customer_asks_for_is_marked_at_once_and_dealt_with_in_the_drawer(screen, demo, new_job):
    uid = new_job(location="1 Asking St", **MARISOL)
    ana, ben = screen("ana"), screen("ben", **SCREENS["phone"])

    ask(demo, uid, "cancel", "My brother takes it.")

    ben.page.locator(".toast", has_text="1 Asking St: wants to cancel").get_by_role("button", name="Open").click()
    for window in (ana, ben):
        expect(card(window, uid).locator(".ask")).to_have_text("Wants to cancel", timeout=20_000)
    expect(ana.page.locator("#announcer")).to_have_text("1 Asking St: wants to cancel")
    ana.page.get_by_role("checkbox", name="Asks").check()
    expect(ana.page).to_have_url(re.compile(r"/board/main/\?asks=waiting$"))
    expect(card(ana, uid)).to_be_visible()
    wait_until(
        lambda: ana.page.locator(".card:visible:not(:has(.ask))").count() == 0, seconds=20, what="only asking customers"
    )

    drawer = ben.page.locator("#drawer")
    drawer.get_by_label("Notes", exact=True).fill("Two sofas")
    ask(demo, uid, "note", "Ring the upper bell.")
    asked = drawer.get_by_role("region", name="Asks", exact=True).get_by_role("listitem")
    expect(drawer.locator(".toast", has_text="1 Asking St: left a note")).to_be_visible()  # beside it nobody could click it
    expect(asked).to_have_text(
        [re.compile("Wants to cancel.*“?My brother takes it"), re.compile("Left a note.*Ring the upper")]
    )
    expect(drawer.get_by_label("Notes", exact=True)).to_have_value("Two sofas")
    expect(drawer.get_by_label("Gate code")).to_have_value("From the customer: Ring the upper bell.")
    assert (violations(ben.page), too_wide(ben.page)) == ([], 0)

    drawer.get_by_role("button", name="All done").click()

    expect(asked).to_contain_text(["Done by Ben Okafor", "Done by Ben Okafor"])
    expect(card(ana, uid).locator(".ask")).to_have_count(0)
    expect(drawer.get_by_role("region", name="History")).to_contain_text("Customer wants to cancel")
    drawer.get_by_role("button", name="Save").click()
    expect(drawer).to_be_hidden()
    assert (job(ana, uid)["notes"], [one["doneBy"] for one in job(ana, uid)["asks"]]) == ("Two sofas", ["Ben Okafor"] * 2)


@pytest.mark.usefixtures("awake")
def test_a_move_says_whom_it_tells_and_can_be_kept_from_telling(screen, new_job):
    looked_at, uid = (new_job(location=f"{n} Telling St", **MARISOL) for n in (2, 1))
    ana = screen("ana")
    toast = ana.page.locator(".toast", has_text="1 Telling St moved to")
    told = re.compile(r"Ready for pickup\. Texting Marisol Vega in \d\ss\.")

    choose(ana, looked_at, "Ready for pickup")
    expect(ana.page.locator(".toast", has_text="2 Telling St moved to")).to_contain_text(told)
    assert violations(ana.page) == []  # takes long: this text may have gone out by then
    choose(ana, uid, "Ready for pickup")
    expect(toast).to_contain_text(told)
    toast.get_by_role("button", name="Undo").click()
    expect(in_column(ana, uid, "scheduled")).to_be_visible()
    expect(ana.page.locator("#announcer")).to_have_text("1 Telling St is back in Scheduled.")
    assert messages(ana, uid) == [("ready", "cancelled")]

    choose(ana, uid, "On the way")
    toast.get_by_role("button", name="Don't text").click()
    expect(toast).to_contain_text("Marisol Vega is not told.")
    assert messages(ana, uid) == [("on_the_way", "cancelled"), ("ready", "cancelled")]
    toast.get_by_role("button", name="Undo").click()
    expect(in_column(ana, uid, "scheduled")).to_be_visible()

    ana.page.get_by_role("switch", name="Tell customers about moves").click()
    ana.page.reload()
    expect(ana.page.get_by_text("Customers are not told about your moves.")).to_be_visible()
    choose(ana, uid, "On the way")
    expect(toast).to_contain_text("The customer is not told.")
    ana.page.get_by_role("button", name="Tell them again").click()
    expect(ana.page.locator("#not-told")).to_be_hidden()
    card(ana, uid).locator("[data-action=move]").click()
    ana.page.get_by_label("Tell the customer").uncheck()
    ana.page.locator("#move-dialog").get_by_role("button", name="Ready for pickup", exact=True).click()
    expect(in_column(ana, uid, "ready_for_pickup")).to_be_visible()
    assert len(messages(ana, uid)) == 2


@pytest.mark.usefixtures("awake")
def test_a_link_is_sent_and_replaced_and_how_a_customer_is_told_is_kept(screen, new_job):
    uid, ana = new_job(location="1 Link St", **MARISOL), screen("ana")
    drawer = open_drawer(ana, uid)
    old = drawer.locator('[data-slot="link"]').get_attribute("href")

    drawer.get_by_role("button", name="Send to customer").click()
    expect(drawer.get_by_role("region", name="Messages").get_by_role("listitem")).to_contain_text("Tracking link")
    drawer.get_by_role("button", name="Replace the tracking link").click()
    sure = ana.page.get_by_role("dialog", name="Replace the tracking link?")
    expect(sure).to_contain_text("The old link stops working at once")
    sure.get_by_role("button", name="Replace the link").click()

    expect(drawer.locator('[data-slot="link"]')).not_to_have_attribute("href", old)
    new = drawer.locator('[data-slot="link"]').get_attribute("href")
    assert [ana.page.request.get(link).status for link in (old, new)] == [404, 200]

    drawer.get_by_label("Language of messages").select_option("es")
    drawer.get_by_label("Day that the customer wants").fill("2030-07-06")
    drawer.get_by_label("Texts and e-mails to this customer").uncheck()
    drawer.get_by_role("button", name="Save").click()
    expect(card(ana, uid)).to_contain_text("Wants Sat 6")
    customer = job(ana, uid)["customer"]
    assert (customer["language"], customer["notify"], customer["phone"]) == ("es", False, "+13035550177")
    card(ana, uid).locator("[data-action=move]").click()
    expect(ana.page.get_by_label("This customer gets no messages")).not_to_be_checked()


def test_photos_are_added_one_after_the_other_and_deleted(screen, new_job):
    uid, ana = new_job(location="1 Photo St"), screen("ana")
    drawer = open_drawer(ana, uid)
    photos = drawer.get_by_role("region", name="Photos")
    picture = io.BytesIO()
    Image.new("RGB", (640, 480), "brown").save(picture, "JPEG")
    good, bad = [{"name": name, "mimeType": "image/jpeg"} for name in ("pile.jpg", "broken.jpg")]

    photos.get_by_label("What they show").select_option("after")
    photos.get_by_label("Add photos").set_input_files(
        [bad | {"buffer": b"no picture"}, good | {"buffer": picture.getvalue()}]
    )

    expect(photos.get_by_role("alert")).to_contain_text("broken.jpg: This is not a photo we can read")
    expect(photos.get_by_role("listitem")).to_have_text(re.compile("After"))
    wait_until(
        lambda: photos.locator("img").evaluate("image => image.complete && image.naturalWidth > 0"),
        seconds=20,
        what="thumbnail",
    )
    assert (violations(ana.page), [one["kind"] for one in job(ana, uid)["photos"]]) == ([], ["after"])

    photos.get_by_role("button", name="Delete the photo: After").click()
    ana.page.get_by_role("dialog", name="Delete this photo?").get_by_role("button", name="Delete it").click()

    expect(photos.get_by_role("listitem")).to_have_count(0)
    assert job(ana, uid)["photos"] == []
    ana.complaints[:] = [text for text in ana.complaints if "422" not in text]
