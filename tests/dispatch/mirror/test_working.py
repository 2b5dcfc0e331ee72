import json
import logging
import threading

import pytest
from django.db import OperationalError

from dispatch.mirror import sync, working
from dispatch.mirror.document import job_document
from dispatch.mirror.repository import JobRepository
from dispatch.mirror.storages import CompareAndSwapFileSystemStorage
from dispatch.mirror.sync import Sync
from dispatch.models import Board, Job, Upload, Worker
from tests.factories import make_job
from tests.waiting import wait_for


class Files(CompareAndSwapFileSystemStorage):
    def __init__(self, location):
        super().__init__(location=location)
        self.asked, self.broken, self.careless = 0, {}, False

    def read(self, name):
        self.asked += 1
        for part, error in self.broken.items():
            if part in name:
                raise error
        return super().read(name)

    def write(self, name, content, *, if_match, metadata=None):
        if self.careless and name == "probe.json":
            return "whatever was there is overwritten"
        return super().write(name, content, if_match=if_match, metadata=metadata)


def behind():
    return Job.objects.behind().count()


def test_the_pause_grows_up_to_a_limit_and_never_ends_the_worker():
    pauses = [max(working.pause_after(failures) for _ in range(200)) for failures in (1, 3, 5, 100_000)]

    limits = [2, 8, 30, 30]
    assert [0.5 <= pause <= limit for pause, limit in zip(pauses, limits, strict=True)] == [True] * 4
    assert [pause > limit / 2 for pause, limit in zip(pauses, limits, strict=True)] == [True] * 4


class TestPulse:
    def test_a_worker_shows_itself_and_its_counters(self, db):
        pulse = working.Pulse("w1")
        pulse.counters = {"uploads": 7}

        pulse.beat("")

        assert list(Worker.objects.at_work().values_list("name", "problem", "counters")) == [("w1", "", {"uploads": 7})]

    def test_it_does_not_write_at_every_turn(self, db, django_assert_num_queries):
        pulse = working.Pulse("w1")
        pulse.beat("")

        with django_assert_num_queries(0):
            pulse.beat("")
            pulse.beat()

    def test_it_writes_again_when_it_is_time(self, db):
        pulse = working.Pulse("w1")
        pulse.beat("")
        Worker.objects.update(counters={"uploads": -1})
        pulse.at -= working.BEAT_SECONDS

        pulse.beat()

        assert Worker.objects.get().counters == {}

    def test_a_problem_is_told_at_once_with_since_when(self, db):
        pulse = working.Pulse("w1")
        pulse.beat("")
        pulse.beat("no bucket")
        first = Worker.objects.get()
        pulse.at -= working.BEAT_SECONDS
        pulse.beat()
        later = Worker.objects.get()
        pulse.beat("")
        over = Worker.objects.get()

        assert (first.problem, later.problem, over.problem) == ("no bucket", "no bucket", "")
        assert (later.problem_since, over.problem_since) == (first.problem_since, None)
        assert first.problem_since is not None

    def test_it_ends_with_the_worker(self, db):
        pulse = working.Pulse("w1")
        pulse.beat("")

        pulse.end()

        assert not Worker.objects.exists()


@pytest.mark.django_db(transaction=True)
class TestRun:
    @pytest.fixture
    def storage(self, tmp_path):
        return Files(tmp_path)

    @pytest.fixture
    def worker(self, storage, monkeypatch):
        """The loop in a thread of its own, with pauses cut short."""
        monkeypatch.setattr(working, "INTERVAL_SECONDS", 0.01)
        monkeypatch.setattr(working, "LONGEST_PAUSE_SECONDS", 0.02)
        monkeypatch.setattr(working, "storages", {"state": storage})
        stop = threading.Event()
        thread = threading.Thread(target=working.run, args=(stop,))
        thread.stop = stop
        yield thread
        stop.set()
        thread.join(30)
        assert not thread.is_alive()

    def test_it_copies_what_changes_until_it_is_stopped(self, board, worker, storage):
        worker.start()
        job = make_job(board)

        wait_for(lambda: not behind(), "the job is copied")
        wait_for(lambda: Worker.objects.at_work().count() == 1, "it shows itself")
        worker.stop.set()
        worker.join(30)

        assert JobRepository(storage).read(f"jobs/{job.uid}.json") == json.loads(json.dumps(job_document(job)))
        assert (Worker.objects.count(), Upload.objects.count()) == (0, 0)

    def test_it_says_once_that_the_storage_is_gone_and_once_that_it_is_back(self, board, worker, storage, caplog):
        caplog.set_level(logging.INFO, "dispatch.mirror")
        storage.broken["jobs/"] = ConnectionError("no route to host")
        for _ in range(4):
            make_job(board)
        worker.start()

        wait_for(lambda: storage.asked >= 50, "many tries")
        said_while_away = list(caplog.messages)
        problem = Worker.objects.get().problem
        storage.broken.clear()
        wait_for(lambda: not behind(), "the jobs are copied")
        wait_for(lambda: "working again" in caplog.messages[-1], "it says that it works again")
        wait_for(lambda: not Worker.objects.get().problem, "the alarm is over")

        assert said_while_away == [f"mirror: cannot copy jobs, trying again: {problem}"]
        assert problem.startswith("cannot reach the storage")
        # a batch that was under way when the storage came back may have put a job off
        said = [message for message in caplog.messages if "going on without it" not in message]
        assert said[1].startswith("mirror: working again after ")
        assert len(said) == 2

    def test_it_survives_a_lost_database(self, board, worker, monkeypatch, caplog):
        batch, lost = Sync.batch, [OperationalError("server closed the connection")]

        def batch_or_fail(self):
            if lost:
                raise lost.pop()
            return batch(self)

        monkeypatch.setattr(Sync, "batch", batch_or_fail)
        make_job(board)
        worker.start()

        wait_for(lambda: not behind(), "the job is copied")

        assert "server closed the connection" in caplog.messages[0]

    def test_it_copies_nothing_to_a_storage_that_ignores_conditions(self, board, worker, storage):
        storage.careless = True
        make_job(board)
        worker.start()

        wait_for(lambda: Worker.objects.exclude(problem="").exists(), "it raises the alarm")

        assert "ignores conditional writes" in Worker.objects.get().problem
        assert (behind(), list(storage.names("jobs/"))) == (1, [])

    def test_it_shows_that_it_lives_while_it_waits(self, board, worker, storage, monkeypatch):
        monkeypatch.setattr(working, "BEAT_SECONDS", 0.02)
        monkeypatch.setattr(working, "pause_after", lambda failures: 60)
        storage.broken["boards/"] = ConnectionError("no route to host")
        worker.start()
        wait_for(lambda: Worker.objects.exclude(problem="").exists(), "it waits")
        first = Worker.objects.get().seen_at

        wait_for(lambda: Worker.objects.get().seen_at > first, "another sign of life")

    def test_it_stops_at_once_while_it_waits(self, board, worker, storage, monkeypatch):
        monkeypatch.setattr(working, "pause_after", lambda failures: 60)
        storage.broken["boards/"] = ConnectionError("no route to host")
        worker.start()
        wait_for(lambda: Worker.objects.exclude(problem="").exists(), "it waits")

        worker.stop.set()
        worker.join(30)

        assert not worker.is_alive()

    def test_a_full_batch_is_followed_by_the_next_without_a_pause(self, board, worker, monkeypatch):
        monkeypatch.setattr(sync, "BATCH", 1)
        monkeypatch.setattr(working, "BATCH", 1)
        monkeypatch.setattr(working, "INTERVAL_SECONDS", 60)
        Board.objects.note_epochs()
        for _ in range(5):
            make_job(board)
        worker.start()

        wait_for(lambda: not behind(), "all are copied")
