"""A database and a bucket that do not belong together, and a server that would let copies be overwritten. Nothing is copied
then, for a copy could do harm."""

import shutil
import signal
import subprocess
import sys

import pytest

from tests import servers
from tests.faults import faults
from tests.faults.office import Office
from tests.faults.promises import assert_equal_to_the_database, assert_kept, assert_never_went_back, document
from tests.faults.sleep import fall_asleep
from tests.waiting import wait_for

pytestmark = pytest.mark.processes

OF_ITS_OWN = "import uuid; from dispatch.models import Board; Board.objects.update(epoch=uuid.uuid4(), epochs=[])"


@pytest.fixture
def another(faulty):
    """A second product, with a database of its own and the same bucket."""
    with servers.product(MIRROR_LEASE_SECONDS="2", **faulty.env) as made:
        made.shell(OF_ITS_OWN)
        yield made
        faulty.gone()


def test_a_database_that_was_put_back(mirrored, s3, tmp_path):
    database = mirrored.folder / "db.sqlite3"
    with Office(mirrored, "monday") as monday:
        uids = monday.open(6)
        copied(mirrored, monday)
    shutil.copy(database, tmp_path / "backup")
    with Office(mirrored, "tuesday", known=monday) as tuesday:
        tuesday.change(uids[2:], 12)
        [only_in_the_bucket] = tuesday.open()
        copied(mirrored, tuesday)
    shutil.copy(tmp_path / "backup", database)

    with Office(mirrored, "wednesday", known=monday) as office:
        office.change(uids[:4], 4)
        before = len(s3.written)
        worker = mirrored.work()
        office.meets("the database is older than its copies: board main is at change 10, and the bucket has 19")
        assert (len(s3.written), office.status()["behind"], worker.stop()) == (before, 4, 0)

        mirrored.manage("mirror", "repair")

        mirrored.work()
        office.caught_up()
        office.change([*uids, only_in_the_bucket], 7)
        office.caught_up()
        assert_never_went_back(s3.written)
        assert_equal_to_the_database(office)
        assert_nothing_lost_of_either_life(office, s3)


def test_a_second_database_refuses_and_does_no_harm(mirrored, another, s3, office):
    uids = office.open(5)
    mirrored.work()
    office.caught_up()
    before = list(s3.written)

    with Office(another, "others") as others:
        others.open(10)
        intruder = another.work()
        others.meets("the bucket belongs to another database")
        synced = subprocess.run(
            [sys.executable, "manage.py", "mirror", "sync"],
            cwd=servers.ROOT, env=another.env, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert (synced.returncode, "the bucket belongs to another database" in synced.stderr) == (2, True)
        assert (others.status()["behind"], intruder.stop()) == (10, 0)

    assert s3.written == before
    office.change(uids, 5)
    assert_kept(office, s3)


def test_of_two_databases_that_begin_at_once_one_refuses(mirrored, another, faulty, s3, office):
    """The one that looked at the empty bucket first, and slept then, has more changes."""
    office.open(2)
    look = faulty.on(method="GET", key="boards/*", fault=faults.held_reply, times=1)
    with Office(another, "others") as others:
        others.open(10)
        sleeper = another.work()
        look.arrived(seconds=30)
        fall_asleep(another, sleeper)  # awake, it would look again if the other one takes long to start
        mirrored.work()
        office.caught_up()
        before = list(s3.written)

        look.release()
        wait_for(lambda: faulty.count(fault="held_reply", status=None) == 0, "it is answered", 30)
        sleeper.process.send_signal(signal.SIGCONT)

        others.meets("the bucket belongs to another database")
        assert (s3.written, others.status()["behind"]) == (before, 10)
    assert_kept(office, s3)


@pytest.mark.parametrize("condition", ["If-Match", "If-None-Match"])
def test_a_server_that_ignores_conditions(mirrored, faulty, s3, office, condition):
    office.open(5)
    careless = faulty.on(method="PUT", fault=faults.unconditional(condition.lower()))
    worker = mirrored.work()
    office.meets(f"the server behind this bucket ignores conditional writes ({condition}): copies could overwrite each")
    assert ({key for key, _ in s3.written}, office.status()["behind"]) == ({"probe.json"}, 5)

    careless.release()

    assert_kept(office, s3)
    assert worker.stop() == 0


# --- helpers


def copied(product, office):
    worker = product.work()
    office.caught_up()
    wait_for(lambda: worker.stop() == 0, "it stops")


def assert_nothing_lost_of_either_life(office, s3):
    """In which order both lives come is the repair's to decide."""
    stored = {
        (uid, step["status"], step["by"])
        for uid in office.tokens
        for step in document(s3, f"jobs/{uid}.json")["statusHistory"]
    }
    assert stored == {(change.uid, change.status, change.by) for change in office.acknowledged}
