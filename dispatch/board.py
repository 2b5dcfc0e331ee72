"""What a board shows: cards, columns, and the changes since a change number. Reads only.

A card is the same JSON on the page, over the API and in the socket:
`{"id", "seq", "status", "rank", "service", "location", "window": {"start", "end"} | null, "price", "crew": [name],
"customer": {"name"}, "loadEighths", "createdAt", "statusAt", "updatedBy", "preferredDay", "waitingAsks": [kind],
"optedOut": [channel]}`; times are ISO 8601 in UTC, prices are plain
numbers.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.db.models import Count

from .models import Board, Job, JobQuerySet
from .statuses import STATUS_FLOW, Status

CLOSED_SHOWN = 50
"""How many cards a column of finished jobs shows, newest on top. Columns of open jobs show all."""

DELTA_LIMIT = 300
"""Who missed more changed jobs than this gets a snapshot instead of a delta."""

_CARD_FIELDS = (
    "uid", "seq", "status", "rank", "service", "location", "window_start", "window_end", "price", "crew",
    "customer_name", "load_eighths", "created_at", "status_at", "updated_by", "board_id",
    "preferred_day", "asks", "opted_out",
)  # fmt: skip


@dataclass(frozen=True)
class Frame:
    """What a live board is sent: the changes in (start, to], or, when `start` is None, everything it shows."""

    epoch: str
    start: int | None
    to: int
    jobs: list[Job]
    counts: dict[str, int]

    def as_dict(self) -> dict[str, Any]:
        position = {"from": self.start, "to": self.to} if self.start is not None else {"to": self.to}
        kind = "snapshot" if self.start is None else "delta"
        cards = [card(job) for job in self.jobs]
        return {"type": kind, "epoch": self.epoch, **position, "jobs": cards, "counts": self.counts}

    @cached_property
    def text(self) -> str:
        return json.dumps(self.as_dict(), separators=(",", ":"))


def card(job: Job) -> dict[str, Any]:
    window = {"start": iso(job.window_start), "end": iso(job.window_end)} if job.window_start else None
    return {
        "id": job.uid,
        "seq": job.seq,
        "status": job.status,
        "rank": job.rank,
        "service": job.service,
        "location": job.location,
        "window": window,
        "price": number(job.price),
        "crew": job.crew,
        "customer": {"name": job.customer_name},
        "loadEighths": job.load_eighths,
        "createdAt": iso(job.created_at),
        "statusAt": iso(job.status_at),
        "updatedBy": job.updated_by,
        "preferredDay": job.preferred_day.isoformat() if job.preferred_day else None,
        "waitingAsks": [one["kind"] for one in job.asks if "doneAt" not in one],
        "optedOut": job.opted_out,
    }


def column(status: Status, count: int) -> dict[str, Any]:
    return {
        "status": status.slug,
        "label": status.label,
        "color": status.color,
        "icon": status.icon,
        "count": count,
        "mayGoTo": status.may_go_to,
        "needsReason": status.needs_reason,
        "isOpen": status.is_open,
    }


def state(board: Board) -> dict[str, Any]:
    """The whole board as the API and the page give it."""
    frame = snapshot(board)
    facts = {"slug": board.slug, "name": board.name, "timezone": board.timezone, "epoch": frame.epoch, "seq": frame.to}
    return {
        "board": facts,
        "columns": [column(status, frame.counts[status.slug]) for status in STATUS_FLOW.values()],
        "jobs": [card(job) for job in frame.jobs],
    }


def position(slug: str) -> tuple[str, int]:
    """A board's epoch and change number. Raises Board.DoesNotExist."""
    board = Board.objects.only("epoch", "seq").get(slug=slug)
    return str(board.epoch), board.seq


def changes(slug: str, epoch: str | None, since: int) -> Frame:
    """What a client at (`epoch`, `since`) is missing. Raises Board.DoesNotExist."""
    board = Board.objects.get(slug=slug)
    if epoch != str(board.epoch) or not 0 <= since <= board.seq:
        return snapshot(board)
    if since == board.seq:
        return Frame(str(board.epoch), since, since, [], _counts(board))
    jobs = list(_cards(Job.objects.changed_since(board.pk, since))[: DELTA_LIMIT + 1])
    if len(jobs) > DELTA_LIMIT:
        return snapshot(board)
    return Frame(str(board.epoch), since, jobs[-1].seq if jobs else since, jobs, _counts(board))


def snapshot(board: Board) -> Frame:
    """The change number is read before the rows: a card may be newer than the frame says, never older."""
    board.refresh_from_db(fields=["seq", "epoch"])
    on_board = _cards(Job.objects.filter(board=board))
    open_slugs = [status.slug for status in STATUS_FLOW.values() if status.is_open]
    jobs = list(on_board.filter(status__in=open_slugs).order_by("status", "rank", "id"))
    for status in STATUS_FLOW.values():
        if not status.is_open:
            jobs += on_board.filter(status=status.slug).order_by("rank", "id")[:CLOSED_SHOWN]
    return Frame(str(board.epoch), None, board.seq, jobs, _counts(board))


def iso(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") if moment else None


def number(price: Decimal | None) -> int | float | None:
    """A price as a plain JSON number, `600` or `149.5`. Two decimals survive a float's text exactly."""
    if price is None:
        return None
    return int(price) if price == price.to_integral_value() else float(price)


def _cards(jobs: JobQuerySet) -> JobQuerySet:
    return jobs.only(*_CARD_FIELDS)


def _counts(board: Board) -> dict[str, int]:
    found = Job.objects.filter(board=board).order_by().values_list("status").annotate(count=Count("pk"))
    return dict.fromkeys(STATUS_FLOW, 0) | dict(found)
