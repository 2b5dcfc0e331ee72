"""Compares every copy with the database. Nothing is written.

The system may be at work while we look: whatever is found different is looked at again, and only what stays so counts.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, TypeVar

from django.conf import settings
from django.db import Error

from dispatch.models import Board, Job

from . import boards
from .differences import Difference, Found, of_board, of_job, of_nobody
from .document import FORMAT
from .repository import Corrupt, Document, JobRepository, parse, serialise
from .sync import documents, objects

CHUNK = 500
HANDFUL = 10
LOOK_AGAIN_AFTER_SECONDS = (0.5, 1.0, 2.0)
JOBS, PUBLIC = "jobs/", "public/track/"

Progress = Callable[[str, int, int], None]
Made = tuple[str, Document | None, str]
"""The name of an object, what should be in it, and why that is not known."""
S = TypeVar("S")
T = TypeVar("T")


@dataclass
class Report:
    jobs: int = 0
    objects: int = 0
    differences: list[Difference] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        told = [{"name": one.name, "kind": one.kind, "detail": one.detail} for one in self.differences]
        counts = dict(Counter(one.kind for one in self.differences))
        return {"jobs": self.jobs, "objects": self.objects, "differences": told, "counts": counts}


def check(repository: JobRepository, progress: Progress, sample: int | None = None) -> Report:
    """Compares all jobs and looks for objects that should not be there, or compares `sample` jobs taken by chance. Raises
    what the storage raises when it cannot be reached."""
    report, total = Report(), Job.objects.count() if sample is None else sample
    with ThreadPoolExecutor(settings.MIRROR_UPLOADS, "check") as pool:
        look = Look(repository, pool)
        found = look.boards()
        found += _jobs(look, report, progress, _pks(sample), total)
        report.objects += Board.objects.count()
        if sample is None:
            for prefix in (JOBS, PUBLIC):
                found += _listed(look, prefix, report.jobs, progress)
        for pause in LOOK_AGAIN_AFTER_SECONDS:
            if found:
                time.sleep(pause)
                found = look.again(found)
    report.differences = found
    return report


class Look:
    """One look at some objects. Documents are made in this thread; those of the pool know no database."""

    def __init__(self, repository: JobRepository, pool: ThreadPoolExecutor) -> None:
        self.repository, self.pool = repository, pool

    def again(self, found: Sequence[Difference]) -> list[Difference]:
        """What is left of the differences."""
        still = self.boards() if any(not one.uid and one.board for one in found) else []
        for uids in chunked(dict.fromkeys(one.uid for one in found if one.uid and one.kind != "unknown")):
            still += self.jobs(jobs_with(uid__in=uids))
        for prefix, kind in ((JOBS, "unknown"), (PUBLIC, "stale")):
            for names in chunked(one.name for one in found if one.kind == kind):
                still += self.names(prefix, names)
        return still

    def boards(self) -> list[Difference]:
        Board.objects.note_epochs()
        names = {slug: boards.FORMAT.format(slug=slug) for slug in Board.objects.values_list("slug", flat=True)}
        stored = {slug: self._read(name) for slug, name in names.items()}
        now = Board.objects.in_bulk(list(names), field_name="slug")  # not older than what was read
        return [one for slug in names if (one := of_board(names[slug], stored[slug], now[slug]))]

    def jobs(self, jobs: Iterable[Job]) -> list[Difference]:
        made = [(job, one) for job in jobs for one in _made(job)]
        found = zip(made, self._each(self._compare, [one for _, one in made]), strict=True)
        return [replace(one, uid=job.uid, board=job.board.slug) for (job, _), one in found if one]

    def names(self, prefix: str, names: Sequence[str]) -> list[Difference]:
        """Objects under a prefix that no job has, but for tombstones. The job is looked for after the object was listed."""
        column, kind = ("uid", "unknown") if prefix == JOBS else ("token", "stale")
        keys = {name: name.removeprefix(prefix).removesuffix(".json") for name in names}
        here = set(Job.objects.filter(**{f"{column}__in": keys.values()}).values_list(column, flat=True))
        nobodys = [name for name in names if keys[name] not in here or name != f"{prefix}{keys[name]}.json"]
        found = zip(nobodys, self._each(self._read, nobodys), strict=True)
        return [one for name, stored in found if (one := of_nobody(name, kind, keys[name], stored))]

    def _each(self, look: Callable[[S], T], at: Sequence[S]) -> Iterator[T]:
        """In the pool, a handful at a time: a thread of its own for each costs more than to read a file."""
        handfuls = [at[first : first + HANDFUL] for first in range(0, len(at), HANDFUL)]
        for seen in self.pool.map(lambda handful: [look(one) for one in handful], handfuls):
            yield from seen

    def _compare(self, made: Made) -> Difference | None:
        name, document, problem = made
        if document is None:
            return Difference(name, "unmade", problem)
        stored = self._read(name, serialise(document))
        return None if stored is None else of_job(name, stored, document)

    def _read(self, name: str, expected: bytes | None = None) -> Found | None:
        """What is in the object or why that is nothing; None when it is just what was expected."""
        try:
            content, _ = self.repository.storage.read(name)
            return None if content == expected else parse(name, content)
        except (Corrupt, FileNotFoundError) as error:
            return error


def _made(job: Job) -> list[Made]:
    try:
        return [(*one, "") for one in objects(job)]
    except Error:
        raise
    except Exception as error:  # noqa: BLE001 whatever is wrong with this job, the others are to be compared
        return [(FORMAT.format(uid=job.uid), None, f"{type(error).__name__}: {error}")]


def _pks(sample: int | None) -> Iterator[list[int]]:
    """In chunks. A job that is made meanwhile comes at the end and is compared, too."""
    if sample is not None:
        yield from chunked(list(Job.objects.order_by("?").values_list("pk", flat=True)[:sample]))
        return
    last = 0
    while pks := list(Job.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:CHUNK]):
        yield pks
        last = pks[-1]


def _jobs(look: Look, report: Report, progress: Progress, chunks: Iterable[list[int]], total: int) -> list[Difference]:
    found = []
    for pks in chunks:
        jobs = jobs_with(pk__in=pks)
        found += look.jobs(jobs)
        report.jobs += len(jobs)
        report.objects += sum(len(documents()) + len(job.former_tokens) for job in jobs)
        progress("compared", report.jobs, max(total, report.jobs))
    return found


def _listed(look: Look, prefix: str, about: int, progress: Progress) -> list[Difference]:
    """How many there are is known at the end; there should be `about` as many as jobs."""
    found, seen = [], 0
    for names in chunked(look.repository.names(prefix)):
        found += look.names(prefix, names)
        seen += len(names)
        progress(f"listed in {prefix}", seen, max(about, seen + (len(names) == CHUNK)))
    progress(f"listed in {prefix}", seen, seen)
    return found


def jobs_with(**which: Any) -> list[Job]:
    """The jobs that are so, with all that their documents show."""
    return list(Job.objects.filter(**which).order_by("pk").select_related("board").prefetch_related("history"))


def chunked(everything: Iterable[T]) -> Iterator[list[T]]:
    source = iter(everything)
    while chunk := list(islice(source, CHUNK)):
        yield chunk
