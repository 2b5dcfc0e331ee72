from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from dispatch.flow import PastStep
from dispatch.jobs_file import BadRecord, Record, read

DENVER = ZoneInfo("America/Denver")
BORN = datetime(2025, 9, 14, 15, tzinfo=UTC)
BORN_TEXT = "2025-09-14T15:00:00Z"
STEP = {"status": "requested", "at": BORN_TEXT, "by": "Ana"}
SMALLEST = {
    "id": "1",
    "token": "token-of-1",
    "status": "requested",
    "location": "Soderblom Ave",
    "price": 600,
    "createdAt": BORN_TEXT,
    "statusHistory": [STEP],
}
FIELDS = {
    "location": "Soderblom Ave",
    "price": Decimal(600),
    "service": "junk_removal",
    "crew": [],
    "load_eighths": None,
    "access_notes": "",
    "notes": "",
    "customer_name": "",
    "customer_email": "",
    "customer_phone": "",
    "customer_language": "en",
    "customer_notify": True,
    "preferred_day": None,
    "asks": [],
    "window_start": None,
    "window_end": None,
    "extra": {},
    "created_at": BORN,
}


def take(**changes) -> Record:
    return read("1", SMALLEST | changes, DENVER)


def problems(**changes) -> list[tuple[str, str]]:
    with pytest.raises(BadRecord) as bad:
        take(**changes)
    return bad.value.problems


def test_seven_keys_are_enough():
    assert take() == Record("1", "token-of-1", [PastStep("requested", BORN, "Ana")], FIELDS)


def test_every_key_we_know_is_read():
    record = take(
        price="149.50", service="dumpster_pickup", crew=["Dee"], loadEighths=4,
        accessNotes=" Gate 4411 ", notes="Two sofas",
        customer={
            "name": "Priya", "phone": "(303) 555-0123", "email": "priya@example.com", "language": "es", "notify": False,
        },
        preferredDay="2025-09-18", asks=[{"kind": "note", "at": BORN_TEXT, "text": "Dog"}],
        window={"start": "2025-09-19T09:00:00", "end": "2025-09-19T11:00:00-06:00"},
        seq=812, epoch="x", board="x", updatedAt="x", updatedBy="x", statusAt="x", rank=7,
    )  # fmt: skip

    assert record.fields == FIELDS | {
        "price": Decimal("149.50"),
        "service": "dumpster_pickup",
        "crew": ["Dee"],
        "load_eighths": 4,
        "access_notes": "Gate 4411",
        "notes": "Two sofas",
        "customer_name": "Priya",
        "customer_phone": "+13035550123",
        "customer_email": "priya@example.com",
        "customer_language": "es",
        "customer_notify": False,
        "preferred_day": date(2025, 9, 18),
        "asks": [{"kind": "note", "at": BORN_TEXT, "text": "Dog"}],
        "window_start": datetime(2025, 9, 19, 15, tzinfo=UTC),  # without a zone it is the board's
        "window_end": datetime(2025, 9, 19, 17, tzinfo=UTC),
    }


def test_a_customer_may_be_just_a_name():
    assert take(customer="Tom Okafor").fields["customer_name"] == "Tom Okafor"


@pytest.mark.parametrize("name", ["price", "service", "crew", "customer", "window", "notes", "loadEighths"])
def test_null_is_the_same_as_nothing(name):
    assert take(**{name: None}).fields == FIELDS | ({"price": None} if name == "price" else {})


def test_keys_we_do_not_know_are_kept():
    record = take(
        source="web", weight=Decimal("12.75"), photos=[{"n": Decimal("2")}],
        huge=Decimal("1E+400"), tiny=Decimal("1E-999999999"),
        customer={"name": "Priya", "vip": True}, window={"flexible": True},
    )  # fmt: skip

    assert record.fields["extra"] == {
        "source": "web",
        "weight": 12.75,
        "imported.photos": [{"n": 2}],
        "huge": "1E+400",
        "tiny": "1E-999999999",
        "customer.vip": True,
        "window.flexible": True,
    }


def test_what_others_mean_by_our_keys_is_kept_beside():
    record = take(
        preferredDay="next week", asks=[{"kind": "tip"}], optedOut="sms",
        formerTokens=["old-token"], photos=["https://example.com/1.jpg"], customer={"name": "Priya", "language": "fr"},
    )  # fmt: skip

    assert record.fields == FIELDS | {
        "customer_name": "Priya",
        "extra": {
            "imported.preferredDay": "next week",
            "imported.asks": [{"kind": "tip"}],
            "imported.optedOut": "sms",
            "imported.formerTokens": ["old-token"],
            "imported.photos": ["https://example.com/1.jpg"],
        },
    }


def test_what_belongs_to_the_system_that_wrote_the_file_is_left_there():
    record = take(
        optedOut=["sms"], formerTokens=[{"token": "the-link-of-another-job", "seq": 999, "epoch": "x"}],
        photos=[{"id": "a1", "kind": "after", "width": 4, "height": 3}],
    )  # fmt: skip

    assert record.fields == FIELDS


def test_history_is_kept_with_what_we_do_not_know_of_a_step():
    step = {
        "status": "cancelled",
        "at": "2025-09-15T08:00:00",
        "by": None,
        "reason": "Rain",
        "channel": "crew",
        "ip": "::1",
    }

    record = take(status="cancelled", statusHistory=[STEP | {"channel": "pigeon"}, step])

    assert record.past == [
        PastStep("requested", BORN, "Ana", "import", "", {"channel": "pigeon"}),
        PastStep("cancelled", datetime(2025, 9, 15, 14, tzinfo=UTC), "", "crew", "Rain", {"ip": "::1"}),
    ]


@pytest.mark.parametrize(
    ("changes", "past"),
    [
        ({"statusHistory": []}, [PastStep("requested", BORN)]),
        (
            {"status": "scheduled"},
            [PastStep("requested", BORN, "Ana"), PastStep("scheduled", BORN)],
        ),
        (
            {"status": "scheduled", "updatedAt": "2025-09-16T10:00:00Z"},
            [PastStep("requested", BORN, "Ana"), PastStep("scheduled", datetime(2025, 9, 16, 10, tzinfo=UTC))],
        ),
        (
            {"status": "scheduled", "updatedAt": "2025-09-01T10:00:00Z"},  # no step lies before the one it follows
            [PastStep("requested", BORN, "Ana"), PastStep("scheduled", BORN)],
        ),
    ],
)
def test_a_history_that_lacks_the_last_step_is_completed(changes, past):
    assert take(**changes).past == past


def test_everything_that_is_wrong_is_said_at_once():
    found = problems(
        status="ready", price="$600", createdAt="yesterday", loadEighths=99, customer={"phone": "12", "email": "at home"}
    )

    assert found == [
        ("status", '"ready" is not a status; expected one of requested, scheduled, ready_for_pickup, en_route, '
                   "in_progress, completed, cancelled"),
        ("createdAt", 'expected a time such as 2026-05-04T16:30:00Z, got "yesterday"'),
        ("price", 'expected an amount such as 600 or 149.50, got "$600"'),
        ("customer.phone", "“12” is not a possible phone number."),
        ("customer.email", "Enter a valid email address."),
        ("loadEighths", "Ensure this value is less than or equal to 64."),
    ]  # fmt: skip


@pytest.mark.parametrize("name", list(SMALLEST))
def test_each_of_the_seven_keys_must_be_there(name):
    record = {key: value for key, value in SMALLEST.items() if key != name}

    with pytest.raises(BadRecord) as bad:
        read("1", record, DENVER)

    assert (name, "is missing") in bad.value.problems


@pytest.mark.parametrize(
    ("record", "kind"), [(None, "nothing"), ([], "a list"), ("x", "text"), (7, "a number"), (True, "true or false")]
)
def test_a_record_is_an_object(record, kind):
    with pytest.raises(BadRecord) as bad:
        read("1", record, DENVER)

    assert bad.value.problems == [("record", f"expected an object, got {kind}")]
    assert str(bad.value) == f"record: expected an object, got {kind}"


def test_a_record_stands_under_its_own_id():
    with pytest.raises(BadRecord) as bad:
        read("2", SMALLEST, DENVER)

    assert bad.value.problems == [("id", 'is "1" but the record\'s key is "2"')]
    assert read("#2", SMALLEST, DENVER).uid == "1"


TIME = "expected a time such as 2026-05-04T16:30:00Z, got "


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"id": 1}, ("id", "expected up to 64 letters, digits, - and _, got 1")),
        ({"token": "short"}, ("token", 'expected 8 to 64 letters, digits, - and _, got "short"')),
        ({"token": "x" * 65}, ("token", f'expected 8 to 64 letters, digits, - and _, got "{"x" * 56}…')),
        ({"location": " "}, ("location", "This field cannot be blank.")),
        ({"location": ["x"]}, ("location", "expected text, got a list")),
        ({"price": True}, ("price", "expected an amount such as 600 or 149.50, got true")),
        ({"price": [0, [6], 0]}, ("price", "expected an amount such as 600 or 149.50, got [0, [6], 0]")),
        ({"price": {}}, ("price", "expected an amount such as 600 or 149.50, got {}")),
        ({"price": "NaN"}, ("price", 'expected an amount such as 600 or 149.50, got "NaN"')),
        ({"price": Decimal("149.995")}, ("price", "Ensure that there are no more than 2 decimal places.")),
        ({"createdAt": None}, ("createdAt", f"{TIME}null")),
        ({"createdAt": 1757862000}, ("createdAt", f"{TIME}1757862000")),
        ({"createdAt": "2025-02-30T10:00:00Z"}, ("createdAt", f'{TIME}"2025-02-30T10:00:00Z"')),
        ({"createdAt": "0001-01-01T00:00:00+14:00"}, ("createdAt", f'{TIME}"0001-01-01T00:00:00+14:00"')),
        ({"createdAt": "9999-12-31T23:59:59-12:00"}, ("createdAt", f'{TIME}"9999-12-31T23:59:59-12:00"')),
        ({"statusHistory": {}}, ("statusHistory", "expected a list, got an object")),
        ({"statusHistory": ["requested"]}, ("statusHistory[0]", "expected an object, got text")),
        ({"statusHistory": [STEP, {"status": "requested"}]}, ("statusHistory[1].at", f"{TIME}null")),
        ({"statusHistory": [STEP | {"by": {}}]}, ("statusHistory[0].by", "expected text, got an object")),
        ({"status": "scheduled", "updatedAt": "later"}, ("updatedAt", f'{TIME}"later"')),
        ({"service": "moving"}, ("service", "Value 'moving' is not a valid choice.")),
        ({"crew": "Dee"}, ("crew", "Expected a list of names.")),
        ({"loadEighths": Decimal("4.5")}, ("loadEighths", "expected a whole number, got 4.5")),
        ({"loadEighths": True}, ("loadEighths", "expected a whole number, got true")),
        ({"customer": ["x"]}, ("customer", "expected an object, got a list")),
        ({"window": {"start": BORN_TEXT}}, ("window.end", "A window needs both a start and an end.")),
        ({"window": {"start": BORN_TEXT, "end": "noon"}}, ("window.end", f'{TIME}"noon"')),
        ({"notes": "a\0b"}, ("notes", "has characters that no text may have, such as U+0000")),
        ({"more": [{"\ud800": 1}]}, ("more", "has characters that no text may have, such as U+0000")),
    ],
)
def test_a_bad_value_is_named_with_its_reason(changes, problem):
    assert problems(**changes) == [problem]
