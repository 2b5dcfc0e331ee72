"""How many sockets a token or an address may have open in this process: nobody needs more, and each costs memory."""

from collections import Counter
from collections.abc import Iterable

TOO_MANY = 4029
MOST = {"token": 20, "address": 50}
"""A family that watches together, and an office or a mobile network behind one address."""

_taken: Counter[tuple[str, str]] = Counter()


class Seats:
    """What one socket takes up. An address that nobody knows is not counted."""

    def __init__(self) -> None:
        self._mine: list[tuple[str, str]] = []

    def take(self, kind: str, name: str) -> bool:
        """False when all are taken."""
        if not name:
            return True
        if _taken[kind, name] >= MOST[kind]:
            return False
        _taken[kind, name] += 1
        self._mine.append((kind, name))
        return True

    def leave(self) -> None:
        for key in self._mine:
            _taken[key] -= 1
            if not _taken[key]:
                del _taken[key]
        self._mine.clear()


def taken() -> Iterable[tuple[str, str]]:
    return list(_taken)
