"""A mirror in a folder whose disk is full."""

import json

import pytest

from tests import servers
from tests.faults.full_disk import enlarge, small_disk
from tests.faults.office import Office
from tests.faults.promises import assert_equal_to_the_database, assert_nothing_lost

pytestmark = pytest.mark.processes


@pytest.fixture
def disk():
    """Room for a dozen objects."""
    with small_disk(96) as folder:
        yield folder


@pytest.fixture
def office(disk):
    with servers.product(MIRROR_LEASE_SECONDS="2") as product:
        (product.folder / "state").symlink_to(disk)
        with Office(product) as people:
            yield people


def test_a_disk_that_is_full(disk, office):
    uids = office.open(40)
    worker = office.product.work()
    office.meets("the disk is full: make room, nothing was damaged")
    office.change(uids, 20)
    office.meets("the disk is full")
    assert "problem  the disk is full" in office.product.manage("mirror", "status")
    assert office.status()["behind"] > 20
    before = documents(disk)  # every one of them whole
    assert worker.stop() == 0
    assert list(disk.rglob(".draft-*")) == []

    worker = office.product.work()
    office.meets("the disk is full")
    enlarge(disk, 8192)
    office.caught_up()

    after = documents(disk)
    assert {name for name, found in before.items() if found["seq"] > after[name]["seq"]} == set()
    assert_equal_to_the_database(office)
    assert_nothing_lost(office, {uid: after[f"jobs/{uid}.json"] for uid in uids})
    assert worker.stop() == 0
    assert ("Traceback" in worker.read_log(), list(disk.rglob(".draft-*"))) == (False, [])


def documents(disk):
    files = [path for folder in ("jobs", "public", "boards") for path in (disk / folder).rglob("*.json")]
    return {str(path.relative_to(disk)): json.loads(path.read_bytes()) for path in files}
