"""The values in a document, and how each is read. A reader raises ValueError, whose message goes behind the key."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import DecimalValidator
from django.db.models import Model

from dispatch.statuses import STATUS_FLOW

DEEPEST = 100
LARGEST_NUMBER = 2**53 - 1
"""Change numbers beyond it would be other numbers in a browser."""

SLUG = re.compile(r"[-a-zA-Z0-9_]{1,50}")
UNSTORABLE = re.compile("[\0\ud800-\udfff]")
SUSPECT = re.compile(r"[\ud800-\udfff]|\\u0000")
"""The same, as JSON writes it."""
IN_PLACE_OF_UNSTORABLE = "\N{REPLACEMENT CHARACTER}"
IN_BOUNDS = DecimalValidator(max_digits=10, decimal_places=2)

Reader = Callable[[Any], Any]


class BadDocument(Exception):
    """This is no document that we wrote. The message names the field."""


def take(document: Mapping[str, Any], key: str, read: Reader, inside: str = "") -> Any:
    """What `read` makes of the document's `key`. Raises BadDocument, which names the key, when it is missing or bad."""
    if key not in document:
        raise BadDocument(f"{inside}{key}: is missing")
    try:
        return read(document[key])
    except ValueError as error:
        raise BadDocument(f"{inside}{key}: {error}") from None


def storable(document: dict[str, Any]) -> dict[str, Any]:
    """The document as every database can hold it. What no text may have is replaced: SQLite takes it, PostgreSQL does not.
    Raises BadDocument for what is not JSON, or too deep."""
    try:
        written = json.dumps(document, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        raise BadDocument("it has what JSON does not have, such as NaN, or it is nested too deeply") from None
    if SUSPECT.search(written) or written.count("{") + written.count("[") > DEEPEST:
        mended: dict[str, Any] = _storable(document, 1)
        return mended
    return document


def _storable(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return UNSTORABLE.sub(IN_PLACE_OF_UNSTORABLE, value)
    if depth > DEEPEST and isinstance(value, dict | list):
        raise BadDocument(f"it is nested more than {DEEPEST} levels deep")
    if isinstance(value, dict):
        return {_storable(key, 0): _storable(inner, depth + 1) for key, inner in value.items()}
    return [_storable(inner, depth + 1) for inner in value] if isinstance(value, list) else value


def text(value: Any, longest: int | None = None) -> str:
    if not isinstance(value, str):
        raise ValueError("expected text")
    if longest is not None and len(value) > longest:
        raise ValueError(f"is longer than {longest} characters")
    return value


def as_in(model: type[Model], column: str) -> tuple[str, Reader]:
    """The name of a text column, and a reader of what fits in it."""
    field: Any = model._meta.get_field(column)
    return column, partial(text, longest=field.max_length)


def matching(pattern: re.Pattern[str], expected: str, value: Any) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise ValueError(f"expected {expected}")
    return value


slug = partial(matching, SLUG, "a board's slug")


def whole(lowest: int, highest: int, value: Any) -> int:
    if type(value) is not int or not lowest <= value <= highest:
        raise ValueError(f"expected a whole number from {lowest} to {highest}")
    return value


change_number = partial(whole, 0, LARGEST_NUMBER)


def optional(read: Reader) -> Reader:
    return lambda value: None if value is None else read(value)


def group(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("expected an object")
    return value


def some(value: Any) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise ValueError("expected a list that is not empty")
    return value


def names(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise ValueError("expected a list of names")
    return value


def truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("expected true or false")
    return value


def day(value: Any) -> date:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError("expected a day, such as 2026-05-04") from None


def entries(wanted: Mapping[str, type], value: Any) -> list[dict[str, Any]]:
    """A list of objects that have all the keys, with values of these types."""
    if not isinstance(value, list) or not all(isinstance(one, dict) and _has(one, wanted) for one in value):
        raise ValueError(f"expected a list of objects with {', '.join(wanted)}")
    return value


def _has(one: dict[str, Any], wanted: Mapping[str, type]) -> bool:
    return all(type(one.get(key)) is kind for key, kind in wanted.items())


def channels(value: Any) -> list[str]:
    if not isinstance(value, list) or not {"sms", "email"} >= set(map(str, value)):
        raise ValueError("expected a list of sms, email")
    return value


def status(value: Any) -> str:
    if not isinstance(value, str) or value not in STATUS_FLOW:
        raise ValueError("is no status")
    return value


def time(value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None or not 1 < moment.year < 9999:  # in every zone a year that there is
            raise ValueError
    except (TypeError, ValueError):
        raise ValueError("expected a time with its zone, such as 2026-05-04T16:30:00.000Z") from None
    return moment.astimezone(UTC)


def price(value: Any) -> Decimal:
    """Money is Decimal, and a plain number in JSON. The text of a float has its two decimals exactly."""
    if type(value) not in (int, float):
        raise ValueError("expected a number")
    amount = Decimal(str(value))
    try:
        IN_BOUNDS(amount)
    except ValidationError as error:
        raise ValueError(" ".join(error.messages)) from None
    return amount
