"""What a worker counts since it started. It writes them into its row of the database, where /metrics finds them."""

from bisect import bisect_left
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

LAG_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600)
"""Upper bounds of the histogram; what took longer is in one more bucket at the end."""


@dataclass
class Counters:
    uploads: int = 0
    conflicts: int = 0
    errors: int = 0
    lag: list[int] = field(default_factory=lambda: [0] * (len(LAG_SECONDS) + 1))
    lag_sum: float = 0.0

    def copied(self, lag: timedelta) -> None:
        """A job was copied so long after its change was committed. A clock that is ahead makes no negative time."""
        seconds = max(0.0, lag.total_seconds())
        self.uploads += 1
        self.lag[bisect_left(LAG_SECONDS, seconds)] += 1
        self.lag_sum += seconds

    def as_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("uploads", "conflicts", "errors", "lag", "lag_sum")}
