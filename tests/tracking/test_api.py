import pytest

from dispatch import flow, photos
from tests.factories import make_job
from tests.tracking.pictures import picture
from tracking.projection import find, public_projection


def test_a_token_shows_the_public_projection(client, board):
    job = make_job(board, notes="Dog")
    answer = client.get(f"/api/v1/track/{job.token}")

    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    assert answer.json() == public_projection(find(job.token))


def test_it_follows_the_job(client, board):
    job = make_job(board)
    flow.move(job, "ready_for_pickup", expect=job.seq, by="Ana", channel="board")

    assert client.get(f"/api/v1/track/{job.token}").json()["label"] == "Ready"


def test_nobody_has_to_sign_in_and_no_cookie_is_set(client, board):
    answer = client.get(f"/api/v1/track/{make_job(board).token}")

    assert (dict(answer.cookies), "Vary" in answer) == ({}, False)


@pytest.mark.parametrize(
    "token",
    [
        "unknown-token",
        "short",
        "a" * 65,
        "a" * 5000,
        "A%20b%20c%20d",
        "%00%00%00%00%00%00%00%00",
        "%41b3-_xYz%2F",
        "é" * 8,
        "a/b",
        "",
    ],
)
def test_a_token_that_leads_nowhere_is_always_the_same_404(client, board, token):
    make_job(board)
    answer = client.get(f"/api/v1/track/{token}")

    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
    assert answer["Cache-Control"] == "no-store"
    assert answer.json() == {
        "type": "about:blank",
        "title": "Not found",
        "status": 404,
        "code": "not_found",
        "detail": "There is nothing at this address.",
    }


def test_a_job_id_is_no_token(client, board):
    assert client.get(f"/api/v1/track/{make_job(board).uid}").status_code == 404


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_a_customer_changes_nothing(client, board, method):
    job = make_job(board)
    answer = getattr(client, method)(f"/api/v1/track/{job.token}")

    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")


def test_an_answer_costs_one_query(client, board, django_assert_num_queries):
    job = make_job(board)
    flow.move(job, "ready_for_pickup", expect=job.seq, by="Ana", channel="board")

    with django_assert_num_queries(1):
        client.get(f"/api/v1/track/{job.token}")


def test_who_has_it_already_gets_nothing_again(client, board):
    job = make_job(board)
    first = client.get(f"/api/v1/track/{job.token}")

    again = client.get(f"/api/v1/track/{job.token}", headers={"if-none-match": first["ETag"]})
    flow.move(job, "ready_for_pickup", expect=job.seq, by="Ana", channel="board")
    later = client.get(f"/api/v1/track/{job.token}", headers={"if-none-match": first["ETag"]})

    assert (again.status_code, again.content, again["ETag"], again["Cache-Control"]) == (
        304,
        b"",
        first["ETag"],
        "no-store",
    )
    assert (later.status_code, later.json()["label"], later["ETag"] == first["ETag"]) == (200, "Ready", False)


@pytest.mark.parametrize("path", ["", "/calendar.ics", "/photos/some-photo", "/asks"])
def test_a_link_that_has_ended_is_gone(client, board, time_machine, path):
    job = make_job(board, status="completed")
    time_machine.move_to(job.link_ends_at)

    send = client.post if path == "/asks" else client.get
    answer = send(f"/api/v1/track/{job.token}{path}", {"kind": "rating"}, content_type="application/json")

    assert (answer.status_code, answer["Content-Type"]) == (410, "application/problem+json")
    assert (answer.json()["code"], answer["Cache-Control"]) == ("link_ended", "no-store")


@pytest.mark.parametrize("path", ["/calendar.ics", "/photos/some-photo", "/asks"])
def test_a_token_that_leads_nowhere_has_no_files_and_asks_for_nothing(client, board, path):
    send = client.post if path == "/asks" else client.get
    answer = send(f"/api/v1/track/unknown-token{path}", {"kind": "note", "text": "Hi"}, content_type="application/json")

    assert (answer.status_code, answer.json()["code"], answer["Cache-Control"]) == (404, "not_found", "no-store")


def test_a_photo_is_served_in_both_sizes_and_no_other(client, board):
    job = photos.add(make_job(board, status="completed"), picture(), "after", by="Dee")
    address = f"/api/v1/track/{job.token}/photos/{job.photos[0]['id']}"

    answers = [client.get(f"{address}?size={size}") for size in ("thumb", "full", "huge")]

    assert [answer.status_code for answer in answers] == [200, 200, 422]
    assert {answer["Content-Type"] for answer in answers[:2]} == {"image/jpeg"}


def test_another_jobs_photo_is_not_served(client, board):
    job, other = (make_job(board, status="completed") for _ in range(2))
    other = photos.add(other, picture(), "after", by="Dee")

    assert client.get(f"/api/v1/track/{job.token}/photos/{other.photos[0]['id']}").status_code == 404
