"""Messages as dispatchers see and handle them.

`{"id", "kind", "label", "channel", "to", "status", "says", "sendAfter", "sentAt", "error", "text"}`: `to` is the customer's
name, or the address when there is none.
"""

import secrets
from typing import Any

from django.utils import timezone

from dispatch.board import iso
from dispatch.models import Job, Message
from dispatch.rules import Refused

from . import queueing
from .kinds import OF_JOBS


def of_job(job: Job) -> list[dict[str, Any]]:
    """All of them, latest first."""
    return [shown(message, job) for message in Message.objects.filter(job=job)]


def of_change(job: Job, seq: int | None = None) -> list[dict[str, Any]]:
    """Those that a change of the job, by its number, brought about."""
    return [shown(message, job) for message in Message.objects.filter(job=job, seq=job.seq if seq is None else seq)]


def shown(message: Message, job: Job) -> dict[str, Any]:
    return {
        "id": message.pk,
        "kind": message.kind,
        "label": message.get_kind_display(),
        "channel": message.channel,
        "to": job.customer_name or message.recipient,
        "status": message.status,
        "says": message.get_status_display(),
        "sendAfter": iso(message.send_after),
        "sentAt": iso(message.sent_at),
        "error": message.error,
        "text": message.body,
    }


def send(job: Job, kind: str, *, by: str) -> list[Message]:
    """Queues a message that somebody asked for, at once. Raises Refused."""
    if kind not in OF_JOBS:
        raise Refused("unknown_kind", f"There is no such message: “{kind}”. There are: {', '.join(OF_JOBS)}.")
    if not job.customer_phone and not job.customer_email:
        raise Refused("no_address", "There is neither a phone number nor an e-mail address to write to.")
    event = f"asked:{secrets.token_hex(6)}"
    rows = queueing.queue(job, kind, by=by, at=timezone.now(), event=event, even_if_off=True)
    if all(row.status == Message.Status.SUPPRESSED for row in rows):
        raise Refused("not_wanted", " ".join(dict.fromkeys(row.error for row in rows)))
    return rows


def cancel(job: Job, pk: int, *, by: str) -> None:
    """Raises Refused when it is too late."""
    if not Message.objects.take_back(f"{by} took it back.", job=job, pk=pk):
        raise Refused("not_waiting", "This message does not wait any more.")
