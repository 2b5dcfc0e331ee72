"""Who is not written to any more. The address is written down first; then its jobs get the mark that dispatchers see, and
what waits for it goes another way. All of it may be done twice, so whoever is interrupted just does it again.
"""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from dispatch import flow
from dispatch.models import Job, JobQuerySet
from dispatch.phones import to_e164

from . import audiences, queueing
from .checking import NotAtAll
from .ledger import Channel, Message, OptOut

BY = "Opt-out"


def add(channel: str, address: str, reason: str, detail: str = "") -> OptOut:
    """Raises ValidationError for what is no address. Whoever has opted out already keeps the first reason."""
    address = normal(channel, address)
    opt_out, _ = OptOut.objects.get_or_create(
        channel=channel, address=address, defaults={"reason": reason, "detail": detail}
    )
    _mark_jobs(channel, address)
    _send_otherwise(channel, address)
    return opt_out


def remove(opt_out: OptOut) -> None:
    """The customer wants to hear from us again. What was not sent meanwhile stays unsent."""
    OptOut.objects.filter(pk=opt_out.pk).delete()
    _mark_jobs(opt_out.channel, opt_out.address)


def normal(channel: str, address: str) -> str:
    """The address as it is stored: E.164, or in small letters. Raises ValidationError."""
    address = address.strip()
    if channel == Channel.SMS:
        return to_e164(address)
    validate_email(address)
    return address.lower()


def _mark_jobs(channel: str, address: str) -> None:
    """Those that a customer may still look at; the others take no messages."""
    for job in _jobs_of(channel, address):
        if job.opted_out != _channels(job):
            flow.amend(job, _opted_out, by=BY)


def _jobs_of(channel: str, address: str) -> JobQuerySet:
    whose = Q(customer_phone=address) if channel == Channel.SMS else Q(customer_email__iexact=address)
    return Job.objects.filter(whose, Q(link_ends_at=None) | Q(link_ends_at__gt=timezone.now()))


def _opted_out(job: Job, seq: int) -> dict[str, Any]:
    return {"opted_out": _channels(job)}


def _channels(job: Job) -> list[str]:
    return OptOut.objects.channels_of(phone=job.customer_phone, email=job.customer_email)


def _send_otherwise(channel: str, address: str) -> None:
    waiting = Message.objects.filter(channel=channel, recipient__iexact=address, status=Message.Status.QUEUED)
    for message in waiting.order_by("pk"):
        audience = audiences.of(message)
        with suppress(NotAtAll), transaction.atomic():  # the sender says why
            audience.load(message)
            queueing.instead(message, audience.opted_out[channel])


def from_copies(jobs: Iterable[Job]) -> None:
    """Notes again who does not want messages, for jobs that come back from their copies: the marks are all that is left."""
    rows = [
        OptOut(channel=channel, address=address.lower(), detail="From the copy of a job.")
        for job in jobs
        for channel, address in (("sms", job.customer_phone), ("email", job.customer_email))
        if channel in job.opted_out and address
    ]
    OptOut.objects.bulk_create(rows, ignore_conflicts=True)
