"""Looks at something that may never answer."""

import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import TypeVar

Result = TypeVar("Result")
Item = TypeVar("Item")
AT_A_TIME = 16


class TooLate(Exception):
    """There was no answer in time."""


def within(seconds: float, look: Callable[[], Result]) -> Result:
    """What `look` returns or raises. Raises TooLate after `seconds`; whatever is still waiting then is left alone, and ends
    with the process at the latest. Not for what uses the database: connections belong to their threads."""
    answers: list[Result] = []
    failures: list[BaseException] = []

    def run() -> None:
        try:
            answers.append(look())
        except BaseException as error:  # noqa: BLE001 it is raised again, on the thread of whoever asked
            failures.append(error)

    thread = threading.Thread(target=run, name="look", daemon=True)
    thread.start()
    thread.join(seconds)
    if failures:
        raise failures[0]
    if not answers:
        raise TooLate
    return answers[0]


def each(look: Callable[[Item], object], items: Iterable[Item]) -> None:
    """Looks at all of them, a few at a time, and raises what failed of the first that did. The threads of an executor
    would be waited for at the end of the process, with all that still waits for them; these are not."""
    left = deque(enumerate(items))
    failures: dict[int, BaseException] = {}

    def run() -> None:
        while left and not failures:
            try:
                at, item = left.popleft()
            except IndexError:  # another thread has the last one
                return
            try:
                look(item)
            except BaseException as error:  # noqa: BLE001 it is raised again, on the thread of whoever asked
                failures[at] = error

    threads = [threading.Thread(target=run, name="look", daemon=True) for _ in range(min(AT_A_TIME, len(left)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[min(failures)]
