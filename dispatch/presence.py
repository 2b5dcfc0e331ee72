"""Who is on a board, in all processes. Soft: each process tells its own people now and then, and forgets the others' after
a while; without a channel layer everybody still sees the people of their own process.
"""

import asyncio
import json
import logging
import secrets
import time
from typing import Any, Protocol
from weakref import WeakKeyDictionary, WeakValueDictionary

from . import hints

logger = logging.getLogger(__name__)

TELL_SECONDS = 10.0
AGAIN_SECONDS = 1.0
FORGET_SECONDS = 25.0
RETRY_SECONDS = 1.0


class Person(Protocol):
    """A socket of somebody with a name."""

    name: str

    def presence(self, text: str) -> None: ...


class Room:
    """The people of one board in this process, and what other processes told of theirs."""

    def __init__(self, slug: str) -> None:
        self.group = f"presence.{slug}"
        self.process = secrets.token_hex(8)
        self.here: set[Person] = set()
        self.elsewhere: dict[str, tuple[list[str], float]] = {}
        self._told: list[str] = []
        self._changed = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def enter(self, person: Person) -> None:
        """The newcomer hears at once who is here; the others when that is news to them."""
        if person in self.here:
            return
        self.here.add(person)
        if not self._tasks:
            self._tasks = [asyncio.create_task(run()) for run in (self._tell, self._listen)]
        self._show()
        person.presence(self._text())
        self._changed.set()

    def leave(self, person: Person) -> None:
        self.here.discard(person)
        self._show()
        self._changed.set()

    def names(self) -> list[str]:
        now = time.monotonic()
        self.elsewhere = {process: told for process, told in self.elsewhere.items() if told[1] > now}
        others = {name for names, _ in self.elsewhere.values() for name in names}
        return sorted({person.name for person in self.here} | others)

    def _text(self) -> str:
        return json.dumps({"type": "presence", "people": [{"name": name} for name in self._told]})

    def _show(self) -> None:
        names = self.names()
        if names != self._told:
            self._told = names
            for person in list(self.here):
                person.presence(self._text())

    async def _tell(self) -> None:
        """Until the last person has left and the others know."""
        pause = AGAIN_SECONDS
        while True:
            self._changed.clear()
            people = sorted({person.name for person in self.here})
            message = {"type": "presence", "process": self.process, "people": people}
            try:
                await hints.send_from_socket(self.group, message)
            except Exception as error:  # noqa: BLE001 each layer has its own exceptions; presence is not worth an error
                logger.debug("presence was not told: %s", error)
            self._show()
            if not people and not self.here:
                self._stop()
                return
            try:
                await asyncio.wait_for(self._changed.wait(), pause)
                pause = AGAIN_SECONDS  # who only just subscribed may have missed it
            except TimeoutError:
                pause = TELL_SECONDS

    async def _listen(self) -> None:
        while True:
            try:
                async with hints.subscription(self.group) as receive:
                    self._changed.set()  # asks nobody, but tells: the others answer to a process they did not know
                    while True:
                        self._hear(await receive())
            except Exception as error:  # noqa: BLE001 each layer has its own exceptions; presence is not worth an error
                logger.debug("presence is not heard: %s", error)
                await asyncio.sleep(RETRY_SECONDS)

    def _hear(self, message: dict[str, Any]) -> None:
        process, people = message["process"], message["people"]
        if process == self.process:
            return
        if process not in self.elsewhere:
            self._changed.set()
        self.elsewhere[process] = (people, time.monotonic() + FORGET_SECONDS)
        if not people:
            del self.elsewhere[process]
        self._show()

    def _stop(self) -> None:
        for task in self._tasks:
            if task is not asyncio.current_task():
                task.cancel()
        self._tasks = []


_rooms: WeakKeyDictionary[asyncio.AbstractEventLoop, WeakValueDictionary[str, Room]] = WeakKeyDictionary()


def room(slug: str) -> Room:
    """This process's room for a board, for as long as somebody holds it."""
    rooms = _rooms.setdefault(asyncio.get_running_loop(), WeakValueDictionary())
    return rooms.setdefault(slug, Room(slug))
