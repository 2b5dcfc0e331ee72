"""Brings the mirror in line with the database. Nobody tells it what changed: it compares.

A job is behind when the number of its stored copy is lower than its own. Three changes cost one upload; a crash between
upload and mark costs one upload that finds itself done.
"""

import logging
import random
import threading
import time
from collections.abc import Callable
from functools import cache
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.core.files.storage import storages
from django.db import Error, close_old_connections
from django.utils.module_loading import import_string

from dispatch.models import Job

from .repository import JobRepository
from .storages import Conflict

logger = logging.getLogger(__name__)

INTERVAL_SECONDS = 0.5
BATCH = 100
GIVE_UP_AFTER = 3
LONGEST_PAUSE_SECONDS = 30.0
UNREACHABLE = (BotoCoreError, ClientError, OSError, Conflict)


@cache
def documents() -> list[Callable[[Job], tuple[str, dict[str, Any]]]]:
    return [import_string(path) for path in settings.MIRROR_DOCUMENTS]


def sync_batch(repository: JobRepository, set_aside: dict[int, float] | None = None) -> int:
    """Uploads up to BATCH jobs that are behind, those that waited longest first; returns how many it looked at. The mark
    says which number was uploaded, so a change made meanwhile leaves the job behind.

    A job that cannot be uploaded does not hold up the others: it is logged, noted in `set_aside` (job pk -> when to try it
    again, in monotonic seconds) and left out until then. When all fail, or GIVE_UP_AFTER in a row, the storage is to blame:
    the batch ends and the last failure is raised.
    """
    set_aside = {} if set_aside is None else set_aside
    later = [pk for pk, again_at in set_aside.items() if again_at > time.monotonic()]
    behind = Job.objects.behind().exclude(pk__in=later).order_by("seq")
    jobs = list(behind.select_related("board").prefetch_related("history")[:BATCH])
    failed: dict[Job, Exception] = {}
    unreachable_in_a_row = copied = 0
    for job in jobs:
        try:
            _upload(repository, job)
            unreachable_in_a_row, copied = 0, copied + 1
            set_aside.pop(job.pk, None)
        except Error:
            raise
        except Exception as error:  # whatever is wrong with this job, the next one may be fine
            failed[job] = error
            unreachable_in_a_row += isinstance(error, UNREACHABLE)
            if unreachable_in_a_row == GIVE_UP_AFTER or (unreachable_in_a_row == len(jobs) and not copied):
                raise
    for job, failure in failed.items():
        set_aside[job.pk] = time.monotonic() + LONGEST_PAUSE_SECONDS
        logger.error("mirror: cannot copy job %s, going on without it: %r", job.uid, failure)
    return len(jobs)


def _upload(repository: JobRepository, job: Job) -> None:
    for make in documents():
        repository.put(*make(job))
    Job.objects.mark_mirrored(job.pk, job.seq)


def pause_after(failures: int) -> float:
    """Grows with the failures so far, up to LONGEST_PAUSE_SECONDS; at random, so that workers do not come back together."""
    longest = min(LONGEST_PAUSE_SECONDS, 2.0 ** min(failures, 10))
    return random.uniform(INTERVAL_SECONDS, longest)  # noqa: S311 not a secret


def run(stop: threading.Event) -> None:
    """Works until `stop` is set. While the storage or the database cannot be reached it tries again after a random pause
    that grows, and says so once, not every time."""
    repository = JobRepository(storages["state"])  # type: ignore[arg-type]  # the setting decides the class
    set_aside: dict[int, float] = {}
    failures = 0
    while not stop.is_set():
        pause = INTERVAL_SECONDS
        try:
            pause = 0 if sync_batch(repository, set_aside) == BATCH else INTERVAL_SECONDS
            if failures:
                logger.info("mirror: working again after %s failed tries", failures)
            failures = 0
        except (*UNREACHABLE, Error) as error:
            failures += 1
            pause = pause_after(failures)
            if failures == 1:
                logger.warning("mirror: cannot copy jobs, trying again: %s", error)
        finally:
            close_old_connections()
        stop.wait(pause)
