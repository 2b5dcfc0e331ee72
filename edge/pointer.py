"""`production/release.json` and `staging/release.json`: which release is there, who is changing that, and what was done
before. One object, changed by compare-and-swap, so that it is lock and record in one.

    {"release", "to", "number", "by", "at", "stopped", "holder",
     "history": [{"number", "at", "by", "came_from", "to", "result"}]}

`to` is the release that is being brought there, null when it is at rest; `at` is when its bringer was last heard of, and
`stopped` says why they gave up; `holder` is the process that is at it, and differs for each who ever was (holders.py).
Times are ISO 8601 in UTC.
"""

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from . import holders
from .store import Conflict, EdgeError, Store

FILE = "release.json"
NAME = f"{{place}}/{FILE}"
PRODUCTION, STAGING = "production", "staging"
KEPT = 200
LEASE = timedelta(minutes=10)
"""Who says nothing for so long is not at it any more, and somebody else may take over. That a process of this machine has
ended is known at once."""
BEAT = timedelta(minutes=1)
LONGEST = 1000
"""Of what is written down about a failure."""
LIVE = "live"
"""The result of a release that works."""


class Busy(EdgeError):
    """Somebody else is changing it."""

    def __init__(self, pointer: "Pointer") -> None:
        super().__init__(
            f"{pointer.by} is bringing release {pointer.to} to {pointer.place}{_until_when(pointer)}"
            if pointer.to
            else f"{pointer.by} has just brought release {pointer.release} to {pointer.place}: see `manage.py edge status`"
        )


def _until_when(pointer: "Pointer") -> str:
    """Where somebody is at it, and what to do should that process have been killed."""
    said, host = f", last heard of at {pointer.at}. Wait for it;", holders.host(pointer.holder)
    if holders.is_here(pointer.holder):
        return f" on this machine{said} once that process has ended, try again at once"
    later = f"from {_iso(datetime.fromisoformat(pointer.at) + LEASE)} on"
    if host:
        return f" on {host}{said} if it was killed, try again there at once, or here {later}"
    return f"{said} if it was killed, try again {later}"


class Lost(EdgeError):
    """Somebody else took over in the meantime."""

    def __init__(self, pointer: "Pointer") -> None:
        way = f"is bringing release {pointer.to}" if pointer.to else f"has brought release {pointer.release}"
        super().__init__(
            f"{pointer.by} took over in the meantime and {way} to {pointer.place}. `manage.py edge verify` says whether it"
            " is whole"
        )


class Changed(EdgeError):
    """It is not any more what the person saw who decided."""

    def __init__(self, pointer: "Pointer") -> None:
        super().__init__(
            f"{pointer.place} has changed since you looked at it: see `manage.py edge status`, and decide again"
        )
        self.pointer = pointer


@dataclass(frozen=True)
class Entry:
    number: int
    at: str
    by: str
    came_from: str | None
    to: str
    result: str


@dataclass(frozen=True)
class Pointer:
    place: str = PRODUCTION
    release: str | None = None
    to: str | None = None
    number: int = 0
    by: str = ""
    at: str = ""
    stopped: str = ""
    holder: str = ""
    history: Sequence[Entry] = ()
    etag: str | None = None

    def is_held(self, now: datetime) -> bool:
        """Whether somebody is at it, as far as can be known here."""
        is_recent = bool(self.to) and not self.stopped and now - datetime.fromisoformat(self.at) < LEASE
        return is_recent and not holders.is_gone(self.holder)

    def before(self) -> str | None:
        """What to go back to: the release that was live before this one, or this one while another is on its way."""
        if self.to and self.release:
            return self.release
        return next((one.to for one in reversed(self.history) if one.to != self.release and one.result == LIVE), None)

    @property
    def state(self) -> str:
        """What a person has before their eyes who decides. It differs after each change."""
        return f"{self.number} {self.release} {self.to}"

    def facts(self) -> dict[str, Any]:
        return {key: value for key, value in asdict(self).items() if key not in {"place", "etag"}}

    def as_bytes(self) -> bytes:
        return json.dumps(self.facts(), indent=1).encode()


def read(store: Store, place: str = PRODUCTION) -> Pointer:
    """Raises EdgeError when it is damaged: then nobody knows what is there."""
    name = NAME.format(place=place)
    try:
        content, etag = store.read(name)
    except FileNotFoundError:
        return Pointer(place)
    try:
        facts = json.loads(content)
        history = [Entry(**entry) for entry in facts["history"]]
        _check(Pointer(place, **facts, etag=etag))
        for entry in history:
            _check(entry)
        return Pointer(place, **facts | {"history": history}, etag=etag)
    except (ValueError, TypeError, KeyError, AttributeError):
        raise EdgeError(f"{name} is damaged: put an earlier version of it back") from None


def _check(read: "Pointer | Entry") -> None:
    """Raises TypeError and ValueError for what was not written here."""
    optional = {"release", "came_from", "to"} if isinstance(read, Pointer) else {"came_from"}
    for name, value in vars(read).items():
        wanted = {"number": int, "history": list}.get(name, str)
        if name != "etag" and type(value) is not wanted and not (value is None and name in optional):
            raise TypeError(name)
    if (read.at or isinstance(read, Entry) or read.to) and datetime.fromisoformat(read.at).tzinfo is None:
        raise ValueError(read.at)


@dataclass
class Hold:
    """The right to change a place, kept up by its holder. Whatever it does raises Lost when somebody else has it now."""

    store: Store
    pointer: Pointer
    now: Callable[[], datetime]

    def beat(self) -> None:
        """Says that it is still being worked on."""
        self._write(replace(self.pointer, at=_iso(self.now())))

    def beat_now_and_then(self) -> None:
        """For long waits."""
        if self.now() - datetime.fromisoformat(self.pointer.at) >= BEAT:
            self.beat()

    def check(self) -> None:
        """Writes nothing."""
        found = read(self.store, self.pointer.place)
        if found.etag != self.pointer.etag:
            raise Lost(found)

    def turn(self, to: str) -> None:
        """Goes elsewhere instead: back."""
        self._write(replace(self.pointer, to=to, number=self.pointer.number + 1, at=_iso(self.now())))

    def rest(self, came_from: str | None, result: str) -> Pointer:
        """What it was being brought to is there, all of it."""
        at, to = _iso(self.now()), str(self.pointer.to)
        entry = Entry(self.pointer.number, at, self.pointer.by, came_from, to, result[:LONGEST])
        self._write(replace(self.pointer, release=to, to=None, at=at, history=[*self.pointer.history, entry][-KEPT:]))
        return self.pointer

    def stop(self, reason: str) -> None:
        """Gives up, so that nobody has to wait until it is clear that nobody comes back."""
        self._write(replace(self.pointer, stopped=reason[:LONGEST] or "interrupted", at=_iso(self.now())))

    def _write(self, pointer: Pointer) -> None:
        try:
            self.pointer = _write(self.store, pointer)
        except Conflict:
            raise Lost(read(self.store, pointer.place)) from None


def take(
    store: Store, place: str, to: str, *, by: str, now: Callable[[], datetime], expect: str | None = None
) -> Hold:  # fmt: skip
    """Declares that `to` is being brought there, or goes on with it. What somebody else began, or was to bring something
    else, and was never finished goes down in history. Raises Busy while somebody is at it, whatever they bring, and Changed
    when its state is not the one to `expect`."""
    found = read(store, place)
    if found.is_held(now()):
        raise Busy(found)
    if expect not in {None, found.state}:
        raise Changed(found)
    resumed = found.to == to
    number = found.number if resumed else found.number + 1
    try:
        history = found.history if resumed and found.by == by else [*found.history, *_unfinished(found)][-KEPT:]
        mine = replace(found, by=by, at=_iso(now()), stopped="", holder=holders.new(), history=history)
        taken = _write(store, replace(mine, to=to, number=number))
    except Conflict:
        raise Busy(read(store, place)) from None
    return Hold(store, taken, now)


def _unfinished(found: Pointer) -> list[Entry]:
    """As with one that was taken back, `to` is the release that counted as there when it was given up."""
    if not found.to:
        return []
    why = f"release {found.to} was begun and not finished: {found.stopped or 'nothing more was heard'}"
    came_from, to = (found.to, found.release) if found.release else (None, found.to)
    return [Entry(found.number, found.at, found.by, came_from, to, why[:LONGEST])]


def _write(store: Store, pointer: Pointer) -> Pointer:
    """Raises Conflict. A write that lost its answer is found done: nobody else has the same holder."""
    types = {"content_type": "application/json", "cache_control": "no-store"}
    name, content = NAME.format(place=pointer.place), pointer.as_bytes()
    try:
        return replace(pointer, etag=store.write(name, content, if_match=pointer.etag, **types))
    except Conflict:
        with suppress(FileNotFoundError):
            stored, etag = store.read(name)
            if stored == content:
                return replace(pointer, etag=etag)
        raise


def _iso(now: datetime) -> str:
    return now.astimezone(UTC).isoformat(timespec="seconds")
