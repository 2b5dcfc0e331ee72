"""Reads jobs.json, `{"jobs": {"<id>": {…}}}`, the state of all jobs in one document, as a stream: one record at a time,
whatever the size of the file.
"""

import re
from collections.abc import Iterator
from decimal import DecimalException
from itertools import chain
from typing import IO, Any

import ijson

Events = Iterator[tuple[str, Any]]

DEEPEST = 50
LONGEST_NUMBER = 1000
_STARTS, _ENDS = frozenset({"start_map", "start_array"}), frozenset({"end_map", "end_array"})
_ENDLESS = re.compile(rb"[0-9]{%d}" % LONGEST_NUMBER)


class BadFile(Exception):
    """The file as a whole cannot be read."""


def records(file: IO[bytes]) -> Iterator[tuple[str, Any]]:
    """Yields (key, record) for `{"jobs": {key: record}}`; the key is `#1`, `#2`, … for `{"jobs": [record, …]}`. Raises
    BadFile for anything else, as soon as the reading gets there."""
    file.seek(0)
    try:
        yield from _records(ijson.basic_parse(_Guarded(file)))
    except (ijson.JSONError, UnicodeDecodeError) as error:
        raise BadFile(f"it is not whole JSON: {_first_line(error)}") from None
    except DecimalException:
        raise BadFile("there is a number in it that is out of all bounds") from None


class _Guarded:
    """The file as the parser reads it. The parser cannot survive a whole number with thousands of digits."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.before = file, b""

    def read(self, size: int = -1) -> bytes:
        chunk = self.file.read(size)
        joined = self.before + chunk
        if _ENDLESS.search(joined):
            raise BadFile(f"there is a number in it with {LONGEST_NUMBER:,} digits or more")
        self.before = joined[-LONGEST_NUMBER:]
        return chunk


def _records(events: Events) -> Iterator[tuple[str, Any]]:
    found = False
    if next(events)[0] == "start_map":
        for event, name in events:  # the keys of the document
            if event == "end_map":
                continue
            first = next(events)
            if name == "jobs" and first[0] in _STARTS:
                found = True
                yield from _entries(first[0], events)
            else:
                _value(first, events, keep=False)
    for _ in events:  # to the end: a broken file is called broken
        pass
    if not found:
        raise BadFile('there is no "jobs" in it; expected {"jobs": {"<id>": {…}}}')


def _entries(start: str, events: Events) -> Iterator[tuple[str, Any]]:
    for place, (event, value) in enumerate(events, start=1):
        if event in _ENDS:
            return
        if start == "start_map":
            yield value, _value(next(events), events)
        else:
            yield f"#{place}", _value((event, value), events)


def _value(first: tuple[str, Any], events: Events, *, keep: bool = True) -> Any:
    """Takes one whole value, which begins with `first`, from the events."""
    builder, depth = ijson.ObjectBuilder(), 0
    for event, value in chain([first], events):
        if keep:
            builder.event(event, value)
        depth += (event in _STARTS) - (event in _ENDS)
        if depth > DEEPEST:
            raise BadFile(f"it is nested more than {DEEPEST} levels deep")
        if not depth:
            break
    return builder.value if keep else None


def _first_line(error: Exception) -> str:
    text = error.args[0] if error.args else ""
    text = text.decode(errors="replace") if isinstance(text, bytes) else str(error)
    return text.strip().partition("\n")[0].rstrip(".") or "it ends too early"
