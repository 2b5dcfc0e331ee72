"""A worker's life: batch after batch until it is told to stop, saying how it is."""

import logging
import os
import random
import secrets
import socket
import threading
import time

from django.core.files.storage import storages
from django.db import Error, close_old_connections
from django.db.models.functions import Now

from dispatch.models import Upload, Worker

from .faults import UNREACHABLE, explain
from .repository import JobRepository
from .storages import MirrorError, refuse_unconditional
from .sync import BATCH, BEAT_SECONDS, Sync

logger = logging.getLogger(__name__)

INTERVAL_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0


def name() -> str:
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(2)}"[:100]


def pause_after(failures: int) -> float:
    """Grows with the failures so far, up to LONGEST_PAUSE_SECONDS; at random, so that workers do not come back together."""
    longest = min(LONGEST_PAUSE_SECONDS, 2.0 ** min(failures, 10))
    return random.uniform(INTERVAL_SECONDS, longest)  # noqa: S311 not a secret


class Pulse:
    """A worker's row in the database: that it lives, and what keeps it from working."""

    def __init__(self, name: str) -> None:
        self.name, self.problem, self.counters = name, "", dict[str, object]()
        self.at: float | None = None

    def beat(self, problem: str | None = None) -> None:
        """Writes the row when it is time, and at once when there is a new problem or the last one is over."""
        changed = problem is not None and problem != self.problem
        if not changed and self.at is not None and time.monotonic() - self.at < BEAT_SECONDS:
            return
        self.problem = self.problem if problem is None else problem
        now = {"seen_at": Now(), "problem": self.problem, "counters": self.counters}
        row, made = Worker.objects.get_or_create(name=self.name, defaults=now)
        if not made:
            Worker.objects.filter(pk=row.pk).update(**now)
        if changed or made:
            Worker.objects.filter(pk=row.pk).update(problem_since=Now() if self.problem else None)
            Worker.objects.forget_the_dead()
            Upload.objects.sweep()
        self.at = time.monotonic()

    def end(self) -> None:
        Worker.objects.filter(name=self.name).delete()


def run(stop: threading.Event) -> None:
    """Works until `stop` is set. While the storage or the database cannot be reached it tries again after a random pause
    that grows, and says so once, not every time."""
    repository = JobRepository(storages["state"])  # type: ignore[arg-type]  # the setting decides the class
    pulse = Pulse(name())
    sync = Sync(repository, pulse.name, pulse.beat)
    failures, probed = 0, False
    while not stop.is_set():
        try:
            pulse.counters = sync.counters.as_dict()
            if not probed:
                refuse_unconditional(repository.storage)
                probed = True
            taken = sync.batch().taken
            pulse.beat("")
            pause = 0 if taken == BATCH else INTERVAL_SECONDS
            if failures:
                logger.info("mirror: working again after %s failed tries", failures)
            failures = 0
        except (*UNREACHABLE, MirrorError, Error) as error:
            failures += 1
            pause = pause_after(failures)
            reason = explain(error)
            if failures == 1:
                logger.warning("mirror: cannot copy jobs, trying again: %s", reason)
            _say(pulse, reason)
        finally:
            close_old_connections()
        _wait(stop, pause, pulse)
    _say_goodbye(pulse)


def _wait(stop: threading.Event, seconds: float, pulse: Pulse) -> None:
    until = time.monotonic() + seconds
    while not stop.wait(min(BEAT_SECONDS, max(0.0, until - time.monotonic()))) and time.monotonic() < until:
        _say(pulse, None)


def _say(pulse: Pulse, problem: str | None) -> None:
    try:
        pulse.beat(problem)
    except Error:
        logger.debug("mirror: the database cannot be reached")
    finally:
        close_old_connections()


def _say_goodbye(pulse: Pulse) -> None:
    try:
        pulse.end()
    except Error:
        logger.debug("mirror: the database cannot be reached")
    finally:
        close_old_connections()
