"""Whatever happens to workers, network, bucket and database: no copy goes back or lies, and in the end all are equal."""

import itertools
from types import SimpleNamespace

import pytest

from dispatch import flow, ranks
from dispatch.mirror import checking, mending, sync, syncing
from dispatch.models import Board
from tests.dispatch.mirror import machine
from tests.dispatch.mirror.machine import OPERATOR, BadNight, run

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def one_thread_and_no_waiting(monkeypatch, settings):
    settings.MIRROR_UPLOADS = 2
    for module in (sync, checking, mending):
        monkeypatch.setattr(module, "ThreadPoolExecutor", machine.AtOnce)
    monkeypatch.setattr(sync, "BATCH", 3)
    monkeypatch.setattr(sync, "LOOK_AT_BOARDS_SECONDS", float("inf"))
    monkeypatch.setattr(sync, "BEAT_SECONDS", -1.0)
    monkeypatch.setattr(checking, "LOOK_AGAIN_AFTER_SECONDS", (0, 0))
    monkeypatch.setattr(syncing, "PATIENCE_SECONDS", 0.0)
    clock = SimpleNamespace(monotonic=itertools.count().__next__, sleep=lambda seconds: None)
    monkeypatch.setattr(syncing, "time", clock)
    monkeypatch.setattr(ranks, "GAP", 4)
    monkeypatch.setattr(flow, "_tell", machine.tell)


@pytest.fixture
def night():
    night = BadNight()
    yield night
    night.world.end()


def test_after_any_night_the_copies_are_equal_to_the_database():
    run(BadNight, examples=40)


def test_a_worker_that_slept_through_a_restore_marks_nothing_that_is_to_come(night):
    """It has read change 6 of a job that is put back to 1. If 6 counted as copied, the changes 3 to 6 to come would not
    be."""
    world = night.world
    night.batch(0)
    night.back_up()
    for eighths in (1, 2, 3, 4):
        night.edit(0, eighths)
    night.begin(0, "write", "jobs/", looks=False)
    world.restore()
    world.repair()
    world.run(OPERATOR)

    night.wake(0)
    night.edit(0, 7)

    world.look()
    world.settle()


def test_a_repair_killed_while_it_begins_an_epoch_still_knows_the_bucket_as_its_own(night):
    """The bucket's epoch began after the state to which the database was put back."""
    world = night.world
    night.batch(0)
    night.back_up()
    night.edit(0, 1)
    night.begin_epoch()
    night.edit(0, 2)
    night.begin(0, "", "", looks=True)
    world.restore()
    past = Board.objects.get().epoch

    world.repair()
    while OPERATOR in world.actors and Board.objects.get().epoch == past:
        world.resume(OPERATOR)
    world.kill(OPERATOR, rudely=True)

    world.settle()


def test_a_worker_that_slept_through_a_restore_can_do_without_its_job(night):
    """Its job was opened after the backup, copied by another worker, and came back from the bucket as another row."""
    world = night.world
    night.batch(0)
    night.back_up()
    night.open_job("requested")
    night.begin(0, "read", "jobs/", looks=False)
    night.hurry(2, 1)
    night.leases_run_out()
    night.batch(1)
    world.restore()
    world.repair()
    world.run(OPERATOR)

    night.wake(0)

    world.look()
    world.settle()
