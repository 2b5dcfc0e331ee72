"""Every wrong answer that a bucket can give, to reads and writes, for private and public objects. One worker goes through
all of it."""

import sys
from collections import Counter
from dataclasses import dataclass

import pytest

from tests import servers
from tests.faults import faults
from tests.faults.faulty_bucket import FaultyBucket
from tests.faults.office import Office
from tests.faults.promises import assert_kept
from tests.s3 import S3, running_s3

pytestmark = pytest.mark.processes

BUSY, AWAY, TAKEN = "too busy or has a fault of its own", "cannot reach", "somebody else keeps writing"
ALL = [("GET", "jobs/*"), ("PUT", "jobs/*"), ("GET", "public/*"), ("PUT", "public/*")]
READS, WRITES = ALL[::2], ALL[1::2]


@dataclass
class Town:
    s3: S3
    faulty: FaultyBucket
    office: Office
    worker: servers.Process

    def said(self, words):
        """How often the worker said that."""
        return self.worker.log.read_text().count(words)


@pytest.fixture(scope="module")
def running_town():
    with (
        running_s3() as s3,
        FaultyBucket(s3) as faulty,
        servers.product(MIRROR_LEASE_SECONDS="2", **faulty.env) as product,
        Office(product) as office,
    ):
        worker = product.start([sys.executable, "-m", "tests.faults.hasty_worker"], "hasty-worker.log")
        yield Town(s3, faulty, office, worker)
        faulty.gone()


@pytest.fixture
def town(running_town):
    """Nothing is wrong when a test begins."""
    running_town.faulty.clear()
    running_town.office.open()
    running_town.office.caught_up()
    return running_town


@pytest.mark.parametrize(
    ("fault", "meant_for", "warnings"),
    [
        pytest.param(faults.status(500), ALL, 0, id="500"),
        pytest.param(faults.status(500, forward=True), WRITES, 0, id="500 that lies"),
        pytest.param(faults.status(503), ALL, 0, id="503 SlowDown"),
        pytest.param(faults.status(403), ALL[1:2], 2, id="403"),
        pytest.param(faults.status(404), [*READS, WRITES[1]], 2, id="404"),
        pytest.param(faults.status(409), WRITES, 0, id="409"),
        pytest.param(faults.status(412), WRITES, 0, id="412"),
        pytest.param(faults.reset, ALL, 0, id="reset"),
        pytest.param(faults.lost_reply, ALL, 0, id="lost reply"),
        pytest.param(faults.silence, ALL, 0, id="silence"),
        pytest.param(faults.slow_body(0.5), READS, 0, id="slow body"),
        pytest.param(faults.broken_body(), READS, 1, id="broken body"),
    ],
)
def test_a_fault_that_passes(town, fault, meant_for, warnings):
    """Most are got over without a word."""
    before = town.said("WARNING")
    rules = [town.faulty.on(method=method, key=key, fault=fault, times=1) for method, key in meant_for]
    [uid] = town.office.open()
    town.office.caught_up()
    assert [rule.hits for rule in rules] == [1] * len(rules)

    rules = [town.faulty.on(method=method, key=key, fault=fault, times=1) for method, key in meant_for]
    town.office.change([uid])
    town.office.caught_up()
    assert [rule.hits for rule in rules] == [1] * len(rules)
    assert town.said("WARNING") - before == warnings

    assert_kept(town.office, town.s3)
    assert set(Counter(town.s3.written).values()) == {1}  # a write whose reply was lost is recognised, not repeated
    assert town.said("Traceback") == 0


@pytest.mark.parametrize(
    ("fault", "method", "key", "problem"),
    [
        pytest.param(faults.status(500), "PUT", "jobs/*", BUSY, id="500"),
        pytest.param(faults.status(403), "PUT", "public/*", "refuses access", id="403"),
        pytest.param(faults.status(404), "GET", "jobs/*", TAKEN, id="404 to a read"),
        pytest.param(faults.status(412), "PUT", "public/*", TAKEN, id="412"),
        pytest.param(faults.reset, "GET", "jobs/*", AWAY, id="reset"),
        pytest.param(faults.lost_reply, "PUT", "jobs/*", AWAY, id="lost reply"),
        pytest.param(faults.silence, "PUT", "public/*", AWAY, id="silence"),
    ],
)
def test_a_fault_that_lasts_longer_than_every_retry(town, fault, method, key, problem):
    uids = town.office.open(4)
    town.office.caught_up()
    town.faulty.on(method=method, key=key, fault=fault)
    town.office.change(uids, 4)
    town.office.meets(problem)

    town.faulty.clear()

    assert_kept(town.office, town.s3)
    assert set(Counter(town.s3.written).values()) == {1}
    assert town.said("Traceback") == 0
