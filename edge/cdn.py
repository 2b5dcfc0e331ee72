"""The port to the network that serves visitors: which function it runs, and what it shall forget. Amazon's is in
cdn_aws.py; here are one in a folder, for a demo without Amazon, and one that remembers what it was asked, for tests.
"""

import fcntl
import hashlib
import json
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import quickjs

from .cases import Case
from .engine import MEMORY_BYTES, SECONDS
from .store import EdgeError

LIVE, DEVELOPMENT = "LIVE", "DEVELOPMENT"
INVALIDATIONS = "invalidations.json"
MOST_UTILIZATION = 49
"""Per cent of the time that a function has. Beyond it, a busy machine at the edge may end it: 503 for the visitor."""

Progress = Callable[[str, int, int], None]
"""(what, done, total)"""
ANY_REQUEST: dict[str, Any] = {}
"""Expected where all that is known is that a request must come back."""


class CdnError(EdgeError):
    """The network refused, failed, or was not reached."""


class FunctionRefused(CdnError):
    """The function does not do what the cases say, or takes too long. The live one is what it was."""


@dataclass(frozen=True, slots=True)
class FunctionState:
    """A function at one stage, LIVE or DEVELOPMENT. Who replaces it names its etag."""

    etag: str
    sha256: str
    stage: str


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of running a function once: the request it returned, per cent of its time used, and why it failed."""

    output: dict[str, Any]
    utilization: int = 0
    error: str = ""


class Cdn(Protocol):
    """Everything may be done twice: a function that is live already is left alone, and a reference that is known already is
    the same invalidation. All raise CdnError."""

    def function_stage(self, name: str, stage: str = LIVE) -> FunctionState | None:
        """None when there is nothing at that stage."""

    def live_code(self, name: str) -> bytes | None:
        """What visitors' requests run through now."""

    def put_function(self, name: str, code: bytes, cases: Sequence[Case], progress: Progress) -> bool:
        """Makes it the live function, after every case was tried where visitors are not. Returns whether it was changed.
        Raises FunctionRefused."""

    def invalidate(self, distribution: str, paths: Iterable[str], reference: str) -> str:
        """Makes a distribution forget addresses such as `/track.html`; returns the invalidation's id."""

    def wait(self, distribution: str, invalidation: str, progress: Progress) -> None:
        """Returns when all of the edge has forgotten."""


def sha256(code: bytes) -> str:
    return hashlib.sha256(code).hexdigest()


def try_all(run: Callable[[dict[str, Any]], Trial], cases: Sequence[Case], progress: Progress) -> None:
    """Raises FunctionRefused at the first case that comes out otherwise."""
    for done, case in enumerate(cases, 1):
        _try(run, case)
        progress("cases", done, len(cases))


def _try(run: Callable[[dict[str, Any]], Trial], case: Case) -> None:
    """The machine that tries it may be busy with others, so of three utilizations the lowest counts."""
    for last in (False, False, True):
        trial = run(case.event)
        if trial.error:
            raise FunctionRefused(f"“{case.name}”: the function failed: {trial.error}")
        if case.expected == ANY_REQUEST:
            if "uri" not in trial.output:
                raise FunctionRefused(f"“{case.name}”: the function returns no request")
        elif _whole(trial.output) != _whole(case.expected):
            raise FunctionRefused(f"“{case.name}”: expected {_line(case.expected)}, got {_line(trial.output)}")
        if trial.utilization <= MOST_UTILIZATION:
            return
        if last:
            raise FunctionRefused(f"“{case.name}”: takes {trial.utilization} % of its time, {MOST_UTILIZATION} are allowed")


def _whole(request: dict[str, Any]) -> dict[str, Any]:
    """Engines differ in whether they name what is empty."""
    return {"headers": {}, "cookies": {}, "querystring": {}} | request


def _line(request: dict[str, Any]) -> str:
    return json.dumps({name: request[name] for name in ("uri", "querystring") if name in request}, ensure_ascii=False)


def checked(paths: Iterable[str]) -> list[str]:
    """Addresses as an invalidation takes them, in one order, so that the same ones are the same request."""
    listed = sorted(set(paths))
    if bad := [path for path in listed if not path.startswith("/") or "*" in path[:-1]]:
        raise CdnError(f"{bad[0]!r} cannot be invalidated: an address begins with / and has at most one *, at its end")
    if not listed:
        raise CdnError("there is nothing to invalidate")
    return listed


class FolderCdn:
    """A folder: `<function>.js`, and `invalidations.json` {distribution: {reference: paths}}. The function is tried in the
    embedded engine, with CloudFront's limits. Nothing is kept that would have to be forgotten. Any number of processes of
    one machine may use it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def function_stage(self, name: str, stage: str = LIVE) -> FunctionState | None:
        code = self.live_code(name) if stage == LIVE else None
        return FunctionState(sha256(code)[:16], sha256(code), LIVE) if code is not None else None

    def live_code(self, name: str) -> bytes | None:
        path = self.folder / f"{name}.js"
        return path.read_bytes() if path.exists() else None

    def put_function(self, name: str, code: bytes, cases: Sequence[Case], progress: Progress) -> bool:
        if code == self.live_code(name):
            return False
        try_all(_embedded(code), cases, progress)
        self._write(f"{name}.js", code)
        return True

    def invalidate(self, distribution: str, paths: Iterable[str], reference: str) -> str:
        listed = checked(paths)
        with self._locked():
            known = self.invalidations()
            if known.setdefault(distribution, {}).setdefault(reference, listed) != listed:
                raise CdnError(f"the reference {reference} belongs to another invalidation")
            self._write(INVALIDATIONS, json.dumps(known, indent=1).encode())
        return reference

    def wait(self, distribution: str, invalidation: str, progress: Progress) -> None:
        if invalidation not in self.invalidations().get(distribution, {}):
            raise CdnError(f"there is no invalidation {invalidation} of {distribution}")
        progress("forgotten", 1, 1)

    def invalidations(self) -> dict[str, dict[str, Any]]:
        """Files of before had references in the place of distributions; those are left as they are, and mean nothing."""
        path = self.folder / INVALIDATIONS
        return dict(json.loads(path.read_bytes())) if path.exists() else {}

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """The lock's file stays: one that is unlinked would be held by nobody and everybody."""
        with (self.folder / ".lock").open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _write(self, name: str, content: bytes) -> None:
        draft = self.folder / f".{name}.{secrets.token_hex(4)}.draft"
        try:
            draft.write_bytes(content)
            draft.replace(self.folder / name)
        finally:
            draft.unlink(missing_ok=True)


class RecordingCdn(FolderCdn):
    """Remembers in `calls` what it was asked, in order, and raises `refuses[method]` instead of doing it, if it is set."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.calls: list[tuple[Any, ...]] = []
        self.refuses: dict[str, CdnError] = {}

    def put_function(self, name: str, code: bytes, cases: Sequence[Case], progress: Progress) -> bool:
        self._note("put_function", name, code)
        return super().put_function(name, code, cases, progress)

    def invalidate(self, distribution: str, paths: Iterable[str], reference: str) -> str:
        paths = checked(paths)
        self._note("invalidate", distribution, paths, reference)
        return super().invalidate(distribution, paths, reference)

    def wait(self, distribution: str, invalidation: str, progress: Progress) -> None:
        self._note("wait", distribution, invalidation)
        super().wait(distribution, invalidation, progress)

    def _note(self, *call: Any) -> None:
        self.calls.append(call)
        if call[0] in self.refuses:
            raise self.refuses[call[0]]


def _embedded(code: bytes) -> Callable[[dict[str, Any]], Trial]:
    context = quickjs.Context()
    context.set_memory_limit(MEMORY_BYTES)
    context.set_time_limit(SECONDS)

    def run(event: dict[str, Any]) -> Trial:
        try:
            output = json.loads(context.get("run")(json.dumps(event)) or "null")
            return Trial(output) if isinstance(output, dict) else Trial({}, error="it returns no request")
        except quickjs.JSException as error:
            why = str(error).splitlines()[0]
            return Trial({}, error="it takes too much memory" if why == "null" else why)  # too little left to say so

    try:
        context.eval(code.decode())
        context.eval("function run(event) { return JSON.stringify(handler(JSON.parse(event))); }")
    except (quickjs.JSException, UnicodeDecodeError) as error:
        raise FunctionRefused(f"the function cannot be read: {str(error).splitlines()[0]}") from None
    return run
