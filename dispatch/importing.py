"""Imports jobs.json: first look at every record and write nothing, then open the new jobs in batches.

Ids, tokens and history are kept. A job that is already here stays as it is, so running an import twice, or again after it
was interrupted, does no harm.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import IO

from django.db import transaction
from django.db.models import Q

from . import flow
from .jobs_file import BadRecord, Record, read
from .jobs_stream import records
from .models import Board, Job, StatusChange

BATCH = 200


@dataclass
class Report:
    seen: int = 0
    new: int = 0
    already_here: int = 0
    bad: int = 0
    problems: list[str] = field(default_factory=list)  # of the last batch, for the caller to show and clear


def check(file: IO[bytes], board: Board, progress: Callable[[Report], None]) -> Report:
    """Counts what an import would do and writes nothing. Raises jobs_stream.BadFile."""
    return _go_through(file, board, progress, lambda batch: None)


def load(file: IO[bytes], board: Board, progress: Callable[[Report], None], *, by: str) -> Report:
    """Opens the jobs that are new and fit. Each batch is one transaction. Raises jobs_stream.BadFile."""

    def write(batch: list[Record]) -> None:
        with transaction.atomic():
            for record in batch:
                flow.open_job(
                    board, by=by, channel=StatusChange.Channel.IMPORT, past=record.past, hint=False,
                    uid=record.uid, token=record.token, **record.fields,
                )  # fmt: skip

    return _go_through(file, board, progress, write)


def _go_through(
    file: IO[bytes], board: Board, progress: Callable[[Report], None], write: Callable[[list[Record]], None]
) -> Report:
    report, before = Report(), _Before()
    parsed = _parsed(file, board)
    while batch := list(islice(parsed, BATCH)):
        here, taken = _known([record for _, record in batch if isinstance(record, Record)])
        new = []
        for key, record in batch:
            problems = record.problems if isinstance(record, BadRecord) else before.clashes(record, taken)
            if problems:
                report.problems += [one_line(f"{key}: {name}: {reason}") for name, reason in problems]
            elif isinstance(record, Record) and record.uid in here:
                report.already_here += 1
            elif isinstance(record, Record):
                new.append(record)
        write(new)
        report.seen += len(batch)
        report.new += len(new)
        report.bad = report.seen - report.new - report.already_here
        progress(report)
    return report


class _Before:
    """The ids and tokens that the file had so far."""

    def __init__(self) -> None:
        self.uids: set[str] = set()
        self.tokens: set[str] = set()

    def clashes(self, record: Record, taken: dict[str, str]) -> list[tuple[str, str]]:
        problems = []
        if record.uid in self.uids:
            problems.append(("id", "stands in this file twice"))
        elif record.token in self.tokens or taken.get(record.token, record.uid) != record.uid:
            problems.append(("token", "belongs to another job"))
        self.uids.add(record.uid)
        self.tokens.add(record.token)
        return problems


def one_line(text: str) -> str:
    """Safe to print: what a file holds may break lines or steer a terminal."""
    return "".join(character if character.isprintable() else "�" for character in " ".join(text.split()))


def _parsed(file: IO[bytes], board: Board) -> Iterator[tuple[str, Record | BadRecord]]:
    for key, record in records(file):
        try:
            yield _name(key, record), read(key, record, board.zone)
        except BadRecord as bad:
            yield _name(key, record), bad


def _name(key: str, record: object) -> str:
    """How a report calls a record: by its id where it has one."""
    uid = record.get("id") if isinstance(record, dict) else None
    return f"{key} ({uid})" if key.startswith("#") and isinstance(uid, str) else key


def _known(batch: list[Record]) -> tuple[set[str], dict[str, str]]:
    """The ids that are already here, and whose each token is."""
    wanted = {record.uid: record.token for record in batch}
    found = Job.objects.filter(Q(uid__in=wanted) | Q(token__in=wanted.values())).values_list("uid", "token")
    return {uid for uid, _ in found}, {token: uid for uid, token in found}
