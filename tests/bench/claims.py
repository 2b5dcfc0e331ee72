"""Places in events: how many claims are answered a second, alone and when eight want each place."""

import multiprocessing
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.db import connections
from django.utils import timezone

from crew import plan
from crew.models import Event, Member
from dispatch.models import Board
from tests.bench.row import Row

CONTENDERS, EVENTS = 8, 100

fork = multiprocessing.get_context("fork")


def measure() -> Iterator[Row]:
    board = Board.objects.get(slug="main")
    members = [
        Member.objects.create(board=board, name=f"Bench {n}", email=f"bench{n}@example.com") for n in range(CONTENDERS)
    ]
    alone, contested = _events(board, "Alone", 30), _events(board, "Contested", 200)
    began = time.perf_counter()
    for event in alone:
        plan.claim(event, members[0], by="Bench")
    one = EVENTS / (time.perf_counter() - began)
    many, winners = _contest(contested, members)
    yield Row("claims of free places, one after the other", f"{one:,.0f}/s")
    yield Row(f"claims answered, {CONTENDERS} processes want each place", f"{many:,.0f}/s")
    yield Row("  contested : alone", f"{many / one:.2f} ×", "≥ 1 ×", many >= one)
    yield Row(f"  winners of {EVENTS} places", f"{winners}", f"{EVENTS}", winners == EVENTS)


def _contest(events: list[Event], members: list[Member]) -> tuple[float, int]:
    """Answers a second, and how many were told that they have the place."""
    for connection in connections.all():
        connection.close()
    start, results = fork.Barrier(len(members) + 1), fork.SimpleQueue()
    processes = [fork.Process(target=_contender, args=(events, member, start, results)) for member in members]
    for process in processes:
        process.start()
    start.wait(60)
    began = time.perf_counter()
    won = sum(results.get() for _ in processes)
    seconds = time.perf_counter() - began
    for process in processes:
        process.join(60)
    return len(events) * len(members) / seconds, won


def _contender(events: list[Event], member: Member, start: Any, results: Any) -> None:
    won = 0
    start.wait(60)
    for event in events:
        try:
            won += plan.claim(event, member, by="Bench")[1]
        except plan.Taken:
            continue
    results.put(won)


def _events(board: Board, title: str, in_days: int) -> list[Event]:
    """On days of their own."""
    first = timezone.now() + timedelta(days=in_days)
    days = [first + timedelta(days=day) for day in range(EVENTS)]
    return [
        plan.open_event(board, title=title, starts_at=day, ends_at=day + timedelta(hours=8), by="Bench") for day in days
    ]
