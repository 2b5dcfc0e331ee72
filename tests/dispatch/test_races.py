"""Real processes, many rounds: the WHERE of one UPDATE is the lock, and the board's row gives every change its number."""

import os

import pytest

from tests.races import found_by

MOVERS_ROUNDS = int(os.environ.get("RACE_ROUNDS", 60))
WRITERS, MOVES = 8, 25


pytestmark = pytest.mark.processes


@pytest.fixture
def race(empty_database_url, tmp_path):
    def race(kind: str) -> dict:
        return found_by("tests.dispatch.race_movers", kind, database_url=empty_database_url, folder=tmp_path, seconds=110)

    return race


def test_of_sixteen_who_move_the_same_job_exactly_one_wins(race):
    found = race("one")

    assert found == {
        "winners": [1] * MOVERS_ROUNDS,
        "job_seq": 1 + MOVERS_ROUNDS,
        "board_seq": 1 + MOVERS_ROUNDS,
        "history": list(range(1, 2 + MOVERS_ROUNDS)),
    }


def test_changes_of_many_jobs_take_every_number_once(race):
    found = race("many")

    numbers = list(range(WRITERS + 1, WRITERS + 1 + WRITERS * MOVES))
    assert found == {
        "acknowledged": numbers,
        "history": numbers,
        "last": numbers[-1],
        "moves_per_job": [MOVES] * WRITERS,
        "board_seq": numbers[-1],
    }
