"""Races between real processes for places in events: `python -m tests.crew.race_claimers one|history [FOLDER]`.

`one`: 64 processes claim the same place at the same moment, round after round (RACE_ROUNDS); the winner gives it back.
`history`: 8 processes claim and release places of a few events as they like and write down when they asked, and when they
were answered what; every now and then one is killed and another one takes its turn. The database is DATABASE_URL's.
"""

import json
import os
import random
import signal
import sys
import time
from datetime import timedelta
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "qdn.settings")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.utils import timezone  # noqa: E402

from crew import plan  # noqa: E402
from crew.models import Assignment, CrewChange, Event, Member  # noqa: E402
from dispatch.models import Board  # noqa: E402
from dispatch.rules import Refused  # noqa: E402
from tests.races import close, fork, run  # noqa: E402

CONTENDERS, ROUNDS = 64, int(os.environ.get("RACE_ROUNDS", 10))
WRITERS, EVENTS, OPERATIONS = 8, 24, int(os.environ.get("RACE_OPERATIONS", 1200))
KILLS = 24


def race_for_one_place() -> dict[str, Any]:
    [event], members = _events(1), _members(CONTENDERS)
    start, results = fork.Barrier(CONTENDERS), fork.SimpleQueue()
    run([(_contender, event.pk, member.pk, start, results) for member in members], 600)
    wins = [results.get() for _ in members]
    event.refresh_from_db()
    return {
        "winners": [sum(won[turn] for won in wins) for turn in range(ROUNDS)],
        "left": [event.first_mates_taken, Assignment.objects.present().count()],
        "assignments": Assignment.objects.count(),
        "history": [step.what for step in CrewChange.objects.all()],
        "numbers": list(CrewChange.objects.values_list("seq", flat=True)) == list(range(1, 2 + 2 * ROUNDS)),
    }


def _contender(event_pk: int, member_pk: int, start: Barrier, results: Any) -> None:
    event, member, won = Event.objects.get(pk=event_pk), Member.objects.get(pk=member_pk), []
    for _ in range(ROUNDS):
        start.wait(60)
        is_mine = _claim(event, member) == "new"
        won.append(is_mine)
        start.wait(60)
        if is_mine:
            plan.release(event, member, by=member.name)
    results.put(won)


def record_history(folder: Path) -> dict[str, Any]:
    """Each writer has a file in `folder`: lines of number, what, event, who, CLOCK_MONOTONIC in s, and once it is answered
    a second line with the result."""
    events, members = _events(EVENTS), _members(WRITERS)
    close()
    running = [_start(folder, member, events, seed) for seed, member in enumerate(members)]
    seed = WRITERS
    chance = random.Random(7)
    for _ in range(KILLS):
        time.sleep(chance.uniform(0.02, 0.2))
        which = chance.randrange(WRITERS)
        if running[which].is_alive():
            os.kill(running[which].pid or 0, signal.SIGKILL)
            running[which].join()
            running[which], seed = _start(folder, members[which], events, seed), seed + 1
    for process in running:
        process.join(100)
    assert not any(process.is_alive() or process.exitcode for process in running), [one.exitcode for one in running]
    return {"events": [event.pk for event in events], "places": {event.pk: event.first_mates for event in events}}


def _start(folder: Path, member: Member, events: list[Event], seed: int) -> Any:
    process = fork.Process(target=_writer, args=(folder, member.pk, [event.pk for event in events], seed))
    process.start()
    return process


def _writer(folder: Path, member_pk: int, events: list[int], seed: int) -> None:
    """Goes on until the file of its member has enough lines, whoever wrote them."""
    member, chance = Member.objects.get(pk=member_pk), random.Random(seed)
    loaded = {event.pk: event for event in Event.objects.select_related("board").filter(pk__in=events)}
    path = folder / f"{member_pk}.jsonl"
    done = len(path.read_text().splitlines()) // 2 if path.exists() else 0
    number = seed * 1_000_000
    log = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for _ in range(done, OPERATIONS // WRITERS):
        number += 1
        event = chance.choice(events)
        what = "claim" if chance.random() < 0.6 else "release"
        _line(log, number, what, event, member_pk)
        act = _claim if what == "claim" else _release
        _line(log, number, act(loaded[event], member))
    os.close(log)


def _line(log: int, *facts: Any) -> None:
    os.write(log, (json.dumps([time.clock_gettime(time.CLOCK_MONOTONIC), *facts]) + "\n").encode())


def _claim(event: Event, member: Member) -> str:
    try:
        return "new" if plan.claim(event, member, by=member.name)[1] else "already"
    except plan.Taken:
        return "taken"


def _release(event: Event, member: Member) -> str:
    try:
        plan.release(event, member, by=member.name)
    except Refused as error:
        return error.code
    return "released"


def _events(count: int) -> list[Event]:
    """A month from now, and no two at the same time. Every third has two places."""
    board, first = Board.objects.get(slug="main"), timezone.now() + timedelta(days=30)
    days = [first + timedelta(days=day) for day in range(count)]
    return [
        plan.open_event(
            board, title=f"Day {number}", starts_at=day, ends_at=day + timedelta(hours=8), by="race",
            first_mates=2 if number % 3 == 2 else 1,
        )
        for number, day in enumerate(days)
    ]  # fmt: skip


def _members(count: int) -> list[Member]:
    board = Board.objects.get(slug="main")
    names = [f"Member {number}" for number in range(count)]
    return [Member.objects.create(board=board, name=name, email=f"{name[7:]}@example.com") for name in names]


if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    found = race_for_one_place() if sys.argv[1] == "one" else record_history(Path(sys.argv[2]))
    print(json.dumps(found))  # noqa: T201
    close()
