"""`manage.py demo` as `make run` starts it, and Debian's Chromium in front of it."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.conftest import missing
from tests.postgres import free_port
from tests.waiting import wait_for

expect.set_options(timeout=20_000)
ROOT = Path(__file__).parent.parent.parent
CHROMIUM = ["chromium", "chromium-browser", "google-chrome"]
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
SLOWED = "void (setTimeout = ((before) => (work, ms) => before(work, ms === {} ? 60000 : ms))(setTimeout))"
"""A script: what the page does after so many milliseconds it does after a minute."""
KEEP_MESSAGES = SLOWED.format(8000)
"""Messages stay, so that a slow machine sees what a fast one does."""


@dataclass
class Demo:
    origin: str
    var: Path
    environment: dict[str, str]

    def manage(self, *arguments: str) -> str:
        command = [sys.executable, "manage.py", *arguments]
        ran = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=100)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout


def demo_in(var: Path) -> Demo:
    port = free_port()
    environment = {key: value for key, value in os.environ.items() if key not in {"DJANGO_SETTINGS_MODULE", "DATABASE_URL"}}
    return Demo(f"http://127.0.0.1:{port}", var, environment | {"PORT": str(port), "VAR_DIR": str(var)})


@pytest.fixture(scope="session")
def new_demo(tmp_path_factory) -> Path:
    """The folder of a demo that has its data and was never started: to copy from, which is faster."""
    made = demo_in(tmp_path_factory.mktemp("new"))
    made.manage("migrate", "-v", "0")
    made.manage("shell", "-v", "0", "-c", "from qdn import demo_data; demo_data.load(lambda done: None)")
    return made.var


@pytest.fixture(scope="module")
def demo(tmp_path_factory, new_demo) -> Iterator[Demo]:
    """One for each file: what a test leaves on the board is in nobody else's way."""
    var = tmp_path_factory.mktemp("var")
    shutil.copytree(new_demo, var, dirs_exist_ok=True)
    running = demo_in(var)
    log = var / "demo.log"  # not a pipe: the demo prints every text and e-mail, and would stand still once it is full
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-u", "manage.py", "demo"], cwd=ROOT, env=running.environment,
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            # A shell switches SIGINT off for what it starts in the background.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )  # fmt: skip
    wait_for(lambda: process.poll() is not None or "Ctrl-C stops it" in log.read_text(), "the demo is up", 100)
    if process.poll() is not None:
        pytest.fail(f"the demo did not start:\n{log.read_text()}", pytrace=False)
    yield running
    process.send_signal(signal.SIGINT)
    process.wait(60)
    assert (process.returncode, log.read_text().strip().splitlines()[-1:]) == (0, ["Stopped."]), log.read_text()[-4000:]


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict:
    path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if path is None:
        missing("Chromium")
    return {"executable_path": path, "args": ARGUMENTS}


@dataclass
class Screen:
    """A window of somebody's browser, and what it complained about."""

    page: Page
    complaints: list[str]

    def card(self, location: str):
        return self.page.locator(".card", has_text=location)

    def column(self, status: str):
        return self.page.locator(f"#column-{status}")


@pytest.fixture(scope="module")
def signed_in(browser: Browser, demo: Demo):
    """Signs somebody in once and keeps the cookies."""

    @cache
    def cookies(user: str):
        context = browser.new_context(base_url=demo.origin)
        page = context.new_page()
        page.goto("/")
        page.get_by_label("User name").fill(user)
        page.get_by_label("Password").fill("quickdump")
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_selector('#freshness[data-state="live"]')
        kept = context.storage_state()
        context.close()
        return kept

    return cookies


@pytest.fixture
def screen(browser: Browser, demo: Demo, signed_in) -> Iterator:
    """Opens windows of separate browsers; at the end none of them may have complained."""
    contexts: list[BrowserContext] = []
    screens: list[Screen] = []

    def open_window(user: str | None = None, **options) -> Screen:
        options = {"viewport": {"width": 1440, "height": 900}} | options
        context = browser.new_context(base_url=demo.origin, storage_state=signed_in(user) if user else None, **options)
        context.set_default_timeout(20_000)
        contexts.append(context)
        opened = Screen(context.new_page(), [])
        opened.page.on(
            "console", lambda message: message.type in {"error", "warning"} and opened.complaints.append(message.text)
        )
        opened.page.on("pageerror", lambda error: opened.complaints.append(str(error)))
        screens.append(opened)
        if user:
            opened.page.goto("/")
            opened.page.wait_for_selector('#freshness[data-state="live"]')
        return opened

    yield open_window
    complaints = [text for opened in screens for text in opened.complaints]
    for context in contexts:
        context.close()
    assert complaints == []


def wait_until(condition, *, seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.02)
