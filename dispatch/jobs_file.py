"""Reads one record of a jobs.json, as another system or our own mirror wrote it. Only `id token status location price
createdAt statusHistory` are certain to be there; docs/import.md has the rest.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.utils.dateparse import parse_datetime

from . import wishes_file
from .flow import PastStep
from .models import TOKEN, UID, Job, StatusChange
from .phones import to_e164
from .statuses import STATUS_FLOW

REQUIRED = ("id", "token", "status", "location", "price", "createdAt", "statusHistory")
OURS = frozenset({
    *REQUIRED, "service", "window", "crew", "customer", "loadEighths", "accessNotes", "notes",
    # of the system that wrote the file, and given anew here:
    "seq", "epoch", "board", "updatedAt", "updatedBy", "statusAt", "rank",
    # read by wishes_file:
    "preferredDay", "asks", "photos", "optedOut", "formerTokens",
})  # fmt: skip
CUSTOMER = frozenset({"name", "phone", "email", "language", "notify"})
GROUPS = {"window": frozenset({"start", "end"}), "customer": CUSTOMER}
STEP_KEYS = frozenset({"status", "at", "by", "reason", "seq"})
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


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


def read(key: str, record: Any, zone: ZoneInfo) -> Record:
    """Checks everything and reports all that is wrong at once, as BadRecord. Times without a zone are `zone`'s."""
    if not isinstance(record, dict):
        raise BadRecord([("record", f"expected an object, got {_kind(record)}")])
    if unstorable := [name for name, value in record.items() if has_unstorable_text([name, value])]:
        raise BadRecord([(name, "has characters that no text may have, such as U+0000") for name in unstorable])
    problems: list[tuple[str, str]] = [(name, "is missing") for name in REQUIRED if name not in record]
    reader = _Reader(record, zone, problems)
    uid = reader.matching("id", UID, "up to 64 letters, digits, - and _")
    if uid and not key.startswith("#") and key != uid:
        problems.append(("id", f"is {_shown(uid)} but the record's key is {_shown(key)}"))
    token = reader.matching("token", TOKEN, "8 to 64 letters, digits, - and _")
    status = reader.status("status", record.get("status"), given="status" in record)
    created_at = reader.time("createdAt", record["createdAt"]) if "createdAt" in record else None
    past = reader.history()
    status_at = created_at
    if status and past and past[-1].status != status and record.get("updatedAt"):
        status_at = reader.time("updatedAt", record["updatedAt"])
    fields = reader.fields()
    _check_fields(fields, problems)
    if problems or status_at is None:
        raise BadRecord(problems)
    if not past or past[-1].status != status:
        past.append(PastStep(status, max([status_at, *[step.at for step in past]])))
    return Record(uid, token, past, fields | {"created_at": created_at})


def _check_fields(fields: Mapping[str, Any], problems: list[tuple[str, str]]) -> None:
    job = Job(**fields)
    try:
        job.full_clean(exclude=["board", "seq", "rank"], validate_unique=False, validate_constraints=False)
    except ValidationError as error:
        known = {field for field, _ in problems}
        found = [(_file_name(name), " ".join(messages)) for name, messages in error.message_dict.items()]
        problems += [problem for problem in found if problem[0] not in known]


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
        try:
            moment = parse_datetime(value.strip()) if isinstance(value, str) else None
        except ValueError:
            moment = None
        if moment is None or not 1900 <= moment.year < 2200:
            self.bad(field, f"expected a time such as 2026-05-04T16:30:00Z, got {_shown(value)}")
            return None
        return (moment if moment.tzinfo else moment.replace(tzinfo=self.zone)).astimezone(UTC)

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
        wishes, others = wishes_file.read(_plain({key: self.record.get(key) for key in wishes_file.LATER}))
        return {
            "location": self.text("location", self.record.get("location")),
            "price": self.price(),
            "service": self.record.get("service") or Job.Service.JUNK_REMOVAL,
            "crew": self.record.get("crew") or [],
            "load_eighths": self.whole_number("loadEighths"),
            "access_notes": self.text("accessNotes", self.record.get("accessNotes")),
            "notes": self.text("notes", self.record.get("notes")),
            "customer_name": self.text("customer.name", customer.get("name")),
            "customer_email": self.text("customer.email", customer.get("email")),
            "customer_phone": self.phone(customer.get("phone")),
            "customer_language": customer.get("language") if customer.get("language") in Job.Language else "en",
            "customer_notify": customer.get("notify") is not False,
            "window_start": self.time("window.start", window["start"]) if window.get("start") else None,
            "window_end": self.time("window.end", window["end"]) if window.get("end") else None,
            "extra": self.unknown(others),
            **wishes,
        }

    def unknown(self, others: dict[str, Any]) -> dict[str, Any]:
        """What we do not know is kept under its name; inside a group we know, as `customer.vip`."""
        kept = {name: value for name, value in self.record.items() if name not in OURS} | others
        for group, known in GROUPS.items():
            inside = self.record.get(group)
            if isinstance(inside, dict):
                kept |= {f"{group}.{name}": value for name, value in inside.items() if name not in known}
        return {name: _plain(value) for name, value in kept.items()}

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
            if isinstance(value, bool | list):  # Decimal takes both
                raise InvalidOperation
            price = Decimal(value)
            if not price.is_finite():
                raise InvalidOperation
        except (InvalidOperation, TypeError, ValueError):
            self.bad("price", f"expected an amount such as 600 or 149.50, got {_shown(value)}")
            return None
        return price

    def whole_number(self, field: str) -> int | None:
        value = self.record.get(field)
        if isinstance(value, Decimal) and value == value.to_integral_value() and value.adjusted() < 9:
            return int(value)
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        self.bad(field, f"expected a whole number, got {_shown(value)}")
        return None

    def phone(self, value: Any) -> str:
        try:
            return to_e164(self.text("customer.phone", value))
        except ValidationError as error:
            self.bad("customer.phone", " ".join(error.messages))
            return ""


def has_unstorable_text(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(has_unstorable_text, [*value, *value.values()]))
    if isinstance(value, list):
        return any(map(has_unstorable_text, value))
    return isinstance(value, str) and bool(_UNSTORABLE.search(value))


def _plain(value: Any) -> Any:
    """What JSON can hold again: the stream gives numbers as Decimal."""
    if isinstance(value, Decimal):
        if abs(value.adjusted()) > 300:
            return str(value)  # beyond what a float holds, and too long to write out
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value


def _file_name(column: str) -> str:
    """What the file calls a column of Job: `load_eighths` is `loadEighths`, `window_end` is `window.end`."""
    group, _, inside = column.partition("_")
    if group in GROUPS:
        return f"{group}.{inside}"
    return group + "".join(part.title() for part in inside.split("_"))


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "nothing"}
    return names.get(type(value), "a number")


def _shown(value: Any) -> str:
    shown = json.dumps(_plain(value), ensure_ascii=False)
    return shown if len(shown) <= 60 else f"{shown[:57]}…"
