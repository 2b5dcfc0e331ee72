"""Whether what many people saw at the same time can have happened one after the other.

A history is linearizable when every operation can be given one moment between its call and its answer such that, in the
order of these moments, each answer is right. An operation without an answer (its process was killed) may have happened at
any moment after its call, or never. The search is that of Wing and Gong with the memory of Lowe: depth first, and of each
set of operations done and the state after them only once.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

State = frozenset[str]
"""Who has a place."""


@dataclass(frozen=True, slots=True)
class Operation:
    """`result` of a claim: new, already or taken; of a release: released or not_yours; "" when nobody lived to tell."""

    what: str
    who: str
    called: float
    answered: float
    result: str


def operation(what: str, who: str, called: float, answered: float | None, result: str = "") -> Operation:
    return Operation(what, who, called, math.inf if answered is None else answered, result)


def after(state: State, one: Operation, places: int) -> tuple[State, str]:
    """The state after an operation, and what it answers."""
    if one.what == "release":
        return (state - {one.who}, "released") if one.who in state else (state, "not_yours")
    if one.who in state:
        return state, "already"
    return (state | {one.who}, "new") if len(state) < places else (state, "taken")


def is_linearizable(history: Iterable[Operation], places: int = 1) -> bool:
    """Of one event, whose places are free at the beginning."""
    operations = sorted(history, key=lambda one: (one.called, one.answered))
    answered = sum(1 << index for index, one in enumerate(operations) if one.result)
    seen: set[tuple[int, State]] = set()
    stack: list[tuple[int, State]] = [(0, frozenset())]
    while stack:
        done, state = stack.pop()
        if done & answered == answered:
            return True
        for index in _next(operations, done):
            there, answer = after(state, operations[index], places)
            position = (done | 1 << index, there)
            if operations[index].result in ("", answer) and position not in seen:
                seen.add(position)
                stack.append(position)
    return False


def _next(operations: Sequence[Operation], done: int) -> list[int]:
    """Those that may come next: called before any other of those left was answered. What is over lies at the front."""
    first = (~done & (done + 1)).bit_length() - 1
    found, earliest = [], math.inf
    for index in range(first, len(operations)):
        one = operations[index]
        if one.called > earliest:
            break
        if not done >> index & 1:
            found.append(index)
            earliest = min(earliest, one.answered)
    return [index for index in found if operations[index].called <= earliest]
