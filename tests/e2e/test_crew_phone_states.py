"""Every state of the crew's phone, with the longest words there are: nothing scrolls sideways, nothing is too small, and
screen readers find their way. In both languages, schemes and sizes."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.crew_phones import GO, PHONE, SMALL, TINY, faults, hired, phone

__all__ = ["phone"]  # a fixture
pytestmark = pytest.mark.browser

TAPPED = "2026-11-24T08:31:02-07:00"
LONG = "Donaudampfschifffahrtsgesellschaftskapitänswitwenverein"
NARROW = PHONE | {"viewport": {"width": 320, "height": 640}, "color_scheme": "dark"}
PEOPLE = {"Zoe Blunt": "en", "Rosa Ibarra": "es", "Max Thorn": "en", "Lia Prado": "es"}
LOOKS = [("Zoe Blunt", PHONE), ("Rosa Ibarra", NARROW)]
EMPTY = [("Max Thorn", PHONE), ("Lia Prado", NARROW)]
IDS = ["390-light-en", "320-dark-es"]
PUT = """async (made) => {
  const { Database } = await import("/static/crew/database.js");
  await new Database().add(made);
  new BroadcastChannel("crew").postMessage("changed");
}"""
CONTRAST = """(one) => {
  const light = (color) => color.match(/[\\d.]+/g).slice(0, 3).map((part) => part / 255)
    .map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
  const style = getComputedStyle(one);
  const [low, high] = [light(style.color), light(style.backgroundColor)].sort((a, b) => a - b);
  return { ratio: (high + 0.05) / (low + 0.05), background: style.backgroundColor, border: style.borderTopStyle };
}"""


@pytest.fixture(scope="module")
def days(demo) -> dict[str, dict]:
    return hired(demo, PEOPLE)


def with_long_words(plan: dict) -> dict:
    """The plan with everything at its longest, and its three jobs over, without a next step, and on the way."""
    for event in [*plan["events"], *plan["week"]]:
        event |= {"title": f"{LONG} {LONG}", "truck": LONG, "notes": f"https://example.com/{LONG}{LONG}"}
        event["captains"]["people"] = [{"name": f"{LONG} {LONG}", "since": event["start"], "you": False}]
    gone = {key: plan["events"][0][key] for key in ("id", "title", "start", "end", "day")}
    plan["cancelled"] = [gone | {"at": gone["start"], "by": LONG, "reason": LONG}]
    jobs = plan["events"][0]["jobs"]
    for job, status in zip(jobs, ("completed", "requested", "en_route"), strict=True):
        contact = {"name": "W" * 90, "phone": "+13035550111", "accessNotes": LONG * 3, "notes": LONG * 3}
        job |= {"status": status, "location": f"1428 {LONG}, {LONG}", "contact": contact if status == "en_route" else None}
        job["next"] = {"to": "in_progress", "label": "Start loading"} if status == "en_route" else None
        job["photos"] = [{"id": f"{status}{number}", "kind": "before"} for number in range(4)]
    return plan


def with_long_events(body: dict) -> dict:
    """Also one that is cancelled, one that somebody has, and one to be released from."""
    for event, status in zip(body["events"], ("open", "cancelled", "full", "open"), strict=False):
        event |= {"title": f"{LONG} {LONG}", "truck": LONG, "status": status}
        event["firstMates"]["people"] = [{"name": LONG, "since": event["start"], "you": False}] if status == "full" else []
    asked = body["events"][0]
    asked["you"] = {
        "role": "first_mate",
        "since": asked["start"],
        "isClaim": True,
        "mayRelease": False,
        "releaseAsked": None,
    }
    return body


def changed(page, path: str, change) -> None:
    def answer(route) -> None:
        response = route.fetch(
            headers={key: value for key, value in route.request.headers.items() if key != "if-none-match"}
        )
        if response.status == 200:
            route.fulfill(response=response, json=change(response.json()))
        else:
            route.fulfill(response=response)

    page.route(re.compile(path), answer)


def entries(day: dict, kinds: list[dict]) -> list[dict]:
    about = {"member": day["member"], "job": day["jobs"][2], "where": f"1428 {LONG}", "path": "/nowhere", "tries": 0}
    return [
        about | {"key": str(number), "at": TAPPED, "state": "waiting", "retryAt": 0, "detail": "", "current": None} | one
        for number, one in enumerate(kinds)
    ]


def looked_at(page) -> list[str]:
    return [*faults(page), *page.evaluate(SMALL), *page.evaluate(TINY)]


@pytest.fixture
def opened(phone):
    """A member's phone whose answers may be changed, without a worker and without news by socket."""
    phones = []

    def open_phone(day: dict, **size):
        phones.append(phone(day, **size, service_workers="block"))
        phones[-1].page.route_web_socket(re.compile("/ws/"), lambda socket: None)
        return phones[-1].page

    yield open_phone
    for one in phones:
        one.complaints.clear()  # of the worker, of photos that are not there, and of the network


@pytest.mark.parametrize(("name", "size"), LOOKS, ids=IDS)
def test_with_the_longest_words(opened, days, name, size):
    day = days[name]
    page, found = opened(day, **size), {}
    changed(page, r"/api/v1/crew/plan$", with_long_words)
    changed(page, r"/api/v1/events\?", with_long_events)
    page.route(re.compile("/crew/photos/"), lambda route: route.abort())
    page.reload()
    expect(page.locator(".job")).to_contain_text(LONG)
    page.evaluate(GO, "events")
    expect(page.locator("article.event h3").first).to_contain_text(LONG)  # they come after the plan
    for screen in ("today", "tomorrow", "events", "week", "hours", "waiting"):
        page.evaluate(GO, screen)
        expect(page.locator("#screen h1")).to_have_count(1)
        found[screen] = looked_at(page)

    page.evaluate(GO, "today")
    for number, row in enumerate(("over", "nothing next")):
        page.locator(f'.row[data-job="{day["jobs"][number]}"]').click()
        expect(page.locator(f'.job[data-job="{day["jobs"][number]}"] .told')).to_have_count(1)
        found[row] = looked_at(page)
    page.locator(f'.row[data-job="{day["jobs"][2]}"]').click()
    for key in ("note", "no-access"):
        page.locator(f"[data-key={key}]").click()
        page.locator("#ask button[type=submit]").click()  # nothing is filled in
        expect(page.get_by_role("alert")).not_to_be_empty()
        found[f"question: {key}"] = looked_at(page)
        page.keyboard.press("Escape")
    page.evaluate(GO, "hours")
    page.locator("[data-key=sign-out]").click()
    found["question: sign out"] = looked_at(page)
    page.keyboard.press("Escape")
    page.evaluate(GO, "events")
    page.locator("article.event button.quiet").first.click()
    found["question: release"] = looked_at(page)

    assert {state: faults for state, faults in found.items() if faults} == {}


@pytest.mark.parametrize(("name", "size"), LOOKS, ids=IDS)
def test_with_a_queue_and_without_a_network(opened, days, name, size):
    day = days[name]
    page, found = opened(day, **size), {}
    changed(page, r"/api/v1/crew/plan$", with_long_words)
    page.reload()
    expect(page.locator(".job")).to_contain_text(LONG)
    page.context.set_offline(True)
    expect(page.locator("#line")).to_have_attribute("data-line", "offline")
    move = {"kind": "move", "body": {"from": "en_route", "to": "in_progress"}}
    late = move | {"state": "conflict", "code": "moved_on", "detail": LONG * 2}
    page.evaluate(PUT, entries(day, [
        late | {"current": {"status": "ready_for_pickup"}, "body": {"from": "scheduled", "to": "en_route"}},
        late | {"current": {"status": "cancelled"}}, move,
        {"kind": "note", "body": {"text": LONG * 2}, "state": "refused", "detail": LONG * 2},
        {"kind": "no_access", "body": {"reason": f"Wrong address: {LONG * 2}"}, "job": day["jobs"][1], "tries": 3},
        {"kind": "clock", "job": None, "where": "", "body": {"in": True, "at": TAPPED}},
    ]))  # fmt: skip
    expect(page.locator("#queued .part")).to_have_count(2)
    for screen in ("waiting", "today", "tomorrow", "events", "week", "hours"):
        page.evaluate(GO, screen)
        expect(page.locator("#screen h1")).to_have_count(1)
        found[screen] = looked_at(page)
    page.locator("[data-key=clock]").click()
    expect(page.locator(".notice")).to_be_visible()
    found["kept"] = looked_at(page)

    assert {state: faults for state, faults in found.items() if faults} == {}


@pytest.mark.parametrize(("name", "size"), EMPTY, ids=IDS)
def test_with_nothing(opened, days, name, size):
    """No plan yet, an empty one, all done, signed out, and no storage."""
    day = days[name]
    page, found, held = opened(day, **size), {}, []

    def all_done(plan: dict) -> dict:
        for job in plan["events"][0]["jobs"]:
            job |= {"status": "completed", "contact": None, "next": None}
        return plan

    changed(page, r"/api/v1/crew/plan$", all_done)
    page.reload()
    expect(page.locator(".all-done")).to_have_count(1)
    found["all done"] = looked_at(page)
    changed(page, r"/api/v1/crew/plan$", lambda plan: plan | {"events": [], "week": []})
    changed(page, r"/api/v1/events\?", lambda body: body | {"events": []})
    page.reload()
    for screen in ("today", "tomorrow", "events", "week"):
        page.evaluate(GO, screen)
        expect(page.locator(".empty")).to_have_count(1)
        found[f"no {screen}"] = looked_at(page)

    page.evaluate(PUT, entries(day, [{"kind": "note", "body": {"text": "Dog"}, "retryAt": 2**52, "tries": 1}]))
    page.context.clear_cookies()
    page.reload()
    expect(page.locator("a.main")).to_be_visible()
    expect(page.locator("#screen .warning")).to_be_visible()
    found["signed out"] = looked_at(page)
    page.route(re.compile("/api/v1/"), lambda route: held.append(route))
    page.reload()
    expect(page.locator(".empty")).to_be_visible()
    found["loading"] = looked_at(page)
    page.add_init_script("indexedDB.open = () => { throw new DOMException('No room', 'QuotaExceededError'); }")
    page.reload()
    expect(page.locator("#screen .warning")).to_contain_text("No room")
    found["no storage"] = looked_at(page)

    assert {state: faults for state, faults in found.items() if faults} == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_button_that_rests_looks_so_and_can_be_read(phone, demo, days, scheme):
    page = phone(days["Zoe Blunt"], color_scheme=scheme).page
    page.evaluate(GO, "hours")
    button = page.locator("[data-key=clock]")
    usual = button.evaluate(CONTRAST)
    # In one go: news may paint the screen anew at any moment.
    resting = button.evaluate(f"(one) => {{ one.setAttribute('aria-disabled', 'true'); return ({CONTRAST})(one); }}")

    assert (usual["ratio"] >= 4.5, resting["ratio"] >= 4.5) == (True, True)
    assert (resting["background"] != usual["background"], resting["border"]) == (True, "dashed")
