"""A worker that stands still: its machine sleeps, or swaps."""

import os
import signal
import sqlite3
from contextlib import closing

from tests.waiting import wait_for


def fall_asleep(product, worker):
    """But not with a lock of the whole database in its hands, be it to read, as no other engine has one."""

    def asleep():
        worker.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, worker.process.pid, os.WSTOPPED)  # until then some of its threads go on
        try:
            with closing(sqlite3.connect(product.folder / "db.sqlite3", timeout=0.2)) as database:
                database.execute("BEGIN EXCLUSIVE")
                database.rollback()
        except sqlite3.OperationalError:
            worker.process.send_signal(signal.SIGCONT)
            return False
        return True

    wait_for(asleep, "it sleeps", 30)
