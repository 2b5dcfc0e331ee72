"""Screens that follow one board over a bad network: the board page's store and feed in Python, and a network that loses,
doubles, swaps and delays what the hub says.

Everything else is the real thing: changes go through `dispatch.flow`, frames come from `dispatch.board`. Each screen logs
what it was given, in order, so that the same run can be played through the page's own script.
"""

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from dispatch import board as boards
from dispatch import flow
from dispatch.models import Board, Job, StatusChange

HEARTBEATS_AT_MOST = 5
_numbers = itertools.count(1)


class Store:
    """dispatch/static/dispatch/board/store.js, rule for rule."""

    def __init__(self, board: dict, cards: list[dict], counts: dict[str, int]) -> None:
        self.epoch, self.seq, self.counts = board["epoch"], board["seq"], counts
        self.cards = {card["id"]: card for card in cards}

    def apply(self, frame: dict) -> bool:
        if frame["type"] == "snapshot":
            self.replace(frame)
        elif self.has_gap(frame):
            return False
        else:
            for card in frame["jobs"]:
                self.apply_card(card)
            if frame["to"] >= self.seq:
                self.seq, self.counts = frame["to"], frame["counts"]
        return True

    def has_gap(self, frame: dict) -> bool:
        return frame["epoch"] != self.epoch or frame["from"] > self.seq

    def replace(self, frame: dict) -> None:
        older = self.cards if frame["epoch"] == self.epoch else {}
        self.cards = {card["id"]: card for card in frame["jobs"]}
        for uid, card in older.items():
            known = self.cards.get(uid)
            if card["seq"] > (known["seq"] if known else frame["to"]):
                self.cards[uid] = card
        self.seq = max(self.seq, frame["to"]) if frame["epoch"] == self.epoch else frame["to"]
        self.epoch, self.counts = frame["epoch"], frame["counts"]

    def apply_card(self, card: dict) -> None:
        if self.is_newer(card):
            self.cards[card["id"]] = card

    def is_newer(self, card: dict) -> bool:
        known = self.cards.get(card["id"])
        return known is None or card["seq"] > known["seq"]


class TakesAnyCard(Store):
    """Broken: an old card replaces a newer one."""

    def is_newer(self, card: dict) -> bool:
        return True


class IgnoresGaps(Store):
    """Broken: does not notice that changes in between are missing."""

    def has_gap(self, frame: dict) -> bool:
        return frame["epoch"] != self.epoch


class Screen:
    """One person's open board: feed.js around a store. `inbox` holds what is under way to it, `heard` what this line
    has brought."""

    def __init__(self, world: "World", name: str, store: type[Store]) -> None:
        state = json.loads(json.dumps(boards.state(world.board)))
        counts = {column["status"]: column["count"] for column in state["columns"]}
        self.world, self.name = world, name
        self.store = store(state["board"], state["jobs"], counts)
        self.inbox: list[str] = []
        self.heard: list[str] = []
        self.connected = False
        self.log: list[dict] = [{"board": state["board"], "cards": state["jobs"], "counts": counts}]

    def connect(self) -> None:
        """What is still under way on the old line is lost with it."""
        self.inbox.clear()
        self.heard.clear()
        self.connected = True
        self.hello()

    def disconnect(self) -> None:
        self.inbox.clear()
        self.heard.clear()
        self.connected = False

    def hello(self) -> None:
        if self.connected:
            self.inbox.append(self.world.join(self.store.epoch, self.store.seq))

    def poll(self) -> None:
        self.inbox.append(boards.changes(self.world.board.slug, self.store.epoch, self.store.seq).text)

    def hear(self, text: str) -> None:
        message = json.loads(text)
        self.heard.append(text)
        if message["type"] == "heartbeat":
            if message["seq"] > self.store.seq:
                self.hello()
            return
        whole = self.store.apply(message)
        self.log.append({"frame": message, "whole": whole})
        if not whole:
            self.hello()

    def deliver(self) -> None:
        while self.inbox:
            self.hear(self.inbox.pop(0))

    def answer(self, job: Job) -> None:
        """The server's answer to this screen's own command: the job as it is now, ahead of the news."""
        card = json.loads(json.dumps(boards.card(job)))
        self.store.apply_card(card)
        self.log.append({"card": card})


@dataclass
class Reader:
    """Where the hub has read to."""

    epoch: str
    head: int


class World:
    """A board, the hub of one server process, and everybody who watches."""

    def __init__(self, names: tuple[str, ...] = ("Ana", "Ben", "Eva"), store: type[Store] = Store) -> None:
        self.board = Board.objects.create(slug=f"convergence-{next(_numbers)}", name="Denver")
        self.reader: Reader | None = None
        self.backup: tuple[int, list[dict]] | None = None
        for location in ("1 Elm St", "2 Elm St", "3 Elm St"):
            flow.open_job(self.board, by="Ana", channel="board", location=location, price=149.5)
        self.screens = [Screen(self, name, store) for name in names]
        for screen in self.screens:
            screen.connect()

    # --- what people do
    def jobs(self) -> list[Job]:
        return list(Job.objects.filter(board=self.board).select_related("board").order_by("id"))

    def open_job(self, screen: Screen, status: str, answered: bool) -> None:
        job = flow.open_job(self.board, by=screen.name, channel="board", status=status, location="9 Oak St", price=600)
        if answered:
            screen.answer(job)

    def change(self, screen: Screen, uid: str, answered: bool, how: Callable[[Job, int], Job]) -> None:
        """A change as the screen's person sees the job, which may be long out of date."""
        seen = screen.store.cards.get(uid)
        job = Job.objects.filter(board=self.board, uid=uid).select_related("board").first()
        if seen is None or job is None:
            return
        try:
            now = how(job, seen["seq"])
        except flow.Conflict as conflict:
            now = conflict.current
        except flow.Refused:
            return
        if answered:
            screen.answer(now)

    # --- what the server does
    def join(self, epoch: str, seq: int) -> str:
        frame = boards.changes(self.board.slug, epoch, seq)
        if self.reader is None:
            self.reader = Reader(frame.epoch, frame.to)
        return frame.text

    def hand_out(self) -> None:
        """The hub was given a hint, or compared. A lost hint is this not happening."""
        reader = self.reader
        if reader is None or boards.position(self.board.slug) == (reader.epoch, reader.head):
            return
        frame = boards.changes(self.board.slug, reader.epoch, reader.head)
        reader.epoch, reader.head = frame.epoch, frame.to
        for screen in self.screens:
            if screen.connected:
                screen.inbox.append(frame.text)

    def heartbeat(self) -> None:
        for screen in self.screens:
            if screen.connected and self.reader:
                screen.inbox.append(json.dumps({"type": "heartbeat", "seq": self.reader.head}))

    def restart(self) -> None:
        self.reader = None
        for screen in self.screens:
            screen.disconnect()

    def back_up(self) -> None:
        self.board.refresh_from_db()
        self.backup = self.board.seq, list(Job.objects.filter(board=self.board).values())

    def restore(self) -> None:
        """Yesterday's database: lower numbers, jobs gone, and a new epoch that says so."""
        if self.backup is None:
            return
        self.restart()
        seq, rows = self.backup
        later = Job.objects.filter(board=self.board).exclude(pk__in=[row["id"] for row in rows])
        StatusChange.objects.filter(job__in=later).delete()
        later.delete()
        for row in rows:
            StatusChange.objects.filter(job=row["id"], seq__gt=row["seq"]).delete()
            Job.objects.filter(pk=row["id"]).update(**{name: value for name, value in row.items() if name != "id"})
        Board.objects.filter(pk=self.board.pk).update(seq=seq, epoch=uuid4())

    # --- what must come of it
    def settle(self) -> None:
        """The network works again: lines come back, what is under way arrives, the hub compares and sends heartbeats."""
        for screen in self.screens:
            if not screen.connected:
                screen.connect()
        self.hand_out()
        for _ in range(HEARTBEATS_AT_MOST):
            self.heartbeat()
            for screen in self.screens:
                screen.deliver()

    def truth(self) -> dict[str, Any]:
        self.board.refresh_from_db()
        frame = json.loads(boards.snapshot(self.board).text)
        return shown(frame["epoch"], frame["to"], {card["id"]: card for card in frame["jobs"]}, frame["counts"])

    def check(self) -> None:
        self.settle()
        truth = as_text(self.truth())
        for screen in self.screens:
            store = screen.store
            seen = as_text(shown(store.epoch, store.seq, store.cards, store.counts))
            assert seen == truth, f"{screen.name} sees another board"

    def traces(self) -> list[dict]:
        """What each screen was given, and what it must show in the end."""
        truth = self.truth()
        return [{"start": screen.log[0], "events": screen.log[1:], "end": truth} for screen in self.screens]


def shown(epoch: str, seq: int, cards: dict[str, dict], counts: dict[str, int]) -> dict[str, Any]:
    return {"epoch": epoch, "seq": seq, "cards": [cards[uid] for uid in sorted(cards)], "counts": counts}


def as_text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
