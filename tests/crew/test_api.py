"""Events over HTTP, and who may ask for what."""

import json
import re

import pytest
from django.test import Client

from crew import plan
from crew.api import CLAIMS_AN_HOUR, router
from crew.models import Assignment, Device, Event, Truck
from dispatch.models import Answer, Board, Job
from tests.crew.factories import make_event, make_member
from tests.crew.phones import code, phone, send
from tests.factories import make_job, make_user

NOW = "2026-05-04T18:00:00Z"
SHOWN = "2026-05-04T18:00:00.000Z"
AT = "2026-05-04T11:59:00-06:00"


@pytest.fixture(autouse=True)
def noon(time_machine):
    time_machine.move_to(NOW, tick=False)
    return time_machine


@pytest.fixture
def dee(board):
    return make_member(board)


@pytest.fixture
def sam(board):
    return make_member(board, "Sam Oak", can_captain=True)


# --- reading events


def test_members_read_the_events_of_their_board(board, dee, sam):
    event = make_event(board, notes="Meet at the yard")
    plan.assign(event, sam, "captain", by="Ana")
    plan.put_job(make_job(board, customer_name="Mia Chen"), event, by="Ana")
    make_event(Board.objects.create(slug="other", name="Other"))

    shown = {
        "id": event.uid, "seq": 3, "title": "Tuesday, north", "start": "2026-05-06T18:00:00.000Z",
        "end": "2026-05-07T02:00:00.000Z", "day": "2026-05-06", "truck": None, "status": "open", "jobCount": 1,
        "captains": {"places": 1, "people": [{"name": "Sam Oak", "since": SHOWN, "you": False}]},
        "firstMates": {"places": 1, "people": []}, "you": None,
    }  # fmt: skip
    head = {"slug": "main", "name": "QuickDumpNow Denver", "timezone": "America/Denver"}
    assert send(phone(dee), "GET", "/events?board=other").json() == {"board": head, "seq": 3, "events": [shown]}


def test_the_office_reads_whom_it_can_assign_and_what_is_wrong(ana, board, dee, sam):
    truck = Truck.objects.create(board=board, name="Big Red")
    Truck.objects.create(board=board, name="Sold", is_active=False)
    make_member(board, "Gone Girl", is_active=False)
    one, other = (make_event(board, title, truck=truck, notes="Bring straps") for title in ("One", "Other"))
    job = make_job(board)
    plan.put_job(job, one, by="Ana")
    plan.claim(one, dee, by="Dee")

    body = send(ana, "GET", "/events").json()

    assert [event["warnings"] for event in body["events"]] == [
        ["Big Red is on “Other” at the same time."], ["Big Red is on “One” at the same time."],
    ]  # fmt: skip
    assert [(event["jobs"], event["notes"]) for event in body["events"]] == [
        ([job.uid], "Bring straps"),
        ([], "Bring straps"),
    ]
    assert body["events"][0]["firstMates"]["people"] == [
        {"name": "Dee Ramos", "since": SHOWN, "you": False, "id": dee.uid, "override": "", "releaseAsked": None,
         "releaseReason": "", "seen": None}
    ]  # fmt: skip
    assert (body["seq"], body["trucks"]) == (4, ["Big Red"])
    assert body["members"] == [
        {"id": dee.uid, "name": "Dee Ramos", "canCaptain": False, "canFirstMate": True},
        {"id": sam.uid, "name": "Sam Oak", "canCaptain": True, "canFirstMate": True},
    ]
    assert [event["id"] for event in body["events"]] == [one.uid, other.uid]


def test_the_days_can_be_chosen(board, dee):
    for days in (0.5, 3, 20):
        make_event(board, f"In {days} days", days=days)
    client = phone(dee)

    def titles(query: str) -> list[str]:
        return [event["title"] for event in send(client, "GET", f"/events{query}").json()["events"]]

    assert titles("") == ["In 0.5 days", "In 3 days"]
    assert titles("?days=2") == ["In 0.5 days"]
    assert titles("?since=2026-05-06T00:00:00Z&days=30") == ["In 3 days", "In 20 days"]


@pytest.mark.parametrize("query", ["days=0", "days=63", "days=x", "since=today", "since=2026-05-06T00:00:00", "board=%00"])
def test_days_that_make_no_sense_are_refused(board, dee, query):
    assert code(send(phone(dee), "GET", f"/events?{query}")) == (422, "invalid")


def test_a_board_that_is_not_there_has_no_events(ana, board):
    assert code(send(ana, "GET", "/events?board=nowhere")) == (404, "not_found")


def test_events_that_are_known_are_not_sent_again(board, dee, sam):
    event, client = make_event(board), phone(dee)
    first = send(client, "GET", "/events")

    same = send(client, "GET", "/events", **{"If-None-Match": first["ETag"]})
    plan.claim(event, sam, by="Sam")
    changed = send(client, "GET", "/events", **{"If-None-Match": first["ETag"]})

    assert (same.status_code, same.content, changed.status_code) == (304, b"", 200)


def test_what_changes_by_time_alone_is_sent(board, dee, noon):
    plan.claim(make_event(board, days=0.6), dee, by="Dee")
    client = phone(dee)
    first = send(client, "GET", "/events")
    noon.shift(3 * 3600)  # past the cut-off

    later = send(client, "GET", "/events", **{"If-None-Match": first["ETag"]})

    assert [answer.json()["events"][0]["you"]["mayRelease"] for answer in (first, later)] == [True, False]


@pytest.mark.parametrize("events", [1, 6])
def test_events_cost_the_same_however_many_there_are(ana, board, dee, events, django_assert_num_queries):
    truck = Truck.objects.create(board=board, name="Big Red")
    for number in range(events):
        event = make_event(board, f"{number}", days=1 + number, truck=truck)
        plan.put_job(make_job(board), event, by="Ana")
        plan.claim(event, dee, by="Dee")
    client = phone(dee)

    with django_assert_num_queries(5):  # the phone with its member; the number, events, people, jobs
        assert len(send(client, "GET", "/events").json()["events"]) == events
    # session, user, two of permissions, board; the number, events, people, jobs; others at the edges; members, trucks
    with django_assert_num_queries(12):
        assert len(send(ana, "GET", "/events").json()["events"]) == events


# --- who sees what


def test_an_account_without_the_permission_reads_as_the_member_that_it_belongs_to(board, dee, stranger):
    dee.user = stranger
    dee.save()
    client = Client()
    client.force_login(stranger)
    make_event(board, notes="Meet at the yard")

    assert "members" not in send(client, "GET", "/events").json()
    assert send(client, "GET", "/crew/plan").json()["member"]["name"] == "Dee Ramos"


def test_a_phone_in_the_office_counts_before_the_account_unless_a_board_is_named(ana, board, dee):
    client = phone(dee)
    client.cookies.update(ana.cookies)

    assert "members" not in send(client, "GET", "/events").json()
    assert "members" in send(client, "GET", "/events?board=main").json()


def test_an_account_of_the_office_that_is_a_member_too_can_ask_as_one(ana, board, dee, dispatcher):
    dee.user = dispatcher
    dee.save()
    plan.claim(make_event(board), dee, by="Dee")

    asked, not_asked = send(ana, "GET", "/events?mine=true").json(), send(ana, "GET", "/events").json()

    assert ("members" in asked, asked["events"][0]["you"]["role"]) == (False, "first_mate")
    assert ("members" in not_asked, not_asked["events"][0]["you"]) == (True, None)


def test_a_phone_that_was_revoked_reads_nothing(board, dee):
    client = phone(dee)
    assert send(client, "GET", "/crew/plan").status_code == 200

    Device.objects.update(revoked_at="2026-05-04T17:00:00Z")

    assert [code(send(client, "GET", url)) for url in ("/crew/plan", "/events")] == [(401, "sign_in")] * 2


def test_somebody_who_left_reads_nothing(board, dee):
    client = phone(dee)
    dee.is_active = False
    dee.save()

    assert code(send(client, "GET", "/crew/plan")) == (401, "sign_in")


# --- claims


def test_a_place_is_claimed_and_claimed_again(board, dee):
    event, client = make_event(board), phone(dee)

    first, again = (send(client, "POST", f"/events/{event.uid}/claim") for _ in range(2))

    assert (first.status_code, first.json()["detail"]) == (201, "You are on “Tuesday, north”.")
    assert (again.status_code, again.json()["detail"]) == (200, "You have a place in “Tuesday, north” already.")
    assert first.json()["event"] == again.json()["event"] == send(client, "GET", "/events").json()["events"][0]
    assert first.json()["event"]["you"]["role"] == "first_mate"
    assert Assignment.objects.get().by == "Dee Ramos"


def test_who_is_second_reads_who_was_first_and_sees_the_event_as_a_member(board, dee, sam, noon):
    event = make_event(board)
    plan.claim(event, dee, by="Dee")
    noon.shift(2)

    answer = send(phone(sam), "POST", f"/events/{event.uid}/claim")

    assert (code(answer), answer.json()["detail"]) == ((409, "taken"), "Taken by Dee 2 s ago")
    assert answer.json()["event"] == send(phone(sam), "GET", "/events").json()["events"][0]
    assert "warnings" not in answer.json()["event"]


def test_who_is_elsewhere_then_is_told_where(board, dee):
    one, other = make_event(board), make_event(board, "South")
    plan.claim(one, dee, by="Dee")

    answer = send(phone(dee), "POST", f"/events/{other.uid}/claim")

    assert code(answer) == (409, "overlaps")
    assert answer.json()["detail"].startswith("Dee is on “Tuesday, north” then: Wednesday, May 6")


@pytest.mark.parametrize(
    ("fields", "refusal"), [({"can_first_mate": False}, "wrong_role"), ({}, "cancelled")]
)  # fmt: skip
def test_what_cannot_be_claimed_is_refused_with_a_code(board, fields, refusal):
    event, member = make_event(board), make_member(board, **fields)
    if refusal == "cancelled":
        plan.cancel_event(event, by="Ana", reason="Snow.")

    assert code(send(phone(member), "POST", f"/events/{event.uid}/claim")) == (422, refusal)


def test_a_place_is_given_back(board, dee):
    event, client = make_event(board), phone(dee)
    plan.claim(event, dee, by="Dee")

    answer = send(client, "DELETE", f"/events/{event.uid}/claim?reason=Dentist")

    body = answer.json()
    assert (answer.status_code, body["asked"], body["detail"]) == (200, False, "You are off “Tuesday, north”.")
    assert (body["event"]["you"], Assignment.objects.get().ended_because) == (None, "Dentist")
    assert code(send(client, "DELETE", f"/events/{event.uid}/claim")) == (422, "not_yours")


def test_too_late_the_office_is_asked(board, dee):
    event, client = make_event(board, days=0.1), phone(dee)
    plan.claim(event, dee, by="Dee")

    silent = send(client, "DELETE", f"/events/{event.uid}/claim")
    answer = send(client, "DELETE", f"/events/{event.uid}/claim?reason=Ill")

    assert code(silent) == (422, "reason_required")
    assert (answer.status_code, answer.json()["asked"]) == (200, True)
    assert answer.json()["event"]["you"]["releaseAsked"] == SHOWN


def test_who_claims_and_gives_back_all_the_time_is_asked_to_wait(board, dee, sam, noon):
    event, client = make_event(board, first_mates=2), phone(dee)
    for _ in range(CLAIMS_AN_HOUR // 2):
        assert send(client, "POST", f"/events/{event.uid}/claim").status_code == 201
        assert send(client, "DELETE", f"/events/{event.uid}/claim").status_code == 200
    noon.shift(61)

    refused = [send(client, method, f"/events/{event.uid}/claim") for method in ("POST", "DELETE")]
    type(dee).objects.filter(pk=dee.pk).update(language="es")
    refused.append(send(client, "POST", f"/events/{event.uid}/claim"))

    assert [(code(answer), answer["Retry-After"]) for answer in refused] == [((429, "too_often"), "3539")] * 3
    assert [answer.json()["detail"] for answer in refused[1:]] == [
        "You took and gave back places very often. Try again in 59 min, or call the office.",
        "Usted tomó y devolvió lugares muchas veces. Intente otra vez en 59 min o llame a la oficina.",
    ]
    assert send(phone(sam), "POST", f"/events/{event.uid}/claim").status_code == 201
    noon.shift(3539)
    assert send(client, "POST", f"/events/{event.uid}/claim").status_code == 201


def test_events_of_other_boards_are_not_there(board, dee):
    event = make_event(Board.objects.create(slug="other", name="Other"))

    for method in ("POST", "DELETE"):
        assert code(send(phone(dee), method, f"/events/{event.uid}/claim")) == (404, "not_found")


# --- what was seen


def test_a_phone_says_what_it_shows(ana, board, dee):
    event = make_event(board)
    plan.claim(event, dee, by="Dee")
    event.refresh_from_db()

    answer = send(phone(dee), "POST", "/crew/seen", {"events": {event.uid: event.seq, "unknown": 7}})

    [shown] = send(ana, "GET", "/events").json()["events"]
    assert (answer.status_code, answer.json(), shown["firstMates"]["people"][0]["seen"]) == (200, {}, SHOWN)


@pytest.mark.parametrize(
    "events", [None, [], {"a": "x"}, {"a": -1}, {"a": 2**63}, {"\0": 1}, {str(n): 1 for n in range(201)}]
)
def test_what_makes_no_sense_was_not_seen(board, dee, events):
    assert code(send(phone(dee), "POST", "/crew/seen", {"events": events})) == (422, "invalid")


# --- who may do what

ENDPOINTS = sorted(
    (method, path)
    for path, view in router.path_operations.items()
    for one in view.operations
    for method in one.methods
    if one.view_func.__module__ == "crew.api"  # crew/staff_api.py adds what only the office may
)
MOVE = {"kind": "move", "from": "scheduled", "to": "en_route", "at": AT}
BODIES = {
    ("GET", "/events"): None,
    ("POST", "/events/{slug:uid}/claim"): None,
    ("DELETE", "/events/{slug:uid}/claim"): None,
    ("GET", "/crew/plan"): None,
    ("POST", "/crew/jobs/{slug:uid}/actions"): MOVE,
    ("POST", "/crew/jobs/{slug:uid}/photos"): None,
    ("POST", "/crew/clock"): {"in": True, "at": AT},
    ("POST", "/crew/seen"): {"events": {}},
}
OFFICE_TOO = ("GET", "/events")
ELSEWHERE = {
    "/events/{slug:uid}/claim": (404, "not_found"),
    "/crew/jobs/{slug:uid}/actions": (403, "not_yours"),
    "/crew/jobs/{slug:uid}/photos": (403, "not_yours"),
}
"""What somebody of another board is answered; the rest is their own."""
WRITING = [endpoint for endpoint in ENDPOINTS if endpoint[0] != "GET"]


@pytest.fixture
def event(board) -> Event:
    event = make_event(board, days=0.1)
    plan.put_job(make_job(board, status="scheduled"), event, by="Ana")
    return event


def ask(client: Client, method: str, path: str, event: Event, **headers: str):
    uid = event.uid if path.startswith("/events") else Job.objects.get().uid
    url = path.replace("{slug:uid}", uid)
    if not path.endswith("/photos"):
        return send(client, method, url, BODIES[method, path], key="k-1", **headers)
    form = {"kind": "access", "at": AT, "file": ("a.jpg", b"no photo")}
    parts = [
        f'--x\r\nContent-Disposition: form-data; name="{name}"'
        + (f'; filename="{value[0]}"\r\n\r\nno photo' if isinstance(value, tuple) else f"\r\n\r\n{value}")
        for name, value in form.items()
    ]
    content = "\r\n".join([*parts, "--x--", ""])
    headers = {"Idempotency-Key": "k-1", **headers}
    return client.generic(method, f"/api/v1{url}", content, "multipart/form-data; boundary=x", headers=headers)


def untouched() -> tuple[int, ...]:
    return Assignment.objects.count(), Answer.objects.count(), Job.objects.get().history.count()


def test_the_table_has_every_endpoint():
    assert sorted(BODIES) == ENDPOINTS


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
def test_anonymous_people_are_asked_to_sign_in(client, event, method, path):
    assert (code(ask(client, method, path, event)), untouched()) == ((401, "sign_in"), (0, 0, 1))


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
@pytest.mark.parametrize("permissions", [(), ("change_job", "add_job"), ("view_job", "change_job", "add_job")], ids=len)
def test_accounts_that_are_no_member_may_do_nothing_of_a_members(client, event, method, path, permissions):
    client.force_login(make_user("somebody", *permissions))

    answer = ask(client, method, path, event)

    reads = (method, path) == OFFICE_TOO and "view_job" in permissions
    assert (answer.status_code, untouched()) == (200 if reads else 403, (0, 0, 1))
    assert reads or answer.json()["code"] == "forbidden"


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
def test_members_of_another_board_reach_nothing_of_this_one(event, method, path):
    other = Board.objects.create(slug="other", name="Other", timezone="America/Denver")

    answer = ask(phone(make_member(other)), method, path, event)

    expected = ELSEWHERE.get(path)
    assert (code(answer) if expected else answer.status_code) == (expected or 200)
    assert (Assignment.objects.count(), Job.objects.get().history.count()) == (0, 1)
    assert [word for word in (event.uid, event.title, Job.objects.get().uid) if word in answer.text] == []


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
def test_members_with_a_place_may(event, dee, method, path):
    if (method, path) != ("POST", "/events/{slug:uid}/claim"):
        plan.claim(event, dee, by="Dee")

    answer = ask(phone(dee), method, path, event)

    expected = {"/crew/jobs/{slug:uid}/photos": 422, "/events/{slug:uid}/claim": 201 if method == "POST" else 422}
    assert answer.status_code == expected.get(path, 200)  # of those that are refused the reason is what was sent
    assert answer.json().get("code", "") in {"", "bad_picture", "reason_required"}


@pytest.mark.parametrize(("method", "path"), WRITING)
def test_another_site_can_do_nothing_with_a_members_cookie(event, dee, method, path):
    plan.claim(event, dee, by="Dee")
    client = phone(dee, enforce_csrf_checks=True)

    refused = ask(client, method, path, event)
    client.cookies["csrf"] = "a" * 32
    allowed = ask(client, method, path, event, **{"X-CSRFToken": "a" * 32})

    assert (code(refused), allowed.status_code != 403) == ((403, "csrf"), True)


@pytest.mark.parametrize("path", ["/crew/jobs/{slug:uid}/actions", "/crew/clock", "/crew/jobs/{slug:uid}/photos"])
def test_what_a_phone_may_send_twice_needs_a_key(event, dee, path):
    plan.claim(event, dee, by="Dee")
    url = path.replace("{slug:uid}", Job.objects.get().uid)
    if path.endswith("photos"):
        answer = phone(dee).post(f"/api/v1{url}", {"kind": "after", "at": AT})
    else:
        answer = send(phone(dee), "POST", url, BODIES["POST", path])

    assert code(answer) == (422, "key_required")
    assert Job.objects.get().history.count() == 1
    assert code(ask_with(phone(dee), url, path, "x" * 101)) == (422, "bad_key")


def ask_with(client: Client, url: str, path: str, key: str):
    if path.endswith("photos"):
        from django.core.files.uploadedfile import SimpleUploadedFile

        file = SimpleUploadedFile("a.jpg", b"no photo")
        return client.post(f"/api/v1{url}", {"kind": "after", "at": AT, "file": file}, headers={"Idempotency-Key": key})
    return send(client, "POST", url, BODIES["POST", path], key=key)


def test_the_api_says_all_of_this(client, db):
    paths = client.get("/api/v1/openapi.json").json()["paths"]
    plain = {(method, re.sub(r"\{\w+:", "{", path)) for method, path in ENDPOINTS}
    ours = {
        (method.upper(), path.removeprefix("/api/v1")): operation
        for path, methods in paths.items()
        for method, operation in methods.items()
        if (method.upper(), path.removeprefix("/api/v1")) in plain
    }
    needing = {
        endpoint
        for endpoint, operation in ours.items()
        for one in operation.get("parameters", [])
        if one["name"] == "Idempotency-Key" and one["required"]
    }

    assert set(ours) == plain
    assert needing == {
        ("POST", "/crew/jobs/{uid}/actions"), ("POST", "/crew/jobs/{uid}/photos"), ("POST", "/crew/clock"),
    }  # fmt: skip
    assert {tuple(one) for operation in ours.values() for one in operation["security"]} == {("ByMember",), ("SessionAuth",)}
    assert set(ours["POST", "/events/{uid}/claim"]["responses"]) == {"200", "201"}
    assert "no_access" in json.dumps(ours["POST", "/crew/jobs/{uid}/actions"])
