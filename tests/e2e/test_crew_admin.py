"""The crews in the admin, in a browser: readable, whole at every width, and the calendar without a script."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.test_pages import SCREENS as PAGES
from tests.e2e.test_pages import too_wide, violations
from tests.e2e.test_releases import SCREENS

pytestmark = pytest.mark.browser

CALENDAR = "/admin/crew/event/calendar/"


def sign_in(screen, path, **options):
    office = screen(**options)
    office.page.goto(path)
    office.page.get_by_label("Username").fill("admin")
    office.page.get_by_label("Password").fill("quickdump")
    office.page.get_by_role("button", name="Log in").click()
    office.page.wait_for_url(f"**{path}")
    office.complaints.clear()  # Django's sign-in page has no icon, which the browser asks for
    return office


@pytest.mark.parametrize("size", SCREENS)
def test_axe_finds_nothing_on_the_pages_of_the_crews(screen, size):
    office = sign_in(screen, CALENDAR, **SCREENS[size])
    page = office.page

    assert (violations(page), too_wide(page)) == ([], 0)
    page.get_by_role("link", name="Week as a list").click()
    expect(page).to_have_url(re.compile("[?&]week="))
    assert (violations(page), too_wide(page)) == ([], 0)
    page.get_by_role("link", name="Dumpsters").first.click()
    expect(page.get_by_role("heading", name="Jobs in order")).to_be_visible()
    assert (violations(page), too_wide(page)) == ([], 0)
    page.get_by_role("link", name="Joy Kim").first.click()
    expect(page.get_by_role("heading", name="Phones signed in")).to_be_visible()
    assert (violations(page), too_wide(page)) == ([], 0)
    page.get_by_role("button", name="Make a link to sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("A link that signs Joy Kim in")
    assert (violations(page), too_wide(page)) == ([], 0)
    office.complaints.clear()  # axe asks for the style sheets of Django's forms in a way that they do not have


@pytest.mark.parametrize("size", PAGES)
def test_axe_finds_nothing_in_any_list_of_the_admin(screen, size):
    """Crews, jobs, messages, accounts, releases: whatever the first page leads to."""
    office = sign_in(screen, "/admin/", **PAGES[size])
    page = office.page
    links = page.locator("#content-main a, #content-site a")
    paths = links.evaluate_all("(links) => links.map((one) => new URL(one.href).pathname)")
    lists = sorted({path for path in paths if not path.endswith(("/add/", "/change/"))})
    assert {"/admin/crew/member/", "/admin/crew/shift/", "/admin/dispatch/message/", "/admin/releases/"} < set(lists)
    found = {"/admin/": (violations(page), too_wide(page))}
    underline = "(link) => getComputedStyle(link).textDecorationLine"
    assert page.get_by_role("link", name="Releases").evaluate(underline) == "underline"

    for path in lists:
        page.goto(path)
        found[path] = (violations(page), too_wide(page))

    assert {path: wrong for path, wrong in found.items() if wrong != ([], 0)} == {}
    office.complaints.clear()  # as above


@pytest.mark.parametrize("size", SCREENS)
def test_the_calendar_and_its_events_need_no_script(screen, size):
    page = sign_in(screen, CALENDAR, java_script_enabled=False, **SCREENS[size]).page

    page.get_by_role("link", name="Next month").click()
    page.get_by_role("link", name="This month").click()
    expect(page.locator(".crew-today h2")).to_contain_text("today")
    page.locator(".crew-today").get_by_role("link", name="North side").first.click()
    form = page.locator("#assign")
    form.get_by_label("Member").select_option(label="Rosa Delgado (first mate)")
    form.get_by_label("Role").select_option("First mate")
    form.get_by_role("button", name="Assign").click()
    expect(page.locator(".messagelist")).to_contain_text("Rosa Delgado is first mate of this event.")
    page.get_by_role("button", name="Release Rosa Delgado").click()
    expect(page.locator(".messagelist")).to_contain_text("Rosa Delgado is released.")
