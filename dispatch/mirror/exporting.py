"""Writes the whole state as one document, `{"jobs": {"<uid>": {…}}}`, which `manage.py import_jobs` reads. Bounded memory,
no long transaction, and never an older state in place of a newer one.
"""

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from dispatch.models import Job

from .document import job_document
from .repository import serialise
from .storages import CompareAndSwap, Conflict, MirrorError

NAME = "jobs.json"
ATTEMPTS = 3
CHUNK = 500
STDOUT = Path("-")

Progress = Callable[[str, int, int], None]


class NoPlace(MirrorError):
    """The export has nowhere to go."""


def export(storage: CompareAndSwap, progress: Progress, output: Path | None) -> tuple[int, str]:
    """Writes all jobs to the file `output`, to stdout ("-"), or to the storage (None). Returns how many, and where.

    Raises NoPlace, and Conflict when others keep writing the object.
    """
    if output is None:
        return _to_storage(storage, progress), NAME
    if output == STDOUT:
        return _to_stdout(progress), "-"
    return _to_file(output, progress), str(output)


def _to_storage(storage: CompareAndSwap, progress: Progress) -> int:
    """The etag is taken before the rows are read: an export that read older rows cannot replace one that read newer."""
    for attempt in range(ATTEMPTS):
        etag = storage.etag(NAME)
        with tempfile.TemporaryFile() as file:
            jobs = _write(file, progress)
            try:
                storage.write(NAME, file, if_match=etag)
            except Conflict:
                if attempt == ATTEMPTS - 1:
                    raise
            else:
                return jobs
    raise AssertionError("unreachable")


def _to_stdout(progress: Progress) -> int:
    """By way of a file: who reads slowly does not keep a database waiting."""
    with tempfile.TemporaryFile() as file:
        jobs = _write(file, progress)
        file.seek(0)
        try:
            shutil.copyfileobj(file, sys.stdout.buffer)
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains again when it ends
            raise NoPlace("whoever read the export stopped before its end") from None
    return jobs


def _to_file(output: Path, progress: Progress) -> int:
    """Under another name until it is whole. What is no file, such as a pipe, is written to straight away."""
    target = output.resolve()
    if target.is_dir():
        raise NoPlace(f"cannot write {output}: it is a folder")
    if not target.parent.is_dir():
        raise NoPlace(f"cannot write {output}: there is no folder {target.parent}")
    if target.exists() and not target.is_file():
        with target.open("wb") as file:
            return _write(file, progress)
    with _draft(target) as file:
        return _write(file, progress)


@contextmanager
def _draft(target: Path) -> Iterator[IO[bytes]]:
    """Only its owner can read it: it has names, addresses and gate codes."""
    descriptor, path = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(path, target)
    except BaseException:
        os.unlink(path)
        raise


def _write(file: IO[bytes], progress: Progress) -> int:
    """One job a line. Each chunk of jobs is as it is when its turn comes."""
    total, done = Job.objects.count(), 0
    file.write(b'{"jobs": {')
    for jobs in _chunks():
        for job in jobs:
            file.write(b",\n" if done else b"\n")
            file.write(json.dumps(job.uid).encode() + b": " + serialise(job_document(job)))
            done += 1
        progress("jobs exported", done, max(done, total))
    file.write(b"\n}}\n")
    return done


def _chunks() -> Iterator[list[Job]]:
    jobs = Job.objects.order_by("pk").select_related("board").prefetch_related("history")
    last = 0
    while chunk := list(jobs.filter(pk__gt=last)[:CHUNK]):
        yield chunk
        last = chunk[-1].pk
