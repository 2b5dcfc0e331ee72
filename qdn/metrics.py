"""Figures for Prometheus. Several processes serve behind a proxy, so nothing is counted in one of them: everything is read
from the database when it is asked for. There is nothing about people in it.
"""

from collections.abc import Iterator
from itertools import accumulate
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from dispatch.messages import figures
from dispatch.messages.ledger import Channel
from dispatch.mirror import status
from dispatch.mirror.counters import LAG_SECONDS
from dispatch.models import Board, Job, Worker
from dispatch.statuses import STATUS_FLOW

COUNTED = {
    "uploads": "Jobs that a worker copied since it started.",
    "conflicts": "Writes that found that somebody else had written.",
    "errors": "Tries that failed.",
}
BOUNDS = [*map(floatToGoString, LAG_SECONDS), "+Inf"]


class Figures(Collector):
    def collect(self) -> Iterator[Metric]:
        yield from mirror()
        yield from workers()
        yield jobs()
        yield from messages()


def mirror() -> Iterator[Metric]:
    now = status.read()
    yield GaugeMetricFamily("qdn_mirror_behind", "Jobs whose copy is older than the job.", value=now.behind)
    oldest = now.oldest_seconds or 0
    yield GaugeMetricFamily("qdn_mirror_oldest_seconds", "Age of the oldest change that is not copied.", value=oldest)
    yield GaugeMetricFamily("qdn_mirror_failing", "Jobs behind whose last try failed.", value=now.failing_count)
    yield GaugeMetricFamily("qdn_mirror_workers", "Workers that said something lately.", value=len(now.workers))


def workers() -> Iterator[Metric]:
    """What each worker counted, as its row has it. A worker of another version may count other things."""
    rows = list(Worker.objects.at_work().values_list("name", "counters"))
    for name, text in COUNTED.items():
        counter = CounterMetricFamily(f"qdn_mirror_{name}", text, labels=["worker"])
        for worker, counters in rows:
            counter.add_metric([worker], counters.get(name, 0))
        yield counter
    lag = HistogramMetricFamily("qdn_mirror_lag_seconds", "From a change's commit to its copy.", labels=["worker"])
    for worker, counters in rows:
        if len(counters.get("lag", ())) == len(BOUNDS):
            lag.add_metric([worker], buckets=buckets(counters), sum_value=counters["lag_sum"])
    yield lag


def buckets(counters: dict[str, Any]) -> list[tuple[str, float]]:
    """A worker counts each bucket by itself; here each one holds those before it, and the last one holds all."""
    return list(zip(BOUNDS, accumulate(counters["lag"]), strict=True))


def jobs() -> Metric:
    gauge = GaugeMetricFamily("qdn_jobs", "Jobs by board and status.", labels=["board", "status"])
    counted = Job.objects.order_by().values_list("board__slug", "status").annotate(count=Count("pk"))
    counts = {(board, status): count for board, status, count in counted}
    for board in Board.objects.order_by("slug").values_list("slug", flat=True):
        for slug in STATUS_FLOW:
            gauge.add_metric([board, slug], counts.get((board, slug), 0))
    return gauge


def messages() -> Iterator[Metric]:
    now = figures.read()
    counts = GaugeMetricFamily(
        "qdn_messages", "Messages that wait, and that failed in 24 hours.", labels=["channel", "status"]
    )
    sent = GaugeMetricFamily("qdn_messages_sent_24h", "Messages handed over in 24 hours.", labels=["channel"])
    for channel in Channel:
        counts.add_metric([channel, "waiting"], now.waiting.get(channel, 0))
        counts.add_metric([channel, "failed"], now.failed.get(channel, 0))
        sent.add_metric([channel], now.sent.get(channel, 0))
    yield counts
    yield sent
    text = "For how long the oldest message that is due has been due."
    yield GaugeMetricFamily("qdn_messages_oldest_due_seconds", text, value=now.oldest_due_seconds)
    yield GaugeMetricFamily("qdn_messages_troubled", "Senders that a provider keeps from sending.", value=now.troubled)


REGISTRY = CollectorRegistry()
REGISTRY.register(Figures())


@require_GET
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """With METRICS_TOKEN set, only for who names it. 503 while the database cannot be reached."""
    token = settings.METRICS_TOKEN
    if token and not constant_time_compare(request.headers.get("Authorization", ""), f"Bearer {token}"):
        headers = {"WWW-Authenticate": "Bearer"}
        return HttpResponse("METRICS_TOKEN is needed\n", status=401, content_type="text/plain", headers=headers)
    try:
        return HttpResponse(generate_latest(REGISTRY), content_type=CONTENT_TYPE_LATEST)
    except DatabaseError:
        return HttpResponse(f"cannot read the database ({connection.vendor})\n", status=503, content_type="text/plain")
