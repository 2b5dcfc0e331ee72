"""What a message says: the company's own words for it, or ours from `templates/sms` and `templates/mail`, filled with what
it is about as that is now. A text is one text of 160 characters with the whole link wherever that can be.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cache

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailAttachment
from django.template.loader import render_to_string

from dispatch.models import Board

from . import audiences, fitting, gsm7, values
from .kinds import KINDS
from .ledger import Channel, Message, MessageTemplate
from .placeholders import check, fill

LANGUAGES = ("en", "es")
BLANK = "…"
"""Stands for a secret link in what is kept and shown."""


@dataclass(frozen=True, slots=True)
class Words:
    """As they stand in a file or in a company's row, with gaps. A text has no subject."""

    subject: str
    body: str


@dataclass(frozen=True, slots=True)
class Written:
    """As it is sent. `subject` and `html` are empty for a text. `kept` is the text as it may stand in the ledger."""

    subject: str
    text: str
    html: str
    kept: str = ""
    attachments: Collection[EmailAttachment] = ()


def render(message: Message, link: str = "") -> Written:
    """The message is loaded anew (`Audience.load`). `link` instead of the one that anybody in the office may see. Raises
    ValidationError for words that name what does not exist, and that got past the admin's form."""
    language = message.language if message.language in LANGUAGES else "en"
    audience, channel, kind = audiences.of(message), message.channel, message.kind
    mine = MessageTemplate.objects.filter(board=message.board_id, kind=kind, channel=channel, language=language)
    own = mine.first()
    words = Words(own.subject, own.body) if own else built_in(kind, channel, language)
    filling = audience.values(message, language) | ({"link": link} if link else {})
    written = compose(words, filling, channel, language, kind)
    attached = audience.attachments(message, language) if channel == Channel.EMAIL else ()
    return replace(written, kept=written.text, attachments=attached)


def for_sending(message: Message) -> Written:
    """As `render`, with a link of its own where that is a secret. Nothing of it is kept."""
    if not KINDS[message.kind].on_demand:
        return render(message)
    link = audiences.of(message).secret_link(message)
    written = render(message, link)
    return replace(written, subject=written.subject.replace(link, BLANK), kept=written.text.replace(link, BLANK))


@cache
def built_in(kind: str, channel: str, language: str) -> Words:
    """Ours. A mail's file begins with “Subject: …” and an empty line."""
    text = _file("sms" if channel == Channel.SMS else "mail", language, f"{kind}.txt")
    if channel == Channel.SMS:
        return Words("", text)
    subject, _, body = text.partition("\n\n")
    return Words(subject.removeprefix("Subject: "), body)


def compose(words: Words, filling: Mapping[str, str], channel: str, language: str, kind: str) -> Written:
    """Fills words with values such as `Audience.values` gives. Raises ValidationError."""
    audience = audiences.of_kind(kind)
    if channel == Channel.SMS:
        return Written("", fitting.fit(words.body, filling, audience.shortenings), "")
    subject = values.clean(fill(words.subject, filling))[:200]
    footer = fill(_file("mail", language, audience.footer), filling)
    body = re.sub(r"\n\s*\n", "\n\n", fill(words.body.replace("\r\n", "\n"), filling).strip())
    html = _html(subject, body, footer, filling["link"], language, audience.button(kind, language))
    return Written(subject, f"{body}\n\n-- \n{footer}\n", html)


def check_words(words: Words, board: Board, channel: str, language: str, kind: str) -> None:
    """Raises ValidationError, by field, for what cannot be sent, or does not fit into one text with the longest values."""
    problems: dict[str, list[str]] = {}
    for name in ("subject", "body"):
        try:
            check(getattr(words, name), audiences.of_kind(kind).placeholders)
        except ValidationError as error:
            problems[name] = error.messages
    if channel == Channel.EMAIL and not words.subject.strip():
        problems["subject"] = ["An e-mail needs a subject."]
    if channel == Channel.SMS and not problems:
        problems = {"body": found} if (found := _too_much(words, board, language, kind)) else {}
    if problems:
        raise ValidationError(problems)


def _too_much(words: Words, board: Board, language: str, kind: str) -> list[str]:
    if strange := gsm7.missing(words.body):
        return [f"Texts cannot show: {' '.join(strange)}. Please leave that out."]
    longest = audiences.of_kind(kind).sample(kind, board, language, Channel.SMS, longest=True)
    written = compose(words, longest, Channel.SMS, language, kind)
    if (over := gsm7.septets(written.text) - gsm7.ONE_TEXT) <= 0:
        return []
    return [f"{over} character{'s' * (over > 1)} too many for one text, when names and times are long. Please shorten it."]


def _html(subject: str, body: str, footer: str, link: str, language: str, button: str) -> str:
    """The template escapes all of it. A link that stands alone becomes a button; one in a sentence gets a button below."""
    paragraphs = [part.strip() for part in body.split("\n\n") if part.strip()]
    context = {
        "language": language,
        "subject": subject,
        "paragraphs": [{"text": part, "is_link": part == link} for part in paragraphs],
        "button_below": link in body and link not in paragraphs,
        "link": link,
        "button": button,
        "footer": [part.strip() for part in footer.split("\n\n")],
    }
    return render_to_string("mail/message.html", context)


@cache
def _file(*parts: str) -> str:
    return settings.BASE_DIR.joinpath("templates", *parts).read_text(encoding="utf-8").strip()
