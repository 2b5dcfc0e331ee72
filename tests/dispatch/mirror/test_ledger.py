from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from dispatch.mirror import ledger
from dispatch.models import Job, Upload, Worker
from tests.factories import make_job


def seconds_from_now(moment):
    return (moment - timezone.now()).total_seconds()


def expire(upload=None):
    Upload.objects.update(not_before=timezone.now() - timedelta(seconds=1))


def test_a_job_is_taken_once(board):
    first, second = make_job(board), make_job(board)

    taken = [Upload.objects.take([first.pk], "a"), Upload.objects.take([first.pk, second.pk], "b")]

    assert taken == [[first.pk], [second.pk]]
    assert dict(Upload.objects.values_list("job", "claim")) == {first.pk: "a", second.pk: "b"}


def test_the_lease_is_as_long_as_it_is_set(job, settings):
    settings.MIRROR_LEASE_SECONDS = 100

    Upload.objects.take([job.pk], "a")

    assert 95 < seconds_from_now(Upload.objects.get().not_before) < 105


def test_the_lease_is_measured_by_the_clock_of_the_database(job, time_machine):
    """A process whose own clock is wrong by two minutes neither takes what is taken nor gives away what it has."""
    time_machine.move_to(timezone.now() + timedelta(seconds=120))
    Upload.objects.take([job.pk], "fast clock")
    time_machine.move_to(timezone.now() - timedelta(seconds=240))

    taken = Upload.objects.take([job.pk], "slow clock")
    waiting = Job.objects.waiting().count()
    time_machine.move_to(timezone.now() + timedelta(seconds=3600))
    waiting_later = Job.objects.waiting().count()

    assert (taken, waiting, waiting_later) == ([], 0, 0)


def test_renewing_prolongs_only_ones_own(board, settings):
    mine, theirs = make_job(board), make_job(board)
    Upload.objects.take([mine.pk], "mine")
    Upload.objects.take([theirs.pk], "theirs")
    expire()

    Upload.objects.renew("mine")

    assert list(Job.objects.waiting()) == [theirs]


def test_giving_back_forgets_what_was_not_tried_and_keeps_what_had_failed(board):
    fresh, failed, theirs = make_job(board), make_job(board), make_job(board)
    Upload.objects.take([failed.pk], "first try")
    Upload.objects.put_off("first try", failed.pk, "no luck")
    expire()
    Upload.objects.take([fresh.pk, failed.pk], "mine")
    Upload.objects.take([theirs.pk], "theirs")

    Upload.objects.release("mine")

    assert set(Upload.objects.values_list("job", "claim", "attempts")) == {(failed.pk, "", 1), (theirs.pk, "theirs", 0)}
    assert list(Job.objects.waiting()) == [fresh, failed]


def test_the_pause_after_a_failure_doubles_its_limit_up_to_five_minutes(job, monkeypatch):
    limits = []
    monkeypatch.setattr(ledger.random, "uniform", lambda least, most: limits.append((least, most)) or most)
    for attempt in range(10):
        Upload.objects.take([job.pk], f"try {attempt}")
        Upload.objects.put_off(f"try {attempt}", job.pk, "no luck")
        pause = seconds_from_now(Upload.objects.get().not_before)
        assert limits[-1][1] - 5 < pause < limits[-1][1] + 5
        expire()

    assert limits == [(0, most) for most in (2, 4, 8, 16, 32, 64, 128, 256, 300, 300)]


def test_since_when_a_job_fails_stays_as_it_was(job):
    Upload.objects.take([job.pk], "a")
    Upload.objects.put_off("a", job.pk, "no luck")
    since = Upload.objects.get().failing_since
    expire()
    Upload.objects.take([job.pk], "b")
    Upload.objects.put_off("b", job.pk, "no luck again")

    upload = Upload.objects.get()
    assert (upload.failing_since, upload.attempts, upload.error) == (since, 2, "no luck again")
    assert -5 < seconds_from_now(since) < 1


def test_who_lost_the_lease_puts_nothing_off(job):
    Upload.objects.take([job.pk], "slow")
    expire()
    Upload.objects.take([job.pk], "fast")

    Upload.objects.put_off("slow", job.pk, "too late to say")

    assert Upload.objects.values_list("claim", "attempts", "error").get() == ("fast", 0, "")


def test_trying_again_now_touches_no_job_that_somebody_is_at(board):
    failed, taken = make_job(board), make_job(board)
    Upload.objects.take([failed.pk], "a")
    Upload.objects.put_off("a", failed.pk, "no luck")
    Upload.objects.filter(job=failed).update(not_before=timezone.now() + timedelta(hours=1))
    Upload.objects.take([taken.pk], "b")

    assert (Upload.objects.retry_now(), list(Job.objects.waiting())) == (1, [failed])


def test_a_job_that_is_copied_does_not_fail_any_more(job):
    Upload.objects.take([job.pk], "a")
    Upload.objects.put_off("a", job.pk, "no luck")
    before = Upload.objects.failing().count()
    Job.objects.mark_mirrored(job.pk, job.seq)

    assert (before, Upload.objects.failing().count()) == (1, 0)


def test_what_a_killed_worker_left_is_swept_away(board):
    copied, behind = make_job(board), make_job(board)
    Upload.objects.take([copied.pk, behind.pk], "killed")
    Job.objects.mark_mirrored(copied.pk, copied.seq)
    Upload.objects.sweep()
    before = Upload.objects.count()
    Upload.objects.update(not_before=timezone.now() - timedelta(minutes=2))

    Upload.objects.sweep()

    assert (before, list(Upload.objects.values_list("job", flat=True))) == (2, [behind.pk])


def test_a_worker_that_says_nothing_is_not_at_work_and_later_forgotten(db):
    now = timezone.now()
    for name, age in (("here", 5), ("silent", 40), ("dead", 4000)):
        Worker.objects.create(name=name, seen_at=now - timedelta(seconds=age))

    Worker.objects.forget_the_dead()

    assert [worker.name for worker in Worker.objects.at_work()] == ["here"]
    assert [worker.name for worker in Worker.objects.all()] == ["here", "silent"]


@pytest.mark.django_db(transaction=True)
def test_of_many_workers_who_take_the_same_jobs_each_job_gets_one(board):
    jobs = [make_job(board).pk for _ in range(10)]

    def take(worker):
        try:
            return [(job, worker) for job in Upload.objects.take(jobs[worker % 3 :], f"worker {worker}")]
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        for _ in range(5):
            taken = [pair for pairs in pool.map(take, range(6)) for pair in pairs]
            assert sorted(job for job, _ in taken) == jobs
            expire()
            Upload.objects.filter(job__in=jobs[::2]).delete()
            Upload.objects.update(claim="somebody dead")
