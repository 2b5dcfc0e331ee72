"""A POST with an Idempotency-Key is done once, however often and however fast it is sent."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone

from dispatch import flow, idempotency
from dispatch.models import Answer, Job, Message, StatusChange
from tests.factories import make_user

AT_ONCE = 16


def post(client, url: str, body=None, key: str | None = None, **headers: str):
    headers |= {} if key is None else {"Idempotency-Key": key}
    return client.post(f"/api/v1{url}", json.dumps(body), content_type="application/json", headers=headers)


def shown(answer) -> tuple[int, bytes, str | None]:
    return answer.status_code, answer.content, answer.get("Idempotent-Replay")


def code(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_a_post_that_is_sent_again_is_answered_again_and_done_once(ana, board):
    facts = {"location": "1428 Elm St", "price": 149.5, "crew": ["Dee Park"], "customer": {"phone": "303 555 0123"}}

    first, second = (post(ana, "/jobs", facts, key="k-1") for _ in range(2))

    assert shown(first) == (201, first.content, None)
    assert shown(second) == (201, first.content, "true")
    assert second["Content-Type"] == first["Content-Type"] == "application/json; charset=utf-8"
    assert (Job.objects.count(), Message.objects.count()) == (1, 1)


def test_the_answer_with_a_key_is_the_one_without(ana, job):
    plain = post(ana, f"/jobs/{job.uid}/asks/settle")

    keyed = post(ana, f"/jobs/{job.uid}/asks/settle", key="k-1")

    assert set(keyed.json()) == set(plain.json())
    assert keyed.json() | {"seq": 0, "updatedAt": ""} == plain.json() | {"seq": 0, "updatedAt": ""}


def test_without_a_key_each_post_is_its_own(ana, board):
    assert [post(ana, "/jobs", {"location": "1428 Elm St"}).status_code for _ in range(2)] == [201, 201]
    assert (Job.objects.count(), Answer.objects.count()) == (2, 0)


def test_a_move_whose_answer_was_lost_is_no_conflict_with_itself(ana, job):
    body = {"to": "scheduled", "seq": job.seq}

    answers = [post(ana, f"/jobs/{job.uid}/move", body, key="k-1") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert [change.to_status for change in job.history.all()] == ["requested", "scheduled"]
    assert code(post(ana, f"/jobs/{job.uid}/move", body)) == (409, "stale")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/jobs", {"location": "1428 Elm St"}),
        ("/jobs/{uid}/move", {"to": "ready_for_pickup", "seq": 2}),
        ("/jobs/{uid}/undo", {"seq": 2}),
        ("/jobs/{uid}/asks/settle", None),
        ("/jobs/{uid}/link", None),
        ("/jobs/{uid}/messages", {"kind": "link"}),
    ],
)
def test_these_take_a_key(ana, board, path, body):
    job = flow.open_job(board, by="Ana", channel="board", location="1 Elm St", customer_phone="+13035550123")
    post(ana, f"/jobs/{job.uid}/move", {"to": "scheduled", "seq": job.seq})

    first, second = (post(ana, path.format(uid=job.uid), body, key="k-1") for _ in range(2))

    assert first.status_code < 300, first.content
    assert shown(second) == (first.status_code, first.content, "true")


@pytest.mark.parametrize("other", [("/jobs", {"location": "9 Oak Ave"}), ("/jobs/x/link", None)])
def test_a_key_stands_for_one_request(ana, board, job, other):
    post(ana, "/jobs", {"location": "1428 Elm St"}, key="k-1")
    path, body = other

    again = post(ana, path.replace("/x/", f"/{job.uid}/"), body, key="k-1")

    assert code(again) == (422, "key_reused")
    assert Job.objects.count() == 2
    assert Job.objects.get(pk=job.pk).token == job.token


def test_the_same_words_to_another_address_are_another_request(ana, board, job):
    other = flow.open_job(board, by="Ana", channel="board", location="9 Oak Ave")
    post(ana, f"/jobs/{job.uid}/link", key="k-1")

    assert code(post(ana, f"/jobs/{other.uid}/link", key="k-1")) == (422, "key_reused")
    assert Job.objects.get(pk=other.pk).token == other.token


def test_two_people_may_choose_the_same_key(ana, board, dispatcher):
    ben = Client()
    ben.force_login(make_user("ben", "add_job"))

    answers = [post(client, "/jobs", {"location": "1428 Elm St"}, key="k-1") for client in (ana, ben)]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json()["id"] != answers[1].json()["id"]


@pytest.mark.parametrize("key", ["", "x" * 101, "tab\there", "é"])
def test_what_is_no_key_is_refused(ana, board, key):
    assert code(post(ana, "/jobs", {"location": "1428 Elm St"}, key=key)) == (422, "bad_key")
    assert Job.objects.count() == 0


def test_nothing_is_kept_of_an_error(ana, job):
    url, moved = f"/jobs/{job.uid}/move", {"to": "scheduled", "seq": job.seq}

    assert code(post(ana, url, {"to": "completed", "seq": job.seq}, key="k-1")) == (422, "not_allowed")
    assert code(post(ana, "/jobs", {"location": ""}, key="k-1")) == (422, "invalid")
    assert code(post(ana, "/jobs/unknown/link", key="k-1")) == (404, "not_found")

    assert Answer.objects.count() == 0
    assert post(ana, url, moved, key="k-1").status_code == 200


def test_a_change_and_its_answer_are_there_both_or_neither(ana, board, monkeypatch):
    """The server dies, or the database does, between the change and the answer: the next try finds neither."""

    def dies(*args):
        raise ConnectionError("the database went away")

    with monkeypatch.context() as broken:
        broken.setattr(idempotency, "_keep", dies)
        with pytest.raises(ConnectionError):
            post(ana, "/jobs", {"location": "1428 Elm St"}, key="k-1")

    assert (Job.objects.count(), Answer.objects.count()) == (0, 0)
    assert post(ana, "/jobs", {"location": "1428 Elm St"}, key="k-1").status_code == 201


def test_a_key_opens_nothing_to_those_who_may_not(ana, client, board, stranger):
    post(ana, "/jobs", {"location": "1428 Elm St"}, key="k-1")

    client.force_login(stranger)
    assert code(post(client, "/jobs", {"location": "1428 Elm St"}, key="k-1")) == (403, "forbidden")
    client.logout()
    assert code(post(client, "/jobs", {"location": "1428 Elm St"}, key="k-1")) == (401, "sign_in")


def test_old_answers_are_swept_now_and_then(ana, board, monkeypatch):
    monkeypatch.setattr(idempotency, "SWEEP_EVERY", 1)
    for key, hours in {"old": 49, "kept": 47}.items():
        Answer.objects.create(scope="user:0", key=key, fingerprint="", at=timezone.now() - timedelta(hours=hours))

    post(ana, "/jobs", {"location": "1428 Elm St"}, key="new")

    assert sorted(Answer.objects.values_list("key", flat=True)) == ["kept", "new"]


def test_the_api_says_who_takes_a_key(client):
    paths = client.get("/api/v1/openapi.json").json()["paths"]

    taking = {
        path.removeprefix("/api/v1")
        for path, methods in paths.items()
        for argument in methods.get("post", {}).get("parameters", [])
        if (argument["name"], argument["in"]) == ("Idempotency-Key", "header")
    }
    of_a_job = {f"/jobs/{{uid}}/{what}" for what in ("move", "undo", "asks/settle", "link", "messages")}
    assert taking >= {"/jobs", *of_a_job}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("body", [{"to": "scheduled"}, {"to": "completed"}], ids=["allowed", "refused"])
def test_of_sixteen_at_the_same_moment_one_runs_and_all_get_its_answer(job, dispatcher, body):
    start, sent, clients = Barrier(AT_ONCE), body | {"seq": job.seq}, [Client() for _ in range(AT_ONCE)]
    for client in clients:
        client.force_login(dispatcher)

    def send(client):
        start.wait(20)
        try:
            return shown(post(client, f"/jobs/{job.uid}/move", sent, key="k-1"))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(AT_ONCE) as threads:
        answers = list(threads.map(send, clients))

    if body["to"] == "scheduled":
        assert sorted(replay or "" for _, _, replay in answers) == ["", *["true"] * (AT_ONCE - 1)]
        assert len({(status, content) for status, content, _ in answers}) == 1
        assert (Answer.objects.count(), StatusChange.objects.filter(job=job).count()) == (1, 2)
        assert Job.objects.get(pk=job.pk).seq == job.seq + 1
    else:
        assert {status for status, _, _ in answers} == {422}
        assert (Answer.objects.count(), StatusChange.objects.filter(job=job).count()) == (0, 1)
