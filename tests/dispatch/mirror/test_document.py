import json
from datetime import UTC, date, datetime
from decimal import Decimal

from dispatch import flow, jobs_file
from dispatch.mirror.document import job_document, job_object
from dispatch.models import Job, OptOut
from tests.factories import make_job

MORNING = datetime(2026, 5, 4, 15, 0, tzinfo=UTC)
NOON = datetime(2026, 5, 4, 18, 0, tzinfo=UTC)


def test_a_job_is_a_complete_document(board):
    OptOut.objects.create(channel="sms", address="+13035550123", reason="stop")
    past = [
        flow.PastStep("requested", MORNING, "Dee", "booking"),
        flow.PastStep("cancelled", NOON, "Ana", "import", "Nobody home", {"lat": 39.7, "channel": "kiosk"}),
    ]
    job = make_job(
        board, uid="JOB-1", token="token-of-job-1", past=past, service="dumpster_pickup", access_notes="Gate 4711",
        customer_name="Kim Lee", customer_phone="+13035550123", customer_email="kim@example.com", window_start=MORNING,
        window_end=NOON, price=Decimal("149.50"), load_eighths=3, crew=["Dee Park"], notes="Piano",
        extra={"truck": 7, "status": "lost"}, customer_language="es", customer_notify=False,
        preferred_day=date(2026, 5, 6), asks=[{"kind": "note", "at": "2026-05-04T15:00:00.000Z", "text": "Dog"}],
    )  # fmt: skip

    document = job_document(job)

    assert document == {
        "truck": 7,
        "id": "JOB-1",
        "token": "token-of-job-1",
        "status": "cancelled",
        "location": "1428 Elm St",
        "price": 149.5,
        "createdAt": "2026-05-04T15:00:00.000Z",
        "statusHistory": [
            {
                "status": "requested",
                "at": "2026-05-04T15:00:00.000Z",
                "by": "Dee",
                "seq": board.seq + 1,
                "channel": "booking",
            },
            {
                "status": "cancelled",
                "at": "2026-05-04T18:00:00.000Z",
                "by": "Ana",
                "seq": board.seq + 1,
                "channel": "kiosk",
                "reason": "Nobody home",
                "lat": 39.7,
            },
        ],
        "seq": board.seq + 1,
        "epoch": str(board.epoch),
        "board": "main",
        "updatedAt": document["updatedAt"],
        "updatedBy": "Ana",
        "statusAt": "2026-05-04T18:00:00.000Z",
        "rank": job.rank,
        "service": "dumpster_pickup",
        "window": {"start": "2026-05-04T15:00:00.000Z", "end": "2026-05-04T18:00:00.000Z"},
        "crew": ["Dee Park"],
        "customer": {
            "name": "Kim Lee",
            "phone": "+13035550123",
            "email": "kim@example.com",
            "language": "es",
            "notify": False,
        },
        "preferredDay": "2026-05-06",
        "asks": [{"kind": "note", "at": "2026-05-04T15:00:00.000Z", "text": "Dog"}],
        "photos": [],
        "optedOut": ["sms"],
        "formerTokens": [],
        "loadEighths": 3,
        "accessNotes": "Gate 4711",
        "notes": "Piano",
    }
    assert datetime.fromisoformat(document["updatedAt"]) == job.updated_at.replace(
        microsecond=job.updated_at.microsecond // 1000 * 1000
    )


def test_what_is_not_known_is_null_or_empty(job):
    document = job_document(job)

    assert {name: document[name] for name in ("price", "window", "crew", "loadEighths", "notes")} == {
        "price": None,
        "window": None,
        "crew": [],
        "loadEighths": None,
        "notes": "",
    }


def test_each_step_has_the_number_of_its_change(job):
    moved = flow.move(job, "scheduled", expect=job.seq, by="Ana", channel="board")
    edited = flow.edit(moved, {"notes": "Piano"}, expect=moved.seq, by="Ana")

    document = job_document(edited)

    steps = [(step["status"], step["seq"]) for step in document["statusHistory"]]
    assert (steps, document["seq"]) == ([("requested", job.seq), ("scheduled", job.seq + 1)], job.seq + 2)


def test_its_object_is_named_after_the_job(job):
    name, document = job_object(job)

    assert (name, document) == (f"jobs/{job.uid}.json", job_document(job))


def test_a_step_made_after_the_row_was_read_belongs_to_the_next_version(job):
    flow.move(job, "scheduled", expect=job.seq, by="Ana", channel="board")

    document = job_document(job)

    assert (document["status"], [step["status"] for step in document["statusHistory"]]) == ("requested", ["requested"])


def test_an_imported_record_comes_out_with_all_that_it_had(board):
    record = {
        "id": "QDN-1042",
        "token": "tok_QDN_1042",
        "status": "completed",
        "location": "77 Larimer St, Denver",
        "price": 600,
        "createdAt": "2026-05-01T12:00:00.000Z",
        "statusHistory": [
            {"status": "requested", "at": "2026-05-01T12:00:00.000Z", "by": "web", "channel": "kiosk", "ip": "192.0.2.1"},
            {"status": "completed", "at": "2026-05-02T12:00:00.000Z", "by": "Dee", "channel": "crew", "reason": "done"},
        ],
        "customer": {
            "name": "Kim Lee",
            "phone": "+13035550123",
            "email": "kim@example.com",
            "language": "en",
            "notify": True,
        },
        "window": {"start": "2026-05-02T15:00:00.000Z", "end": "2026-05-02T18:00:00.000Z"},
        "service": "junk_removal",
        "crew": ["Dee"],
        "loadEighths": 4,
        "accessNotes": "Gate 4711",
        "notes": "Piano",
        "truck": {"number": 7, "plates": ["ABC", None]},
    }
    opened = open_record(board, record)

    document = job_document(opened)

    record["statusHistory"] = [step | {"seq": opened.seq} for step in record["statusHistory"]]
    assert {name: document[name] for name in record} == record


def test_a_document_can_be_imported_again_and_says_the_same(board):
    past = [flow.PastStep("requested", MORNING, "Dee", "booking", extra={"ip": "192.0.2.1"})]
    first = job_document(make_job(board, past=past, price=Decimal("10.25"), crew=["Dee"], extra={"truck": 7}))
    Job.objects.filter(uid=first["id"]).update(uid="old", token="old-old-old")

    second = job_document(open_record(board, first))

    for step, same_step in zip(first["statusHistory"], second["statusHistory"], strict=True):
        assert (step.pop("seq"), same_step.pop("seq")) == (first["seq"], second["seq"])
    given_anew = {"seq", "rank", "updatedAt", "updatedBy"}
    assert {name: second[name] for name in second if name not in given_anew} == {
        name: first[name] for name in first if name not in given_anew
    }


def open_record(board, record):
    read = jobs_file.read(record["id"], json.loads(json.dumps(record)), board.zone)
    job = flow.open_job(board, by="import", channel="import", uid=read.uid, token=read.token, past=read.past, **read.fields)
    return Job.objects.select_related("board").get(pk=job.pk)
