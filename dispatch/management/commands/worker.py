"""`manage.py worker`: keeps the mirror in line until it is told to stop. Any number may run."""

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand

from dispatch.mirror import working


class Command(BaseCommand):
    help = "Copies every changed job to object storage, until SIGINT or SIGTERM."

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        self.stdout.write("Worker started. Ctrl-C stops it.")
        working.run(stop)
        self.stdout.write("Worker stopped.")
