"""Every page as people meet it: accessible, whole at every width, honest when something is wrong."""

import os
import re
import shutil
from datetime import date

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.e2e.conftest import ROOT

pytestmark = pytest.mark.browser

SCREENS = {
    "desktop": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "light"},
    "phone": {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark", "has_touch": True},
}


@pytest.fixture
def token(demo) -> str:
    code = "from dispatch.models import Job; print(Job.objects.filter(status='en_route').first().token)"
    return demo.manage("shell", "-v", "0", "-c", code).strip()


SETTLED = """() => Promise.all(document.getAnimations()
  .filter((one) => one.effect.getComputedTiming().iterations !== Infinity)
  .map((one) => one.finished.catch(() => {})))"""


def violations(page) -> list[str]:
    """What axe finds once the page stands still: half-way between two colours nothing can be read."""
    page.wait_for_load_state()
    page.evaluate(SETTLED)
    found = Axe().run(page).response["violations"]
    return [f"{rule['id']}: {node['html'][:120]}" for rule in found for node in rule["nodes"]]


def too_wide(page) -> int:
    page.wait_for_load_state()
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


@pytest.mark.parametrize("size", SCREENS)
def test_axe_finds_nothing_on_the_board(screen, size):
    ana = screen("ana", **SCREENS[size])

    assert (violations(ana.page), too_wide(ana.page)) == ([], 0)

    ana.page.locator(".card:visible [data-action=move]").first.click()
    assert violations(ana.page) == []


@pytest.mark.parametrize("size", SCREENS)
def test_axe_finds_nothing_in_the_drawer_and_the_sheets(screen, size):
    ana = screen("ana", **SCREENS[size])

    ana.page.locator(".card:visible .open").first.click()
    ana.page.get_by_label("Phone").fill("12")
    ana.page.get_by_role("button", name="Save").click()
    expect(ana.page.locator("[aria-invalid]")).to_be_focused()
    assert (violations(ana.page), too_wide(ana.page)) == ([], 0)
    ana.page.once("dialog", lambda dialog: dialog.accept())
    ana.page.keyboard.press("Escape")
    ana.page.keyboard.press("?")
    expect(ana.page.locator("#keys-dialog")).to_be_visible()
    assert violations(ana.page) == []

    ana.page.goto("/board/main/?day=today&q=nothing+like+that")
    assert violations(ana.page) == []
    ana.page.get_by_label("Search the board").fill("")
    ana.page.goto(f"/board/main/{date.today().isoformat()}/")
    assert (violations(ana.page), too_wide(ana.page)) == ([], 0)
    ana.complaints[:] = [text for text in ana.complaints if "422" not in text]


@pytest.mark.parametrize("size", SCREENS)
@pytest.mark.parametrize("path", ["/login/", "/track/{token}", "/track/unknown-token", "/book"])
def test_axe_finds_nothing_on_the_public_pages(screen, token, size, path):
    visitor = screen(**SCREENS[size])

    visitor.page.goto(path.format(token=token))

    assert (violations(visitor.page), too_wide(visitor.page)) == ([], 0)
    visitor.complaints[:] = [text for text in visitor.complaints if "404" not in text or "unknown" not in path]


def test_the_customers_page_can_be_read_without_javascript(screen, token):
    visitor = screen(java_script_enabled=False, viewport={"width": 320, "height": 640})

    visitor.page.goto(f"/track/{token}")

    expect(visitor.page.get_by_role("heading", level=1)).to_have_text("The crew is on the way")
    expect(visitor.page.locator(".steps li")).to_have_text(
        ["Booked (done)", "Ready (done)", "On the way (now)", "Loading (to come)", "Done (to come)"]
    )
    assert too_wide(visitor.page) == 0


def test_a_link_that_leads_nowhere_says_so_to_a_human(screen):
    visitor = screen()

    response = visitor.page.goto("/track/no-such-token")

    assert response.status == 404
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text(
        "Job not found, or this tracking link is no longer valid"
    )
    expect(visitor.page.get_by_role("link", name="Call (303) 555-0142")).to_have_attribute("href", "tel:+13035550142")
    visitor.complaints.clear()  # the browser reports the 404


def test_a_network_fault_is_never_called_a_missing_job(screen, token):
    visitor = screen()
    visitor.page.clock.install()
    visitor.page.goto(f"/track/{token}")

    visitor.page.context.set_offline(True)
    visitor.page.clock.run_for(70_000)  # 35 s of silence, and 30 s at most until it looks

    expect(visitor.page.locator("#trouble")).to_contain_text("We can't reach the server at the moment")
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text("The crew is on the way")
    visitor.complaints.clear()


def test_the_board_says_that_it_is_offline_and_comes_back_by_itself(screen):
    ana, line = screen("ana"), {"up": False}
    ana.page.route_web_socket(
        "**/ws/board/**", lambda socket: socket.connect_to_server() if line["up"] else socket.close(code=1011)
    )
    ana.page.reload()
    expect(ana.page.locator("#freshness")).to_have_text(re.compile(r"Offline since \d+:\d\d [AP]M"))

    line["up"] = True

    expect(ana.page.locator("#freshness")).to_have_text("Live", timeout=20_000)


def test_the_pages_of_the_readme(screen, demo, token, tmp_path):
    """Takes the README's pictures. With SCREENSHOTS set they go into docs/."""
    ana, phone = screen("ana"), screen("ana", **SCREENS["phone"])
    customer = screen(viewport={"width": 390, "height": 844}, color_scheme="light")
    customer.page.goto(f"/track/{token}")
    phone.page.get_by_role("tab", name="Ready for pickup").click()

    for name, window in {"board": ana, "phone": phone, "track": customer}.items():
        window.page.screenshot(path=tmp_path / f"{name}.png")

    assert {path.name for path in (ROOT / "docs" / "screenshots").glob("*.png")} == {"board.png", "phone.png", "track.png"}
    if os.environ.get("SCREENSHOTS"):
        shutil.copytree(tmp_path, ROOT / "docs" / "screenshots", dirs_exist_ok=True)
