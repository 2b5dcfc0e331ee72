"""The customer's page in a browser: with the script and without it, from Django and from a CDN, when things go wrong."""

import json
import re
import shutil
import sqlite3
from contextlib import closing

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from dispatch.statuses import STATUS_FLOW
from tests.e2e.conftest import ROOT, wait_until
from tests.e2e.static_site import serving

pytestmark = pytest.mark.browser

PHONE = {"viewport": {"width": 320, "height": 640}, "has_touch": True}
MAKE_JOBS = """
import json
from datetime import UTC, datetime
from dispatch.models import Board
from dispatch.statuses import STATUS_FLOW
from tests.factories import make_job
board, day = Board.objects.get(slug="main"), datetime(2126, 11, 26, 15, tzinfo=UTC)
names = {status: status for status in STATUS_FLOW}
names |= {"watched": "scheduled", "asking": "requested", "replaced": "scheduled"}
jobs = {name: make_job(board, status=status, location="1428 Elm St", crew=["Dee Walker"],
                       window_start=day, window_end=day.replace(hour=17)) for name, status in names.items()}
print(json.dumps({status: [job.uid, job.token] for status, job in jobs.items()}))
"""
COPIED = """
import time
from dispatch.models import Job
while Job.objects.behind().exists():
    time.sleep(0.05)
"""
PAGES = """
from pathlib import Path
from tracking import shell
for name, content in shell.pages().items():
    (Path({folder!r}) / name).write_bytes(content)
"""


@pytest.fixture(scope="module")
def jobs(demo) -> dict[str, list[str]]:
    """A job in every status and three to change: uid and token of each."""
    return json.loads(demo.manage("shell", "-v", "0", "-c", MAKE_JOBS).strip().splitlines()[-1])


@pytest.fixture(scope="module")
def cdn(demo, jobs, tmp_path_factory):
    """A site of static files and public copies, and nothing else."""
    site = tmp_path_factory.mktemp("cdn")
    demo.manage("shell", "-v", "0", "-c", PAGES.format(folder=str(site)))
    for app in ("dispatch", "tracking"):
        shutil.copytree(ROOT / app / "static" / app, site / "static" / app)
    copies = demo.var / "state" / "public"
    demo.manage("shell", "-v", "0", "-c", COPIED)  # all of them: a copy that is being written has a draft beside it
    assert all((copies / "track" / f"{token}.json").exists() for _, token in jobs.values())
    shutil.copytree(copies, site / "state")
    with serving(site) as (origin, switch):
        yield origin, switch


@pytest.fixture
def screen_that_may_fail(screen):
    """For tests in which the browser reports what the test broke."""
    opened = []

    def open_window(**options):
        opened.append(screen(**options))
        return opened[-1]

    yield open_window
    for one in opened:
        one.complaints.clear()


def move(demo, uid: str, to: str) -> None:
    code = (
        "from dispatch import flow\nfrom dispatch.models import Job\n"
        f"job = Job.objects.get(uid={uid!r})\nflow.move(job, {to!r}, expect=job.seq, by='Ana', channel='board')"
    )
    demo.manage("shell", "-v", "0", "-c", code)


def faults(page) -> list[str]:
    found = Axe().run(page).response["violations"]
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return [f"{rule['id']}: {node['html'][:120]}" for rule in found for node in rule["nodes"]] + ["too wide"] * bool(wide)


def asks_of(demo, uid: str) -> list[dict]:
    with closing(sqlite3.connect(demo.var / "db.sqlite3")) as database:
        [[asks]] = database.execute("SELECT asks FROM dispatch_job WHERE uid = ?", [uid])
    return json.loads(asks)


def test_a_customer_watches_and_asks(screen_that_may_fail, demo, jobs):
    """With the script: a note in a dialog, a mistake in it, the crew sets off."""
    uid, token = jobs["watched"]
    page = screen_that_may_fail(**PHONE).page
    page.goto(f"/track/{token}")
    headline = page.get_by_role("heading", level=1)
    expect(headline).to_have_text("You are booked")
    expect(page.get_by_text("Tuesday, November 26, 8:00 AM – 10:00 AM MST")).to_be_visible()

    page.get_by_role("link", name="Leave a note").click()
    dialog = page.get_by_role("dialog", name="A note for the crew")
    dialog.get_by_role("button", name="Send the note").click()
    field = dialog.get_by_label("Gate code, where to park")
    expect(field).to_be_focused()
    expect(field).to_have_accessible_description("Please write something.")
    assert faults(page) == []
    field.fill("Gate code 4471")
    dialog.get_by_role("button", name="Send the note").click()

    expect(dialog).to_be_hidden()
    expect(page.locator("#thanks")).to_have_text("Thank you. The crew will see your note.")
    page.get_by_role("link", name="Cancel this job").click()
    page.get_by_role("link", name="Go back, change nothing").click()
    page.get_by_role("link", name="Ask for another time").click()
    page.get_by_role("dialog").get_by_role("button", name="Ask for another time").click()
    expect(page.locator(".asked")).to_have_text("You asked for another time; we will answer.")
    move(demo, uid, "en_route")
    expect(headline).to_have_text("The crew is on the way")
    expect(page.locator("[data-ask]")).to_have_text(["Leave a note or a gate code"])

    assert [one["kind"] for one in asks_of(demo, uid)] == ["note", "reschedule"]
    page.context.set_offline(True)
    page.get_by_role("link", name="Leave a note").click()
    field.fill("Dog in the yard")
    page.get_by_role("button", name="Send the note").click()
    expect(page.locator("#note-error")).to_contain_text("What you wrote is still here")
    expect(field).to_have_value("Dog in the yard")


def test_a_customer_without_javascript_asks_to_cancel_in_spanish(screen, demo, jobs):
    uid, token = jobs["asking"]
    page = screen(java_script_enabled=False, **PHONE).page
    page.goto(f"/track/{token}")
    page.get_by_role("link", name="Español").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Tenemos su solicitud")
    expect(page.get_by_text("martes 26 de noviembre, 8:00 a. m. – 10:00 a. m. MST")).to_be_visible()

    page.get_by_role("link", name="Cancelar este servicio").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("¿Cancelar este servicio?")
    assert asks_of(demo, uid) == []
    page.get_by_label("¿Por qué?").fill("Nos mudamos")
    page.get_by_role("button", name="Sí, pedir la cancelación").click()

    expect(page.locator(".thanks")).to_contain_text("Recibimos su pedido de cancelación")
    expect(page.locator(".asked")).to_have_text("Usted pidió cancelar; le responderemos.")
    assert [(one["kind"], one["text"]) for one in asks_of(demo, uid)] == [("cancel", "Nos mudamos")]


def test_every_status_reads_well_on_a_narrow_phone_at_night_and_on_paper(screen, jobs):
    page = screen(color_scheme="dark", **PHONE).page
    for status in STATUS_FLOW:
        page.goto(f"/track/{jobs[status][1]}")
        assert (status, faults(page)) == (status, [])
    page.goto(f"/track/{jobs['completed'][1]}?ask=rating")
    assert faults(page) == []

    page.goto(f"/track/{jobs['scheduled'][1]}")
    page.emulate_media(media="print", color_scheme="light")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_text("(303) 555-0142")).to_be_visible()
    for hidden in (".may", "footer", ".calendar"):
        expect(page.locator(hidden)).to_be_hidden()
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(23, 32, 42)"


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_static_page_is_the_page_of_the_server(screen_that_may_fail, demo, jobs, cdn, language):
    """From the public copies alone, without any server of ours, in every status: to the letter what Django renders."""
    origin, _ = cdn
    django = screen_that_may_fail(locale=language, java_script_enabled=False).page
    static = screen_that_may_fail(locale=language, timezone_id="Asia/Tokyo").page
    for status in STATUS_FLOW:
        _, token = jobs[status]
        django.goto(f"/track/{token}")
        static.goto(f"{origin}/track/{token}")
        expect(static.locator("#about")).to_be_visible()
        texts = [as_read(page) for page in (django, static)]
        assert (status, texts[1]) == (status, texts[0])
        assert static.locator("html").get_attribute("lang") == language
    assert faults(static) == []


def as_read(page) -> list[str]:
    """Without the line that says as of when it is: the copy is older than the row."""
    text = page.locator("body").inner_text()
    return [line.strip() for line in text.splitlines() if line.strip() and not re.match("Updated|Actualizado", line)]


def test_a_static_page_says_what_is_wrong_and_never_that_the_job_is_missing(screen_that_may_fail, jobs, cdn):
    origin, switch = cdn
    page = screen_that_may_fail(**PHONE).page
    page.clock.install()
    page.goto(f"{origin}/track/unknown-token-1234")  # no copy, and nobody who could say that there is no such job
    expect(page.locator("#trouble")).to_have_text("We can't reach the server at the moment. Trying again…")
    expect(page.get_by_role("heading", level=1)).to_have_text("One moment, we are looking for your job")
    expect(page.get_by_role("link", name="Call (303) 555-0142")).to_be_visible()
    page.goto(f"{origin}/track/{jobs['scheduled'][1]}")
    expect(page.get_by_role("heading", level=1)).to_have_text("You are booked")

    switch.is_down = True
    wait_until(lambda: not is_calm(page), seconds=20, what="the page has looked, and says that it could not")
    expect(page.locator("#trouble")).to_contain_text(
        re.compile(r"^Updated .*\d+:\d\d [AP]M M[SD]T\. We can't reach the server at the moment")
    )
    expect(page.get_by_role("heading", level=1)).to_have_text("You are booked")
    assert faults(page) == []
    switch.is_down = False
    updated = page.locator("[data-slot=updated]")  # empty while there is trouble, also that of a look from before
    wait_until(
        lambda: is_calm(page) and updated.inner_text().startswith("Updated "), seconds=20,
        what="the page has found its way back by itself",
    )  # fmt: skip


def is_calm(page) -> bool:
    """After a while of the page's time, in which it may have looked again."""
    page.clock.run_for(20_000)
    return page.locator("#trouble").inner_text() == ""


def test_a_link_that_stops_working_while_somebody_looks(screen_that_may_fail, demo, jobs):
    uid, token = jobs["replaced"]
    page = screen_that_may_fail().page
    page.goto(f"/track/{token}")
    code = (
        "from dispatch import links\nfrom dispatch.models import Job\n"
        f"links.replace(Job.objects.get(uid={uid!r}), by='Ana')"
    )

    demo.manage("shell", "-v", "0", "-c", code)

    expect(page.get_by_role("heading", level=1)).to_have_text(
        "Job not found, or this tracking link is no longer valid", timeout=40_000
    )
    expect(page.get_by_role("link", name="Call (303) 555-0142")).to_be_visible()
