"""How the messages are doing, in numbers. Each query reads an index, so that the cost does not grow with the years."""

from dataclasses import dataclass

from django.db.models import Count, Max, Min, Q, QuerySet
from django.db.models.functions import Now

from dispatch.mirror.ledger import from_now
from dispatch.models import Message, Worker

from .ledger import DAY_SECONDS, WAITING


@dataclass(frozen=True)
class Figures:
    """By channel, where it is a dict."""

    waiting: dict[str, int]
    failed: dict[str, int]
    """In the last 24 hours, as `sent`."""
    sent: dict[str, int]
    oldest_due_seconds: float
    troubled: int
    """Senders that a provider keeps from sending, as they say."""


def read() -> Figures:
    waiting = Message.objects.filter(status__in=WAITING)
    due = waiting.aggregate(oldest=Min("send_after", filter=Q(send_after__lte=Now())), now=Max(Now()))
    return Figures(
        waiting=_by_channel(waiting),
        failed=_by_channel(Message.objects.filter(status="failed", settled_at__gt=from_now(-DAY_SECONDS))),
        sent=_by_channel(Message.objects.sent_lately()),
        oldest_due_seconds=max(0.0, (due["now"] - due["oldest"]).total_seconds()) if due["oldest"] else 0.0,
        troubled=Worker.objects.sending().exclude(problem="").count(),
    )


def _by_channel(which: QuerySet[Message]) -> dict[str, int]:
    return dict(which.order_by().values_list("channel").annotate(count=Count("pk")))
