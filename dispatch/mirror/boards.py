"""A board as a document, `boards/<slug>.json`: what a restore needs to know, and whose bucket this is.

    {"slug", "name", "timezone", "phone", "seq", "epoch", "epochs": [every epoch of this database]}

`seq` is a number that the board had reached. A database that has not come so far is older than its own copies.
"""

from contextlib import suppress
from typing import Any

from dispatch import flow
from dispatch.models import Board

from .repository import ATTEMPTS, Document, JobRepository, same
from .storages import Conflict, MirrorError

FORMAT = "boards/{slug}.json"
FACTS = ("slug", "name", "timezone", "phone")


class NotOurs(MirrorError):
    """Another database writes to this bucket."""

    def __init__(self, board: Board, stored: Document) -> None:
        super().__init__(
            f"the bucket belongs to another database: {FORMAT.format(slug=board.slug)} was written in epoch"
            f" {stored.get('epoch')}, which this one never had. Give each database a bucket of its own; if this database"
            " replaces the other, `manage.py mirror repair --keep-database` takes the bucket over."
        )


class WentBack(MirrorError):
    """The database was put back to an older state."""

    def __init__(self, board: Board, stored: Document) -> None:
        super().__init__(
            f"the database is older than its copies: board {board.slug} is at change {board.seq}, and the bucket has"
            f" {stored['seq']}. Was it restored from a backup? `manage.py mirror repair` brings back what the bucket knows."
        )


def board_document(board: Board) -> dict[str, Any]:
    facts = {name: getattr(board, name) for name in FACTS}
    return facts | {"seq": board.seq, "epoch": str(board.epoch), "epochs": board.epochs}


def keep_boards(repository: JobRepository) -> set[str]:
    """Writes the boards that moved on since they were written; returns their epochs. Raises NotOurs and WentBack, before
    any job is copied."""
    return {_keep(repository, board) for board in Board.objects.note_epochs()}


def _keep(repository: JobRepository, board: Board) -> str:
    name = FORMAT.format(slug=board.slug)
    for _ in range(ATTEMPTS):
        stored, etag = repository.look(name)
        board.refresh_from_db()  # not older than what is stored: another worker may have written a later look at it
        if stored is not None:
            _check(board, stored)
        document = board_document(board)
        if stored is not None and same(stored, document) and stored["epoch"] == document["epoch"]:
            return str(board.epoch)
        with suppress(Conflict):  # whoever was faster may be another database: it is looked at again
            repository.write(name, document, if_match=etag)
            return str(board.epoch)
    raise Conflict(name)


def _check(board: Board, stored: Document) -> None:
    if stored.get("epoch") not in board.epochs:
        raise NotOurs(board, stored)
    if stored["seq"] > board.seq:
        if stored["epoch"] == str(board.epoch):
            raise WentBack(board, stored)
        flow.renew(board, [], above=stored["seq"])  # a new epoch was begun below the numbers of the last one
        board.refresh_from_db()
