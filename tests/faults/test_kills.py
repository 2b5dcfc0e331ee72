"""Workers that are killed or stopped at the worst moment. Another one finishes their work, and they take nothing back."""

import json
import signal
from collections import Counter

import pytest

from tests.faults import faults
from tests.faults.promises import assert_kept, objects
from tests.faults.sleep import fall_asleep
from tests.waiting import wait_for

pytestmark = pytest.mark.processes


def test_killed_before_the_put(mirrored, faulty, s3, office):
    [uid] = office.open()
    held = faulty.on(method="PUT", key="jobs/*", fault=faults.held_request)
    first = mirrored.work()
    held.arrived(seconds=30)
    first.stop(signal.SIGKILL)

    office.change([uid], 2)
    held.times = 1  # the next worker is let through
    mirrored.work()
    office.caught_up()
    late = late_write(faulty)
    held.release()  # the dead worker's request arrives after all

    wait_for(lambda: late.status, "it is answered", 30)
    assert late.status == 412
    assert numbers(s3, f"jobs/{uid}.json") == [3]
    assert_kept(office, s3)


def test_killed_between_the_put_and_the_mark(mirrored, faulty, s3, office):
    [uid] = office.open()
    held = faulty.on(method="PUT", key="public/*", fault=faults.held_reply, times=1)
    first = mirrored.work()
    wait_for(lambda: s3.get(objects(office, uid)[1]), "the last object is written", 30)
    first.stop(signal.SIGKILL)
    assert (held.hits, office.status()["behind"]) == (1, 1)

    mirrored.work()

    assert_kept(office, s3)
    assert [numbers(s3, name) for name in objects(office, uid)] == [[1], [1]]  # the next worker found it done


def test_killed_in_the_middle_of_a_batch(mirrored, faulty, s3, office):
    uids = office.open(30)
    faulty.on(method="PUT", key="jobs/*", fault=faults.let_through, times=12)
    held = faulty.on(method="PUT", key="jobs/*", fault=faults.held_request)
    first = mirrored.work(MIRROR_UPLOADS="4")
    held.arrived(4, seconds=30)
    assert office.behind(18) == 18  # what is through is marked
    first.stop(signal.SIGKILL)

    held.times = 4
    mirrored.work()
    office.caught_up()
    held.release()
    wait_for(lambda: faulty.count(fault="held_request", status=412) == 4, "the dead worker's requests are refused", 30)

    assert_kept(office, s3)
    assert Counter(key for key, _ in s3.written if key.startswith("jobs/")) == {f"jobs/{uid}.json": 1 for uid in uids}


@pytest.mark.parametrize(
    ("method", "fault"),
    [("GET", faults.held_reply), ("PUT", faults.held_request), ("PUT", faults.held_reply)],
    ids=["after it read", "before it writes", "after it wrote"],
)
def test_stopped_past_its_lease_and_woken_up(mirrored, faulty, s3, office, method, fault):
    [old] = office.open()
    sleeper = mirrored.work()
    office.caught_up()
    held = faulty.on(method=method, key="jobs/*", fault=fault)
    fall_asleep(mirrored, sleeper)  # or it might take the one before the other is there, and wait with that alone
    [new] = office.open()
    office.change([old])
    sleeper.process.send_signal(signal.SIGCONT)
    held.arrived(2, seconds=30)
    fall_asleep(mirrored, sleeper)

    office.change([old, new], 4)
    held.times = 2
    other = mirrored.work()
    office.caught_up()
    held.release()
    sleeper.process.send_signal(signal.SIGCONT)

    wait_for(lambda: faulty.count(fault=fault.__name__, status=None) == 0, "it is answered", 30)
    assert_kept(office, s3)
    assert other.stop() == 0
    office.change([old, new], 2)  # it works as before
    assert_kept(office, s3)
    assert sleeper.stop() == 0
    assert "Traceback" not in sleeper.read_log()


# --- helpers


def late_write(faulty):
    [request] = [one for one in faulty.requests if one.fault == "held_request"]
    return request


def numbers(s3, name):
    """Those of all writes of an object."""
    return [json.loads(content)["seq"] for key, content in s3.written if key == name]
