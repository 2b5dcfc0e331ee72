"""Brings the mirror in line with the database. Nobody tells it what changed: it compares.

A job is behind when the number of its stored copy is lower than its own. Three changes cost one upload; a crash between
upload and mark costs one upload that finds itself done. Any number of workers may do this at once, in any state of mind:
what they may not do is in the repository, and holds without a lease.
"""

import logging
import secrets
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import cache

from django.conf import settings
from django.db import Error
from django.utils import timezone
from django.utils.module_loading import import_string

from dispatch import flow, links
from dispatch.models import Job, Upload

from .boards import keep_boards
from .counters import Counters
from .faults import UNREACHABLE, explain
from .repository import Ahead, Document, JobRepository
from .storages import MirrorError
from .superseded import keep

logger = logging.getLogger(__name__)

BATCH = 100
GIVE_UP_AFTER = 3
LOOK_AT_BOARDS_SECONDS = 30.0
BEAT_SECONDS = 5.0


@cache
def documents() -> list[Callable[[Job], tuple[str, Document]]]:
    return [import_string(path) for path in settings.MIRROR_DOCUMENTS]


def objects(job: Job) -> list[tuple[str, Document]]:
    """The names and contents of a job's objects, in the order in which they are written: its documents, and tombstones in
    place of what its former links showed."""
    return [*(make(job) for make in documents()), *links.tombstones(job)]


class Unreachable(MirrorError):
    """The storage is to blame and not a job: nothing could be copied, or several in a row could not."""


@dataclass
class Batch:
    taken: int = 0
    copied: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    """uid -> reason"""


class Sync:
    """What one worker does. `beat` is called every few seconds during long work."""

    def __init__(self, repository: JobRepository, name: str, beat: Callable[[], None] = lambda: None) -> None:
        self.repository, self.name, self.beat = repository, name, beat
        self.counters = Counters()
        self.boards_at, self.epochs = 0.0, set[str]()

    def batch(self) -> Batch:
        """Copies up to BATCH jobs that are behind and that nobody else has taken, those that waited longest first.

        The mark says which number was copied, so a change made meanwhile leaves the job behind. A job that cannot be
        copied is put off and does not hold up the others. Raises Unreachable, boards.NotOurs and boards.WentBack; then the
        jobs are given back as they were.
        """
        if time.monotonic() - self.boards_at > LOOK_AT_BOARDS_SECONDS or not self.boards_at:
            self._look_at_boards()
        claim = f"{self.name} {secrets.token_hex(4)}"
        waiting = list(Job.objects.waiting().values_list("pk", flat=True)[:BATCH])
        if not waiting:
            return Batch()
        taken = Upload.objects.take(waiting, claim)
        behind, batch = Job.objects.behind().filter(pk__in=taken).order_by("seq"), Batch()
        try:
            jobs = list(behind.select_related("board").prefetch_related("history"))
            if any(str(job.board.epoch) not in self.epochs for job in jobs):
                self._look_at_boards()  # an epoch stands in its board before it stands in a job
            batch = self._copy(jobs, claim)
        finally:
            if batch.copied < len(taken):
                Upload.objects.release(claim)
        return batch

    def _look_at_boards(self) -> None:
        self.epochs = keep_boards(self.repository)
        self.boards_at = time.monotonic()

    def _copy(self, jobs: list[Job], claim: str) -> Batch:
        batch, copied, failed, in_a_row = Batch(taken=len(jobs)), list[int](), dict[Job, Exception](), 0
        with ThreadPoolExecutor(settings.MIRROR_UPLOADS, "upload") as pool:
            try:
                for job, wrong in self._uploaded(pool, jobs, claim):
                    if wrong is None:
                        self._done(job, batch)
                        copied.append(job.pk)
                        in_a_row = 0
                        continue
                    failed[job] = wrong
                    in_a_row += isinstance(wrong, UNREACHABLE)
                    if in_a_row >= min(GIVE_UP_AFTER, len(jobs)):
                        self.counters.errors += 1
                        raise Unreachable(explain(wrong)) from wrong
            finally:
                pool.shutdown(wait=True, cancel_futures=True)
                Upload.objects.done(claim, copied)
                self.counters.conflicts = self.repository.conflicts
        for job, wrong in failed.items():
            self._failed(job, wrong, claim, batch)
        return batch

    def _uploaded(
        self, pool: ThreadPoolExecutor, jobs: list[Job], claim: str
    ) -> Iterator[tuple[Job, Exception | None]]:  # fmt: skip
        """Each job as it is through, with what went wrong. Documents are made here: the threads know no database."""
        pending, running = deque(jobs), dict[Future[None], Job]()
        pace = min(BEAT_SECONDS, settings.MIRROR_LEASE_SECONDS / 3)
        beaten = time.monotonic()
        while pending or running:
            while pending and len(running) < settings.MIRROR_UPLOADS:
                job = pending.popleft()
                try:
                    running[pool.submit(self._put, objects(job))] = job
                except Error:
                    raise
                except Exception as wrong:  # noqa: BLE001 whatever is wrong with this job, the next one may be fine
                    yield job, wrong
            through, _ = wait(running, timeout=pace, return_when="FIRST_COMPLETED")
            for future in through:
                error = future.exception()
                if error is not None and not isinstance(error, Exception):
                    raise error
                yield running.pop(future), error
            if time.monotonic() - beaten > pace:
                Upload.objects.renew(claim)
                self.beat()
                beaten = time.monotonic()

    def _put(self, made: list[tuple[str, Document]]) -> None:
        for name, document in made:
            self.repository.put(name, document)

    def _done(self, job: Job, batch: Batch) -> None:
        Job.objects.mark_mirrored(job.pk, job.seq)
        batch.copied += 1
        self.counters.copied(timezone.now() - job.seq_at)

    def _failed(self, job: Job, error: Exception, claim: str, batch: Batch) -> None:
        if isinstance(error, Ahead) and self._settled(job, error):
            return
        reason = explain(error)
        Upload.objects.put_off(claim, job.pk, reason)
        batch.failed[job.uid] = reason
        self.counters.errors += 1
        logger.error("mirror: cannot copy job %s, going on without it: %s", job.uid, reason)

    def _settled(self, job: Job, ahead: Ahead) -> bool:
        """Whether nothing is wrong: another worker was faster, or the object is of an earlier life of this database, which
        the present one overrules. What it said is kept beside it."""
        now = Job.objects.select_related("board").filter(pk=job.pk).first()
        if now is None:
            return True  # the database was put back to a time before the job
        if ahead.epoch not in now.board.epochs:
            return False
        if now.seq > job.seq and ahead.seq <= now.seq:
            return True
        if ahead.epoch == str(now.board.epoch):
            return False
        keep(self.repository.storage, job.uid, ahead.stored)
        flow.renew(now.board, [job.pk], above=ahead.seq)
        return True
