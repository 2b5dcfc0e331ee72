import json
import os
import stat
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from dispatch import flow
from dispatch.mirror import exporting
from dispatch.mirror.document import job_document
from dispatch.mirror.exporting import ATTEMPTS, NoPlace
from dispatch.mirror.storages import CompareAndSwapInMemoryStorage, Conflict
from dispatch.models import Board, Job, StatusChange
from tests.factories import make_job

MORNING = datetime(2026, 5, 4, 15, 0, tzinfo=UTC)


class Storage(CompareAndSwapInMemoryStorage):
    """Notes what it is asked; `before_writing` is called before each write."""

    before_writing = staticmethod(lambda: None)

    def __init__(self):
        super().__init__()
        self.asked = []

    def etag(self, name):
        self.asked.append("etag")
        return super().etag(name)

    def write(self, name, content, *, if_match, metadata=None):
        self.asked.append("write")
        self.before_writing()
        return super().write(name, content, if_match=if_match, metadata=metadata)


@pytest.fixture
def storage():
    return Storage()


@pytest.fixture
def said():
    """What was said of the progress."""
    return []


@pytest.fixture
def export(storage, said):
    return lambda output=None: exporting.export(storage, lambda *what: said.append(what), output)


def state():
    """What an export has to hold."""
    return {"jobs": {job.uid: job_document(job) for job in Job.objects.all()}}


def written(storage):
    return json.loads(storage.read("jobs.json")[0])


def overwrite(storage, content):
    storage.delete("jobs.json")
    with storage.open("jobs.json", "wb") as file:
        file.write(content)


def test_all_jobs_of_all_boards_are_in_it_under_their_ids(board, storage, export):
    first = make_job(board, uid="JOB-1", notes="Łódź, “東京”", price=Decimal("149.50"), extra={"truck": [1, None]})
    flow.move(first, "scheduled", expect=first.seq, by="Ana", channel="board")
    make_job(Board.objects.create(slug="austin", name="Austin"), uid="JOB-2")

    done = export()

    assert (done, written(storage)) == ((2, "jobs.json"), state())
    assert list(written(storage)["jobs"]) == ["JOB-1", "JOB-2"]


def test_without_jobs_it_is_an_empty_state(board, storage, export):
    assert (export(), written(storage)) == ((0, "jobs.json"), {"jobs": {}})


def test_each_job_is_a_line(board, storage, export):
    for uid in ("JOB-1", "JOB-2"):
        make_job(board, uid=uid)

    export()

    lines = storage.read("jobs.json")[0].decode().split("\n")
    assert [line[:9] for line in lines] == ['{"jobs": ', '"JOB-1": ', '"JOB-2": ', "}}", ""]


def test_it_can_be_imported_into_an_empty_database_and_says_the_same(board, export, tmp_path):
    past = [
        flow.PastStep("requested", MORNING, "Dee", "booking", extra={"lat": 39.75}),
        flow.PastStep("cancelled", MORNING, "Ana", "import", "Nobody home", {"channel": "kiosk"}),
    ]
    make_job(
        board, past=past, service="dumpster_pickup", access_notes="Gate 4711", customer_name="Kim Lee", notes="Łódź",
        customer_phone="+13035550123", customer_email="kim@example.com", window_start=MORNING,
        window_end=MORNING.replace(hour=18), price=Decimal("149.50"), load_eighths=3, crew=["Dee Park"],
        extra={"customer.vip": True, "truck": {"number": 7, "plates": ["ABC", None], "weight": 1.5e-7}},
    )  # fmt: skip
    make_job(board, status="en_route")
    before = state()["jobs"]
    export(tmp_path / "jobs.json")
    StatusChange.objects.all().delete()
    Job.objects.all().delete()

    call_command("import_jobs", tmp_path / "jobs.json", stdout=StringIO())

    after = state()["jobs"]
    for document in [*before.values(), *after.values()]:
        for given_anew in ("seq", "rank", "updatedAt", "updatedBy"):
            del document[given_anew]
        for step in document["statusHistory"]:
            del step["seq"]
    assert after == before


def test_an_export_that_read_older_rows_does_not_replace_one_that_read_newer(board, storage, export):
    """Another export begins later and is through earlier; this one begins again."""
    job = make_job(board, uid="JOB-1")
    newer = []

    def other_export():
        if not newer:
            flow.edit(job, {"notes": "Piano"}, expect=job.seq, by="Ana")
            newer.append(state())
            overwrite(storage, json.dumps(state()).encode())

    storage.before_writing = other_export

    export()

    assert (written(storage), storage.asked.count("write")) == (newer[0], 2)


def test_the_etag_is_taken_before_the_rows_are_read(board, storage, monkeypatch):
    make_job(board)
    asked_before_rows = []
    monkeypatch.setattr(exporting, "job_document", lambda job: asked_before_rows.append(list(storage.asked)) or {})

    exporting.export(storage, lambda *what: None, None)

    assert asked_before_rows == [["etag"]]


def test_when_others_keep_writing_it_gives_up(board, storage, export):
    tries = []

    def other_export():
        tries.append(1)
        overwrite(storage, b"%d" % len(tries))

    storage.before_writing = other_export

    with pytest.raises(Conflict, match=r"jobs\.json"):
        export()

    assert (len(tries), storage.read("jobs.json")[0]) == (ATTEMPTS, b"3")


def test_a_file_is_written_for_its_owner_alone(board, export, tmp_path, storage):
    make_job(board)
    target = tmp_path / "out.json"

    done = export(target)

    assert (done, json.loads(target.read_bytes()), storage.asked) == ((1, str(target)), state(), [])
    assert (os.listdir(tmp_path), stat.S_IMODE(target.stat().st_mode)) == (["out.json"], 0o600)


def test_a_file_that_was_there_stays_until_the_new_one_is_whole(board, tmp_path, monkeypatch, storage):
    make_job(board)
    target = tmp_path / "out.json"
    target.write_text("old")

    def fail(what, done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        exporting.export(storage, fail, target)

    assert (target.read_text(), os.listdir(tmp_path)) == ("old", ["out.json"])


def test_a_link_stays_a_link(board, export, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "out.json"
    link.symlink_to("elsewhere/real.json")

    export(link)

    assert (link.is_symlink(), json.loads((tmp_path / "elsewhere/real.json").read_bytes())) == (True, state())


def test_a_pipe_is_written_to_and_not_replaced(board, export, tmp_path):
    make_job(board)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)

    export(pipe)

    with os.fdopen(reader, "rb") as file:
        assert (json.loads(file.read()), pipe.is_fifo()) == (state(), True)


@pytest.mark.parametrize(
    ("output", "why"),
    [
        ("none/out.json", "cannot write {}/none/out.json: there is no folder {}/none"),
        ("", "cannot write {}: it is a folder"),
    ],
)
def test_a_place_that_cannot_be_is_explained(board, export, tmp_path, output, why):
    with pytest.raises(NoPlace) as caught:
        export(tmp_path / output)

    assert str(caught.value) == why.format(tmp_path, tmp_path)


def test_a_dash_is_standard_output(board, export, capfdbinary):
    make_job(board)

    done = export(Path("-"))

    assert (done, json.loads(capfdbinary.readouterr().out)) == ((1, "-"), state())


def test_a_reader_who_leaves_is_no_fault_of_the_storage(board, export, monkeypatch):
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stdout:
        monkeypatch.setattr("sys.stdout", stdout)

        with pytest.raises(NoPlace) as caught:
            export(Path("-"))

    assert str(caught.value) == "whoever read the export stopped before its end"


def test_many_jobs_are_read_in_chunks_of_three_queries(
    board, export, said, storage, monkeypatch, django_assert_num_queries
):  # fmt: skip
    monkeypatch.setattr(exporting, "CHUNK", 2)
    for number in range(5):
        make_job(board, uid=f"JOB-{number}")

    with django_assert_num_queries(1 + 3 * 2 + 1):  # the count, jobs with boards and their histories, and no more jobs
        done = export()

    assert (done, written(storage)) == ((5, "jobs.json"), state())
    assert said == [("jobs exported", number, 5) for number in (2, 4, 5)]
