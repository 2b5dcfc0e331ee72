import json
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from dispatch import flow
from dispatch.api import router
from dispatch.board import iso
from dispatch.mirror import status
from dispatch.models import Board, Job, StatusChange, Upload, Worker
from tests.factories import make_job, make_user

API = "/api/v1"
NOW = datetime(2026, 5, 4, 15, 30, tzinfo=UTC)
SHOWN = "2026-05-04T15:30:00.000Z"


@pytest.fixture
def frozen(monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: NOW)


def send(client, method: str, url: str, body=None, **headers: str):
    content = body if isinstance(body, str | bytes) else json.dumps(body)
    return client.generic(method, f"{API}{url}", content, content_type="application/json", headers=headers)


def code(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def history(job: Job) -> list[tuple[str, str, str, str, str]]:
    rows = job.history.all()
    return [(row.from_status, row.to_status, row.by, row.channel, row.reason) for row in rows]


# --- boards


def test_a_board_has_exactly_this_shape(ana, board, frozen):
    job = make_job(
        board, price="600.00", load_eighths=4, crew=["Dee Park"], customer_name="Mia Chen", customer_phone="+13035550123",
        access_notes="gate 4711", window_start=NOW, window_end=NOW.replace(hour=17), created_at=NOW,
    )  # fmt: skip
    board.refresh_from_db()

    answer = send(ana, "GET", "/boards/main").json()

    assert set(answer) == {"board", "columns", "jobs"}
    assert answer["board"] == {
        "slug": "main", "name": "QuickDumpNow Denver", "timezone": "America/Denver", "epoch": str(board.epoch), "seq": 1,
    }  # fmt: skip
    assert [(column["status"], column["label"], column["color"], column["count"]) for column in answer["columns"]] == [
        ("requested", "Requested", "grey", 1),
        ("scheduled", "Scheduled", "violet", 0),
        ("ready_for_pickup", "Ready for pickup", "green", 0),
        ("en_route", "On the way", "teal", 0),
        ("in_progress", "In progress", "yellow", 0),
        ("completed", "Completed", "blue", 0),
        ("cancelled", "Cancelled", "red", 0),
    ]
    assert answer["jobs"] == [
        {
            "id": job.uid,
            "seq": 1,
            "status": "requested",
            "rank": 2**20,
            "service": "junk_removal",
            "location": "1428 Elm St",
            "window": {"start": SHOWN, "end": "2026-05-04T17:30:00.000Z"},
            "price": 600,
            "crew": ["Dee Park"],
            "customer": {"name": "Mia Chen"},
            "loadEighths": 4,
            "createdAt": SHOWN,
            "statusAt": SHOWN,
            "updatedBy": "Ana",
            "preferredDay": None,
            "waitingAsks": [],
            "optedOut": [],
        }
    ]


def test_changes_are_the_delta_since_a_change_number(ana, board):
    first, second = make_job(board), make_job(board)
    moved = flow.move(first, "scheduled", expect=first.seq, by="Bo", channel="board")

    answer = send(ana, "GET", "/boards/main/changes?since=1").json()

    assert {key: answer[key] for key in ("type", "from", "to", "epoch")} == {
        "type": "delta", "from": 1, "to": 3, "epoch": str(board.epoch),
    }  # fmt: skip
    assert [(card["id"], card["seq"], card["status"]) for card in answer["jobs"]] == [
        (second.uid, 2, "requested"),
        (moved.uid, 3, "scheduled"),
    ]


def test_no_changes_are_an_empty_delta(ana, board):
    make_job(board)

    answer = send(ana, "GET", "/boards/main/changes?since=1").json()

    assert (answer["type"], answer["from"], answer["to"], answer["jobs"]) == ("delta", 1, 1, [])


@pytest.mark.parametrize(
    "query",
    ["since=0&epoch=00000000-0000-0000-0000-000000000000", "since=99", "since=-1", f"since={10**30}", "since=1&epoch=x"],
)
def test_whoever_is_elsewhere_gets_a_snapshot(ana, board, query):
    job = make_job(board)

    answer = send(ana, "GET", f"/boards/main/changes?{query}").json()

    assert (answer["type"], answer["to"], [card["id"] for card in answer["jobs"]]) == ("snapshot", 1, [job.uid])
    assert "from" not in answer


@pytest.mark.parametrize("query", ["", "?since=", "?since=abc", "?since=1.5"])
def test_changes_need_a_change_number(ana, board, query):
    assert code(send(ana, "GET", f"/boards/main/changes{query}")) == (422, "invalid")


# --- jobs


def test_a_job_has_the_keys_of_its_card_and_of_its_document(ana, board, frozen):
    job = make_job(board, price="149.50", customer_phone="+13035550123", access_notes="gate 4711", created_at=NOW)

    answer = send(ana, "GET", f"/jobs/{job.uid}")

    assert answer["ETag"] == '"1"'
    assert answer.json() == {
        "id": job.uid,
        "token": job.token,
        "status": "requested",
        "location": "1428 Elm St",
        "price": 149.5,
        "createdAt": SHOWN,
        "statusHistory": [{"status": "requested", "at": SHOWN, "by": "Ana", "channel": "board", "seq": 1}],
        "seq": 1,
        "epoch": str(board.epoch),
        "board": "main",
        "updatedAt": SHOWN,
        "updatedBy": "Ana",
        "statusAt": SHOWN,
        "rank": 2**20,
        "service": "junk_removal",
        "window": None,
        "crew": [],
        "customer": {"name": "", "phone": "+13035550123", "email": "", "language": "en", "notify": True},
        "preferredDay": None,
        "loadEighths": None,
        "accessNotes": "gate 4711",
        "notes": "",
        "asks": [],
        "waitingAsks": [],
        "photos": [],
        "optedOut": [],
        "formerTokens": [],
        "mirror": {"state": "behind", "seq": 0, "error": ""},
        "messages": [],
    }


def test_jobs_come_latest_change_first_by_status_and_by_page(ana, board, monkeypatch):
    monkeypatch.setattr("dispatch.api.PAGE", 2)
    one, two, three = (make_job(board) for _ in range(3))
    flow.move(one, "scheduled", expect=one.seq, by="Bo", channel="board")

    def page(query: str) -> tuple[list[str], int | None]:
        answer = send(ana, "GET", f"/jobs{query}").json()
        return [job["id"] for job in answer["jobs"]], answer["next"]

    assert page("") == ([one.uid, three.uid], 3)
    assert page("?before=3") == ([two.uid], None)
    assert page("?status=requested") == ([three.uid, two.uid], None)
    assert page("?board=nowhere") == ([], None)
    assert page("?before=0") == ([], None)
    assert page(f"?before={10**30}") == ([one.uid, three.uid], 3)


def test_a_job_is_opened_with_what_is_known(ana, board):
    answer = send(
        ana, "POST", "/jobs",
        {
            "location": "1428 Elm St", "service": "dumpster_delivery", "price": 149.5, "loadEighths": 8,
            "crew": ["Dee Park"], "notes": "Dog", "accessNotes": "gate 4711", "status": "scheduled", "unknown": 1,
            "window": {"start": "2026-05-04T09:30:00-06:00", "end": "2026-05-04T17:30:00Z"},
            "customer": {"name": "Mia Chen", "phone": "(303) 555-0123", "email": "mia@example.com"},
        },
    )  # fmt: skip
    job = Job.objects.get()

    assert answer.status_code == 201
    assert answer.json() | {"mirror": status.copy_of(job)} == send(ana, "GET", f"/jobs/{job.uid}").json()
    assert (job.status, job.service, str(job.price), job.load_eighths, job.crew, job.notes, job.access_notes) == (
        "scheduled", "dumpster_delivery", "149.50", 8, ["Dee Park"], "Dog", "gate 4711",
    )  # fmt: skip
    assert (job.window_start, job.window_end) == (NOW, NOW.replace(hour=17))
    assert (job.customer_name, job.customer_phone, job.customer_email) == ("Mia Chen", "+13035550123", "mia@example.com")
    assert history(job) == [("", "scheduled", "Ana Ruiz", "api", "")]


def test_only_what_is_given_changes(ana, board):
    job = make_job(board, notes="Dog", price="600", customer_name="Mia Chen", customer_phone="+13035550123")

    answer = send(
        ana, "PATCH", f"/jobs/{job.uid}", {"price": 650, "customer": {"phone": "303 555 0199"}}, **{"If-Match": '"1"'}
    )

    job.refresh_from_db()
    assert (answer.status_code, answer.json()["seq"], answer.json()["price"]) == (200, 2, 650)
    assert (job.notes, job.customer_name, job.customer_phone, job.updated_by) == (
        "Dog",
        "Mia Chen",
        "+13035550199",
        "Ana Ruiz",
    )


def test_nothing_different_takes_no_change_number(ana, job):
    answer = send(ana, "PATCH", f"/jobs/{job.uid}?seq=1", {"location": "1428 Elm St"})

    assert (answer.status_code, answer.json()["seq"]) == (200, 1)


def test_a_window_can_be_taken_away(ana, board):
    job = make_job(board, window_start=NOW, window_end=NOW.replace(hour=17))

    assert send(ana, "PATCH", f"/jobs/{job.uid}?seq=1", {"window": None}).json()["window"] is None


@pytest.mark.parametrize("if_match", ["", "*", '"abc"', '"1", "2"', "-1", "9" * 5000])
def test_an_edit_without_a_version_is_refused(ana, job, if_match):
    answer = send(ana, "PATCH", f"/jobs/{job.uid}", {"notes": "Dog"}, **{"If-Match": if_match})

    assert code(answer) == (428, "version_required")
    assert Job.objects.get().seq == 1


@pytest.mark.parametrize("if_match", ['"1"', "1", " 1 "])
def test_an_edit_names_the_version_it_saw(ana, job, if_match):
    assert send(ana, "PATCH", f"/jobs/{job.uid}", {"notes": "Dog"}, **{"If-Match": if_match}).status_code == 200


def test_of_two_editors_the_second_one_overwrites_nothing(ana, job):
    send(ana, "PATCH", f"/jobs/{job.uid}", {"notes": "first"}, **{"If-Match": '"1"'})
    answer = send(ana, "PATCH", f"/jobs/{job.uid}", {"notes": "second"}, **{"If-Match": '"1"'})

    assert code(answer) == (409, "stale")
    assert answer.json()["job"]["notes"] == "first"
    assert Job.objects.get().notes == "first"


def test_a_move_writes_status_and_history(ana, job):
    answer = send(ana, "POST", f"/jobs/{job.uid}/move", {"to": "scheduled", "seq": 1, "notify": True})

    assert (answer.status_code, answer.json()["status"], answer.json()["seq"]) == (200, "scheduled", 2)
    assert history(job) == [("", "requested", "Ana", "board", ""), ("requested", "scheduled", "Ana Ruiz", "board", "")]


def test_of_two_movers_the_second_one_is_told(ana, job):
    send(ana, "POST", f"/jobs/{job.uid}/move", {"to": "scheduled", "seq": 1})
    answer = send(ana, "POST", f"/jobs/{job.uid}/move", {"to": "ready_for_pickup", "seq": 1})

    assert code(answer) == (409, "stale")
    assert answer.json()["job"]["status"] == "scheduled"
    assert Job.objects.get().status == "scheduled"


@pytest.mark.parametrize(
    ("to", "reason", "refusal"),
    [
        ("completed", "", "not_allowed"),
        ("nowhere", "", "unknown_status"),
        ("cancelled", "", "reason_required"),
        ("cancelled", "  ", "reason_required"),
    ],
)
def test_a_move_against_the_flow_is_refused(ana, job, to, reason, refusal):
    answer = send(ana, "POST", f"/jobs/{job.uid}/move", {"to": to, "seq": 1, "reason": reason})

    assert code(answer) == (422, refusal)
    assert (Job.objects.get().seq, StatusChange.objects.count()) == (1, 1)


def test_cancelling_keeps_the_reason(ana, job):
    send(ana, "POST", f"/jobs/{job.uid}/move", {"to": "cancelled", "seq": 1, "reason": " Moved away "})

    assert history(job)[-1] == ("requested", "cancelled", "Ana Ruiz", "board", "Moved away")


def column(board, status: str) -> list[str]:
    return list(Job.objects.in_column(board.pk, status).order_by("rank").values_list("location", flat=True))


@pytest.mark.parametrize(
    ("neighbour", "order"),
    [
        ({}, ["one", "two", "new"]),
        ({"before": "one"}, ["new", "one", "two"]),
        ({"before": "two"}, ["one", "new", "two"]),
        ({"after": "one"}, ["one", "new", "two"]),
        ({"after": "two"}, ["one", "two", "new"]),
        ({"before": "gone"}, ["one", "two", "new"]),
        ({"before": None, "after": None}, ["one", "two", "new"]),
    ],
)
def test_a_move_puts_the_job_beside_a_neighbour(ana, board, neighbour, order):
    uids = {name: make_job(board, status="scheduled", location=name).uid for name in ("one", "two")}
    job = make_job(board, location="new")
    place = {side: uids.get(name, name) for side, name in neighbour.items()}

    answer = send(ana, "POST", f"/jobs/{job.uid}/move", {"to": "scheduled", "seq": job.seq, **place})

    assert (answer.status_code, column(board, "scheduled")) == (200, order)


def test_a_move_to_the_same_status_is_a_place_without_history(ana, board):
    _, two, three = (make_job(board, location=name) for name in ("one", "two", "three"))

    answer = send(ana, "POST", f"/jobs/{three.uid}/move", {"to": "requested", "seq": three.seq, "before": two.uid})

    assert (answer.status_code, answer.json()["seq"], column(board, "requested")) == (200, 4, ["one", "three", "two"])
    assert len(history(three)) == 1


# --- copies in object storage


def ago(seconds: float) -> datetime:
    return timezone.now() - timedelta(seconds=seconds)


def fail(job: Job, error: str = "the disk is full") -> Upload:
    """What the ledger says after three tries in vain."""
    later = timezone.now() + timedelta(hours=1)
    return Upload.objects.create(job=job, not_before=later, attempts=3, error=error, failing_since=ago(300))


def test_the_mirror_of_a_board_has_its_status_and_the_jobs_that_wait(ana, board):
    fresh, late, failing, copied = (make_job(board) for _ in range(4))
    make_job(Board.objects.create(slug="other", name="Other"))
    Job.objects.filter(pk=late.pk).update(seq_at=ago(11))
    Job.objects.mark_mirrored(copied.pk, copied.seq)
    upload = fail(failing)
    Worker.objects.create(name="w1", seen_at=timezone.now(), problem="cannot reach the storage", problem_since=NOW)
    late.refresh_from_db()

    answer = send(ana, "GET", "/boards/main/mirror").json()

    assert answer == status.read("main").as_dict() | {
        "oldestSeconds": answer["oldestSeconds"],
        "workers": answer["workers"],
        "jobs": {
            failing.uid: {"state": "failing", "since": iso(upload.failing_since), "error": "the disk is full"},
            late.uid: {"state": "behind", "since": iso(late.seq_at)},
        },
    }
    assert (answer["behind"], answer["failingCount"], answer["workers"][0]["problemSince"]) == (3, 1, SHOWN)
    assert fresh.uid not in answer["jobs"]


def test_where_everything_is_copied_no_job_is_named(ana, job):
    Job.objects.mark_mirrored(job.pk, job.seq)

    answer = send(ana, "GET", "/boards/main/mirror").json()

    assert (answer["behind"], answer["problem"], answer["jobs"]) == (0, "", {})


@pytest.mark.parametrize("behind", [0, 2, 30])
def test_the_mirror_of_a_board_costs_the_same_however_much_is_behind(ana, board, behind, django_assert_num_queries):
    for _ in range(behind):
        fail(make_job(board))

    # session, user, two of permissions, board; the counts and the workers; where something fails that and the marks
    with django_assert_num_queries(9 if behind else 7):
        send(ana, "GET", "/boards/main/mirror")


def test_a_board_that_is_not_there_has_no_mirror(ana, board):
    assert code(send(ana, "GET", "/boards/nowhere/mirror")) == (404, "not_found")


def test_a_job_says_what_its_copy_is(ana, job):
    fail(job)
    failing = send(ana, "GET", f"/jobs/{job.uid}").json()["mirror"]
    Job.objects.mark_mirrored(job.pk, job.seq)
    current = send(ana, "GET", f"/jobs/{job.uid}").json()["mirror"]

    assert failing == {"state": "failing", "seq": 0, "error": "the disk is full"}
    assert current == {"state": "current", "seq": 1, "error": ""}


def test_a_job_costs_no_query_more_for_its_copy(ana, job, django_assert_num_queries):
    fail(job)

    with django_assert_num_queries(7):  # session, user, two of permissions; the job, its history, its messages
        send(ana, "GET", f"/jobs/{job.uid}")


def test_lists_say_nothing_of_copies(ana, job):
    listed = send(ana, "GET", "/jobs").json()["jobs"] + send(ana, "GET", "/boards/main").json()["jobs"]

    assert [entry["id"] for entry in listed if "mirror" not in entry] == [job.uid, job.uid]


# --- garbage

LONE_SURROGATE = '{"location": "\\ud800", "to": "\\ud800", "seq": 1}'
BODIES = [
    "", "{", "[]", "null", "1", '"x"', b"\xff\xfe", "[" * 100_000, LONE_SURROGATE, "{\"seq\": 1" + "0" * 5000 + "}",
    '{"location": NaN}', '{"location": 1}', '{"location": ["1428 Elm St"]}',
]  # fmt: skip


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
@pytest.mark.parametrize(
    ("method", "url"), [("POST", "/jobs"), ("PATCH", "/jobs/{uid}?seq=1"), ("POST", "/jobs/{uid}/move")]
)
def test_a_body_that_makes_no_sense_is_a_problem(ana, job, method, url, body):
    answer = send(ana, method, url.format(uid=job.uid), body)

    assert code(answer) in [(400, "unreadable"), (422, "invalid")]
    assert list(Job.objects.values_list("seq", "location")) == [(1, "1428 Elm St")]


@pytest.mark.parametrize(
    "facts",
    [
        {"location": ""}, {"location": None}, {"location": "a\0b"}, {"location": "x" * 201}, {"service": "teleport"},
        {"price": -1}, {"price": "NaN"}, {"price": "Infinity"}, {"price": 1e300}, {"price": 1.999}, {"price": "cheap"},
        {"loadEighths": 0}, {"loadEighths": 65}, {"loadEighths": 10**30}, {"crew": [""]}, {"crew": "Dee"},
        {"crew": ["a\0"]}, {"crew": None}, {"notes": None}, {"notes": "\0"},
        {"window": {"start": "2026-05-04T09:00:00Z"}}, {"window": {"start": "2026-05-04T09:00", "end": "2026-05-04T10:00"}},
        {"window": {"start": "2026-05-04T10:00:00Z", "end": "2026-05-04T09:00:00Z"}},
        {"window": {"start": "0001-01-01T00:00:00+14:00", "end": "0001-01-02T00:00:00Z"}},
        {"window": {"start": "2026-05-04T10:00:00Z", "end": "9999-12-31T23:59:59-14:00"}}, {"window": "today"},
        {"customer": {"phone": "call me"}}, {"customer": {"phone": "1"}}, {"customer": {"email": "nobody"}},
        {"customer": {"name": "x" * 101}}, {"customer": "Mia"}, {"customer": {"name": "\0"}},
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize(("method", "url"), [("POST", "/jobs"), ("PATCH", "/jobs/{uid}?seq=1")])
def test_a_value_that_makes_no_sense_is_a_problem(ana, job, method, url, facts):
    answer = send(ana, method, url.format(uid=job.uid), {"location": "9 New St"} | facts)

    assert code(answer) == (422, "invalid")
    assert list(Job.objects.values_list("seq", "location")) == [(1, "1428 Elm St")]


@pytest.mark.parametrize("status", ["nowhere", "", "completed", "cancelled", None, 1])
def test_a_job_is_born_open(ana, board, status):
    assert code(send(ana, "POST", "/jobs", {"location": "1428 Elm St", "status": status})) == (422, "invalid")
    assert Job.objects.count() == 0


def test_a_job_is_born_on_a_board(ana, board):
    assert code(send(ana, "POST", "/jobs", {"location": "1428 Elm St", "board": "nowhere"})) == (404, "not_found")


@pytest.mark.parametrize(
    "move",
    [
        {"to": "scheduled"}, {"seq": 1}, {"to": "scheduled", "seq": "one"}, {"to": 1, "seq": 1}, {"to": "\0", "seq": 1},
        {"to": "scheduled", "seq": 1, "before": 7}, {"to": "scheduled", "seq": 1, "before": "\0"},
        {"to": "cancelled", "seq": 1, "reason": "\0"}, {"to": "cancelled", "seq": 1, "reason": None},
    ],
    ids=str,
)  # fmt: skip
def test_a_move_that_makes_no_sense_is_a_problem(ana, job, move):
    assert code(send(ana, "POST", f"/jobs/{job.uid}/move", move)) == (422, "invalid")
    assert Job.objects.get().seq == 1


@pytest.mark.parametrize("seq", [0, -1, 2, 10**30])
def test_a_move_from_a_version_that_never_was_is_stale(ana, job, seq):
    assert code(send(ana, "POST", f"/jobs/{job.uid}/move", {"to": "scheduled", "seq": seq})) == (409, "stale")


@pytest.mark.parametrize("query", ["board=%00", "status=%00", "before=x"])
def test_a_query_that_makes_no_sense_is_a_problem(ana, board, query):
    assert code(send(ana, "GET", f"/jobs?{query}")) == (422, "invalid")


# --- who may do what

ENDPOINTS = sorted(
    (method, path) for path, view in router.path_operations.items() for one in view.operations for method in one.methods
)
NEEDS = {
    ("GET", "/boards/{slug:slug}"): ("view_job", None),
    ("GET", "/boards/{slug:slug}/changes"): ("view_job", None),
    ("GET", "/boards/{slug:slug}/mirror"): ("view_job", None),
    ("GET", "/jobs"): ("view_job", None),
    ("POST", "/jobs"): ("add_job", {"location": "9 New St"}),
    ("GET", "/jobs/{slug:uid}"): ("view_job", None),
    ("PATCH", "/jobs/{slug:uid}"): ("change_job", {"notes": "Dog"}),
    ("POST", "/jobs/{slug:uid}/move"): ("change_job", {"to": "scheduled", "seq": 1}),
    ("POST", "/jobs/{slug:uid}/undo"): ("change_job", {"seq": 1}),
    ("POST", "/jobs/{slug:uid}/asks/settle"): ("change_job", {}),
    ("POST", "/jobs/{slug:uid}/link"): ("change_job", {}),
    ("POST", "/jobs/{slug:uid}/messages"): ("change_job", {"kind": "link"}),
    ("POST", "/jobs/{slug:uid}/messages/{int:pk}/cancel"): ("change_job", {}),
}
ALL = ("view_job", "change_job", "add_job")


def ask(client, method: str, path: str, job: Job):
    url = path.replace("{slug:slug}", "main").replace("{slug:uid}", job.uid).replace("{int:pk}", "1")
    query = {"/boards/{slug:slug}/changes": "?since=0", "/jobs/{slug:uid}": "?seq=1"}.get(path, "")
    return send(client, method, url + query, NEEDS[method, path][1])


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
def test_anonymous_people_are_asked_to_sign_in(client, job, method, path):
    assert code(ask(client, method, path, job)) == (401, "sign_in")


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
def test_strangers_may_nothing(client, job, stranger, method, path):
    client.force_login(stranger)

    assert code(ask(client, method, path, job)) == (403, "forbidden")
    assert list(Job.objects.values_list("seq", flat=True)) == [1]


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
def test_an_endpoint_needs_its_permission_and_no_other(client, job, method, path):
    needed = NEEDS[method, path][0]
    client.force_login(make_user("all-but-one", *set(ALL) - {needed}))
    refused = ask(client, method, path, job)
    client.force_login(make_user("just-this-one", needed))
    allowed = ask(client, method, path, job)

    # A job that never moved has nothing to undo, nor a customer to write to: only those may be told who may try.
    answers = {("POST", "/jobs"): 201, ("POST", "/jobs/{slug:uid}/undo"): 422}
    answers |= {("POST", f"/jobs/{{slug:uid}}/messages{path}"): 422 for path in ("", "/{int:pk}/cancel")}
    assert (code(refused), allowed.status_code) == ((403, "forbidden"), answers.get((method, path), 200))


# --- undo


def test_a_move_is_taken_back(ana, job):
    moved = send(ana, "POST", f"/jobs/{job.uid}/move", {"to": "scheduled", "seq": 1}).json()

    back = send(ana, "POST", f"/jobs/{job.uid}/undo", {"seq": moved["seq"]})

    assert (back.status_code, back.json()["status"], back.json()["seq"]) == (200, "requested", 3)
    assert [(step["status"], step["channel"]) for step in back.json()["statusHistory"]] == [
        ("requested", "board"),
        ("scheduled", "board"),
        ("requested", "undo"),
    ]


def test_who_undoes_too_late_is_told_what_happened_instead(ana, job):
    moved = send(ana, "POST", f"/jobs/{job.uid}/move", {"to": "scheduled", "seq": 1}).json()
    flow.move(job, "en_route", expect=moved["seq"], by="Bo", channel="board")

    answer = send(ana, "POST", f"/jobs/{job.uid}/undo", {"seq": moved["seq"]})

    assert code(answer) == (409, "stale")
    assert (answer.json()["job"]["status"], answer.json()["detail"][:30]) == ("en_route", "Bo moved this to On the way 0 ")


# --- cost


@pytest.mark.parametrize("jobs", [1, 30])
@pytest.mark.parametrize(("url", "queries"), [("/boards/main", 8), ("/boards/main/changes?since=0", 6), ("/jobs", 4)])
def test_reading_costs_the_same_with_many_jobs(ana, board, django_assert_num_queries, url, queries, jobs):
    for _ in range(jobs):
        make_job(board)
    send(ana, "GET", url)

    with django_assert_num_queries(queries + 2):  # and the session, the user
        send(ana, "GET", url)
