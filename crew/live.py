"""News for the crews' phones and the office. One hub per process and board reads what changed, once, and makes of the rows
in memory what each socket shows. It follows the board's own hub, too: a job that moved is news for those who do it.
"""

import asyncio
from typing import Protocol
from weakref import WeakKeyDictionary, WeakValueDictionary

from dispatch import live
from dispatch.board import Frame

from .models import Member
from .plan import group
from .sheet import Sheet, latest

GATHER_SECONDS = 0.2
"""How long changes of jobs are gathered before phones are told to fetch their plans anew."""


class Listener(Protocol):
    """A socket. `member` is who looks, None in the office. The methods return at once."""

    member: Member | None

    def news(self, text: str) -> None: ...

    def plan(self) -> None: ...

    def heartbeat(self, text: str) -> None: ...


class Hub(live.Follower):
    """Reads the changes of one board's crews for all its listeners in this process."""

    listeners: set[Listener]

    def __init__(self, slug: str) -> None:
        super().__init__(f"crews of {slug}", group(slug))
        self.slug = slug
        self.sheet: Sheet | None = None
        self._shown: dict[Listener, str] = {}
        self._board: live.Hub | None = None
        self._moved: set[int | None] = set()  # jobs; None is any of them

    async def join(self, listener: Listener) -> None:
        """Gives the listener everything as it is now, and then whatever follows. Raises Board.DoesNotExist."""
        async with self._turn:
            try:
                sheet = await self._read()
                if self._board is None:
                    board = live.hub(self.slug)
                    await board.watch(self)
                    self._board = board
            except BaseException:  # also when the socket was closed meanwhile
                if not self.listeners:
                    self.stop()
                raise
            if not self._tasks:
                self._begin()
            self._shown.pop(listener, None)  # whoever asks is answered
            self.listeners.add(listener)
            self._show(listener, sheet)

    def leave(self, listener: Listener) -> None:
        self._shown.pop(listener, None)
        super().leave(listener)

    def stop(self) -> None:
        super().stop()
        if self._board:
            self._board.leave(self)
        self.sheet, self._board = None, None
        self._moved.clear()

    def news(self, frame: Frame) -> None:
        """From the board's hub."""
        if not self._moved:
            asyncio.get_running_loop().call_later(GATHER_SECONDS, self._hinted.set)
        self._moved |= {None} if frame.start is None else {job.pk for job in frame.jobs}

    def heartbeat(self, text: str) -> None:
        """The board's is not ours."""

    async def _hand_out(self) -> None:
        async with self._turn:
            await self._read()

    async def _read(self) -> Sheet:
        """The sheet as it is now. When it is a new one, everybody here has it, too."""
        before, sheet = self.sheet, await live.in_database(latest)(self.slug, self.sheet)
        moved, self._moved = self._moved, set()
        if before is None or (sheet is before and not moved):
            self.sheet, self.head = sheet, sheet.seq
            return sheet
        self.sheet, self.head = sheet, sheet.seq
        for listener in list(self.listeners):
            self._show(listener, sheet)
            if listener.member and _is_news(listener.member, before, sheet, moved):
                listener.plan()
        return sheet

    def _show(self, listener: Listener, sheet: Sheet) -> None:
        text = sheet.text_for(listener.member)
        if self._shown.get(listener) != text:
            self._shown[listener] = text
            listener.news(text)


def _is_news(member: Member, before: Sheet, after: Sheet, moved: set[int | None]) -> bool:
    """Whether the member's plan is another one, or jobs of it moved."""
    mine = after.jobs_of(member)
    return before.plan_of(member) != after.plan_of(member) or bool(mine & moved) or bool(mine and None in moved)


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, WeakValueDictionary[str, Hub]] = WeakKeyDictionary()


def hub(slug: str) -> Hub:
    """This process's hub for a board's crews, for as long as somebody holds it. Raises nothing for an unknown board;
    joining does."""
    hubs = _hubs.setdefault(asyncio.get_running_loop(), WeakValueDictionary())
    return hubs.setdefault(slug, Hub(slug))
