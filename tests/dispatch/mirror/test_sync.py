import json
import threading
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import OperationalError, connection
from django.db.models import F
from django.utils import timezone

from dispatch import flow
from dispatch.mirror import sync
from dispatch.mirror.document import job_document, job_object
from dispatch.mirror.repository import ATTEMPTS
from dispatch.mirror.storages import CompareAndSwapInMemoryStorage, Conflict
from dispatch.mirror.sync import Batch, Sync, Unreachable
from dispatch.models import Job, Upload
from tests.factories import make_job
from tracking.projection import public_projection


class Storage(CompareAndSwapInMemoryStorage):
    """Notes what is written; `broken` says for which names, and as what error, it fails."""

    def __init__(self):
        super().__init__()
        self.written, self.asked, self.broken = [], 0, {}

    def read(self, name):
        self.asked += name.startswith("jobs/")
        for part, error in self.broken.items():
            if part in name:
                raise error
        return super().read(name)

    def write(self, name, content, *, if_match, metadata=None):
        etag = super().write(name, content, if_match=if_match, metadata=metadata)
        if not name.startswith("boards/"):
            self.written.append(name)
        return etag


@pytest.fixture
def storage():
    return Storage()


@pytest.fixture
def worker(repository):
    return Sync(repository, "w1")


@pytest.fixture
def other(repository):
    return Sync(repository, "w2")


def move(job, to):
    return flow.move(job, to, expect=job.seq, by="Ana", channel="board")


def due():
    """Puts the next try of every failed job to now."""
    return Upload.objects.retry_now()


def behind():
    return list(Job.objects.behind().order_by("seq").values_list("uid", flat=True))


def test_a_new_job_gets_its_private_and_its_public_object(job, worker, repository, storage):
    batch = worker.batch()

    assert (batch, storage.written, behind()) == (
        Batch(taken=1, copied=1), [f"jobs/{job.uid}.json", f"public/track/{job.token}.json"], []
    )  # fmt: skip
    assert repository.read(f"jobs/{job.uid}.json") == job_document(job)
    assert repository.read(f"public/track/{job.token}.json") == json.loads(json.dumps(public_projection(job)))


def test_the_object_follows_a_change(job, worker, repository):
    worker.batch()
    moved = move(job, "scheduled")

    worker.batch()

    assert repository.read(f"jobs/{job.uid}.json") == job_document(moved)
    assert repository.read(f"public/track/{job.token}.json") == json.loads(json.dumps(public_projection(moved)))


def test_three_changes_cost_one_upload(job, worker, repository, storage):
    for to in ("scheduled", "ready_for_pickup", "en_route"):
        job = move(job, to)

    worker.batch()

    assert storage.written.count(f"jobs/{job.uid}.json") == 1
    assert repository.read(f"jobs/{job.uid}.json")["status"] == "en_route"


def test_nothing_behind_asks_the_storage_nothing(job, worker, storage):
    worker.batch()
    storage.asked = 0

    batch = worker.batch()

    assert (batch, storage.asked) == (Batch(), 0)


def test_a_change_made_between_upload_and_mark_leaves_the_job_behind(job, worker, repository, monkeypatch):
    mark = Job.objects.mark_mirrored

    def change_first(pk, seq):
        monkeypatch.undo()
        move(job, "scheduled")
        mark(pk, seq)

    monkeypatch.setattr(Job.objects, "mark_mirrored", change_first)
    worker.batch()

    assert (repository.read(f"jobs/{job.uid}.json")["status"], behind()) == ("requested", [job.uid])
    worker.batch()
    assert (repository.read(f"jobs/{job.uid}.json")["status"], behind()) == ("scheduled", [])


def test_a_worker_killed_between_upload_and_mark_finds_the_upload_done(job, worker, storage, monkeypatch):
    def killed(pk, seq):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Job.objects, "mark_mirrored", killed)
        with pytest.raises(KeyboardInterrupt):
            worker.batch()

    worker.batch()

    assert (storage.written.count(f"jobs/{job.uid}.json"), behind()) == (1, [])


def test_a_paused_worker_cannot_take_the_object_back(job, worker, other, repository, monkeypatch):
    """It has read the job, sleeps past its lease, and goes on when another worker has copied a later change."""

    def sleep_first(job):
        old = f"jobs/{job.uid}.json", job_document(job)
        monkeypatch.undo()
        Upload.objects.update(not_before=timezone.now() - timedelta(seconds=1))
        move(job, "scheduled")
        assert other.batch().copied == 1
        return old

    monkeypatch.setattr(sync, "documents", lambda: [sleep_first])

    batch = worker.batch()

    job.refresh_from_db()
    assert (batch, behind(), job.status) == (Batch(taken=1), [], "scheduled")
    assert repository.read(f"jobs/{job.uid}.json") == job_document(job)


def test_one_job_that_cannot_be_uploaded_does_not_hold_up_the_others(board, worker, repository, storage, caplog):
    first, bad, last = make_job(board), make_job(board), make_job(board)
    storage.broken[bad.uid] = RuntimeError("no such luck")

    batch = worker.batch()

    assert (batch, behind()) == (Batch(3, 2, {bad.uid: "RuntimeError: no such luck"}), [bad.uid])
    assert [repository.read(f"jobs/{job.uid}.json")["id"] for job in (first, last)] == [first.uid, last.uid]
    assert caplog.messages == [
        f"mirror: cannot copy job {bad.uid}, going on without it: RuntimeError: no such luck"
    ]  # fmt: skip


def test_a_job_that_makes_no_document_does_not_hold_up_the_others(board, worker, repository, monkeypatch):
    bad, good = make_job(board), make_job(board)

    def picky(job):
        if job.pk == bad.pk:
            raise TypeError("no document in this")
        return f"jobs/{job.uid}.json", job_document(job)

    monkeypatch.setattr(sync, "documents", lambda: [picky])

    batch = worker.batch()

    assert (batch, behind()) == (Batch(2, 1, {bad.uid: "TypeError: no document in this"}), [bad.uid])
    assert repository.read(f"jobs/{good.uid}.json")["id"] == good.uid


def test_many_jobs_that_make_no_document_do_not_end_the_batch(board, worker, monkeypatch, settings):
    settings.MIRROR_UPLOADS = 2
    bad = {make_job(board).pk for _ in range(3)}
    make_job(board)

    def picky(job):
        if job.pk in bad:
            raise TypeError("no document in this")
        return job_object(job)

    monkeypatch.setattr(sync, "documents", lambda: [picky])

    batch = worker.batch()

    assert (batch.taken, batch.copied, len(batch.failed)) == (4, 1, 3)


def test_a_failed_job_waits_for_its_next_try_and_is_forgotten_when_it_is_copied(board, worker, storage):
    bad, _ = make_job(board), make_job(board)
    storage.broken[bad.uid] = RuntimeError("no such luck")
    pauses_end = timezone.now() + timedelta(days=1)

    taken = [worker.batch().taken]
    noted = Upload.objects.values_list("job__uid", "claim", "attempts", "error").get()
    Upload.objects.update(not_before=pauses_end)
    taken.append(worker.batch().taken)
    storage.broken.clear()
    due()
    taken.append(worker.batch().taken)

    assert noted == (bad.uid, "", 1, "RuntimeError: no such luck")
    assert (taken, list(Upload.objects.all()), behind()) == ([2, 0, 1], [], [])


def test_an_unreachable_storage_ends_the_batch_early_and_gives_everything_back(board, worker, storage):
    for _ in range(40):
        make_job(board)
    storage.broken["jobs/"] = ConnectionError("no route to host")

    with pytest.raises(Unreachable, match="cannot reach the storage"):
        worker.batch()
    assert storage.asked < 20
    assert (len(behind()), list(Upload.objects.all())) == (40, [])


def test_with_a_single_job_behind_an_unreachable_storage_is_reported_too(job, worker, storage):
    storage.broken["jobs/"] = ConnectionError("no route to host")

    with pytest.raises(Unreachable, match="cannot reach the storage"):
        worker.batch()


def test_an_earlier_failure_is_not_forgotten_when_the_storage_goes_away(board, worker, storage):
    bad, _ = make_job(board), make_job(board)
    storage.broken[bad.uid] = RuntimeError("no such luck")
    worker.batch()
    due()
    storage.broken = {"jobs/": ConnectionError("no route to host")}

    with pytest.raises(Unreachable):
        worker.batch()
    assert Upload.objects.values_list("job__uid", "claim", "attempts", "error").get() == (
        bad.uid, "", 1, "RuntimeError: no such luck"
    )  # fmt: skip


def test_two_workers_share_what_is_behind(board, worker, other, monkeypatch):
    """While the first is at work on its part, the second finds only the rest."""
    monkeypatch.setattr(sync, "BATCH", 2)
    jobs = [make_job(board) for _ in range(4)]
    shared = []

    def let_the_other_work_first(job):
        monkeypatch.setattr(sync, "documents", lambda: [job_object])
        shared.append([other.batch().copied, other.batch().taken])
        return job_object(job)

    monkeypatch.setattr(sync, "documents", lambda: [let_the_other_work_first])

    batch = worker.batch()

    assert (shared, batch.copied, behind()) == ([[2, 0]], 2, [])
    assert Job.objects.filter(mirrored_seq=F("seq")).count() == len(jobs)


def test_what_a_dead_worker_took_is_taken_over_when_its_lease_is_over(job, worker):
    Upload.objects.take([job.pk], "dead")

    before = worker.batch().taken
    Upload.objects.update(not_before=timezone.now() - timedelta(seconds=1))
    after = worker.batch().taken

    assert (before, after, behind(), list(Upload.objects.all())) == (0, 1, [], [])


@pytest.mark.parametrize(("beat_seconds", "lease_seconds"), [(0.02, 20), (5, 0.06)])
def test_a_long_batch_renews_its_lease_in_time_and_shows_a_sign_of_life(
    job, repository, storage, monkeypatch, settings, beat_seconds, lease_seconds
):
    monkeypatch.setattr(sync, "BEAT_SECONDS", beat_seconds)
    settings.MIRROR_LEASE_SECONDS = lease_seconds
    seen, go_on = [], threading.Event()

    def beat():
        seen.append(Upload.objects.get().not_before)
        if len(seen) == 2:
            go_on.set()

    slow = Sync(repository, "w1", beat)
    slow._look_at_boards()
    write = storage.write
    monkeypatch.setattr(storage, "write", lambda *a, **k: go_on.wait(30) and write(*a, **k))

    assert slow.batch().copied == 1
    assert seen[1] > seen[0]


def test_an_object_of_an_earlier_epoch_is_overruled_and_kept_beside(board, job, worker, repository):
    """A straggler of the time before a restore wrote it: the number is one that was never restored."""
    worker.batch()
    stored = repository.read(f"jobs/{job.uid}.json") | {"seq": 50, "updatedAt": "2026-01-01T00:00:00.000Z", "notes": "late"}
    repository.storage.delete(f"jobs/{job.uid}.json")
    repository.put(f"jobs/{job.uid}.json", stored)
    flow.begin_epoch(board)
    job = move(job, "scheduled")

    batches = [worker.batch(), worker.batch()]

    job.refresh_from_db()
    kept = repository.read(f"superseded/{job.uid}/{stored['epoch']}-50.json")
    assert ([batch.copied for batch in batches], [batch.failed for batch in batches]) == ([0, 1], [{}, {}])
    assert (kept, job.seq > 50, behind()) == (stored, True, [])
    assert repository.read(f"jobs/{job.uid}.json")["seq"] == job.seq


@pytest.mark.parametrize("epoch", ["ours", "somebody else's"])
def test_an_object_that_is_ahead_for_no_good_reason_is_left_alone(board, job, worker, repository, epoch):
    worker.batch()
    stored = repository.read(f"jobs/{job.uid}.json") | {"seq": 50} | ({} if epoch == "ours" else {"epoch": str(uuid4())})
    repository.put(f"jobs/{job.uid}.json", stored)
    move(job, "scheduled")

    batch = worker.batch()

    assert list(batch.failed) == [job.uid]
    assert "has change 50 already" in batch.failed[job.uid]
    assert repository.read(f"jobs/{job.uid}.json") == stored


def test_a_new_epoch_stands_in_its_board_before_it_stands_in_a_job(board, job, worker, repository, storage):
    """Between two looks at the boards. Or a database that is put back further would not know its own copies."""
    worker.batch()
    flow.begin_epoch(board)
    move(job, "scheduled")
    storage.broken["jobs/"] = ConnectionError("no route to host")

    with pytest.raises(Unreachable):
        worker.batch()

    assert repository.read("boards/main.json")["epoch"] == str(board.epoch)


def test_it_counts_conflicts_also_when_nothing_can_be_copied(job, worker, storage, monkeypatch):
    worker._look_at_boards()

    def always_too_late(name, *_, **__):
        raise Conflict(name)

    monkeypatch.setattr(storage, "write", always_too_late)

    with pytest.raises(Unreachable, match="somebody else keeps writing"):
        worker.batch()
    assert worker.counters.conflicts == ATTEMPTS


def test_it_counts_what_it_does(board, worker, storage):
    bad, _ = make_job(board), make_job(board)
    storage.broken[bad.uid] = RuntimeError("no such luck")

    worker.batch()

    counters = worker.counters
    assert (counters.uploads, counters.errors, counters.conflicts, sum(counters.lag)) == (1, 1, 0, 1)


def test_a_lost_database_is_not_blamed_on_the_job(job, worker, monkeypatch):
    def lost(pk, seq):
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(Job.objects, "mark_mirrored", lost)

    with pytest.raises(OperationalError, match="server closed"):
        worker.batch()
    assert list(Upload.objects.all()) == []


def test_a_batch_costs_the_same_queries_however_many_jobs_it_has(board, worker, django_assert_num_queries):
    for _ in range(3):
        make_job(board)

    worker.batch()
    for job in list(Job.objects.all()):
        move(job, "scheduled")

    # who waits; taking them; jobs with their boards, their histories; one mark each; giving back
    with django_assert_num_queries(1 + 3 + 2 + 3 + 1):
        worker.batch()


def test_finding_what_is_behind_uses_the_partial_index(board):
    """2,000 jobs that are in line and one that is not, in as many rows as make a planner choose."""
    jobs = [Job(board=board, location="x", rank=1, seq=n, mirrored_seq=n) for n in range(1, 2001)]
    jobs[1000].mirrored_seq = 0
    Job.objects.bulk_create(jobs)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE dispatch_job" if connection.vendor == "postgresql" else "ANALYZE")

    plan = Job.objects.behind().select_related("board").order_by("seq")[: sync.BATCH].explain()

    assert (behind(), "job_behind" in plan) == ([jobs[1000].uid], True), plan


def test_history_and_boards_are_read_by_the_batch_itself(board, worker, repository, django_assert_num_queries):
    """No document asks the database for more."""
    worker.batch()
    job = move(make_job(board), "scheduled")

    with django_assert_num_queries(1 + 3 + 2 + 1 + 1):
        worker.batch()
    assert len(repository.read(f"jobs/{job.uid}.json")["statusHistory"]) == 2
