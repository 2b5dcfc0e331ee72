import json
from datetime import timedelta

import pytest
from django.utils import timezone

from dispatch import flow
from dispatch.mirror import checking, syncing
from dispatch.mirror.boards import board_document
from dispatch.mirror.checking import check
from dispatch.mirror.document import job_document
from dispatch.mirror.repairing import Repaired, repair
from dispatch.mirror.repository import serialise
from dispatch.mirror.storages import CompareAndSwapInMemoryStorage, Unconditional
from dispatch.mirror.sync import Sync
from dispatch.models import Board, Job, StatusChange, Upload
from tests.factories import make_job


class Memory(CompareAndSwapInMemoryStorage):
    """Knows what was written, and that no object ever went back."""

    def __init__(self):
        super().__init__()
        self.written, self.went_back = [], []

    def write(self, name, content, *, if_match, metadata=None):
        before = self.number(name)
        etag = super().write(name, content, if_match=if_match, metadata=metadata)
        if name != "probe.json":  # the storage is tried before anything is copied
            self.written.append(name)
        if before is not None and self.number(name) is not None and self.number(name) < before:
            self.went_back.append(name)
        return etag

    def number(self, name):
        try:
            return json.loads(self.read(name)[0])["seq"]
        except (FileNotFoundError, ValueError, TypeError, KeyError):
            return None


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(checking, "LOOK_AGAIN_AFTER_SECONDS", (0,))
    monkeypatch.setattr(syncing, "PATIENCE_SECONDS", 2)


@pytest.fixture
def storage():
    return Memory()


@pytest.fixture
def copied(job, repository):
    copy(repository)
    return job


def copy(repository):
    Upload.objects.all().delete()
    while Sync(repository, "test").batch().taken:
        pass


def silent(what, done, total):
    pass


def move(job, to, by="Ana"):
    job = Job.objects.get(pk=job.pk)
    return flow.move(job, to, expect=job.seq, by=by, channel="board")


def put(storage, name, document):
    content = document if isinstance(document, bytes) else serialise(document)
    storage.write(name, content, if_match=storage.etag(name))


def private(job):
    return f"jobs/{job.uid}.json"


def public(job):
    return f"public/track/{job.token}.json"


def differences(repository):
    return [str(one) for one in check(repository, silent).differences]


def steps(job):
    return [(step.to_status, step.by) for step in Job.objects.get(uid=job.uid).history.all()]


def fresh(job):
    return Job.objects.select_related("board").get(uid=job.uid)


def superseded(storage):
    return sorted(storage.names("superseded/"))


class Backup:
    """All rows as they are now, and back to that."""

    def __init__(self):
        self.boards = list(Board.objects.values())
        self.jobs = list(Job.objects.values())
        self.history = list(StatusChange.objects.values())

    def put_back(self):
        Upload.objects.all().delete()
        StatusChange.objects.all().delete()
        Job.objects.all().delete()
        for row in self.boards:
            Board.objects.filter(pk=row["id"]).update(**row)
        Job.objects.bulk_create([Job(**row) for row in self.jobs])
        StatusChange.objects.bulk_create([StatusChange(**row) for row in self.history])


def test_an_equal_mirror_is_left_alone(copied, repository, storage):
    storage.written.clear()
    seq = Board.objects.get().seq

    done = repair(repository, silent)

    assert (done, done.lines()) == (Repaired(), ["Nothing was done."])
    assert (storage.written, Board.objects.get().seq) == ([], seq)


def test_what_is_missing_is_written(board, copied, repository, storage):
    storage.delete(private(copied))
    storage.delete(public(copied))
    storage.delete("boards/main.json")

    done = repair(repository, silent)

    assert (done, done.lines()) == (Repaired(written=3), ["Objects written: 3."])
    assert differences(repository) == []
    assert fresh(copied).seq == copied.seq


def test_a_whole_bucket_is_written_again(board, repository, storage):
    for _ in range(5):
        make_job(board)
    copy(repository)
    for name in list(storage.names("")):
        storage.delete(name)

    assert repair(repository, silent) == Repaired(written=11)
    assert differences(repository) == []


def test_what_is_corrupt_is_kept_and_written(copied, repository, storage):
    put(storage, private(copied), b"half of {")
    put(storage, "boards/main.json", b"")
    etags = {name: storage.etag(name)[:12] for name in (private(copied), "boards/main.json")}

    assert repair(repository, silent) == Repaired(written=2, superseded=2)

    assert differences(repository) == []
    assert {name: storage.read(name)[0] for name in superseded(storage)} == {
        f"superseded/corrupt/boards/main.json-{etags['boards/main.json']}": b"",
        f"superseded/corrupt/{private(copied)}-{etags[private(copied)]}": b"half of {",
    }


def test_what_is_not_copied_yet_is_copied(copied, repository, storage):
    moved = move(copied, "scheduled")

    assert repair(repository, silent).left == []

    assert repository.read(private(copied)) == job_document(moved)
    assert (differences(repository), superseded(storage)) == ([], [])


def test_the_same_change_in_other_words_is_written_in_ours_under_the_same_number(copied, repository, storage):
    document = job_document(copied)
    put(storage, private(copied), document | {"notes": "as version 1 wrote it"})

    assert repair(repository, silent) == Repaired(written=1)

    assert (repository.read(private(copied)), fresh(copied).seq) == (document, copied.seq)


def test_a_replaced_link_becomes_a_tombstone(copied, repository, storage):
    put(storage, "public/track/old-link.json", repository.read(public(copied)))

    done = repair(repository, silent)

    assert done == Repaired(tombstones=1)
    assert repository.read("public/track/old-link.json") == {
        "gone": True, "seq": copied.seq + 1, "epoch": str(copied.board.epoch)
    }  # fmt: skip
    assert superseded(storage) == []


def test_a_replaced_link_that_nobody_can_read_becomes_a_tombstone_and_is_kept(copied, repository, storage):
    put(storage, "public/track/old-link.json", b"<html>")

    assert repair(repository, silent) == Repaired(tombstones=1, superseded=1)

    assert repository.read("public/track/old-link.json") == {"gone": True, "seq": 1, "epoch": ""}
    assert [storage.read(name)[0] for name in superseded(storage)] == [b"<html>"]


# The database was put back to an older state


@pytest.fixture
def story(board, repository, storage):
    """Two timelines that parted when the database was put back. Both had acknowledged changes."""
    jobs = {name: make_job(board, location=f"{name} St") for name in ("Both", "Lost", "New", "Equal", "Long")}
    copy(repository)
    backup, epoch = Backup(), board.epoch
    for to in ("scheduled", "ready_for_pickup"):
        move(jobs["Both"], to, by="Lost Ana")
    jobs["After"] = make_job(board, location="After St", by="Lost Ana")
    move(jobs["After"], "scheduled", by="Lost Ana")
    move(jobs["Lost"], "scheduled", by="Lost Ana")
    move(jobs["Long"], "scheduled", by="Lost Ana")
    copy(repository)
    backup.put_back()
    board.refresh_from_db()
    move(jobs["Both"], "ready_for_pickup", by="New Bob")
    move(jobs["New"], "scheduled", by="New Bob")
    for to in ("ready_for_pickup", "scheduled", "ready_for_pickup", "scheduled", "en_route", "in_progress"):
        move(jobs["Long"], to, by="New Bob")
    storage.written.clear()
    return jobs | {"epoch": epoch}


def kinds(repository):
    return {one.name: one.kind for one in check(repository, silent).differences}


def test_the_check_tells_that_the_database_was_put_back(story, repository):
    found = kinds(repository)

    assert found[private(story["Both"])] == "newer"
    assert found[private(story["Lost"])] == "newer"
    assert found[private(story["New"])] == "older"
    assert found[private(story["After"])] == "unknown"
    assert found[private(story["Long"])] == "older"
    assert found[public(story["After"])] == "stale"
    assert private(story["Equal"]) not in found


def test_repair_unites_both_timelines(story, board, repository, storage):
    token, last = story["After"].token, max(storage.number(name) for name in storage.names("jobs/"))

    done = repair(repository, silent)

    assert (done.left, done.adopted, differences(repository), storage.went_back) == ([], 4, [], [])
    assert steps(story["Both"]) == [
        ("requested", "Ana"), ("scheduled", "Lost Ana"), ("ready_for_pickup", "Lost Ana"), ("ready_for_pickup", "New Bob")
    ]  # fmt: skip
    assert steps(story["Lost"]) == [("requested", "Ana"), ("scheduled", "Lost Ana")]
    assert steps(story["New"]) == [("requested", "Ana"), ("scheduled", "New Bob")]
    assert steps(story["After"]) == [("requested", "Lost Ana"), ("scheduled", "Lost Ana")]
    assert steps(story["Equal"]) == [("requested", "Ana")]
    assert [by for _, by in steps(story["Long"])] == ["Ana", "Lost Ana", *["New Bob"] * 6]
    after = fresh(story["After"])
    assert (after.token, after.status, after.location) == (token, "scheduled", "After St")
    assert (fresh(story["Both"]).updated_by, fresh(story["Long"]).status) == ("New Bob", "in_progress")
    board.refresh_from_db()
    assert (board.epoch != story["epoch"], board.epochs) == (True, [str(story["epoch"]), str(board.epoch)])
    assert min(fresh(story[name]).seq for name in ("Both", "Lost", "After", "Long")) > last
    assert repository.read("boards/main.json")["epoch"] == str(board.epoch)


def test_what_was_not_united_but_decided_is_kept_beside(story, repository, storage):
    theirs = repository.read(private(story["Both"]))
    ours = job_document(fresh(story["Lost"]))

    repair(repository, silent)

    assert repository.read(f"superseded/{story['Both'].uid}/{story['epoch']}-{theirs['seq']}.json") == theirs
    assert repository.read(f"superseded/{story['Lost'].uid}/{story['epoch']}-{ours['seq']}.json") == ours


def test_repair_with_the_database_kept_overrules_the_other_timeline(story, board, repository, storage):
    ahead = {name: repository.read(private(story[name])) for name in ("Both", "Lost", "After")}
    rows = {name: (fresh(story[name]).status, steps(story[name])) for name in ("Both", "Lost", "New", "Long")}
    last = max(document["seq"] for document in ahead.values())

    done = repair(repository, silent, keep_database=True)

    assert (done.left, done.adopted, differences(repository), storage.went_back) == ([], 0, [], [])
    assert {name: (fresh(story[name]).status, steps(story[name])) for name in rows} == rows
    assert not Job.objects.filter(uid=story["After"].uid).exists()
    board.refresh_from_db()
    assert board.epoch != story["epoch"]
    gone = repository.read(private(story["After"]))
    assert (gone["id"], gone["gone"], gone["epoch"], gone["seq"] > last) == (
        story["After"].uid, True, str(board.epoch), True
    )  # fmt: skip
    assert repository.read(public(story["After"]))["gone"] is True
    for name, document in ahead.items():
        assert repository.read(f"superseded/{story[name].uid}/{story['epoch']}-{document['seq']}.json") == document


@pytest.mark.parametrize("keep_database", [False, True])
def test_a_second_repair_does_nothing(story, repository, storage, keep_database):
    repair(repository, silent, keep_database=keep_database)
    storage.written.clear()
    boards = list(Board.objects.values())

    assert repair(repository, silent, keep_database=keep_database) == Repaired()
    assert (storage.written, list(Board.objects.values())) == ([], boards)


@pytest.mark.parametrize("keep_database", [False, True])
def test_two_changes_under_the_same_number(board, copied, repository, storage, keep_database):
    backup = Backup()
    lost = move(copied, "scheduled", by="Lost Ana")
    copy(repository)
    document = repository.read(private(copied))
    backup.put_back()
    ours = move(copied, "ready_for_pickup", by="New Bob")
    assert (ours.seq, kinds(repository)) == (lost.seq, {private(copied): "different", public(copied): "different"})

    done = repair(repository, silent, keep_database=keep_database)

    assert (done.left, differences(repository), storage.went_back) == ([], [], [])
    both = [("requested", "Ana"), ("scheduled", "Lost Ana"), ("ready_for_pickup", "New Bob")]
    assert steps(copied) == ([both[0], both[2]] if keep_database else both)
    assert (fresh(copied).status, fresh(copied).seq > lost.seq) == ("ready_for_pickup", True)
    assert repository.read(f"superseded/{copied.uid}/{board.epoch}-{lost.seq}.json") == document
    assert Board.objects.get().epoch != board.epoch


def test_only_edits_were_lost_and_nothing_has_a_newer_number(board, copied, repository, storage):
    """The older copy cannot be told from one that is only not copied yet, except that others were ahead."""
    other = make_job(board)
    copy(repository)
    backup = Backup()
    flow.edit(fresh(copied), {"notes": "lost"}, expect=copied.seq, by="Lost Ana")
    move(other, "scheduled", by="Lost Ana")
    copy(repository)
    lost = repository.read(private(copied))
    backup.put_back()
    for note in "abc":
        flow.edit(fresh(copied), {"notes": note}, expect=fresh(copied).seq, by="New Bob")

    assert kinds(repository)[private(copied)] == "older"
    assert repair(repository, silent).left == []

    assert (differences(repository), fresh(copied).notes) == ([], "c")
    assert repository.read(f"superseded/{copied.uid}/{board.epoch}-{lost['seq']}.json") == lost


def test_a_database_that_did_nothing_since_it_was_put_back_takes_each_job_over_once(board, copied, repository, storage):
    backup = Backup()
    for to in ("scheduled", "ready_for_pickup", "en_route"):
        lost = move(copied, to, by="Lost Ana")
    copy(repository)
    backup.put_back()
    told = []

    done = repair(repository, lambda *how_far: told.append(how_far))

    assert done == Repaired(written=3, adopted=1, superseded=1)
    assert done.lines() == [
        "Jobs taken over from copies that knew more than the database: 1.",
        "Documents kept under superseded/, because others take their place: 1.",
        "Objects written: 3.",
    ]
    assert (fresh(copied).status, fresh(copied).seq > lost.seq) == ("en_route", True)
    assert len(Board.objects.get().epochs) == 2
    assert ("looked at for more", 1, 1) in told


def test_a_missing_page_does_not_have_an_older_copy_with_lost_steps_overwritten(story, repository, storage):
    storage.delete(public(story["Long"]))

    assert repair(repository, silent).left == []

    assert ("scheduled", "Lost Ana") in steps(story["Long"])
    assert differences(repository) == []


def test_put_back_twice_to_the_same_backup(board, copied, repository, storage):
    """Then other documents are to be kept under numbers of documents that are kept."""
    backup = Backup()
    move(copied, "scheduled", by="Lost Ana")
    copy(repository)
    lost = []
    for by in ("First Bob", "Second Bob"):
        backup.put_back()
        flow.edit(fresh(copied), {"notes": by}, expect=copied.seq, by=by)
        Job.objects.filter(pk=copied.pk).update(updated_at=timezone.now() - timedelta(hours=1))
        lost.append(json.loads(serialise(job_document(fresh(copied)))))
        assert repair(repository, silent).left == []

    assert [document["seq"] for document in lost] == [lost[0]["seq"]] * 2
    kept = [repository.read(name) for name in superseded(storage)]
    assert [document in kept for document in lost] == [True, True]


def test_only_the_boards_number_went_back(board, copied, repository, storage):
    put(storage, "boards/main.json", board_document(board) | {"seq": 500})

    assert repair(repository, silent) == Repaired(written=1)

    now = Board.objects.get()
    assert (differences(repository), now.epoch != board.epoch, now.seq >= 500) == ([], True, True)


def test_only_a_public_object_is_ahead(board, copied, repository, storage):
    put(storage, public(copied), repository.read(public(copied)) | {"seq": 40})

    assert repair(repository, silent).left == []
    assert (differences(repository), fresh(copied).seq > 40) == ([], True)


def test_put_back_to_before_an_earlier_repair(board, copied, repository, storage):
    """The bucket is in an epoch that the database does not know, but it knows the database's."""
    backup = Backup()
    flow.begin_epoch(board)
    move(copied, "scheduled", by="Lost Ana")
    copy(repository)
    later = str(board.epoch)
    backup.put_back()
    assert kinds(repository)["boards/main.json"] == "foreign"

    assert repair(repository, silent).left == []

    assert (differences(repository), steps(copied)) == ([], [("requested", "Ana"), ("scheduled", "Lost Ana")])
    assert later in Board.objects.get().epochs


# What cannot be taken over


def test_a_copy_that_cannot_be_read_gives_way_to_the_database_and_is_kept(board, copied, repository, storage):
    bad = job_document(copied) | {"seq": 30, "status": "nonsense"}
    put(storage, private(copied), bad)

    assert repair(repository, silent).left == []

    assert (differences(repository), fresh(copied).status) == ([], "requested")
    assert repository.read(f"superseded/{copied.uid}/{board.epoch}-30.json") == bad


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"status": "nonsense"}, "unknown: it cannot be taken over: "),
        ({"board": "east"}, "unknown: its board is not in this database; `manage.py mirror repair --keep-database` "),
    ],
)
def test_an_unknown_job_that_cannot_be_taken_over_is_left_with_its_page(board, copied, repository, storage, change, reason):
    stray = job_document(copied) | {"id": "stray", "token": "a-stray-link", "seq": 30} | change
    put(storage, "jobs/stray.json", stray)
    put(storage, "public/track/a-stray-link.json", {"seq": 30, "epoch": str(board.epoch)})
    seq = Board.objects.get().seq
    storage.written.clear()

    left = repair(repository, silent).left

    assert [line[: len("jobs/stray.json: " + reason)] for line in left] == [
        "jobs/stray.json: " + reason, left[1][: len("jobs/stray.json: " + reason)]
    ]  # fmt: skip
    assert left[1] == "public/track/a-stray-link.json: stale: it belongs to a job that could not be taken over"
    assert (storage.written, Board.objects.get().seq, Board.objects.get().epoch) == ([], seq, board.epoch)

    assert repair(repository, silent, keep_database=True).left == []
    assert (differences(repository), repository.read("jobs/stray.json")["gone"]) == ([], True)
    assert [repository.read(name) for name in superseded(storage)] == [stray]


def test_an_unknown_object_that_nobody_can_read_is_left(copied, repository, storage):
    put(storage, "jobs/stray.json", b"{")

    assert [line.partition(";")[0] for line in repair(repository, silent).left] == [
        "jobs/stray.json: unknown (and not readable): it cannot be read"
    ]
    assert repair(repository, silent, keep_database=True) == Repaired(tombstones=1, superseded=1)
    assert [storage.read(name)[0] for name in superseded(storage)] == [b"{"]
    assert differences(repository) == []


def test_an_unknown_job_with_the_link_of_another(board, copied, repository, storage):
    put(storage, "jobs/stray.json", job_document(copied) | {"id": "stray", "seq": 30})

    assert repair(repository, silent).left == [
        "jobs/stray.json: unknown: it cannot be taken over: another job has its link"
    ]
    assert (Board.objects.get().epoch, differences(repository)) == (board.epoch, ["jobs/stray.json: unknown"])


def test_a_job_that_makes_no_document_is_left(board, copied, repository):
    Job.objects.filter(pk=copied.pk).update(crew=[""])

    assert repair(repository, silent).left == [f"{private(copied)}: unmade (IndexError: list index out of range)"]


# Another database's


def test_a_bucket_of_another_database_is_left_alone(board, copied, repository, storage):
    put(storage, "boards/main.json", board_document(board) | {"epoch": "another", "epochs": ["another"]})
    put(storage, "jobs/theirs.json", job_document(copied) | {"id": "theirs", "epoch": "another", "seq": 99})
    move(copied, "scheduled")
    storage.written.clear()

    left = repair(repository, silent).left

    assert [line.partition("`")[0] for line in left if "boards/" in line or "theirs" in line] == [
        "boards/main.json: foreign (written in epoch another, which this database never had): another database wrote it:"
        " give each database a bucket of its own, or let this one take the bucket over with ",
        "jobs/theirs.json: unknown: another database wrote it: give each database a bucket of its own, or let this one"
        " take the bucket over with ",
    ]
    assert (len(left), storage.written) == (4, [])


def test_a_bucket_of_another_database_is_taken_over(board, copied, repository, storage):
    foreign = board_document(board) | {"epoch": "another", "epochs": ["another"], "seq": 200}
    put(storage, "boards/main.json", foreign)
    theirs = job_document(copied) | {"id": "theirs", "token": "their-link", "epoch": "another", "seq": 199}
    put(storage, "jobs/theirs.json", theirs)
    put(storage, "public/track/their-link.json", {"epoch": "another", "seq": 199})
    put(storage, private(copied), job_document(copied) | {"epoch": "another", "seq": 150})

    done = repair(repository, silent, keep_database=True)

    assert (done.left, differences(repository), storage.went_back) == ([], [], [])
    assert repository.read("jobs/theirs.json")["gone"] is True
    assert repository.read("public/track/their-link.json")["gone"] is True
    assert repository.read("superseded/theirs/another-199.json") == theirs
    assert repository.read("superseded/boards/main/another-200.json") == foreign
    assert Board.objects.get().seq > 200
    move(copied, "scheduled")
    copy(repository)
    assert differences(repository) == []


def test_another_databases_objects_in_our_bucket_are_left(board, copied, repository, storage):
    put(storage, "jobs/theirs.json", job_document(copied) | {"id": "theirs", "epoch": "another"})
    put(storage, private(copied), job_document(copied) | {"epoch": "another", "seq": 150})
    put(storage, "public/track/their-link.json", {"epoch": "another", "seq": 199})
    missing = make_job(board)
    storage.written.clear()

    left = repair(repository, silent).left

    assert sorted(line.partition(":")[0] for line in left) == sorted(
        [private(copied), "jobs/theirs.json", "public/track/their-link.json"]
    )
    assert [name for name in storage.written if "boards" not in name] == [private(missing), public(missing)]


def test_jobs_that_a_worker_has_taken_are_waited_for(copied, repository):
    move(copied, "scheduled")
    Upload.objects.create(job=copied, claim="a worker that died", not_before=timezone.now() + timedelta(seconds=0.5))

    assert (repair(repository, silent).left, differences(repository)) == ([], [])


def test_an_equal_mirror_is_not_even_probed(copied, repository, storage):
    repair(repository, silent)

    assert "probe.json" not in list(storage.names(""))


def test_nothing_is_mended_where_conditions_are_ignored(copied, repository, storage, monkeypatch):
    storage.delete(private(copied))
    storage.written.clear()
    write = storage.write
    monkeypatch.setattr(
        storage, "write", lambda name, content, *, if_match, metadata=None:
        write(name, content, if_match=storage.etag(name), metadata=metadata),
    )  # fmt: skip

    with pytest.raises(Unconditional):
        repair(repository, silent)
    assert storage.written == []


def test_an_older_copy_of_nobody_knows_which_epoch_is_kept_and_written_over(copied, repository, storage):
    """Whosever it is, what is newer takes its place."""
    old = repository.read(private(copied)) | {"epoch": "of nobody"}
    flow.renew(copied.board, [copied.pk])
    put(storage, private(copied), old)

    done = repair(repository, silent)

    assert (done.left, differences(repository)) == ([], [])
    assert [repository.read(name) for name in superseded(storage)] == [old]


def test_an_older_copy_that_is_no_document_of_a_job_is_written_over(copied, repository, storage):
    flow.renew(copied.board, [copied.pk])
    put(storage, private(copied), {"seq": 1, "epoch": str(copied.board.epoch), "statusHistory": "lost"})

    assert (repair(repository, silent).left, differences(repository)) == ([], [])
