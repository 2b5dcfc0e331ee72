"""Buckets that are away, or closed to us. Work goes on, and one line says what is wrong."""

import time

import pytest

from tests.faults import faults
from tests.faults.office import Office
from tests.faults.promises import assert_kept
from tests.waiting import wait_for

pytestmark = pytest.mark.processes

SECONDS_AWAY = 15


def test_a_bucket_that_is_away_during_500_changes(mirrored, faulty, s3, office):
    uids = office.open(40)
    worker = mirrored.work()
    office.caught_up()
    faulty.gone()
    gone_at = time.monotonic()
    with Office(mirrored, "second", known=office) as second, Office(mirrored, "third", known=office) as third:
        for people in (office, second, third):
            people.begin("change", uids, 170)
        for people in (office, second, third):
            people.finish()
    office.meets(f"cannot reach {faulty.url}: check the network")
    assert f"problem  cannot reach {faulty.url}" in mirrored.manage("mirror", "status")
    wait_for(lambda: time.monotonic() - gone_at > SECONDS_AWAY, "time passes", SECONDS_AWAY + 1)

    faulty.come_back()

    office.caught_up()
    assert_kept(office, s3)
    assert len(office.acknowledged) == 40 + 3 * 170
    assert len([key for key, _ in s3.written if key.startswith("jobs/")]) == 2 * 40  # one upload for all changes
    assert_said_once(worker, f"cannot copy jobs, trying again: cannot reach {faulty.url}")


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("InvalidAccessKeyId", "the storage does not know this access key: set AWS_ACCESS_KEY_ID"),
        ("AccessDenied", "the storage refuses access: allow s3:GetObject"),
    ],
)
def test_a_bucket_that_does_not_let_us_in(mirrored, faulty, s3, office, code, problem):
    office.open(5)
    refused = faulty.on(fault=faults.status(403, code))
    worker = mirrored.work()
    office.meets(problem)
    assert f"problem  {problem}" in mirrored.manage("mirror", "status")
    assert s3.written == []

    refused.release()

    assert_kept(office, s3)
    assert_said_once(worker, problem)


def test_permission_that_is_taken_away(mirrored, faulty, s3, office):
    uids = office.open(5)
    worker = mirrored.work()
    office.caught_up()
    refused = faulty.on(method="PUT", fault=faults.status(403))
    office.change(uids, 10)
    office.meets("the storage refuses access")

    refused.release()

    assert_kept(office, s3)
    assert_said_once(worker, "the storage refuses access")


def test_a_bucket_that_is_missing(mirrored, s3, office):
    s3.client.delete_bucket(Bucket=s3.bucket)
    office.open(5)
    worker = mirrored.work()
    office.meets("there is no bucket state: create it or set STATE_BUCKET")

    s3.client.create_bucket(Bucket=s3.bucket)

    assert_kept(office, s3)
    assert_said_once(worker, "there is no bucket state")


# --- helpers


def assert_said_once(worker, problem):
    """One line when it began, one when it was over, nothing else."""
    wait_for(lambda: "working again" in worker.read_log(), "it says so", 30)
    assert worker.stop() == 0
    began, over = [line for line in worker.read_log().splitlines() if "mirror: " in line]
    assert (" WARNING " in began, problem in began) == (True, True)
    assert (" INFO " in over, "working again after" in over) == (True, True)
    assert "Traceback" not in worker.read_log()
