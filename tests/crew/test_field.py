"""What crews do to jobs, at once or hours later, once or twice."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Permission

from crew import field, plan
from crew.models import Event, Outing
from dispatch import asks, flow
from dispatch.models import Answer, Board, Job, Message, StatusChange
from dispatch.statuses import STATUS_FLOW
from tests.crew.factories import make_event, make_member
from tests.crew.phones import code, phone, send
from tests.factories import make_job

NOW = datetime(2026, 5, 4, 18, tzinfo=UTC)  # 12:00 in Denver
CUSTOMER = {"customer_name": "Mia Chen", "customer_phone": "+13035550123", "access_notes": "gate 4711"}


@pytest.fixture(autouse=True)
def noon(time_machine):
    time_machine.move_to(NOW, tick=False)
    return time_machine


@pytest.fixture
def dee(board):
    return make_member(board)


@pytest.fixture
def event(board, dee) -> Event:
    """Dee's, today from 14:24 on."""
    event = make_event(board, days=0.1)
    plan.claim(event, dee, by="Dee")
    return event


@pytest.fixture
def job(board, event) -> Job:
    return put(board, event)


def put(board: Board, event: Event, status: str = "scheduled", **fields) -> Job:
    job = make_job(board, status=status, **CUSTOMER | fields)
    plan.put_job(job, event, by="Ana")
    job.refresh_from_db()
    return job


def iso(moment: datetime) -> str:
    return moment.isoformat()


def act(client, job: Job, kind: str = "move", key: str = "k-1", at: datetime = NOW, **facts: str):
    return send(client, "POST", f"/crew/jobs/{job.uid}/actions", {"kind": kind, "at": iso(at)} | facts, key=key)


def move(client, job: Job, was: str, to: str, **more):
    return act(client, job, "move", **{"from": was, "to": to} | more)


def no_access(client, job: Job, was: str = "en_route", reason: str = "Locked gate", **more):
    return act(client, job, "no_access", **{"from": was, "reason": reason} | more)


def steps(job: Job) -> list[tuple[str, str, str]]:
    return [(step.to_status, step.by, step.channel) for step in job.history.all()]


def told(job: Job) -> list[tuple[str, str]]:
    return list(Message.objects.filter(job=job).order_by("pk").values_list("kind", "status"))


# --- moving on


def test_a_crew_moves_a_job_on_and_the_customer_is_told(job, dee):
    answer = move(phone(dee), job, "scheduled", "en_route")

    job.refresh_from_db()
    last = job.history.last()
    assert (answer.status_code, answer.json()["detail"]) == (200, "Now On the way.")
    assert (answer.json()["job"]["status"], answer.json()["job"]["seq"]) == ("en_route", job.seq)
    assert answer.json()["job"]["contact"] is None
    assert (last.by, last.channel, last.extra) == ("Dee Ramos", "crew", {"deviceAt": "2026-05-04T18:00:00.000Z"})
    assert told(job) == [("on_the_way", "queued")]


def test_a_whole_day_of_one_job(job, dee):
    client = phone(dee)
    for was, to in (("scheduled", "en_route"), ("en_route", "in_progress"), ("in_progress", "completed")):
        assert move(client, job, was, to, key=to).status_code == 200

    assert [status for status, _, _ in steps(job)] == ["scheduled", "en_route", "in_progress", "completed"]


def test_what_the_office_edited_meanwhile_is_no_conflict(job, dee):
    flow.edit(job, {"notes": "Two sofas"}, expect=job.seq, by="Ana")

    assert move(phone(dee), job, "scheduled", "en_route").status_code == 200
    job.refresh_from_db()
    assert (job.status, job.notes) == ("en_route", "Two sofas")


def editing(monkeypatch, times: int):
    """Between a look at the job and the change somebody edits it, so many times."""
    real, edits = flow.move, []

    def meanwhile(job, *args, **kwargs):
        if len(edits) < times:
            edits.append(flow.edit(job, {"notes": f"note {len(edits)}"}, expect=job.seq, by="Ana"))
        return real(job, *args, **kwargs)

    monkeypatch.setattr(flow, "move", meanwhile)


def test_an_edit_at_the_same_moment_makes_it_look_again(job, dee, monkeypatch):
    editing(monkeypatch, 3)

    assert move(phone(dee), job, "scheduled", "en_route").status_code == 200
    assert [status for status, _, _ in steps(job)] == ["scheduled", "en_route"]


def test_who_never_gets_a_turn_is_asked_to_try_again_and_learns_nothing_else(job, dee, monkeypatch):
    editing(monkeypatch, field.TRIES + 1)

    answer = move(phone(dee), job, "scheduled", "en_route")

    assert (code(answer), answer["Retry-After"], "job" in answer.json()) == ((503, "busy"), "1", False)
    assert len(steps(job)) == 1


def test_a_move_of_the_office_at_the_same_moment_wins(job, dee, monkeypatch):
    real = flow.move

    def meanwhile(job, *args, **kwargs):
        monkeypatch.setattr(flow, "move", real)
        real(job, "ready_for_pickup", expect=job.seq, by="Ana", channel="board")
        return real(job, *args, **kwargs)

    monkeypatch.setattr(flow, "move", meanwhile)

    answer = move(phone(dee), job, "scheduled", "en_route")

    assert (code(answer), answer.json()["detail"]) == ((409, "moved_on"), "Ana moved this to Ready for pickup 0 s ago")


@pytest.mark.parametrize("key", ["k-1", "k-2"])
def test_sent_twice_is_done_once_with_the_same_key_and_with_another(job, dee, key):
    client = phone(dee)
    first = move(client, job, "scheduled", "en_route")

    again = move(client, job, "scheduled", "en_route", key=key)

    assert (again.status_code, again.json()) == (200, first.json())
    assert (again.get("Idempotent-Replay"), len(steps(job)), len(told(job))) == ("true" if key == "k-1" else None, 2, 1)


def test_of_two_requests_at_the_same_moment_both_answer_with_the_job_as_it_is(job, dee):
    """The second has read the job before the first moved it, and its history after that."""
    outings = [field.outing_of(dee, job.uid) for _ in range(2)]

    said = [field.move(outing, "en_route", was="scheduled", member=dee, at=NOW) for outing in outings]

    job.refresh_from_db()
    assert (said, len(steps(job))) == (["", ""], 2)
    assert [(outing.job.status, outing.job.seq) for outing in outings] == [("en_route", job.seq)] * 2


def test_what_they_did_on_another_phone_a_minute_later_is_done_already(job, dee):
    move(phone(dee), job, "scheduled", "en_route", at=NOW - timedelta(minutes=1))

    again = move(phone(dee), job, "scheduled", "en_route", key="k-2", at=NOW - timedelta(minutes=2))

    assert (again.status_code, len(steps(job))) == (200, 2)


def test_sent_again_after_the_job_went_on_is_done_already(job, dee):
    client = phone(dee)
    move(client, job, "scheduled", "en_route")
    move(client, job, "en_route", "in_progress", key="k-2", at=NOW + timedelta(seconds=1))

    again = move(client, job, "scheduled", "en_route", key="k-3")

    assert (again.status_code, again.json()["job"]["status"], len(steps(job))) == (200, "in_progress", 3)


def test_sent_again_after_the_office_put_it_back_is_not_done_twice(job, dee):
    client = phone(dee)
    move(client, job, "scheduled", "en_route")
    job.refresh_from_db()
    for to in ("ready_for_pickup", "scheduled"):
        job = flow.move(job, to, expect=job.seq, by="Ana", channel="board")

    again = move(client, job, "scheduled", "en_route", key="k-2")
    later = move(client, job, "scheduled", "en_route", key="k-3", at=NOW + timedelta(minutes=1))

    assert [answer.json()["job"]["status"] for answer in (again, later)] == ["scheduled", "en_route"]


def test_who_moved_it_where_and_when_is_said(job, dee, noon):
    cancelled = flow.move(job, "cancelled", expect=job.seq, by="Ana", channel="board", reason="Snow")
    noon.shift(600)
    flow.edit(cancelled, {"notes": "Call them"}, expect=cancelled.seq, by="Bo")

    answer = move(phone(dee), job, "scheduled", "en_route")

    assert (code(answer), answer.json()["detail"]) == ((409, "moved_on"), "Ana moved this to Cancelled 10 min ago")
    assert (answer.json()["job"]["id"], answer.json()["job"]["status"]) == (job.uid, "cancelled")
    assert answer.json()["job"]["contact"] is None
    assert {name: answer.json()[name] for name in ("by", "at", "to", "reason")} == {
        "by": "Ana", "at": "2026-05-04T18:00:00.000Z", "to": "cancelled", "reason": "Snow",
    }  # fmt: skip
    assert [word for word in (job.token, "4711", "Mia") if word in answer.text] == []


def test_what_a_colleague_did_first_is_done_and_what_follows_goes_on(board, job, event, dee):
    sam = make_member(board, "Sam Oak", can_captain=True)
    plan.assign(event, sam, "captain", by="Ana")
    move(phone(sam), job, "scheduled", "en_route", at=NOW - timedelta(minutes=2))
    client = phone(dee)

    same = move(client, job, "scheduled", "en_route")
    after = move(client, job, "en_route", "in_progress", key="k-2")

    assert (same.status_code, same.json()["detail"]) == (200, "Sam Oak did this already.")
    assert (after.status_code, after.json()["detail"]) == (200, "Now In progress.")
    assert [(to, by) for to, by, _ in steps(job)[1:]] == [("en_route", "Sam Oak"), ("in_progress", "Dee Ramos")]
    assert [kind for kind, _ in told(job)].count("on_the_way") == 1


def test_what_the_office_did_for_the_crew_is_done_already(job, dee):
    flow.move(job, "en_route", expect=job.seq, by="Ana", channel="board")

    answer = move(phone(dee), job, "scheduled", "en_route")

    assert (answer.status_code, answer.json()["detail"], len(steps(job))) == (200, "Ana did this already.", 2)


@pytest.mark.parametrize("to", ["requested", "scheduled", "ready_for_pickup", "cancelled", "nowhere"])
def test_crews_only_move_jobs_along(board, event, dee, to):
    job = put(board, event, "en_route")

    assert code(move(phone(dee), job, "en_route", to)) == (422, "not_allowed")
    assert len(steps(job)) == 1


def test_what_the_flow_does_not_allow_is_refused(job, dee):
    assert code(move(phone(dee), job, "scheduled", "completed")) == (422, "not_allowed")


# --- not before its day


def on(event: Event, start: datetime) -> None:
    Event.objects.filter(pk=event.pk).update(starts_at=start, ends_at=start + timedelta(hours=8))


def test_a_tap_on_a_job_of_tomorrow_tells_the_customer_nothing(job, event, dee):
    on(event, datetime(2026, 5, 5, 14, tzinfo=UTC))  # 8:00 in Denver

    answer = move(phone(dee), job, "scheduled", "en_route")

    assert (code(answer), answer.json()["detail"]) == (
        (422, "not_yet"), "This is planned for tomorrow, 8:00 AM. Ask the office if you start today.",
    )  # fmt: skip
    assert (answer.json()["start"], answer.json()["startFrom"]) == ("2026-05-05T14:00:00.000Z", "2026-05-05T06:00:00.000Z")
    assert (len(steps(job)), told(job)) == (1, [])


def test_it_is_said_in_spanish_and_with_the_day_when_that_is_not_tomorrow(job, event, dee):
    type(dee).objects.filter(pk=dee.pk).update(language="es")
    on(event, datetime(2026, 5, 5, 20, 5, tzinfo=UTC))
    tomorrow = move(phone(dee), job, "scheduled", "en_route")
    on(event, datetime(2026, 5, 4, 20, tzinfo=UTC))
    today = move(phone(dee), job, "scheduled", "en_route", at=NOW - timedelta(hours=20))

    assert [code(answer)[1] for answer in (tomorrow, today)] == ["not_yet", "not_yet"]
    assert [answer.json()["detail"] for answer in (tomorrow, today)] == [
        "Esto está planeado para mañana (2:05 p. m.). Pregunte a la oficina si empieza hoy.",
        "Esto está planeado para el lunes 4 de mayo, 2:00 p. m. – 10:00 p. m. MDT. Pregunte a la oficina si empieza antes.",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("start", "at", "is_taken"),
    [
        ("2026-05-05T00:01", "2026-05-04T18:00", False), ("2026-05-05T00:01", "2026-05-04T18:01", True),
        ("2026-05-05T06:00", "2026-05-04T23:59", False), ("2026-05-05T06:00", "2026-05-05T00:00", True),
        ("2026-05-04T23:00", "2026-05-04T00:00", True), ("2026-05-03T23:00", "2026-05-04T08:00", True),
    ],
)  # fmt: skip
def test_a_crew_is_on_the_way_on_the_day_or_six_hours_before_by_the_time_of_the_tap(
    job, event, dee, noon, start, at, is_taken
):
    on(event, datetime.fromisoformat(f"{start}:00-06:00"))
    tap = datetime.fromisoformat(f"{at}:00-06:00")
    noon.move_to(tap + timedelta(minutes=10), tick=False)

    answer = move(phone(dee), job, "scheduled", "en_route", at=tap)

    assert answer.status_code == (200 if is_taken else 422)


def test_a_wrong_clock_is_put_right_before_it_is_too_early(job, event, dee):
    on(event, datetime(2026, 5, 4, 20, tzinfo=UTC))
    off = timedelta(hours=-14)

    answer = move(phone(dee), job, "scheduled", "en_route", at=NOW + off, sentAt=iso(NOW + off))

    assert answer.status_code == 200


def test_steps_that_follow_are_taken_at_any_time(board, event, dee):
    job = put(board, event, "en_route")
    on(event, datetime(2026, 5, 5, 14, tzinfo=UTC))

    assert move(phone(dee), job, "en_route", "in_progress").status_code == 200


# --- the phone's clock


@pytest.mark.parametrize(
    ("ahead", "doubt"),
    [
        (timedelta(seconds=59), {}), (timedelta(seconds=61), {"deviceClock": "ahead"}),
        (timedelta(days=400), {"deviceClock": "ahead"}), (timedelta(hours=-47), {}),
        (timedelta(hours=-49), {"deviceClock": "old"}), (timedelta(days=-10_000), {"deviceClock": "old"}),
    ],
)  # fmt: skip
def test_no_time_is_refused_and_one_that_cannot_be_is_marked(board, event, dee, ahead, doubt):
    job = put(board, event, "en_route")
    answer = move(phone(dee), job, "en_route", "in_progress", at=NOW + ahead)

    shown = (NOW + ahead).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    last = job.history.last()
    assert (answer.status_code, last.at, last.extra) == (200, NOW, {"deviceAt": shown} | doubt)


@pytest.mark.parametrize(
    ("was", "to", "late", "kinds"),
    [
        ("scheduled", "en_route", 30, ["on_the_way"]), ("scheduled", "en_route", 31, []),
        ("in_progress", "completed", 31, ["done"]), ("in_progress", "completed", 24 * 60, ["done"]),
    ],
)  # fmt: skip
def test_the_customer_is_not_told_what_is_old_news(board, event, dee, was, to, late, kinds):
    job = put(board, event, was)

    move(phone(dee), job, was, to, at=NOW - timedelta(minutes=late))

    assert [kind for kind, _ in told(job)] == kinds


@pytest.mark.parametrize(("late", "kinds"), [(0, ["on_the_way"]), (30, ["on_the_way"]), (31, [])])
@pytest.mark.parametrize("off", [timedelta(hours=3), timedelta(hours=-3), timedelta(days=-400)])
def test_what_is_old_news_does_not_depend_on_a_wrong_clock(job, dee, off, late, kinds):
    at = NOW - timedelta(minutes=late)

    answer = move(phone(dee), job, "scheduled", "en_route", at=at + off, sentAt=iso(NOW + off))

    shown = (at + off).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert (answer.status_code, [kind for kind, _ in told(job)]) == (200, kinds)
    assert job.history.last().extra["deviceAt"] == shown


def test_a_note_says_when_it_was_written_though_the_clock_is_wrong(job, dee):
    off = timedelta(hours=-5)

    act(phone(dee), job, "note", text="Dog", at=NOW - timedelta(minutes=90) + off, sentAt=iso(NOW + off))

    job.refresh_from_db()
    assert job.access_notes == "gate 4711\nFrom the crew (Dee, 10:30): Dog"


def test_the_clock_at_the_time_of_sending_makes_no_other_request(job, dee):
    """A page of before that did not send it may have been first."""
    client = phone(dee)
    answers = []
    for more in ({}, {"sentAt": iso(NOW)}, {"sentAt": iso(NOW + timedelta(hours=1))}):
        body = {"kind": "note", "text": "Perro: ñ 🐕", "at": iso(NOW)} | more
        content = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
        answers.append(
            client.generic("POST", f"/api/v1/crew/jobs/{job.uid}/actions", content, "application/json",
                           headers={"Idempotency-Key": "k"})
        )  # fmt: skip

    assert [(one.status_code, one.get("Idempotent-Replay")) for one in answers] == [(200, None), *[(200, "true")] * 2]


def test_half_a_character_in_what_nobody_reads_breaks_nothing(job, dee):
    assert act(phone(dee), job, "note", text="Dog", sentAt=iso(NOW), more="\ud800").status_code == 200


@pytest.mark.parametrize("at", ["2026-05-04T12:00:00", "noon", "", "1969-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_a_time_has_its_offset(job, dee, at):
    body = {"kind": "move", "from": "scheduled", "to": "en_route", "at": at}

    assert code(send(phone(dee), "POST", f"/crew/jobs/{job.uid}/actions", body, key="k")) == (422, "invalid")


@pytest.mark.parametrize("body", [None, [], {}, {"kind": "dance"}, {"kind": "move"}, {"kind": "note", "text": "\0"}])
def test_what_makes_no_sense_is_refused(job, dee, body):
    assert code(send(phone(dee), "POST", f"/crew/jobs/{job.uid}/actions", body, key="k"))[0] in {400, 422}
    assert len(steps(job)) == 1


# --- no access


def test_no_access_puts_the_job_back_with_a_mark_for_the_office(ana, board, event, dee):
    job = put(board, event, "en_route")

    answer = no_access(phone(dee), job, at=NOW - timedelta(minutes=3))

    job.refresh_from_db()
    last = job.history.last()
    assert (answer.status_code, answer.json()["job"]["status"]) == (200, "ready_for_pickup")
    assert (last.reason, last.by, last.extra) == (
        "No access: Locked gate", "Dee Ramos", {"deviceAt": "2026-05-04T17:57:00.000Z"},
    )  # fmt: skip
    assert job.asks == [{"kind": "no_access", "at": "2026-05-04T18:00:00.000Z", "text": "Locked gate", "by": "Dee Ramos"}]
    [card] = send(ana, "GET", "/boards/main").json()["jobs"]
    assert (card["waitingAsks"], told(job)) == (["no_access"], [])


def test_news_that_wait_are_taken_back_by_no_access(job, dee):
    client = phone(dee)
    move(client, job, "scheduled", "en_route")

    no_access(client, job, key="k-2")

    assert told(job) == [("on_the_way", "cancelled")]


@pytest.mark.parametrize("status", STATUS_FLOW)
def test_no_access_is_for_those_who_are_there(board, event, dee, status):
    job = put(board, event, status)

    answer = no_access(phone(dee), job, was=status)

    job.refresh_from_db()
    if status in {"en_route", "in_progress"}:
        assert (answer.status_code, job.status) == (200, "ready_for_pickup")
    else:
        assert (code(answer), job.status, job.asks) == ((422, "not_allowed"), status, [])


@pytest.mark.parametrize("key", ["k-1", "k-2"])
def test_no_access_sent_twice_is_one_mark(board, event, dee, key):
    job, client = put(board, event, "in_progress"), phone(dee)
    no_access(client, job, was="in_progress")

    again = no_access(client, job, was="in_progress", key=key)

    job.refresh_from_db()
    assert (again.status_code, len(job.asks), len(steps(job))) == (200, 1, 2)


def test_of_two_who_report_no_access_the_first_counts(board, event, dee):
    job, sam = put(board, event, "en_route"), make_member(board, "Sam Oak", can_captain=True)
    plan.assign(event, sam, "captain", by="Ana")
    no_access(phone(sam), job)

    answer = no_access(phone(dee), job)

    job.refresh_from_db()
    assert (answer.status_code, answer.json()["detail"], len(job.asks)) == (200, "Sam Oak did this already.", 1)


def test_a_job_that_the_office_put_back_swallows_no_report(board, event, dee):
    job = put(board, event, "en_route")
    flow.move(job, "ready_for_pickup", expect=job.seq, by="Ana", channel="board")

    assert code(no_access(phone(dee), job)) == (409, "moved_on")


def test_no_access_needs_a_reason(board, event, dee):
    job, client = put(board, event, "en_route"), phone(dee)

    assert code(no_access(client, job, reason=" ")) == (422, "reason_required")
    assert code(no_access(client, job, reason="x" * 501)) == (422, "too_long")
    assert job.history.count() == 1


def test_no_access_to_a_job_that_moved_on_changes_nothing(board, event, dee):
    job = put(board, event, "in_progress")
    flow.move(job, "completed", expect=job.seq, by="Ana", channel="board")

    answer = no_access(phone(dee), job, was="in_progress")

    job.refresh_from_db()
    assert (code(answer), answer.json()["detail"], job.asks) == (
        (409, "moved_on"), "Ana moved this to Completed 0 s ago", [],
    )  # fmt: skip


def test_a_customer_who_asked_for_everything_does_not_silence_the_crew(board, event, dee):
    entries = [{"kind": "note", "at": "2026-05-04T17:00:00.000Z", "text": str(n)} for n in range(asks.MOST)]
    job = put(board, event, "en_route", asks=entries)

    assert no_access(phone(dee), job).status_code == 200
    job.refresh_from_db()
    assert asks.waiting(job) == ["note", "no_access"]


# --- notes


def test_a_note_stands_where_crews_look_for_gate_codes(job, dee):
    before = job.seq
    answer = act(phone(dee), job, "note", text=" New code:\r\n1234 ", at=NOW - timedelta(minutes=5))

    job.refresh_from_db()
    assert job.access_notes == "gate 4711\nFrom the crew (Dee, 11:55): New code:\n1234"
    assert (answer.status_code, answer.json()["job"]["contact"]) == (200, None)
    assert answer.json()["seqBefore"] == before
    assert (job.updated_by, len(steps(job))) == ("Dee Ramos", 1)


@pytest.mark.parametrize(
    ("ahead", "when"),
    [(timedelta(hours=-20), "May 3, 16:00"), (timedelta(days=-3), "12:00"), (timedelta(hours=1), "12:00")],
)
def test_a_note_says_when_it_was_written_if_that_can_be_true(job, dee, ahead, when):
    act(phone(dee), job, "note", text="Dog", at=NOW + ahead)

    job.refresh_from_db()
    assert job.access_notes == f"gate 4711\nFrom the crew (Dee, {when}): Dog"


@pytest.mark.parametrize("key", ["k-1", "k-2"])
def test_a_note_sent_twice_is_one(job, dee, key):
    client = phone(dee)
    act(client, job, "note", text="Dog")

    assert act(client, job, "note", text="Dog", key=key).status_code == 200
    job.refresh_from_db()
    assert job.access_notes.count("Dog") == 1


def test_notes_have_an_end(job, dee):
    client = phone(dee)
    Job.objects.filter(pk=job.pk).update(access_notes="x" * (field.MOST_NOTES - 10))

    assert code(act(client, job, "note", text="Dog")) == (422, "too_many")
    assert code(act(client, job, "note", text=" ")) == (422, "empty")
    assert code(act(client, job, "note", text="x" * 501)) == (422, "too_long")


# --- whose job it is


def refused(client, job: Job, **more) -> bool:
    answer = act(client, job, "note", text="Dog", **more)
    assert answer.status_code == 200 or code(answer) == (403, "not_yours")
    return answer.status_code == 403


def test_only_who_has_a_place_in_the_event_works_on_its_jobs(board, job, event):
    sam = make_member(board, "Sam Oak", can_captain=True)
    stranger = refused(phone(sam), job)
    plan.assign(event, sam, "captain", by="Ana")

    assert (stranger, refused(phone(sam), job)) == (True, False)


def test_who_gave_the_place_back_works_on_nothing_any_more_not_even_again(job, event, dee):
    client = phone(dee)
    assert move(client, job, "scheduled", "en_route").status_code == 200
    plan.release(event, dee, by="Ana", is_staff=True)

    again = move(client, job, "scheduled", "en_route")

    assert (code(again), "Mia" in again.text) == ((403, "not_yours"), False)


def test_a_job_that_was_planned_elsewhere_or_nowhere_is_nobodys(board, job, event, dee):
    loose = make_job(board, status="scheduled")
    assert refused(phone(dee), loose)

    plan.put_job(job, make_event(board, "South", days=0.1), by="Ana")
    assert refused(phone(dee), job)
    assert code(move(phone(dee), Job(uid="no-such-job"), "scheduled", "en_route")) == (403, "not_yours")


@pytest.mark.parametrize(
    ("days", "at", "is_refused"),
    [
        (1.4, 0, False), (1.6, 0, True),  # tomorrow 21:36, the day after
        (-0.6, 0, True), (-0.6, 20, False), (-0.6, 49, True),  # yesterday from 21:36 to 05:36; done 16:00, days ago
        (-0.2, 0, False), (-1.6, 12.1, True), (-1.6, 36, False),
    ],
)  # fmt: skip
def test_it_is_theirs_on_its_day_the_day_before_and_when_a_phone_kept_it_overnight(
    board, job, event, dee, days, at, is_refused
):
    start = NOW + timedelta(days=days)
    Event.objects.filter(pk=event.pk).update(starts_at=start, ends_at=start + timedelta(hours=8))

    assert refused(phone(dee), job, at=NOW - timedelta(hours=at)) == is_refused


def test_a_cancelled_event_is_nobodys(board, job, event, dee):
    client = phone(dee)
    plan.cancel_event(event, by="Ana", reason="Snow.")

    assert refused(client, job)
    assert not Outing.objects.exists()


def test_a_key_stands_for_one_action(board, job, event, dee):
    client, other = phone(dee), put(board, event)
    move(client, job, "scheduled", "en_route")

    assert code(move(client, other, "scheduled", "en_route")) == (422, "key_reused")


def test_two_members_may_choose_the_same_key(board, job, event, dee):
    sam, other = make_member(board, "Sam Oak", can_captain=True), put(board, event)
    plan.assign(event, sam, "captain", by="Ana")

    answers = [move(phone(dee), job, "scheduled", "en_route"), move(phone(sam), other, "scheduled", "en_route")]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert set(StatusChange.objects.filter(channel="crew").values_list("by", flat=True)) == {"Dee Ramos", "Sam Oak"}


def test_a_member_and_an_account_with_the_same_number_may_choose_the_same_key(ana, dispatcher, board, job, event):
    sam = make_member(board, "Sam Oak", can_captain=True, pk=dispatcher.pk + 1000)
    dispatcher.pk = sam.pk
    dispatcher.username = "ana-too"
    dispatcher.save(force_insert=True)
    dispatcher.user_permissions.set(Permission.objects.filter(codename="change_job"))
    plan.assign(event, sam, "captain", by="Ana")
    ana.force_login(dispatcher)

    answers = [move(phone(sam), job, "scheduled", "en_route"), send(ana, "POST", f"/jobs/{job.uid}/link", {}, key="k-1")]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert list(Answer.objects.values_list("scope", flat=True)) == [f"member:{sam.pk}", f"user:{sam.pk}"]
