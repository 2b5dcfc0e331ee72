"""Eight processes that change jobs in object storage: `python -m tests.bench.mirror_writers KIND`, KIND one of

- `naive`: what most systems do. GET jobs.json, change a job in it, PUT jobs.json;
- `swap`: the same with If-Match, and from the start when somebody was faster;
- `ours`: `flow.move`, while a worker that runs elsewhere copies; then a burst, and a while at a calm pace.

Each prints what was acknowledged, as JSON: {phase: {"began", "changes": [[job, number, milliseconds, at]]}}. `at` is when
the writer knew that its change was done; times are those of `time.time()`, as in the server's log.
"""

import json
import multiprocessing
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any

from tests.bench.mirror_server import BUCKET

WRITERS, CHANGES, JOBS_EACH = 8, 50, 5
BURST_JOBS, BURST_CHANGES = 20, 400
CALM_PER_SECOND, CALM_SECONDS = 5, 8
PATIENCE_SECONDS = 90
KEY = "jobs.json"

Change = Callable[[int], tuple[str, int]]
"""Makes the change with this number; returns the job and what to look for in its history."""
Made = tuple[str, int, float, float]


def contend(make_writer: Callable[[int], Change]) -> dict[str, Any]:
    """Every writer connects by itself, all begin at once, and none pauses."""
    fork = multiprocessing.get_context("fork")
    start, results = fork.Barrier(WRITERS), fork.Queue()

    def write(number: int) -> None:
        try:
            change = make_writer(number)
            start.wait(PATIENCE_SECONDS)
            results.put((time.time(), [timed(change, place) for place in range(CHANGES)]))
        except Exception:  # noqa: BLE001 whatever went wrong, the parent should not wait for it
            results.put((0.0, traceback.format_exc()))

    writers = [fork.Process(target=write, args=(number,), daemon=True) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    began, made = [], []
    for _ in writers:
        at, found = results.get(timeout=PATIENCE_SECONDS)
        if isinstance(found, str):
            sys.exit(found)
        began.append(at)
        made += found
    for writer in writers:
        writer.join(PATIENCE_SECONDS)
    return {"began": min(began), "changes": made}


def timed(change: Change, place: int) -> Made:
    began = time.perf_counter()
    job, number = change(place)
    return job, number, (time.perf_counter() - began) * 1000, time.time()


def name(writer: int, place: int) -> str:
    return f"job-{writer}-{place % JOBS_EACH}"


def whole_file(*, conditional: bool) -> dict[str, Any]:
    """`place` is what is looked for afterwards: writers do not share jobs, so nothing but lost updates can hide it."""
    from tests.s3 import client_at

    url = os.environ["AWS_ENDPOINT_URL"]
    jobs = {name(writer, place): {"statusHistory": []} for writer in range(WRITERS) for place in range(JOBS_EACH)}
    client_at(url).put_object(Bucket=BUCKET, Key=KEY, Body=json.dumps({"jobs": jobs}).encode())

    def make_writer(writer: int) -> Change:
        client = client_at(url, patience=30)
        client.head_object(Bucket=BUCKET, Key=KEY)  # it is connected when it begins

        def change(place: int) -> tuple[str, int]:
            while True:
                reply = client.get_object(Bucket=BUCKET, Key=KEY)
                document = json.loads(reply["Body"].read())
                job = document["jobs"][name(writer, place)]
                job["status"] = ("scheduled", "requested")[place // JOBS_EACH % 2]
                job["statusHistory"].append({"status": job["status"], "at": time.time(), "by": writer, "seq": place})
                condition = {"IfMatch": reply["ETag"]} if conditional else {}
                try:
                    client.put_object(Bucket=BUCKET, Key=KEY, Body=json.dumps(document).encode(), **condition)
                except client.exceptions.ClientError as error:
                    if error.response["ResponseMetadata"]["HTTPStatusCode"] != 412:
                        raise
                else:
                    return name(writer, place), place

        return change

    return {"writers": contend(make_writer)}


def ours() -> Iterator[tuple[str, dict[str, Any]]]:
    from dispatch import flow
    from dispatch.models import Board, Job
    from tests.waiting import wait_for

    def opened(count: int) -> list[Job]:
        board = Board.objects.get(slug="main")
        jobs = [flow.open_job(board, by="Bench", channel="api", location=f"{place} Elm St") for place in range(count)]
        copied()
        return jobs

    def copied() -> None:
        wait_for(lambda: not Job.objects.behind().exists(), "the worker has copied everything", PATIENCE_SECONDS)

    def mover(jobs: list[Job]) -> Change:
        def move(place: int) -> tuple[str, int]:
            job = jobs[place % len(jobs)]
            to = "scheduled" if job.status == "requested" else "requested"
            job = jobs[place % len(jobs)] = flow.move(job, to, expect=job.seq, by="Bench", channel="board")
            return job.uid, job.seq

        return move

    def make_writer(writer: int) -> Change:
        own = jobs[writer * JOBS_EACH : (writer + 1) * JOBS_EACH]
        own[0].refresh_from_db()  # it is connected when it begins
        return mover(own)

    jobs = opened(WRITERS * JOBS_EACH)
    disconnect()  # each process opens its own
    yield "writers", contend(make_writer)
    copied()
    move = mover(opened(BURST_JOBS))
    began = time.time()
    yield "burst", {"began": began, "changes": [timed(move, place) for place in range(BURST_CHANGES)]}
    copied()
    began, calm = time.time(), []
    for place in range(CALM_PER_SECOND * CALM_SECONDS):
        time.sleep(max(0.0, began + place / CALM_PER_SECOND - time.time()))
        calm.append(timed(move, place))
    yield "calm", {"began": began, "changes": calm}
    copied()
    disconnect()


def disconnect() -> None:
    from django.db import connections

    for connection in connections.all():
        connection.close()
        if hasattr(connection, "close_pool"):
            connection.close_pool()


def main(kind: str) -> None:
    if kind == "ours":
        import django

        django.setup()
        phases = dict(ours())
    else:
        phases = whole_file(conditional=kind == "swap")
    sys.stdout.write(json.dumps(phases))


if __name__ == "__main__":
    main(sys.argv[1])
