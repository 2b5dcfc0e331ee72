"""The board by crews: jobs into events by mouse, menu and key, people into places, and everybody else follows."""

import json
import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import wait_until
from tests.e2e.test_dispatcher import card, new_job  # noqa: F401 a fixture
from tests.e2e.test_main_job import drag
from tests.e2e.test_pages import SCREENS, too_wide, violations

pytestmark = pytest.mark.browser

LIVE_MS = 2_000
ZONE = ZoneInfo("America/Denver")
SET_UP = """
import json
from datetime import datetime
from zoneinfo import ZoneInfo
from crew import plan
from crew.models import Member, Truck
from dispatch.models import Board
board = Board.objects.get(slug="main")
zone = ZoneInfo("America/Denver")
day = datetime.fromisoformat({day!r}).replace(tzinfo=zone)
def hours(start, end):
    return dict(starts_at=day.replace(hour=start), ends_at=day.replace(hour=end))
truck, _ = Truck.objects.get_or_create(board=board, name="Lane truck")
people = dict()
for name, captain in (("Lena Lane", True), ("Otto Orr", False), ("Pia Pond", False)):
    email = name.split()[0].lower() + "@lanes.example"
    people[name], _ = Member.objects.get_or_create(board=board, name=name, email=email, can_captain=captain)
north = plan.open_event(board, by="Test", title="North", truck=truck, **hours(8, 16))
south = plan.open_event(board, by="Test", title="South", **hours(9, 17))
print(json.dumps(dict(north=north.uid, south=south.uid, **{{name: one.uid for name, one in people.items()}})))
"""
DO = """
from crew import plan
from crew.models import Event, Member
event, member = Event.objects.get(uid={event!r}), Member.objects.get(uid={member!r})
plan.{step}(event, member, by=member.name{more})
"""


class Day:
    """A day far enough ahead that nobody else has it, with two events, North and South."""

    far = 3

    def __init__(self, demo):
        Day.far += 1
        self.demo = demo
        self.date = (datetime.now(ZONE) + timedelta(days=Day.far)).date().isoformat()
        self.ids = json.loads(self.shell(SET_UP.format(day=self.date)))

    def shell(self, code):
        return self.demo.manage("shell", "-v", "0", "-c", code).strip()

    def window(self, start=10, end=12):
        day = datetime.fromisoformat(self.date).replace(tzinfo=ZONE)
        return {name: day.replace(hour=hour).isoformat() for name, hour in (("window_start", start), ("window_end", end))}

    def step(self, step, event, member, more=""):
        self.shell(DO.format(step=step, event=self.ids[event], member=self.ids[member], more=more))

    def show(self, window):
        window.page.goto(f"/board/main/?columns=crews&on={self.date}")
        expect(window.page.locator(".crews-fresh")).to_have_text("Crews live")
        return window


@pytest.fixture
def day(demo):
    return Day(demo)


@pytest.fixture
def lanes(screen, day):
    def open_window(user="ana", **options):
        return day.show(screen(user, **options))

    return open_window


def lane(window, title):
    return window.page.locator(".column.crew").filter(has=window.page.get_by_role("heading", name=title, exact=True))


def jobs(window, title):
    return [one.get_attribute("data-id") for one in lane(window, title).locator(".card").all()]


def test_a_dragged_job_is_in_its_crew_for_everybody(lanes, day, new_job):  # noqa: F811
    day.step("assign", "north", "Lena Lane", ', role="captain"')
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


def test_menu_and_keys_do_what_dragging_does(lanes, day, new_job):  # noqa: F811
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

    wait_until(lambda: jobs(ana, "North") == [uids[2], uids[0], uids[1]], seconds=5, what="it is the first")
    expect(card(ana, uids[2]).locator(".when")).to_have_attribute("data-place", "1")
    expect(ana.page.locator(".toast", has_text="3 Key Ct moved in North.")).to_be_visible()
    ana.page.keyboard.press("u")
    wait_until(lambda: jobs(ana, "North") == uids, seconds=5, what="it is where it was")
    expect(lane(ana, "North").locator(f'[data-id="{uids[2]}"]:not([data-saving])')).to_be_visible()
    ana.page.keyboard.press("e")
    ana.page.locator("#crew-dialog").get_by_role("button", name="No crew").press("Enter")
    expect(lane(ana, "No crew").locator(f'[data-id="{uids[2]}"]')).to_be_visible()


def test_a_refused_job_goes_back_and_says_why(lanes, day, new_job):  # noqa: F811
    uid = new_job(location="1 Refused Ct", **day.window())
    ana = lanes()
    ana.page.route("**/api/v1/jobs/*/event", lambda route: route.abort())

    drag(ana, card(ana, uid), lane(ana, "North").locator(".cards"))

    expect(ana.page.locator(".toast")).to_contain_text("1 Refused Ct stays without a crew: The server cannot be reached")
    expect(lane(ana, "No crew").locator(f'[data-id="{uid}"]')).to_be_visible()
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
    claim = DO.format(step="claim", event=day.ids["north"], member=day.ids["Pia Pond"], more="")
    day.shell(claim + "\nimport time; time.sleep(0.01)")

    expect(lane(ana, "North")).to_contain_text("Pia Pond", timeout=LIVE_MS)
    expect(lane(ana, "North")).to_contain_text("not seen yet")
    day.step("assign", "south", "Lena Lane", ', role="captain"')
    day.step("release", "south", "Lena Lane", ', reason="My car broke down."')
    expect(lane(ana, "South")).to_contain_text("Lena asks to be released: “My car broke down.”", timeout=LIVE_MS)
    lane(ana, "South").get_by_role("button", name="Keep Lena").click()
    expect(lane(ana, "South")).not_to_contain_text("asks to be released")
    expect(lane(ana, "South")).to_contain_text("Lena Lane")


def test_an_event_is_opened_changed_and_cancelled(lanes, day, new_job):  # noqa: F811
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


def test_an_event_that_is_saved_twice_is_one_event(lanes, day):
    """Two presses, and once more after an answer that got lost on the way."""
    ana, answers = lanes(), []

    def lose_the_first(route):
        answers.append(route.fetch().json()["event"]["id"])
        if len(answers) == 1:
            route.abort()
        else:
            route.continue_()

    ana.page.route("**/api/v1/events", lose_the_first)
    ana.page.get_by_role("button", name="New event").click()
    form = ana.page.locator("#event-dialog")
    form.get_by_label("Title").fill("Only once")
    save = form.get_by_role("button", name="Save")
    save.dblclick()
    expect(form.get_by_role("alert")).to_contain_text("The server cannot be reached")
    assert len(answers) == 1
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


def test_without_the_socket_lanes_follow_by_looking(screen, day, new_job):  # noqa: F811
    ana = screen("ana")
    ana.page.route_web_socket("**/ws/crew/", lambda socket: socket.close())
    ana.page.goto(f"/board/main/?columns=crews&on={day.date}")
    expect(ana.page.locator(".crews-fresh")).to_have_text("Crews every 15 seconds")

    day.step("claim", "north", "Pia Pond")

    expect(lane(ana, "North")).to_contain_text("Pia Pond", timeout=20_000)


def test_the_drawer_knows_the_event_and_the_way_to_its_lane(screen, day, new_job):  # noqa: F811
    day.step("assign", "north", "Lena Lane", ', role="captain"')
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
def test_axe_finds_nothing_and_a_phone_shows_one_lane_at_a_time(lanes, day, new_job, size):  # noqa: F811
    day.step("claim", "north", "Otto Orr")
    day.step("release", "north", "Otto Orr", ', reason="Ill."')
    day.step("assign", "south", "Pia Pond", ', role="first_mate"')
    day.step("release", "south", "Pia Pond", ', reason="Ill."')
    new_job(location="1 Axe Ct", **day.window())
    ana = lanes(**SCREENS[size])

    assert (violations(ana.page), too_wide(ana.page)) == ([], 0)

    if size == "phone":
        expect(ana.page.locator(".column:visible")).to_have_count(1)
        ana.page.get_by_role("tab", name="South").click()
        expect(lane(ana, "South")).to_be_visible()
        expect(ana.page.locator(".column:visible")).to_have_count(1)
        assert (violations(ana.page), too_wide(ana.page)) == ([], 0)
