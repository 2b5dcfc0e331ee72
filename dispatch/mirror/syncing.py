"""Copies what is behind once, for `manage.py mirror sync`: what a worker does, with an end."""

import time
from collections.abc import Callable

from dispatch.models import Job, Upload

from .repository import JobRepository
from .storages import refuse_unconditional
from .sync import Batch, Sync
from .working import name

PATIENCE_SECONDS = 60.0
"""How long to wait for jobs that a worker has taken."""


def sync(repository: JobRepository, progress: Callable[[str, int, int], None]) -> Batch:
    """Until nothing is behind but what cannot be copied, or what other workers are at. Raises what keeps all from being
    copied."""
    refuse_unconditional(repository.storage)
    Upload.objects.retry_now()
    worker, total = Sync(repository, name()), Batch()
    idle_since = time.monotonic()
    while behind := Job.objects.behind().exclude(uid__in=total.failed).count():
        batch = worker.batch()
        total.copied += batch.copied
        total.failed |= batch.failed
        progress("copied", total.copied, total.copied + behind - batch.copied)
        if batch.taken:
            idle_since = time.monotonic()
        elif time.monotonic() - idle_since > PATIENCE_SECONDS:
            break
        else:
            time.sleep(0.2)
    return total
