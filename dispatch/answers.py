"""What POSTs with an `Idempotency-Key` were answered: `dispatch/idempotency.py` writes it down and looks it up."""

from datetime import timedelta
from typing import ClassVar

from django.db import models
from django.utils import timezone

KEPT = timedelta(hours=48)
"""An answer can be had again for so long."""


class AnswerQuerySet(models.QuerySet["Answer"]):
    def sweep(self) -> None:
        """Forgets what is too old."""
        Answer.objects.filter(at__lt=timezone.now() - KEPT).delete()


class Answer(models.Model):
    """`fingerprint` says what was sent, `body` is the answer to the letter. A row is only ever seen with its answer in it:
    the transaction that writes it is that of the change."""

    scope = models.CharField(max_length=40)  # whose key it is: two people may choose the same one
    key = models.CharField(max_length=100)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(default=0)
    body = models.TextField(blank=True)
    at = models.DateTimeField(default=timezone.now, db_index=True)

    objects = AnswerQuerySet.as_manager()

    class Meta:
        app_label = "dispatch"
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["scope", "key"], name="answer_once")]

    def __str__(self) -> str:
        return f"{self.scope}: {self.key}"
