"""Writes down what a customer is to be told. Called inside the transaction of the change that it tells of."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db.models.functions import Now
from django.utils import timezone

from . import audiences, quiet
from .kinds import KINDS, OF_STATUS, UNDO_SECONDS, Kind
from .ledger import Channel, Message

if TYPE_CHECKING:
    from dispatch.models import Job

OVERTAKEN = "The job has moved on since."
QUIET = "It would be old news at the end of the quiet hours."
NOT_REMINDED = ("en_route", "in_progress", "completed", "cancelled")
OPTED_OUT = {"sms": "The customer does not want texts.", "email": "The customer does not want e-mails."}


def announce(job: "Job", *, by: str, at: datetime) -> None:
    """What the job's new status tells the customer, after the time for an undo. What earlier moves were to tell is taken
    back, whether this one tells anything or not (`overtaken`)."""
    if kind := OF_STATUS.get(job.status):
        queue(job, kind.slug, by=by, at=at, wait=UNDO_SECONDS)


def overtaken(job: "Job", error: str = OVERTAKEN) -> None:
    """A move makes the news of earlier ones old. A confirmation or a link that was asked for is news all the same, and a
    reminder is good until the crew is on its way or the job is off."""
    kinds = [kind.slug for kind in OF_STATUS.values()]
    if job.status in NOT_REMINDED:
        kinds.append("reminder")
    Message.objects.take_back(error, job_id=job.pk, kind__in=kinds)


def queue(
    job: "Job", kind: str, *, by: str, at: datetime, wait: float = 0, event: str = "", even_if_off: bool = False
) -> list[Message]:  # fmt: skip
    """Rows for the channels that reach the customer; none when they have no address or are not to be told
    (`Job.customer_notify`). `event` names what happened, when it is not the change `job.seq`: of one event there is one
    row for each channel."""
    if not job.customer_notify and not even_if_off:
        return []
    made = Message.objects.bulk_create(rows(job, kind, by=by, at=at, wait=wait, event=event), ignore_conflicts=True)
    return list(Message.objects.filter(dedupe_key__in=[row.dedupe_key for row in made]).order_by("pk"))


def rows(job: "Job", kind: str, *, by: str, at: datetime, wait: float = 0, event: str = "") -> list[Message]:
    """What `queue` writes, whether the customer is to be told or not. Asks the database nothing but the job's board."""
    what, due = KINDS[kind], at + timedelta(seconds=wait)
    return [_row(job, what, due, *route, by=by, at=at, event=event) for route in _routes(job, what, due)]


def _routes(job: "Job", kind: Kind, due: datetime) -> Iterator[tuple[str, str, str]]:
    """(channel, address, why it is not sent). By text where that can be in time, else by e-mail."""
    awake = quiet.over(job.board, due) <= due + kind.shelf
    problem = OPTED_OUT["sms"] if "sms" in job.opted_out else "" if awake else QUIET
    if job.customer_phone:
        yield "sms", address(job, "sms"), problem
    if job.customer_email and (kind.also_mail or problem or not job.customer_phone):
        yield "email", address(job, "email"), OPTED_OUT["email"] if "email" in job.opted_out else ""


def address(job: "Job", channel: str) -> str:
    """Where the customer is reached; may be empty. E-mail addresses are in small letters: however somebody wrote it, it is
    one address, also for the limits."""
    return job.customer_phone if channel == Channel.SMS else job.customer_email.lower()


def _row(
    job: "Job", kind: Kind, due: datetime, channel: str, recipient: str, problem: str, *, by: str, at: datetime, event: str
) -> Message:  # fmt: skip
    return Message(
        board=job.board,
        job=job,
        kind=kind.slug,
        channel=channel,
        recipient=recipient,
        language=job.customer_language,
        status=Message.Status.SUPPRESSED if problem else Message.Status.QUEUED,
        dedupe_key=f"{job.uid}:{event or f'{job.seq}:{kind.slug}'}:{channel}",
        seq=job.seq,
        by=by[:150],
        created_at=at,
        send_after=due if problem else quiet.until(kind, channel, job.board, due),
        expires_at=due + kind.shelf,
        error=problem,
        settled_at=at if problem else None,
    )


def instead(message: Message, why: str) -> Message | None:
    """Gives a queued message up, for good and with the reason, and queues the same news by the other channel. None when the
    message does not wait any more, its reader cannot be reached that way, or gets this news there anyway. The message is
    loaded anew (`Audience.load`). Inside a transaction, so that the news is not lost between the two."""
    given_up = Message.objects.filter(pk=message.pk, status=Message.Status.QUEUED).update(
        status=Message.Status.SUPPRESSED, error=why, settled_at=Now()
    )
    return by_other_channel(message) if given_up else None


def by_other_channel(message: Message) -> Message | None:
    """The second half of `instead`, for who gave the message up."""
    audience, other = audiences.of(message), Channel.EMAIL if message.channel == Channel.SMS else Channel.SMS
    recipient = audience.address(message, other)
    if not recipient or other in audience.unwanted(message):
        return None
    needed = audience.needed(message)
    due = quiet.until(KINDS[message.kind], other, message.board, message.send_after, needed=needed)
    if due > message.expires_at:
        return None
    same = {name: getattr(message, name) for name in SAME_NEWS}
    key = f"{message.dedupe_key.removesuffix(message.channel)}{other}"
    row = Message(
        channel=other, recipient=recipient, dedupe_key=key, created_at=timezone.now(), send_after=due, **same
    )  # fmt: skip
    Message.objects.bulk_create([row], ignore_conflicts=True)
    return Message.objects.filter(
        dedupe_key=row.dedupe_key, status=Message.Status.QUEUED, created_at=row.created_at
    ).first()


def again(message: Message) -> bool:
    """Queues a message anew that failed, was not sent or was taken back, as if its time had come just now, to the
    address that its reader has now. False when it is none of these any more. The message is loaded anew."""
    kind, audience = KINDS[message.kind], audiences.of(message)
    needed = audience.needed(message)
    due = quiet.until(kind, message.channel, message.board, timezone.now(), needed=needed)
    return bool(
        Message.objects.filter(pk=message.pk, status__in=AGAIN).update(
            status=Message.Status.QUEUED, send_after=due, expires_at=due + kind.shelf, attempts=0, claim="",
            error="", provider_id="", sent_at=None, settled_at=None,
            recipient=audience.address(message, message.channel) or message.recipient,
        )
    )  # fmt: skip


SAME_NEWS = ("board_id", "job_id", "about", "topic", "kind", "language", "seq", "by", "expires_at")
AGAIN = (Message.Status.FAILED, Message.Status.SUPPRESSED, Message.Status.CANCELLED)
"""What may be queued anew. The others wait, or may have arrived."""
