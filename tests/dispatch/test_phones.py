import pytest
from django.core.exceptions import ValidationError

from dispatch.phones import is_of, spoken, to_e164, validate_phone


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("(303) 555-0123", "+13035550123"),
        ("303.555.0123", "+13035550123"),
        ("1 303 555 0123", "+13035550123"),
        ("+46 8 123 456 78", "+46812345678"),
        ("  ", ""),
        ("", ""),
    ],
)
def test_what_people_write_is_stored_in_full(written, stored):
    assert to_e164(written) == stored


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("call me", "“call me” is not a phone number."),
        ("12", "“12” is not a possible phone number."),
        ("+1 303 555 0123 4567", "“+1 303 555 0123 4567” is not a possible phone number."),
    ],
)
def test_what_cannot_be_a_phone_number_is_refused(written, reason):
    with pytest.raises(ValidationError) as refused:
        to_e164(written)

    assert refused.value.messages == [reason]


@pytest.mark.parametrize("value", ["", "+13035550123", "+46812345678"])
def test_a_stored_number_is_valid(value):
    assert validate_phone(value) is None


@pytest.mark.parametrize("value", ["(303) 555-0123", "  "])
def test_a_column_takes_only_the_full_form_and_the_reason_shows_it(value):
    with pytest.raises(ValidationError) as refused:
        validate_phone(value)

    assert refused.value.messages == ["Write the phone number in full, such as +13035550123."]


@pytest.mark.parametrize(
    ("stored", "read"),
    [
        ("+13035550123", "(303) 555-0123"),
        ("+46812345678", "+46 8 123 456 78"),
        ("", ""),
        ("ask next door", "ask next door"),
    ],
)
def test_people_read_a_number_as_it_is_written_where_they_live(stored, read):
    assert spoken(stored) == read


@pytest.mark.parametrize(
    ("number", "ours"),
    [
        ("+13035550123", True),
        ("+14165550123", True),
        ("+18765550123", False),
        ("+46812345678", False),
        ("+88213123456", False),
    ],
)
def test_a_number_is_of_one_country(number, ours):
    assert is_of(number, ["US", "CA"]) == ours
