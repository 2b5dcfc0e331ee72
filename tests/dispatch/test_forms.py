import re
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.http import QueryDict
from django.utils import timezone

from dispatch import flow
from dispatch.forms import JobForm, NamesField, PhoneField
from tests.factories import make_job

DENVER = ZoneInfo("America/Denver")


def typed(**fields: object) -> QueryDict:
    """What a browser sends."""
    data = QueryDict(mutable=True)
    data.update(
        {"service": "junk_removal", "location": "1428 Elm St", "customer_language": "en", "customer_notify": "on"}
        | {name: str(value) for name, value in fields.items()}
    )
    return data


def test_names_are_a_list_with_commas_between_them():
    field = NamesField(required=False)

    assert field.clean(" Dee Park,, Al ") == ["Dee Park", "Al"]
    assert field.clean("") == []
    assert field.prepare_value(["Dee Park", "Al"]) == "Dee Park, Al"
    assert field.prepare_value("Dee Park, Al") == "Dee Park, Al"


@pytest.mark.parametrize(("data", "changed"), [("Dee, Al", False), (" Dee ,Al,", False), ("Al, Dee", True), ("", True)])
def test_names_have_changed_when_the_list_has(data, changed):
    assert NamesField(required=False).has_changed(["Dee", "Al"], data) is changed


@pytest.mark.parametrize("written", ["(303) 555-0123", "303-555-0123", "+1 303 555 0123", "3035550123"])
def test_phones_are_stored_in_full(written):
    assert PhoneField(required=False).clean(written) == "+13035550123"


def test_a_form_for_a_new_job(board):
    form = JobForm(typed(board=board.pk, customer_phone="(303) 555-0123", crew="Dee Park, Al", price="149.50"))

    assert form.errors == {}
    assert form.changes() == {
        "service": "junk_removal", "location": "1428 Elm St", "access_notes": "", "customer_name": "",
        "customer_phone": "+13035550123", "customer_email": "", "window_start": None, "window_end": None,
        "price": Decimal("149.50"), "load_eighths": None,
        "crew": ["Dee Park", "Al"], "notes": "", "customer_language": "en", "customer_notify": True,
        "preferred_day": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "errors"),
    [
        ({"location": ""}, {"location": ["This field is required."]}),
        ({"customer_phone": "call me"}, {"customer_phone": ["“call me” is not a phone number."]}),
        ({"window_start": "2026-05-04 09:00"}, {"window_end": ["A window needs both a start and an end."]}),
        (
            {"window_start": "2026-05-04 09:00", "window_end": "2026-05-04 08:00"},
            {"window_end": ["The window ends before it starts."]},
        ),
        ({"load_eighths": "0"}, {"load_eighths": ["Ensure this value is greater than or equal to 1."]}),
    ],
)
def test_a_mistake_is_told_at_its_field(board, wrong, errors):
    assert JobForm(typed(board=board.pk, **wrong)).errors == errors


def test_times_are_read_in_the_current_zone_and_the_form_names_it(board):
    with timezone.override(DENVER):
        form = JobForm(typed(board=board.pk, window_start="2026-05-04 09:30", window_end="2026-05-04 11:30"))

        assert form.fields["window_start"].help_text == "In the board's time zone, America/Denver."
        assert form.is_valid()
    assert form.changes()["window_start"] == datetime(2026, 5, 4, 15, 30, tzinfo=UTC)


def test_a_form_of_the_current_version_is_fine(board):
    job = make_job(board)

    assert JobForm(typed(board=board.pk, version=job.seq), instance=job).is_valid()


@pytest.mark.parametrize("seq", ["", "0", "2", "x"])
def test_a_form_of_another_version_is_not(board, seq):
    job = make_job(board)
    form = JobForm(typed(board=board.pk, version=seq), instance=job)

    assert not form.is_valid()
    assert list(form.data.items())[-1] == ("version", "1")


def test_it_says_what_is_different_now(board):
    job = make_job(board, crew=["Al"], customer_phone="+13035550123", window_start=datetime(2026, 5, 4, 15, tzinfo=UTC),
                   window_end=datetime(2026, 5, 4, 17, tzinfo=UTC))  # fmt: skip
    shown = typed(
        board=board.pk, version=job.seq, crew="Al", customer_phone="303 555 0123", notes="Mine",
        window_start="2026-05-04 09:00", window_end="2026-05-04 11:00",
    )  # fmt: skip
    changes = {
        "service": "dumpster_pickup", "crew": ["Dee Park", "Al"], "customer_phone": "", "price": 600,
        "window_start": datetime(2026, 5, 4, 14, tzinfo=UTC), "notes": "Theirs",
    }  # fmt: skip
    job = flow.edit(job, changes, expect=job.seq, by="Bo")

    with timezone.override(DENVER):
        form = JobForm(shown, instance=job)
        said = form.errors["__all__"][0]

    assert re.match(r"Bo changed this \d+ s ago, while you were editing: ", said)
    assert said.endswith(". Save again to keep what this form says.")
    assert said.split(": ", 1)[1].removesuffix(". Save again to keep what this form says.").split("; ") == [
        "Service is now “Dumpster pickup”",
        "Customer phone is now “–”",
        "Window start is now “Mon, May 4, 2026, 8:00 AM MDT”",
        "Price is now “600.00”",
        "Crew is now “Dee Park, Al”",
        "Notes is now “Theirs”",
    ]
    assert form["notes"].value() == "Mine"
    assert form["version"].value() == str(job.seq)


def test_a_move_meanwhile_is_named_too(board):
    job = make_job(board)
    moved = flow.move(job, "scheduled", expect=job.seq, by="Bo", channel="board")
    form = JobForm(typed(board=board.pk, version=job.seq), instance=moved)

    assert re.fullmatch(
        r"Bo moved this to Scheduled \d+ s ago, while you were editing: the fields of this form are the same\. "
        r"Save again to keep what this form says\.",
        form.errors["__all__"][0],
    )


def test_line_ends_of_a_browser_are_no_change(board):
    job = make_job(board, notes="one\ntwo")
    form = JobForm(typed(board=board.pk, version=job.seq, notes="one\r\ntwo"), instance=job)

    assert form.is_valid()
    assert form.changes()["notes"] == "one\ntwo"
