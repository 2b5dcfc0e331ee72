"""Brings a release to production, or back: one way for both. Whatever is interrupted is gone on with by running it again.

In this order, so that a visitor never gets a page whose parts are not there yet: the release is checked; production is
declared to be on its way (`pointer.take`); the edge function; assets, which no page of before names; pages; the edge
forgets what it kept of them; a look at it as a customer has it; at rest. When that look finds something wrong, the same
way leads back to where it came from.

Whoever was asleep and wakes up when somebody else has taken over writes nothing more: a page is only written over the one
that was there while production was still theirs.
"""

import hashlib
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from . import looking, manifest, pointer, releases
from .cases import Case
from .manifest import FUNCTION, BadRelease, Manifest
from .pointer import Hold, Lost, Pointer
from .releases import NoSuchRelease, Progress, content_of
from .store import Conflict, EdgeError, Store


class Edge(Protocol):
    """What stands between the store and the visitors."""

    def put_function(self, code: bytes, cases: Sequence[Case]) -> bool:
        """Makes it the live function; tries it with its cases first, and does nothing when it is that already. Returns
        whether it was changed. Raises EdgeError."""

    def invalidate(self, paths: Sequence[str], reference: str, progress: Progress) -> None:
        """Makes the edge forget these addresses, and waits until it has. The same reference is the same invalidation.
        Raises EdgeError."""


class Refused(EdgeError):
    """The new release did not do what it should; the one before is back."""


class Broken(EdgeError):
    """Neither the new release nor the one before does what it should."""


@dataclass(frozen=True)
class Promotion:
    """`verify` says what is wrong with a release that is in its place, as a customer would find it; `sleep` is what passes
    before it is asked again. `place` is production or staging: the way is the same, each with an `edge` of its own."""

    store: Store
    edge: Edge
    verify: Callable[[Manifest], Sequence[str]]
    progress: Progress
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    place: str = pointer.PRODUCTION
    sleep: Callable[[float], object] = time.sleep

    def promote(self, id: str, *, by: str) -> Pointer:
        """Raises NoSuchRelease, BadRelease, Busy, Lost, Refused, Broken, and what edge and store raise."""
        releases.check(self.store, releases.read(self.store, id), self.progress)
        self._check_way_back(id)
        hold = pointer.take(self.store, self.place, id, by=by, now=self.now)
        try:
            return self._bring(hold, id)
        except (Lost, Refused, Broken):
            raise
        except BaseException as error:
            with suppress(Exception):  # without a word of it others wait for ten minutes, and that is all
                hold.stop(str(error))
            raise

    def _check_way_back(self, id: str) -> None:
        """Raises BadRelease: what is live now has to be whole before it is replaced. Staging has no customers, and is
        brought right by staging again."""
        live = pointer.read(self.store, self.place).release
        if self.place != pointer.PRODUCTION or live is None or live == id:
            return
        try:
            releases.check(self.store, releases.read(self.store, live), self.progress)
        except (NoSuchRelease, BadRelease) as error:
            raise BadRelease(
                f"there would be no way back to release {live}, which is live: {error}. Delete what was changed and stage"
                " that release again from its source, then run this again"
            ) from None

    def _bring(self, hold: Hold, id: str) -> Pointer:
        before = hold.pointer.release
        target = releases.read(self.store, id)  # again: until it was declared to be on its way it could be pruned
        self._switch(hold, target)
        problems = self._problems(hold, target)
        if not problems:
            return hold.rest(before, pointer.LIVE)
        if before is None or before == id:
            hold.rest(before, f"does not work: {problems}")
            raise Broken(f"release {id} does not work, and there is none to go back to: {problems}")
        self._back(hold, before, problems)
        raise Refused(f"release {id} does not work, {self.place} is {before} again: {problems}")

    def _back(self, hold: Hold, before: str, problems: str) -> None:
        refused = hold.pointer.to
        target = releases.read(self.store, before)
        hold.turn(before)
        self._switch(hold, target)
        if still := self._problems(hold, target):
            hold.rest(refused, f"back from {refused}, and does not work either: {still}")
            raise Broken(f"release {before}, to which {self.place} went back, does not work either: {still}")
        hold.rest(refused, f"back from {refused}: {problems}")

    def _problems(self, hold: Hold, target: Manifest) -> str:
        def sleep(seconds: float) -> None:
            hold.beat()
            self.sleep(seconds)

        return "; ".join(looking.lasting(lambda: self.verify(target), sleep))

    def _switch(self, hold: Hold, target: Manifest) -> None:
        """Every step may be done already."""
        code = FUNCTION in target.files and content_of(self.store, target, FUNCTION)
        hold.beat()
        if code:
            self.edge.put_function(code, releases.cases_of(self.store, target))
        hold.beat()
        releases.each(lambda path: self._asset(target, path), target.assets, "assets", self._telling(hold))
        changed = addresses(self._pages(hold, target))
        hold.beat()
        reference = f"{self.place}-{target.id}-{hold.pointer.number}-{_short_hash(changed)}"
        self.edge.invalidate(changed, reference, self._telling(hold))
        hold.beat()

    def _telling(self, hold: Hold) -> Progress:
        """Progress that also says that it is still being worked on."""

        def tell(what: str, done: int, total: int) -> None:
            hold.beat_now_and_then()
            self.progress(what, done, total)

        return tell

    def _asset(self, target: Manifest, path: str) -> None:
        """Its name belongs to its content: another one there is damaged, whoever wrote it."""
        name, content = f"{self.place}/{path}", content_of(self.store, target, path)
        etag = self.store.etag(name)
        if etag is None or self.store.read(name)[0] != content:
            self._write(name, content, path, etag)

    def _pages(self, hold: Hold, target: Manifest) -> list[str]:
        """All pages that there are or were: whoever ran before may have written or deleted some and told nobody."""
        old = [name.removeprefix(f"{self.place}/") for name in self.store.names(f"{self.place}/")]
        gone = [path for path in old if not manifest.is_asset(path) and path not in {*target.files, pointer.FILE}]
        there = {path: self.store.etag(f"{self.place}/{path}") for path in target.pages}
        for done, path in enumerate(target.pages, 1):
            self._page(hold, target, path, there[path])
            self.progress("pages", done, len(target.pages))
        for path in gone:
            hold.check()
            self.store.delete(f"{self.place}/{path}")
        return sorted({*target.pages, *gone, *self._pages_of(hold.pointer.release)})

    def _pages_of(self, id: str | None) -> list[str]:
        try:
            return releases.read(self.store, id).pages if id else []
        except (NoSuchRelease, BadRelease):
            return []

    def _page(self, hold: Hold, target: Manifest, path: str, etag: str | None) -> None:
        name, content = f"{self.place}/{path}", content_of(self.store, target, path)
        if etag and self.store.read(name) == (content, etag):
            return
        hold.check()  # so the etag is of what was there while this was ours
        self._write(name, content, path, etag, hold.check)

    def _write(
        self, name: str, content: bytes, path: str, etag: str | None, check: Callable[[], None] = lambda: None
    ) -> None:  # fmt: skip
        types = {"content_type": manifest.content_type(path), "cache_control": manifest.cache_control(path)}
        try:
            self.store.write(name, content, if_match=etag, **types)
        except Conflict:
            check()
            if self.store.read(name)[0] != content:  # a write that lost its answer is found done
                raise EdgeError(f"somebody else has written {name}: run the same command again") from None


def _short_hash(paths: Sequence[str]) -> str:
    """A reference stands for one list of addresses: whoever goes on may find another one."""
    return hashlib.sha256("\n".join(paths).encode()).hexdigest()[:8]


def addresses(paths: Sequence[str]) -> list[str]:
    return [f"/{path}" for path in paths]
