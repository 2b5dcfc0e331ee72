"""What the hops of a trace have in common."""

import json
from dataclasses import dataclass, field
from typing import Any

from dispatch.mirror.repository import Document
from dispatch.models import Job
from edge import looking

OK, BROKEN, SKIPPED = "ok", "broken", "skipped"


@dataclass(frozen=True)
class Hop:
    name: str
    state: str
    said: str
    remedy: str = ""
    ms: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        return {"hop": self.name, "state": self.state, "said": self.said, "remedy": self.remedy, "ms": round(self.ms, 1)}


@dataclass(frozen=True)
class Sought:
    """What the hops look for. `job` is None when the database does not know the link or cannot be asked: what the others
    have under its token is told all the same. `expected` is the public object as the database makes it."""

    token: str
    job: Job | None = None
    expected: Document = field(default_factory=dict)

    @property
    def is_gone(self) -> bool:
        return bool(self.expected.get("gone"))


@dataclass(frozen=True)
class Visit:
    """What a customer opens, and what has to come of it: the page of that name with that query, and `mark` in it. A page
    of a release has `shell`, too, one that Django made for this visit has not. `words` say the query without a token."""

    path: str
    page: str
    query: str
    words: str
    mark: bytes
    shell: bytes


def of_job(token: str) -> Visit:
    return Visit(f"/track/{token}", "track.html", f"token={token}", "the token", b'id="job"', b"data-shell")


def of_booking(path: str, step: str) -> Visit:
    return Visit(path, "book.html", f"step={step}", f"step={step}", b'id="book"', b"<template data-lang=")


class Broken(Exception):
    def __init__(self, said: str, remedy: str) -> None:
        super().__init__(said)
        self.remedy = remedy


class Skipped(Exception):
    """There is nothing to look at. The message says why."""


def fetch(origin: str, path: str, check: str, **headers: str) -> looking.Answer:
    """Raises Broken; `check` is what to look at when nobody answers."""
    try:
        return looking.fetch(origin, path, **headers)
    except looking.Unreachable as error:
        raise Broken(str(error), f"check {check}") from None


def parse(body: bytes) -> Document | None:
    """The public copy of a job, or None when it is none."""
    try:
        found = json.loads(body)
        return found | {"seq": int(found["seq"])}
    except (ValueError, KeyError, TypeError):
        return None
