"""What a phone shows, and for how long it may show how to reach a customer."""

from datetime import UTC, datetime, timedelta

import pytest

from crew import plan, today
from crew.clock import clock_in
from crew.models import Event, Outing
from dispatch import flow
from dispatch.board import iso
from dispatch.models import Board
from dispatch.statuses import STATUS_FLOW
from tests.crew.factories import make_event, make_member
from tests.crew.phones import phone, send
from tests.factories import make_job

NOON = "2026-05-04T18:00:00Z"  # a Monday; 12:00 in Denver
SHOWN = "2026-05-04T18:00:00.000Z"
SECRETS = {
    "customer_name": "Mia Chen", "customer_phone": "+13035550123", "customer_email": "mia@example.com",
    "access_notes": "gate 4711", "notes": "Two sofas", "price": "149.50",
}  # fmt: skip


@pytest.fixture(autouse=True)
def noon(time_machine):
    time_machine.move_to(NOON, tick=False)
    return time_machine


@pytest.fixture
def dee(board):
    return make_member(board, can_captain=True)


def outing(board: Board, *members, days: float = 0.1, **fields) -> Outing:
    event, job = make_event(board, days=days), make_job(board, **fields)
    plan.put_job(job, event, by="Ana")
    for member in members:
        plan.claim(event, member, by=member.name)
    return Outing.objects.select_related("job__board", "event__board").get(job=job)


def contact(member, event: Event):
    found = send(phone(member), "GET", "/crew/plan").json()["events"]
    return [job["contact"] for one in found if one["id"] == event.uid for job in one["jobs"]]


def test_a_plan_has_exactly_this_shape(board, dee):
    mine = outing(board, dee, load_eighths=4, window_start=datetime(2026, 5, 4, 19, tzinfo=UTC),
                  window_end=datetime(2026, 5, 4, 21, tzinfo=UTC), status="scheduled", **SECRETS)  # fmt: skip
    Event.objects.filter(pk=mine.event.pk).update(notes="Meet at the yard")
    clock_in(dee, at=datetime(2026, 5, 4, 17, 59, tzinfo=UTC))

    answer = send(phone(dee), "GET", "/crew/plan")

    event = {
        "id": mine.event.uid, "seq": 3, "title": "Tuesday, north", "start": "2026-05-04T20:24:00.000Z",
        "end": "2026-05-05T04:24:00.000Z", "day": "2026-05-04", "truck": None, "status": "full", "jobCount": 1,
        "captains": {"places": 1, "people": []},
        "firstMates": {"places": 1, "people": [{"name": "Dee Ramos", "since": SHOWN, "you": True}]},
        "you": {"role": "first_mate", "since": SHOWN, "isClaim": True, "mayRelease": False, "releaseAsked": None},
        "notes": "Meet at the yard",
    }  # fmt: skip
    job = {
        "id": mine.job.uid, "seq": mine.job.seq, "status": "scheduled", "label": "Scheduled", "color": "violet",
        "icon": "calendar", "place": 1, "service": "junk_removal", "serviceLabel": "Junk removal",
        "location": "1428 Elm St", "window": {"start": "2026-05-04T19:00:00.000Z", "end": "2026-05-04T21:00:00.000Z"},
        "loadEighths": 4, "next": {"to": "en_route", "label": "On the way"}, "startFrom": "2026-05-04T06:00:00.000Z",
        "photos": [],
        "contact": {"name": "Mia Chen", "phone": "+13035550123", "accessNotes": "gate 4711", "notes": "Two sofas"},
    }  # fmt: skip
    assert answer.json() == {
        "member": {
            "id": dee.uid, "name": "Dee Ramos", "firstName": "Dee", "language": "en", "roles": ["captain", "first_mate"],
        },
        "board": {
            "slug": "main", "name": "QuickDumpNow Denver", "phone": "+13035550100", "timezone": "America/Denver",
        },
        "now": SHOWN, "seq": 3, "today": "2026-05-04", "events": [event | {"jobs": [job]}], "week": [event],
        "cancelled": [], "shift": {"startedAt": SHOWN}, "endsAccount": False,
    }  # fmt: skip
    assert (answer["Cache-Control"], answer["Vary"]) == ("private, no-cache", "Cookie")


def test_a_job_that_is_done_has_exactly_this_shape(board, dee):
    photos = [{"id": "p1", "kind": "after", "width": 80, "height": 60, "at": SHOWN, "by": "Dee"}]
    mine = outing(board, dee, status="completed", photos=photos, **SECRETS)

    assert today.shown_now(mine) == {
        "id": mine.job.uid, "seq": mine.job.seq, "status": "completed", "label": "Completed", "color": "blue",
        "icon": "check", "place": 1, "service": "junk_removal", "serviceLabel": "Junk removal",
        "location": "1428 Elm St", "window": None, "loadEighths": None, "next": None,
        "startFrom": "2026-05-04T06:00:00.000Z", "photos": [{"id": "p1", "kind": "after"}], "contact": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("status", "to"),
    [
        ("requested", None), ("scheduled", "en_route"), ("ready_for_pickup", "en_route"), ("en_route", "in_progress"),
        ("in_progress", "completed"), ("completed", None), ("cancelled", None),
    ],
)  # fmt: skip
def test_each_status_has_one_next_step(board, dee, status, to):
    expected = {"to": to, "label": STATUS_FLOW[to].label} if to else None

    assert today.shown_now(outing(board, dee, status=status))["next"] == expected


@pytest.mark.parametrize("status", STATUS_FLOW)
def test_how_to_reach_a_customer_is_there_while_the_job_is_open(board, dee, status):
    found = contact(dee, outing(board, dee, status=status, **SECRETS).event)

    shown = {"name": "Mia Chen", "phone": "+13035550123", "accessNotes": "gate 4711", "notes": "Two sofas"}
    assert found == [shown if STATUS_FLOW[status].is_open else None]


def at(local: str) -> datetime:
    return datetime.fromisoformat(f"{local}:00-06:00")  # Denver in May


@pytest.mark.parametrize(
    ("start", "end", "is_mine_now"),
    [
        ("2026-05-03T08:00", "2026-05-03T16:00", False),  # yesterday
        ("2026-05-03T20:00", "2026-05-04T06:00", False),  # yesterday, and over for six hours
        ("2026-05-03T20:00", "2026-05-04T06:01", True),  # overtime
        ("2026-05-03T20:00", "2026-05-04T12:01", True),  # under way
        ("2026-05-04T00:00", "2026-05-04T08:00", True),  # today, though it is over
        ("2026-05-05T23:59", "2026-05-06T08:00", True),  # tomorrow
        ("2026-05-06T00:00", "2026-05-06T08:00", False),  # the day after
    ],
)  # fmt: skip
def test_the_plan_is_of_today_and_tomorrow_on_the_boards_clock(board, dee, noon, start, end, is_mine_now):
    noon.move_to("2026-05-03T06:00:00Z", tick=False)
    mine = outing(board, dee, days=1, **SECRETS)
    Event.objects.filter(pk=mine.event.pk).update(starts_at=at(start), ends_at=at(end))
    mine.event.refresh_from_db()
    noon.move_to(NOON, tick=False)

    body = send(phone(dee), "GET", "/crew/plan").json()

    assert [event["id"] for event in body["events"]] == [mine.event.uid] * is_mine_now
    assert (today.shown_now(mine)["contact"] is not None) == is_mine_now


def test_a_job_that_lasts_past_midnight_stays_the_crew_s_for_six_hours_after_the_end(board, dee, noon):
    noon.move_to(at("2026-05-04T12:00"), tick=False)
    mine, client = outing(board, dee, status="in_progress", **SECRETS), phone(dee)
    Event.objects.filter(pk=mine.event.pk).update(starts_at=at("2026-05-04T15:00"), ends_at=at("2026-05-04T23:00"))
    shown, done = [], []
    for night in ("2026-05-05T00:30", "2026-05-05T04:59", "2026-05-05T05:00"):
        noon.move_to(at(night), tick=False)
        body = send(client, "GET", "/crew/plan").json()
        shown.append((len(body["week"]), [job["contact"]["phone"] for one in body["events"] for job in one["jobs"]]))
        action = {"kind": "note", "text": "Late", "at": f"{night}:00-06:00"}
        done.append(send(client, "POST", f"/crew/jobs/{mine.job.uid}/actions", action, key=night).status_code)

    assert shown == [(1, ["+13035550123"]), (1, ["+13035550123"]), (0, [])]
    assert done == [200, 200, 403]


def test_an_event_was_current_until_it_was_cancelled(board):
    event = make_event(board, days=0.1)
    plan.cancel_event(event, by="Ana", reason="Snow.")
    event.refresh_from_db()

    assert [today.is_current(event, at(local)) for local in ("2026-05-04T11:59", "2026-05-04T12:00")] == [True, False]


@pytest.mark.parametrize(
    ("start", "earliest"),
    [
        ("2026-05-05T08:00", "2026-05-05T00:00"), ("2026-05-05T06:00", "2026-05-05T00:00"),
        ("2026-05-05T05:59", "2026-05-04T23:59"), ("2026-05-05T00:00", "2026-05-04T18:00"),
    ],
)  # fmt: skip
def test_a_crew_may_be_on_the_way_on_the_day_of_the_event_or_six_hours_before(board, dee, start, earliest):
    mine = outing(board, dee)
    mine.event.starts_at = at(start)

    assert today.start_from(mine.event) == at(earliest)
    assert today.shown_now(mine)["startFrom"] == iso(at(earliest))


def test_the_week_has_seven_days_and_no_jobs(board, dee):
    soon, late = make_event(board, "Soon", days=6), make_event(board, "Late", days=7)
    for event in (soon, late):
        plan.claim(event, dee, by="Dee")

    body = send(phone(dee), "GET", "/crew/plan").json()

    assert ([event["title"] for event in body["week"]], body["events"]) == (["Soon"], [])
    assert "jobs" not in body["week"][0]


def test_the_plan_is_theirs_alone(board, dee):
    sam, gone = make_member(board, "Sam Oak"), make_event(board, "Snow", days=0.2)
    theirs = outing(board, sam, **SECRETS)
    plan.assign(gone, dee, "captain", by="Ana")
    plan.cancel_event(gone, by="Ana", reason="Snow.")
    left = make_event(board, "Left", days=0.8)
    plan.claim(left, dee, by="Dee")
    plan.release(left, dee, by="Dee")

    plans = [send(phone(member), "GET", "/crew/plan") for member in (sam, dee)]

    assert [[event["title"] for event in answer.json()["week"]] for answer in plans] == [["Tuesday, north"], []]
    assert contact(sam, theirs.event) != []
    assert [secret for secret in ("Mia", "4711", "Elm") if secret in plans[1].text] == []


def test_jobs_stand_in_the_order_of_the_crew(board, dee):
    first = outing(board, dee, location="First")
    last = make_job(board, location="Last")
    plan.put_job(last, first.event, by="Ana")
    plan.put_job(last, first.event, by="Ana", before=first.job.uid)

    [event] = send(phone(dee), "GET", "/crew/plan").json()["events"]

    assert [(job["place"], job["location"]) for job in event["jobs"]] == [(1, "Last"), (2, "First")]


def test_who_had_a_plan_sees_that_it_was_cancelled(board, dee, noon):
    mine, sams = outing(board, dee), outing(board, make_member(board, "Sam Oak"))
    later, given_back = outing(board, dee, days=2).event, outing(board, dee, days=1).event
    noon.shift(-60)
    plan.release(given_back, dee, by="Dee", is_staff=True)
    noon.shift(60)
    for event in (mine.event, sams.event, later, given_back):
        plan.cancel_event(event, by="Ana Ruiz", reason="Truck broke down")

    found = send(phone(dee), "GET", "/crew/plan").json()
    noon.shift(timedelta(days=1))
    tomorrow = send(phone(dee), "GET", "/crew/plan").json()["cancelled"]

    assert (found["events"], found["week"]) == ([], [])
    assert found["cancelled"] == [{
        "id": mine.event.uid, "title": "Tuesday, north", "start": "2026-05-04T20:24:00.000Z",
        "end": "2026-05-05T04:24:00.000Z", "day": "2026-05-04", "at": SHOWN, "by": "Ana Ruiz", "reason": "Truck broke down",
    }]  # fmt: skip
    assert [one["id"] for one in tomorrow] == [later.uid]


def test_a_plan_that_is_known_is_not_sent_again(board, dee, noon):
    mine, client = outing(board, dee), phone(dee)
    first = send(client, "GET", "/crew/plan")
    noon.shift(60)

    same = send(client, "GET", "/crew/plan", **{"If-None-Match": first["ETag"]})
    flow.edit(mine.job, {"notes": "Dog"}, expect=mine.job.seq, by="Ana")
    changed = send(client, "GET", "/crew/plan", **{"If-None-Match": first["ETag"]})

    assert (first.status_code, same.status_code, same.content, changed.status_code) == (200, 304, b"", 200)


def test_a_day_later_the_plan_is_another_one_though_nobody_changed_anything(board, dee, noon):
    outing(board, dee, days=1.2, **SECRETS)
    client = phone(dee)
    before = send(client, "GET", "/crew/plan")
    noon.shift(timedelta(days=2.1))

    after = send(client, "GET", "/crew/plan", **{"If-None-Match": before["ETag"]})

    assert ("4711" in before.text, after.status_code, "4711" in after.text) == (True, 200, False)
    assert before.json()["seq"] == after.json()["seq"]


@pytest.mark.parametrize("jobs", [1, 5])
def test_a_plan_costs_the_same_however_much_there_is(board, dee, jobs, django_assert_num_queries):
    mine = outing(board, dee)
    for number in range(jobs - 1):
        plan.put_job(make_job(board, location=f"{number} Elm St"), mine.event, by="Ana")
        plan.claim(make_event(board, days=2 + number), dee, by="Dee")
    client = phone(dee)

    with django_assert_num_queries(7):  # the phone with its member; the number, events, people, jobs; cancelled; the shift
        body = send(client, "GET", "/crew/plan").json()

    assert (len(body["events"][0]["jobs"]), len(body["week"])) == (jobs, jobs)


def test_the_number_is_read_before_the_rows(board, dee, monkeypatch):
    """A change in between makes the rows newer than the number says, and the next look finds them changed."""
    mine = outing(board, dee)
    read = today._week_of

    def late(member, now):
        plan.edit_event(Event.objects.get(pk=mine.event.pk), {"title": "Later"}, expect=mine.event.seq, by="Ana")
        return read(member, now)

    mine.event.refresh_from_db()
    monkeypatch.setattr(today, "_week_of", late)

    found = today.plan(dee)

    assert (found["events"][0]["title"], found["seq"], found["events"][0]["seq"]) == ("Later", 3, 4)
