"""Real processes: one UPDATE decides who is first, and what everybody saw can have happened in some order."""

import json
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.crew.linearizability import is_linearizable, operation

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = int(os.environ.get("RACE_ROUNDS", 10))
OPERATIONS = int(os.environ.get("RACE_OPERATIONS", 1200))
SECONDS = 110 + 5 * ROUNDS + OPERATIONS / 40

pytestmark = [pytest.mark.processes, pytest.mark.timeout(SECONDS + 20)]


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request, tmp_path) -> str:
    """A new, empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'race.sqlite3'}"
    url, name = request.getfixturevalue("postgres_url"), f"crew_{request.node.originalname[5:45]}"
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"')
    return urlsplit(url)._replace(path=f"/{name}").geturl()


@pytest.fixture
def race(database_url, tmp_path):
    def race(*arguments: str) -> dict:
        environment = os.environ | {
            "DATABASE_URL": database_url,
            "VAR_DIR": str(tmp_path),
            "DJANGO_SETTINGS_MODULE": "qdn.settings",
            "LOG_LEVEL": "CRITICAL",
        }
        command = [sys.executable, "-m", "tests.crew.race_claimers", *arguments]
        ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=SECONDS)
        assert (ran.returncode, ran.stderr) == (0, "")
        return json.loads(ran.stdout)

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
