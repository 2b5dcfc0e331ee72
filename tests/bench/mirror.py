"""The copies in object storage: what is lost, what a change costs, how soon it is there, and how it all comes back."""

import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

from tests import postgres, servers
from tests.bench.mirror_bulk import JOBS, MANY_JOBS
from tests.bench.mirror_growth import SIZES
from tests.bench.mirror_server import Request, Server, running
from tests.bench.mirror_writers import BURST_CHANGES, BURST_JOBS, CALM_PER_SECOND, CHANGES, KEY, WRITERS
from tests.bench.row import Row

FLAT, PROMISED_SECONDS, MEMORY_MB = 1.5, 2, 300

Made = dict[str, Any]
"""What mirror_writers prints for a phase."""


def measure() -> Iterator[Row]:
    with running() as server:
        for kind, what in (("naive", "fetch, change, put jobs.json"), ("swap", "compare-and-swap on jobs.json")):
            yield from whole_file(server, kind, what)
        yield from ours(server)
        yield from growth(server)
    yield from bulk()


def child(*arguments: str, seconds: float = 200, **env: str) -> Any:
    """What a module of ours prints when it runs as a program, in a process of its own."""
    module, *rest = arguments
    command = [sys.executable, "-m", f"tests.bench.{module}", *rest]
    kept = {name: value for name, value in os.environ.items() if name not in servers.ONLY_OURS}
    ran = subprocess.run(command, cwd=servers.ROOT, env=kept | env, capture_output=True, text=True, timeout=seconds)
    if ran.returncode:
        raise RuntimeError(ran.stderr)
    return json.loads(ran.stdout)


def whole_file(server: Server, kind: str, what: str) -> Iterator[Row]:
    log = server.log()
    log.news()
    made = child("mirror_writers", kind, **server.env)["writers"]
    last = max(request.at for request in log.news() if is_write(request))
    history = {job: {step["seq"] for step in found["statusHistory"]} for job, found in server.read(KEY)["jobs"].items()}
    lost = sum(number not in history[job] for job, number, _, _ in made["changes"])
    yield from told(what, made, lost, last, most_are_lost=kind == "naive")


def ours(server: Server) -> Iterator[Row]:
    """On PostgreSQL, for there are eight writers. It waits for no disk, nor does the S3 server."""
    log = server.log()
    log.news()
    with postgres.running() as url, servers.product(DATABASE_URL=url, **server.env) as product:
        worker = product.work()
        try:
            phases = child("mirror_writers", "ours", **product.env)
        except RuntimeError as error:
            error.add_note(worker.read_log())
            raise
    copies = [request for request in log.news() if is_write(request) and request.key.startswith("jobs/")]
    writers, burst, calm = (phases[name] for name in ("writers", "burst", "calm"))
    history = {job: {step["seq"] for step in server.read(named(job))["statusHistory"]} for job in changed(writers)}
    lost = sum(number not in history[job] for job, number, _, _ in writers["changes"])
    last = max(arrivals(writers, copies))
    yield from told("moves and a worker", writers, lost, last)
    each = sum(burst["began"] < copy.at < calm["began"] for copy in copies) / BURST_CHANGES
    yield Row(
        f"uploads per change, {BURST_CHANGES} changes of {BURST_JOBS} jobs in a burst", f"{each:.2f}", "< 1", each < 1
    )
    yield from lags(calm, copies)


def lags(made: Made, copies: list[Request]) -> Iterator[Row]:
    """From the return of `flow.move`, which is just after the commit, until the server has an object with that number or a
    later one, by its own log: nobody has to ask for it, which would be slower than the answer. One machine, one clock."""
    found = [at - done for at, (_, _, _, done) in zip(arrivals(made, copies), made["changes"], strict=True)]
    slow = p99(found)
    yield Row(f"commit → copied at {CALM_PER_SECOND} changes/s, p50", f"{statistics.median(found) * 1000:.0f} ms")
    yield Row("  p99", f"{slow * 1000:.0f} ms", f"< {PROMISED_SECONDS} s", slow < PROMISED_SECONDS)


def told(what: str, made: Made, lost: int, last: float, *, most_are_lost: bool = False) -> Iterator[Row]:
    acknowledged = len(made["changes"])
    wanted, ok = ("> 50 %", lost > acknowledged / 2) if most_are_lost else ("0", lost == 0)
    yield Row(f"{WRITERS} writers × {CHANGES} changes, {what}: lost", f"{lost} of {acknowledged}", wanted, ok)
    yield Row("  in the bucket to stay", f"{(acknowledged - lost) / (last - made['began']):.0f}/s")
    yield Row("  one change, p99", f"{p99([took for _, _, took, _ in made['changes']]):.0f} ms")


def arrivals(made: Made, copies: list[Request]) -> list[float]:
    """When each change was in the bucket; for one that is lost, never."""
    return [
        min((copy.at for copy in copies if copy.key == named(job) and copy.seq >= number), default=math.inf)
        for job, number, _, _ in made["changes"]
    ]


def changed(made: Made) -> set[str]:
    return {job for job, _, _, _ in made["changes"]}


def named(uid: str) -> str:
    return f"jobs/{uid}.json"


def is_write(request: Request) -> bool:
    return request.method == "PUT" and request.status == 200


def p99(values: list[float]) -> float:
    return sorted(values)[-(-len(values) * 99 // 100) - 1]


def growth(server: Server) -> Iterator[Row]:
    found = child("mirror_growth", str(server.log_path), **server.env)
    for jobs in SIZES:
        copied = found[str(jobs)]["ours"]
        yield Row(f"one change copied, {jobs:,} jobs, {copied['requests']:.0f} requests", cost(copied))
        yield Row("  as one jobs.json", cost(found[str(jobs)]["whole"]))
    few, many = found[str(SIZES[0])], found[str(SIZES[-1])]
    for kind, what in (("ms", "time"), ("bytes", "bytes")):
        flat, whole = (many[way][kind] / few[way][kind] for way in ("ours", "whole"))
        yield Row(f"  {SIZES[-1]:,} jobs : {SIZES[0]} jobs, {what}", f"{flat:.2f} ×", f"≤ {FLAT} ×", flat <= FLAT)
        yield Row("    as one jobs.json", f"{whole:,.0f} ×")


def cost(found: dict[str, float]) -> str:
    kilobytes = found["bytes"] / 1000
    size = f"{kilobytes:.1f} KB" if kilobytes < 1000 else f"{kilobytes / 1000:.1f} MB"
    return f"{found['ms']:.0f} ms, {size}"


def bulk() -> Iterator[Row]:
    prefix = "qdn-bench-bulk-"
    with (
        tempfile.TemporaryDirectory(prefix=prefix) as disk,
        tempfile.TemporaryDirectory(prefix=prefix, dir=memory()) as var,
    ):
        checked = everything("check", JOBS, disk, var)
        yield Row(f"check of {JOBS:,} jobs", rate(checked))
        yield Row("  differences", str(checked["problems"]), "0", checked["problems"] == 0)
        for command, jobs in (("restore", JOBS), ("restore_many", MANY_JOBS)):
            restored = everything(command, jobs, disk, var)
            yield Row(f"restore of {jobs:,} jobs", rate(restored))
            if restored["problems"]:
                raise RuntimeError(f"not all is as it was: {restored}")
        peak = restored["peak_mb"]
        yield Row("  most memory", f"{peak:.0f} MB", f"< {MEMORY_MB} MB", peak < MEMORY_MB)


def memory() -> str | None:
    """Where files are in memory, if there is room: to make and remove 20,000 on a busy disk takes a minute."""
    shared = "/dev/shm"
    return shared if os.access(shared, os.W_OK) and shutil.disk_usage(shared).free > 1 << 30 else None


def everything(command: str, jobs: int, disk: str, var: str) -> dict[str, Any]:
    database = f"sqlite:///{disk}/{command}.sqlite3"
    found: dict[str, Any] = child("mirror_bulk", command, seconds=400, VAR_DIR=var, DATABASE_URL=database)
    if found["jobs"] != jobs:
        raise RuntimeError(f"{command}: not all of {jobs} jobs: {found}")
    return found


def rate(found: dict[str, Any]) -> str:
    return f"{found['jobs'] / found['seconds']:,.0f} jobs/s"
