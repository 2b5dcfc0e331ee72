"""Job documents in a compare-and-swap storage. An object only ever moves forward."""

import json
from typing import Any

from .storages import CompareAndSwap, Conflict

ATTEMPTS = 5


class JobRepository:
    """Reads and writes documents that carry a change number (`seq`) and the epoch it belongs to."""

    def __init__(self, storage: CompareAndSwap) -> None:
        self.storage = storage

    def read(self, name: str) -> dict[str, Any]:
        """Raises FileNotFoundError, and ValueError for an object that is not a JSON document."""
        return _parse(name, self.storage.read(name)[0])

    def put(self, name: str, document: dict[str, Any]) -> bool:
        """Writes the document unless the stored one is as new or newer; says whether it wrote.

        A write that succeeded but lost its reply comes back as a conflict, and reading again then finds it done. A worker
        that slept and wakes up with an old document finds a newer one and leaves it. Raises Conflict only when somebody
        else keeps writing this object, and whatever the storage raises when it cannot be reached.
        """
        text = json.dumps(document, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
        content = text.encode(errors="backslashreplace")  # half a surrogate pair, which JSON writes as \ud83d
        for attempt in range(ATTEMPTS):
            behind, etag = self._compare(name, document)
            if not behind:
                return False
            try:
                self.storage.write(name, content, if_match=etag)
            except Conflict:
                if attempt == ATTEMPTS - 1:
                    raise
            else:
                return True
        raise AssertionError("unreachable")

    def _compare(self, name: str, document: dict[str, Any]) -> tuple[bool, str | None]:
        """Whether the stored object is older than the document, and its etag; None when there is no object."""
        try:
            content, etag = self.storage.read(name)
        except FileNotFoundError:
            return True, None
        try:
            stored = _parse(name, content)
        except ValueError:
            return True, etag  # half an object of some other program: the database is the truth
        same_epoch = stored.get("epoch") == document["epoch"]
        return not (same_epoch and stored.get("seq", 0) >= document["seq"]), etag


def _parse(name: str, content: bytes) -> dict[str, Any]:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{name} is not JSON: {error}") from None
    if not isinstance(document, dict) or not isinstance(document.get("seq", 0), int):
        raise ValueError(f"{name} is not a job document")
    return document
