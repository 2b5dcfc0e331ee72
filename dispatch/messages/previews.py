"""How a company's own words look before anybody gets them, beside ours for the same message."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import ValidationError

from dispatch.models import Board

from . import audiences, gsm7, writing
from .kinds import KINDS, OF_JOBS
from .ledger import Channel, MessageTemplate

LANGUAGES = {"en": "English", "es": "Spanish"}


def start(kind: str, channel: str, language: str) -> dict[str, Any]:
    """A form's first values for one of our own messages; none for what does not exist."""
    board = Board.objects.order_by("pk").first()
    if not _is_ours(kind, channel, language):
        return {"board": board and board.pk}
    ours = writing.built_in(kind, channel, language)
    chosen = {"kind": kind, "channel": channel, "language": language}
    return chosen | {"board": board and board.pk, "subject": ours.subject, "body": ours.body}


def links(kind: str) -> list[tuple[str, str]]:
    """(title, query) of the form that starts with our words, for each channel and language."""
    return [
        (f"{channel.label}, {title}", urlencode({"kind": kind, "channel": channel.value, "language": language}))
        for channel in Channel
        for language, title in LANGUAGES.items()
    ]


def placeholders(form: forms.ModelForm) -> Mapping[str, str]:
    """What may be filled into the message that the form is for; into one to customers until one is chosen."""
    kind = _shown(form, "kind")
    return audiences.of_kind(kind if kind in KINDS else next(iter(OF_JOBS))).placeholders


def of_form(form: forms.ModelForm) -> dict[str, Any] | None:
    """`{"board", "ours", "written", "size", "long", "long_size"}` of the words that the form shows; without `written` while
    they cannot be filled in. None until it is chosen which message they are for."""
    row = MessageTemplate(
        **{field: _shown(form, field) or "" for field in ("kind", "channel", "language", "subject", "body")}
    )
    board = _board(_shown(form, "board"))
    if board is None or not _is_ours(row.kind, row.channel, row.language):
        return None
    words = writing.Words(row.subject, row.body.replace("\r\n", "\n"))
    shown = {
        "board": board,
        "ours": writing.built_in(row.kind, row.channel, row.language),
        "is_text": row.channel == Channel.SMS,
    }
    try:
        written = _written(words, board, row)
        long = _written(words, board, row, longest=True)
    except ValidationError:
        return shown
    sizes = {"size": size_in_words(written.text), "long_size": size_in_words(long.text)}
    return shown | {"written": written, "long": long} | (sizes if shown["is_text"] else {})


def size_in_words(text: str) -> str:
    """«142 characters, 1 text», as the providers count."""
    parts = gsm7.segments(text)
    return f"{gsm7.septets(text)} characters, {parts} text{'s' * (parts > 1)}"


def _written(words: writing.Words, board: Board, row: MessageTemplate, *, longest: bool = False) -> writing.Written:
    filling = audiences.of_kind(row.kind).sample(row.kind, board, row.language, row.channel, longest=longest)
    return writing.compose(words, filling, row.channel, row.language, row.kind)


def _is_ours(kind: str, channel: str, language: str) -> bool:
    return kind in KINDS and channel in Channel.values and language in LANGUAGES


def _shown(form: forms.ModelForm, field: str) -> Any:
    """What was typed, also when it is not valid; or what a form that nobody sent yet shows."""
    if form.is_bound:
        return form.data.get(field)
    return form.initial.get(field)


def _board(pk: Any) -> Board | None:
    return Board.objects.filter(pk=pk).first() if str(pk).isdecimal() else None
