"""Where a site lies: a bucket, or a folder on a laptop. Both can compare and swap."""

from collections.abc import Iterator
from typing import Protocol


class EdgeError(Exception):
    """A step cannot be done. Its message is one line for the person who asked for it."""


class Conflict(Exception):
    """Somebody else wrote the object in the meantime."""


class Store(Protocol):
    """Objects with names such as `production/track.html`."""

    def read(self, name: str) -> tuple[bytes, str]:
        """The object and its etag. Raises FileNotFoundError."""

    def write(
        self, name: str, content: bytes, *, if_match: str | None, content_type: str, cache_control: str
    ) -> str:  # fmt: skip
        """Replaces the object whose etag is `if_match`, or creates it when that is None; returns the new etag. Raises
        Conflict when the object is another one, is gone, or exists already."""

    def etag(self, name: str) -> str | None:
        """The etag of the object, None when there is none."""

    def names(self, prefix: str) -> Iterator[str]:
        """The names that begin with `prefix`."""

    def delete(self, name: str) -> None: ...
