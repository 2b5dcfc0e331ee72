"""What a crew did while a job was theirs, though the office planned anew before the phone was online again."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from crew import plan, whose
from crew.models import Assignment, CrewChange, Event, Member, Outing
from dispatch import flow
from dispatch.models import Board, Job, Message
from tests.crew.factories import make_event, make_member
from tests.crew.phones import code, phone, send
from tests.dispatch.test_photos import folder, jpeg
from tests.factories import make_job

__all__ = ["folder"]  # a fixture
NOW = datetime(2026, 5, 4, 18, tzinfo=UTC)  # 12:00 in Denver
LOST_AT = NOW + timedelta(minutes=30)
SECRETS = {"customer_name": "Mia Chen", "customer_phone": "+13035550123", "access_notes": "gate 4711", "notes": "Two sofas"}
ANA = "Ana Ruiz"


@pytest.fixture(autouse=True)
def noon(time_machine):
    time_machine.move_to(NOW, tick=False)
    return time_machine


@pytest.fixture
def dee(board) -> Member:
    return make_member(board)


@pytest.fixture
def event(board, dee) -> Event:
    event = make_event(board, "South side", days=0.01, first_mates=3)
    plan.claim(event, dee, by="Dee Ramos")
    return event


@pytest.fixture
def job(board, event) -> Job:
    return put(board, event)


def put(board: Board, event: Event, status: str = "in_progress") -> Job:
    job = make_job(board, status=status, **SECRETS)
    plan.put_job(job, event, by=ANA)
    job.refresh_from_db()
    return job


def cancel(job: Job, event: Event, dee: Member) -> None:
    plan.cancel_event(event, by=ANA, reason="Truck broke down.")


def give(job: Job, event: Event, dee: Member) -> None:
    """The other event is opened first or last: their numbers stand one way or the other."""
    plan.put_job(job, Event.objects.get(title="North side"), by=ANA)


def take_out(job: Job, event: Event, dee: Member) -> None:
    plan.put_job(job, None, by=ANA)


def take_off(job: Job, event: Event, dee: Member) -> None:
    plan.release(event, dee, by=ANA, is_staff=True)


def take_off_because(job: Job, event: Event, dee: Member) -> None:
    plan.release(event, dee, by=ANA, reason="Needed elsewhere", is_staff=True)


def give_back(job: Job, event: Event, dee: Member) -> None:
    plan.release(event, dee, by=dee.name, is_staff=True)


AT = "2026-05-04T18:30:00.000Z"
ENDS = {
    cancel: (
        "South side was cancelled by Ana Ruiz 5 min ago: Truck broke down.",
        "Ana Ruiz canceló South side hace 5 min: Truck broke down.",
        {"what": "cancelled", "event": "South side", "by": ANA, "at": AT, "reason": "Truck broke down."},
    ),
    give: (
        "Ana Ruiz gave this job to North side 5 min ago.",
        "Ana Ruiz le dio este trabajo a North side hace 5 min.",
        {"what": "given", "event": "South side", "by": ANA, "at": AT, "reason": "", "to": "North side"},
    ),
    take_out: (
        "Ana Ruiz took this job off South side 5 min ago.",
        "Ana Ruiz sacó este trabajo de South side hace 5 min.",
        {"what": "taken_out", "event": "South side", "by": ANA, "at": AT, "reason": ""},
    ),
    take_off: (
        "Ana Ruiz took you off South side 5 min ago.",
        "Ana Ruiz le quitó a usted su lugar en South side hace 5 min.",
        {"what": "taken_off", "event": "South side", "by": ANA, "at": AT, "reason": ""},
    ),
    take_off_because: (
        "Ana Ruiz took you off South side 5 min ago: Needed elsewhere.",
        "Ana Ruiz le quitó a usted su lugar en South side hace 5 min: Needed elsewhere.",
        {"what": "taken_off", "event": "South side", "by": ANA, "at": AT, "reason": "Needed elsewhere"},
    ),
    give_back: (
        "You gave back your place in South side 5 min ago.",
        "Usted devolvió su lugar en South side hace 5 min.",
        {"what": "given_back", "event": "South side", "by": "Dee Ramos", "at": AT, "reason": ""},
    ),
}  # fmt: skip
"""By what the office does half an hour later: how it is said, and the facts."""


@pytest.fixture(params=ENDS, ids=lambda end: end.__name__)
def end(request, board):
    """The phone is online again five minutes after this."""
    make_event(board, "North side", days=0.01)
    return request.param


def act(client: Client, job: Job, at: datetime, key: str = "k-1", **facts: str):
    body = {"kind": "note", "text": "The code is 4471", "at": at.isoformat()} | facts
    return send(client, "POST", f"/crew/jobs/{job.uid}/actions", body, key=key)


def photo(client: Client, job: Job, at: datetime, **more: str):
    body = {"file": SimpleUploadedFile("p.jpg", jpeg(), "image/jpeg"), "kind": "after", "at": at.isoformat()} | more
    return client.post(f"/api/v1/crew/jobs/{job.uid}/photos", body, headers={"Idempotency-Key": "k-2"})


def later(noon, end, job: Job, event: Event, dee: Member) -> None:
    noon.move_to(LOST_AT, tick=False)
    end(job, event, dee)
    noon.move_to(LOST_AT + timedelta(minutes=5), tick=False)


# --- what was done before


def test_work_that_was_done_while_the_job_was_theirs_is_taken(job, event, dee, noon, end, folder):
    client = phone(dee)
    later(noon, end, job, event, dee)
    done = LOST_AT - timedelta(seconds=1)

    noted = act(client, job, done)
    moved = act(client, job, done, "k-3", kind="move", to="completed", **{"from": "in_progress"})
    pictured = photo(client, job, done)

    job.refresh_from_db()
    assert [answer.status_code for answer in (noted, moved, pictured)] == [200, 200, 201]
    assert (job.status, job.history.last().by, "4471" in job.access_notes, len(job.photos)) == (
        "completed", "Dee Ramos", True, 1,
    )  # fmt: skip
    assert [answer.json()["job"]["contact"] for answer in (noted, moved, pictured)] == [None] * 3
    assert [word for answer in (noted, moved, pictured) for word in ("Mia", "4711", "sofas") if word in answer.text] == []


def test_no_access_is_taken_too(board, event, dee, noon, end):
    job, client = put(board, event, "en_route"), phone(dee)
    later(noon, end, job, event, dee)

    answer = act(client, job, NOW, kind="no_access", reason="Locked gate", **{"from": "en_route"})

    job.refresh_from_db()
    assert (answer.status_code, job.status, [ask["text"] for ask in job.asks]) == (200, "ready_for_pickup", ["Locked gate"])
    assert answer.json()["job"]["next"] is None


def test_customers_are_not_told_of_a_crew_that_does_not_come_and_are_of_what_is_done(board, event, dee, noon, end):
    jobs, client = [put(board, event, status) for status in ("scheduled", "in_progress")], phone(dee)
    later(noon, end, jobs[0], event, dee)
    done = LOST_AT - timedelta(seconds=1)
    steps = [("scheduled", "en_route"), ("in_progress", "completed")]

    answers = [
        act(client, job, done, to, kind="move", to=to, **{"from": was}) for job, (was, to) in zip(jobs, steps, strict=True)
    ]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert list(Message.objects.filter(job__in=jobs).values_list("kind", flat=True)) == ["done"]


def test_it_is_done_once_however_often_it_is_sent(job, event, dee, noon, end):
    client = phone(dee)
    later(noon, end, job, event, dee)

    done = {"kind": "move", "from": "in_progress", "to": "completed"}
    answers = [act(client, job, NOW, key, **done) for key in ("a", "a", "b")]

    assert ([one.status_code for one in answers], job.history.count()) == ([200] * 3, 2)


def test_where_the_job_is_now_decides_about_a_step(job, event, dee, noon, end):
    client = phone(dee)
    later(noon, end, job, event, dee)
    job.refresh_from_db()
    flow.move(job, "ready_for_pickup", expect=job.seq, by=ANA, channel="board", reason="Another day")

    answer = act(client, job, NOW, kind="move", to="completed", **{"from": "in_progress"})

    assert (code(answer), answer.json()["to"], answer.json()["reason"]) == (
        (409, "moved_on"), "ready_for_pickup", "Another day",
    )  # fmt: skip
    assert [answer.json()["job"][name] for name in ("contact", "next")] == [None, None]
    assert "4711" not in answer.text


def test_a_clock_that_is_wrong_is_put_right_first(job, event, dee, noon, end, folder):
    client, off = phone(dee), timedelta(hours=3)
    later(noon, end, job, event, dee)
    sent = {"sentAt": (LOST_AT + timedelta(minutes=5) + off).isoformat()}

    assert act(client, job, NOW + off, **sent).status_code == 200
    assert code(act(client, job, LOST_AT + off, "k-9", **sent)) == (403, "not_yours")
    assert photo(client, job, NOW + off, **sent).status_code == 201


def test_a_photo_may_take_minutes_to_get_here(job, event, dee, noon, end, folder):
    """Its phone's clock is not behind for that."""
    client = phone(dee)
    later(noon, end, job, event, dee)
    started = LOST_AT + timedelta(minutes=1)

    assert photo(client, job, LOST_AT - timedelta(seconds=1), sentAt=started.isoformat()).status_code == 201


# --- what was done after


def test_work_that_was_done_after_it_is_refused_and_says_why(job, event, dee, noon, end, folder):
    client = phone(dee)
    later(noon, end, job, event, dee)
    english, spanish, facts = ENDS[end]

    answers = [act(client, job, LOST_AT), photo(client, job, LOST_AT)]
    Member.objects.filter(pk=dee.pk).update(language="es")
    answers.append(act(client, job, LOST_AT))

    assert [code(answer) for answer in answers] == [(403, "not_yours")] * 3
    assert [answer.json()["detail"] for answer in answers] == [english, english, spanish]
    told = {"type", "title", "status", "code", "detail"}
    assert [{k: v for k, v in answer.json().items() if k not in told} for answer in answers] == [facts] * 3


@pytest.mark.parametrize("off", [timedelta(minutes=10), timedelta(hours=-49)])
def test_a_time_that_cannot_be_is_now(job, event, dee, noon, off):
    client = phone(dee)
    later(noon, cancel, job, event, dee)

    answer = act(client, job, LOST_AT + timedelta(minutes=5) + off)

    assert (code(answer), answer.json()["what"]) == ((403, "not_yours"), "cancelled")


def test_what_was_done_before_they_came_is_not_theirs(board, job, event, noon, end):
    sam = make_member(board, "Sam Oak")
    noon.move_to(NOW + timedelta(minutes=20), tick=False)
    plan.assign(event, sam, "first_mate", by=ANA)
    later(noon, end, job, event, sam)

    assert code(act(phone(sam), job, NOW + timedelta(minutes=19))) == (403, "not_yours")
    assert act(phone(sam), job, NOW + timedelta(minutes=21), "k-2").status_code == 200


def test_what_was_done_before_the_job_came_is_not_theirs(board, event, dee, noon):
    noon.move_to(NOW + timedelta(minutes=20), tick=False)
    job = put(board, event)
    later(noon, cancel, job, event, dee)

    assert code(act(phone(dee), job, NOW + timedelta(minutes=19))) == (403, "not_yours")
    assert act(phone(dee), job, NOW + timedelta(minutes=21), "k-2").status_code == 200


def test_an_event_that_was_not_current_then_is_nobodys(board, dee, noon):
    event = make_event(board, "Next week", days=3, captains=0)
    plan.claim(event, dee, by="Dee Ramos")
    job = put(board, event)
    later(noon, cancel, job, event, dee)

    assert code(act(phone(dee), job, NOW)) == (403, "not_yours")


def test_the_first_of_several_things_ended_it(board, job, event, dee, noon):
    make_event(board, "North side", days=0.01)
    for minute, one in enumerate((give, take_off)):
        noon.move_to(LOST_AT + timedelta(minutes=minute), tick=False)
        one(job, event, dee)
    noon.move_to(LOST_AT + timedelta(minutes=2), tick=False)
    plan.cancel_event(event, by=ANA, reason="Snow.")

    answer = act(phone(dee), job, LOST_AT + timedelta(seconds=30))

    assert (answer.json()["what"], answer.json()["at"]) == ("given", AT)


def test_the_last_of_several_times_is_told_and_each_counts(board, job, event, dee, noon):
    """In, out, in, and out again, with a place among the others in between."""
    for minute, into in ((10, None), (20, event), (21, event), (30, None)):
        noon.move_to(NOW + timedelta(minutes=minute), tick=False)
        plan.put_job(job, into, by=ANA)
    noon.move_to(LOST_AT + timedelta(minutes=5), tick=False)
    client = phone(dee)
    answers = [act(client, job, NOW + timedelta(minutes=minute), f"k-{minute}") for minute in (9, 15, 20, 25, 31)]

    assert [answer.status_code for answer in answers] == [200, 403, 200, 200, 403]
    assert answers[-1].json()["detail"] == "Ana Ruiz took this job off South side 5 min ago."


def test_a_job_that_somebody_else_put_elsewhere_afterwards_was_taken_out(board, job, event, dee, noon):
    north = make_event(board, "North side", days=0.01)
    noon.move_to(LOST_AT, tick=False)
    plan.put_job(job, None, by=ANA)
    plan.put_job(job, north, by="Bo")

    assert act(phone(dee), job, LOST_AT).json()["detail"] == "Ana Ruiz took this job off South side 0 s ago."


def test_an_event_that_is_older_than_theirs_is_named_too(board, dee, noon):
    """Of one change of two events the older one has the first number."""
    make_event(board, "North side", days=0.01)
    event = make_event(board, "South side", days=0.01)
    plan.claim(event, dee, by="Dee Ramos")
    job = put(board, event)
    later(noon, give, job, event, dee)

    assert act(phone(dee), job, LOST_AT).json()["to"] == "North side"


# --- who learns of it


def test_whose_it_never_was_learns_nothing(board, job, event, dee, noon, end):
    sam, early = make_member(board, "Sam Oak"), make_member(board, "Bo Hill")
    plan.assign(event, early, "first_mate", by=ANA)
    other = put(board, event)
    plan.release(event, early, by=ANA, is_staff=True)
    after = put(board, event)  # came when Bo had gone
    later(noon, end, job, event, dee)

    answers = [act(phone(sam), job, NOW), act(phone(early), after, NOW), act(phone(dee), Job(uid="no-such-job"), NOW)]

    assert [(code(one), one.json()["detail"]) for one in answers] == [
        ((403, "not_yours"), "This job is not on your plan any more. Ask the office.")
    ] * 3
    assert [set(one.json()) for one in answers] == [{"type", "title", "status", "code", "detail"}] * 3
    assert whose.lost(sam, other.uid) == []


def test_after_two_weeks_it_is_forgotten(job, event, dee, noon):
    later(noon, take_off, job, event, dee)
    known = []
    for days in (13.9, 14.1):
        noon.move_to(event.ends_at + timedelta(days=days), tick=False)
        known.append(act(phone(dee), job, NOW).json().get("what"))

    assert known == ["taken_off", None]


def test_nobody_else_s_planning_of_the_job_is_told(board, job, event, dee, noon):
    """It went on to other crews since."""
    north, west = (make_event(board, title, days=0.01) for title in ("North side", "West side"))
    noon.move_to(LOST_AT, tick=False)
    plan.put_job(job, north, by=ANA)
    plan.put_job(job, west, by="Bo")

    assert act(phone(dee), job, LOST_AT).json()["to"] == "North side"


def test_who_has_it_again_works_on_it_as_ever(job, event, dee, noon):
    client = phone(dee)
    later(noon, take_off, job, event, dee)
    plan.claim(event, dee, by="Dee Ramos")

    answer = act(client, job, LOST_AT)

    assert (answer.status_code, Outing.objects.count(), Assignment.objects.count()) == (200, 1, 2)

    noon.move_to(event.ends_at + timedelta(hours=24), tick=False)
    over = act(client, job, event.ends_at + timedelta(hours=24), "k-2")
    assert (code(over), "what" in over.json()) == ((403, "not_yours"), False)


def test_photos_of_a_job_that_was_theirs_are_not_to_be_looked_at(job, event, dee, noon, folder):
    client = phone(dee)
    photo_id = photo(client, job, NOW).json()["photo"]
    later(noon, take_off, job, event, dee)

    assert client.get(f"/crew/photos/{job.uid}/{photo_id}/full").status_code == 404


def test_it_costs_the_same_however_much_was_planned(board, job, event, dee, noon, django_assert_num_queries):
    for _ in range(5):
        put(board, event)
    for number in range(3):
        plan.claim(make_event(board, days=2 + number), dee, by="Dee Ramos")
    later(noon, cancel, job, event, dee)

    with django_assert_num_queries(2):  # places, changes
        [found] = whose.lost(dee, job.uid)
    assert (found.what, CrewChange.objects.count() > 10) == ("cancelled", True)
