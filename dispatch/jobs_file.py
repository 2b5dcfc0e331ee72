"""Reads jobs.json: `{"jobs": {"<id>": {…}}}`, the state of all jobs in one document, as another system or our own mirror
wrote it. Only `id token status location price createdAt statusHistory` are certain to be there; docs/import.md has the rest.

The file is read as a stream, one record at a time, whatever its size.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import IO, Any
from zoneinfo import ZoneInfo

import ijson
from django.core.exceptions import ValidationError
from django.utils.dateparse import parse_datetime

from .flow import PastStep
from .models import TOKEN, UID, Job, StatusChange
from .phones import to_e164
from .statuses import STATUS_FLOW

REQUIRED = ("id", "token", "status", "location", "price", "createdAt", "statusHistory")
OURS = frozenset({
    *REQUIRED, "service", "window", "crew", "customer", "loadEighths", "accessNotes", "notes",
    # of the system that wrote the file, and given anew here:
    "seq", "epoch", "board", "updatedAt", "updatedBy", "statusAt", "rank",
})  # fmt: skip
STEP_KEYS = frozenset({"status", "at", "by", "reason"})


class BadFile(Exception):
    """The file as a whole cannot be read."""


class BadRecord(Exception):
    """One record cannot be imported. `problems` are (field, reason) pairs."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{field}: {reason}" for field, reason in problems))
        self.problems = problems


@dataclass(frozen=True)
class Record:
    """A record that fits: arguments for `flow.open_job`."""

    uid: str
    token: str
    past: list[PastStep]
    fields: dict[str, Any]


def records(file: IO[bytes]) -> Iterator[tuple[str, Any]]:
    """Yields (key, record) for `{"jobs": {key: record}}`; the key is `#1`, `#2`, … for `{"jobs": [record, …]}`. Raises
    BadFile for anything else, as soon as the reading gets there."""
    try:
        kind = next((event for prefix, event, _ in ijson.parse(file) if prefix == "jobs"), None)
        file.seek(0)
        if kind == "start_map":
            yield from ijson.kvitems(file, "jobs")
        elif kind == "start_array":
            yield from ((f"#{place}", record) for place, record in enumerate(ijson.items(file, "jobs.item"), start=1))
        else:
            raise BadFile('there is no "jobs" in it; expected {"jobs": {"<id>": {…}}}')
    except (ijson.JSONError, UnicodeDecodeError) as error:
        raise BadFile(f"it is not whole JSON: {' '.join(str(error).split())}") from None


def read(key: str, record: Any, zone: ZoneInfo) -> Record:
    """Checks everything and reports all that is wrong at once, as BadRecord. Times without a zone are `zone`'s."""
    if not isinstance(record, dict):
        raise BadRecord([("record", f"expected an object, got {_kind(record)}")])
    problems: list[tuple[str, str]] = [(name, "is missing") for name in REQUIRED if name not in record]
    reader = _Reader(record, zone, problems)
    uid = reader.matching("id", UID, "up to 64 letters, digits, - and _")
    if uid and not key.startswith("#") and key != uid:
        problems.append(("id", f"is {uid!r} but the record's key is {key!r}"))
    token = reader.matching("token", TOKEN, "8 to 64 letters, digits, - and _")
    status = reader.status("status", record.get("status"), given="status" in record)
    created_at = reader.time("createdAt", record.get("createdAt")) if "createdAt" in record else None
    past = reader.history()
    fields = reader.fields()
    if not problems:
        _check_fields(fields, problems)
    if problems:
        raise BadRecord(problems)
    if not past or past[-1].status != status:
        at = reader.time("updatedAt", record["updatedAt"]) if past and record.get("updatedAt") else created_at
        past.append(PastStep(status, max([at, *[step.at for step in past]])))
    return Record(uid, token, past, fields | {"created_at": created_at})


def _check_fields(fields: Mapping[str, Any], problems: list[tuple[str, str]]) -> None:
    job = Job(**fields)
    try:
        job.full_clean(exclude=["board", "seq", "rank"], validate_unique=False, validate_constraints=False)
    except ValidationError as error:
        problems += [(_camel(name), " ".join(messages)) for name, messages in error.message_dict.items()]


class _Reader:
    """Takes values out of one record and notes what is wrong with them."""

    def __init__(self, record: dict[str, Any], zone: ZoneInfo, problems: list[tuple[str, str]]) -> None:
        self.record, self.zone, self.problems = record, zone, problems

    def bad(self, field: str, reason: str) -> None:
        self.problems.append((field, reason))

    def matching(self, field: str, pattern: re.Pattern[str], expected: str) -> str:
        value = self.record.get(field)
        if isinstance(value, str) and pattern.fullmatch(value):
            return value
        if field in self.record:
            self.bad(field, f"expected {expected}, got {_shown(value)}")
        return ""

    def text(self, field: str, value: Any) -> str:
        if value is None or isinstance(value, str):
            return (value or "").strip()
        self.bad(field, f"expected text, got {_kind(value)}")
        return ""

    def status(self, field: str, value: Any, *, given: bool = True) -> str:
        if isinstance(value, str) and value in STATUS_FLOW:
            return value
        if given:
            self.bad(field, f"{_shown(value)} is not a status; expected one of {', '.join(STATUS_FLOW)}")
        return ""

    def time(self, field: str, value: Any) -> datetime | None:
        moment = None
        if isinstance(value, str):
            try:
                moment = parse_datetime(value.strip())
            except ValueError:
                moment = None
        if moment is None:
            self.bad(field, f"expected a time such as 2026-05-04T16:30:00Z, got {_shown(value)}")
            return None
        return moment if moment.tzinfo else moment.replace(tzinfo=self.zone)

    def history(self) -> list[PastStep]:
        steps = self.record.get("statusHistory", [])
        if not isinstance(steps, list):
            self.bad("statusHistory", f"expected a list, got {_kind(steps)}")
            return []
        return [step for place, value in enumerate(steps) if (step := self.step(f"statusHistory[{place}]", value))]

    def step(self, field: str, value: Any) -> PastStep | None:
        if not isinstance(value, dict):
            self.bad(field, f"expected an object, got {_kind(value)}")
            return None
        status = self.status(f"{field}.status", value.get("status"))
        at = self.time(f"{field}.at", value.get("at"))
        by, reason = self.text(f"{field}.by", value.get("by")), self.text(f"{field}.reason", value.get("reason"))
        channel = value.get("channel") if value.get("channel") in StatusChange.Channel.values else ""
        ours = STEP_KEYS | ({"channel"} if channel else set())
        extra = {name: _plain(kept) for name, kept in value.items() if name not in ours}
        if not status or at is None:
            return None
        return PastStep(status, at, by[:150], channel or StatusChange.Channel.IMPORT, reason, extra)

    def fields(self) -> dict[str, Any]:
        customer = self.record.get("customer")
        customer = {"name": customer} if isinstance(customer, str) else self.group("customer")
        window = self.group("window")
        return {
            "location": self.text("location", self.record.get("location")),
            "price": self.price(),
            "service": self.record.get("service") or Job.Service.JUNK_REMOVAL,
            "crew": self.record.get("crew") or [],
            "load_eighths": self.record.get("loadEighths"),
            "access_notes": self.text("accessNotes", self.record.get("accessNotes")),
            "notes": self.text("notes", self.record.get("notes")),
            "customer_name": self.text("customer.name", customer.get("name")),
            "customer_email": self.text("customer.email", customer.get("email")),
            "customer_phone": self.phone(customer.get("phone")),
            "window_start": self.time("window.start", window["start"]) if window.get("start") else None,
            "window_end": self.time("window.end", window["end"]) if window.get("end") else None,
            "extra": {name: _plain(value) for name, value in self.record.items() if name not in OURS},
        }

    def group(self, field: str) -> dict[str, Any]:
        value = self.record.get(field) or {}
        if isinstance(value, dict):
            return value
        self.bad(field, f"expected an object, got {_kind(value)}")
        return {}

    def price(self) -> Decimal | None:
        value = self.record.get("price")
        if value is None:
            return None
        try:
            if isinstance(value, bool):
                raise InvalidOperation
            price = Decimal(value)
            if not price.is_finite():
                raise InvalidOperation
        except (InvalidOperation, TypeError, ValueError):
            self.bad("price", f"expected an amount such as 600 or 149.50, got {_shown(value)}")
            return None
        return price

    def phone(self, value: Any) -> str:
        try:
            return to_e164(self.text("customer.phone", value))
        except ValidationError as error:
            self.bad("customer.phone", " ".join(error.messages))
            return ""


def _plain(value: Any) -> Any:
    """What JSON can hold again: the stream gives numbers as Decimal."""
    if isinstance(value, Decimal):
        plain = int(value) if value == value.to_integral_value() else float(value)
        return plain if math.isfinite(plain) else str(value)
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "nothing"}
    return names.get(type(value), "a number")


def _shown(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}…"
