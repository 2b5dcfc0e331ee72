from datetime import timedelta
from importlib import import_module

import pytest
import time_machine
from django.apps import apps
from django.utils import timezone

from dispatch import flow, links
from dispatch.mirror.checking import check
from dispatch.mirror.sync import Sync
from dispatch.models import Job
from tests.factories import make_job

NOW = "2026-05-04T18:00:00Z"

pytestmark = pytest.mark.django_db


@pytest.fixture
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def public(repository, token: str) -> dict:
    return repository.read(links.PUBLIC.format(token=token))


def differences(repository) -> list[str]:
    return [str(one) for one in check(repository, lambda *_: None).differences]


def test_a_new_link_takes_the_place_of_the_old_one(board, repository):
    job = make_job(board)
    sync = Sync(repository, "test")
    sync.batch()

    replaced = links.replace(job, by="Ana")
    sync.batch()

    assert replaced.token != job.token
    assert replaced.former_tokens == [{"token": job.token, "seq": replaced.seq, "epoch": str(board.epoch)}]
    assert public(repository, job.token) == {"gone": True, "seq": replaced.seq, "epoch": str(board.epoch)}
    assert public(repository, replaced.token)["seq"] == replaced.seq
    assert differences(repository) == []


def test_a_link_that_was_replaced_stays_dead_whatever_happens_to_the_job(board, repository):
    job = links.replace(make_job(board), by="Ana")
    sync = Sync(repository, "test")
    sync.batch()
    (former,) = job.former_tokens

    job = links.replace(job, by="Ana")
    flow.move(job, "scheduled", expect=job.seq, by="Ana", channel="board")
    sync.batch()

    assert job.former_tokens[0] == former
    assert [public(repository, one["token"]) for one in job.former_tokens] == [
        {"gone": True, "seq": one["seq"], "epoch": one["epoch"]} for one in job.former_tokens
    ]
    assert differences(repository) == []


@pytest.mark.parametrize(
    ("status", "ends"), [("requested", False), ("in_progress", False), ("completed", True), ("cancelled", True)]
)
def test_a_link_ends_thirty_days_after_the_job_is_over(board, clock, status, ends):
    job = make_job(board, status=status)

    assert job.link_ends_at == (job.status_at + timedelta(days=30) if ends else None)


def test_a_job_that_goes_on_has_a_link_without_end_again(board, clock):
    job = make_job(board, status="in_progress")
    job = flow.move(job, "completed", expect=job.seq, by="Ana", channel="board")
    assert job.link_ends_at is not None

    assert flow.undo(job, expect=job.seq, by="Ana").link_ends_at is None


def test_the_public_copy_follows_when_a_link_ends(board, repository, clock):
    job = make_job(board, status="completed")
    other = make_job(board)
    sync = Sync(repository, "test")
    sync.batch()

    clock.shift(timedelta(days=30) - timedelta(seconds=1))
    assert links.close_ended() == 0
    clock.shift(timedelta(seconds=1))
    assert (links.close_ended(), links.close_ended()) == (1, 0)
    sync.batch()

    job.refresh_from_db()
    assert public(repository, job.token) == {"gone": True, "seq": job.seq, "epoch": str(board.epoch)}
    assert "gone" not in public(repository, other.token)
    assert differences(repository) == []


def test_looking_for_ended_links_reads_only_those(board, clock, django_assert_num_queries):
    make_job(board, status="completed")

    with django_assert_num_queries(1):
        links.close_ended()


def test_copies_of_jobs_that_were_over_before_there_was_an_end_are_withdrawn(board, clock):
    """What the migration does with a job that has been over for long."""
    job = make_job(board, status="completed")
    clock.shift(timedelta(days=40))
    Job.objects.filter(pk=job.pk).update(link_ends_at=None, seq_at=timezone.now())

    import_module("dispatch.migrations.0006_links_of_finished_jobs").fill(apps, None)

    assert links.close_ended() == 1
