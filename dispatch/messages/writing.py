"""What a message says: the company's own words for it, or ours from `templates/sms` and `templates/mail`, filled with the
job as it is now. A text is one text of 160 characters with the whole link wherever that can be.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial

from django.conf import settings
from django.core.exceptions import ValidationError
from django.template.loader import render_to_string

from dispatch.models import Board

from . import gsm7, samples, values
from .ledger import Channel, Message, MessageTemplate
from .placeholders import check, fill

LANGUAGES = ("en", "es")
BUTTON = {"en": "See your job", "es": "Ver su servicio"}


@dataclass(frozen=True, slots=True)
class Words:
    """As they stand in a file or in a company's row, with gaps. A text has no subject."""

    subject: str
    body: str


@dataclass(frozen=True, slots=True)
class Written:
    """As it is sent. `subject` and `html` are empty for a text."""

    subject: str
    text: str
    html: str


def render(message: Message) -> Written:
    """Raises ValidationError for words that name what does not exist, and that got past the admin's form."""
    language = message.language if message.language in LANGUAGES else "en"
    job, channel = message.job, message.channel
    own = MessageTemplate.objects.filter(board=job.board_id, kind=message.kind, channel=channel, language=language).first()
    words = Words(own.subject, own.body) if own else built_in(message.kind, channel, language)
    return compose(words, values.of_job(job, language, channel), channel, language)


@cache
def built_in(kind: str, channel: str, language: str) -> Words:
    """Ours. A mail's file begins with “Subject: …” and an empty line."""
    text = _file("sms" if channel == Channel.SMS else "mail", language, f"{kind}.txt")
    if channel == Channel.SMS:
        return Words("", text)
    subject, _, body = text.partition("\n\n")
    return Words(subject.removeprefix("Subject: "), body)


def compose(words: Words, filling: Mapping[str, str], channel: str, language: str) -> Written:
    """Fills words with values such as `values.of_job` gives. Raises ValidationError."""
    if channel == Channel.SMS:
        return Written("", _text(words.body, filling), "")
    subject = values.clean(fill(words.subject, filling))[:200]
    footer = fill(_file("mail", language, "_footer.txt"), filling)
    body = re.sub(r"\n\s*\n", "\n\n", fill(words.body.replace("\r\n", "\n"), filling).strip())
    return Written(subject, f"{body}\n\n-- \n{footer}\n", _html(subject, body, footer, filling["link"], language))


def check_words(words: Words, board: Board, channel: str, language: str) -> None:
    """Raises ValidationError, by field, for what cannot be sent, or does not fit into one text with the longest values."""
    problems: dict[str, list[str]] = {}
    for name in ("subject", "body"):
        try:
            check(getattr(words, name))
        except ValidationError as error:
            problems[name] = error.messages
    if channel == Channel.EMAIL and not words.subject.strip():
        problems["subject"] = ["An e-mail needs a subject."]
    if channel == Channel.SMS and not problems:
        problems = {"body": found} if (found := _too_much(words, board, language)) else {}
    if problems:
        raise ValidationError(problems)


def _too_much(words: Words, board: Board, language: str) -> list[str]:
    if strange := gsm7.missing(words.body):
        return [f"Texts cannot show: {' '.join(strange)}. Please leave that out."]
    written = compose(words, samples.of(board, language, Channel.SMS, longest=True), Channel.SMS, language)
    if (over := gsm7.septets(written.text) - gsm7.ONE_TEXT) <= 0:
        return []
    return [f"{over} character{'s' * (over > 1)} too many for one text, when names and times are long. Please shorten it."]


def _text(words: str, filling: Mapping[str, str]) -> str:
    """In the alphabet of texts. What is too long is shortened value by value, and only as far as it has to be."""
    words = gsm7.to_gsm7(words.replace("\r\n", "\n")).strip()
    room = {name: gsm7.to_gsm7(value) for name, value in filling.items()} | {"link": filling["link"]}
    company = room["company"]
    for shorten in SHORTENINGS:
        if (excess := _excess(words, room)) <= 0:
            break
        room = room | shorten(room, excess)
    room = room | {"company": company}  # a later step may have made room for it again
    return fill(words, room | _cut("company", 6, room, max(0, _excess(words, room)))).strip()


def _excess(words: str, room: Mapping[str, str]) -> int:
    return gsm7.septets(fill(words, room).strip()) - gsm7.ONE_TEXT


def _cut(name: str, least: int, room: Mapping[str, str], excess: int) -> dict[str, str]:
    """At the end of a word, unless too little would be left."""
    value, length = room[name], max(least, len(room[name]) - excess)
    if len(value) <= length:
        return {}
    head = value[:length]
    word = head if value[length] == " " else head.rpartition(" ")[0]
    return {name: (word if 3 * len(word) >= 2 * least else head).rstrip(" ,.;:-&/(")}


def _leave_out(name: str, room: Mapping[str, str], excess: int) -> dict[str, str]:
    return {name: ""}


def _in_brief(room: Mapping[str, str], excess: int) -> dict[str, str]:
    return {"when": room[values.BRIEF]}


SHORTENINGS: tuple[Callable[[Mapping[str, str], int], dict[str, str]], ...] = (
    partial(_cut, "company", 20),
    partial(_cut, "where", 24),
    partial(_cut, "reason", 24),
    partial(_cut, "crew", 12),
    partial(_cut, "customer", 12),
    _in_brief,
    partial(_cut, "company", 12),
    partial(_leave_out, "stop"),
    partial(_cut, "where", 12),
    partial(_cut, "reason", 12),
    partial(_cut, "crew", 6),
    partial(_cut, "company", 6),
)
"""What is given up for one text, in this order. Never the link: half a link leads nowhere, and two texts are better."""


def _html(subject: str, body: str, footer: str, link: str, language: str) -> str:
    """The template escapes all of it. A link that stands alone becomes a button; one in a sentence gets a button below."""
    paragraphs = [part.strip() for part in body.split("\n\n") if part.strip()]
    context = {
        "language": language,
        "subject": subject,
        "paragraphs": [{"text": part, "is_link": part == link} for part in paragraphs],
        "button_below": link in body and link not in paragraphs,
        "link": link,
        "button": BUTTON[language],
        "footer": [part.strip() for part in footer.split("\n\n")],
    }
    return render_to_string("mail/message.html", context)


@cache
def _file(*parts: str) -> str:
    return settings.BASE_DIR.joinpath("templates", *parts).read_text(encoding="utf-8").strip()
