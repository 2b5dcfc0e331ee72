"""The customer's pages as files for a CDN: the same templates without a job. The script finds the job by the address."""

from typing import Any

from django.template.loader import render_to_string
from django.utils.translation import override

from . import booking_views, page, words
from .language import FALLBACK, LANGUAGES


def pages() -> dict[str, bytes]:
    """Every page by its name. They hold the words of all languages: in the tracking page its script chooses, the page for
    addresses that lead nowhere has no script and says everything in each."""
    everyone = [words.of(code) for code in LANGUAGES]
    others = [code for code in LANGUAGES if code != FALLBACK]
    also = [{"lang": code, "texts": words.of(code)} for code in others]
    with override(FALLBACK):
        nobody = page.of_nobody()
        return {
            "track.html": _render("track", nobody | {"words": words.as_json(*LANGUAGES), "everyone": everyone}),
            "book.html": _render("book", booking_views.shell(others)),
            "404.html": _render("not_found", nobody | {"also": also}),
        }


def _render(name: str, context: dict[str, Any]) -> bytes:
    return render_to_string(f"tracking/{name}.html", context).encode()
