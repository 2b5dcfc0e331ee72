"""Asking again and again, with a deadline and a little chance in between, so that many who wait do not ask as one."""

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Patience:
    """`for seconds in Patience(900, 5)`: at once, then about every five seconds, for the last time when 900 have passed.
    Yields how long it has been; what comes after the loop is for those who waited in vain."""

    most: float
    every: float
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.monotonic
    chance: Callable[[float, float], float] = random.uniform

    def __iter__(self) -> Iterator[float]:
        began = self.now()
        while (passed := self.now() - began) < self.most:
            yield passed
            self.sleep(min(self.chance(0.7 * self.every, 1.3 * self.every), max(0.0, self.most - (self.now() - began))))
        yield self.most
