"""Hours worked, as members clock in and out. A phone without a network keeps its own time, which stands beside ours."""

from datetime import timedelta
from typing import ClassVar

from django.db import models
from django.db.models import F, Q


class Shift(models.Model):
    """From clocking in to clocking out. `…_device_at` is what the phone's clock said when it was done, and `…_skew` how far
    that clock was ahead of ours when the phone sent it: less than nothing where it was behind."""

    member = models.ForeignKey("crew.Member", on_delete=models.PROTECT, related_name="shifts")
    started_at = models.DateTimeField()
    started_device_at = models.DateTimeField(null=True)
    started_skew = models.DurationField(default=timedelta)
    ended_at = models.DateTimeField(null=True)
    ended_device_at = models.DateTimeField(null=True)
    ended_skew = models.DurationField(default=timedelta)

    class Meta:
        app_label = "crew"
        ordering: ClassVar = ["-started_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["member"], condition=Q(ended_at=None), name="one_shift_at_a_time"),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=F("started_at")), name="shift_ends_after_it_starts"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.member}, {self.started_at:%Y-%m-%d %H:%M}"
