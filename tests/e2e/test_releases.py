"""The releases in the admin, in a browser: readable, whole at every width, and a way through all of it with the buttons."""

import json

import pytest
from playwright.sync_api import expect

from tests.e2e.test_pages import too_wide, violations

pytestmark = pytest.mark.browser

LIST = "/admin/releases/"
SCREENS = {
    f"{size}-{scheme}": {"viewport": {"width": width, "height": height}, "color_scheme": scheme}
    for size, width, height in (("desktop", 1440, 900), ("phone", 390, 844))
    for scheme in ("light", "dark")
}


@pytest.fixture(scope="module")
def ids(demo) -> list[str]:
    """Two releases that were live, one that is staged, one that is damaged."""
    made = []
    for name in ("One", "Two", "Three", "Four"):
        rename(demo, name)
        demo.manage("edge", "stage", "--no-api")
        made.append(staged(demo))
        if name != "Four":
            demo.manage("edge", "promote", "--no-api")
    (demo.var / "site" / "releases" / made[1] / "manifest.json").write_text("{")
    yield made
    rename(demo, "QuickDumpNow Denver")


def rename(demo, name):
    code = f"from dispatch.models import Board; Board.objects.filter(slug='main').update(name={name!r})"
    demo.manage("shell", "-v", "0", "-c", code)


def staged(demo) -> str:
    return json.loads(demo.manage("edge", "status", "--json"))["staging"]["release"]


def sign_in(screen, **options):
    office = screen(**options)
    office.page.goto(LIST)
    office.page.get_by_label("Username").fill("admin")
    office.page.get_by_label("Password").fill("quickdump")
    office.page.get_by_role("button", name="Log in").click()
    expect(office.page.get_by_role("heading", level=1, name="Releases")).to_be_visible()
    office.complaints.clear()  # Django's sign-in page has no icon, which the browser asks for
    return office


@pytest.mark.parametrize("size", SCREENS)
def test_axe_finds_nothing_and_nothing_is_too_wide(screen, ids, size):
    office = sign_in(screen, **SCREENS[size])
    page = office.page

    page.get_by_role("button", name="Look at it: production").click()
    expect(page.locator(".messagelist")).to_contain_text("should be")
    assert (violations(page), too_wide(page)) == ([], 0)

    page.get_by_role("link", name="Promote what is staged").click()
    expect(page.get_by_role("button", name="Promote")).to_be_visible()
    assert (violations(page), too_wide(page)) == ([], 0)


def test_a_look_then_a_promotion_then_the_way_back(screen, ids):
    page = sign_in(screen).page
    first, _, third, fourth = ids

    page.get_by_role("button", name="Look at it: staging").click()
    expect(page.locator(".messagelist .success")).to_have_text(f"Staging is release {fourth}, as it should be.")

    page.get_by_role("link", name="Promote what is staged").click()
    page.get_by_role("button", name="Promote").click()
    expect(page.locator(".messagelist")).to_contain_text(f"elease {fourth} is")
    expect(page.get_by_role("row", name="Production").first).to_contain_text(fourth)

    page.get_by_role("link", name=third).click()
    page.get_by_role("button", name="Roll back").click()
    expect(page.get_by_role("row", name="Production").first).to_contain_text(third)
    expect(page.get_by_role("link", name=first)).to_be_visible()
