from datetime import timedelta

import pytest
from django.db import OperationalError, ProgrammingError, connection
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from dispatch.messages import queueing
from dispatch.mirror.counters import LAG_SECONDS, Counters
from dispatch.models import Board, Job, Message, Upload, Worker
from dispatch.statuses import STATUS_FLOW
from tests.factories import make_job


def families(answer) -> dict:
    return {family.name: family for family in text_string_to_metric_families(answer.content.decode())}


def samples(answer, name: str) -> dict[tuple[str, ...], float]:
    """By the values of the labels."""
    every = (one for family in families(answer).values() for one in family.samples)
    return {tuple(one.labels.values()): one.value for one in every if one.name == name}


def worker(name: str = "w1", counters: dict | None = None, **facts) -> Worker:
    return Worker.objects.create(name=name, counters=counters or {}, **{"seen_at": timezone.now()} | facts)


def test_how_far_the_copies_are_behind(client, board):
    Job.objects.filter(pk=make_job(board).pk).update(seq_at=timezone.now() - timedelta(seconds=40))
    Upload.objects.create(job=make_job(board), attempts=1, not_before=timezone.now(), error="the disk is full")
    worker()
    worker("dead", seen_at=timezone.now() - timedelta(seconds=31))

    answer = client.get("/metrics")

    names = ("qdn_mirror_behind", "qdn_mirror_oldest_seconds", "qdn_mirror_failing", "qdn_mirror_workers")
    assert [samples(answer, name)[()] for name in names] == [2, pytest.approx(40, abs=3), 1, 1]
    assert answer["Content-Type"].startswith("text/plain; version=")


def test_where_nothing_is_behind_nothing_is_old(client, db):
    assert samples(client.get("/metrics"), "qdn_mirror_oldest_seconds") == {(): 0}


def test_every_worker_counts_for_itself(client, db):
    worker("w1", Counters(uploads=7, conflicts=2, errors=1).as_dict())
    worker("w2", Counters(uploads=5).as_dict())
    worker("dead", Counters(uploads=9).as_dict(), seen_at=timezone.now() - timedelta(seconds=31))

    answer = client.get("/metrics")

    assert samples(answer, "qdn_mirror_uploads_total") == {("w1",): 7, ("w2",): 5}
    assert samples(answer, "qdn_mirror_conflicts_total") == {("w1",): 2, ("w2",): 0}
    assert samples(answer, "qdn_mirror_errors_total") == {("w1",): 1, ("w2",): 0}
    assert families(answer)["qdn_mirror_uploads"].type == "counter"


def test_the_lag_is_a_histogram_whose_buckets_hold_those_before_them(client, db):
    counted = Counters()
    for seconds in (0.05, 0.1, 0.2, 7, 4000):
        counted.copied(timedelta(seconds=seconds))
    worker("w1", counted.as_dict())

    answer = client.get("/metrics")

    family = families(answer)["qdn_mirror_lag_seconds"]
    found = [(one.labels["le"], one.value) for one in family.samples if one.name.endswith("_bucket")]
    assert (family.type, [float(bound) for bound, _ in found]) == ("histogram", [*map(float, LAG_SECONDS), float("inf")])
    assert [value for _, value in found] == [2, 3, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 5]
    assert samples(answer, "qdn_mirror_lag_seconds_count") == {("w1",): 5}
    assert samples(answer, "qdn_mirror_lag_seconds_sum") == {("w1",): pytest.approx(4007.35)}


@pytest.mark.parametrize("counters", [{}, {"uploads": 3}, {"lag": [1, 2], "lag_sum": 3.0}])
def test_a_worker_of_another_version_breaks_nothing(client, db, counters):
    worker("w1", counters)

    answer = client.get("/metrics")

    assert samples(answer, "qdn_mirror_uploads_total") == {("w1",): counters.get("uploads", 0)}
    assert samples(answer, "qdn_mirror_lag_seconds_count") == {}


def test_jobs_are_counted_by_board_and_status_with_every_zero(client, board):
    Board.objects.create(slug="other", name="Other")
    for status in ("requested", "scheduled", "scheduled"):
        make_job(board, status=status)

    found = samples(client.get("/metrics"), "qdn_jobs")

    assert found == {(slug, status): 0 for slug in ("main", "other") for status in STATUS_FLOW} | {
        ("main", "requested"): 1,
        ("main", "scheduled"): 2,
    }


def test_there_is_nothing_about_people_in_it(client, board):
    job = make_job(board, customer_name="Mia Chen", customer_phone="+13035550123", customer_email="mia@example.com")
    Upload.objects.create(job=job, attempts=1, not_before=timezone.now(), error="the disk is full")

    text = client.get("/metrics").content.decode()

    told = [job.location, job.customer_name, job.customer_phone, job.customer_email, job.token, job.uid, "Ana"]
    assert [fact for fact in told if fact in text] == []


def test_a_scrape_takes_the_same_queries_however_much_there_is(client, board, django_assert_num_queries):
    for number in range(3):
        worker(f"w{number}")
        make_job(board)

    with django_assert_num_queries(10):  # what is behind, workers twice, jobs, boards; five about messages
        client.get("/metrics")


@pytest.mark.parametrize(
    ("sent", "status"),
    [(None, 401), ("Bearer wrong", 401), ("let-me-in", 401), ("Basic let-me-in", 401), ("Bearer ", 401), ("Bearer é", 401),
     ("Bearer let-me-in", 200)],
)  # fmt: skip
def test_with_a_token_only_who_names_it_may_read(client, db, settings, sent, status):
    settings.METRICS_TOKEN = "let-me-in"

    answer = client.get("/metrics", headers={"Authorization": sent} if sent else {})

    assert (answer.status_code, answer.headers.get("WWW-Authenticate")) == (status, "Bearer" if status == 401 else None)
    assert (b"qdn_" in answer.content) == (status == 200)


@pytest.mark.parametrize("error", [OperationalError("connection refused"), ProgrammingError("no such table")])
def test_without_the_database_it_says_so_in_a_line(client, db, error):
    def broken(*query):
        raise error

    with connection.execute_wrapper(broken):
        answer = client.get("/metrics")

    assert (answer.status_code, answer["Content-Type"]) == (503, "text/plain")
    assert answer.content == f"cannot read the database ({connection.vendor})\n".encode()


@pytest.mark.parametrize("token", ["", "let-me-in"])
def test_no_cache_keeps_it(client, db, settings, token):
    settings.METRICS_TOKEN = token

    assert "no-store" in client.get("/metrics")["Cache-Control"]


@pytest.mark.parametrize("method", ["post", "put", "delete", "head"])
def test_only_get_is_allowed(client, method):
    assert getattr(client, method)("/metrics").status_code == 405


def test_messages_by_channel_with_every_zero(client, board):
    job = make_job(board, customer_phone="+13035550123")
    now = timezone.now()
    queueing.queue(job, "link", by="Ana", at=now - timedelta(seconds=40), event="asked:1")
    queueing.queue(job, "link", by="Ana", at=now, event="asked:2")
    Message.objects.filter(dedupe_key__contains="asked:2").update(status="delivered", sent_at=now)
    Message.objects.update(send_after=now - timedelta(seconds=40))
    worker("w1 sends sms", problem="cannot reach SNS")

    answer = client.get("/metrics")

    zeros = {(channel, status): 0 for channel in ("sms", "email") for status in ("waiting", "failed")}
    assert samples(answer, "qdn_messages") == zeros | {("sms", "waiting"): 1}
    assert samples(answer, "qdn_messages_sent_24h") == {("sms",): 1, ("email",): 0}
    assert samples(answer, "qdn_messages_oldest_due_seconds") == {(): pytest.approx(40, abs=3)}
    assert samples(answer, "qdn_messages_troubled") == {(): 1}
    assert samples(answer, "qdn_mirror_workers") == {(): 0}  # it copies nothing
