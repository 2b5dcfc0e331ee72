"""Customers, who are told about their job."""

import re
from collections.abc import Collection
from datetime import datetime
from functools import partial

from django.urls import reverse

from dispatch.models import Board, Job

from . import queueing, reminders, samples, values
from .audiences import Audience
from .checking import NotAtAll, NotNow
from .fitting import cut, in_brief, leave_out
from .kinds import KINDS, OF_STATUS
from .ledger import SENDING, Message
from .placeholders import PLACEHOLDERS
from .queueing import OPTED_OUT, OVERTAKEN

SWITCHED_OFF = "Messages about this job were switched off."
ASKED_FOR = re.compile(r":asked:")
BUTTON = {"en": "See your job", "es": "Ver su servicio"}


class Customers(Audience):
    placeholders = PLACEHOLDERS
    footer = "_footer.txt"
    opted_out = OPTED_OUT
    chore = "queue reminders"
    no_address = {  # noqa: RUF012 a Mapping
        "sms": "The job does not have the customer's number any more.",
        "email": "The job does not have the customer's e-mail address any more.",
    }
    shortenings = (
        partial(cut, "company", 20),
        partial(cut, "where", 24),
        partial(cut, "reason", 24),
        partial(cut, "crew", 12),
        partial(cut, "customer", 12),
        in_brief,
        partial(cut, "company", 12),
        partial(leave_out, "stop"),
        partial(cut, "where", 12),
        partial(cut, "reason", 12),
        partial(cut, "crew", 6),
        partial(cut, "company", 6),
    )

    def load(self, message: Message) -> None:
        message.job = Job.objects.select_related("board").get(messages=message)
        message.board = message.job.board

    def check(self, message: Message, now: datetime) -> None:
        job, asked_for = _job(message), bool(ASKED_FOR.search(message.dedupe_key))
        if not asked_for and _is_old_news(message, job, now):
            raise NotAtAll(OVERTAKEN)
        if not job.customer_notify and not asked_for:
            raise NotAtAll(SWITCHED_OFF)
        if message.kind == "booked" and not asked_for:
            _wait_for_newer(message, now)

    def address(self, message: Message, channel: str) -> str:
        return queueing.address(_job(message), channel)

    def unwanted(self, message: Message) -> Collection[str]:
        return _job(message).opted_out

    def values(self, message: Message, language: str) -> dict[str, str]:
        return values.of_job(_job(message), language, message.channel)

    def sample(
        self, kind: str, board: Board, language: str, channel: str, *, longest: bool = False
    ) -> dict[str, str]:  # fmt: skip
        return samples.of(board, language, channel, longest=longest)

    def button(self, kind: str, language: str) -> str:
        return BUTTON[language]

    def page(self, message: Message) -> str:
        return reverse("admin:dispatch_job_change", args=[message.job_id])

    def queue_daily(self) -> int:
        return reminders.queue()


def _job(message: Message) -> Job:
    if message.job is None:
        raise ValueError(f"message {message.pk} has no job")
    return message.job


def _wait_for_newer(message: Message, now: datetime) -> None:
    """A confirmation is old news once the same channel told of a later move. While that one waits, perhaps for its Undo,
    the confirmation waits, too: when it is taken back, the customer is to hear of the booking after all."""
    told = {"job_id": message.job_id, "channel": message.channel, "seq__gt": message.seq}
    announced = Message.objects.filter(**told, kind__in=[kind.slug for kind in OF_STATUS.values()])
    if announced.filter(status__in=[Message.Status.SENT, Message.Status.DELIVERED]).exists():
        raise NotAtAll(OVERTAKEN)
    if newer := announced.filter(status__in=[Message.Status.QUEUED, SENDING]).order_by("seq").last():
        raise NotNow(newer.send_after if newer.send_after > now else None)


def _is_old_news(message: Message, job: Job, now: datetime) -> bool:
    """A move takes back what waits; this is for what was being written down or sent at that moment."""
    of_status = KINDS[message.kind].of_status
    return (bool(of_status) and job.status != of_status) or reminders.is_old(message, job, now)
