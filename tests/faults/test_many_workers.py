"""Several workers on the same jobs: they share the work, also when their clocks are wrong."""

import re
import signal
import time
from collections import Counter

import pytest

from tests.faults import faults
from tests.faults.promises import assert_kept
from tests.faults.skewed_worker import skewed_worker
from tests.waiting import wait_for

pytestmark = pytest.mark.processes

CHANGES = 220


def test_workers_share_the_work(mirrored, faulty, s3, office):
    workers, jobs = 2, 120  # more than one of them takes at a time
    del mirrored.env["MIRROR_LEASE_SECONDS"]
    uids = office.open(jobs)
    everybody_is_here = faulty.on(method="PUT", key="jobs/*", fault=faults.held_request)
    names = {f"worker{number}" for number in range(workers)}
    for name in names:
        mirrored.work(AWS_ACCESS_KEY_ID=name)
    wait_for(lambda: names == set(writers(faulty, status=None)), "everybody has taken some", 40)
    everybody_is_here.release()

    office.change(uids, CHANGES)
    office.caught_up()

    assert set(writers(faulty, status=200)) == names
    copies = faulty.count("PUT", "jobs/*", status=200)
    assert jobs <= copies <= jobs + CHANGES
    assert (faulty.count("PUT", "jobs/*"), faulty.count("GET", "jobs/*")) == (copies, copies)  # nobody worked in vain
    assert_kept(office, s3)


def test_a_slow_worker_keeps_its_jobs(mirrored, faulty, s3, office):
    """It renews its lease, however short, while it waits for the bucket."""
    mirrored.env["MIRROR_LEASE_SECONDS"] = "4"
    office.open(20)
    held = faulty.on(method="PUT", key="jobs/*", fault=faults.held_request, times=1)
    mirrored.work(AWS_ACCESS_KEY_ID="slow", MIRROR_UPLOADS="1")
    held.arrived(seconds=30)
    other = mirrored.work(AWS_ACCESS_KEY_ID="other")
    wait_for(lambda: other.process.pid in pids(office), "the other one is there", 30)
    since = time.monotonic()

    wait_for(lambda: time.monotonic() - since > 12 or "other" in writers(faulty), "three leases are over")
    told = set(writers(faulty))
    held.release()

    assert_kept(office, s3)
    assert told == {"slow"}


def test_clocks_that_are_minutes_wrong(mirrored, faulty, s3, office):
    uids = office.open(60)
    held = faulty.on(method="PUT", key="jobs/*", fault=faults.held_request)
    dead = skewed_worker(mirrored, 120, MIRROR_UPLOADS="1")
    held.arrived(seconds=30)
    dead.stop(signal.SIGKILL)  # and by its clock it had the jobs for two minutes from now
    held.times = 1

    workers = [mirrored.work(), skewed_worker(mirrored, 120), skewed_worker(mirrored, -120)]
    office.change(uids, 100)
    office.caught_up()
    held.release()
    wait_for(lambda: pids(office) >= {worker.process.pid for worker in workers}, "all of them are seen", 40)
    office.change(uids, 50)

    assert_kept(office, s3)
    assert [worker.stop() for worker in workers] == [0, 0, 0]
    assert pids(office) <= {dead.process.pid}


# --- helpers


def writers(faulty, **exactly):
    """How many jobs each worker wrote, by the key it signs with."""
    requests = [one for one in list(faulty.requests) if one.method == "PUT" and one.key.startswith("jobs/")]
    return Counter(
        re.search(r"Credential=(\w+)/", one.headers["authorization"])[1]
        for one in requests
        if all(getattr(one, name) == value for name, value in exactly.items())
    )


def pids(office):
    """Those of the workers that are at work, as they say."""
    return {int(worker["name"].split("-")[-2]) for worker in office.status()["workers"]}
