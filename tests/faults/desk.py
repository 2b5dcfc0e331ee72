"""What an office's process does: `python -m tests.faults.desk NAME`. It reads commands, and tells of acknowledged changes
and of answers, one JSON array a line: [what, …].
"""

import json
import os
import random
import sys
import time
from contextlib import suppress
from io import StringIO
from typing import Any

NEXT = {"requested": "scheduled", "scheduled": "ready_for_pickup", "ready_for_pickup": "scheduled"}


class Desk:
    def __init__(self, name: str) -> None:
        self.name, self.changes = name, 0

    def say(self, *said: Any) -> None:
        print(json.dumps(said), flush=True)  # noqa: T201 it is how processes talk

    def acknowledge(self, job: Any) -> None:
        self.say("change", job.uid, job.token, job.seq, job.status, job.updated_by)

    def by(self) -> str:
        self.changes += 1
        return f"{self.name} {self.changes}"

    def open(self, count: int) -> list[str]:
        from dispatch.models import Board
        from tests.factories import make_job

        board, uids = Board.objects.get(slug="main"), []
        for _ in range(count):
            job = make_job(board, by=self.by())
            self.acknowledge(job)
            uids.append(job.uid)
        return uids

    def change(self, uids: list[str], count: int) -> None:
        from dispatch import flow
        from dispatch.models import Job

        order, done = random.sample(uids, len(uids)), 0
        while done < count:
            job = Job.objects.get(uid=order[done % len(order)])
            with suppress(flow.Conflict):  # another office was faster
                self.acknowledge(flow.move(job, NEXT[job.status], expect=job.seq, by=self.by(), channel="board"))
                done += 1

    def behind(self, until: int, seconds: float) -> int:
        from dispatch.models import Job

        deadline = time.monotonic() + seconds
        while (count := Job.objects.behind().count()) > until and time.monotonic() < deadline:
            time.sleep(0.1)
        return count

    def status(self) -> dict[str, Any]:
        from dispatch.mirror import status

        return status.read().as_dict()

    def problems(self, awaited: str, seconds: float) -> str:
        from dispatch.models import Worker

        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            told = " / ".join(filter(None, Worker.objects.at_work().values_list("problem", flat=True)))
            if awaited in told if awaited else not told:
                break
            time.sleep(0.1)
        return told

    def check(self) -> dict[str, Any]:
        """What `mirror check --json` prints."""
        from django.core.management import CommandError, call_command

        told = StringIO()
        with suppress(CommandError):  # there are differences
            call_command("mirror", "check", "--json", stdout=told, stderr=StringIO())
        return json.loads(told.getvalue())


def main(name: str) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "qdn.settings")
    import django

    django.setup()
    desk = Desk(name)
    for line in sys.stdin:
        command, *arguments = json.loads(line)
        desk.say("answer", getattr(desk, command)(*arguments))


if __name__ == "__main__":
    main(sys.argv[1])
