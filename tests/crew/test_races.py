"""Real processes: one UPDATE decides who is first, and what everybody saw can have happened in some order."""

import json
import os
from collections import defaultdict
from pathlib import Path

import pytest

from tests.crew.linearizability import is_linearizable, operation
from tests.races import found_by

ROUNDS = int(os.environ.get("RACE_ROUNDS", 10))
OPERATIONS = int(os.environ.get("RACE_OPERATIONS", 1200))
SECONDS = 110 + 5 * ROUNDS + OPERATIONS / 40

pytestmark = [pytest.mark.processes, pytest.mark.timeout(SECONDS + 20)]


@pytest.fixture
def race(empty_database_url, tmp_path):
    def race(*arguments: str) -> dict:
        return found_by(
            "tests.crew.race_claimers", *arguments, database_url=empty_database_url, folder=tmp_path, seconds=SECONDS
        )

    return race


def test_of_sixty_four_who_claim_one_place_exactly_one_wins(race):
    assert race("one") == {
        "winners": [1] * ROUNDS,
        "left": [0, 0],
        "assignments": ROUNDS,
        "history": ["opened", *["claimed", "released"] * ROUNDS],
        "numbers": True,
    }


def test_what_everybody_saw_can_have_happened_in_some_order(race, tmp_path):
    folder = tmp_path / "history"
    folder.mkdir()

    found = race("history", str(folder))

    histories = read(folder)
    everything = [one for history in histories.values() for one in history]
    results = {one.result for one in everything}
    assert (len(everything) >= OPERATIONS, "" in results) == (True, True)
    assert {"new", "already", "taken", "released", "not_yours"} <= results
    assert [pk for pk in found["events"] if not is_linearizable(histories[pk], found["places"][str(pk)])] == []


def read(folder: Path) -> dict[int, list]:
    """The operations by event. One without a second line was killed before its answer."""
    histories = defaultdict(list)
    for path in folder.iterdir():
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        answers = {line[1]: (line[0], line[2]) for line in lines if len(line) == 3}
        for called, number, what, event, who in (line for line in lines if len(line) == 5):
            histories[event].append(operation(what, str(who), called, *answers.get(number, (None, ""))))
    return histories
