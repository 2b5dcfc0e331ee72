"""Bookings: what is kept of a pickup that a customer asked for, beside the job that it became."""

from typing import ClassVar

from django.db import models
from django.utils import timezone


class Booking(models.Model):
    """`key` is what makes a booking that is sent twice one booking, `facts` the hash of what was sent with it. `source` is
    a keyed hash of the sender's address: it can be counted, and not turned back."""

    job = models.OneToOneField("dispatch.Job", on_delete=models.PROTECT, related_name="booking")
    key = models.CharField(max_length=100, unique=True)
    facts = models.CharField(max_length=64)
    source = models.CharField(max_length=64)
    consent = models.CharField(max_length=20)  # which wording they agreed to: tracking/booking.py
    consent_at = models.DateTimeField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["source", "created_at"], name="booking_source")]

    def __str__(self) -> str:
        return f"{self.job}, booked {self.created_at:%Y-%m-%d %H:%M}"
