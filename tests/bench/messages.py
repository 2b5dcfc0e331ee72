"""Messages to a provider that takes them at once, by one worker and by two, on PostgreSQL: what our own part costs.

`python -m tests.bench.messages` is what a worker does here: it sends until nothing is due, and prints how many it sent.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator

from tests import postgres, servers
from tests.bench.row import Row

MESSAGES = 1000
PATIENCE_SECONDS = 120
DUE = f"""
from datetime import time, timedelta
from django.utils import timezone
from dispatch.messages import queueing
from dispatch.models import Board, Message
from tests.factories import make_job
Board.objects.update(quiet_from=time(0), quiet_until=time(0))
board, now, rows = Board.objects.get(slug="main"), timezone.now(), []
for number in range({MESSAGES}):
    job = make_job(board, customer_phone=f"+1303555{{number:04}}")
    rows += queueing.rows(job, "link", by="Bench", at=now, event=f"asked:{{number}}")
Message.objects.bulk_create(rows)
"""
TOOK = """
from django.db.models import Count, Max, Min
from dispatch.models import Message
found = Message.objects.filter(status="sent").aggregate(n=Count("pk"), first=Min("sent_at"), last=Max("sent_at"))
print(found["n"], (found["last"] - found["first"]).total_seconds())
"""


class Null:
    """A provider that takes everything at once."""

    def send(self, to: str, text: str, dedupe_key: str) -> str:
        return dedupe_key

    def opted_out(self) -> tuple[str, ...]:
        return ()


def measure() -> Iterator[Row]:
    rates = [rate(workers) for workers in (1, 2)]
    yield Row(f"{MESSAGES:,} messages claimed, written and sent, 1 worker", f"{rates[0]:.0f}/s")
    yield Row("  2 workers", f"{rates[1]:.0f}/s")
    yield Row("  2 workers : 1 worker", f"{rates[1] / rates[0]:.2f}")  # without a network, cores are all there is to share


def rate(workers: int) -> float:
    """Messages a second, from the first that was handed over to the last."""
    settings = {"SMS_BACKEND": "tests.bench.messages.Null", "MESSAGES_A_DAY": "100000"}
    with postgres.running() as url, servers.product(DATABASE_URL=url, **settings) as product:
        product.shell(DUE)
        command = [sys.executable, "-m", "tests.bench.messages"]
        running = [
            subprocess.Popen(
                command, cwd=servers.ROOT, env=product.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            for _ in range(workers)
        ]
        for process in running:
            process.stdout.readline()  # it is connected
        for process in running:
            process.stdin.write("go\n")
            process.stdin.flush()
        sent = [json.loads(process.communicate(timeout=PATIENCE_SECONDS)[0]) for process in running]
        number, seconds = product.shell(TOOK).split()
    if int(number) != MESSAGES or sum(sent) != MESSAGES:
        raise RuntimeError(f"{number} of {MESSAGES} messages are sent, by {sent}")
    return MESSAGES / float(seconds)


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "qdn.settings")
    import django

    django.setup()
    from dispatch.messages.sending import Sender
    from dispatch.models import Message

    sender, sent = Sender("sms", f"bench-{os.getpid()}"), 0
    waiting = Message.objects.filter(status__in=["queued", "sending"])
    waiting.exists()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    while waiting.exists():
        batch = sender.batch()
        sent += batch.sent
        if not batch.taken:
            time.sleep(0.05)  # the other worker has the rest
    sys.stdout.write(json.dumps(sent))


if __name__ == "__main__":
    main()
