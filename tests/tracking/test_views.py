import re
from datetime import UTC, datetime, timedelta

import pytest

from dispatch import flow, photos
from dispatch.models import Job
from tests.factories import make_job
from tests.tracking.pictures import picture

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
    assert client.post(f"/track/{secret_job.token}").status_code == 405

    assert Job.objects.get().seq == secret_job.seq


def test_the_page_costs_one_query(client, secret_job, django_assert_num_queries):
    with django_assert_num_queries(1):
        client.get(f"/track/{secret_job.token}")


@pytest.mark.parametrize("status", list(flow.STATUS_FLOW))
def test_every_status_has_a_page(client, board, status):
    job = make_job(board, status=status)

    response = client.get(f"/track/{job.token}")

    assert (response.status_code, response.context["job"]["status"]) == (200, status)


ORDER = [
    'data-slot="headline"', 'data-slot="window"', 'data-slot="steps"', 'data-slot="next"', 'data-slot="may"',
    'data-word="details"', 'data-word="history"', 'data-slot="updated"',
]  # fmt: skip


@pytest.mark.parametrize("status", list(flow.STATUS_FLOW))
def test_a_page_is_in_the_order_in_which_people_ask(client, board, status):
    text = client.get(f"/track/{make_job(board, status=status).token}").text

    places = [text.index(part) for part in ORDER]
    assert (places, text.index('class="call"') < places[0]) == (sorted(places), True)


def test_the_window_has_day_date_hours_and_zone(client, board):
    start = datetime(2026, 11, 26, 15, tzinfo=UTC)
    job = make_job(board, window_start=start, window_end=start.replace(hour=17))

    assert client.get(f"/track/{job.token}").context["window"] == ("Thursday, November 26, ", "8:00 AM – 10:00 AM MST")
    assert client.get(f"/track/{job.token}?lang=es").context["window"] == (
        "jueves 26 de noviembre, ", "8:00 a. m. – 10:00 a. m. MST"
    )  # fmt: skip


@pytest.mark.parametrize(("status", "words"), [("requested", "We have not set a time yet"), ("cancelled", "")])
def test_a_job_without_a_window_says_so_while_one_may_come(client, board, status, words):
    assert client.get(f"/track/{make_job(board, status=status).token}").context["window"] == (words, "")


def test_the_page_says_as_of_when_it_is(client, secret_job, time_machine):
    time_machine.move_to(datetime(2026, 11, 26, 16, 41, tzinfo=UTC), tick=False)

    assert '<p class="soft" data-slot="updated">Updated 9:41 AM MST</p>' in client.get(f"/track/{secret_job.token}").text


PHONE = 'href="tel:+13035550100"'


def test_the_phone_of_the_company_is_at_the_same_place_on_every_page(client, secret_job):
    pages = ["/track/{0}", "/track/{0}?ask=note", "/track/unknown-token", "/404.html"]
    headers = [client.get(path.format(secret_job.token)).text.split("</header>")[0] for path in pages]

    assert [PHONE in header for header in headers] == [True] * 4


@pytest.mark.parametrize("status", ["completed", "cancelled"])
def test_after_a_month_a_link_has_ended_and_says_so_kindly(client, board, status, time_machine):
    job = make_job(board, status=status, **SECRETS)
    time_machine.move_to(job.link_ends_at + timedelta(seconds=1))

    for response in (client.get(f"/track/{job.token}"), client.post(f"/track/{job.token}?ask=rating", {"stars": 5})):
        assert (response.status_code, response.templates[0].name) == (410, "tracking/expired.html")
        assert ("This tracking link has ended" in response.text, PHONE in response.text) == (True, True)
        assert [word for word in ("Elm St", "Vega", "Dee", job.token) if word in response.text] == []
        assert response["Cache-Control"] == "no-store"
    assert Job.objects.get().asks == []


def test_an_open_jobs_link_never_ends(client, secret_job, time_machine):
    time_machine.move_to(datetime(2036, 1, 1, tzinfo=UTC))

    assert client.get(f"/track/{secret_job.token}").status_code == 200


def test_done_jobs_show_their_photos_but_no_tickets(client, board):
    photos = [
        {"id": f"{kind}-1", "kind": kind, "width": 640, "height": 480, "at": "", "by": "Dee"}
        for kind in ("before", "after", "ticket", "access")
    ]
    done, loading = (make_job(board, status=status, photos=photos) for status in ("completed", "in_progress"))

    assert re.findall(r'<img src="([^"]+)"', client.get(f"/track/{done.token}").text.split("<main>")[1]) == [
        "?photo=before-1&amp;size=thumb", "?photo=after-1&amp;size=thumb"
    ]  # fmt: skip
    assert "?photo=" not in client.get(f"/track/{loading.token}").text


def test_a_photo_is_served_at_the_pages_own_address(client, board):
    job = make_job(board, status="completed")
    for kind in ("after", "ticket", "access"):
        job = photos.add(job, picture(), kind, by="Dee")
    after, ticket, gate = (photo["id"] for photo in job.photos)

    shown = client.get(f"/track/{job.token}?photo={after}&size=thumb")
    hidden = [client.get(f"/track/{job.token}?photo={one}").status_code for one in (ticket, gate, "unknown", "")]

    assert (shown.status_code, shown["Content-Type"], hidden) == (200, "image/jpeg", [404] * 4)
    assert (shown["Cache-Control"], shown["X-Robots-Tag"]) == ("private, max-age=86400", "noindex, nofollow")


def test_robots_are_told_where_not_to_look(client):
    answer = client.get("/robots.txt")

    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.text == "User-agent: *\nDisallow: /track/\nDisallow: /book\nDisallow: /state/\nDisallow: /api/\n"


def test_a_page_is_light(client, board):
    page = client.get(f"/track/{make_job(board, status='en_route').token}")
    files = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text))
    imported = {
        f"/static/tracking/{name}"
        for path in files if path.endswith(".js")
        for name in re.findall(r'from "\./([^"]+)"', client.get(path).text)
    }  # fmt: skip

    assert imported - files == set()  # all are named in the page, so that nothing is loaded behind something else
    assert len(page.content) + sum(len(client.get(path).content) for path in files) <= 60 * 1024


def test_booking_names_the_phone_of_the_company(client, board):
    assert 'href="tel:+13035550100"' in client.get("/book").text
    assert client.get("/book/nonsense").status_code == 404
