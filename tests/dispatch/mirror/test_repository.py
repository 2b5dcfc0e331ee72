"""A memory of its own stands in for the storage here; the storages themselves are in test_storages.py."""

import json

import pytest

from dispatch.mirror.repository import ATTEMPTS, JobRepository
from dispatch.mirror.storages import Conflict

NAME = "jobs/a.json"


class Memory:
    """Compare-and-swap in a dict. Counts writes."""

    def __init__(self):
        self.objects, self.writes = {}, 0

    def read(self, name):
        if name not in self.objects:
            raise FileNotFoundError(name)
        content = self.objects[name]
        return content, str(hash(content))

    def write(self, name, content, *, if_match):
        self.writes += 1
        current = self.read(name)[1] if name in self.objects else None
        if current != if_match:
            raise Conflict(name)
        self.objects[name] = content
        return str(hash(content))


def document(seq, epoch="e1", **more):
    return {"id": "a", "seq": seq, "epoch": epoch} | more


@pytest.fixture
def storage():
    return Memory()


@pytest.fixture
def repository(storage):
    return JobRepository(storage)


def test_a_document_comes_back_as_it_was_put(repository):
    wrote = repository.put(NAME, document(3, location="Łódź, 東京"))

    assert (wrote, repository.read(NAME)) == (True, document(3, location="Łódź, 東京"))


def test_a_newer_document_replaces_an_older_one(repository):
    repository.put(NAME, document(3))

    wrote = repository.put(NAME, document(4))

    assert (wrote, repository.read(NAME)) == (True, document(4))


def test_an_object_never_goes_back_to_a_lower_number(repository):
    repository.put(NAME, document(4, status="completed"))

    wrote = repository.put(NAME, document(3, status="requested"))

    assert (wrote, repository.read(NAME)) == (False, document(4, status="completed"))


def test_the_same_number_is_no_write(repository, storage):
    repository.put(NAME, document(4))

    wrote = repository.put(NAME, document(4))

    assert (wrote, storage.writes) == (False, 1)


def test_another_epoch_wins_whatever_its_number(repository):
    repository.put(NAME, document(900, epoch="before the restore"))

    wrote = repository.put(NAME, document(7, epoch="after it"))

    assert (wrote, repository.read(NAME)) == (True, document(7, epoch="after it"))


def test_a_write_whose_reply_was_lost_is_found_done(repository, storage):
    write = storage.write

    def write_and_lose_the_reply(name, content, *, if_match):
        write(name, content, if_match=if_match)
        raise Conflict(name)

    storage.write = write_and_lose_the_reply

    wrote = repository.put(NAME, document(5))

    assert (wrote, storage.writes, repository.read(NAME)) == (False, 1, document(5))


def test_a_writer_who_was_overtaken_leaves_the_newer_document(repository, storage):
    repository.put(NAME, document(1))
    write = storage.write

    def let_somebody_else_write_first(name, content, *, if_match):
        storage.write = write
        repository.put(NAME, document(9))
        return write(name, content, if_match=if_match)

    storage.write = let_somebody_else_write_first

    wrote = repository.put(NAME, document(2))

    assert (wrote, repository.read(NAME)) == (False, document(9))


def test_a_writer_who_overtook_an_older_one_writes_on_its_second_try(repository, storage):
    repository.put(NAME, document(1))
    write = storage.write

    def let_somebody_else_write_first(name, content, *, if_match):
        storage.write = write
        repository.put(NAME, document(2))
        return write(name, content, if_match=if_match)

    storage.write = let_somebody_else_write_first

    wrote = repository.put(NAME, document(9))

    assert (wrote, repository.read(NAME)) == (True, document(9))


@pytest.mark.parametrize(
    "content",
    [b"", b'{"id": "a", "se', b"\xff\xfe", b"[1, 2]", b'{"seq": "4"}', b"[" * 100_000],
    ids=["empty", "half", "not UTF-8", "a list", "a number as text", "nested too deep"],
)
def test_a_corrupt_object_is_replaced(repository, storage, content):
    storage.objects[NAME] = content

    wrote = repository.put(NAME, document(4))

    assert (wrote, repository.read(NAME)) == (True, document(4))


def test_reading_a_corrupt_object_says_which_one_it_is(repository, storage):
    storage.objects[NAME] = b"<html>"

    with pytest.raises(ValueError, match=r"jobs/a\.json is not JSON"):
        repository.read(NAME)


def test_reading_a_missing_object_is_a_missing_file(repository):
    with pytest.raises(FileNotFoundError, match=NAME):
        repository.read(NAME)


def test_half_a_character_of_an_imported_record_is_still_written(repository, storage):
    repository.put(NAME, document(4, notes="broken \ud83d"))

    assert json.loads(storage.objects[NAME].decode("utf-8"))["notes"] == "broken \ud83d"


def test_it_gives_up_when_somebody_else_keeps_writing(repository, storage):
    def always_too_late(name, content, *, if_match):
        storage.writes += 1
        raise Conflict(name)

    storage.write = always_too_late

    with pytest.raises(Conflict, match=NAME):
        repository.put(NAME, document(4))
    assert storage.writes == ATTEMPTS


def test_an_unreachable_storage_is_reported_at_once(repository, storage):
    def unreachable(name):
        raise ConnectionError("no route")

    storage.read = unreachable

    with pytest.raises(ConnectionError, match="no route"):
        repository.put(NAME, document(4))
    assert storage.writes == 0
