"""Links that are pasted: an app on an iPhone's home screen shares no cookies with Safari, in which links open."""

import pytest
from django.conf import settings as product

from crew import doors
from tests.crew.factories import make_member
from tests.crew.test_sign_in import link_of, phone, press, signed_in, text_of

__all__ = ["phone"]  # a fixture
DEAD = "/crew/sign-in/-/"
SECRET = "A" * 43


@pytest.fixture
def dee(board):
    return make_member(board)


def paste(phone, text: str, path: str = "/crew/sign-in/"):
    return press(phone, path, link=text)


@pytest.mark.parametrize("start", ["/crew/sign-in/", "/crew/sign-in/?asked=1"])
def test_a_pasted_link_leads_to_its_page_and_uses_nothing_up(phone, dee, start):
    link = link_of(dee)

    response = paste(phone, f"Dee, sign in here: {product.API_ORIGIN}{link} It works for 15 minutes.", start)

    assert (response.status_code, response["Location"], signed_in(phone)) == (302, link, None)
    assert "Sign in as Dee" in text_of(phone.get(link))
    press(phone, link)
    assert signed_in(phone) == dee


@pytest.mark.parametrize(
    ("text", "leads_to"),
    [
        ("", DEAD),
        ("https://example.com/", DEAD),
        ("//example.com/crew/", DEAD),
        ("/crew/sign-in/", DEAD),
        (f"/crew/sign-in/{SECRET}A/", DEAD),
        (f"/crew/sign-in/{SECRET[1:]}/", DEAD),
        ("/crew/sign-in/" + "." * 43, DEAD),
        (f"https://example.com/crew/sign-in/{SECRET}/", f"/crew/sign-in/{SECRET}/"),
    ],
)
def test_a_text_leads_to_a_link_of_ours_and_nowhere_else(phone, dee, text, leads_to):
    """What is no link ends as a link does that nobody has."""
    unknown = phone.get(f"/crew/sign-in/{SECRET}/")

    response = paste(phone, text)
    page = phone.get(response["Location"])

    assert (response.status_code, response["Location"]) == (302, leads_to)
    assert (page.status_code, text_of(page)) == (410, text_of(unknown))


def test_the_language_is_kept(phone, dee):
    secret = doors.new_link(dee).split("/")[-2]

    response = paste(phone, f"/crew/sign-in/{secret}/", "/crew/sign-in/?lang=es")

    assert response["Location"] == f"/crew/sign-in/{secret}/?lang=es"


def test_nobody_pastes_a_link_by_a_form_on_another_site(phone, dee):
    assert phone.post("/crew/sign-in/", {"link": link_of(dee)}).status_code == 403
