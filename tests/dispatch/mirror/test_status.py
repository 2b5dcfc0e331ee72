import json
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from dispatch.board import iso
from dispatch.mirror import status
from dispatch.models import Board, Job, Upload, Worker
from tests.factories import make_job

SINCE = datetime(2026, 5, 4, 15, 30, tzinfo=UTC)


def ago(seconds: float) -> datetime:
    return timezone.now() - timedelta(seconds=seconds)


def waiting(board, seconds: float = 0.0, **facts) -> Job:
    """A job whose change was committed so long ago, and is not copied."""
    job = make_job(board, **facts)
    Job.objects.filter(pk=job.pk).update(seq_at=ago(seconds))
    job.refresh_from_db()
    return job


def copied(job: Job) -> Job:
    Job.objects.mark_mirrored(job.pk, job.seq)
    return job


def fail(job: Job, **facts) -> Upload:
    facts = {"attempts": 3, "error": "the disk is full", "failing_since": SINCE, "not_before": SINCE} | facts
    return Upload.objects.create(job=job, **facts)


def at_work(name: str = "w1", seconds: float = 0.0, **facts) -> Worker:
    return Worker.objects.create(name=name, seen_at=ago(seconds), **facts)


# --- what there is to know


def test_where_everything_is_copied_nothing_is_said(board):
    copied(make_job(board))

    assert status.read() == status.Status(0, None, None, [], 0, [])
    assert (status.read().problem, status.read().cause) == ("", "")


def test_it_counts_what_is_behind_and_how_long_the_oldest_has_been(board):
    copied(waiting(board, 500))
    old = waiting(board, 30)
    waiting(board, 5)

    found = status.read()

    assert (found.behind, found.oldest) == (2, old.seq_at)
    assert found.oldest_seconds == pytest.approx(30, abs=3)


def test_a_clock_that_is_ahead_makes_no_negative_age(board):
    waiting(board, -3600)

    assert status.read().oldest_seconds == 0


def test_a_board_is_asked_about_alone(board):
    other = Board.objects.create(slug="other", name="Other")
    make_job(board)
    fail(make_job(other))
    make_job(other)
    found = [status.read(), status.read("main"), status.read("other")]

    assert [(one.behind, one.failing_count) for one in found] == [(3, 1), (1, 0), (2, 1)]


def test_what_fails_is_named_with_its_reason_and_its_next_try(board):
    later = timezone.now() + timedelta(minutes=3)
    second = fail(make_job(board, location="2 Second St"), not_before=later)
    first = fail(make_job(board, location="1 First St"), failing_since=SINCE - timedelta(hours=1), claim="w1 0a")
    Upload.objects.create(job=make_job(board), claim="w1 0a", not_before=later)  # is being tried for the first time

    found = status.read()

    assert found.failing == [
        status.Failing(first.job.uid, "1 First St", 3, SINCE - timedelta(hours=1), None, "the disk is full"),
        status.Failing(second.job.uid, "2 Second St", 3, SINCE, later, "the disk is full"),
    ]
    assert (found.failing_count, found.behind) == (2, 3)


def test_a_job_that_somebody_else_copied_does_not_fail_any_more(job):
    fail(job)
    copied(job)

    assert (status.read().failing, status.read().failing_count) == ([], 0)


def test_no_more_than_twenty_are_named(board):
    for _ in range(21):
        fail(make_job(board))

    assert (len(status.read().failing), status.read().failing_count) == (20, 21)
    assert status.read().lines()[-1] == "and 1 job more"


def test_only_workers_at_work_are_named_and_who_has_a_problem_first(db):
    at_work("a", 2)
    at_work("dead", 31)
    at_work("c", problem="cannot reach the storage", problem_since=SINCE + timedelta(seconds=1))
    at_work("b", problem="the disk is full", problem_since=SINCE)

    found = status.read().workers

    assert [(one.name, one.problem, one.problem_since) for one in found] == [
        ("b", "the disk is full", SINCE),
        ("c", "cannot reach the storage", SINCE + timedelta(seconds=1)),
        ("a", "", None),
    ]
    assert found[2].seen_seconds_ago == pytest.approx(2, abs=3)


# --- what is wrong


def test_a_workers_problem_comes_first(board):
    fail(waiting(board, 120))
    at_work("fine")
    at_work("away", problem="cannot reach the storage", problem_since=SINCE)

    found = status.read()

    assert (found.cause, found.problem) == (
        "cannot reach the storage",
        "cannot reach the storage, since Mon, May 4, 3:30 PM UTC",
    )


@pytest.mark.parametrize(("seconds", "problem"), [(10, ""), (20, "no worker is running"), (200, "no worker is running")])
def test_without_a_worker_a_change_does_not_wait_for_long(board, seconds, problem):
    waiting(board, seconds)
    at_work("dead", 31)

    assert (status.read().problem, status.read().cause) == (problem, problem)


@pytest.mark.parametrize(("count", "problem"), [(1, "1 job cannot be copied"), (2, "2 jobs cannot be copied")])
def test_jobs_that_cannot_be_copied_are_the_problem_when_workers_work(board, count, problem):
    at_work()
    for _ in range(count):
        fail(waiting(board, 120))

    assert (status.read().problem, status.read().cause) == (problem, problem)


@pytest.mark.parametrize(("seconds", "problem"), [(50, ""), (70, "behind for 1 min"), (7300, "behind for 2 h")])
def test_workers_that_cannot_keep_up_are_the_last_thing_to_say(board, seconds, problem):
    at_work()
    waiting(board, seconds)

    assert (status.read().problem, status.read().cause) == (problem, "")


# --- marks on cards


def test_jobs_that_wait_for_a_while_and_jobs_that_fail_are_marked(board):
    waiting(board, 5)
    copied(waiting(board, 500))
    late, later = waiting(board, 20), waiting(board, 15)
    failing = fail(waiting(board, 1)).job
    fail(copied(make_job(board)))
    waiting(Board.objects.create(slug="other", name="Other"), 60)

    assert list(status.marks("main").items()) == [
        (failing.uid, {"state": "failing", "since": iso(SINCE), "error": "the disk is full"}),
        (late.uid, {"state": "behind", "since": iso(late.seq_at)}),
        (later.uid, {"state": "behind", "since": iso(later.seq_at)}),
    ]


def test_a_board_is_not_flooded_with_marks(board, monkeypatch):
    monkeypatch.setattr(status, "MARKS", 2)
    for seconds in (100, 300, 200):
        waiting(board, seconds, location=str(seconds))

    shown = Job.objects.filter(uid__in=status.marks("main")).order_by("seq_at").values_list("location", flat=True)

    assert list(shown) == ["300", "200"]


@pytest.mark.parametrize(
    ("mirrored", "attempts", "copy"),
    [
        (1, None, {"state": "current", "seq": 1, "error": ""}),
        (1, 3, {"state": "current", "seq": 1, "error": ""}),
        (0, None, {"state": "behind", "seq": 0, "error": ""}),
        (0, 0, {"state": "behind", "seq": 0, "error": ""}),
        (0, 3, {"state": "failing", "seq": 0, "error": "the disk is full"}),
    ],
)
def test_the_copy_of_a_job(job, mirrored, attempts, copy):
    Job.objects.mark_mirrored(job.pk, mirrored)
    if attempts is not None:
        fail(job, attempts=attempts)

    assert status.copy_of(Job.objects.get()) == copy


# --- what it costs


@pytest.mark.parametrize(("failing", "queries"), [(0, 2), (3, 3), (30, 3)])
def test_the_status_takes_few_queries(board, failing, queries, django_assert_num_queries):
    make_job(board)
    for _ in range(failing):
        fail(make_job(board))

    with django_assert_num_queries(queries):
        status.read()
    with django_assert_num_queries(1):
        status.marks("main")


@pytest.mark.parametrize("ask", [status.read, lambda: status.read("main"), lambda: status.marks("main")])
def test_what_is_behind_is_found_by_its_own_index(board, ask):
    """2,000 jobs that are in line and one that is not, in as many rows as make a planner choose."""
    jobs = [Job(board=board, location="x", rank=1, seq=n, mirrored_seq=n, seq_at=SINCE) for n in range(1, 2001)]
    jobs[1000].mirrored_seq = 0
    Job.objects.bulk_create(jobs)
    asked = []

    def note(run, sql, params, many, context):
        asked.append((sql, params))
        return run(sql, params, many, context)

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        with connection.execute_wrapper(note):
            ask()
        explain = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
        plans = []
        for sql, params in [query for query in asked if "mirrored_seq" in query[0]]:
            cursor.execute(f"{explain} {sql}", params)
            plans.append(str(cursor.fetchall()))

    assert [("job_behind" in plan, plan) for plan in plans] == [(True, plan) for plan in plans]
    assert plans


# --- for people and programs


def test_as_a_dictionary_it_is_json_with_camel_case_keys(board):
    upload = fail(waiting(board, 120, location="1 First St"))
    at_work("w1", problem="cannot reach the storage", problem_since=SINCE)

    found = json.loads(json.dumps(status.read().as_dict()))

    assert found == {
        "behind": 1,
        "oldest": iso(Job.objects.get().seq_at),
        "oldestSeconds": pytest.approx(120, abs=3),
        "failing": [
            {
                "job": upload.job.uid,
                "location": "1 First St",
                "attempts": 3,
                "since": "2026-05-04T15:30:00.000Z",
                "nextTry": "2026-05-04T15:30:00.000Z",
                "error": "the disk is full",
            }
        ],
        "failingCount": 1,
        "workers": [
            {
                "name": "w1",
                "seenSecondsAgo": pytest.approx(0, abs=3),
                "problem": "cannot reach the storage",
                "problemSince": "2026-05-04T15:30:00.000Z",
            }
        ],
        "cause": "cannot reach the storage",
        "problem": "cannot reach the storage, since Mon, May 4, 3:30 PM UTC",
    }


def test_on_a_terminal_it_is_a_table(board):
    one = fail(waiting(board, 190, location="1 First St", uid="one")).job
    two = fail(waiting(board, 5, location="22 Second St", uid="two"), claim="w1 0a", attempts=12).job
    at_work("w1", 0.1)

    assert (one.uid, two.uid) == ("one", "two")
    assert status.read().lines() == [
        "behind   2 jobs, the oldest for 3 min",
        "failing  2 jobs",
        "workers  1 at work",
        "problem  2 jobs cannot be copied",
        "",
        "w1  seen 0 s ago",
        "",
        "one  1 First St    3 tries since 2026-05-04 15:30 UTC   next 2026-05-04 15:30 UTC  the disk is full",
        "two  22 Second St  12 tries since 2026-05-04 15:30 UTC  trying now                 the disk is full",
    ]


def test_on_a_terminal_nothing_wrong_is_four_lines(db):
    assert status.read().lines() == ["behind   0 jobs", "failing  0 jobs", "workers  0 at work", "problem  none"]
