"""`manage.py worker`: copies what changes and sends what is due until it is told to stop. Any number may run."""

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand

from dispatch.messages import working as sending
from dispatch.mirror import working as copying


class Command(BaseCommand):
    help = "Copies every changed job to object storage and sends customers their messages, until SIGINT or SIGTERM."

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        messages = threading.Thread(target=sending.run, args=(stop,), name="messages")
        messages.start()
        self.stdout.write("Worker started. Ctrl-C stops it.")
        try:
            copying.run(stop)
        finally:
            stop.set()
            messages.join()
        self.stdout.write("Worker stopped.")
