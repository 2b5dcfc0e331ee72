"""Real processes, many rounds: the WHERE of one UPDATE is the lock, and the board's row gives every change its number."""

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

ROOT = Path(__file__).resolve().parents[2]
MOVERS_ROUNDS = int(os.environ.get("RACE_ROUNDS", 60))
WRITERS, MOVES = 8, 25


pytestmark = pytest.mark.processes


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request, tmp_path) -> str:
    """A new, empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'race.sqlite3'}"
    url, name = request.getfixturevalue("postgres_url"), f"race_{request.node.originalname[5:45]}"
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"')
    return urlsplit(url)._replace(path=f"/{name}").geturl()


@pytest.fixture
def race(database_url, tmp_path):
    def race(kind: str) -> dict:
        environment = os.environ | {
            "DATABASE_URL": database_url,
            "VAR_DIR": str(tmp_path),
            "DJANGO_SETTINGS_MODULE": "qdn.settings",
        }
        command = [sys.executable, "-m", "tests.dispatch.race_movers", kind]
        ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=110)
        assert (ran.returncode, ran.stderr) == (0, "")
        return json.loads(ran.stdout)

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
