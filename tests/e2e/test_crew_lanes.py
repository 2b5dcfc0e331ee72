"""The board by crews: jobs into events by mouse, menu and key, people into places, and everybody else follows."""

import json
import re
import subprocess
import sys
from datetime import datetime, timedelta
from itertools import count
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import KEEP_MESSAGES, ROOT, wait_until
from tests.e2e.test_dispatcher import card
from tests.e2e.test_main_job import drag
from tests.e2e.test_pages import SCREENS, too_wide, violations

pytestmark = pytest.mark.browser

ZONE = ZoneInfo("America/Denver")
NEAREST, DAYS = 7, 6  # days ahead that tests take in turn: the demo has nothing there, and the socket tells of them
LOOP = """
import json, sys
names = {}
for line in sys.stdin:
    exec(json.loads(line), names)
    print(json.dumps(names.pop("said", None)), flush=True)
"""
NAMES = """
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo
from django.contrib.auth.models import Permission, User
from crew import plan
from crew.models import Event, Member, Truck
from dispatch import asks, flow
from dispatch.models import Board, Job

def board():
    return Board.objects.get(slug="main")

def event(title, day, start=8, end=16, **facts):
    midnight = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo("America/Denver"))
    hours = dict(starts_at=midnight.replace(hour=start), ends_at=midnight.replace(hour=end))
    return plan.open_event(board(), by="Test", title=title, **hours, **facts)

def member(name, **facts):
    email = name.split()[0].lower() + "@lanes.example"
    return Member.objects.get_or_create(board=board(), name=name, email=email, **facts)[0]

def day(date):
    truck, _ = Truck.objects.get_or_create(board=board(), name="Lane truck")
    people = [member("Lena Lane", can_captain=True), member("Otto Orr"), member("Pia Pond")]
    events = [event("North", date, truck=truck), event("South", date, 9, 17)]
    return {one.title.lower(): one.uid for one in events} | {one.name: one.uid for one in people}

def step(name, event, member, **more):
    who = Member.objects.get(uid=member)
    getattr(plan, name)(Event.objects.get(uid=event), who, by=who.name, **more)

def put(job, event, by="Test"):
    plan.put_job(Job.objects.get(uid=job), event and Event.objects.get(uid=event), by=by)

def job(status, **facts):
    return flow.open_job(board(), by="Test", channel="api", status=status, **facts).uid

def account(username, *permissions):
    user, is_new = User.objects.get_or_create(username=username)
    if is_new:
        user.set_password("quickdump")
        user.save()
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))

def free(*events):
    for one in Event.objects.filter(uid__in=events, cancelled_at=None):
        plan.cancel_event(one, by="Test", reason="The test is over.")
"""


class Elsewhere:
    """What members and colleagues do meanwhile, in one process for all tests: each one more would take a second or two."""

    def __init__(self, demo):
        command = [sys.executable, "manage.py", "shell", "-v", "0", "-c", LOOP]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen(command, cwd=ROOT, env=demo.environment, **pipes)
        self.run(NAMES)

    def run(self, code):
        print(json.dumps(code), file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        assert line, "it died of an error, which stands above"
        return json.loads(line)

    def __getattr__(self, name):
        return lambda *args, **facts: self.run(f"said = {name}(*{args!r}, **{facts!r})")

    def leave(self):
        self.process.stdin.close()
        assert self.process.wait(60) == 0
        self.process.stdout.close()


@pytest.fixture(scope="module")
def elsewhere(demo):
    elsewhere = Elsewhere(demo)
    yield elsewhere
    elsewhere.leave()


@pytest.fixture
def new_job(elsewhere):
    """A fresh job of the given facts; gives its id."""
    return lambda status="scheduled", **facts: elsewhere.job(status, **facts)


class Day:
    """A day ahead with two events, North and South, which nobody else has at the same time."""

    turn = count()

    def __init__(self, elsewhere):
        self.elsewhere = elsewhere
        self.date = (datetime.now(ZONE) + timedelta(days=NEAREST + next(Day.turn) % DAYS)).date().isoformat()
        self.ids = elsewhere.day(self.date)

    def window(self, start=10, end=12):
        day = datetime.fromisoformat(self.date).replace(tzinfo=ZONE)
        return {name: day.replace(hour=hour).isoformat() for name, hour in (("window_start", start), ("window_end", end))}

    def step(self, name, event, member, **more):
        self.elsewhere.step(name, self.ids[event], self.ids[member], **more)

    def show(self, window):
        window.page.goto(f"/board/main/?columns=crews&on={self.date}")
        expect(window.page.locator(".crews-fresh")).to_have_text("Crews live")
        window.page.evaluate(KEEP_MESSAGES)
        return window


@pytest.fixture
def day(elsewhere):
    day = Day(elsewhere)
    yield day
    elsewhere.free(day.ids["north"], day.ids["south"])


@pytest.fixture
def lanes(screen, day):
    def open_window(user="ana", **options):
        return day.show(screen(user, **options))

    return open_window


def lane(window, title):
    return window.page.locator(".column.crew").filter(has=window.page.get_by_role("heading", name=title, exact=True))


def jobs(window, title):
    return [one.get_attribute("data-id") for one in lane(window, title).locator(".card").all()]


def put(window, uid, title):
    """By the menu."""
    card(window, uid).get_by_role("button", name="Crew of").click()
    window.page.locator("#crew-dialog").get_by_role("button", name=title).click()


def test_a_dragged_job_is_in_its_crew_for_everybody(lanes, day, new_job):
    day.step("assign", "north", "Lena Lane", role="captain")
    one, two = new_job(location="1 Drag Ct", **day.window()), new_job(location="2 Drag Ct", **day.window(11, 13))
    ana, ben = lanes(), lanes("ben")
    expect(lane(ana, "No crew").locator(f'[data-id="{one}"]')).to_be_visible()

    for uid in (one, two):
        drag(ana, card(ana, uid), lane(ana, "North").locator(".cards"))
        expect(lane(ben, "North").locator(f'[data-id="{uid}"]')).to_be_visible()
    drag(ana, lane(ana, "North").locator(".card").nth(1), lane(ana, "South").locator(".cards"))

    expect(lane(ben, "South").locator(".card")).to_have_count(1)
    expect(card(ben, jobs(ben, "North")[0])).to_contain_text("Lena")
    assert sorted(jobs(ana, "North") + jobs(ana, "South")) == sorted([one, two])
    assert (jobs(ana, "North"), jobs(ana, "South")) == (jobs(ben, "North"), jobs(ben, "South"))
    ana.page.locator(".toast", has_text="is in South.").get_by_role("button", name="Undo").click()
    expect(lane(ben, "North").locator(".card")).to_have_count(2)


def test_menu_and_keys_do_what_dragging_does(lanes, day, new_job):
    uids = [new_job(location=f"{number} Key Ct", **day.window()) for number in (1, 2, 3)]
    ana = lanes()
    for uid in uids:
        card(ana, uid).get_by_role("button", name="Crew of").click()
        ana.page.get_by_role("dialog").get_by_role("button", name="North").click()
        expect(lane(ana, "North").locator(f'[data-id="{uid}"]:not([data-saving])')).to_be_visible()
    assert jobs(ana, "North") == uids

    card(ana, uids[2]).get_by_role("button", name="3 Key Ct", exact=True).focus()
    ana.page.keyboard.press("e")
    assert violations(ana.page) == []
    ana.page.get_by_role("button", name="Top", exact=True).press("Enter")

    wait_until(lambda: jobs(ana, "North") == [uids[2], uids[0], uids[1]], seconds=20, what="it is the first")
    expect(card(ana, uids[2]).locator(".when")).to_have_attribute("data-place", "1")
    expect(ana.page.locator(".toast", has_text="3 Key Ct moved in North.")).to_be_visible()
    ana.page.keyboard.press("u")
    wait_until(lambda: jobs(ana, "North") == uids, seconds=20, what="it is where it was")
    expect(lane(ana, "North").locator(f'[data-id="{uids[2]}"]:not([data-saving])')).to_be_visible()
    ana.page.keyboard.press("e")
    ana.page.locator("#crew-dialog").get_by_role("button", name="No crew").press("Enter")
    expect(lane(ana, "No crew").locator(f'[data-id="{uids[2]}"]')).to_be_visible()


def test_a_refused_job_goes_back_and_says_why(lanes, day, new_job):
    uid = new_job(location="1 Refused Ct", **day.window())
    ana = lanes()
    ana.page.route("**/api/v1/jobs/*/event", lambda route: route.abort())

    drag(ana, card(ana, uid), lane(ana, "North").locator(".cards"))

    expect(ana.page.locator(".toast")).to_contain_text("1 Refused Ct stays without a crew: The server cannot be reached")
    expect(lane(ana, "No crew").locator(f'[data-id="{uid}"]')).to_be_visible()
    ana.complaints[:] = [text for text in ana.complaints if "ERR_FAILED" not in text]


def test_two_who_put_one_job_elsewhere_do_not_overwrite_each_other(screen, day, elsewhere, new_job):
    """Ana's lanes do not know yet what Ben did. She is told, and decides."""
    uid, ben = new_job(location="1 Both Ct", **day.window()), {"by": "Ben Okafor"}
    elsewhere.put(uid, day.ids["north"])
    ana, looks = screen("ana"), []

    def once(route):  # nor will they by looking again, and no look is on its way meanwhile
        looks.append(route)
        return route.continue_() if len(looks) == 1 else route.abort()

    ana.page.route_web_socket("**/ws/crew/", lambda socket: None)
    ana.page.route("**/api/v1/events?*", once)
    ana.page.goto(f"/board/main/?columns=crews&on={day.date}")
    expect(lane(ana, "North").locator(f'[data-id="{uid}"]')).to_be_visible()

    elsewhere.put(uid, day.ids["south"], **ben)
    put(ana, uid, "No crew")
    dialog = ana.page.locator("#conflict-dialog")
    expect(dialog).to_contain_text(re.compile(r"Ben Okafor put this job into “South” \d+ s ago\."))
    expect(dialog).to_contain_text("It is in South now. You wanted to move it to no event.")
    assert violations(ana.page) == []
    dialog.get_by_role("button", name="Keep it in South").click()
    expect(lane(ana, "South").locator(f'[data-id="{uid}"]')).to_be_visible()
    expect(lane(ana, "North").locator(".card")).to_have_count(0)

    elsewhere.put(uid, None, **ben)
    put(ana, uid, "North")
    expect(dialog).to_contain_text("Ben Okafor took this job out of “South”")
    dialog.get_by_role("button", name="Move it to North anyway").click()
    expect(ana.page.locator(".toast", has_text="1 Both Ct is in North.")).to_be_visible()

    elsewhere.put(uid, day.ids["south"], **ben)
    put(ana, uid, "South")
    expect(ana.page.locator(".toast", has_text="1 Both Ct: Ben Okafor put this job into “South”")).to_be_visible()
    expect(dialog).to_be_hidden()
    expect(lane(ana, "South").locator(f'[data-id="{uid}"]:not([data-saving])')).to_be_visible()
    ana.complaints[:] = [text for text in ana.complaints if not re.search("409|ERR_FAILED", text)]


def test_what_an_event_of_long_ago_left_undone_is_no_conflict(lanes, day, elsewhere, new_job):
    uid = new_job(location="1 Left Ct", **day.window())
    long_ago = (datetime.now(ZONE) - timedelta(days=20)).date().isoformat()
    elsewhere.run(f"put({uid!r}, event('Long ago', {long_ago!r}).uid)")
    ana = lanes()

    put(ana, uid, "North")

    expect(lane(ana, "North").locator(f'[data-id="{uid}"]:not([data-saving])')).to_be_visible()
    expect(ana.page.locator(".toast", has_text="1 Left Ct is in North.")).to_be_visible()
    ana.complaints[:] = [text for text in ana.complaints if "409" not in text]


def test_a_finished_job_that_could_not_be_fetched_is_asked_for_again(screen, day, elsewhere, new_job):
    uid, is_mended, lines = new_job("completed", location="1 Done Ct", **day.window()), [], []
    elsewhere.put(uid, day.ids["north"])
    ana = screen("ana")

    def without(route):  # as on a board with more finished jobs than it comes with
        script = route.fetch()
        made = "const view = new View("
        assert script.text().count(made) == 1
        route.fulfill(response=script, body=script.text().replace(made, f"store.cards.delete('{uid}'); {made}"))

    def fail_at_first(route):
        return route.continue_() if is_mended else route.abort()

    def snapshots(line):  # each time it connects, and this job is in none of them
        server = line.connect_to_server()
        lines.append(line)
        line.on_message(lambda text: server.send(json.dumps(json.loads(text) | {"epoch": None})))
        server.on_message(lambda text: line.send(json.dumps(json.loads(text, object_hook=unknown))))

    def unknown(frame):
        return frame | {"jobs": [job for job in frame["jobs"] if job["id"] != uid]} if "jobs" in frame else frame

    ana.page.clock.install()
    ana.page.route_web_socket("**/ws/board/**", snapshots)
    ana.page.route("**/board/main.js", without)
    ana.page.route(f"**/api/v1/jobs/{uid}", fail_at_first)
    with ana.page.expect_event("requestfailed"):
        ana.page.goto(f"/board/main/?columns=crews&on={day.date}")
    expect(lane(ana, "North")).to_be_visible()
    expect(card(ana, uid)).to_have_count(0)

    is_mended.append(True)
    ana.page.clock.run_for(16_000)

    expect(lane(ana, "North").locator(f'[data-id="{uid}"]')).to_be_visible()
    with ana.page.expect_request(f"**/api/v1/jobs/{uid}"):
        lines[-1].close(code=1011)
    expect(lane(ana, "North").locator(f'[data-id="{uid}"]')).to_be_visible()
    ana.complaints[:] = [text for text in ana.complaints if "ERR_FAILED" not in text]


def test_somebody_who_is_elsewhere_is_assigned_only_with_a_reason(lanes, day):
    day.step("claim", "south", "Otto Orr")
    ana, ben = lanes(), lanes("ben")

    lane(ana, "North").get_by_role("button", name="People").click()
    dialog = ana.page.locator("#people-dialog")
    dialog.get_by_label("First mate", exact=True).select_option("Otto Orr")
    dialog.get_by_role("button", name="Assign as first mate").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Otto is on “South” then")
    assert violations(ana.page) == []
    dialog.get_by_label("Why they may be").fill("Swaps trucks at noon.")
    dialog.get_by_role("button", name="Assign all the same").click()

    expect(lane(ben, "North")).to_contain_text("Otto Orr")
    expect(lane(ben, "North")).to_contain_text("Also elsewhere: Swaps trucks at noon.")
    expect(lane(ben, "South")).to_contain_text("Otto is on “North” at the same time.")
    dialog.get_by_role("button", name="Take Otto off").click()
    ana.page.locator("#why-dialog").get_by_role("button", name="Take off").click()
    expect(lane(ben, "North")).to_contain_text("1 captain and 1 first mate still needed")
    ana.complaints[:] = [text for text in ana.complaints if "409" not in text]


def test_what_members_do_appears_at_once(lanes, day):
    ana = lanes()
    expect(lane(ana, "North")).to_contain_text("1 captain and 1 first mate still needed")
    ana.page.route("**/api/v1/events?*", lambda route: route.abort())  # it is told, not found by looking

    day.step("claim", "north", "Pia Pond")

    expect(lane(ana, "North")).to_contain_text("Pia Pond")
    expect(lane(ana, "North")).to_contain_text("not seen yet")
    day.step("assign", "south", "Lena Lane", role="captain")
    day.step("release", "south", "Lena Lane", reason="My car broke down.")
    expect(lane(ana, "South")).to_contain_text("Lena asks to be released: “My car broke down.”")
    lane(ana, "South").get_by_role("button", name="Keep Lena").click()
    expect(lane(ana, "South")).not_to_contain_text("asks to be released")
    expect(lane(ana, "South")).to_contain_text("Lena Lane")
    ana.complaints[:] = [text for text in ana.complaints if "ERR_FAILED" not in text]


def test_an_event_is_opened_changed_and_cancelled(lanes, day, new_job):
    ana, ben = lanes(), lanes("ben")

    ana.page.get_by_role("button", name="New event").click()
    form = ana.page.locator("#event-dialog")
    form.get_by_role("button", name="Save").click()
    expect(form.locator('[data-error="title"]')).to_contain_text("cannot be blank")
    assert violations(ana.page) == []
    form.get_by_label("Title").fill("Night run")
    form.get_by_label("From").fill("22:00")
    form.get_by_label("Until").fill("02:00")
    form.get_by_label("Truck").select_option("Lane truck")
    form.get_by_role("button", name="Save").click()
    expect(lane(ben, "Night run")).to_contain_text("Lane truck · 10 PM – 2 AM")

    lane(ana, "Night run").get_by_role("button", name="Edit").click()
    lane(ben, "Night run").get_by_role("button", name="Edit").click()
    form.get_by_label("First mates").fill("3")
    ben.page.get_by_label("Title").fill("Late run")
    ben.page.locator("#event-dialog").get_by_role("button", name="Save").click()
    expect(lane(ana, "Late run")).to_have_count(1)
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_role("alert")).to_contain_text("Ben Okafor changed this event")
    form.get_by_role("button", name="Save").click()
    expect(lane(ben, "Late run")).to_contain_text("3 first mates still needed")

    lane(ana, "Late run").get_by_role("button", name="Edit").click()
    form.get_by_role("button", name="Cancel the event").click()
    ana.page.locator("#why-dialog").get_by_label("Why").fill("Snow.")
    ana.page.locator("#why-dialog").get_by_role("button", name="Cancel the event").click()
    expect(lane(ben, "Late run")).to_have_count(0)
    ana.complaints[:] = [text for text in ana.complaints if not re.search("409|422", text)]


def test_an_event_of_three_days_stays_one(lanes, day, elsewhere):
    days = [(datetime.fromisoformat(day.date) + timedelta(days=more)).date() for more in range(4)]
    until = datetime.fromisoformat(f"{days[2]}T17:00").replace(tzinfo=ZONE).isoformat()
    code = f"one = event('Long haul', {day.date!r}, 9); until = datetime.fromisoformat({until!r})"
    elsewhere.run(f"{code}; plan.edit_event(one, dict(ends_at=until), expect=one.seq, by='Test'); said = one.uid")
    ana = lanes()
    expect(lane(ana, "Long haul")).to_contain_text(f"9 AM – {days[2]:%a, %b} {days[2].day}, 5 PM")

    lane(ana, "Long haul").get_by_role("button", name="Edit").click()
    form = ana.page.locator("#event-dialog")
    expect(form.get_by_label("Last day")).to_have_value(str(days[2]))
    form.get_by_label("Day", exact=True).fill(str(days[1]))
    form.get_by_role("button", name="Save").click()

    expect(lane(ana, "Long haul")).to_contain_text(f"9 AM – {days[3]:%a, %b} {days[3].day}, 5 PM")
    lane(ana, "Long haul").get_by_role("button", name="Edit").click()
    form.get_by_label("Last day").fill("")
    form.get_by_role("button", name="Save").click()
    expect(form.locator('[data-error="lastDay"]')).to_have_text("Which day is the last?")
    expect(form.get_by_label("Last day")).to_be_focused()
    form.get_by_label("Last day").fill(str(days[1]))
    form.get_by_role("button", name="Save").click()
    expect(lane(ana, "Long haul")).to_contain_text("No truck · 9 AM – 5 PM")
    elsewhere.run("plan.cancel_event(one, by='Test', reason='The test is over.')")


def test_new_hours_put_nobody_in_two_places_without_a_reason(lanes, day, elsewhere):
    day.ids["early"] = elsewhere.run(f"one = event('Early', {day.date!r}, 5, 7); said = one.uid")
    for event in ("early", "north"):
        day.step("claim", event, "Pia Pond")
    ana = lanes()

    lane(ana, "Early").get_by_role("button", name="Edit").click()
    form = ana.page.locator("#event-dialog")
    reason = form.get_by_label("Why they may be in two places")
    expect(reason).to_be_hidden()
    form.get_by_label("Until").fill("09:00")
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_role("alert")).to_contain_text(
        re.compile("Pia is on “North” then: .*Change the hours, or say why they may be in two places, and save again.")
    )
    expect(reason).to_be_focused()
    assert violations(ana.page) == []
    reason.fill("North waits for her.")
    form.get_by_role("button", name="Save").click()

    expect(lane(ana, "Early")).to_contain_text("Also elsewhere: North waits for her.")
    expect(lane(ana, "Early")).to_contain_text("No truck · 5 – 9 AM")
    lane(ana, "North").get_by_role("button", name="Edit").click()
    expect(reason).to_be_hidden()
    elsewhere.run("plan.cancel_event(one, by='Test', reason='The test is over.')")
    ana.complaints[:] = [text for text in ana.complaints if "409" not in text]


@pytest.mark.parametrize("size", SCREENS)
def test_long_notes_are_shown_in_part_and_push_no_button_away(lanes, day, elsewhere, size):
    notes = "x" * 300 + "\nGate 4.\n" + "Long. " * 200
    elsewhere.run(f"one = event('Wordy', {day.date!r}, notes={notes!r}); said = one.uid")
    ana = lanes(**SCREENS[size])
    if size == "phone":
        ana.page.get_by_role("tab", name="Wordy").click()
    facts = lane(ana, "Wordy").locator(".lane-facts")
    more = facts.get_by_role("button", name="More of the notes: Wordy")
    lines = "(one) => Math.round(one.offsetHeight / parseFloat(getComputedStyle(one).lineHeight))"

    def within(button):
        outer, inner = facts.bounding_box(), button.bounding_box()
        return outer["y"] <= inner["y"] and inner["y"] + inner["height"] <= outer["y"] + outer["height"]

    assert facts.locator(".clamped span").evaluate(lines) == 3
    assert facts.evaluate("(one) => [one.scrollHeight - one.clientHeight, one.scrollWidth - one.clientWidth]") == [0, 0]
    more.press("Enter")
    less = facts.get_by_role("button", name="Less of the notes: Wordy")
    expect(less).to_be_focused()
    assert facts.locator(f"#{less.get_attribute('aria-controls')} span").evaluate(lines) > 3
    facts.evaluate("(one) => one.scrollTo(0, 0)")
    assert all(within(facts.get_by_role("button", name=name)) for name in ("People", "Edit"))
    assert (violations(ana.page), too_wide(ana.page)) == ([], 0)
    elsewhere.run("plan.edit_event(one, dict(title='Wordier'), expect=Event.objects.get(pk=one.pk).seq, by='Test')")
    expect(lane(ana, "Wordier").get_by_role("button", name="Less of the notes: Wordier")).to_be_focused()
    elsewhere.run("plan.cancel_event(one, by='Test', reason='The test is over.')")


@pytest.mark.parametrize("user", ["ana", "lanes-only"])
def test_why_nobody_can_be_assigned_is_said_truly(screen, day, elsewhere, user):
    """There is no captain, or all are there. Who may add members is shown where."""
    elsewhere.account("lanes-only", "view_job", "change_job")
    day.step("assign", "south", "Lena Lane", role="captain")
    lena = {"id": day.ids["Lena Lane"], "name": "Lena Lane", "canCaptain": True, "canFirstMate": False}
    window, roster = screen(user), []

    def with_roster(route):
        answer = route.fetch()
        route.fulfill(response=answer, json=answer.json() | {"members": roster})

    window.page.route_web_socket("**/ws/crew/", lambda socket: None)
    window.page.route("**/api/v1/events?*", with_roster)
    dialog = window.page.locator("#people-dialog")

    def says(title, role):
        lane(window, title).get_by_role("button", name="People").click()
        said = dialog.locator("section", has=window.page.get_by_role("heading", name=role)).locator("p").inner_text()
        window.page.keyboard.press("Escape")
        return said

    more = " Add people in Members" if user == "ana" else ""
    window.page.goto(f"/board/main/?columns=crews&on={day.date}")
    assert says("North", "Captain") == f"Nobody on the roster is a captain yet.{more}"
    roster.append(lena)
    window.page.reload()
    assert says("North", "First mate") == f"Nobody on the roster is a first mate yet.{more}"
    lane(window, "South").get_by_role("button", name="Edit").click()
    window.page.get_by_label("Captains").fill("2")
    window.page.locator("#event-dialog").get_by_role("button", name="Save").click()
    expect(lane(window, "South")).to_contain_text("1 captain and 1 first mate still needed")
    assert says("South", "Captain") == f"Every captain on the roster is on this event.{more}"
    if user == "ana":
        lane(window, "South").get_by_role("button", name="People").click()
        assert violations(window.page) == []
        dialog.get_by_role("link", name="Members").first.click()
        window.page.wait_for_url("**/admin/crew/member/")
        window.complaints.clear()  # Django's page has no icon, which the browser asks for


def test_an_event_that_is_saved_twice_is_one_event(lanes, day):
    """Two presses, and once more after an answer that got lost on the way."""
    ana, asked, answers = lanes(), [], []

    def lose_the_first(route):
        asked.append(route)
        is_lost = len(asked) == 1
        answers.append(route.fetch().json()["event"]["id"])
        if not is_lost:
            route.continue_()

    ana.page.route("**/api/v1/events", lose_the_first)
    ana.page.get_by_role("button", name="New event").click()
    form = ana.page.locator("#event-dialog")
    form.get_by_label("Title").fill("Only once")
    save = form.get_by_role("button", name="Save")
    save.dblclick()
    wait_until(lambda: ana.page.wait_for_timeout(50) or answers, seconds=20, what="the answer that gets lost")
    asked[0].abort()  # after both presses
    expect(form.get_by_role("alert")).to_contain_text("The server cannot be reached")
    assert len(asked) == 1
    expect(save).to_be_focused()
    form.get_by_label("Title").press("Enter")

    expect(form).to_be_hidden()
    expect(lane(ana, "Only once")).to_have_count(1)
    assert len(set(answers)) == 1

    lane(ana, "Only once").get_by_role("button", name="Edit").click()
    form.get_by_role("button", name="Cancel the event").click()
    beside = lane(ana, "Only once").evaluate("(one) => (one.nextElementSibling ?? one.previousElementSibling).id")
    ana.page.locator("#why-dialog").get_by_label("Why").fill("Snow.")
    ana.page.locator("#why-dialog").get_by_role("button", name="Cancel the event").click()
    expect(lane(ana, "Only once")).to_have_count(0)
    expect(ana.page.locator(f"#{beside} h2")).to_be_focused()
    ana.complaints[:] = [text for text in ana.complaints if "ERR_FAILED" not in text]


def test_without_the_socket_lanes_follow_by_looking(screen, day):
    ana = screen("ana")
    ana.page.route_web_socket("**/ws/crew/", lambda socket: socket.close())
    ana.page.goto(f"/board/main/?columns=crews&on={day.date}")
    expect(ana.page.locator(".crews-fresh")).to_have_text("Crews every 15 seconds")

    day.step("claim", "north", "Pia Pond")

    expect(lane(ana, "North")).to_contain_text("Pia Pond", timeout=30_000)


def test_the_drawer_knows_the_event_and_the_way_to_its_lane(screen, day, new_job):
    day.step("assign", "north", "Lena Lane", role="captain")
    uid = new_job(location="1 Way Ct", **day.window())
    ana = screen("ana")
    card(ana, uid).get_by_role("button", name="1 Way Ct", exact=True).focus()
    ana.page.keyboard.press("e")
    ana.page.locator("#crew-dialog").get_by_role("button", name="North").click()
    expect(ana.page.locator(".toast")).to_contain_text("1 Way Ct is in North.")

    ana.page.keyboard.press("Enter")
    drawer = ana.page.locator("#drawer")
    expect(drawer.locator(".outing")).to_contain_text("Lena Lane Captain")
    assert violations(ana.page) == []
    drawer.get_by_role("link", name="North").click()

    expect(lane(ana, "North").get_by_role("heading", name="North")).to_be_focused()
    expect(lane(ana, "North").locator(f'[data-id="{uid}"]')).to_be_visible()
    assert ana.page.url.endswith(f"/board/main/?columns=crews&on={day.date}")
    ana.page.keyboard.press("v")
    expect(ana.page.locator(f'#column-scheduled [data-id="{uid}"]')).to_be_visible()
    assert ana.page.url.endswith("/board/main/")


@pytest.mark.parametrize("size", SCREENS)
def test_axe_finds_nothing_and_a_phone_shows_one_lane_at_a_time(lanes, day, new_job, size):
    day.step("claim", "north", "Otto Orr")
    day.step("release", "north", "Otto Orr", reason="Ill.")
    day.step("assign", "south", "Pia Pond", role="first_mate")
    day.step("release", "south", "Pia Pond", reason="Ill.")
    new_job(location="1 Axe Ct", **day.window())
    ana = lanes(**SCREENS[size])

    assert (violations(ana.page), too_wide(ana.page)) == ([], 0)

    if size == "phone":
        expect(ana.page.locator(".column:visible")).to_have_count(1)
        ana.page.get_by_role("tab", name="South").click()
        expect(lane(ana, "South")).to_be_visible()
        expect(ana.page.locator(".column:visible")).to_have_count(1)
        assert (violations(ana.page), too_wide(ana.page)) == ([], 0)
