"""One line of the table."""

import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Row:
    what: str
    figure: str
    wanted: str = ""
    ok: bool = True

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def median_ms(action: Callable[[int], Any], times: int) -> float:
    """The median of single runs, in milliseconds."""
    return median_ms_in_turn([action], times)[0]


def median_ms_in_turn(actions: list[Callable[[int], Any]], times: int) -> list[float]:
    """The medians of several actions that take turns, so that whatever else the machine does hits all of them."""
    took: list[list[float]] = [[] for _ in actions]
    for number in range(times):
        for action, list_ in zip(actions, took, strict=True):
            began = time.perf_counter()
            action(number)
            list_.append((time.perf_counter() - began) * 1000)
    return [statistics.median(list_) for list_ in took]
