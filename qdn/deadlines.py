"""Looks at something that may never answer."""

import threading
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


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
