"""How an object in the bucket can differ from what the database has."""

from dataclasses import dataclass, replace

from dispatch.models import Board

from . import boards
from .repository import Corrupt, Document, same

Found = Document | Corrupt | FileNotFoundError
"""What is in an object, or why that is nothing."""


@dataclass(frozen=True)
class Difference:
    """An object that is not as the database has it. `kind`: missing, corrupt, older (not copied yet), newer, different (the
    same number, other content), unmade (the database's own row makes no document), unknown (no such job), stale (no
    such link), foreign (another database's). `seq` and `epoch` are the object's."""

    name: str
    kind: str
    detail: str = ""
    uid: str = ""
    board: str = ""
    seq: int = 0
    epoch: str = ""

    def __str__(self) -> str:
        return f"{self.name}: {self.kind}" + (f" ({self.detail})" if self.detail else "")


def of_job(name: str, stored: Found, document: Document) -> Difference | None:
    if not isinstance(stored, dict):
        return _unreadable(name, stored)
    if same(stored, document):
        return None
    seq, number = stored["seq"], document["seq"]
    kind = "different" if seq == number else "older" if seq < number else "newer"
    detail = f"it has change {seq}, the database {number}" if seq != number else f"in {_where(stored, document)}"
    return Difference(name, kind, detail, seq=seq, epoch=str(stored.get("epoch")))


def of_board(name: str, stored: Found | None, board: Board) -> Difference | None:
    """A board's object is written now and then, so its number is behind most of the time."""
    if not isinstance(stored, dict):
        return replace(_unreadable(name, stored), board=board.slug)
    facts, seq, epoch = boards.board_document(board), stored["seq"], str(stored.get("epoch"))
    one = Difference(name, "", board=board.slug, seq=seq, epoch=epoch)
    if epoch not in board.epochs:
        return replace(one, kind="foreign", detail=f"written in epoch {epoch}, which this database never had")
    if seq > board.seq:
        return replace(one, kind="newer", detail=f"it has change {seq}, the database {board.seq}")
    here, there = ({fact: document.get(fact) for fact in boards.FACTS} for document in (facts, stored))
    if here != there:
        return replace(one, kind="different", detail=f"in {_where(there, here)}")
    return None


def of_nobody(name: str, kind: str, key: str, stored: Found | None) -> Difference | None:
    """A tombstone is what nobody's object should be."""
    if isinstance(stored, FileNotFoundError) or (isinstance(stored, dict) and is_tombstone(stored)):
        return None
    one = Difference(name, kind, uid=key if kind == "unknown" else "")
    if not isinstance(stored, dict):
        return replace(one, detail="and not readable")
    return replace(one, board=str(stored.get("board", "")), seq=stored["seq"], epoch=str(stored.get("epoch")))


def is_tombstone(document: Document) -> bool:
    """An imported job may have brought a key of that name."""
    return document.get("gone") is True and "token" not in document


def _unreadable(name: str, problem: Corrupt | FileNotFoundError | None) -> Difference:
    if isinstance(problem, Corrupt):
        return Difference(name, "corrupt", str(problem).removeprefix(f"{name} "))
    return Difference(name, "missing")


def _where(stored: Document, document: Document) -> str:
    """The keys, not the values: a report is read by more people than a job is."""
    keys = sorted(key for key in stored.keys() | document.keys() if key != "epoch")
    return ", ".join(key for key in keys if not same(_only(key, stored), _only(key, document)))


def _only(key: str, document: Document) -> Document:
    return {key: document[key]} if key in document else {}
