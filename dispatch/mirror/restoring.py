"""Rebuilds an empty database from the bucket alone: first everything is read, checked and kept in a local file, then all
of it is written in one transaction. A restore that was killed leaves an empty database.
"""

import json
import re
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import IO

from django.conf import settings
from django.db import reset_queries, transaction

from dispatch import flow
from dispatch.messages import opt_outs
from dispatch.models import UID, Board, Job

from . import former_boards, reading
from .former_boards import FormerBoard
from .repository import Corrupt, JobRepository
from .storages import CompareAndSwap, MirrorError

CHUNK = 500
NAME = re.compile(rf"jobs/{UID.pattern}\.json")

Progress = Callable[[str, int, int], None]


class NotEmpty(MirrorError):
    """There are jobs already."""

    def __init__(self, jobs: int) -> None:
        super().__init__(
            f"the database has jobs already ({jobs:,}), and a restore rebuilds an empty one. To mend this database, run"
            " `manage.py mirror repair`; to rebuild it, set DATABASE_URL to a new one and run `manage.py migrate`."
        )


class NothingThere(MirrorError):
    """There is nothing to restore from."""

    def __init__(self, storage: CompareAndSwap) -> None:
        where = getattr(storage, "bucket_name", None) or getattr(storage, "location", None) or "the bucket"
        super().__init__(f"there are no copies of jobs (jobs/….json) in {where}: is STATE_BUCKET the right one?")


@dataclass
class Restored:
    jobs: int = 0
    boards: list[tuple[str, int, int]] = field(default_factory=list)
    """(slug, jobs, number of the last change)"""
    problems: list[str] = field(default_factory=list)
    """What could not be restored, and why."""
    notes: list[str] = field(default_factory=list)
    """What is not as its copy has it, or is unusual."""
    tombstones: int = 0
    """Objects that say that there is no such job."""

    def lines(self) -> list[str]:
        passed_over = f" {self.tombstones:,} objects say that their job is gone." if self.tombstones else ""
        return [
            f"{self.jobs:,} jobs restored.{passed_over}",
            *(f"  board {slug}: {jobs:,} jobs, changes go on above {seq:,}" for slug, jobs, seq in self.boards),
            *(f"  note: {note}" for note in self.notes),
            "The worker now looks at every copy once more, which takes reads, and writes only those that differ.",
        ]


def restore(repository: JobRepository, progress: Progress) -> Restored:
    """Raises NotEmpty and NothingThere, and whatever the storage raises when it cannot be reached. An object that cannot be
    restored is left out and named in `problems`."""
    _refuse_jobs()
    done = Restored()
    boards = former_boards.read(repository, done.problems, done.notes)
    with tempfile.TemporaryFile() as spool:
        _collect(repository, boards, spool, done, progress)
        with transaction.atomic():
            rows = {slug: former_boards.write(slug, board) for slug, board in boards.items()}
            _refuse_jobs()  # again, now that the boards are locked: nobody opens a job on them before this is through
            _write(spool, rows, boards, done, progress)
            for slug, board in boards.items():
                flow.begin_epoch(rows[slug], above=board.seq)
                done.boards.append((slug, board.jobs, Board.objects.get(slug=slug).seq))
    return done


def _refuse_jobs() -> None:
    if jobs := Job.objects.count():
        raise NotEmpty(jobs)


@dataclass(frozen=True)
class _Fetched:
    """With neither a problem nor a copy it is a tombstone."""

    name: str
    problem: str = ""
    copy: reading.Copy | None = None
    notes: list[str] = field(default_factory=list)
    line: bytes = b""


def _collect(
    repository: JobRepository, boards: dict[str, FormerBoard], spool: IO[bytes], done: Restored, progress: Progress
) -> None:  # fmt: skip
    """Keeps what is good in the spool, one document a line."""
    names = list(repository.names("jobs/"))
    if not names:
        raise NothingThere(repository.storage)
    tokens: dict[str, str] = {}
    for place, fetched in enumerate(_fetch_all(repository, names), start=1):
        problem, copy = fetched.problem, fetched.copy
        if copy and (other := tokens.setdefault(copy.job.token, copy.job.uid)) != copy.job.uid:
            problem = f"token: is the token of jobs/{other}.json too"
        if problem:
            done.problems.append(f"{fetched.name}: {problem}")
        elif not copy:
            done.tombstones += 1
        else:
            boards.setdefault(copy.board, FormerBoard()).note(copy)
            done.notes += [f"{fetched.name}: {note}" for note in fetched.notes]
            done.jobs += 1
            spool.write(fetched.line)
        progress("copies read", place, len(names))


def _fetch_all(repository: JobRepository, names: list[str]) -> Iterator[_Fetched]:
    """In the order of the names; never more than CHUNK of them are under way."""
    with ThreadPoolExecutor(settings.MIRROR_UPLOADS, "restore") as pool:
        try:
            for start in range(0, len(names), CHUNK):
                yield from pool.map(partial(_fetch, repository), names[start : start + CHUNK])
        finally:
            pool.shutdown(cancel_futures=True)


def _fetch(repository: JobRepository, name: str) -> _Fetched:
    if not NAME.fullmatch(name):
        return _Fetched(name, "is not the name of a job's copy")
    try:
        document = repository.read(name)
        if document.get("gone") is True and "token" not in document:  # a job may have brought a key of that name
            return _Fetched(name)
        copy = reading.read(name, document)
    except FileNotFoundError:
        return _Fetched(name, "was gone when its turn came")
    except (Corrupt, reading.BadDocument) as error:
        return _Fetched(name, str(error).removeprefix(f"{name} "))
    return _Fetched(name, "", copy, copy.complaints(), json.dumps(document).encode() + b"\n")


def _write(
    spool: IO[bytes], rows: dict[str, Board], boards: dict[str, FormerBoard], done: Restored, progress: Progress
) -> None:  # fmt: skip
    spool.seek(0)
    written = 0
    while lines := list(islice(spool, CHUNK)):
        copies: dict[str, list[reading.Copy]] = {}
        for document in map(json.loads, lines):
            copy = reading.read(f"jobs/{document['id']}.json", document)
            copies.setdefault(copy.board, []).append(copy)
            if copy.job.uid in boards[copy.board].again:
                taken, copy.job.seq = copy.job.seq, boards[copy.board].new_number()
                done.notes.append(
                    f"jobs/{copy.job.uid}.json: another job of board {copy.board} has change {taken} too,"
                    f" so this one got {copy.job.seq}"
                )
        for slug, of_board in copies.items():
            flow.restore(rows[slug], [(copy.job, copy.steps) for copy in of_board])
            opt_outs.from_copies(copy.job for copy in of_board)
        reset_queries()  # with DEBUG Django remembers them, values and all
        written += len(lines)
        progress("jobs written", written, done.jobs)
