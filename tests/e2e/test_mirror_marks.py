"""What a dispatcher sees of the copies in object storage: marks on cards, a line at the top, a word in the drawer."""

import json
import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.test_pages import too_wide, violations

pytestmark = pytest.mark.browser

SCREENS = [
    (size, scheme)
    for size in ({"width": 1440, "height": 900}, {"width": 390, "height": 844})
    for scheme in ("light", "dark")
]
PLACED = """
import json, secrets, time
from datetime import timedelta
from django.db import transaction
from django.utils import timezone
from dispatch import flow
from dispatch.models import Board, Job, Upload

while Job.objects.behind().exists():  # those that the demo began with
    time.sleep(0.05)
ago, later, street = timezone.now() - timedelta(minutes=5), timezone.now() + timedelta(hours=1), secrets.token_hex(4)
board = Board.objects.get(slug="main")
with transaction.atomic():  # so that the worker does not see the jobs before they are put off
    made = [flow.open_job(board, by="Test", channel="api", location=f"{n} {street} St", price=600) for n in (1, 2)]
    Job.objects.filter(pk__in=[job.pk for job in made]).update(seq_at=ago)
    failed = {"attempts": 3, "error": "the disk is full", "failing_since": ago}
    Upload.objects.create(job=made[0], not_before=later, **failed)
    Upload.objects.create(job=made[1], not_before=later, claim="elsewhere")
print(json.dumps([street, *(job.uid for job in made)]))
"""
COPIED = """
import time
from dispatch.models import Job, Upload

Upload.objects.release("elsewhere")
Upload.objects.retry_now()
while Job.objects.behind().exists():
    time.sleep(0.05)
"""


def place(demo) -> list[str]:
    """One job that failed three times, and one that somebody is copying forever: their street and their ids."""
    return json.loads(demo.manage("shell", "-v", "0", "-c", PLACED))


def copy_all(demo) -> None:
    demo.manage("shell", "-v", "0", "-c", COPIED)


@pytest.fixture
def uncopied(demo):
    yield place(demo)
    copy_all(demo)


def look_now(window) -> None:
    """The page asks every 20 seconds, and when it is shown again."""
    window.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def mark(window, uid):
    return window.page.locator(f'.card[data-id="{uid}"] .copy')


def marks(window):
    return window.page.locator(".card .copy:visible")


def picture(window, name: str, size: dict, scheme: str) -> None:
    """With PICTURES set it goes into that folder, to be looked at."""
    if folder := os.environ.get("PICTURES"):
        window.page.screenshot(path=Path(folder) / f"{name}-{size['width']}-{scheme}.png")


def test_what_is_not_copied_is_marked_until_it_is(screen, demo, uncopied):
    street, failing, behind = uncopied
    ana = screen("ana", reduced_motion="reduce")
    ana.page.goto(f"/board/main/?q={street}")
    line = ana.page.get_by_role("status").filter(has_text="Copies")

    expect(mark(ana, failing)).to_have_text("Copy failing: the disk is full")
    expect(mark(ana, failing)).to_have_attribute("title", "Copy failing: the disk is full")
    expect(mark(ana, behind)).to_have_text("Not copied to storage yet")
    expect(line).to_have_text(re.compile(r"Copies: 2 jobs wait since \S.* [AP]M.*; 1 job cannot be copied"))
    expect(marks(ana)).to_have_count(2)
    for size, scheme in SCREENS:
        ana.page.set_viewport_size(size)
        ana.page.emulate_media(color_scheme=scheme)
        picture(ana, "marks", size, scheme)
        assert (violations(ana.page), too_wide(ana.page)) == ([], 0)

    copy_all(demo)
    look_now(ana)

    expect(line).to_have_count(0)
    expect(marks(ana)).to_have_count(0)
    expect(mark(ana, failing)).to_have_text("")
    assert mark(ana, failing).get_attribute("title") == ""


def test_the_drawer_says_what_the_copy_is(screen, demo, uncopied):
    _, failing, behind = uncopied
    ana = screen("ana", reduced_motion="reduce")
    said = ana.page.locator("#drawer .hint", has_text="Copy in storage")

    ana.page.goto(f"/board/main/?job={behind}")
    expect(said).to_have_text("Copy in storage: not copied yet")
    ana.page.goto(f"/board/main/?job={failing}")
    expect(said).to_have_text("Copy in storage: failing: the disk is full")
    for size, scheme in SCREENS:
        ana.page.set_viewport_size(size)
        ana.page.emulate_media(color_scheme=scheme)
        said.scroll_into_view_if_needed()
        picture(ana, "drawer", size, scheme)
        assert (violations(ana.page), too_wide(ana.page)) == ([], 0)

    copy_all(demo)
    ana.page.reload()
    expect(said).to_have_text("Copy in storage: up to date")


def test_a_board_that_is_left_open_finds_out_by_itself(screen, demo):
    ana = screen("ana")
    ana.page.clock.install()
    ana.page.reload()
    ana.page.wait_for_selector('#freshness[data-state="live"]')
    expect(marks(ana)).to_have_count(0)
    _, failing, _ = place(demo)

    ana.page.clock.run_for(20_000)

    expect(mark(ana, failing)).to_have_text("Copy failing: the disk is full")
    copy_all(demo)
    ana.page.clock.run_for(20_000)
    expect(marks(ana)).to_have_count(0)


def test_a_board_that_comes_back_online_looks_at_once_and_not_before(screen, uncopied):
    ana, line, asked = screen("ana"), {"up": False}, []
    ana.page.route_web_socket(
        "**/ws/board/**", lambda socket: socket.connect_to_server() if line["up"] else socket.close(code=1011)
    )
    ana.page.on("request", lambda request: asked.append(request.url) if request.url.endswith("/mirror") else None)
    ana.page.route("**/changes?**", lambda route: route.fulfill(status=503, body="x"))  # nor is it back by asking
    ana.page.reload()
    expect(ana.page.locator("#freshness")).to_contain_text("Offline since")
    look_now(ana)
    assert asked == []

    line["up"] = True

    expect(mark(ana, uncopied[1])).to_be_visible(timeout=20_000)
    ana.complaints[:] = [text for text in ana.complaints if "Failed to load resource" not in text]


def test_a_look_that_fails_disturbs_nobody(screen, uncopied):
    ana = screen("ana")
    expect(mark(ana, uncopied[1])).to_be_visible()
    ana.page.route("**/mirror", lambda route: route.fulfill(status=503, body="x"))

    with ana.page.expect_response("**/mirror"):
        look_now(ana)

    expect(mark(ana, uncopied[1])).to_be_visible()
    expect(ana.page.locator(".toast")).to_have_count(0)
    ana.complaints[:] = [text for text in ana.complaints if "Failed to load resource" not in text]  # the browser's own
