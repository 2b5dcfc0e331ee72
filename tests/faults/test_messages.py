"""Messages whose provider is away, and workers that are killed or sleep while they send."""

import signal
import sqlite3
from collections import Counter
from contextlib import closing

import pytest

from tests import servers
from tests.faults.carrier import Carrier
from tests.faults.sleep import fall_asleep
from tests.waiting import wait_for

pytestmark = pytest.mark.processes

IN_FLIGHT = 8
DUE = """
from datetime import time, timedelta
from django.utils import timezone
from dispatch.messages import queueing
from dispatch.models import Board, Message
from tests.factories import make_job
Board.objects.update(quiet_from=time(0), quiet_until=time(0))
board, now, rows = Board.objects.get(slug="main"), timezone.now(), []
for number in range(500):
    job = make_job(board, customer_phone=f"+1303555{number:04}")
    rows += queueing.rows(job, "link", by="Ana", at=now - timedelta(seconds=1), event=f"asked:{number:04}")
Message.objects.bulk_create(rows)
"""


@pytest.fixture
def carrier():
    made = Carrier()
    yield made
    made.go()


@pytest.fixture(scope="module")
def prepared():
    """A folder with a database in which 500 messages are due."""
    with servers.product() as made:
        made.shell(DUE)
        yield made.folder


@pytest.fixture
def sending(prepared, carrier):
    """A product whose texts go to the carrier. Leases are short."""
    with servers.product(like=prepared, MESSAGE_LEASE_SECONDS="2", **carrier.env) as made:
        yield made
        carrier.go()


def keep(product, number):
    """Just so many messages."""
    rows(
        product,
        f"DELETE FROM dispatch_message WHERE id NOT IN (SELECT id FROM dispatch_message ORDER BY id LIMIT {number})",
    )


def rows(product, query="SELECT dedupe_key, status, provider_id, attempts FROM dispatch_message ORDER BY id"):
    with closing(sqlite3.connect(product.folder / "db.sqlite3", timeout=20)) as database:
        found = database.execute(query).fetchall()
        database.commit()
    return found


def count(product, status):
    return rows(product, f"SELECT COUNT(*) FROM dispatch_message WHERE status = '{status}'")[0][0]


def all_sent(product, number, seconds=80):
    try:
        wait_for(lambda: count(product, "sent") == number, "all are sent", seconds)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{Counter(row[1] for row in rows(product))}\n{product.logs()}") from None


def test_a_carrier_that_is_away_while_500_are_due(sending, carrier):
    workers = [sending.work(), sending.work()]
    troubled = "SELECT COUNT(*) FROM dispatch_worker WHERE problem = 'cannot reach the carrier'"
    wait_for(lambda: rows(sending, troubled) == [(2,)], "both say so", 30)
    assert carrier.accepted == []

    carrier.come()
    rows(sending, "UPDATE dispatch_message SET send_after = created_at WHERE status = 'queued'")

    all_sent(sending, 500)
    assert Counter(Counter(key for key, _ in carrier.accepted).values()) == {1: 500}
    assert {(key, name) for key, _, name, _ in rows(sending)} == set(carrier.accepted)
    assert {attempts for *_, attempts in rows(sending)} == {1}
    for worker in workers:
        wait_for(lambda log=worker: "again after" in log.read_log(), "it says so", 20)
        assert worker.stop() == 0
        lines = [line for line in worker.read_log().splitlines() if "messages: " in line]
        assert [" WARNING " in line for line in lines] == [True, False]
        assert "Traceback" not in worker.read_log()


def test_killed_in_the_middle_of_a_batch(sending, carrier):
    carrier.holds_after = 5
    carrier.come()
    keep(sending, 60)
    first = sending.work()
    wait_for(lambda: len(carrier.held) == IN_FLIGHT, "it waits for answers", 30)
    wait_for(lambda: count(sending, "sent") == 5, "the others are written down", 30)
    first.stop(signal.SIGKILL)
    lost = set(carrier.held)

    carrier.holds_after = None
    sending.work()

    all_sent(sending, 60)
    times = Counter(key for key, _ in carrier.accepted)
    assert len(times) == 60  # nothing is lost
    assert {key for key, number in times.items() if number > 1} == lost  # and just this came twice: nobody could know
    assert max(times.values()) == 2


def test_asleep_past_its_lease_and_woken_up(sending, carrier):
    carrier.holds_after = 0
    carrier.come()
    keep(sending, 20)
    sleeper = sending.work()
    wait_for(lambda: len(carrier.held) == IN_FLIGHT, "it waits for answers", 30)
    fall_asleep(sending, sleeper)

    carrier.holds_after = None
    other = sending.work()
    all_sent(sending, 20)
    written = rows(sending)
    other.stop()
    carrier.released.set()
    sleeper.process.send_signal(signal.SIGCONT)
    rows(sending, "UPDATE dispatch_message SET status = 'queued', send_after = created_at WHERE id = 20")
    wait_for(lambda: count(sending, "sent") == 20, "it works as before", 20)

    assert rows(sending)[:19] == written[:19]
    assert sleeper.stop() == 0
    assert "Traceback" not in sleeper.read_log()
