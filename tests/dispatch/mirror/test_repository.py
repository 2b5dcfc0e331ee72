"""A memory of its own stands in for the storage here; the storages themselves are in test_storages.py."""

import json

import pytest

from dispatch.mirror.repository import ATTEMPTS, Ahead, Corrupt, Put
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

    def write(self, name, content, *, if_match, metadata=None):
        self.writes += 1
        current = self.read(name)[1] if name in self.objects else None
        if current != if_match:
            raise Conflict(name)
        self.objects[name], self.metadata = content, metadata
        return str(hash(content))


def document(seq, epoch="e1", **more):
    return {"id": "a", "seq": seq, "epoch": epoch} | more


@pytest.fixture
def storage():
    return Memory()


def test_a_document_comes_back_as_it_was_put(repository):
    put = repository.put(NAME, document(3, location="Łódź, 東京"))

    assert (put, repository.read(NAME)) == (Put.WRITTEN, document(3, location="Łódź, 東京"))


def test_a_newer_document_replaces_an_older_one(repository):
    repository.put(NAME, document(3))

    put = repository.put(NAME, document(4))

    assert (put, repository.read(NAME)) == (Put.WRITTEN, document(4))


def test_an_object_never_goes_back_to_a_lower_number(repository):
    repository.put(NAME, document(4, status="completed"))

    with pytest.raises(Ahead, match=r"jobs/a\.json has change 4") as ahead:
        repository.put(NAME, document(3, status="requested"))
    assert (ahead.value.epoch, ahead.value.seq) == ("e1", 4)
    assert repository.read(NAME) == document(4, status="completed")


def test_not_even_in_another_epoch(repository):
    repository.put(NAME, document(900, epoch="after the restore"))

    with pytest.raises(Ahead, match="change 900"):
        repository.put(NAME, document(7, epoch="before it"))
    assert repository.read(NAME) == document(900, epoch="after the restore")


HISTORY = [{"status": "requested", "at": "08:00", "by": "Ana"}, {"status": "scheduled", "at": "08:05", "by": "Ana"}]


def test_a_history_that_grew_is_written(repository):
    repository.put(NAME, document(4, statusHistory=HISTORY[:1]))

    assert repository.put(NAME, document(7, statusHistory=HISTORY)) == Put.WRITTEN


def test_a_step_that_the_database_does_not_know_is_not_overwritten_by_a_higher_number(repository):
    """The database was put back to a moment before that step, and its numbers were given to other changes since."""
    repository.put(NAME, document(4, statusHistory=HISTORY))

    with pytest.raises(Ahead, match="change 4"):
        repository.put(NAME, document(7, statusHistory=HISTORY[:1]))
    assert repository.read(NAME)["statusHistory"] == HISTORY


def test_a_new_epoch_overrules_also_steps_that_it_does_not_know(repository):
    repository.put(NAME, document(4, statusHistory=HISTORY))

    assert repository.put(NAME, document(7, epoch="e2", statusHistory=HISTORY[:1])) == Put.WRITTEN


@pytest.mark.parametrize("history", [None, 5, "x", [5], {"at": 1}, [{"at": [1]}]])
def test_a_history_that_makes_no_sense_is_overwritten_or_left_and_never_an_error(repository, history):
    repository.put(NAME, document(4, statusHistory=history))

    try:
        put = repository.put(NAME, document(7, statusHistory=HISTORY))
    except Ahead:
        put = "left"
    assert put in {Put.WRITTEN, "left"}


def test_what_is_there_already_is_no_write(repository, storage):
    repository.put(NAME, document(4))

    put = repository.put(NAME, document(4))

    assert (put, storage.writes) == (Put.THERE, 1)


def test_nor_is_what_an_earlier_epoch_wrote_in_the_same_words(repository, storage):
    repository.put(NAME, document(4, price=600))

    put = repository.put(NAME, document(4, price=600.0, epoch="e2"))

    assert (put, storage.writes) == (Put.THERE, 1)


def test_another_change_under_the_same_number_is_not_overwritten(repository):
    repository.put(NAME, document(4, updatedAt="08:00", status="completed"))

    with pytest.raises(Ahead, match="another change 4"):
        repository.put(NAME, document(4, updatedAt="08:05", status="requested"))


def test_the_same_change_in_other_words_is_written(repository):
    repository.put(NAME, document(4, updatedAt="08:00"))

    put = repository.put(NAME, document(4, updatedAt="08:00", loadEighths=4))

    assert (put, repository.read(NAME)) == (Put.WRITTEN, document(4, updatedAt="08:00", loadEighths=4))


def test_number_and_epoch_are_in_the_metadata_too(repository, storage):
    repository.put(NAME, document(4))

    assert storage.metadata == {"seq": "4", "epoch": "e1"}


def test_a_write_whose_reply_was_lost_is_found_done(repository, storage):
    write = storage.write

    def write_and_lose_the_reply(name, content, *, if_match, metadata):
        write(name, content, if_match=if_match, metadata=metadata)
        raise Conflict(name)

    storage.write = write_and_lose_the_reply

    put = repository.put(NAME, document(5))

    assert (put, storage.writes, repository.read(NAME)) == (Put.THERE, 1, document(5))
    assert repository.conflicts == 1


def test_a_writer_who_was_overtaken_leaves_the_newer_document(repository, storage):
    repository.put(NAME, document(1))
    write = storage.write

    def let_somebody_else_write_first(name, content, *, if_match, metadata):
        storage.write = write
        repository.put(NAME, document(9))
        return write(name, content, if_match=if_match, metadata=metadata)

    storage.write = let_somebody_else_write_first

    with pytest.raises(Ahead, match="change 9"):
        repository.put(NAME, document(2))
    assert repository.read(NAME) == document(9)


def test_a_writer_who_overtook_an_older_one_writes_on_its_second_try(repository, storage):
    repository.put(NAME, document(1))
    write = storage.write

    def let_somebody_else_write_first(name, content, *, if_match, metadata):
        storage.write = write
        repository.put(NAME, document(2))
        return write(name, content, if_match=if_match, metadata=metadata)

    storage.write = let_somebody_else_write_first

    put = repository.put(NAME, document(9))

    assert (put, repository.read(NAME)) == (Put.WRITTEN, document(9))


@pytest.mark.parametrize(
    "content",
    [b"", b'{"id": "a", "se', b"\xff\xfe", b"[1, 2]", b'{"seq": "4"}', b'{"seq": true}', b"{}", b"[" * 100_000],
    ids=["empty", "half", "not UTF-8", "a list", "a number as text", "no number", "nothing in it", "nested too deep"],
)
def test_a_corrupt_object_is_replaced(repository, storage, content):
    storage.objects[NAME] = content

    put = repository.put(NAME, document(4))

    assert (put, repository.read(NAME)) == (Put.WRITTEN, document(4))


def test_reading_a_corrupt_object_says_which_one_it_is(repository, storage):
    storage.objects[NAME] = b"<html>"

    with pytest.raises(Corrupt, match=r"jobs/a\.json is not JSON"):
        repository.read(NAME)


def test_reading_a_missing_object_is_a_missing_file(repository):
    with pytest.raises(FileNotFoundError, match=NAME):
        repository.read(NAME)


def test_half_a_character_of_an_imported_record_is_still_written(repository, storage):
    repository.put(NAME, document(4, notes="broken \ud83d"))

    assert json.loads(storage.objects[NAME].decode("utf-8"))["notes"] == "broken \ud83d"


def test_it_gives_up_when_somebody_else_keeps_writing(repository, storage):
    def always_too_late(name, content, *, if_match, metadata):
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
