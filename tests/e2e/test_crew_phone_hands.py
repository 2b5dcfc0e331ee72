"""The crew's phone in a hand with a glove on: what a thumb hits, what is seen meanwhile, and what is said at once."""

import json
import re
from io import BytesIO

import pytest
from PIL import Image
from playwright.sync_api import expect

from dispatch.asks import LONGEST
from dispatch.pictures import MOST_BYTES
from tests.e2e.conftest import KEEP_MESSAGES, wait_until
from tests.e2e.crew_phones import facts, hired, phone

__all__ = ["phone"]  # a fixture
pytestmark = pytest.mark.browser

PEOPLE = {
    "Ann Wood": "en", "Beto Cruz": "es", "Cal Reed": "en", "Dot Hale": "en", "Eli Park": "en", "Fay Lund": "en",
    "Gus Bell": "en", "Hal Moss": "en", "Ida Rios": "es", "Jan Webb": "en",
}  # fmt: skip
HIT = """(one) => {
  const { left, top, width, height } = one.getBoundingClientRect();
  return [0.1, 0.5, 0.9].map((part) => one.contains(document.elementFromPoint(left + width * part, top + height / 2)));
}"""
HIDDEN = """(selectors) => selectors.flatMap((selector) => [...document.querySelectorAll(selector)].flatMap((one) => {
  const { left, top, right, bottom } = one.getBoundingClientRect();
  const [x, y] = [(left + right) / 2, (top + bottom) / 2];
  const edges = [[x, top + 3], [x, bottom - 3], [left + 3, y], [right - 3, y]];
  const isSeen = edges.every(([x, y]) => one.contains(document.elementFromPoint(x, y)));
  return isSeen ? [] : [`${selector} ${Math.round(top)}-${Math.round(bottom)}`];
}))"""
PAINTED = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
ADDRESS_AND_WAYS = [".job h3", ".job .way"]


@pytest.fixture(scope="module")
def days(demo) -> dict[str, dict]:
    return hired(demo, PEOPLE)


def offline(page) -> None:
    page.context.set_offline(True)
    expect(page.locator("#line")).to_have_attribute("data-line", "offline")


@pytest.mark.parametrize("height", [664, 568])
def test_a_notice_is_not_in_the_way_of_a_thumb_and_goes_with_what_it_says(phone, days, height):
    opened = phone(days["Ann Wood" if height == 664 else "Cal Reed"], viewport={"width": 390, "height": height})
    page = opened.page
    page.evaluate(KEEP_MESSAGES)
    offline(page)
    page.locator("[data-key=next]").click()
    notice = page.locator(".notice")
    expect(notice).to_have_text("Kept. It is sent when there is a network.")

    assert page.locator("[data-key=next]").evaluate(HIT) == [True] * 3
    assert page.locator("#tabs").evaluate(HIT) == [True] * 3
    assert notice.locator("span").first.evaluate(HIT) == [False] * 3  # what it lies on can be tapped
    assert notice.locator("button").evaluate(HIT) == [True] * 3
    page.context.set_offline(False)
    expect(page.locator("#line")).to_have_attribute("data-line", re.compile("live|polling"), timeout=40_000)
    expect(notice).to_have_count(0)
    opened.complaints.clear()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["Dot Hale", "Beto Cruz"], ids=["en", "es"])
@pytest.mark.parametrize(
    ("width", "height", "seen"),
    [
        (320, 568, ADDRESS_AND_WAYS),
        (390, 664, [*ADDRESS_AND_WAYS, ".job .remark:first-child", "[data-key=next]"]),
        (390, 844, [*ADDRESS_AND_WAYS, ".job .remark:first-child", "[data-key=next]"]),
    ],
)  # fmt: skip
def test_what_is_needed_at_the_gate_is_seen_when_the_page_opens(phone, days, name, width, height, seen, scheme):
    page = phone(days[name], viewport={"width": width, "height": height}, color_scheme=scheme).page
    expect(page.locator(".job .way")).to_have_count(3)
    page.evaluate(PAINTED)

    assert page.evaluate(HIDDEN, seen) == []


NOTES_IN_SIGHT = """document.querySelector("[data-key=note]").scrollIntoView({ block: "nearest" })"""
"""In one go: an answer may draw it anew."""


@pytest.mark.parametrize("network", [True, False], ids=["online", "offline"])
def test_the_next_job_begins_at_its_top(phone, days, network):
    """Its button does not lie where that of the last one was, under an address that nobody has seen."""
    opened = phone(days["Eli Park" if network else "Fay Lund"], viewport={"width": 390, "height": 664})
    page = opened.page
    page.evaluate(KEEP_MESSAGES)
    if not network:
        offline(page)
    heading = page.locator(".job h3")
    for label in ("Start loading", "Completed"):
        page.locator("[data-key=next]").click()
        expect(page.locator("[data-key=next]:not([aria-disabled])")).to_have_text(label)
    page.evaluate(NOTES_IN_SIGHT)
    page.locator("[data-key=next]").click()
    expect(heading).to_have_text("77 Larimer St, Denver")
    expect(heading).to_be_focused()
    page.evaluate(PAINTED)

    assert page.evaluate(HIDDEN, ADDRESS_AND_WAYS) == []
    assert page.locator(".notice").count() == (not network)
    page.context.set_offline(False)
    expect(page.locator("#queued")).to_be_hidden(timeout=40_000)
    expect(heading).to_be_focused()  # it was painted anew with what the server answered
    opened.complaints.clear()


NO_PHOTOS = {
    "a text": {"name": "list.txt", "mimeType": "text/plain", "buffer": b"Sofa, two mattresses"},
    "a text that says it is a photo": {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": b"Sofa"},
    "an SVG": {"name": "photo.svg", "mimeType": "image/svg+xml", "buffer": b"<svg xmlns='http://www.w3.org/2000/svg'>"},
    "a film": {"name": "film.mp4", "mimeType": "video/mp4", "buffer": b"\0\0\0\x18ftypisom" + b"\0" * 64},
}
READ = {"en": ("This is not a photo that can be read", "more than 15 MB"), "es": ("Esto no es una foto", "más de 15 MB")}


@pytest.mark.parametrize(("name", "language"), [("Gus Bell", "en"), ("Ida Rios", "es")])
def test_what_cannot_be_sent_as_a_photo_is_said_at_once(phone, days, tmp_path, name, language):
    opened = phone(days[name])
    page = opened.page
    page.evaluate(KEEP_MESSAGES)
    offline(page)
    before, notice = page.locator("input[data-kind=before]"), page.locator(".notice")
    unreadable, too_large = READ[language]
    for file in NO_PHOTOS.values():
        before.set_input_files(file)
        expect(notice).to_contain_text(unreadable)
        notice.get_by_role("button").click()
    heic = b"\0\0\0\x18ftypheic" + b"\0" * (MOST_BYTES - 11)
    (large := tmp_path / "large.heic").write_bytes(heic)
    before.set_input_files(large)
    expect(notice).to_contain_text(too_large)
    expect(page.locator("#queued")).to_be_hidden()

    large.write_bytes(heic[:-1])
    before.set_input_files(large)
    expect(page.locator("#queued .part")).to_have_count(1)  # this browser cannot read it, but the server can
    before.set_input_files(small_picture())
    expect(page.locator("#queued")).to_contain_text("2")

    page.locator("[data-key=next]").click()
    page.locator("[data-key=no-access]").click()
    page.locator("#ask input[type=file]").set_input_files(NO_PHOTOS["a text"])
    expect(page.get_by_role("alert")).to_contain_text(unreadable)
    assert page.locator("#ask input[type=file]").evaluate("(one) => one.files.length") == 0
    opened.complaints.clear()


def test_what_is_typed_is_never_longer_than_the_server_takes(phone, demo, days):
    day = days["Hal Moss"]
    page = phone(day).page
    dialog = page.get_by_role("dialog")
    page.locator("[data-key=note]").click()
    field = dialog.get_by_role("textbox")
    field.fill("y" * (LONGEST - 61))
    expect(dialog.locator(".left")).to_be_hidden()
    field.press("y")
    expect(dialog.locator(".left")).to_have_text("60 characters left")
    page.keyboard.insert_text("z" * 100)
    expect(dialog.locator(".left")).to_have_text("0 characters left")
    dialog.get_by_role("button", name="Save note").click()
    expect(page.locator(".job .remark").first).to_contain_text("z" * 60)

    page.locator("[data-key=next]").click()
    page.locator("[data-key=no-access]").click()
    dialog.get_by_label("Gate or door is locked").check()  # the longest of the reasons
    dialog.get_by_role("textbox").focus()
    page.keyboard.insert_text("w" * LONGEST)
    expect(dialog.locator(".left")).to_have_text("0 characters left")
    dialog.get_by_role("button", name="Report no access").click()
    expect(page.locator(".job h3")).to_have_text("77 Larimer St, Denver")
    # The other job may be there before this report waits, and then nothing does.
    wait_until(lambda: facts(demo, day["jobs"][0], "asks") != ("[]",), seconds=40, what="the report is sent")
    expect(page.locator("#queued")).to_be_hidden()

    [asks] = facts(demo, day["jobs"][0], "asks")
    assert [one["text"] for one in json.loads(asks)] == [f"Gate or door is locked: {'w' * (LONGEST - 24)}"]


def test_who_is_signed_out_and_who_was_never_signed_in_read_different_things(phone, demo, days):
    """Somebody who has left cannot sign in again, so there is the office's number, which outlives the plan."""
    day = days["Jan Webb"]
    opened = phone(day)
    page = opened.page
    office = page.locator('#screen a[href^="tel:"]')
    offline(page)
    page.locator("[data-key=next]").click()
    expect(page.locator("#queued")).to_have_text("1 waiting")
    page.context.clear_cookies()
    page.context.set_offline(False)

    expect(page.locator("#line strong")).to_have_text("You are signed out on this phone", timeout=40_000)
    expect(page.locator("#screen .warning")).to_contain_text("You cannot? Call the office.")
    expect(office).to_have_attribute("href", f"tel:{demo_phone(demo)}")
    page.evaluate("localStorage.clear()")
    page.reload()
    expect(page.locator("#line strong")).to_have_text("Not signed in yet")
    expect(office).to_have_count(0)
    opened.complaints.clear()


def small_picture() -> dict:
    file = BytesIO()
    Image.new("RGB", (60, 40), "teal").save(file, "JPEG")
    return {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": file.getvalue()}


def demo_phone(demo) -> str:
    code = "from dispatch.models import Board; print(Board.objects.get(slug='main').phone)"
    return demo.manage("shell", "-v", "0", "-c", code).strip()
