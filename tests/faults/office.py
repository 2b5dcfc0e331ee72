"""The office: a process that opens and changes jobs while the mirror is in trouble. It remembers every change that was
acknowledged. What the process does is in desk.py.

Each change has a `by` of its own, "<office> 17", so that a history shows which changes it has.
"""

import json
import queue
import subprocess
import sys
import threading
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from tests.servers import ROOT, Product


@dataclass(frozen=True)
class Change:
    """One that flow.move or flow.open_job acknowledged."""

    uid: str
    seq: int
    status: str
    by: str


class Office:
    """Use it as a context manager. `tokens` are those of the jobs it opened, by uid."""

    def __init__(self, product: Product, name: str = "office", known: "Office | None" = None) -> None:
        self.product, self.name = product, name
        self.acknowledged: list[Change] = known.acknowledged if known else []
        self.tokens: dict[str, str] = known.tokens if known else {}
        self.answers: queue.Queue[Any] = queue.Queue()

    def __enter__(self) -> "Office":
        command = [sys.executable, "-m", "tests.faults.desk", self.name]
        self.log = (self.product.folder / f"{self.name}.log").open("ab")
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=self.product.env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
        )
        self.listener = threading.Thread(target=self._listen, name=self.name)
        self.listener.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(10)
        self.process.kill()
        self.process.wait()
        self.listener.join()
        self.process.stdout.close()
        self.log.close()

    def open(self, count: int = 1) -> list[str]:
        """Their uids."""
        return self.ask("open", count)

    def change(self, uids: list[str], count: int = 1) -> None:
        """Moves jobs, one after the other, until `count` moves were acknowledged."""
        self.ask("change", uids, count)

    def status(self) -> dict[str, Any]:
        """What `mirror status --json` prints."""
        return self.ask("status")

    def meets(self, problem: str, seconds: float = 30) -> None:
        """Waits until a worker says that this keeps it from working; "" is none."""
        told = self.ask("problems", problem, seconds, seconds=seconds + 10)
        assert problem in told if problem else told == "", f"{told!r}\n{self.product.logs()}"

    def caught_up(self, seconds: float = 60) -> None:
        """Waits until nothing is behind."""
        if left := self.behind(0, seconds):
            told = json.dumps(self.status(), indent=1)
            raise AssertionError(f"{left} jobs are not copied within {seconds} s\n{told}\n{self.product.logs()}")

    def behind(self, until: int, seconds: float = 60) -> int:
        """Waits until so many jobs are behind or fewer; returns how many."""
        return self.ask("behind", until, seconds, seconds=seconds + 10)

    def ask(self, *command: Any, seconds: float = 50) -> Any:
        self.begin(*command)
        return self.finish(seconds)

    def begin(self, *command: Any) -> None:
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()

    def finish(self, seconds: float = 50) -> Any:
        """The answer to the command that was begun."""
        answer = self.answers.get(timeout=seconds)
        assert answer is not None, f"{self.name} ended\n{self.product.logs()}"
        return answer[0]

    def _listen(self) -> None:
        for line in self.process.stdout:
            kind, *said = json.loads(line)
            if kind == "answer":
                self.answers.put(said)
            else:
                uid, token, seq, status, by = said
                self.tokens[uid] = token
                self.acknowledged.append(Change(uid, seq, status, by))
        self.answers.put(None)


def histories(changes: list[Change]) -> dict[str, list[tuple[str, str]]]:
    """uid -> [(status, by)], in the order in which the database made them."""
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for change in sorted(changes, key=lambda change: change.seq):
        found[change.uid].append((change.status, change.by))
    return found
