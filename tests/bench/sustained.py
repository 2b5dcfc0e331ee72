"""How many moves per second a database takes from eight processes: `python -m tests.bench.sustained` is one run of them.

All write on one board, whose row they queue for; each moves a job of its own. Nothing acknowledged may be missing.
"""

import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import Any

from tests.bench.row import Row

WRITERS, SECONDS = 8, 4


def measure() -> Iterator[Row]:
    from tests import postgres

    with tempfile.TemporaryDirectory(prefix="qdn-bench-") as folder:
        yield from rows("SQLite", run(f"sqlite:///{folder}/db.sqlite3"))
    with postgres.running() as url:
        yield from rows("PostgreSQL", run(url))


def rows(engine: str, found: dict[str, Any]) -> Iterator[Row]:
    yield Row(f"moves on one board, {WRITERS} processes, {engine}", f"{found['moves'] / found['seconds']:,.0f}/s")
    yield Row("  acknowledged and lost", str(found["lost"]), "0", found["lost"] == 0)


def run(database_url: str) -> dict[str, Any]:
    environment = os.environ | {"DATABASE_URL": database_url}
    command = [sys.executable, "-m", "tests.bench.sustained"]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=90)
    if ran.returncode:
        raise RuntimeError(ran.stderr)
    return json.loads(ran.stdout)


def write(number: int, pk: int, start: Any, results: Any) -> None:
    from dispatch import flow
    from dispatch.models import Job

    job, moves = Job.objects.get(pk=pk), 0
    start.wait(30)
    began = time.monotonic()
    while time.monotonic() - began < SECONDS:
        to = "scheduled" if job.status == "requested" else "requested"
        job = flow.move(job, to, expect=job.seq, by=f"writer {number}", channel="board")
        moves += 1
    results.put((moves, time.monotonic() - began))


def main() -> None:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connections

    from dispatch import flow
    from dispatch.models import Board, StatusChange

    call_command("migrate", verbosity=0)
    board = Board.objects.get(slug="main")
    jobs = [flow.open_job(board, by="Bench", channel="api", location=f"{number} Elm St") for number in range(WRITERS)]
    for connection in connections.all():  # each process opens its own
        connection.close()
        if hasattr(connection, "close_pool"):
            connection.close_pool()
    fork = multiprocessing.get_context("fork")
    start, results = fork.Barrier(WRITERS), fork.SimpleQueue()
    writers = [fork.Process(target=write, args=(number, job.pk, start, results)) for number, job in enumerate(jobs)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(SECONDS + 40)
    if [writer.exitcode for writer in writers] != [0] * WRITERS:
        for writer in writers:
            writer.kill()
        sys.exit("a writer failed")
    counted = [results.get() for _ in writers]
    moves, seconds = sum(moves for moves, _ in counted), max(took for _, took in counted)
    lost = moves - StatusChange.objects.filter(seq__gt=WRITERS).count()
    sys.stdout.write(json.dumps({"moves": moves, "seconds": seconds, "lost": lost}))
    for connection in connections.all():
        connection.close()
        if hasattr(connection, "close_pool"):
            connection.close_pool()


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "qdn.settings")
    main()
