"""Makes a text fit: one text is 160 characters, and what is too long is shortened value by value, only as far as it has to
be. Never the link: half a link leads nowhere, and two texts are better.
"""

from collections.abc import Callable, Iterable, Mapping

from . import gsm7
from .placeholders import fill

Room = Mapping[str, str]
Step = Callable[[Room, int], dict[str, str]]
"""Takes the values and by how much the text is too long; returns those that it shortened."""

BRIEF = "when, in brief"
"""Stands for `when` in a text that is too long."""


def fit(words: str, filling: Room, steps: Iterable[Step]) -> str:
    """The words filled in, in the alphabet of texts."""
    words = gsm7.to_gsm7(words.replace("\r\n", "\n")).strip()
    room: Room = {name: gsm7.to_gsm7(value) for name, value in filling.items()} | {"link": filling["link"]}
    company = room["company"]
    for shorten in steps:
        if (excess := _excess(words, room)) <= 0:
            break
        room = {**room, **shorten(room, excess)}
    room = {**room, "company": company}  # a later step may have made room for it again
    return fill(words, {**room, **cut("company", 6, room, max(0, _excess(words, room)))}).strip()


def cut(name: str, least: int, room: Room, excess: int) -> dict[str, str]:
    """At the end of a word, unless too little would be left."""
    value, length = room[name], max(least, len(room[name]) - excess)
    if len(value) <= length:
        return {}
    head = value[:length]
    word = head if value[length] == " " else head.rpartition(" ")[0]
    return {name: (word if 3 * len(word) >= 2 * least else head).rstrip(" ,.;:-&/(")}


def leave_out(name: str, room: Room, excess: int) -> dict[str, str]:
    return {name: ""}


def in_brief(room: Room, excess: int) -> dict[str, str]:
    return {"when": room[BRIEF]}


def _excess(words: str, room: Room) -> int:
    return gsm7.septets(fill(words, room).strip()) - gsm7.ONE_TEXT
