"""Races between real processes for the jobs of one board: `python -m tests.dispatch.race_movers one|many`.

`one`: 16 processes move the same job at the same moment, 60 rounds (RACE_ROUNDS). `many`: 8 processes make 25 moves each,
on jobs of their own. The database is DATABASE_URL's. Prints what was found as JSON.
"""

import json
import os
import sys
from multiprocessing.synchronize import Barrier
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "qdn.settings")
django.setup()

from django.core.management import call_command  # noqa: E402

from dispatch import flow  # noqa: E402
from dispatch.models import Board, Job, StatusChange  # noqa: E402
from tests.races import close, fork, run  # noqa: E402

MOVERS, ROUNDS = 16, int(os.environ.get("RACE_ROUNDS", 60))
WRITERS, MOVES = 8, 25
TO = ("scheduled", "requested")


def race_for_one_job() -> dict[str, Any]:
    """In each round all move the row that they have: the winner of the last round its own, the others their conflict's."""
    board, job = _board(), _open("one")
    start, results = fork.Barrier(MOVERS), fork.SimpleQueue()
    run([(_mover, number, job.pk, start, results) for number in range(MOVERS)], 120)
    wins = [results.get() for _ in range(MOVERS)]
    job.refresh_from_db()
    board.refresh_from_db()
    seqs = list(StatusChange.objects.filter(job=job).order_by("id").values_list("seq", flat=True))
    return {
        "winners": [sum(won[turn] for won in wins) for turn in range(ROUNDS)],
        "job_seq": job.seq,
        "board_seq": board.seq,
        "history": seqs,
    }


def _mover(number: int, pk: int, start: Barrier, results: Any) -> None:
    job, won = Job.objects.get(pk=pk), []
    for turn in range(ROUNDS):
        start.wait(60)
        try:
            job = flow.move(job, TO[turn % 2], expect=job.seq, by=f"mover {number}", channel="board")
            won.append(1)
        except flow.Conflict as conflict:
            job = conflict.current
            won.append(0)
    results.put(won)


def write_on_one_board() -> dict[str, Any]:
    board = _board()
    jobs = [_open(f"job-{number}") for number in range(WRITERS)]
    start, results = fork.Barrier(WRITERS), fork.SimpleQueue()
    run([(_writer, number, job.pk, start, results) for number, job in enumerate(jobs)], 120)
    acknowledged = sorted(seq for _ in range(WRITERS) for seq in results.get())
    board.refresh_from_db()
    return {
        "acknowledged": acknowledged,
        "history": sorted(StatusChange.objects.filter(seq__gt=WRITERS).values_list("seq", flat=True)),
        "last": sorted(Job.objects.values_list("seq", flat=True))[-1],
        "moves_per_job": [job.history.count() - 1 for job in Job.objects.all()],
        "board_seq": board.seq,
    }


def _writer(number: int, pk: int, start: Barrier, results: Any) -> None:
    job, taken = Job.objects.get(pk=pk), []
    start.wait(60)
    for turn in range(MOVES):
        job = flow.move(job, TO[turn % 2], expect=job.seq, by=f"writer {number}", channel="board")
        taken.append(job.seq)
    results.put(taken)


def _board() -> Board:
    return Board.objects.get(slug="main")


def _open(uid: str) -> Job:
    return flow.open_job(_board(), uid=uid, by="race", channel="api", location="1428 Elm St")


if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    print(json.dumps({"one": race_for_one_job, "many": write_on_one_board}[sys.argv[1]]()))  # noqa: T201
    close()
