"""The alphabet of text messages, GSM 03.38: 160 characters of it are one text. One other character anywhere would make the
whole text three times as dear, so everything is written in this alphabet.
"""

import unicodedata
from collections.abc import Mapping
from types import MappingProxyType

ALPHABET = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = frozenset("\f^{}\\[~]|€")
"""These count as two: an escape goes before them."""
ONE_TEXT, ONE_OF_SEVERAL = 160, 153
"""A longer text is cut up, and each part gives seven characters away to say where it belongs."""

PLAIN: Mapping[str, str] = MappingProxyType(
    dict.fromkeys("‘’‚‛′ʼ`´", "'")
    | dict.fromkeys("“”„‟″«»", '"')
    | dict.fromkeys("‐‑‒–—―−", "-")
    | dict.fromkeys("\t\u00a0\u2002\u2003\u2007\u2009\u200a\u202f", " ")
    | dict.fromkeys("\u00ad\u200b\u200c\u200d\ufe0f\ufeff", "")
    | {"…": "...", "•": "*", "·": "-", "×": "x", "½": "1/2", "¼": "1/4", "¾": "3/4", "ª": "a", "º": "o", "ł": "l", "Ł": "L"}
)
"""What stands for characters that people type and the alphabet has not."""


def septets(text: str) -> int:
    """How much room a text takes. For text in the alphabet."""
    return sum(2 if character in EXTENSION else 1 for character in text)


def segments(text: str) -> int:
    """Of how many parts it is sent, which is what it costs. For text in the alphabet."""
    length = septets(text)
    return 1 if length <= ONE_TEXT else -(-length // ONE_OF_SEVERAL)


def to_gsm7(text: str) -> str:
    """The text in the alphabet, without accents that it has not. What nothing can stand for becomes a question mark."""
    return "".join(_plain(character) for character in unicodedata.normalize("NFC", text))


def missing(text: str) -> list[str]:
    """The characters that would become question marks, each once, in the order of the text."""
    return list(dict.fromkeys(one for one in unicodedata.normalize("NFC", text) if one != "?" and _plain(one) == "?"))


def _plain(character: str) -> str:
    if character in ALPHABET or character in EXTENSION:
        return character
    if character in PLAIN:
        return PLAIN[character]
    bare = unicodedata.normalize("NFKD", character)
    bare = "".join(one for one in bare if not unicodedata.combining(one))
    return bare if bare and set(bare) <= ALPHABET | EXTENSION else "?"
