"""Brings a release to production, or back: one way for both. Whatever is interrupted is gone on with by running it again.

In this order, so that a visitor never gets a page whose parts are not there yet: the release is checked; production is
declared to be on its way (`pointer.take`); the edge function; assets, which no page of before names; pages; the edge
forgets what it kept of them; a look at it as a customer has it; at rest. When that look finds something wrong, or a step
before it cannot be done, the same way leads back to where it came from.

Whoever was asleep and wakes up when somebody else has taken over writes nothing more: a page is only written over the one
that was there while production was still theirs.
"""

import hashlib
import textwrap
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

    def put_function(self, code: bytes, cases: Sequence[Case], progress: Progress) -> bool:
        """Makes it the live function; tries it with its cases first, and does nothing when it is that already. Returns
        whether it was changed. Raises EdgeError."""

    def invalidate(self, paths: Sequence[str], reference: str, progress: Progress) -> None:
        """Makes the edge forget these addresses, and waits until it has. The same reference is the same invalidation.
        Raises EdgeError."""


class Refused(EdgeError):
    """The new release could not be put in its place, or did not do what it should; the one before is back."""


class Stuck(EdgeError):
    """The new release could not be put in its place, nor could the one before: the place is on its way to one of them."""


class Broken(EdgeError):
    """Neither the new release nor the one before does what it should."""


@dataclass(frozen=True)
class Promotion:
    """`verify` says what is wrong with a release that is in its place, as a customer would find it, and calls what it is
    given before each look; `sleep` is what passes before it is asked again. `explain` puts what went wrong into a line.
    `place` is production or staging: the way is the same, each with an `edge` of its own."""

    store: Store
    edge: Edge
    verify: Callable[[Manifest, Callable[[], None]], Sequence[str]]
    progress: Progress
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    place: str = pointer.PRODUCTION
    sleep: Callable[[float], object] = time.sleep
    explain: Callable[[Exception], str] = str

    def promote(self, id: str, *, by: str, expect: str | None = None) -> Pointer:
        """`expect` is the pointer's state as the person saw it who decided. Raises NoSuchRelease, BadRelease, Busy,
        Changed, Lost, Refused, Stuck, Broken, and what edge and store raise."""
        releases.check(self.store, releases.read(self.store, id), self.progress)
        self._check_way_back(id)
        hold = pointer.take(self.store, self.place, id, by=by, now=self.now, expect=expect)
        try:
            return self._bring(hold, id)
        except (Lost, Refused, Broken):
            raise
        except BaseException as error:
            with suppress(Exception):  # without a word of it others wait for ten minutes, and that is all
                hold.stop(self._reason(error) if isinstance(error, Exception) else "interrupted")
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
        before, cause = hold.pointer.release, None
        way_back = before if before != id else None
        try:
            what, problems = "does not work", self._put(hold, id)
        except Exception as error:
            if way_back is None or isinstance(error, Lost):
                raise
            what, problems, cause = "could not be put there", self._reason(error), error
        if not problems:
            return hold.rest(before, pointer.LIVE)
        if way_back is None:
            hold.rest(before, f"does not work: {problems}")
            raise Broken(f"release {id} does not work, and there is none to go back to: {problems}")
        self._back(hold, way_back, problems)
        raise Refused(f"release {id} {what}, {self.place} is {way_back} again: {problems}") from cause

    def _put(self, hold: Hold, id: str) -> str:
        """What is wrong with it once it is there."""
        target = releases.read(self.store, id)  # again: until it was declared to be on its way it could be pruned
        self._switch(hold, target)
        return self._problems(hold, target)

    def _back(self, hold: Hold, before: str, problems: str) -> None:
        refused = hold.pointer.to
        try:
            hold.turn(before)
            still = self._put(hold, before)
        except Lost:
            raise
        except Exception as error:
            raise Stuck(
                f"release {refused} could not stay: {_short(problems)}; and going back to {before} failed:"
                f" {_short(self._reason(error))}. Run the same command again, or bring {before}: both go on from here"
            ) from error
        if still:
            hold.rest(refused, f"back from {refused}: {_short(problems)}; does not work either: {_short(still)}")
            first = "" if problems == still else f". What was wrong with {refused}: {_short(problems)}"
            words = f"release {before}, to which {self.place} went back, does not work either: {_short(still)}{first}"
            raise Broken(words)
        hold.rest(refused, f"back from {refused}: {problems}")

    def _reason(self, error: Exception) -> str:
        return self.explain(error) or type(error).__name__

    def _problems(self, hold: Hold, target: Manifest) -> str:
        def sleep(seconds: float) -> None:
            hold.beat()
            self.sleep(seconds)

        return "; ".join(looking.lasting(lambda: self.verify(target, hold.beat_now_and_then), sleep))

    def _switch(self, hold: Hold, target: Manifest) -> None:
        """Every step may be done already."""
        code = FUNCTION in target.files and content_of(self.store, target, FUNCTION)
        hold.beat()
        if code:
            self.edge.put_function(code, releases.cases_of(self.store, target), self._telling(hold))
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
        """All pages that there are or that any release has: whoever ran before may have written or deleted some and told
        nobody."""
        old = [name.removeprefix(f"{self.place}/") for name in self.store.names(f"{self.place}/")]
        gone = [path for path in old if not manifest.is_asset(path) and path not in {*target.files, pointer.FILE}]
        there = {path: self.store.etag(f"{self.place}/{path}") for path in target.pages}
        tell = self._telling(hold)
        for done, path in enumerate(target.pages, 1):
            self._page(hold, target, path, there[path])
            tell("pages", done, len(target.pages))
        for path in gone:
            hold.check()
            self.store.delete(f"{self.place}/{path}")
        known = [one for _, one in releases.listed(self.store) if isinstance(one, Manifest)]
        return sorted({*target.pages, *gone, *(path for release in known for path in release.pages)})

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


def _short(reason: str) -> str:
    """So that two of them are written down."""
    return textwrap.shorten(reason, pointer.LONGEST // 3, placeholder="…")


def addresses(paths: Sequence[str]) -> list[str]:
    return [f"/{path}" for path in paths]
