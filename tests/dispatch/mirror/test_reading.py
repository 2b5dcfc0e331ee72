import json
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dispatch import flow
from dispatch.mirror.document import job_document
from dispatch.mirror.reading import COLUMNS, KNOWN, BadDocument, read
from dispatch.models import Job, StatusChange
from tests.factories import make_job

EXAMPLES = settings(
    max_examples=25, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
AT, LATER = "2026-05-04T15:00:00.123Z", "2026-05-04T18:00:00.000Z"
DOCUMENT = {
    "id": "JOB-1",
    "token": "token-of-job-1",
    "status": "cancelled",
    "location": " 1428 Elm St ",
    "price": 149.5,
    "createdAt": AT,
    "statusHistory": [
        {"status": "requested", "at": AT, "by": "Dee", "seq": 4, "channel": "booking"},
        {
            "status": "cancelled",
            "at": LATER,
            "by": "Ana",
            "seq": 7,
            "channel": "kiosk",
            "reason": "Nobody home",
            "lat": 1.5,
        },
    ],
    "seq": 9,
    "epoch": "3f0c1cf6-1111-4222-8333-444455556666",
    "board": "main",
    "updatedAt": LATER,
    "updatedBy": "Ana",
    "statusAt": LATER,
    "rank": -1048576,
    "service": "dumpster_pickup",
    "window": {"start": AT, "end": LATER},
    "crew": ["Dee Park"],
    "customer": {
        "name": "Kim Lee",
        "phone": "+13035550123",
        "email": "kim@example.com",
        "language": "es",
        "notify": False,
    },
    "preferredDay": "2026-05-06",
    "loadEighths": 3,
    "accessNotes": "Gate 4711",
    "notes": "Piano",
    "asks": [{"kind": "note", "at": AT, "text": "Dog"}],
    "photos": [{"id": "a1", "kind": "after", "width": 4, "height": 3}],
    "optedOut": ["sms"],
    "formerTokens": [{"token": "old-token", "seq": 3, "epoch": "3f0c1cf6-1111-4222-8333-444455556666"}],
    "truck": {"number": 7},
}
LATER_KEYS = {"preferredDay", "asks", "photos", "optedOut", "formerTokens"}

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
keys = texts | st.sampled_from(["customer.vip", "window.flexible", "channel", "status", "seq", "window", "mirrored_seq"])
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3))
objects = st.dictionaries(keys, values, max_size=4)
moments = st.datetimes(datetime(1900, 1, 1), datetime(2199, 12, 31), timezones=st.just(UTC))
names = st.text(st.characters(categories=["L", "Zs"]), min_size=1, max_size=30).filter(str.strip)
statuses = st.sampled_from(list(flow.STATUS_FLOW))
steps = st.builds(
    flow.PastStep, statuses, moments, names, st.sampled_from(StatusChange.Channel.values), texts, objects
)  # fmt: skip
fields = st.fixed_dictionaries(
    {"location": names, "past": st.lists(steps, min_size=1, max_size=3)},
    optional={
        "price": st.decimals(0, Decimal("99999999.99"), places=2),
        "service": st.sampled_from(Job.Service.values),
        "crew": st.lists(names, max_size=3),
        "load_eighths": st.integers(1, 64),
        "customer_name": texts,
        "customer_phone": st.sampled_from(["", "+13035550123", "+4681234567"]),
        "customer_email": st.sampled_from(["", "kim@example.com", "kim@bücher.example"]),
        "access_notes": texts,
        "notes": texts,
        "customer_language": st.sampled_from(Job.Language.values),
        "customer_notify": st.booleans(),
        "preferred_day": st.none() | st.dates(),
        "asks": st.lists(st.fixed_dictionaries({"kind": texts, "at": texts}, optional={"text": texts}), max_size=2),
        "photos": st.lists(
            st.fixed_dictionaries({"id": texts, "kind": texts, "width": st.integers(1), "height": st.integers(1)}),
            max_size=2,
        ),
        "created_at": moments,
        "extra": objects,
    },
)
windows = st.none() | st.tuples(moments, st.timedeltas(timedelta(milliseconds=1), timedelta(days=2)))


def as_stored(document):
    return json.loads(json.dumps(document))


def reason(document, name="jobs/JOB-1.json"):
    with pytest.raises(BadDocument) as caught:
        read(name, document)
    return str(caught.value)


@EXAMPLES
@given(fields, windows, st.lists(st.tuples(statuses, texts), max_size=3))
def test_a_job_comes_back_from_its_document_as_it_was(board, fields, window, moves):
    if window:
        fields |= {"window_start": window[0], "window_end": window[0] + window[1]}
    with transaction.atomic():
        job = make_job(board, **fields)
        for to, why in moves:
            try:
                job = flow.move(job, to, expect=job.seq, by="Ana", channel="board", reason=why)
            except flow.Refused:
                continue
        document = job_document(Job.objects.get(pk=job.pk))
        StatusChange.objects.all().delete()
        Job.objects.all().delete()

        copy = read(f"jobs/{job.uid}.json", as_stored(document))
        flow.restore(board, [(copy.job, copy.steps)])

        assert job_document(Job.objects.get()) == document
        assert (copy.board, copy.epoch, copy.complaints()) == ("main", str(board.epoch), [])
        transaction.set_rollback(True)


def test_every_column_of_a_job_and_of_a_step_comes_back(board):
    """Those that a document does not have are here by name: a new column must be decided upon."""
    copy = read("jobs/JOB-1.json", DOCUMENT)

    columns = {name for name, _ in COLUMNS.values()} | {"window_start", "window_end", "extra"}
    columns |= {f"customer_{key}" for key in ("name", "phone", "email", "language", "notify")}
    own = {"id", "board", "seq_at", "mirrored_seq", "link_ends_at"}
    assert {field.name for field in Job._meta.fields} - columns == own
    assert copy.job.link_ends_at == copy.job.status_at + timedelta(days=30)
    step_columns = {"from_status", "to_status", "at", "by", "channel", "reason", "seq", "extra"}
    assert {field.name for field in StatusChange._meta.fields} - step_columns == {"id", "job", "from_rank"}
    assert (copy.job.price, copy.job.created_at) == (Decimal("149.5"), datetime(2026, 5, 4, 15, 0, 0, 123000, UTC))
    assert [(step.from_status, step.to_status, step.seq, step.channel, step.reason, step.extra) for step in copy.steps] == [
        ("", "requested", 4, "booking", "", {}),
        ("requested", "cancelled", 7, "import", "Nobody home", {"channel": "kiosk", "lat": 1.5}),
    ]


def test_a_document_of_an_earlier_version_is_read(board):
    earlier = {name: value for name, value in DOCUMENT.items() if name not in LATER_KEYS}
    earlier["customer"] = {"name": "Kim Lee", "phone": "", "email": ""}

    job = read("jobs/JOB-1.json", earlier).job

    kept = (job.preferred_day, job.asks, job.photos, job.opted_out, job.former_tokens)
    assert (*kept, job.customer_language, job.customer_notify) == (None, [], [], [], [], "en", True)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("asks", [{"kind": ["note"], "at": AT}]),
        ("asks", [{"kind": "note"}]),
        ("photos", [{"id": "a1", "kind": "after"}]),
        ("photos", ["https://example.com/1.jpg"]),
        ("optedOut", "sms"),
        ("formerTokens", [{"token": "old-token", "seq": "3", "epoch": "x"}]),
        ("preferredDay", "next week"),
    ],
)
def test_what_somebody_else_meant_by_a_later_key_is_kept_and_not_used(board, key, value):
    copy = read("jobs/JOB-1.json", DOCUMENT | {key: value})
    flow.restore(board, [(copy.job, copy.steps)])

    job = Job.objects.get()
    assert (getattr(job, COLUMNS[key][0]) or None, job.extra[f"imported.{key}"]) == (None, value)
    assert job_document(job)[key] == value  # its copy says what it said


@pytest.mark.parametrize("key", sorted(KNOWN - LATER_KEYS))
def test_a_document_without_one_of_our_keys_is_none_of_ours(key):
    assert reason({name: value for name, value in DOCUMENT.items() if name != key}) == f"{key}: is missing"


def test_a_document_of_another_job_is_not_taken_for_this_one():
    assert reason(DOCUMENT, "jobs/JOB-2.json") == "id: it says JOB-1, which is another job"


TIME = "expected a time with its zone, such as 2026-05-04T16:30:00.000Z"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"id": "../JOB-1"}, "id: expected up to 64 letters, digits, - and _"),
        ({"id": 7}, "id: expected up to 64 letters, digits, - and _"),
        ({"token": "short"}, "token: expected 8 to 64 letters, digits, - and _"),
        ({"token": "token-of-job-1\n"}, "token: expected 8 to 64 letters, digits, - and _"),
        ({"status": "lost"}, "status: is no status"),
        ({"status": ["requested"]}, "status: is no status"),
        ({"location": None}, "location: expected text"),
        ({"location": "x" * 201}, "location: is longer than 200 characters"),
        ({"notes": 7}, "notes: expected text"),
        ({"service": "x" * 21}, "service: is longer than 20 characters"),
        ({"updatedBy": "x" * 151}, "updatedBy: is longer than 150 characters"),
        ({"price": "149.50"}, "price: expected a number"),
        ({"price": True}, "price: expected a number"),
        ({"price": 1.005}, "price: Ensure that there are no more than 2 decimal places."),
        ({"price": 123456789}, "price: Ensure that there are no more than 8 digits before the decimal point."),
        ({"createdAt": "2026-05-04T15:00:00"}, f"createdAt: {TIME}"),
        ({"createdAt": 1757862000}, f"createdAt: {TIME}"),
        ({"statusAt": "9999-12-31T23:59:59-12:00"}, f"statusAt: {TIME}"),
        ({"updatedAt": "0001-01-01T00:00:00+12:00"}, f"updatedAt: {TIME}"),
        ({"seq": 0}, "seq: expected a whole number from 1 to 9007199254740991"),
        ({"seq": 2**53}, "seq: expected a whole number from 1 to 9007199254740991"),
        ({"seq": 9.0}, "seq: expected a whole number from 1 to 9007199254740991"),
        ({"seq": True}, "seq: expected a whole number from 1 to 9007199254740991"),
        ({"rank": 2**63}, f"rank: expected a whole number from {-(2**63)} to {2**63 - 1}"),
        ({"loadEighths": -1}, "loadEighths: expected a whole number from 0 to 32767"),
        ({"loadEighths": 32768}, "loadEighths: expected a whole number from 0 to 32767"),
        ({"crew": "Dee"}, "crew: expected a list of names"),
        ({"crew": ["Dee", None]}, "crew: expected a list of names"),
        ({"customer": "Kim"}, "customer: expected an object"),
        ({"customer": {"name": "Kim", "email": ""}}, "customer.phone: is missing"),
        ({"customer": {"name": "Kim", "phone": "x" * 17, "email": ""}}, "customer.phone: is longer than 16 characters"),
        ({"window": []}, "window: expected an object"),
        ({"window": {"start": AT, "end": None}}, f"window.end: {TIME}"),
        ({"statusHistory": []}, "statusHistory: expected a list that is not empty"),
        ({"statusHistory": {"status": "requested"}}, "statusHistory: expected a list that is not empty"),
        ({"statusHistory": ["requested"]}, "statusHistory[0]: expected an object"),
        ({"statusHistory": [{"at": AT, "by": ""}]}, "statusHistory[0].status: is missing"),
        (
            {"statusHistory": [DOCUMENT["statusHistory"][0], {"status": "lost", "at": AT, "by": ""}]},
            "statusHistory[1].status: is no status",
        ),
        (
            {"statusHistory": [{"status": "requested", "at": AT, "by": "x" * 151}]},
            "statusHistory[0].by: is longer than 150 characters",
        ),
        ({"board": "no slug"}, "board: expected a board's slug"),
        ({"board": "x" * 51}, "board: expected a board's slug"),
        ({"epoch": None}, "epoch: expected text"),
        ({"truck": float("nan")}, "it has what JSON does not have, such as NaN, or it is nested too deeply"),
        ({"truck": [float("inf")]}, "it has what JSON does not have, such as NaN, or it is nested too deeply"),
    ],
    ids=lambda value: None if isinstance(value, str) else next(iter(value)),
)
def test_what_the_database_cannot_hold_is_refused(changes, why):
    assert reason(DOCUMENT | changes) == why


@pytest.mark.parametrize(
    ("levels", "why"),
    [
        (99, None),
        (100, "it is nested more than 100 levels deep"),
        (100_000, "it has what JSON does not have, such as NaN, or it is nested too deeply"),
    ],
)
def test_what_no_program_could_handle_is_refused(levels, why):
    deep = 7
    for _ in range(levels):
        deep = [deep]

    assert (reason(DOCUMENT | {"truck": deep}) if why else read("jobs/JOB-1.json", DOCUMENT | {"truck": deep}).mended) == (
        why or False
    )


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"location": ""}, "location: This field cannot be blank."),
        ({"price": -5}, "price: Ensure this value is greater than or equal to 0."),
        ({"loadEighths": 0}, "load_eighths: Ensure this value is greater than or equal to 1."),
        ({"service": "moving"}, "service: Value 'moving' is not a valid choice."),
        ({"crew": [" "]}, "crew: Expected a list of names."),
        ({"window": {"start": LATER, "end": AT}}, "window_end: The window ends before it starts."),
        (
            {"customer": DOCUMENT["customer"] | {"phone": "12"}},
            "customer_phone: “12” is not a possible phone number.",
        ),
        (
            {"customer": DOCUMENT["customer"] | {"email": "kim@home"}},
            "customer_email: Enter a valid email address.",
        ),
    ],
    ids=lambda value: None if isinstance(value, str) else next(iter(value)),
)
def test_what_todays_rules_would_not_let_in_is_kept_and_said(board, changes, complaint):
    copy = read("jobs/JOB-1.json", DOCUMENT | changes)

    flow.restore(board, [(copy.job, copy.steps)])

    document = job_document(Job.objects.get()) | {"epoch": DOCUMENT["epoch"]}
    assert (document, copy.complaints()) == (DOCUMENT | changes, [complaint])


@pytest.mark.parametrize("character", ["\0", "\ud83d"], ids=ascii)
def test_characters_that_not_every_database_can_hold_are_replaced_and_said(character):
    """SQLite takes them inside JSON, and PostgreSQL does not: a job that moves from one to the other must not be lost."""
    strange = {"crew": [f"Dee{character}"], "truck": {f"a{character}": [f"{character}b"]}}

    copy = read("jobs/JOB-1.json", as_stored(DOCUMENT | strange))

    assert (copy.job.crew, copy.job.extra) == (["Dee�"], {"truck": {"a�": ["�b"]}})
    assert copy.complaints() == ["it had characters that no text may have, such as U+0000"]


def test_text_that_only_looks_like_such_a_character_stays_as_it_is():
    copy = read("jobs/JOB-1.json", DOCUMENT | {"notes": r"C:\u0000 \ud83d 😀"})

    assert (copy.job.notes, copy.complaints()) == (r"C:\u0000 \ud83d 😀", [])


def test_a_step_of_an_older_copy_has_no_number_and_no_channel():
    step = {"status": "cancelled", "at": AT, "by": "Dee"}

    copy = read("jobs/JOB-1.json", DOCUMENT | {"statusHistory": [step]})

    assert [(step.seq, step.channel, step.reason, step.extra) for step in copy.steps] == [(0, "import", "", {})]


def test_a_step_with_a_number_above_its_jobs_stays_in_the_history(board):
    step = DOCUMENT["statusHistory"][0] | {"seq": 10}
    copy = read("jobs/JOB-1.json", DOCUMENT | {"statusHistory": [step]})

    flow.restore(board, [(copy.job, copy.steps)])

    assert job_document(Job.objects.get())["statusHistory"] == [step | {"seq": DOCUMENT["seq"]}]


def test_reading_leaves_the_document_as_it_is():
    document = deepcopy(DOCUMENT | {"notes": "\0"})

    read("jobs/JOB-1.json", document)

    assert document == DOCUMENT | {"notes": "\0"}


any_value = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@EXAMPLES
@given(st.dictionaries(st.sampled_from(sorted(KNOWN)) | st.text(max_size=8), any_value))
def test_whatever_json_an_object_holds_it_is_refused_in_words(document):
    assert reason(document)


@EXAMPLES
@given(st.data())
def test_whatever_is_wrong_with_one_key_what_is_read_can_be_written(board, data):
    document = deepcopy(DOCUMENT)
    inside = data.draw(st.sampled_from([document, document["customer"], document["window"], *document["statusHistory"]]))
    inside[data.draw(st.sampled_from(sorted(inside)) | st.text(max_size=8))] = data.draw(any_value)

    try:
        copy = read("jobs/JOB-1.json", document)
    except BadDocument:
        return
    with transaction.atomic():
        flow.restore(board, [(copy.job, copy.steps)])
        assert isinstance(copy.complaints(), list)
        assert read("jobs/JOB-1.json", as_stored(job_document(Job.objects.get()))).job.uid == "JOB-1"
        transaction.set_rollback(True)
