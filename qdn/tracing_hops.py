"""What the hops of a trace have in common."""

from dataclasses import dataclass
from typing import Any

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
