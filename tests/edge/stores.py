"""A store in memory for the tests of releases, and one that ends whoever uses it at a chosen step."""

import hashlib
import threading
from collections.abc import Iterator

from edge.store import Conflict


class MemoryStore:
    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.types: dict[str, tuple[str, str]] = {}
        self.writes: list[str] = []
        self._lock = threading.Lock()

    def read(self, name: str) -> tuple[bytes, str]:
        if name not in self.objects:
            raise FileNotFoundError(name)
        return self.objects[name], _etag(self.objects[name])

    def write(
        self, name: str, content: bytes, *, if_match: str | None, content_type: str, cache_control: str
    ) -> str:  # fmt: skip
        with self._lock:
            if self.etag(name) != if_match:
                raise Conflict(name)
            self.objects[name], self.types[name] = content, (content_type, cache_control)
            self.writes.append(name)
        return _etag(content)

    def etag(self, name: str) -> str | None:
        return _etag(self.objects[name]) if name in self.objects else None

    def names(self, prefix: str) -> Iterator[str]:
        yield from sorted(name for name in self.objects if name.startswith(prefix))

    def delete(self, name: str) -> None:
        self.objects.pop(name, None)


class Killed(BaseException):
    """The process ended here."""


class Mortal:
    """Counts the steps of an object's methods, and ends the caller before or after the one that is chosen."""

    def __init__(self, inner: object, clock: "Countdown") -> None:
        self._inner, self._clock = inner, clock

    def __getattr__(self, name: str):
        method = getattr(self._inner, name)

        def step(*arguments, **more):
            self._clock.tick()
            result = method(*arguments, **more)
            self._clock.tick()
            return result

        return step


class Countdown:
    def __init__(self, left: int | None = None) -> None:
        self.left, self.ticks = left, 0
        self._lock = threading.Lock()

    def tick(self) -> None:
        with self._lock:
            self.ticks += 1
            if self.left is not None and self.ticks > self.left:
                raise Killed


def _etag(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
