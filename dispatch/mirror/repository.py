"""Documents in a compare-and-swap storage. An object only ever moves forward.

Every document carries `seq`, the number of the change it shows, and `epoch`, the life of the database that gave the number.
"""

import json
import threading
from collections.abc import Iterator
from enum import Enum
from typing import Any

from .storages import CompareAndSwap, Conflict, MirrorError

ATTEMPTS = 5
Document = dict[str, Any]


class Put(Enum):
    WRITTEN = "written"
    THERE = "there"  # the object says the same already


class Ahead(MirrorError):
    """The stored object has a later change than the document, another one under the same number, or a step that the
    document lacks. Either another worker was faster, or the document comes from a database that was put back, or from one
    that this bucket does not belong to."""

    def __init__(self, name: str, stored: Document, document: Document) -> None:
        super().__init__(f"{name} has change {stored['seq']} already, and this is another change {document['seq']}")
        self.name, self.stored = name, stored
        self.epoch, self.seq = str(stored.get("epoch")), int(stored["seq"])


class Corrupt(ValueError):
    """An object that is no document with a number: half of one, or some other program's."""


class JobRepository:
    """Reads and writes documents, whoever else writes them: another thread, another process, another machine."""

    def __init__(self, storage: CompareAndSwap) -> None:
        self.storage = storage
        self.conflicts = 0
        self._counting = threading.Lock()

    def read(self, name: str) -> Document:
        """Raises FileNotFoundError and Corrupt."""
        return parse(name, self.storage.read(name)[0])

    def names(self, prefix: str) -> Iterator[str]:
        return self.storage.names(prefix)

    def put(self, name: str, document: Document) -> Put:
        """Writes the document unless the object says the same. Raises Ahead.

        A write that succeeded but lost its reply comes back as a conflict, and reading again then finds it done. A worker
        that slept and wakes up with an old document finds a newer one and leaves it. Raises Conflict only when somebody
        else keeps writing this object, and whatever the storage raises when it cannot be reached.
        """
        for attempt in range(ATTEMPTS):
            stored, etag = self.look(name)
            if stored is not None and not is_older(name, stored, document):
                return Put.THERE
            try:
                self.write(name, document, if_match=etag)
            except Conflict:
                if attempt == ATTEMPTS - 1:
                    raise
            else:
                return Put.WRITTEN
        raise AssertionError("unreachable")

    def write(self, name: str, document: Document, *, if_match: str | None) -> None:
        """Writes it, whatever it says, if the object is still the one with that etag. Raises Conflict."""
        metadata = {"seq": str(document["seq"]), "epoch": str(document["epoch"])}
        try:
            self.storage.write(name, serialise(document), if_match=if_match, metadata=metadata)
        except Conflict:
            with self._counting:
                self.conflicts += 1
            raise

    def look(self, name: str) -> tuple[Document | None, str | None]:
        """The stored document, None when there is none or nothing readable, and the object's etag."""
        try:
            content, etag = self.storage.read(name)
        except FileNotFoundError:
            return None, None
        try:
            return parse(name, content), etag
        except Corrupt:
            return None, etag  # the database is the truth


def is_older(name: str, stored: Document, document: Document) -> bool:
    """Whether the document may replace the stored one; if not, they say the same. Raises Ahead."""
    if stored["seq"] < document["seq"] and (stored.get("epoch") != document["epoch"] or continues(document, stored)):
        return True
    if stored["seq"] == document["seq"]:
        if same(stored, document):
            return False
        if stored.get("updatedAt") == document.get("updatedAt"):
            return True  # the same change, in the words of another version of this program
    raise Ahead(name, stored, document)


def continues(document: Document, stored: Document) -> bool:
    """Whether the document has all steps of the stored one. Within an epoch a history only grows; if steps are missing,
    the database was put back and gave their numbers away again."""
    return _steps(stored) <= _steps(document)


def _steps(document: Document) -> set[tuple[Any, ...]]:
    history = document.get("statusHistory")
    steps = [step for step in history if isinstance(step, dict)] if isinstance(history, list) else []
    return {(str(step.get("at")), str(step.get("status")), str(step.get("by"))) for step in steps}


def same(stored: Document, document: Document) -> bool:
    """Whether both say the same. After a restore an object keeps the epoch that wrote it until its next change."""
    return _without_epoch(stored) == _without_epoch(document)


def _without_epoch(document: Document) -> Document:
    return json.loads(serialise({key: value for key, value in document.items() if key != "epoch"}))


def serialise(document: Document) -> bytes:
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return text.encode(errors="backslashreplace")  # half a surrogate pair, which JSON writes as \ud83d


def parse(name: str, content: bytes) -> Document:
    """Raises Corrupt."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise Corrupt(f"{name} is not JSON: {error}") from None
    if not isinstance(document, dict) or type(document.get("seq")) is not int:
        raise Corrupt(f"{name} is not a document of ours: it has no number")
    return document
