"""The same action from many threads at the same moment, on a real database: once in the history."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connections
from django.utils import timezone

from crew import plan
from crew.models import Outing, Shift
from dispatch import flow
from dispatch.models import Job, Message
from tests.crew.factories import make_event, make_member
from tests.crew.phones import phone, send
from tests.factories import make_job

AT_ONCE = 12

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def dee(board):
    return make_member(board)


@pytest.fixture
def job(board, dee) -> Job:
    event, job = make_event(board, days=0.01), make_job(board, status="scheduled", customer_phone="+13035550123")
    plan.put_job(job, event, by="Ana")
    plan.claim(event, dee, by="Dee")
    job.refresh_from_db()
    return job


def at_once(*calls) -> list:
    start = Barrier(len(calls))

    def run(call):
        start.wait(20)
        try:
            return call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(run, calls))


def sender(member, path: str, body: dict, key: str):
    client = phone(member)
    return lambda: send(client, "POST", path, body, key=key)


@pytest.mark.parametrize("keys", [1, AT_ONCE])
@pytest.mark.parametrize(
    ("action", "status"),
    [
        ({"kind": "move", "from": "scheduled", "to": "en_route"}, "en_route"),
        ({"kind": "no_access", "from": "en_route", "reason": "Locked gate"}, "ready_for_pickup"),
        ({"kind": "note", "text": "Dog"}, "scheduled"),
    ],
    ids=["move", "no access", "note"],
)  # fmt: skip
def test_an_action_that_is_sent_many_times_at_once_is_done_once(job, dee, action, status, keys):
    if action["kind"] == "no_access":
        job = flow.move(job, "en_route", expect=job.seq, by="Ana", channel="board")
    before, at = job.history.count(), timezone.now().isoformat()
    path = f"/crew/jobs/{job.uid}/actions"

    answers = at_once(*(sender(dee, path, action | {"at": at}, f"k-{number % keys}") for number in range(AT_ONCE)))

    job.refresh_from_db()
    assert {answer.status_code for answer in answers} == {200}
    assert (job.status, job.history.count() - before) == (status, int(action["kind"] != "note"))
    assert Message.objects.filter(job=job, kind="on_the_way").count() == int(action["kind"] == "move")
    assert [one["kind"] for one in job.asks] == ["no_access"] * (action["kind"] == "no_access")
    assert job.access_notes.count("Dog") == int(action["kind"] == "note")


def test_of_two_crews_and_the_office_one_moves_the_job_and_the_others_read_that_it_is_done(board, job, dee):
    sam = make_member(board, "Sam Oak", can_captain=True)
    plan.assign(job.outing.event, sam, "captain", by="Ana")
    body = {"kind": "move", "from": "scheduled", "to": "en_route", "at": timezone.now().isoformat()}
    path = f"/crew/jobs/{job.uid}/actions"
    members = [dee, sam] * (AT_ONCE // 2)

    answers = at_once(*(sender(member, path, body, f"k-{number}") for number, member in enumerate(members)))

    winner = job.history.last().by
    assert job.history.count() == 2
    for member, answer in zip(members, answers, strict=True):
        detail = "Now On the way." if member.name == winner else f"{winner} did this already."
        assert (answer.status_code, answer.json()["detail"]) == (200, detail)


def test_edits_of_the_office_at_the_same_time_are_neither_lost_nor_in_the_way(job, dee):
    def edit(number: int):
        while True:
            current = Job.objects.get(pk=job.pk)
            try:
                return flow.edit(current, {"notes": f"{current.notes} {number}"}, expect=current.seq, by="Ana")
            except flow.Conflict:
                continue

    body = {"kind": "move", "from": "scheduled", "to": "en_route", "at": timezone.now().isoformat()}
    edits = [lambda number=number: edit(number) for number in range(6)]

    answers = at_once(sender(dee, f"/crew/jobs/{job.uid}/actions", body, "k-1"), *edits)

    job.refresh_from_db()
    assert (answers[0].status_code, job.status) == (200, "en_route")
    assert sorted(map(int, job.notes.split())) == list(range(6))


@pytest.mark.parametrize("keys", [1, AT_ONCE])
def test_clocking_in_many_times_at_once_is_one_shift(dee, keys):
    body = {"in": True, "at": timezone.now().isoformat()}

    answers = at_once(*(sender(dee, "/crew/clock", body, f"k-{number % keys}") for number in range(AT_ONCE)))

    started = {answer.json()["shift"]["startedAt"] for answer in answers}
    assert ({answer.status_code for answer in answers}, len(started), Shift.objects.count()) == ({200}, 1, 1)


def test_a_job_that_many_put_into_an_event_of_theirs_is_in_one_and_the_others_are_told(board):
    job, events = make_job(board), [make_event(board, f"Day {day}", days=day) for day in range(1, 7)]

    def put(event):
        try:
            plan.put_job(job, event, by="Ana")
        except plan.Stale as stale:
            return stale.current
        return event

    found = at_once(*(lambda event=event: put(event) for event in events))

    assert set(found) <= set(events)
    assert Outing.objects.get().event in found
