"""The judge is judged first: histories that are known to be good or bad."""

import pytest

from tests.crew.linearizability import is_linearizable, operation

GOOD = {
    "nothing": [],
    "one after the other": [
        operation("claim", "dee", 0, 1, "new"),
        operation("claim", "sam", 2, 3, "taken"),
        operation("release", "dee", 4, 5, "released"),
        operation("claim", "sam", 6, 7, "new"),
    ],
    "the same one again": [operation("claim", "dee", 0, 1, "new"), operation("claim", "dee", 2, 3, "already")],
    "two at once, one wins": [operation("claim", "dee", 0, 3, "new"), operation("claim", "sam", 1, 2, "taken")],
    "a loser whose winner was not answered yet": [
        operation("claim", "sam", 1, 2, "taken"),
        operation("claim", "dee", 0, 9, "new"),
    ],
    "the killed one has it": [operation("claim", "dee", 0, None), operation("claim", "sam", 5, 6, "taken")],
    "the killed one does not have it": [operation("claim", "dee", 0, None), operation("claim", "sam", 5, 6, "new")],
    "the killed one gets it later": [
        operation("claim", "dee", 0, None),
        operation("claim", "sam", 1, 2, "new"),
        operation("release", "sam", 3, 4, "released"),
        operation("claim", "lou", 5, 6, "taken"),
    ],
    "a release that was killed": [
        operation("claim", "dee", 0, 1, "new"),
        operation("release", "dee", 2, None),
        operation("claim", "sam", 3, 4, "taken"),
        operation("claim", "lou", 5, 6, "new"),
    ],
}
BAD = {
    "two winners": [operation("claim", "dee", 0, 3, "new"), operation("claim", "sam", 1, 2, "new")],
    "taken, and nobody has it": [operation("claim", "dee", 0, 1, "taken")],
    "taken before anybody could have called": [
        operation("claim", "sam", 0, 1, "taken"),
        operation("claim", "dee", 2, 3, "new"),
    ],
    "the winner was forgotten": [operation("claim", "dee", 0, 1, "new"), operation("claim", "sam", 2, 3, "new")],
    "told no, and has it": [
        operation("claim", "dee", 0, 1, "new"),
        operation("claim", "sam", 2, 3, "taken"),
        operation("release", "sam", 4, 5, "released"),
    ],
    "an old answer": [
        operation("claim", "dee", 0, 1, "new"),
        operation("release", "dee", 2, 3, "released"),
        operation("claim", "sam", 4, 5, "taken"),
    ],
    "gave back what they had not": [operation("release", "dee", 0, 1, "released")],
    "has it, and is told that they do not": [
        operation("claim", "dee", 0, 1, "new"),
        operation("release", "dee", 2, 3, "not_yours"),
    ],
    "new twice": [operation("claim", "dee", 0, 1, "new"), operation("claim", "dee", 2, 3, "new")],
    "a release that was killed cannot be done before it was called": [
        operation("claim", "dee", 0, 1, "new"),
        operation("claim", "sam", 2, 3, "new"),
        operation("release", "dee", 4, None),
    ],
}


@pytest.mark.parametrize("name", GOOD)
def test_what_can_have_happened_passes(name):
    assert is_linearizable(GOOD[name]) is True


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_have_happened_does_not(name):
    assert is_linearizable(BAD[name]) is False


def test_an_event_with_two_places_has_two_winners_and_no_third():
    three = [operation("claim", name, 0, 1, "new") for name in ("dee", "sam", "lou")]

    assert is_linearizable(three[:2], places=2) is True
    assert is_linearizable(three, places=2) is False


def test_a_long_history_is_judged_in_its_whole_length():
    turns = [
        (operation("claim", "dee", at, at + 1, "new"), operation("release", "dee", at + 2, at + 3, "released"))
        for at in range(0, 8000, 4)
    ]
    history = [one for turn in turns for one in turn]

    assert is_linearizable(history) is True
    assert is_linearizable([*history, operation("claim", "sam", 8000, 8001, "taken")]) is False
