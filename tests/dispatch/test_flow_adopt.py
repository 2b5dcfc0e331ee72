"""Copies that know more than the database: `flow.adopt` takes them over, `flow.renew` has them overruled."""

from datetime import UTC, datetime, timedelta

import pytest

from dispatch import flow
from dispatch.mirror.document import job_document
from dispatch.mirror.reading import read
from dispatch.models import Board, Job
from tests.factories import make_job


def move(job, to, by="Ana"):
    return flow.move(fresh(job), to, expect=fresh(job).seq, by=by, channel="board")


def edit(job, **changes):
    return flow.edit(fresh(job), changes, expect=fresh(job).seq, by="Bob")


def fresh(job):
    return Job.objects.select_related("board").get(uid=job.uid)


def put_back(job):
    """To the row and the history that `job` has in memory."""
    now = fresh(job)
    for step in list(now.history.all())[1:]:
        step.delete()
    job.save()


def copy_of(job):
    return read(f"jobs/{job.uid}.json", job_document(fresh(job)))


def adopt(board, copy):
    flow.adopt(board, copy.job, copy.steps)


def steps(job):
    return [(step.from_status, step.to_status, step.by) for step in fresh(job).history.all()]


def lost(job, to="scheduled", by="Lost Ana"):
    """A copy of the job after a move that the database then forgets."""
    move(job, to, by)
    copy = copy_of(job)
    put_back(job)
    return copy


def test_a_job_that_is_not_here_comes_back_whole(board, job):
    copy = lost(job)
    job.history.all().delete()
    job.delete()

    adopt(board, copy)

    back = fresh(job)
    assert steps(back) == [("", "requested", "Ana"), ("requested", "scheduled", "Lost Ana")]
    assert (back.status, back.token, back.location, back.mirrored_seq) == ("scheduled", job.token, job.location, 0)
    assert back.seq == Board.objects.get().seq


def test_a_later_copy_says_how_the_job_is(board, job):
    copy = lost(job)
    seq = Board.objects.get().seq

    adopt(board, copy)

    back = fresh(job)
    assert (back.status, back.status_at, back.rank) == ("scheduled", copy.job.status_at, copy.job.rank)
    assert (back.updated_at, back.updated_by, back.seq) == (copy.job.updated_at, "Lost Ana", seq + 1)
    assert steps(job) == [("", "requested", "Ana"), ("requested", "scheduled", "Lost Ana")]


def test_an_earlier_copy_adds_its_steps_only(board, job):
    copy = lost(job)
    ours = move(job, "ready_for_pickup", "New Bob")

    adopt(board, copy)

    back = fresh(job)
    assert (back.status, back.status_at, back.updated_at, back.updated_by) == (
        "ready_for_pickup", ours.status_at, ours.updated_at, "New Bob"
    )  # fmt: skip
    assert back.seq > ours.seq
    assert steps(job) == [
        ("", "requested", "Ana"), ("requested", "scheduled", "Lost Ana"), ("scheduled", "ready_for_pickup", "New Bob")
    ]  # fmt: skip


def test_steps_that_both_have_are_not_doubled_and_keep_what_the_database_knows_of_them(board, job):
    move(job, "scheduled")
    ours = list(fresh(job).history.values("at", "from_rank", "seq", "channel", "reason", "extra"))

    adopt(board, copy_of(job))

    assert list(fresh(job).history.values("at", "from_rank", "seq", "channel", "reason", "extra")) == ours


def test_an_edit_after_the_lost_move_does_not_part_the_status_from_the_history(board, job):
    copy = lost(job, "scheduled")
    edit(job, notes="the gate is open")

    adopt(board, copy)

    back = fresh(job)
    assert (back.status, back.notes) == (back.history.last().to_status, "the gate is open")
    assert (back.status, back.status_at) == ("scheduled", copy.job.status_at)


def test_a_lost_edit_after_our_move_does_not_part_the_status_from_the_history(board, job):
    original = fresh(job)
    moved = move(job, "scheduled", "New Bob")
    ours = fresh(job)
    Job.objects.filter(pk=job.pk).update(status="requested", status_at=original.status_at)
    edit(job, notes="lost")
    copy = copy_of(job)
    copy.steps[:] = copy.steps[:1]
    ours.save()

    adopt(board, copy)

    back = fresh(job)
    assert (back.status, back.status_at, back.notes) == ("scheduled", moved.status_at, "lost")
    assert back.history.last().to_status == "scheduled"


def test_two_equal_steps_of_one_history_stay_two(board):
    at = datetime(2026, 5, 1, 9, tzinfo=UTC)
    twice = [flow.PastStep("requested", at), flow.PastStep("scheduled", at), flow.PastStep("scheduled", at)]
    job = make_job(board, past=twice)

    adopt(board, copy_of(job))

    assert [step.to_status for step in fresh(job).history.all()] == ["requested", "scheduled", "scheduled"]


def test_a_history_that_was_not_in_order_of_time_keeps_its_order(board):
    at = datetime(2026, 5, 1, 9, tzinfo=UTC)
    job = make_job(board, past=[flow.PastStep("requested", at), flow.PastStep("scheduled", at - timedelta(hours=1))])

    adopt(board, copy_of(job))

    assert [step.to_status for step in fresh(job).history.all()] == ["requested", "scheduled"]


def test_whoever_saw_the_job_before_is_told_of_a_conflict(board, job):
    copy = lost(job)
    seen = fresh(job)
    adopt(board, copy)

    with pytest.raises(flow.Conflict):
        flow.move(seen, "scheduled", expect=seen.seq, by="Bob", channel="board")


def test_an_adopted_job_is_copied(board, job):
    copy = lost(job)
    Job.objects.filter(pk=job.pk).update(mirrored_seq=job.seq)

    adopt(board, copy)

    assert [one.uid for one in Job.objects.behind()] == [job.uid]


def test_open_boards_are_told(board, job, django_capture_on_commit_callbacks):
    copy = lost(job)

    with django_capture_on_commit_callbacks() as adopted:
        adopt(board, copy)
    with django_capture_on_commit_callbacks() as renewed:
        flow.renew(board, [job.pk])

    assert (len(adopted), len(renewed)) == (1, 1)


def test_renewed_jobs_take_numbers_above_the_given_one_in_their_order(board):
    jobs = [make_job(board) for _ in range(4)]
    before = {job.uid: Job.objects.filter(pk=job.pk).values().get() for job in jobs}

    flow.renew(board, [jobs[2].pk, jobs[0].pk], above=100)

    assert [fresh(job).seq for job in jobs] == [101, jobs[1].seq, 102, jobs[3].seq]
    assert Board.objects.get().seq == 102
    for job in jobs:
        renewed = fresh(job)
        expected = before[job.uid] | {"seq": renewed.seq, "seq_at": renewed.seq_at}
        assert Job.objects.filter(pk=job.pk).values().get() == expected
        assert (renewed.seq_at > before[job.uid]["seq_at"]) is (job in {jobs[0], jobs[2]})


def test_renewing_below_the_boards_number_does_not_take_it_back(board, job):
    Board.objects.update(seq=500)

    flow.renew(board, [job.pk], above=100)

    assert (fresh(job).seq, Board.objects.get().seq) == (501, 501)


def test_a_board_of_no_jobs_is_raised_alone(board, job):
    flow.renew(board, [], above=100)

    assert (fresh(job).seq, Board.objects.get().seq) == (job.seq, 101)


def test_renewing_leaves_the_jobs_of_other_boards_alone(board, job):
    east = Board.objects.create(slug="east", name="East")

    flow.renew(east, [job.pk], above=100)

    assert fresh(job).seq == job.seq


def test_a_new_epoch_goes_on_above_both(board, job):
    past = str(board.epoch)

    flow.begin_epoch(board, above=100)

    now = Board.objects.get()
    assert (now.seq, now.epoch == board.epoch, now.epochs) == (100, True, [past, str(now.epoch)])
    assert fresh(job).seq == job.seq
    assert make_job(board).seq == 101

    flow.begin_epoch(board, above=7)

    assert (Board.objects.get().seq, len(Board.objects.get().epochs)) == (102, 3)
