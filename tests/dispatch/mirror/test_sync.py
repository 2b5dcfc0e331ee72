import json
import logging
import threading
import time

import pytest
from django.db import OperationalError, connection

from dispatch import flow
from dispatch.mirror import sync
from dispatch.mirror.document import job_document
from dispatch.mirror.repository import JobRepository
from dispatch.mirror.storages import CompareAndSwapFileSystemStorage
from dispatch.models import Board, Job, StatusChange
from tests.factories import make_job
from tests.waiting import wait_for
from tracking.projection import public_projection


class Files(CompareAndSwapFileSystemStorage):
    """Notes what is written; `broken` says for which names, and as what error, it fails."""

    def __init__(self, location):
        super().__init__(location=location)
        self.written, self.asked, self.broken = [], 0, {}

    def read(self, name):
        self.asked += 1
        for part, error in self.broken.items():
            if part in name:
                raise error
        return super().read(name)

    def write(self, name, content, *, if_match):
        etag = super().write(name, content, if_match=if_match)
        self.written.append(name)
        return etag


@pytest.fixture
def storage(tmp_path):
    return Files(tmp_path)


@pytest.fixture
def repository(storage):
    return JobRepository(storage)


def move(job, to):
    return flow.move(job, to, expect=job.seq, by="Ana", channel="board")


def behind():
    return list(Job.objects.behind().order_by("seq").values_list("uid", flat=True))


def test_a_new_job_gets_its_private_and_its_public_object(job, repository, storage):
    looked_at = sync.sync_batch(repository)

    assert (looked_at, storage.written, behind()) == (
        1, [f"jobs/{job.uid}.json", f"public/track/{job.token}.json"], []
    )  # fmt: skip
    assert repository.read(f"jobs/{job.uid}.json") == job_document(job)
    assert repository.read(f"public/track/{job.token}.json") == json.loads(json.dumps(public_projection(job)))


def test_the_object_follows_a_change(job, repository):
    sync.sync_batch(repository)
    moved = move(job, "scheduled")

    sync.sync_batch(repository)

    assert repository.read(f"jobs/{job.uid}.json") == job_document(moved)
    assert repository.read(f"public/track/{job.token}.json") == json.loads(json.dumps(public_projection(moved)))


def test_three_changes_cost_one_upload(job, repository, storage):
    for to in ("scheduled", "ready_for_pickup", "en_route"):
        job = move(job, to)

    sync.sync_batch(repository)

    assert storage.written.count(f"jobs/{job.uid}.json") == 1
    assert repository.read(f"jobs/{job.uid}.json")["status"] == "en_route"


def test_nothing_behind_asks_the_storage_nothing(job, repository, storage):
    sync.sync_batch(repository)
    storage.asked = 0

    looked_at = sync.sync_batch(repository)

    assert (looked_at, storage.asked) == (0, 0)


def test_a_change_made_between_upload_and_mark_leaves_the_job_behind(job, repository, monkeypatch):
    mark = Job.objects.mark_mirrored

    def change_first(pk, seq):
        monkeypatch.undo()
        move(job, "scheduled")
        mark(pk, seq)

    monkeypatch.setattr(Job.objects, "mark_mirrored", change_first)
    sync.sync_batch(repository)

    assert (repository.read(f"jobs/{job.uid}.json")["status"], behind()) == ("requested", [job.uid])
    sync.sync_batch(repository)
    assert (repository.read(f"jobs/{job.uid}.json")["status"], behind()) == ("scheduled", [])


def test_a_worker_killed_between_upload_and_mark_finds_the_upload_done(job, repository, storage, monkeypatch):
    def killed(pk, seq):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Job.objects, "mark_mirrored", killed)
        with pytest.raises(KeyboardInterrupt):
            sync.sync_batch(repository)

    sync.sync_batch(repository)

    assert (storage.written.count(f"jobs/{job.uid}.json"), behind()) == (1, [])


def test_a_paused_worker_cannot_take_the_object_back(job, repository):
    old = Job.objects.select_related("board").prefetch_related("history").get(pk=job.pk)
    moved = move(job, "scheduled")
    sync.sync_batch(repository)

    sync._upload(repository, old)

    assert (repository.read(f"jobs/{job.uid}.json"), behind()) == (job_document(moved), [])


def test_one_job_that_cannot_be_uploaded_does_not_hold_up_the_others(board, repository, storage, caplog):
    first, bad, last = make_job(board), make_job(board), make_job(board)
    storage.broken[bad.uid] = PermissionError("access denied")

    looked_at = sync.sync_batch(repository)

    assert (looked_at, behind()) == (3, [bad.uid])
    assert [repository.read(f"jobs/{job.uid}.json")["id"] for job in (first, last)] == [first.uid, last.uid]
    assert caplog.messages == [
        f"mirror: cannot copy job {bad.uid}, going on without it: PermissionError('access denied')"
    ]  # fmt: skip


def test_a_job_that_makes_no_document_does_not_hold_up_the_others(board, repository, monkeypatch, caplog):
    bad, good = make_job(board), make_job(board)

    def picky(job):
        if job.pk == bad.pk:
            raise TypeError("no document in this")
        return f"jobs/{job.uid}.json", job_document(job)

    monkeypatch.setattr(sync, "documents", lambda: [picky])

    looked_at = sync.sync_batch(repository)

    assert (looked_at, behind()) == (2, [bad.uid])
    assert repository.read(f"jobs/{good.uid}.json")["id"] == good.uid
    assert caplog.messages == [
        f"mirror: cannot copy job {bad.uid}, going on without it: TypeError('no document in this')"
    ]  # fmt: skip


def test_a_failed_job_is_set_aside_and_tried_again_later(board, repository, storage):
    bad, _ = make_job(board), make_job(board)
    storage.broken[bad.uid] = PermissionError("access denied")
    set_aside = {}

    looked_at = [sync.sync_batch(repository, set_aside), sync.sync_batch(repository, set_aside)]
    storage.broken.clear()
    set_aside[bad.pk] = time.monotonic()
    looked_at.append(sync.sync_batch(repository, set_aside))

    assert (looked_at, set_aside, behind()) == ([2, 0, 1], {}, [])


def test_an_unreachable_storage_ends_the_batch_early(board, repository, storage):
    for _ in range(6):
        make_job(board)
    storage.broken["jobs/"] = ConnectionError("no route to host")
    set_aside = {}

    with pytest.raises(ConnectionError, match="no route"):
        sync.sync_batch(repository, set_aside)
    assert (storage.asked, len(behind()), set_aside) == (sync.GIVE_UP_AFTER, 6, {})


def test_with_a_single_job_behind_an_unreachable_storage_is_reported_too(job, repository, storage):
    storage.broken["jobs/"] = ConnectionError("no route to host")

    with pytest.raises(ConnectionError, match="no route"):
        sync.sync_batch(repository)


def test_a_lost_database_is_not_blamed_on_the_job(job, repository, monkeypatch):
    def lost(pk, seq):
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(Job.objects, "mark_mirrored", lost)
    set_aside = {}

    with pytest.raises(OperationalError, match="server closed"):
        sync.sync_batch(repository, set_aside)
    assert set_aside == {}


def test_a_batch_costs_the_same_queries_however_many_jobs_it_has(board, repository, django_assert_num_queries):
    for _ in range(3):
        make_job(board)

    with django_assert_num_queries(2 + 3):  # jobs with their boards, their histories, and one mark each
        sync.sync_batch(repository)


def test_finding_what_is_behind_uses_the_partial_index(board):
    """2,000 jobs that are in line and one that is not, in as many rows as make a planner choose."""
    jobs = [Job(board=board, location="x", rank=1, seq=n, mirrored_seq=n) for n in range(1, 2001)]
    jobs[1000].mirrored_seq = 0
    Job.objects.bulk_create(jobs)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE dispatch_job" if connection.vendor == "postgresql" else "ANALYZE")

    plan = Job.objects.behind().select_related("board").order_by("seq")[: sync.BATCH].explain()

    assert (behind(), "job_behind" in plan) == ([jobs[1000].uid], True), plan


def test_the_pause_grows_up_to_a_limit_and_never_ends_the_worker():
    pauses = [max(sync.pause_after(failures) for _ in range(200)) for failures in (1, 3, 5, 100_000)]

    limits = [2, 8, 30, 30]
    assert [0.5 <= pause <= limit for pause, limit in zip(pauses, limits, strict=True)] == [True] * 4
    assert [pause > limit / 2 for pause, limit in zip(pauses, limits, strict=True)] == [True] * 4


@pytest.mark.django_db(transaction=True)
class TestRun:
    @pytest.fixture
    def worker(self, storage, monkeypatch):
        """The loop in a thread of its own, with pauses cut short."""
        monkeypatch.setattr(sync, "INTERVAL_SECONDS", 0.01)
        monkeypatch.setattr(sync, "LONGEST_PAUSE_SECONDS", 0.02)
        monkeypatch.setattr(sync, "storages", {"state": storage})
        stop = threading.Event()
        thread = threading.Thread(target=sync.run, args=(stop,))
        yield thread
        stop.set()
        thread.join(10)
        assert not thread.is_alive()

    def test_it_copies_what_changes_until_it_is_stopped(self, board, worker, repository):
        worker.start()
        job = make_job(board)

        wait_for(lambda: not behind(), "the job is copied")

        assert repository.read(f"jobs/{job.uid}.json") == job_document(job)

    def test_it_says_once_that_the_storage_is_gone_and_once_that_it_is_back(self, board, worker, storage, caplog):
        caplog.set_level(logging.INFO, "dispatch.mirror.sync")
        storage.broken["jobs/"] = ConnectionError("no route to host")
        make_job(board)
        worker.start()

        wait_for(lambda: storage.asked >= 5, "five tries")
        said_while_away = list(caplog.messages)
        storage.broken.clear()
        wait_for(lambda: not behind(), "the job is copied")
        wait_for(lambda: len(caplog.messages) == 2, "it says that it works again")

        assert said_while_away == ["mirror: cannot copy jobs, trying again: no route to host"]
        assert caplog.messages[1].startswith("mirror: working again after ")

    def test_it_survives_a_lost_database(self, board, worker, monkeypatch, caplog):
        upload, lost = sync._upload, [OperationalError("server closed the connection")]

        def upload_or_fail(repository, job):
            if lost:
                raise lost.pop()
            upload(repository, job)

        monkeypatch.setattr(sync, "_upload", upload_or_fail)
        make_job(board)
        worker.start()

        wait_for(lambda: not behind(), "the job is copied")

        assert caplog.messages[0] == "mirror: cannot copy jobs, trying again: server closed the connection"


def test_history_and_boards_are_read_by_the_batch_itself(board, repository, django_assert_num_queries):
    """No document asks the database for more."""
    assert (Board.objects.count(), StatusChange.objects.count()) == (1, 0)
    job = move(make_job(board), "scheduled")

    with django_assert_num_queries(3):
        sync.sync_batch(repository)
    assert len(repository.read(f"jobs/{job.uid}.json")["statusHistory"]) == 2
