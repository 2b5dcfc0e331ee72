"""What a person is told who waits for a step of `manage.py edge`: what is being done now, how far it is, and for how long.

On a terminal each phase is one line that changes. Elsewhere, such as in the log of a pipeline, it is one line when it is
done, and one before if it may be minutes until then.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Protocol

from django.core.management.base import OutputWrapper

from edge.manifest import Manifest

Verify = Callable[[Manifest, Callable[[], None]], Sequence[str]]
LOOKING = "looking at it as a customer has it"


class Output(Protocol):
    def write(self, msg: str, *, ending: str | None = None) -> None: ...

    def isatty(self) -> bool: ...

    def flush(self) -> None: ...


class Lasting(OutputWrapper):
    """Whether anybody still reads it or not: `head` has read enough, a log's disk is full. What is written then is lost.
    What is told about goes on, and no release is taken back for it."""

    def __init__(self, out: OutputWrapper) -> None:
        super().__init__(out._out)  # type: ignore[arg-type]  # the stub calls it a method
        self.style_func = out.style_func

    def write(self, *args: Any, **options: Any) -> None:  # type: ignore[override]  # of Django's own kind
        with suppress(OSError):
            super().write(*args, **options)

    def flush(self) -> None:
        with suppress(OSError):
            super().flush()


class Told:
    """Seconds are those since the phase before was done."""

    def __init__(self, out: Output, now: Callable[[], float] = time.monotonic) -> None:
        self.out, self.now, self.began = out, now, now()
        self.line, self.is_announced = "", False

    def progress(self, what: str, done: int, total: int) -> None:
        """As `edge.releases.Progress`."""
        if done == total:
            self._done(f"{what}: {total}" if not self.out.isatty() else f"{what}: {total} of {total}")
        else:
            self._doing(f"{what}: {done} of {total}", takes_long=done == 0)

    def looking(self, verify: Verify) -> Verify:
        """The same, but the person is told that it is looked at, and what was found. A log has each of that once."""
        seen: dict[str, Sequence[str]] = {}

        def look(release: Manifest, beat: Callable[[], None]) -> Sequence[str]:
            def beat_and_tell() -> None:
                beat()
                self._doing(LOOKING, takes_long=True)

            self._done("")
            self.is_announced = release.id in seen
            self._doing(LOOKING, takes_long=True)
            found = verify(release, beat_and_tell)
            is_news = bool(found) and found != seen.get(release.id)
            self._done(f"{LOOKING}: {_wrong(found)}" if is_news or self.out.isatty() else "")
            seen[release.id] = found
            return found

        return look

    def finish(self) -> None:
        """Whatever is written next begins on a line of its own."""
        if self.line:
            self.out.write("")
        self.line = ""

    def _doing(self, what: str, *, takes_long: bool) -> None:
        if self.out.isatty():
            self._rewrite(f"  {what}{self._passed()}")
        elif takes_long and not self.is_announced:
            self.out.write(f"  {what} …")
            self.is_announced = True

    def _done(self, what: str) -> None:
        """Without words nothing is written: only another phase begins."""
        if what and self.out.isatty():
            self._rewrite(f"  {what}{self._passed()}")
            self.finish()
        elif what:
            self.out.write(f"  {what}{self._passed()}")
        self.began, self.is_announced = self.now(), False

    def _rewrite(self, line: str) -> None:
        self.out.write(f"\r{line:<{len(self.line)}}", ending="")
        self.out.flush()
        self.line = line

    def _passed(self) -> str:
        seconds = int(self.now() - self.began)
        return f", {seconds} s" if seconds else ""


def _wrong(found: Sequence[str]) -> str:
    if not found:
        return "all is well"
    return f"{len(found)} problem{'s' if len(found) > 1 else ''} so far, {found[0]}"
