import json
import threading

import pytest
from django.db import connection

from dispatch import flow
from dispatch.mirror import checking
from dispatch.mirror.boards import board_document
from dispatch.mirror.checking import Report, check
from dispatch.mirror.differences import Difference
from dispatch.mirror.document import job_document
from dispatch.mirror.repository import serialise
from dispatch.mirror.storages import CompareAndSwapInMemoryStorage
from dispatch.mirror.sync import Sync
from dispatch.models import Board, Job
from tests.factories import make_job


class Memory(CompareAndSwapInMemoryStorage):
    """`before_read` is called with each name that is read."""

    def __init__(self):
        super().__init__()
        self.before_read, self.writes = lambda name: None, 0

    def read(self, name):
        self.before_read(name)
        return super().read(name)

    def write(self, name, content, **options):
        self.writes += 1
        return super().write(name, content, **options)


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(checking, "LOOK_AGAIN_AFTER_SECONDS", (0, 0, 0))


@pytest.fixture
def storage():
    return Memory()


@pytest.fixture
def copied(job, repository):
    """A job with its copies."""
    copy(repository)
    return job


def copy(repository):
    while Sync(repository, "test").batch().taken:
        pass


def silent(what, done, total):
    pass


def found(repository, **options):
    return [(one.name, one.kind) for one in check(repository, silent, **options).differences]


def write(storage, name, document):
    content = document if isinstance(document, bytes) else serialise(document)
    storage.write(name, content, if_match=storage.etag(name))


def private(job):
    return f"jobs/{job.uid}.json"


def public(job):
    return f"public/track/{job.token}.json"


def test_copies_of_everything_are_no_difference(board, copied, repository, storage):
    for _ in range(3):
        make_job(board)
    copy(repository)
    storage.writes = 0

    assert check(repository, silent) == Report(jobs=4, objects=9, differences=[])
    assert storage.writes == 0


def test_an_epoch_alone_is_no_difference(board, copied, repository):
    flow.begin_epoch(board)

    assert found(repository) == []


def test_an_object_that_is_not_there_is_missing(copied, repository, storage):
    storage.delete(private(copied))
    storage.delete(public(copied))

    assert found(repository) == [(private(copied), "missing"), (public(copied), "missing")]


@pytest.mark.parametrize("content", [b"", b"half of {", b"[]", b'{"seq":"7"}', b"\xff"])
def test_an_object_that_nobody_can_read_is_corrupt(copied, repository, storage, content):
    write(storage, private(copied), content)

    assert found(repository) == [(private(copied), "corrupt")]


def test_a_change_that_is_not_copied_yet_makes_objects_older(copied, repository):
    moved = flow.move(copied, "scheduled", expect=copied.seq, by="Ana", channel="board")

    assert check(repository, silent).differences == [
        Difference(
            name, "older", f"it has change {copied.seq}, the database {moved.seq}", uid=copied.uid, board="main",
            seq=copied.seq, epoch=str(copied.board.epoch),
        )
        for name in (private(copied), public(copied))
    ]  # fmt: skip


def test_an_object_ahead_of_the_database_is_newer(copied, repository, storage):
    write(storage, public(copied), repository.read(public(copied)) | {"seq": copied.seq + 1})

    assert found(repository) == [(public(copied), "newer")]


def test_another_content_under_the_same_number_is_different_and_says_in_which_keys(copied, repository, storage):
    write(
        storage, private(copied), repository.read(private(copied)) | {"price": 1, "notes": "x", "more": None, "epoch": "e"}
    )

    report = check(repository, silent)

    assert [str(one) for one in report.differences] == [f"{private(copied)}: different (in more, notes, price)"]


def test_an_object_of_no_job_is_unknown(copied, repository, storage):
    stray = job_document(copied) | {"id": "stray", "seq": 70}
    write(storage, "jobs/stray.json", stray)
    write(storage, "jobs/half.json", b"{")
    write(storage, f"jobs/{copied.uid}.txt", b"{}")
    write(storage, "superseded/stray/e1-70.json", stray)
    write(storage, "jobs.json", b"{}")

    assert sorted(check(repository, silent).differences, key=str) == [
        Difference(f"jobs/{copied.uid}.txt", "unknown", "and not readable", uid=f"{copied.uid}.txt"),
        Difference("jobs/half.json", "unknown", "and not readable", uid="half"),
        Difference("jobs/stray.json", "unknown", uid="stray", board="main", seq=70, epoch=str(copied.board.epoch)),
    ]


def test_a_replaced_link_is_stale(copied, repository, storage):
    Job.objects.filter(pk=copied.pk).update(token="a-new-token")
    write(storage, "public/track/a-new-token.json", repository.read(public(copied)))
    write(storage, private(copied), repository.read(private(copied)) | {"token": "a-new-token"})

    assert found(repository) == [(public(copied), "stale")]


def test_a_tombstone_is_as_it_should_be(copied, repository, storage):
    for name in ("jobs/gone.json", "public/track/gone-gone.json"):
        write(storage, name, {"gone": True, "seq": 9, "epoch": "e"})

    assert found(repository) == []


def test_an_unknown_job_that_brought_a_key_of_that_name_is_no_tombstone(copied, repository, storage):
    write(storage, "jobs/stray.json", job_document(copied) | {"id": "stray", "gone": True})

    assert found(repository) == [("jobs/stray.json", "unknown")]


def test_an_object_that_goes_away_after_it_was_listed_is_no_difference(copied, repository, storage):
    write(storage, "jobs/stray.json", b"{}")
    storage.before_read = lambda name: storage.delete(name) if "stray" in name else None

    assert found(repository) == []


def test_a_tombstone_of_a_job_that_is_here_is_a_difference(copied, repository, storage):
    write(storage, private(copied), {"gone": True, "seq": copied.seq, "epoch": "e"})

    assert found(repository) == [(private(copied), "different")]


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"phone": "+13035550199"}, "different"), ({"seq": 10_000}, "newer"), ({"epoch": "another"}, "foreign"),
        ({"seq": 0}, None), ({"seq": "none"}, "corrupt"),
    ],
)  # fmt: skip
def test_the_board_is_compared_too(board, copied, repository, storage, change, kind):
    write(storage, "boards/main.json", board_document(board) | change)

    assert found(repository) == ([("boards/main.json", kind)] if kind else [])


def test_a_board_without_an_object_is_missing(board, repository):
    assert found(repository) == [("boards/main.json", "missing")]


def test_a_job_that_makes_no_document_is_named_and_does_not_hold_up_the_others(board, copied, repository, storage):
    bad = make_job(board)
    copy(repository)
    Job.objects.filter(pk=bad.pk).update(crew=[""])
    storage.delete(private(copied))

    report = check(repository, silent)

    assert [str(one) for one in report.differences] == [
        f"{private(copied)}: missing", f"{private(bad)}: unmade (IndexError: list index out of range)"
    ]  # fmt: skip


def test_what_is_mended_while_we_look_does_not_count(board, copied, repository, storage, monkeypatch):
    flow.move(copied, "scheduled", expect=copied.seq, by="Ana", channel="board")
    write(storage, "jobs/late.json", job_document(copied) | {"id": "late"})
    write(storage, "public/track/old-link.json", {"seq": 1, "epoch": "e"})
    storage.delete("boards/main.json")
    waited = []

    def worker(seconds):
        waited.append(seconds)
        match len(waited):
            case 1:
                copy(repository)
            case 2:
                for name in ("jobs/late.json", "public/track/old-link.json"):
                    write(storage, name, {"gone": True, "seq": 9, "epoch": "e"})

    monkeypatch.setattr(checking, "LOOK_AGAIN_AFTER_SECONDS", (1, 2, 3))
    monkeypatch.setattr(checking.time, "sleep", worker)

    assert (found(repository), waited) == ([], [1, 2])


def test_a_job_made_between_its_copy_and_our_look_is_not_unknown(board, copied, repository, storage, monkeypatch):
    names = repository.names

    def then_a_job(prefix):
        if prefix == "jobs/":
            make_job(board)
            copy(repository)
        return names(prefix)

    monkeypatch.setattr(repository, "names", then_a_job)

    assert found(repository) == []


def test_a_sample_looks_at_some_jobs_and_does_not_list(board, repository, storage):
    for _ in range(6):
        make_job(board)
    copy(repository)
    write(storage, "jobs/stray.json", b"{")

    report = check(repository, silent, sample=4)

    assert (report.jobs, report.objects, report.differences) == (4, 9, [])


def test_a_sample_larger_than_all_looks_at_all(copied, repository):
    assert check(repository, silent, sample=50).jobs == 1


def test_it_goes_through_many_jobs_in_pieces_and_tells_how_far_it_is(board, repository, storage, monkeypatch):
    monkeypatch.setattr(checking, "CHUNK", 2)
    jobs = [make_job(board) for _ in range(5)]
    copy(repository)
    write(storage, "jobs/stray.json", {"seq": 1})
    storage.delete(private(jobs[4]))
    told = []

    report = check(repository, lambda *how_far: told.append(how_far))

    assert [(one.name, one.kind) for one in report.differences] == [
        (private(jobs[4]), "missing"), ("jobs/stray.json", "unknown")
    ]  # fmt: skip
    assert told == [
        ("compared", 2, 5), ("compared", 4, 5), ("compared", 5, 5),
        ("listed in jobs/", 2, 5), ("listed in jobs/", 4, 5), ("listed in jobs/", 5, 5), ("listed in jobs/", 5, 5),
        ("listed in public/track/", 2, 5), ("listed in public/track/", 4, 5), ("listed in public/track/", 5, 5),
        ("listed in public/track/", 5, 5),
    ]  # fmt: skip


def test_the_database_is_asked_as_often_for_many_jobs_as_for_one(board, copied, repository, django_assert_num_queries):
    with django_assert_num_queries(11) as queries:
        check(repository, silent)
    for _ in range(20):
        make_job(board)
    copy(repository)

    with django_assert_num_queries(len(queries)):
        check(repository, silent)


def test_the_threads_that_read_know_no_database(copied, repository, storage):
    readers = set()
    storage.before_read = lambda name: readers.add((threading.current_thread().name[:5], connection.connection is None))

    check(repository, silent)

    assert {known for thread, known in readers if thread == "check"} == {True}


def test_a_storage_that_cannot_be_reached_is_no_difference(copied, repository, storage):
    def unreachable(name):
        raise ConnectionError("no route")

    storage.before_read = unreachable

    with pytest.raises(ConnectionError):
        check(repository, silent)


def test_the_report_as_json(copied, repository, storage):
    storage.delete(public(copied))
    storage.delete("boards/main.json")

    assert json.loads(json.dumps(check(repository, silent).as_dict())) == {
        "jobs": 1,
        "objects": 3,
        "differences": [
            {"name": "boards/main.json", "kind": "missing", "detail": ""},
            {"name": public(copied), "kind": "missing", "detail": ""},
        ],
        "counts": {"missing": 2},
    }
    assert Board.objects.get().epochs == [str(copied.board.epoch)]
