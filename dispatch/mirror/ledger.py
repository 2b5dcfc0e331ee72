"""What the workers tell each other and everybody else, in the database: who copies which job now, what failed and when to
try again, who is at work. Both tables are empty when nothing is behind and no worker runs; losing them costs time only.
"""

import random
from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Now

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 2.0, 300.0
SENDS = " sends "
SEEN_SECONDS = 30
"""A worker that said nothing for so long is not at work."""


def from_now(seconds: float) -> CombinedExpression:
    """A time by the clock of the database, the only one that all workers share."""
    return Now() + timedelta(seconds=seconds)


class UploadQuerySet(models.QuerySet["Upload"]):
    def take(self, jobs: Sequence[int], claim: str) -> list[int]:
        """Takes the jobs (pks) that nobody else has, for MIRROR_LEASE_SECONDS; returns which. Of several who take the same
        job, one gets it: the row is the claim, and an expired one goes to whose UPDATE is first."""
        until = from_now(settings.MIRROR_LEASE_SECONDS)
        rows = [Upload(job_id=pk, claim=claim, not_before=until) for pk in sorted(jobs)]
        Upload.objects.bulk_create(rows, ignore_conflicts=True)
        self.filter(job__in=jobs, not_before__lte=Now()).exclude(claim=claim).update(claim=claim, not_before=until)
        return list(self.filter(claim=claim).values_list("job", flat=True))

    def renew(self, claim: str) -> None:
        self.filter(claim=claim).update(not_before=from_now(settings.MIRROR_LEASE_SECONDS))

    def done(self, claim: str, jobs: Collection[int]) -> None:
        self.filter(claim=claim, job__in=jobs).delete()

    def put_off(self, claim: str, job: int, error: str) -> None:
        """The next try comes after a random pause that doubles its limit with each failure, up to five minutes."""
        upload = self.filter(claim=claim, job=job).first()
        if upload is None:
            return  # the lease is over and somebody else tries by now
        longest = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** min(upload.attempts, 20))
        pause = random.uniform(0, longest)  # noqa: S311 not a secret
        since = Now() if upload.failing_since is None else upload.failing_since
        self.filter(pk=upload.pk, claim=claim).update(
            claim="", not_before=from_now(pause), attempts=upload.attempts + 1, error=error, failing_since=since
        )

    def release(self, claim: str) -> None:
        """Gives back what was taken and not tried, as it was before."""
        self.filter(claim=claim, attempts=0).delete()
        self.filter(claim=claim).update(claim="", not_before=Now())

    def failing(self) -> "UploadQuerySet":
        return self.filter(attempts__gt=0, job__mirrored_seq__lt=F("job__seq"))

    def sweep(self) -> None:
        """Rows that a killed worker left behind, of jobs that are copied by now."""
        self.filter(not_before__lt=from_now(-60), job__mirrored_seq__gte=F("job__seq")).delete()

    def retry_now(self) -> int:
        return self.filter(claim="").update(not_before=Now())


class Upload(models.Model):
    """A job that is being copied, or whose last try failed. Nobody else tries before `not_before`, which is both the lease
    of who tries now (`claim`) and the pause after a failure."""

    job = models.OneToOneField("dispatch.Job", on_delete=models.CASCADE, primary_key=True, related_name="upload")
    claim = models.CharField(max_length=100, blank=True, db_index=True)
    not_before = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True)
    failing_since = models.DateTimeField(null=True)

    objects = UploadQuerySet.as_manager()

    class Meta:
        app_label = "dispatch"
        ordering: ClassVar = ["failing_since", "job"]
        verbose_name = "upload that waits"
        verbose_name_plural = "uploads that wait"

    def __str__(self) -> str:
        return f"{self.job}: {self.error}" if self.error else str(self.job)


class WorkerQuerySet(models.QuerySet["Worker"]):
    def at_work(self) -> "WorkerQuerySet":
        """Those that copy jobs. Senders of messages have rows, too (`SENDS` in their names), and problems of their own."""
        return self.filter(seen_at__gt=from_now(-SEEN_SECONDS)).exclude(name__contains=SENDS)

    def sending(self) -> "WorkerQuerySet":
        return self.filter(seen_at__gt=from_now(-SEEN_SECONDS), name__contains=SENDS)

    def forget_the_dead(self) -> None:
        self.filter(seen_at__lt=from_now(-3600)).delete()


class Worker(models.Model):
    """A process that copies jobs, or its part that sends messages. It writes its row every few seconds; `problem` is what
    keeps it from working."""

    name = models.CharField(max_length=100, unique=True)
    seen_at = models.DateTimeField()
    problem = models.TextField(blank=True)
    problem_since = models.DateTimeField(null=True)
    counters = models.JSONField(default=dict)

    objects = WorkerQuerySet.as_manager()

    class Meta:
        app_label = "dispatch"
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name
