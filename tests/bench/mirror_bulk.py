"""All jobs at once, with SQLite: `python -m tests.bench.mirror_bulk COMMAND`, COMMAND one of

- `check`: fills the database, writes what a worker would have written into the folder of copies, and compares it all;
- `restore`: rebuilds an empty database from that folder;
- `restore_many`: rebuilds one from many more jobs, all like the first of that folder. They are made when they are read, for
  to write so many files takes longer than to restore them.

Prints {"jobs", "seconds", "problems", "peak_mb"} as JSON.
"""

import json
import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

JOBS, MANY_JOBS = 10_000, 100_000
CHUNK = 500


class Many:
    """As much of a storage as a restore needs: another one's first job many times, with other ids, tokens and numbers."""

    def __init__(self, storage: Any) -> None:
        self.storage = storage
        name = next(storage.names("jobs/"))
        content, _ = storage.read(name)
        document = json.loads(content)
        parts = (document["id"], document["token"], rf'(?<="seq":){document["seq"]}\b')
        self.content, self.changing = content.decode(), re.compile("|".join(f"({part})" for part in parts))
        assert len(self.changing.findall(self.content)) == 4  # one id, one token, the number of the job and of its one step

    def names(self, prefix: str, after: str = "") -> Iterator[str]:
        if prefix != "jobs/":
            return self.storage.names(prefix, after)
        return (f"jobs/bench-{number:06}.json" for number in range(1, MANY_JOBS + 1))

    def read(self, name: str) -> tuple[bytes, str]:
        if not name.startswith("jobs/"):
            return self.storage.read(name)
        number = name.removeprefix("jobs/bench-").removesuffix(".json")
        others = (f"bench-{number}", f"bench-token-{number}", str(int(number)))
        return self.changing.sub(lambda found: others[found.lastindex - 1], self.content).encode(), number


def check(storage: Any) -> dict[str, Any]:
    from dispatch.mirror import checking
    from dispatch.mirror.boards import keep_boards
    from dispatch.mirror.repository import JobRepository
    from dispatch.models import Board
    from tests.bench.fill import fill

    repository = JobRepository(storage)
    fill(Board.objects.get(slug="main"), JOBS)
    keep_boards(repository)
    write_copies(Path(storage.path("")))
    began = time.perf_counter()
    report = checking.check(repository, silent)
    return {"jobs": report.jobs, "seconds": time.perf_counter() - began, "problems": len(report.differences)}


def restore(storage: Any) -> dict[str, Any]:
    from dispatch.mirror import restoring
    from dispatch.mirror.repository import JobRepository

    began = time.perf_counter()
    done = restoring.restore(JobRepository(storage), silent)
    took = time.perf_counter() - began
    return {"jobs": done.jobs, "seconds": took, "problems": len(done.problems) + len(done.notes)}


def write_copies(root: Path) -> None:
    """What is in the bucket when nothing is behind, written without waiting for the disk."""
    from dispatch.mirror.repository import serialise
    from dispatch.mirror.sync import documents
    from dispatch.models import Job

    for folder in ("jobs", "public/track"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    for job in Job.objects.select_related("board").prefetch_related("history").iterator(chunk_size=CHUNK):
        for make in documents():
            name, document = make(job)
            (root / name).write_bytes(serialise(document))


def silent(what: str, done: int, total: int) -> None:
    pass


def peak_mb() -> float:
    """Of this program alone: `ru_maxrss` begins with the memory of the process that started it."""
    return int(re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[1]) / 1024


def main(command: str) -> None:
    import django

    django.setup()
    from django.core.files.storage import storages
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    commands = {"check": check, "restore": restore, "restore_many": lambda storage: restore(Many(storage))}
    found = commands[command](storages["state"])
    connection.close()
    sys.stdout.write(json.dumps(found | {"peak_mb": peak_mb()}))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "qdn.settings")
    main(sys.argv[1])
