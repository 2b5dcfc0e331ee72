"""The day before: who has a window tomorrow is reminded of it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Self

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from dispatch.models import Board, Job

from . import queueing
from .ledger import Message

FROM = time(17)
"""Of the day before, on the board's wall."""
OF_STATUSES = ("scheduled", "ready_for_pickup")
KIND = "reminder"
AT_ONCE = 500
EVENT = re.compile(rf":{KIND}:(\d{{4}}-\d\d-\d\d):")


def queue(now: datetime | None = None) -> int:
    """Writes a reminder down for jobs whose day is tomorrow and that have none of that day. Any number of workers may do
    this as often as they like: of one job and day there is one row for each channel. The same number of queries, however
    many jobs and boards there are. Returns for how many jobs, at most AT_ONCE."""
    now = now or timezone.now()
    days = {board.pk: Day.after(now, board) for board in Board.objects.filter(messages_on=True) if is_time(now, board)}
    jobs = _jobs(days.values()) if days else []
    Message.objects.bulk_create([row for job in jobs for row in _rows(job, days[job.board_id], now)], ignore_conflicts=True)
    return len(jobs)


def is_old(message: Message, job: Job, now: datetime) -> bool:
    """Whether this reminds of a window that was moved away, of a job that is under way or off, or of a day that is here."""
    found = EVENT.search(message.dedupe_key)
    if not found:
        return False
    if job.status not in OF_STATUSES or job.window_start is None:
        return True
    day, zone = date.fromisoformat(found[1]), job.board.zone
    return job.window_start.astimezone(zone).date() != day or now.astimezone(zone).date() >= day


@dataclass(frozen=True)
class Day:
    """A day of a board, from midnight to midnight on its wall."""

    board: Board
    date: date
    begins: datetime
    ends: datetime

    @classmethod
    def after(cls, now: datetime, board: Board) -> Self:
        day = now.astimezone(board.zone).date() + timedelta(days=1)
        begins, ends = (datetime.combine(one, time(), tzinfo=board.zone) for one in (day, day + timedelta(days=1)))
        return cls(board, day, begins.astimezone(UTC), ends.astimezone(UTC))

    @property
    def event(self) -> str:
        return f"{KIND}:{self.date.isoformat()}"


def is_time(now: datetime, board: Board, since: time = FROM) -> bool:
    """Whether it is evening on the board's wall."""
    return now.astimezone(board.zone).time() >= since


def _jobs(days: Iterable[Day]) -> list[Job]:
    which = Q()
    for day in days:
        reminded = Message.objects.filter(job=OuterRef("pk"), kind=KIND, dedupe_key__contains=f":{day.event}:")
        which |= Q(~Exists(reminded), board=day.board, window_start__gte=day.begins, window_start__lt=day.ends)
    jobs = Job.objects.filter(which, status__in=OF_STATUSES, customer_notify=True)
    reachable = jobs.exclude(customer_phone="", customer_email="")
    return list(reachable.select_related("board").order_by("window_start", "pk")[:AT_ONCE])


def _rows(job: Job, day: Day, now: datetime) -> Iterable[Message]:
    """They are of no use when the day has begun. A text that would wait for that is looked at at once, and sent as an
    e-mail instead if that can be."""
    for row in queueing.rows(job, KIND, by="", at=now, event=day.event):
        row.expires_at = min(row.expires_at, day.begins)
        if row.send_after >= row.expires_at:
            row.send_after = now
        yield row
