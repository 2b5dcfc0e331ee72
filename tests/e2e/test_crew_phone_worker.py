"""What the crew's phone does beside the page that one looks at: in another tab, in the worker, with a new release; and with
photos that take their time."""

import json

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import wait_until
from tests.e2e.crew_phones import PHONE, controlled, cookie, facts, hired, phone, picture, steps
from tests.e2e.release_proxy import front_of

__all__ = ["phone"]  # a fixture
pytestmark = pytest.mark.browser

SOON = 40_000
"""Milliseconds, for what a phone does by itself once there is a network."""
PEOPLE = {"Ned Pike": "en", "Una Frost": "en", "Gil Marsh": "en", "Ida Stone": "en", "Tom Reyes": "es"}
KEEP = """async ({ member, second }) => {
  const { Database } = await import("/static/crew/database.js");
  const database = new Database();
  const facts = { member, kind: "note", job: null, path: "", at: "", state: "refused" };
  const entry = (key) => ({ ...facts, key, body: { text: key } });
  const bad = { clone: { ...entry("two"), body: () => {} }, taken: { ...entry("two"), id: 1 } }[second];
  if (second === "taken") await database.add([{ ...entry("there"), id: 1 }]);
  const said = await database.add([entry("one"), bad]).then(() => "kept", (error) => error.name);
  return [said, (await database.entries()).map(({ key }) => key)];
}"""


@pytest.fixture(scope="module")
def days(demo) -> dict[str, dict]:
    return hired(demo, PEOPLE)


def keys_of(context) -> list[str]:
    """The keys of all from the pages of a phone to jobs that is answered from now on, in order."""
    keys = []

    def note(request) -> None:
        if request.method == "POST" and "/api/v1/crew/jobs/" in request.url:
            keys.append(request.headers["idempotency-key"])

    context.on("requestfinished", note)
    return keys


def photos_of(demo, uid: str) -> list[str]:
    return [photo["kind"] for photo in json.loads(facts(demo, uid, "photos")[0])]


def test_two_tabs_of_one_phone_show_the_same_and_send_everything_once(phone, demo, days):
    day = days["Ned Pike"]
    opened = phone(day)
    first, context = opened.page, opened.page.context
    second = context.new_page()
    second.goto("/crew/")
    expect(second.locator(".job h3")).to_have_text("1428 Elm St, Denver")
    keys = keys_of(context)
    context.set_offline(True)
    for tab in (first, second):
        expect(tab.locator("#line")).to_have_attribute("data-line", "offline")

    first.get_by_role("button", name="On the way").click()
    second.get_by_role("button", name="Start loading").click()
    first.get_by_label("Before").set_input_files(picture())
    expect(second.locator(".unsent canvas")).to_have_count(1)
    for tab in (first, second):
        expect(tab.locator("#queued")).to_have_text("3 waiting")
        expect(tab.locator(".job")).to_contain_text("In progress")
    context.set_offline(False)

    for tab in (first, second):
        expect(tab.locator("#queued")).to_be_hidden(timeout=SOON)
        expect(tab.locator(".thumbs img")).to_have_count(1)
    assert [to for to, _, _ in steps(demo, day["jobs"][0])] == ["en_route", "in_progress"]
    assert (photos_of(demo, day["jobs"][0]), len(keys), len(set(keys))) == (["before"], 3, 3)
    opened.complaints.clear()  # the browser reports what it could not reach


def test_while_a_photo_is_on_its_way_steps_go_out_and_the_plan_comes(phone, demo, days):
    day = days["Una Frost"]
    opened = phone(day, service_workers="block")  # what a worker asks for cannot be held up here
    page, held, is_free = opened.page, [], []
    page.route("**/api/v1/crew/jobs/*/photos", lambda route: route.continue_() if is_free else held.append(route))
    keys = keys_of(page.context)
    for number, kind in enumerate(("Before", "After"), 1):  # each is made small in its own time
        page.get_by_label(kind).set_input_files(picture())
        expect(page.locator("#queued")).to_have_text(f"{number} waiting")
    wait_until(lambda: page.wait_for_timeout(50) or held, seconds=40, what="the first photo is on its way")

    page.get_by_role("button", name="On the way").click()
    wait_until(lambda: len(steps(demo, day["jobs"][0])) == 1, seconds=40, what="the office has the step")
    edit = (
        "from dispatch import flow\nfrom dispatch.models import Job\n"
        f"job = Job.objects.get(uid={day['jobs'][0]!r})\n"
        "flow.edit(job, {'notes': 'A piano, too'}, expect=job.seq, by='Ana')"
    )
    demo.manage("shell", "-v", "0", "-c", edit)
    expect(page.get_by_text("A piano, too")).to_be_visible()
    expect(page.locator("#queued")).to_have_text("2 waiting")
    assert (len(held), photos_of(demo, day["jobs"][0])) == (1, [])

    is_free.append(True)
    held[0].continue_()
    expect(page.locator("#queued")).to_be_hidden(timeout=SOON)
    assert (photos_of(demo, day["jobs"][0]), len(keys), len(set(keys))) == (["before", "after"], 3, 3)
    opened.complaints.clear()  # there is no worker


def test_the_worker_sends_what_waits_when_no_page_is_open(phone, demo, days):
    day = days["Gil Marsh"]
    opened = phone(day)
    page, context = opened.page, opened.page.context
    page.evaluate("navigator.serviceWorker.ready.then(() => {})")
    beside = context.new_page()  # of the same origin, and not the crew's page
    beside.goto("/robots.txt")
    workers, known = context.new_cdp_session(beside), {}
    workers.on("ServiceWorker.workerRegistrationUpdated", lambda news: known.update(
        {one["scopeURL"]: one["registrationId"] for one in news["registrations"]}))  # fmt: skip
    workers.send("ServiceWorker.enable")
    context.set_offline(True)
    expect(page.locator("#line")).to_have_attribute("data-line", "offline")
    page.get_by_role("button", name="On the way").click()
    page.get_by_label("Before").set_input_files(picture())
    expect(page.locator("#queued")).to_have_text("2 waiting")
    page.close()
    assert steps(demo, day["jobs"][0]) == []
    context.set_offline(False)  # from now on the browser itself may wake the worker, too

    event = {
        "origin": demo.origin,
        "registrationId": known[f"{demo.origin}/crew/"],
        "tag": "crew-queue",
        "lastChance": False,
    }
    workers.send("ServiceWorker.dispatchSyncEvent", event)

    wait_until(lambda: beside.wait_for_timeout(50) or photos_of(demo, day["jobs"][0]), seconds=40, what="the worker sends")
    assert [to for to, _, _ in steps(demo, day["jobs"][0])] == ["en_route"]
    opened.complaints.clear()


def test_a_page_that_stays_open_learns_of_a_release_and_keeps_the_queue(browser, demo, days):
    day = days["Ida Stone"]
    with front_of(demo.origin) as front:
        context = browser.new_context(base_url=front.origin, **PHONE)
        context.set_default_timeout(20_000)
        context.add_cookies([cookie(day, demo) | {"url": front.origin}])
        page = context.new_page()
        page.goto("/crew/")
        expect(page.locator(".job h3")).to_have_text("1428 Elm St, Denver")
        controlled(page)
        context.set_offline(True)
        expect(page.locator("#line")).to_have_attribute("data-line", "offline")
        page.get_by_role("button", name="On the way").click()
        expect(page.locator("#queued")).to_have_text("1 waiting")

        front.is_next = front.is_down = True
        context.set_offline(False)
        names = "caches.keys().then((names) => names.join())"
        wait_until(lambda: page.wait_for_timeout(50) or page.evaluate(names) == "crew-next", seconds=40, what="it has come")
        marked = "document.documentElement.dataset.release"
        assert page.evaluate(marked) is None  # it is being looked at
        with page.expect_navigation():
            page.evaluate(
                'Object.defineProperty(document, "hidden", { value: true });'
                'document.dispatchEvent(new Event("visibilitychange"))'
            )

        page.wait_for_function(f"() => {marked} === 'next'")
        expect(page.locator("#queued")).to_have_text("1 waiting")
        expect(page.locator(".job")).to_contain_text("On the way")
        front.is_down = False
        wait_until(lambda: page.wait_for_timeout(50) or steps(demo, day["jobs"][0]), seconds=40, what="it is sent")
        context.close()
    assert [to for to, _, _ in steps(demo, day["jobs"][0])] == ["en_route"]


@pytest.mark.parametrize(("second", "error", "kept"), [
    ("clone", "DataCloneError", []), ("taken", "ConstraintError", ["there"]),
])  # fmt: skip
def test_several_entries_of_one_tap_are_kept_all_or_none(phone, demo, days, second, error, kept):
    page = phone(days["Tom Reyes"]).page

    assert page.evaluate(KEEP, {"member": days["Tom Reyes"]["member"], "second": second}) == [error, kept]


def test_a_refusal_is_read_in_spanish(phone, demo, days):
    day = days["Tom Reyes"]
    opened = phone(day)
    page = opened.page
    page.get_by_role("link", name="Salidas").click()
    card = page.locator(f"#event-{day['free']}")
    page.route("**/api/v1/events/*/claim", lambda route: route.continue_(url=f"{demo.origin}/api/v1/events/nowhere/claim"))
    card.get_by_role("button", name="Tomar este lugar").click()

    expect(page.locator(".notice")).to_contain_text("Esto ya no está. Pregunte a la oficina.")
    opened.complaints.clear()
