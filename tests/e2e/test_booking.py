"""A customer books a pickup in a browser, and the dispatcher sees it."""

import json
import time

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import wait_until
from tests.e2e.test_pages import too_wide, violations

pytestmark = pytest.mark.browser

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}
NARROW = {"viewport": {"width": 320, "height": 640}}
LOOK = """
import json
from dispatch.models import Job
jobs = [
    {
        "status": job.status, "channel": job.history.get().channel, "notes": job.notes, "language": job.customer_language,
        "messages": sorted(job.messages.values_list("kind", "channel")), "reference": job.uid[-8:], "token": job.token,
    }
    for job in Job.objects.filter(location="LOCATION")
]
print(json.dumps(jobs))
"""


def jobs_at(demo, location: str) -> list[dict]:
    return json.loads(demo.manage("shell", "-v", "0", "-c", LOOK.replace("LOCATION", location)))


def open_form(visitor, path="/book") -> float:
    """When a person could have filled it in."""
    visitor.page.goto(path)
    expect(visitor.page.locator("#id_preferred_day[min]")).to_be_visible()  # a page from a CDN: once it has its stamp
    return time.monotonic() + 2.1


def fill_in(
    visitor, location: str, *, address="Address of the pickup", name="Your name", phone="Mobile phone", mail="E-mail"
):
    page = visitor.page
    page.get_by_label(address).fill(location)
    page.get_by_label(name).fill("Mia Chen")
    page.get_by_label(phone).fill("(303) 555-0123")
    page.get_by_label(mail, exact=True).fill("mia@example.com")
    page.locator("#id_consent").check()


def forgive(visitor, *statuses: str) -> None:
    """The browser reports answers that were errors on purpose."""
    visitor.complaints[:] = [text for text in visitor.complaints if not any(status in text for status in statuses)]


def test_a_booking_is_on_the_board_within_a_second_and_a_double_tap_is_one(screen, demo):
    ana, visitor = screen("ana"), screen(**PHONE)
    ready = open_form(visitor)
    send = visitor.page.get_by_role("button", name="Request this pickup")
    assert (violations(visitor.page), too_wide(visitor.page)) == ([], 0)

    visitor.page.get_by_label("What shall we take").fill("A piano")
    send.click()
    problems = visitor.page.locator("#problems")
    expect(problems).to_be_focused()
    expect(problems.get_by_role("link")).to_have_text([
        "Please write the address.", "Please write your name.",
        "Please give us a phone number or an e-mail address, so that we can answer.",
        "Please tick this, so that we may answer.",
    ])  # fmt: skip
    assert (violations(visitor.page), too_wide(visitor.page)) == ([], 0)
    problems.get_by_role("link").first.click()
    expect(visitor.page.get_by_label("Address of the pickup")).to_be_focused()
    expect(visitor.page.get_by_label("What shall we take")).to_have_value("A piano")

    fill_in(visitor, "31 Piano Ct")
    wait_until(lambda: time.monotonic() > ready, seconds=20, what="a person could have filled it in")
    send.dblclick()
    expect(visitor.page.get_by_role("heading", level=1)).to_be_focused()
    expect(ana.column("requested").locator(".card", has_text="31 Piano Ct")).to_be_visible(timeout=20_000)

    expect(visitor.page.get_by_role("heading", level=1)).to_have_text("We have your request")
    assert (violations(visitor.page), too_wide(visitor.page)) == ([], 0)
    (job,) = jobs_at(demo, "31 Piano Ct")
    assert (job["status"], job["channel"], job["notes"]) == ("requested", "booking", "A piano")
    assert job["messages"] == [["booked", "email"], ["booked", "sms"]]
    expect(visitor.page.locator(".reference")).to_have_text(job["reference"])
    visitor.page.get_by_role("link", name="Watch your pickup").click()
    visitor.page.wait_for_url(f"**/track/{job['token']}")
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text("We have your request")
    forgive(visitor, "422")


def test_a_pickup_is_booked_without_javascript(screen, demo):
    visitor = screen(java_script_enabled=False, color_scheme="dark", **NARROW)
    ready = open_form(visitor)
    send = visitor.page.get_by_role("button", name="Request this pickup")
    fill_in(visitor, "32 Plain Ave")
    visitor.page.get_by_label("Mobile phone").fill("12")
    send.click()
    expect(visitor.page.get_by_role("link", name="Please write the phone number with its area code.")).to_be_visible()
    expect(visitor.page.locator("#problems")).to_be_focused()
    expect(visitor.page.get_by_label("Address of the pickup")).to_have_value("32 Plain Ave")
    assert too_wide(visitor.page) == 0

    visitor.page.get_by_label("Mobile phone").fill("(303) 555-0124")
    wait_until(lambda: time.monotonic() > ready, seconds=20, what="a person could have filled it in")
    send.click()
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text("We have your request")
    reference = visitor.page.locator(".reference").inner_text()
    assert too_wide(visitor.page) == 0

    visitor.page.reload()
    expect(visitor.page.locator(".reference")).to_have_text(reference)
    assert [job["reference"] for job in jobs_at(demo, "32 Plain Ave")] == [reference]
    forgive(visitor, "422")


def test_a_page_from_a_cdn_speaks_spanish_and_survives_a_lost_answer(screen, demo):
    code = "from tracking import shell; import sys; sys.stdout.write(shell.pages()['book.html'].decode())"
    html = demo.manage("shell", "-v", "0", "-c", code)
    visitor = screen(locale="es-MX", color_scheme="dark", **PHONE)
    visitor.page.route("**/book", lambda route: route.fulfill(body=html, content_type="text/html; charset=utf-8"))
    keys = []

    def lose_the_first_answer(route):
        keys.append(route.request.headers["idempotency-key"])
        if len(keys) == 1:
            route.fetch()
            route.abort()
        else:
            route.continue_()

    visitor.page.route("**/api/v1/bookings?*", lose_the_first_answer)
    ready = open_form(visitor)
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text("Reservar una recogida")
    assert (violations(visitor.page), too_wide(visitor.page)) == ([], 0)
    fill_in(
        visitor, "33 Calle Luna", address="Dirección de la recogida", name="Su nombre", phone="Teléfono móvil",
        mail="Correo electrónico",
    )  # fmt: skip
    wait_until(lambda: time.monotonic() > ready, seconds=20, what="a person could have filled it in")
    send = visitor.page.get_by_role("button", name="Solicitar esta recogida")

    send.click()
    expect(visitor.page.locator("#problems")).to_contain_text("No pudimos conectar con el servidor.")
    expect(visitor.page.get_by_label("Su nombre")).to_have_value("Mia Chen")
    send.click()

    expect(visitor.page.get_by_role("heading", level=1)).to_have_text("Tenemos su solicitud")
    assert len(keys) == 2
    assert len(set(keys)) == 1
    (job,) = jobs_at(demo, "33 Calle Luna")
    assert (job["language"], job["messages"]) == ("es", [["booked", "email"], ["booked", "sms"]])
    expect(visitor.page.locator(".reference")).to_have_text(job["reference"])
    forgive(visitor, "ERR_FAILED")
