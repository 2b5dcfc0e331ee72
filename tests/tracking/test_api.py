import pytest

from dispatch import flow
from tests.factories import make_job
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
