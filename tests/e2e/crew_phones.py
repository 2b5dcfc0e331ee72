"""Phones of the crew in a browser, and what the tests of them look at."""

import json
import re
import sqlite3
import time
from contextlib import closing
from io import BytesIO

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import expect

from tests.e2e.test_pages import SETTLED

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "locale": "en-US"}
DAYS = """
import json
from datetime import timedelta
from django.utils import timezone
from crew import plan
from crew.devices import hashed, new_secret
from crew.models import Device, Truck
from dispatch.models import Board
from tests.crew.factories import make_event, make_member
from tests.factories import make_job
board, now = Board.objects.get(slug="main"), timezone.now()
truck, _ = Truck.objects.get_or_create(board=board, name="The truck of these days")
STREETS = {"1428 Elm St": "scheduled", "77 Larimer St": "ready_for_pickup", "9 Zuni St": "scheduled"}
def hire(name, language):
    email = f"{name.replace(' ', '.').lower()}@phone.example"
    member = make_member(board, name, email=email, can_captain=True, language=language)
    out = make_event(board, "North side", days=-0.02, hours=9, notes="Meet in the yard. Bring the dollies.", truck=truck)
    plan.assign(out, member, "first_mate", by="Ana")
    jobs = [make_job(board, status=status, location=f"{street}, Denver", customer_name="Marisol Vega",
                     customer_phone="+13035550111", access_notes="Gate code 4471", notes="Sofa, two mattresses",
                     load_eighths=4, window_start=now + timedelta(hours=at), window_end=now + timedelta(hours=at + 2))
            for at, (street, status) in enumerate(STREETS.items())]
    for job in jobs:
        plan.put_job(job, out, by="Ana")
    later = make_event(board, "South side", days=1, hours=4)
    plan.put_job(make_job(board, location="5 Later St", access_notes="code"), later, by="Ana")
    plan.assign(later, member, "first_mate", by="Ana")
    free = make_event(board, f"Free for {name}", days=3, hours=8)
    secret = new_secret()
    Device.objects.create(member=member, secret=hashed(secret), name="Chromium")
    return {"cookie": secret, "member": member.uid, "jobs": [job.uid for job in jobs], "free": free.uid, "event": out.uid}
print(json.dumps({name: hire(name, language) for name, language in PEOPLE.items()}))
"""


def hired(demo, people: dict[str, str]) -> dict[str, dict]:
    """Members (name: language) with a day's work and a phone each: by name `{"cookie", "member", "jobs", "free",
    "event"}`."""
    said = demo.manage("shell", "-v", "0", "-c", f"PEOPLE = {people!r}\n{DAYS}")
    return json.loads(said.splitlines()[-1])


def cookie(day: dict, demo) -> dict:
    """It outlives the browser, as the one of a sign-in does."""
    return {"name": "crew", "value": day["cookie"], "url": demo.origin, "expires": time.time() + 86400}


@pytest.fixture
def phone(screen, demo):
    """Opens a member's phone."""

    def open_phone(day: dict, **options):
        opened = screen(**PHONE | options)
        opened.page.context.add_cookies([cookie(day, demo)])
        opened.page.goto("/crew/")
        expect(opened.page.locator("#line")).to_have_attribute("data-line", re.compile("live|polling"))
        return opened

    return open_phone


def database_of(demo) -> sqlite3.Connection:
    """Patient: a slow disk takes its time for what the product writes meanwhile."""
    return sqlite3.connect(demo.var / "db.sqlite3", timeout=30)


def controlled(page) -> None:
    """Until the worker answers for the page. A function: the page's policy lets no text be evaluated a second time."""
    page.wait_for_function("() => Boolean(navigator.serviceWorker.controller)", timeout=40_000)


def steps(demo, uid: str) -> list[tuple]:
    """What the history of a job has from the crew."""
    query = (
        "SELECT to_status, by, step.extra FROM dispatch_statuschange AS step JOIN dispatch_job ON dispatch_job.id = job_id"
        " WHERE dispatch_job.uid = ? AND channel = 'crew' ORDER BY step.id"
    )
    with closing(database_of(demo)) as database:
        return [(to, by, json.loads(extra)) for to, by, extra in database.execute(query, [uid])]


def facts(demo, uid: str, *columns: str) -> tuple:
    with closing(database_of(demo)) as database:
        return database.execute(f"SELECT {', '.join(columns)} FROM dispatch_job WHERE uid = ?", [uid]).fetchone()


def picture() -> dict:
    file = BytesIO()
    Image.effect_noise((3000, 2000), 40).convert("RGB").save(file, "JPEG")
    return {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": file.getvalue()}


def faults(page) -> list[str]:
    page.evaluate(SETTLED)
    found = Axe().run(page).response["violations"]
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return [f"{rule['id']}: {node['html'][:120]}" for rule in found for node in rule["nodes"]] + ["too wide"] * bool(wide)


GO = """(name) => new Promise((done) => {
  if (location.hash === `#${name}`) return done();
  addEventListener("hashchange", () => setTimeout(done), { once: true });
  return (location.hash = name);
})"""
"""To another screen, until it is drawn."""
SMALL = """() => [...document.querySelectorAll("a, button, label.file, label.choice, textarea")]
  .filter((one) => one.checkVisibility() && !one.matches(".skip"))
  .map((one) => [one, one.getBoundingClientRect()])
  .filter(([one, { width, height }]) => width < 44 || height < (one.matches(".main") ? 56 : 44))
  .map(([one, { width, height }]) => `${one.outerHTML.slice(0, 80)} ${width} × ${height}`)"""
TINY = """() => [...document.querySelectorAll("body *")]
  .filter((one) => one.checkVisibility() && [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim()))
  .filter((one) => !one.closest(".only-read, .skip") && parseFloat(getComputedStyle(one).fontSize) < 15)
  .map((one) => one.outerHTML.slice(0, 80))"""
