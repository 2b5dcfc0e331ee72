import uuid

import pytest

from dispatch import flow
from dispatch.mirror.boards import NotOurs, WentBack, board_document, keep_boards
from dispatch.mirror.repository import JobRepository
from dispatch.mirror.storages import CompareAndSwapInMemoryStorage, Conflict
from dispatch.mirror.sync import Sync
from dispatch.models import Board
from tests.factories import make_job

NAME = "boards/main.json"


class Storage(CompareAndSwapInMemoryStorage):
    writes = 0

    def write(self, name, content, *, if_match, metadata=None):
        self.writes += 1
        return super().write(name, content, if_match=if_match, metadata=metadata)


@pytest.fixture
def repository():
    return JobRepository(Storage())


def overwrite(repository, **changes):
    stored = repository.read(NAME) | changes
    repository.storage.delete(NAME)
    repository.put(NAME, stored)


def test_a_board_is_written_with_all_that_a_restore_needs(board, repository):
    make_job(board)

    keep_boards(repository)

    board.refresh_from_db()
    assert repository.read(NAME) == {
        "slug": "main", "name": "QuickDumpNow Denver", "timezone": "America/Denver", "phone": "+13035550100",
        "seq": 1, "epoch": str(board.epoch), "epochs": [str(board.epoch)],
    }  # fmt: skip


def test_a_board_that_did_not_move_is_not_written_again(board, repository):
    keep_boards(repository)
    keep_boards(repository)

    assert repository.storage.writes == 1


def test_every_board_is_written(board, repository):
    Board.objects.create(slug="north", name="North")

    keep_boards(repository)

    assert list(repository.names("boards/")) == [NAME, "boards/north.json"]


def test_new_facts_and_numbers_follow(board, repository):
    keep_boards(repository)

    flow.edit_board(board, {"phone": "+13035550199"})
    keep_boards(repository)

    board.refresh_from_db()
    assert (repository.read(NAME), repository.read(NAME)["phone"]) == (board_document(board), "+13035550199")


def test_a_new_epoch_of_ours_follows(board, repository):
    keep_boards(repository)
    before = str(board.epoch)

    flow.begin_epoch(board)
    keep_boards(repository)

    assert repository.read(NAME)["epochs"] == [before, str(board.epoch)]


def test_an_epoch_that_was_given_by_hand_is_ours_too(board, repository):
    keep_boards(repository)
    before, after = str(board.epoch), uuid.uuid4()

    Board.objects.filter(pk=board.pk).update(epoch=after, seq=5)
    keep_boards(repository)

    assert repository.read(NAME)["epochs"] == [before, str(after)]


def test_an_epoch_that_was_begun_below_the_numbers_of_the_last_one_goes_on_above_them(board, repository):
    keep_boards(repository)
    overwrite(repository, seq=70)

    Board.objects.filter(pk=board.pk).update(epoch=uuid.uuid4())
    keep_boards(repository)

    board.refresh_from_db()
    assert (board.seq, repository.read(NAME)) == (71, board_document(board))


def test_the_bucket_of_another_database_is_left_alone(board, job, repository):
    keep_boards(repository)
    overwrite(repository, epoch=str(uuid.uuid4()))

    with pytest.raises(NotOurs, match="belongs to another database"):
        Sync(repository, "w").batch()
    assert list(repository.names("")) == [NAME]


def test_a_database_that_went_back_copies_nothing(board, job, repository):
    keep_boards(repository)
    overwrite(repository, seq=7)

    with pytest.raises(WentBack, match=r"board main is at change 1, and the bucket has 7"):
        Sync(repository, "w").batch()
    assert list(repository.names("")) == [NAME]


def test_a_colleague_who_looked_later_is_no_cause_for_alarm(board, job, repository, monkeypatch):
    """The board is read, moves on, and another worker writes it before we read what is stored."""
    keep_boards(repository)
    boards = Board.objects.note_epochs

    def look_and_be_overtaken():
        looked = boards()
        monkeypatch.undo()
        make_job(board)
        keep_boards(repository)
        return looked

    monkeypatch.setattr(Board.objects, "note_epochs", look_and_be_overtaken)

    keep_boards(repository)

    assert repository.read(NAME)["seq"] == 2


def test_of_two_databases_that_begin_at_once_the_second_refuses(board, job, repository, monkeypatch):
    """Both find an empty bucket; the other one writes between our look and our write."""
    look, theirs = repository.look, board_document(board) | {"seq": 0, "epoch": str(uuid.uuid4())}

    def look_and_be_overtaken(name):
        found = look(name)
        monkeypatch.undo()
        repository.write(name, theirs, if_match=None)
        return found

    monkeypatch.setattr(repository, "look", look_and_be_overtaken)

    with pytest.raises(NotOurs):
        keep_boards(repository)
    assert repository.read(NAME) == theirs


def test_facts_are_as_late_as_the_number_beside_them(board, repository, monkeypatch):
    keep_boards(repository)
    look = repository.look

    def look_while_the_board_is_renamed(name):
        monkeypatch.undo()
        flow.edit_board(board, {"name": "New name"})
        return look(name)

    monkeypatch.setattr(repository, "look", look_while_the_board_is_renamed)

    keep_boards(repository)

    assert (repository.read(NAME)["name"], repository.read(NAME)["seq"]) == ("New name", 1)


def test_it_gives_up_when_somebody_else_keeps_writing(board, repository, monkeypatch):
    def always_too_late(*_, **__):
        raise Conflict(NAME)

    monkeypatch.setattr(repository.storage, "write", always_too_late)

    with pytest.raises(Conflict, match=NAME):
        keep_boards(repository)


@pytest.mark.parametrize("content", [b"", b"[]", b'{"slug": "main"}'])
def test_a_broken_board_is_written_anew(board, repository, content):
    repository.storage.write(NAME, content, if_match=None)

    keep_boards(repository)

    board.refresh_from_db()
    assert repository.read(NAME) == board_document(board)
