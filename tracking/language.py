"""The language of customers' pages: `?lang=`, else what the browser asks for, else English. No cookie remembers it."""

from contextlib import suppress

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import get_supported_language_variant
from django.utils.translation.trans_real import parse_accept_lang_header

LONGEST = 35  # of a language tag (RFC 5646, 4.4.1)
FALLBACK = "en"
LANGUAGES = tuple(code for code, _ in settings.LANGUAGES)


def chosen(request: HttpRequest) -> str:
    """`en` or `es`."""
    accepted = parse_accept_lang_header(request.headers.get("Accept-Language", ""))
    for code in (request.GET.get("lang", ""), *(code for code, _ in accepted)):
        with suppress(LookupError):
            return get_supported_language_variant(code[:LONGEST])
    return FALLBACK
