"""Jobs that come back as their copies have them, and the new life of a board that follows."""

from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, transaction

from dispatch import flow, live
from dispatch.models import Board, Job, StatusChange
from tests.factories import make_job

pytestmark = pytest.mark.django_db
MORNING = datetime(2026, 5, 4, 15, 0, tzinfo=UTC)


def copy(uid, seq, *statuses):
    """A job as a copy has it, with a history of the given steps, all of them with numbers of their own."""
    job = Job(uid=uid, seq=seq, rank=7, status=statuses[-1], location="1428 Elm St", created_at=MORNING, updated_at=MORNING)
    steps = [
        StatusChange(from_status=before, to_status=status, at=MORNING, by="Dee", channel="board", seq=seq - 1)
        for before, status in zip(("", *statuses), statuses, strict=False)
    ]
    return job, steps


def test_a_restored_job_has_the_numbers_and_times_of_its_copy(board):
    flow.restore(board, [copy("JOB-1", 41, "requested", "scheduled"), copy("JOB-2", 17, "completed")])

    columns = ("uid", "board__slug", "seq", "rank", "status", "created_at", "updated_at", "mirrored_seq")
    assert list(Job.objects.order_by("uid").values_list(*columns)) == [
        ("JOB-1", "main", 41, 7, "scheduled", MORNING, MORNING, 0),
        ("JOB-2", "main", 17, 7, "completed", MORNING, MORNING, 0),
    ]


def test_a_restored_job_has_its_history_in_order(board):
    flow.restore(board, [copy("JOB-1", 41, "requested", "scheduled"), copy("JOB-2", 17, "completed")])

    columns = ("job__uid", "from_status", "to_status", "at", "by", "seq")
    assert list(StatusChange.objects.order_by("id").values_list(*columns)) == [
        ("JOB-1", "", "requested", MORNING, "Dee", 40),
        ("JOB-1", "requested", "scheduled", MORNING, "Dee", 40),
        ("JOB-2", "", "completed", MORNING, "Dee", 16),
    ]


def test_restoring_takes_no_number(board):
    flow.restore(board, [copy("JOB-1", 41, "requested")])

    assert Board.objects.get(pk=board.pk).seq == board.seq


def test_a_job_that_is_here_already_is_not_restored_and_neither_are_those_with_it(board):
    make_job(board, uid="JOB-2")

    with pytest.raises(IntegrityError), transaction.atomic():
        flow.restore(board, [copy("JOB-1", 41, "requested"), copy("JOB-2", 42, "requested")])

    assert list(Job.objects.values_list("uid", flat=True)) == ["JOB-2"]


def test_all_or_nothing_holds_for_histories_too(board):
    job, steps = copy("JOB-1", 41, "requested")
    steps[0].at = None

    with pytest.raises(IntegrityError):
        flow.restore(board, [(job, steps)])

    assert (Job.objects.count(), StatusChange.objects.count()) == (0, 0)


def test_many_jobs_cost_few_queries(board, django_assert_max_num_queries):
    copies = [copy(f"JOB-{n}", n, "requested", "scheduled") for n in range(1, 101)]

    with django_assert_max_num_queries(12):
        flow.restore(board, copies)


def test_a_new_epoch_is_another_one_and_the_board_knows_both(board):
    before = board.epoch

    flow.begin_epoch(board)

    row = Board.objects.get(pk=board.pk)
    assert (row.epoch, row.epochs) == (board.epoch, [str(before), str(board.epoch)])
    assert board.epoch != before


def test_the_epochs_before_the_last_one_stay_known(board):
    Board.objects.filter(pk=board.pk).update(epochs=["first", str(board.epoch)])
    had = ["first", str(board.epoch)]

    for _ in range(2):
        flow.begin_epoch(board)
        had.append(str(board.epoch))

    assert (Board.objects.get(pk=board.pk).epochs, len(set(had))) == (had, 4)


@pytest.mark.parametrize(("above", "next_number"), [(0, 3), (1, 3), (500, 501)])
def test_in_a_new_epoch_numbers_go_on_above_what_was_given_before(board, above, next_number):
    make_job(board)  # number 1, and the epoch takes 2

    flow.begin_epoch(board, above=above)

    assert make_job(board).seq == next_number


def test_live_boards_are_told_of_a_new_epoch_after_the_commit(board, monkeypatch, django_capture_on_commit_callbacks):
    told = []
    monkeypatch.setattr(live, "announce", lambda slug, seq: told.append((slug, seq)))

    with django_capture_on_commit_callbacks(execute=True):
        flow.begin_epoch(board, above=500)
        assert told == []

    assert told == [("main", 500)]
