"""Brings the mirror in line with the database. Nobody tells it what changed: it compares.

A job is behind when the number of its stored copy is lower than its own. Three changes cost one upload; a crash between
upload and mark costs one upload that finds itself done.
"""

import logging
import random
import threading
from collections.abc import Callable
from functools import cache
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.core.files.storage import storages
from django.db import DatabaseError, close_old_connections
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


def sync_batch(repository: JobRepository) -> int:
    """Uploads up to BATCH jobs that are behind, those that waited longest first; returns how many it looked at. The mark
    says which number was uploaded, so a change made meanwhile leaves the job behind.

    A job that cannot be uploaded does not hold up the others; after GIVE_UP_AFTER in a row the storage is to blame and the
    batch ends. Either way the last failure is raised.
    """
    jobs = Job.objects.behind().select_related("board").prefetch_related("history").order_by("seq")[:BATCH]
    failed_in_a_row, failure = 0, None
    for job in jobs:
        try:
            _upload(repository, job)
            failed_in_a_row = 0
        except UNREACHABLE as error:
            failed_in_a_row, failure = failed_in_a_row + 1, error
        if failed_in_a_row == GIVE_UP_AFTER:
            break
    if failure:
        raise failure
    return len(jobs)


def _upload(repository: JobRepository, job: Job) -> None:
    for make in documents():
        repository.put(*make(job))
    Job.objects.mark_mirrored(job.pk, job.seq)


def run(stop: threading.Event) -> None:
    """Works until `stop` is set. While the storage or the database cannot be reached it tries again after a random pause
    that grows, and says so once, not every time."""
    repository = JobRepository(storages["state"])  # type: ignore[arg-type]  # the setting decides the class
    failures = 0
    while not stop.is_set():
        pause = INTERVAL_SECONDS
        try:
            pause = 0 if sync_batch(repository) == BATCH else INTERVAL_SECONDS
            if failures:
                logger.info("mirror: working again after %s failed tries", failures)
            failures = 0
        except (*UNREACHABLE, DatabaseError) as error:
            failures += 1
            pause = random.uniform(INTERVAL_SECONDS, min(LONGEST_PAUSE_SECONDS, 2.0**failures))  # noqa: S311 not a secret
            if failures == 1:
                logger.warning("mirror: cannot copy jobs, trying again: %s", error)
        finally:
            close_old_connections()
        stop.wait(pause)
