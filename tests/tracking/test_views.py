import re

import pytest

from dispatch import flow
from dispatch.models import Job
from tests.factories import make_job

SECRETS = {
    "access_notes": "Gate code 4471",
    "customer_name": "Marisol Vega",
    "customer_phone": "+13035550177",
    "customer_email": "marisol@example.com",
    "notes": "ask for a discount",
    "price": "61307.50",
    "crew": ["Dee Walker"],
}


@pytest.fixture
def secret_job(board):
    return make_job(board, status="en_route", location="1428 Elm St", **SECRETS)


def test_the_link_goes_through_the_edge_function_to_the_page(client, secret_job):
    response = client.get(f"/track/{secret_job.token}")

    assert response.status_code == 200
    assert re.search(r"<h1[^>]*>(.*?)</h1>", response.text).group(1) == "The crew is on the way"
    assert response.templates[0].name == "tracking/track.html"


def test_the_page_shows_nothing_private(client, secret_job):
    text = client.get(f"/track/{secret_job.token}").text

    private = ["4471", "Vega", "0177", "marisol", "discount", "61307", "Walker", "1428", secret_job.uid, secret_job.token]
    assert [word for word in private if word in text] == []
    assert "Elm St" in text


def test_what_people_type_is_never_markup(client, board):
    job = make_job(board, location="1 <img src=x onerror=alert(1)> St", crew=["<b>Dee</b> Walker"])

    text = client.get(f"/track/{job.token}").text

    assert ("<img src=x" in text, "<b>Dee" in text) == (False, False)


@pytest.mark.parametrize(
    "path", ["/track/{0}x", "/track/unknown-token", "/track/", "/track", "/track/a%20b", "/track.html", "/track/x/y"]
)
def test_every_link_that_leads_nowhere_gets_the_same_human_page(client, secret_job, path):
    response = client.get(path.format(secret_job.token))

    assert response.status_code == 404
    assert "Job not found, or this tracking link is no longer valid" in response.text
    assert response.text == client.get("/404.html").text


def test_a_replaced_token_stops_working(client, secret_job):
    Job.objects.filter(pk=secret_job.pk).update(token="a-new-token-for-the-job")

    assert client.get(f"/track/{secret_job.token}").status_code == 404
    assert client.get("/track/a-new-token-for-the-job").status_code == 200


@pytest.mark.parametrize("path", ["/track/{0}", "/track/unknown-token", "/book", "/book/when"])
def test_answers_are_private_and_set_no_cookie(client, secret_job, path):
    response = client.get(path.format(secret_job.token))

    assert response["Cache-Control"] == "no-store"
    assert response["Referrer-Policy"] == "no-referrer"
    assert response["X-Robots-Tag"] == "noindex, nofollow"
    assert dict(response.cookies) == {}


def test_looking_changes_nothing(client, secret_job):
    for method in ("get", "head"):
        getattr(client, method)(f"/track/{secret_job.token}")
    assert client.post(f"/track/{secret_job.token}").status_code in {403, 405}

    assert Job.objects.get().seq == secret_job.seq


def test_the_page_costs_two_queries(client, secret_job, django_assert_num_queries):
    with django_assert_num_queries(2):
        client.get(f"/track/{secret_job.token}")


@pytest.mark.parametrize("status", list(flow.STATUS_FLOW))
def test_every_status_has_a_page(client, board, status):
    job = make_job(board, status=status)

    response = client.get(f"/track/{job.token}")

    assert (response.status_code, response.context["job"]["status"]) == (200, status)


def test_booking_names_the_phone_of_the_company(client, board):
    assert 'href="tel:+13035550100"' in client.get("/book").text
    assert client.get("/book/nonsense").status_code == 404
