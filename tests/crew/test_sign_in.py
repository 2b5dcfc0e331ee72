"""The pages on which members sign in and out, as browsers and mail scanners use them, and whoever means ill."""

import ast
import logging
import re
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path

import polib
import pytest
from django.conf import settings as product
from django.test import Client
from django.urls import reverse

from crew import doors, views
from crew.access import COOKIE, device_of
from crew.models import Device, SignInLink
from dispatch.models import Message
from qdn.log import MaskTokens
from tests.crew.factories import make_member
from tests.factories import make_user

KNOWN = "If we know this address, a link is on its way."


@pytest.fixture(autouse=True)
def noon(time_machine):
    time_machine.move_to("2026-11-24T19:00:00Z", tick=False)
    return time_machine


@pytest.fixture
def dee(board):
    return make_member(board)


@pytest.fixture
def sam(board):
    return make_member(board, "Sam Oak")


@pytest.fixture
def sent(board) -> Callable[[], list[str]]:
    """Where links are to be sent, in the ledger of messages."""
    return lambda: list(Message.objects.filter(kind="crew_sign_in").order_by("pk").values_list("recipient", flat=True))


@pytest.fixture
def phone() -> Client:
    """A browser that nobody is signed in with. Unlike the tests' usual client it has to have the CSRF token."""
    return Client(enforce_csrf_checks=True, headers={"User-Agent": "Mozilla/5.0 (iPhone) Version/18.5 Safari/604.1"})


def link_of(member) -> str:
    return doors.new_link(member).removeprefix(product.API_ORIGIN)


def press(browser: Client, path: str, **fields: str):
    """What a browser sends when the form of a page is sent off."""
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', browser.get(path).text).group(1)
    return browser.post(path, {"csrfmiddlewaretoken": token} | fields)


def signed_in(phone: Client):
    """Whose phone it is, by its cookie."""
    device = device_of(phone.cookies[COOKIE].value) if COOKIE in phone.cookies else None
    return device and device.member


def text_of(response) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", response.text).split())


def test_a_link_shows_whom_it_signs_in_and_the_button_does_it(phone, dee):
    path = link_of(dee)

    shown = phone.get(path)
    assert (shown.status_code, signed_in(phone)) == (200, None)
    assert "<h1>Sign in as Dee Ramos on this phone?</h1>" in shown.text
    assert "QuickDumpNow Denver" in shown.text

    done = press(phone, path)
    assert (done.status_code, done["Location"], signed_in(phone)) == (302, "/crew/", dee)
    assert Device.objects.get().name == "Safari on iPhone"


def test_the_cookie_is_for_this_site_for_a_year_and_no_script_reads_it(phone, dee):
    press(phone, link_of(dee))

    cookie = phone.cookies[COOKIE]
    assert (cookie["httponly"], cookie["samesite"], cookie["max-age"], cookie["path"], cookie["domain"]) == (
        True, "Lax", 365 * 24 * 3600, "/", "",
    )  # fmt: skip
    assert len(cookie.value) == 43


@pytest.mark.parametrize("secure", [True, False])
def test_the_cookie_is_secure_where_the_site_is(settings, phone, dee, secure):
    settings.SECURE = secure

    press(phone, link_of(dee))

    assert bool(phone.cookies[COOKIE]["secure"]) is secure


def test_a_mail_scanner_that_looks_at_a_link_does_not_use_it_up(phone, dee):
    path = link_of(dee)
    scanner = Client()
    for _ in range(20):
        assert (scanner.get(path).status_code, scanner.head(path).status_code) == (200, 200)
        assert scanner.options(path).status_code == 405
        assert scanner.get(path.rstrip("/"), follow=True).status_code == 200

    assert (Device.objects.count(), COOKIE in scanner.cookies) == (0, False)
    assert press(phone, path).status_code == 302


def test_a_link_that_was_used_signs_nobody_else_in(phone, dee):
    path = link_of(dee)
    thief = Client(enforce_csrf_checks=True)
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', thief.get(path).text).group(1)
    press(phone, path)

    late = thief.post(path, {"csrfmiddlewaretoken": token})

    assert (late.status_code, signed_in(thief), thief.get(path).status_code) == (410, None, 410)
    assert "This link does not work" in text_of(late)
    assert (Device.objects.count(), signed_in(phone)) == (1, dee)


def test_every_link_that_does_not_work_looks_the_same(dee, sam, noon):
    used, of_who_left, expired = link_of(dee), link_of(sam), None
    press(Client(enforce_csrf_checks=True), used)
    sam.is_active = False
    sam.save()
    expired = link_of(dee)
    noon.shift(timedelta(minutes=15))
    unknown = reverse("crew:sign-in-link", args=["A" * 43])

    answers = [Client().get(path) for path in (used, of_who_left, expired, unknown)]
    posted = [Client().post(path) for path in (used, of_who_left, expired, unknown)]

    assert {response.status_code for response in [*answers, *posted]} == {410}
    assert len({response.text for response in [*answers, *posted]}) == 1
    assert "Dee" not in answers[0].text


def test_who_presses_twice_reads_that_they_are_signed_in(phone, dee):
    path = link_of(dee)
    press(phone, path)

    again = phone.get(path)

    assert (again.status_code, signed_in(phone)) == (410, dee)
    assert "You are signed in as Dee Ramos on this phone." in text_of(again)


def test_nobody_is_signed_in_by_a_form_on_another_site(phone, dee):
    """Else somebody could have a member's phone work under their own name, and collect what it photographs."""
    path = link_of(dee)

    assert phone.post(path).status_code == 403
    phone.get(path)
    assert phone.post(path, {"csrfmiddlewaretoken": "A" * 64}).status_code == 403
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', phone.get(path).text).group(1)
    for origin in ("https://evil.example", "null"):
        assert phone.post(path, {"csrfmiddlewaretoken": token}, headers={"Origin": origin}).status_code == 403

    assert (signed_in(phone), Device.objects.count(), SignInLink.objects.get().used_at) == (None, 0, None)


@pytest.mark.parametrize("path", ["/crew/sign-in/", "/crew/sign-out/", "/crew/phones/"])
def test_every_form_needs_the_token(phone, dee, path):
    press(phone, link_of(dee))

    assert phone.post(path, {"phone": Device.objects.get().pk}).status_code == 403
    assert signed_in(phone) == dee


def test_a_cookie_from_before_is_worth_nothing_after_signing_in(phone, dee):
    """Somebody put a cookie of their choice into the browser, and waits for the member to sign in with it."""
    phone.cookies[COOKIE] = "chosen-by-somebody"
    path = link_of(dee)
    phone.get(path)
    csrf_before = phone.cookies["csrf"].value

    press(phone, path)

    assert (signed_in(phone), device_of("chosen-by-somebody")) == (dee, None)
    assert phone.cookies[COOKIE].value != "chosen-by-somebody"
    assert phone.cookies["csrf"].value != csrf_before


def test_another_member_on_the_same_phone_takes_it_over_and_no_other(phone, dee, sam):
    at_home = Client(enforce_csrf_checks=True)
    press(at_home, link_of(dee))
    press(phone, link_of(dee))
    before, path = phone.cookies[COOKIE].value, link_of(sam)

    assert "Dee Ramos is signed in here now, and will be signed out." in text_of(phone.get(path))
    press(phone, path)

    assert (signed_in(phone), signed_in(at_home), device_of(before)) == (sam, dee, None)


def test_a_cookie_of_a_revoked_phone_opens_nothing(phone, dee):
    press(phone, link_of(dee))
    doors.revoke(dee)

    assert phone.get("/crew/phones/").status_code == 302
    assert phone.get("/api/v1/crew/plan").status_code == 401
    assert "You are signed in" not in phone.get("/crew/sign-in/").text


def test_a_wrong_cookie_opens_nothing(phone, dee):
    press(phone, link_of(dee))
    for cookie in ("", "A" * 43, Device.objects.get().secret, phone.cookies[COOKIE].value.swapcase()):
        phone.cookies[COOKIE] = cookie
        assert phone.get("/crew/phones/").status_code == 302


@pytest.mark.parametrize(
    ("next_", "leads_to"),
    [
        ("/crew/phones/", "/crew/phones/"),
        ("/crew/", "/crew/"),
        ("https://evil.example/", "/crew/"),
        ("//evil.example/crew/", "/crew/"),
        ("/\\evil.example", "/crew/"),
        ("/crew/../admin/", "/crew/"),
        ("/crew/%2e%2e/admin/", "/crew/"),
        ("/crew/\\..\\..\\admin", "/crew/"),
        ("/crew/\r\nSet-Cookie: a=b", "/crew/"),
        ("/crew/phones/\n", "/crew/"),
        ("/crewel/", "/crew/"),
        ("/board/main/", "/crew/"),
        ("javascript:alert(1)", "/crew/"),
    ],
)  # fmt: skip
def test_signing_in_leads_to_the_members_pages_only(client, dee, next_, leads_to):
    response = client.post(link_of(dee), query_params={"next": next_})

    assert (response.status_code, response["Location"]) == (302, leads_to)


@pytest.mark.parametrize("written", ["dee@example.com", "nobody@example.com", "+13035550199"])
def test_asking_says_the_same_to_everybody(phone, dee, sent, written):
    response = press(phone, "/crew/sign-in/", address=written)

    assert (response.status_code, response["Location"]) == (302, "/crew/sign-in/?asked=1")
    page = phone.get(response["Location"])
    assert KNOWN in text_of(page)
    assert written not in page.text
    assert sent() == (["dee@example.com"] if written == "dee@example.com" else [])


def test_what_cannot_be_an_address_is_said_beside_the_field_and_stays_in_it(phone, dee):
    response = press(phone, "/crew/sign-in/", address='Dee "Dee" <Ramos>')

    assert response.status_code == 422
    assert 'role="alert">Please write your e-mail address, or your phone number with its area code.</p>' in response.text
    assert 'value="Dee &quot;Dee&quot; &lt;Ramos&gt;"' in response.text


def test_who_asks_too_often_reads_what_to_do(phone, dee, sent):
    for _ in range(5):
        press(phone, "/crew/sign-in/", address="dee@example.com")

    response = press(phone, "/crew/sign-in/", address="dee@example.com")

    assert (response.status_code, response["Retry-After"], len(sent())) == (429, "3600", 5)
    assert "Several links were asked for already. Please try again later, or call the office." in text_of(response)


def test_the_place_that_asks_is_counted_behind_our_proxies(phone, dee, sent, settings):
    settings.PROXIES = 1
    for number in range(31):
        headers = {"X-Forwarded-For": f"10.1.1.{number}, 203.0.113.7"}
        response = Client(headers=headers).post("/crew/sign-in/", {"address": f"nobody{number}@example.com"})

    assert response.status_code == 429
    elsewhere = Client(headers={"X-Forwarded-For": "203.0.113.8"}).post("/crew/sign-in/", {"address": "dee@example.com"})
    assert (elsewhere.status_code, sent()) == (302, ["dee@example.com"])


def test_signing_out_ends_the_phone_and_takes_its_cookie(phone, dee):
    press(phone, link_of(dee))
    cookie = phone.cookies[COOKIE].value
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', phone.get("/crew/sign-in/").text).group(1)

    assert phone.get("/crew/sign-out/").status_code == 405
    response = phone.post("/crew/sign-out/", {"csrfmiddlewaretoken": token})

    assert (response.status_code, response["Location"], device_of(cookie)) == (302, "/crew/sign-in/", None)
    assert (phone.cookies[COOKIE].value, phone.cookies[COOKIE]["max-age"]) == ("", 0)


BOTH_END = "This signs you out of the office account here too."


@pytest.fixture
def account(dee):
    """Dee works in the office, too."""
    dee.user = make_user("dee")
    dee.save()
    return dee.user


def sign_out(browser: Client):
    """With the button of the page, which has a form of its own."""
    shown = browser.get("/crew/sign-in/").text
    assert 'action="/crew/sign-out/"' in shown
    return browser.post("/crew/sign-out/", {"csrfmiddlewaretoken": re.search(r'value="(\w+)"', shown).group(1)})


def test_who_came_by_an_account_reads_that_it_ends_and_is_signed_out_of_both(phone, account):
    phone.force_login(account)
    page = text_of(phone.get("/crew/sign-in/"))

    response = sign_out(phone)

    assert "You are signed in as Dee Ramos by your office account." in page
    assert BOTH_END in page
    assert (response.status_code, response["Location"]) == (302, "/crew/sign-in/")
    assert phone.get("/api/v1/crew/plan").status_code == 401
    assert "signed in" not in text_of(phone.get("/crew/sign-in/"))


def test_a_phone_and_an_account_of_one_member_end_together(phone, dee, account):
    press(phone, link_of(dee))
    phone.force_login(account)
    page = text_of(phone.get("/crew/sign-in/"))

    sign_out(phone)

    assert BOTH_END in page
    assert (phone.get("/api/v1/crew/plan").status_code, signed_in(phone)) == (401, None)


def test_a_colleagues_account_stays_when_a_phone_is_looked_at_in_the_office(phone, account, sam):
    phone.force_login(account)
    press(phone, link_of(sam))
    page = text_of(phone.get("/crew/sign-in/"))

    sign_out(phone)

    assert ("You are signed in as Sam Oak on this phone." in page, BOTH_END in page) == (True, False)
    assert phone.get("/api/v1/crew/plan").json()["member"]["name"] == "Dee Ramos"


@pytest.mark.parametrize("is_member", [True, False])
def test_an_account_that_is_not_on_the_roster_is_led_to_the_board(phone, dee, account, is_member):
    """Also that of somebody who has left the crews."""
    dee.is_active = False
    dee.save()
    phone.force_login(account if is_member else make_user("ana"))

    page = phone.get("/crew/sign-in/")

    name = "dee" if is_member else "ana"
    assert f"The account “{name}” is not on the roster, so it has no plan here." in text_of(page)
    assert '<a class="button" href="/">Go to the board</a>' in page.text
    assert 'action="/crew/sign-out/"' not in page.text


def test_a_first_visit_is_an_invitation(phone, db):
    page = text_of(phone.get("/crew/sign-in/"))

    assert "We send you a link that signs you in." in page
    assert [word for word in ("signed out", "signed in", "roster", "account") if word in page] == []


def test_a_member_sees_their_phones_and_ends_one(phone, dee, sam, noon):
    lost, sams = Client(enforce_csrf_checks=True, headers={"User-Agent": "Android Chrome/131"}), Client()
    press(lost, link_of(dee))
    sams.post(link_of(sam))
    noon.shift(timedelta(hours=2))
    press(phone, link_of(dee))

    page = phone.get("/crew/phones/")
    assert re.findall(r"<strong>([^<]+)", page.text) == ["Safari on iPhone", "Chrome on Android"]
    assert "Last used Nov. 24, 2026, noon" in text_of(page)  # in Denver, where the board is
    assert page.text.count("This phone") == 1

    done = press(phone, "/crew/phones/", phone=str(Device.objects.get(name="Chrome on Android").pk))
    assert (done.status_code, done["Location"]) == (302, "/crew/phones/")
    assert [signed_in(one) for one in (phone, lost, sams)] == [dee, None, sam]


@pytest.mark.parametrize("chosen", ["of somebody else", "", "x", "-1", "9" * 30, "²", "0"])
def test_a_member_ends_no_phone_of_somebody_else(client, dee, sam, chosen):
    other = Client()
    other.post(link_of(sam))
    client.post(link_of(dee))
    pk = Device.objects.get(member=sam).pk if chosen == "of somebody else" else chosen

    assert client.post("/crew/phones/", {"phone": pk}).status_code == 404
    assert (signed_in(client), signed_in(other)) == (dee, sam)


def test_a_member_with_an_account_sees_their_phones_from_the_office(client, dee):
    Client().post(link_of(dee))
    dee.user = make_user("dee")
    dee.save()
    client.force_login(dee.user)

    page = client.get("/crew/phones/")

    assert (page.status_code, page.text.count("<strong>"), page.text.count("This phone")) == (200, 1, 0)


@pytest.mark.parametrize("signed_in", [False, True])
def test_somebody_who_is_no_member_has_no_phones(client, stranger, signed_in):
    if signed_in:
        client.force_login(stranger)

    response = client.get("/crew/phones/")

    assert (response.status_code, response["Location"]) == (302, "/crew/sign-in/")


def test_the_pages_are_kept_by_nobody_and_their_addresses_go_nowhere(phone, dee):
    path = link_of(dee)
    pages = [phone.get(path), phone.get("/crew/sign-in/"), press(phone, path), phone.get(path), phone.get("/crew/phones/")]

    assert [(page.status_code, page["Referrer-Policy"]) for page in pages] == [
        (200, "strict-origin"),  # a form: with no-referrer its Origin would be null
        (200, "same-origin"),
        (302, "no-referrer"),
        (410, "no-referrer"),
        (200, "same-origin"),
    ]
    assert {page["Cache-Control"] for page in pages} == {"no-store"}
    assert {page["X-Robots-Tag"] for page in pages} == {"noindex, nofollow"}
    assert all({"Cookie", "Accept-Language"} <= set(page["Vary"].split(", ")) for page in pages)
    assert all("script-src 'self';" in page["Content-Security-Policy"] + ";" for page in pages)  # in any order
    assert "<script" not in "".join(page.text for page in pages)


def test_secrets_are_masked_in_the_log(phone, dee):
    path, written = link_of(dee), StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(MaskTokens("{message}", style="{"))
    logging.getLogger("django.request").addHandler(handler)
    try:
        phone.get(path)
        press(phone, path)
        phone.get(path)
        phone.get("/nowhere" + path)
    finally:
        logging.getLogger("django.request").removeHandler(handler)

    assert written.getvalue() == "Gone: /crew/sign-in/…/\nNot Found: /nowhere/crew/sign-in/…/\n"


def test_the_pages_are_in_the_language_of_the_member_once_they_are_known(client, board):
    luis = make_member(board, "Luis Ortega", language="es")
    path = link_of(luis)

    shown, in_english = client.get(path), client.get(path, {"lang": "en"})
    client.post(path)
    phones = client.get("/crew/phones/")

    assert "<h1>¿Iniciar sesión como Luis Ortega en este teléfono?</h1>" in shown.text
    assert (shown["Content-Language"], in_english["Content-Language"], phones["Content-Language"]) == ("es", "en", "es")
    assert '<html lang="es">' in phones.text
    assert "<h1>Mis teléfonos</h1>" in phones.text


@pytest.mark.parametrize(
    ("lang", "header", "language"),
    [
        ("", "", "en"),
        ("", "es-MX,es;q=0.9", "es"),
        ("es", "en", "es"),
        ("en", "es", "en"),
        ("x" * 999, "es", "es"),
        ("", "fr", "en"),
    ],
)
def test_until_then_they_are_in_the_language_of_the_browser(client, db, lang, header, language):
    page = client.get("/crew/sign-in/", {"lang": lang}, headers={"Accept-Language": header})

    assert f'<html lang="{language}">' in page.text


def test_the_language_is_kept_when_a_link_was_asked_for(client, dee, sent):
    response = client.post("/crew/sign-in/?lang=es", {"address": "dee@example.com"})

    assert response["Location"] == "/crew/sign-in/?asked=1&lang=es"
    assert "Si conocemos esta dirección, el enlace va en camino." in client.get(response["Location"]).text


def texts():
    for page in (product.BASE_DIR / "templates" / "crew").glob("sign_in*.html"):
        yield from re.findall(r'{% translate "([^"]+)"', page.read_text())
        for text in re.findall(r"{% blocktranslate[^%]*%}(.*?){% endblocktranslate", page.read_text()):
            yield re.sub(r"{{ (\w+) }}", r"%(\1)s", text)
    for module in (doors, views):
        for node in ast.walk(ast.parse(Path(module.__file__).read_text())):
            match node:
                case ast.Call(func=ast.Name(id="gettext"), args=[ast.Constant(value=str(text))]):
                    yield text


def test_every_text_has_its_spanish():
    catalogue = polib.pofile(str(product.BASE_DIR / "locale" / "es" / "LC_MESSAGES" / "django.po"))
    spanish = {entry.msgid: entry.msgstr for entry in catalogue if not entry.obsolete}

    found = set(texts())
    assert len(found) > 25
    assert sorted(text for text in found if not spanish.get(text)) == []


OF_A_FRIEND = {
    "abre", "abriste", "cierra", "cierres", "conozcas", "envíame", "eres", "escribe", "inténtalo", "llama", "pediste",
    "pide", "pregunta", "puedes", "quieres", "revisa", "te", "ti", "tienes", "tu", "tus", "tú", "ábrelo",
}  # fmt: skip


def test_the_spanish_says_usted_as_the_phones_page_does():
    catalogue = polib.pofile(str(product.BASE_DIR / "locale" / "es" / "LC_MESSAGES" / "django.po"))
    spanish = {entry.msgid: entry.msgstr for entry in catalogue}

    assert [text for text in texts() if OF_A_FRIEND & set(re.findall(r"\w+", spanish[text].lower()))] == []
