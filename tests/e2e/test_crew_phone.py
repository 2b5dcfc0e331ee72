"""The crew's phone in a browser: a day's work, without a network too, on small screens and in both languages."""

import json
import re
from contextlib import closing

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import wait_until
from tests.e2e.crew_phones import (
    GO,
    PHONE,
    SMALL,
    TINY,
    controlled,
    cookie,
    database_of,
    facts,
    faults,
    hired,
    phone,
    picture,
    steps,
)

__all__ = ["phone"]  # a fixture
pytestmark = pytest.mark.browser

SOON = 40_000
"""Milliseconds, for what a phone does by itself once there is a network."""
SCREENS = ("today", "tomorrow", "events", "week", "hours", "waiting")
PEOPLE = {
    "Dee Ramos": "en", "Pat Lopez": "en", "Kai Brown": "en", "Lou Stone": "en", "Ash Young": "en", "Bo Winter": "en",
    "Cy Adler": "en", "Jo Marsh": "en", "Al Fox": "en", "Eva Dunn": "es", "Luz Vega": "es", "Ray Cole": "en",
    "Fay Moss": "en", "Gus Hart": "en", "Hal Reed": "en",
}  # fmt: skip


@pytest.fixture(scope="module")
def days(demo) -> dict[str, dict]:
    return hired(demo, PEOPLE)


@pytest.fixture
def pocket(browser_type, browser_type_launch_args, demo, tmp_path):
    """A phone that keeps what it has when it is closed. Opens it with a network, or with one on which nothing arrives."""
    opened = []

    def take_out(day: dict, *, dead: bool = False):
        put_away()
        options = browser_type_launch_args | PHONE | {"base_url": demo.origin}
        if dead:
            nowhere = ["--proxy-server=http://127.0.0.1:9", "--proxy-bypass-list=<-loopback>"]
            options["args"] = [*options["args"], *nowhere]
        opened.append(browser_type.launch_persistent_context(tmp_path / "phone", **options))
        opened[0].set_default_timeout(20_000)
        opened[0].add_cookies([cookie(day, demo)])
        page = opened[0].pages[0]
        page.goto("/crew/")
        return opened[0], page

    def put_away():
        while opened:
            opened.pop().close()

    yield take_out
    put_away()


def test_a_day_in_the_field(phone, demo, days):
    day = days["Dee Ramos"]
    dee = phone(day).page
    job = dee.locator(".job")
    expect(job.get_by_role("heading")).to_contain_text(["1428 Elm St, Denver", "Getting in", "Notes"])
    expect(job.get_by_role("link", name="Call")).to_have_attribute("href", "tel:+13035550111")
    expect(job.get_by_role("link", name="Text")).to_have_attribute("href", "sms:+13035550111")
    expect(job.get_by_role("link", name="Navigate")).to_have_attribute("href", "geo:0,0?q=1428%20Elm%20St%2C%20Denver")
    expect(job.get_by_text("Gate code 4471")).to_be_visible()

    for label in ("On the way", "Start loading", "Completed"):
        job.get_by_role("button", name=label, exact=True).click()
    expect(job.get_by_role("heading", level=3)).to_have_text("77 Larimer St, Denver")
    expect(dee.locator("#queued")).to_be_hidden()
    dee.locator(f'.row[data-job="{day["jobs"][0]}"]').click()
    expect(job).to_contain_text("This job is over.")
    expect(job.get_by_role("link", name="Call")).to_be_hidden()

    assert [(to, by) for to, by, _ in steps(demo, day["jobs"][0])] == [
        ("en_route", "Dee Ramos"), ("in_progress", "Dee Ramos"), ("completed", "Dee Ramos"),
    ]  # fmt: skip


def test_notes_photos_no_access_and_hours(phone, demo, days):
    day = days["Pat Lopez"]
    pat = phone(day).page
    job = pat.locator(".job")
    job.get_by_role("button", name="Note").click()
    pat.get_by_role("button", name="Save note").click()
    expect(pat.get_by_role("alert")).to_have_text("Please write something.")
    pat.get_by_label("What should they know?").fill("Dog in the yard")
    pat.get_by_role("button", name="Save note").click()
    expect(job.get_by_text("From the crew (Pat")).to_contain_text("Dog in the yard")

    job.get_by_label("Before").set_input_files(picture())
    expect(job.locator(".thumbs img")).to_have_count(1)
    job.get_by_role("button", name="On the way").click()
    job.get_by_role("button", name="No access").click()
    pat.get_by_label("Gate or door is locked").check()
    pat.get_by_label("Photo of it").set_input_files(picture())
    pat.get_by_role("button", name="Report no access").click()
    expect(job.get_by_role("heading", level=3)).to_have_text("77 Larimer St, Denver")
    expect(pat.locator("#queued")).to_be_hidden()

    # The other job may be there before this one waits, and then nothing does.
    wait_until(lambda: "access" in facts(demo, day["jobs"][0], "photos")[0], seconds=40, what="the photo is sent")
    expect(pat.locator("#queued")).to_be_hidden()
    status, photos = facts(demo, day["jobs"][0], "status", "photos")
    assert (status, [photo["kind"] for photo in json.loads(photos)]) == ("ready_for_pickup", ["before", "access"])
    pat.reload()
    expect(job.get_by_role("heading", level=3)).to_have_text("77 Larimer St, Denver")  # the other waits, but not just now

    pat.get_by_role("link", name="Hours").click()
    pat.get_by_role("button", name="Clock in").click()
    expect(pat.get_by_text("You are clocked in")).to_be_visible()
    expect(pat.locator(".elapsed")).to_have_text("0 h 0 min")
    pat.get_by_role("button", name="Clock out").click()
    expect(pat.get_by_text("You are clocked out")).to_be_visible()


def has_access(plan) -> bool:
    return plan.status == 200 and '"kind":"access"' in plan.text()


def test_a_photo_whose_answer_comes_after_the_news_of_it_brings_no_job_back(phone, demo, days):
    """What this phone sent to a job that was put off is no change by the office, in whatever order it learns of it."""
    day = days["Hal Reed"]
    hal = phone(day).page
    answers, plans = [], []
    hal.route("**/photos", lambda route: answers.append((route, route.fetch())))
    hal.on("response", lambda answer: plans.append(answer) if answer.url.endswith("/crew/plan") else None)
    job = hal.locator(".job")
    job.get_by_role("button", name="On the way").click()
    job.get_by_role("button", name="No access").click()
    hal.get_by_label("Gate or door is locked").check()
    hal.get_by_label("Photo of it").set_input_files(picture())
    hal.get_by_role("button", name="Report no access").click()
    wait_until(lambda: hal.wait_for_timeout(20) or (answers and any(map(has_access, plans))), seconds=20, what="its news")
    [(route, answer)] = answers

    route.fulfill(response=answer)
    expect(hal.locator("#queued")).to_be_hidden()
    hal.reload()

    expect(job.get_by_role("heading", level=3)).to_have_text("77 Larimer St, Denver")


def test_two_phones_and_one_place(phone, days):
    """Who taps first has it; the other reads so at once, and gets it when it is given back."""
    first, second = days["Kai Brown"], days["Lou Stone"]
    kai, lou = phone(first), phone(second)
    cards = []
    for opened in (kai, lou):
        opened.page.get_by_role("link", name="Events").click()
        cards.append(opened.page.locator(f"#event-{first['free']}"))

    cards[0].get_by_role("button", name="Claim this place").click()

    expect(cards[0]).to_contain_text("You are on it: First mate")
    expect(cards[1]).to_contain_text(re.compile(r"Taken by Kai (just now|\d+ s ago)"))
    expect(cards[1].get_by_role("button")).to_have_count(0)
    said = cards[1].locator(".counting").inner_text()
    expect(cards[1].locator(".counting")).not_to_have_text(said)  # it goes on counting
    cards[0].get_by_role("button", name="Give it back").click()
    kai.page.get_by_role("dialog").get_by_role("button", name="Give it back").click()
    expect(cards[1].get_by_role("button", name="Claim this place")).to_be_visible()


def test_nothing_is_lost_without_a_network(pocket, demo, days):
    """Three actions and a photo without a network, the browser closed and opened again: all done once, in order, with the
    times of the taps."""
    day = days["Ash Young"]
    context, page = pocket(day)
    expect(page.locator(".job h3")).to_have_text("1428 Elm St, Denver")
    page.evaluate("navigator.serviceWorker.ready")
    context.set_offline(True)
    expect(page.locator("#line")).to_have_attribute("data-line", "offline")
    job = page.locator(".job")
    job.get_by_role("button", name="On the way").click()
    job.get_by_role("button", name="Start loading").click()
    job.get_by_label("After").set_input_files(picture())
    expect(job.locator(".unsent canvas")).to_have_count(1)
    job.get_by_role("button", name="Completed").click()
    expect(page.locator("#queued")).to_have_text("4 waiting")
    tapped = page.evaluate("Date.now()")

    _, page = pocket(day, dead=True)
    expect(page.locator("#queued")).to_have_text("4 waiting")
    expect(page.locator("#line")).to_contain_text("No network")
    expect(page.locator(".job h3")).to_have_text("77 Larimer St, Denver")
    expect(page.locator(f'.row[data-job="{day["jobs"][0]}"]')).to_contain_text("Completed")
    page.get_by_role("link", name="Tomorrow").click()
    expect(page.get_by_role("heading", name="South side")).to_be_visible()
    page.locator("#queued").click()
    expect(page.locator(".queue strong")).to_have_text(["On the way", "Start loading", "Photo: After", "Completed"])
    assert (faults(page), steps(demo, day["jobs"][0])) == ([], [])

    _, page = pocket(day)
    wait_until(lambda: len(steps(demo, day["jobs"][0])) == 3, seconds=40, what="all of it is sent")
    expect(page.locator("#queued")).to_be_hidden(timeout=SOON)
    expect(page.locator(".job h3")).to_have_text("77 Larimer St, Denver")

    done = steps(demo, day["jobs"][0])
    assert [to for to, _, _ in done] == ["en_route", "in_progress", "completed"]
    times = [extra["deviceAt"] for _, _, extra in done]
    assert times == sorted(times)
    assert page.evaluate("(at) => Date.parse(at)", times[-1]) <= tapped
    [photos] = facts(demo, day["jobs"][0], "photos")
    assert [photo["kind"] for photo in json.loads(photos)] == ["after"]


def test_answers_that_get_lost_do_nothing_twice(phone, demo, days):
    """The server does it, the line breaks before its answer comes, the phone sends it again."""
    day = days["Bo Winter"]
    opened = phone(day, service_workers="block")  # what a worker asks for cannot be lost here
    lost, is_mended = {"photos": [], "actions": []}, []

    def lose(route):
        if is_mended:
            route.continue_()
        else:
            lost[route.request.url.rpartition("/")[2]].append(route.fetch().status)
            route.abort()

    opened.page.route("**/api/v1/crew/jobs/*/*", lose)
    opened.page.get_by_label("Before").set_input_files(picture())
    expect(opened.page.locator("#queued")).to_have_text("1 waiting")
    opened.page.get_by_role("button", name="Note").click()
    opened.page.get_by_label("What should they know?").fill("Ring twice")
    opened.page.get_by_role("button", name="Save note").click()
    opened.page.locator("#queued").click()
    expect(opened.page.locator(".queue li")).to_contain_text(["Not sent yet", "Not sent yet"])
    # With the click: the phone also tries by itself, and then there is nothing to click on.
    opened.page.expose_function("mend", lambda: is_mended.append(True))
    opened.page.evaluate("addEventListener('click', ({ target }) => target.closest('button.main') && mend(), true)")
    opened.page.get_by_role("button", name="Send now").click()
    expect(opened.page.get_by_text("Everything is sent.")).to_be_visible(timeout=SOON)

    photos, notes = facts(demo, day["jobs"][0], "photos", "access_notes")
    assert (len(json.loads(photos)), notes.count("Ring twice")) == (1, 1)
    assert (lost["photos"][0], lost["actions"][0]) == (201, 200)
    opened.complaints.clear()  # the browser reports what was lost


def test_a_conflict_is_explained_and_holds_up_nothing_else(phone, demo, days):
    day = days["Cy Adler"]
    opened = phone(day)
    page = opened.page
    page.context.set_offline(True)
    expect(page.locator("#line")).to_have_attribute("data-line", "offline")
    page.get_by_role("button", name="On the way").click()
    page.get_by_role("button", name="Start loading").click()
    expect(page.locator("#queued")).to_have_text("2 waiting")  # its row is no longer one “On the way”
    page.locator(f'.row[data-job="{day["jobs"][1]}"]').click()
    page.get_by_role("button", name="On the way").click()
    expect(page.locator("#queued")).to_have_text("3 waiting")
    move = (
        "from dispatch import flow\nfrom dispatch.models import Job\n"
        f"job = Job.objects.get(uid={day['jobs'][0]!r})\n"
        "flow.move(job, 'cancelled', expect=job.seq, by='Ana', channel='board', reason='Sold it')"
    )
    demo.manage("shell", "-v", "0", "-c", move)

    page.context.set_offline(False)
    expect(page.locator("#queued")).to_have_text("1 needs you, 1 waiting", timeout=SOON)
    page.locator("#queued").click()
    conflict = page.locator('[data-state="conflict"]')
    expect(conflict).to_contain_text("Somebody was faster. The job is now: Cancelled.")
    expect(conflict).to_contain_text(re.compile("Ana moved this to Cancelled"))
    expect(conflict.get_by_role("button", name="Do it anyway")).to_have_count(0)
    assert (faults(page), [to for to, _, _ in steps(demo, day["jobs"][1])]) == ([], ["en_route"])
    conflict.get_by_role("button", name="Discard mine").click()

    expect(page.get_by_text("Everything is sent.")).to_be_visible()
    assert (facts(demo, day["jobs"][0], "status"), steps(demo, day["jobs"][0])) == (("cancelled",), [])
    opened.complaints.clear()


def test_what_the_office_took_away_says_so_and_a_photo_of_it_can_be_saved(phone, demo, days):
    day = days["Fay Moss"]
    opened = phone(day)
    page = opened.page
    page.context.set_offline(True)
    expect(page.locator("#line")).to_have_attribute("data-line", "offline")
    cancel = (
        "from crew import plan; from crew.models import Event; from dispatch.models import Board\n"
        "Board.objects.update(phone='+13035550100')\n"
        f"plan.cancel_event(Event.objects.get(uid={day['event']!r}), by='Ana Ruiz', reason='Truck broke down')"
    )
    demo.manage("shell", "-v", "0", "-c", cancel)
    page.get_by_label("Before").set_input_files(picture())
    expect(page.locator("#queued")).to_have_text("1 waiting")

    page.context.set_offline(False)
    expect(page.locator("#queued")).to_have_text("1 needs you", timeout=SOON)
    page.locator("#queued").click()
    refused = page.locator('[data-state="refused"]')
    told = refused.locator(".counting")
    expect(told).to_have_text(re.compile(r"North side was cancelled by Ana Ruiz (just now|\d+ (s|min) ago)"))
    expect(refused).to_contain_text("Reason: Truck broke down")
    said = told.inner_text()
    expect(told).not_to_have_text(said, timeout=61_000)  # it goes on counting, be it by minutes
    expect(refused.get_by_role("link", name="Call the office")).to_have_attribute("href", "tel:+13035550100")
    assert (faults(page), page.evaluate(SMALL)) == ([], [])
    with page.expect_download() as saved:
        refused.get_by_role("button", name="Save to this phone").click()
    assert saved.value.suggested_filename.startswith("before-")
    assert saved.value.path().read_bytes()[:3] == b"\xff\xd8\xff"
    refused.get_by_role("button", name="Understood").click()
    expect(page.get_by_text("Everything is sent.")).to_be_visible()

    page.get_by_role("link", name="Today").click()
    gone = page.locator(".event.off")
    expect(gone.get_by_role("heading", name="North side")).to_be_visible()
    expect(gone).to_contain_text(re.compile(r"North side was cancelled by Ana Ruiz .+Reason: Truck broke down"))
    expect(page.get_by_text("Nothing is planned for you today.")).to_be_visible()
    assert (faults(page), page.evaluate(SMALL)) == ([], [])
    opened.complaints.clear()


def test_a_phone_that_was_offline_for_days_does_not_say_that_nothing_is_planned(phone, demo, days):
    day = days["Gus Hart"]
    opened = phone(day)
    page = opened.page
    plan = (
        "from crew import plan; from crew.models import Member; from tests.crew.factories import make_event\n"
        f"gus = Member.objects.get(uid={day['member']!r})\n"
        "plan.assign(make_event(gus.board, 'West end', days=3, hours=4), gus, 'first_mate', by='Ana')"
    )
    demo.manage("shell", "-v", "0", "-c", plan)
    page.reload()
    page.get_by_role("link", name="My week").click()
    expect(page.get_by_role("heading", name="West end")).to_be_visible()
    controlled(page)
    page.context.set_offline(True)
    expect(page.locator("#line")).to_have_attribute("data-line", "offline")

    page.clock.set_system_time(page.evaluate("Date.now() / 1000 + 3 * 86_400"))
    page.reload()

    page.get_by_role("link", name="Today").first.click()
    expect(page.get_by_role("heading", name="West end")).to_be_visible()
    expect(page.get_by_text("The jobs of this day are not on this phone yet. Plan from ")).to_be_visible()
    expect(page.get_by_text("Nothing is planned")).to_have_count(0)
    page.get_by_role("link", name="My week").click()
    expect(page.locator("#screen h3")).to_have_text(["West end"])  # the days before are over
    assert (faults(page), page.evaluate(SMALL)) == ([], [])
    opened.complaints.clear()


def test_a_phone_that_is_locked_keeps_only_what_was_done(phone, demo, days):
    day = days["Jo Marsh"]
    opened = phone(day)
    page = opened.page
    page.context.set_offline(True)
    expect(page.locator("#line")).to_have_attribute("data-line", "offline")
    page.get_by_role("button", name="On the way").click()
    code = (
        "from crew.models import *; from django.utils import timezone; Device.objects.filter(member__uid={!r}).update({})"
    )
    demo.manage("shell", "-v", "0", "-c", code.format(day["member"], "revoked_at=timezone.now()"))

    page.context.set_offline(False)
    expect(page.get_by_role("heading", name="Sign in to see your plan")).to_be_visible(timeout=SOON)
    expect(page.get_by_text("What you did is safe on this phone.")).to_be_visible()
    assert faults(page) == []
    page.reload()
    expect(page.get_by_role("link", name="Get a link to sign in")).to_be_visible()
    assert "1428 Elm" not in page.content()

    demo.manage("shell", "-v", "0", "-c", code.format(day["member"], "revoked_at=None"))
    page.reload()
    expect(page.locator(".job")).to_contain_text("On the way")
    expect(page.locator("#queued")).to_be_hidden()
    assert [to for to, _, _ in steps(demo, day["jobs"][0])] == ["en_route"]
    opened.complaints.clear()


@pytest.mark.parametrize(
    "size", [PHONE, {"viewport": {"width": 320, "height": 640}, "color_scheme": "dark"}], ids=["390-light", "320-dark"]
)
def test_every_screen_is_accessible_and_large_enough(phone, days, size):
    page = phone(days["Al Fox" if size is PHONE else "Eva Dunn"], **size).page
    for name in SCREENS:
        page.evaluate(GO, name)
        expect(page.locator("#screen h1")).to_have_count(1)
        assert (name, faults(page), page.evaluate(SMALL), page.evaluate(TINY)) == (name, [], [], [])
    page.evaluate(GO, "today")
    page.locator("[data-key=next]").click()
    page.locator("[data-key=no-access]").click()
    assert (faults(page), page.evaluate(SMALL)) == ([], [])


def test_it_speaks_spanish_and_works_by_keyboard(phone, demo, days):
    day = days["Luz Vega"]
    page = phone(day).page
    expect(page.locator("html")).to_have_attribute("lang", "es")
    expect(page.locator("#tabs a")).to_have_text(["Hoy", "Salidas", "Mi semana", "Horas"])
    expect(page.locator(".job")).to_contain_text("Programado")

    page.get_by_role("button", name="En camino").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Empezar a cargar")).to_be_focused()
    page.keyboard.press("Tab")
    wait_until(lambda: len(steps(demo, day["jobs"][0])) == 1, seconds=40, what="the server has it")
    page.locator("#tabs a").nth(3).focus()
    page.keyboard.press("Enter")
    expect(page.locator("#screen")).to_be_focused()
    expect(page.get_by_role("button", name="Marcar entrada")).to_be_visible()


def test_the_office_learns_that_the_plan_was_seen_and_signing_out_leaves_nothing(phone, demo, days):
    day = days["Ray Cole"]
    opened = phone(day)
    page = opened.page

    def seen() -> int:
        query = (
            "SELECT COUNT(*) FROM crew_assignment JOIN crew_event ON crew_event.id = event_id"
            " WHERE crew_event.uid = ? AND seen_at IS NOT NULL"
        )
        with closing(database_of(demo)) as database:
            return database.execute(query, [day["event"]]).fetchone()[0]

    wait_until(lambda: seen() == 1, seconds=40, what="the office knows")
    page.get_by_role("link", name="Hours").click()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("dialog").get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/crew/sign-in/")
    page.goto("/crew/")
    expect(page.get_by_role("heading", name="Sign in to see your plan")).to_be_visible()
    assert "1428 Elm" not in page.content()
    opened.complaints.clear()  # signed out, it asks in vain
