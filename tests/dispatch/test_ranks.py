import pytest

from dispatch import flow, ranks
from dispatch.models import Board, Job
from dispatch.ranks import GAP, NoRoom
from tests.factories import make_job


def test_new_jobs_go_to_the_end_of_an_open_column(board):
    first, second = make_job(board), make_job(board)

    assert (first.rank, second.rank) == (2**20, 2 * 2**20)


@pytest.mark.parametrize("status", ["completed", "cancelled"])
def test_new_jobs_go_to_the_top_of_a_column_of_finished_jobs(board, status):
    first, second, third = (make_job(board, status=status) for _ in range(3))

    assert (first.rank, second.rank, third.rank) == (GAP, 0, -GAP)


@pytest.mark.parametrize(
    ("neighbours", "rank"),
    [
        ({}, 4 * GAP),
        ({"before": "a"}, 0),
        ({"before": "b"}, 3 * GAP // 2),
        ({"after": "b"}, 5 * GAP // 2),
        ({"after": "c"}, 4 * GAP),
        ({"before": "b", "after": "a"}, 3 * GAP // 2),
        ({"before": "a", "after": "b"}, 5 * GAP // 2),  # they changed places meanwhile: the one above counts
        ({"before": "gone"}, 4 * GAP),
        ({"after": "gone"}, 4 * GAP),
        ({"before": "b", "after": "gone"}, 3 * GAP // 2),
        ({"before": "elsewhere"}, 4 * GAP),
        ({"after": "other-board"}, 4 * GAP),
        ({"after": "itself"}, 4 * GAP),
    ],
)
def test_a_rank_lies_between_the_neighbours_that_still_stand_there(board, neighbours, rank):
    for uid in "abc":
        make_job(board, uid=uid)
    make_job(board, uid="elsewhere", status="scheduled")
    make_job(Board.objects.create(slug="boulder", name="Boulder"), uid="other-board")
    job = make_job(board, uid="itself", status="scheduled")

    assert ranks.mint(job, "requested", **neighbours) == rank


def test_a_job_is_not_its_own_neighbour(board):
    first, last = make_job(board), make_job(board)

    assert ranks.mint(last, "requested") == 2 * GAP
    assert ranks.mint(last, "requested", after=last.uid) == 2 * GAP
    assert ranks.mint(first, "requested", before=first.uid) == 3 * GAP


@pytest.mark.parametrize("neighbours", [{"after": "a"}, {"before": "b"}])
def test_two_neighbours_without_a_whole_number_between_them_have_no_room(board, neighbours):
    a, job = make_job(board, uid="a"), make_job(board, status="scheduled")
    make_job(board, uid="b")
    Job.objects.filter(uid="b").update(rank=a.rank + 1)

    with pytest.raises(NoRoom):
        ranks.mint(job, "requested", **neighbours)


def test_the_last_whole_number_of_a_gap_is_used(board):
    a, job = make_job(board, uid="a"), make_job(board, status="scheduled")
    make_job(board, uid="b")
    Job.objects.filter(uid="b").update(rank=a.rank + 2)

    assert ranks.mint(job, "requested", after="a") == a.rank + 1


def test_about_twenty_jobs_fit_into_a_gap(board):
    a, b = make_job(board, uid="a"), make_job(board, uid="b")
    movers = [make_job(board, status="scheduled") for _ in range(21)]

    for job in movers[:20]:
        flow.move(job, "requested", expect=job.seq, by="Ana", channel="board", after=a.uid)
    before = Job.objects.get(uid="b").seq
    flow.move(movers[20], "requested", expect=movers[20].seq, by="Ana", channel="board", after=a.uid)

    assert before == b.seq
    assert Job.objects.get(uid="b").seq > b.seq
