"""What one change costs in the bucket, with few jobs and with many: `python -m tests.bench.mirror_growth LOG`.

Each size has a database and a folder in the bucket of its own; they take turns. Prints medians as JSON,
{size: {way: {"ms", "bytes", "requests"}}}, where the way `ours` is one `Sync.batch()` after one `flow.move`, and `whole`
reads and writes all jobs as one jobs.json.
"""

import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.bench.mirror_server import BUCKET, Log

SIZES = (10, 1_000, 10_000)
ROUNDS, CHANGES, WHOLE_CHANGES = 4, 6, 2

Found = dict[str, list[float]]


def use(database: Path) -> None:
    """From here on Django works with this file."""
    from django.db import connection

    connection.close()
    connection.settings_dict["NAME"] = str(database)


class Size:
    """So many jobs, all of them copied."""

    def __init__(self, jobs: int, empty: Path, log: Log) -> None:
        from django.conf import settings

        from dispatch.mirror.document import job_document
        from dispatch.mirror.repository import JobRepository
        from dispatch.mirror.s3 import CompareAndSwapS3Storage
        from dispatch.mirror.sync import Sync
        from dispatch.models import Board, Job
        from tests.bench.fill import fill

        self.database, self.log, self.key = empty.with_name(f"{jobs}.sqlite3"), log, f"{jobs}/jobs.json"
        shutil.copy(empty, self.database)
        use(self.database)
        fill(Board.objects.get(slug="main"), jobs)
        self.uid = Job.objects.filter(status="requested").values_list("uid", flat=True)[0]
        options = settings.STORAGES["state"]["OPTIONS"] | {"location": str(jobs)}
        self.storage = CompareAndSwapS3Storage(**options)
        self.sync = Sync(JobRepository(self.storage), "bench")
        self.client = self.storage.connection.meta.client
        everything = Job.objects.select_related("board").prefetch_related("history")
        documents = {job.uid: job_document(job) for job in everything.iterator(chunk_size=1000)}
        self.client.put_object(Bucket=BUCKET, Key=self.key, Body=json.dumps({"jobs": documents}).encode())
        self.ours: Found = {"ms": [], "bytes": [], "requests": []}
        self.whole: Found = {"ms": [], "bytes": [], "requests": []}

    def take_turn(self) -> None:
        """The first change of each kind is not counted: the connection is new, and the board is looked at."""
        use(self.database)
        for place in range(CHANGES + 1):
            self.move()
            self.count(self.ours if place else None, self.copy)
        for place in range(WHOLE_CHANGES + 1):
            self.count(self.whole if place else None, self.rewrite)

    def move(self) -> None:
        from dispatch import flow
        from dispatch.models import Job

        job = Job.objects.get(uid=self.uid)
        to = "scheduled" if job.status == "requested" else "requested"
        flow.move(job, to, expect=job.seq, by="Bench", channel="board")

    def copy(self) -> None:
        if self.sync.batch().copied != 1:
            raise RuntimeError("not just this one job was copied")

    def rewrite(self) -> None:
        reply = self.client.get_object(Bucket=BUCKET, Key=self.key)
        document = json.loads(reply["Body"].read())
        document["jobs"][self.uid]["status"] = "scheduled"
        self.client.put_object(Bucket=BUCKET, Key=self.key, Body=json.dumps(document).encode())

    def count(self, found: Found | None, action: Callable[[], Any]) -> None:
        self.log.news()
        began = time.perf_counter()
        action()
        took = (time.perf_counter() - began) * 1000
        asked = self.log.news()
        if found is not None:
            found["ms"].append(took)
            found["bytes"].append(sum(request.size for request in asked if request.method == "PUT"))
            found["requests"].append(len(asked))


def main(log: Path) -> None:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    with tempfile.TemporaryDirectory(prefix="qdn-bench-growth-") as folder:
        empty = Path(folder) / "empty.sqlite3"
        use(empty)
        call_command("migrate", verbosity=0)
        connection.close()
        sizes = {jobs: Size(jobs, empty, Log(log)) for jobs in SIZES}
        for _ in range(ROUNDS):
            for size in sizes.values():
                size.take_turn()
        connection.close()
    medians = {
        jobs: {
            way: {name: statistics.median(values) for name, values in found.items()}
            for way, found in (("ours", size.ours), ("whole", size.whole))
        }
        for jobs, size in sizes.items()
    }
    sys.stdout.write(json.dumps(medians))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "qdn.settings")
    main(Path(sys.argv[1]))
