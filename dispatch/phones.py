"""Phone numbers are stored as E.164 (`+13035550123`) and read in the way people of the default region write them."""

from collections.abc import Collection

import phonenumbers
from django.core.exceptions import ValidationError

DEFAULT_REGION = "US"


def to_e164(written: str) -> str:
    """Raises ValidationError for what cannot be a phone number. An empty text stays empty."""
    if not written.strip():
        return ""
    try:
        number = phonenumbers.parse(written, DEFAULT_REGION)
    except phonenumbers.NumberParseException:
        raise ValidationError("“%(written)s” is not a phone number.", params={"written": written}) from None
    if not phonenumbers.is_possible_number(number):
        raise ValidationError("“%(written)s” is not a possible phone number.", params={"written": written})
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def is_of(number: str, countries: Collection[str]) -> bool:
    """Whether an E.164 number is of one of the countries, such as US. Those with the same code are told apart."""
    return phonenumbers.region_code_for_number(phonenumbers.parse(number)) in countries


def validate_phone(value: str) -> None:
    if value and to_e164(value) != value:
        full = to_e164(value) or "+13035550123"
        raise ValidationError("Write the phone number in full, such as %(full)s.", params={"full": full})


def spoken(value: str) -> str:
    """For people to read: `(303) 555-0123` at home, `+46 8 123 456 78` abroad; what is no number, as it is."""
    try:
        number = phonenumbers.parse(value, DEFAULT_REGION)
    except phonenumbers.NumberParseException:
        return value
    home = number.country_code == phonenumbers.country_code_for_region(DEFAULT_REGION)
    style = phonenumbers.PhoneNumberFormat.NATIONAL if home else phonenumbers.PhoneNumberFormat.INTERNATIONAL
    return phonenumbers.format_number(number, style)
