"""Words with gaps, `{{ company }}`, that are filled from a fixed list and by nothing else. Companies write such words
themselves, so this is no language: it knows no tags, reaches no settings, and does not look at what it has filled in.

What stands in square brackets around a gap is left out when the gap has nothing to say: `Hello[ {{ customer }}],`.
"""

import re
from collections.abc import Collection, Mapping
from types import MappingProxyType

from django.core.exceptions import ValidationError

PLACEHOLDERS: Mapping[str, str] = MappingProxyType({
    "company": "the board's name",
    "customer": "the customer's first name; may be empty",
    "what": "the service, such as junk removal",
    "when": "day and hours of the visit, or that they are to be confirmed",
    "where": "the address",
    "crew": "first names of the crew; may be empty",
    "phone": "the company's phone number; may be empty",
    "link": "the customer's tracking link",
    "reason": "why the job was cancelled, as your people wrote it; may be empty",
    "stop": "how to opt out of texts; left out where there is no room, and empty in e-mails",
})  # fmt: skip
"""All that may stand between double braces in what customers are told, and what stands for it."""

GAP = re.compile(r"\{\{\s*(.*?)\s*\}\}", re.DOTALL)
OPTIONAL = re.compile(r"\[([^\[\]]*\{\{[^\[\]]*)\]")


def check(words: str, known: Collection[str] = tuple(PLACEHOLDERS)) -> None:
    """Raises ValidationError that names what is unknown and lists what there is."""
    there_are = ", ".join(f"{{{{ {name} }}}}" for name in known)
    unknown = [name for name in dict.fromkeys(GAP.findall(words)) if name not in known]
    if unknown:
        named = ", ".join(f"{{{{ {name} }}}}" for name in unknown)
        raise ValidationError(f"There is no {named}. There are: {there_are}.", code="unknown_placeholder")
    rest = GAP.sub("", words)
    if any(mark in rest for mark in ("{{", "}}", "{%", "%}")):
        raise ValidationError(f"A brace too many or too few. There are: {there_are}.", code="braces")


def fill(words: str, values: Mapping[str, str]) -> str:
    """The words with the values in the gaps, as they are. Raises ValidationError."""
    check(words, [name for name in values if name.isidentifier()])
    words = OPTIONAL.sub(lambda part: part[1] if all(values[name] for name in GAP.findall(part[1])) else "", words)
    return GAP.sub(lambda gap: values[gap[1]], words)
