from tests.factories import make_job


def test_new_jobs_go_to_the_end_of_an_open_column(board):
    first, second = make_job(board), make_job(board)

    assert (first.rank, second.rank) == (2**20, 2 * 2**20)
