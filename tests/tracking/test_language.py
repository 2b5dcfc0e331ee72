"""The two languages: which one is chosen, and that nothing stays untranslated."""

import ast
import re
from pathlib import Path

import polib
import pytest
from django.test import RequestFactory
from django.utils.translation import gettext, override

from dispatch import asks
from dispatch.models import Job
from dispatch.statuses import STATUS_FLOW
from tests.factories import make_job
from tracking import words
from tracking.language import chosen

ROOT = Path(__file__).parents[2]
CATALOGUE = ROOT / "locale" / "es" / "LC_MESSAGES" / "django.po"
MARKS = {"_", "gettext", "gettext_lazy", "gettext_noop"}


@pytest.mark.parametrize(
    ("query", "header", "language"),
    [
        ({}, "", "en"),
        ({}, "es", "es"),
        ({}, "es-MX,es;q=0.9,en;q=0.8", "es"),
        ({}, "en-US,en;q=0.9,es;q=0.8", "en"),
        ({}, "fr,es;q=0.5", "es"),
        ({}, "fr", "en"),
        ({}, "*", "en"),
        ({"lang": "es"}, "en", "es"),
        ({"lang": "en"}, "es", "en"),
        ({"lang": "es-419"}, "", "es"),
        ({"lang": "xx"}, "es", "es"),
        ({"lang": "../../etc"}, "", "en"),
        ({"lang": "e" * 5000}, "", "en"),
        ({"lang": "\0"}, "", "en"),
    ],
)
def test_the_language_is_the_chosen_one_then_the_browsers(query, header, language):
    assert chosen(RequestFactory().get("/", query, headers={"accept-language": header})) == language


def test_no_cookie_chooses_the_language():
    request = RequestFactory().get("/")
    request.COOKIES["django_language"] = "es"

    assert chosen(request) == "en"


def texts_of_templates():
    for path in (ROOT / "templates" / "tracking").rglob("*.*"):
        text = path.read_text()
        yield from re.findall(r"""\{%\s*(?:trans|translate)\s+"([^"]+)\"""", text)
        for block in re.findall(r"\{%\s*blocktrans(?:late)?\b[^%]*%\}(.*?)\{%\s*endblocktrans", text, re.S):
            yield re.sub(r"\{\{\s*(\w+)\s*\}\}", r"%(\1)s", " ".join(block.split()))


def texts_of_modules():
    for path in (ROOT / "tracking").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(func=ast.Name(id=name), args=[ast.Constant(value=str(text)), *_]) if name in MARKS:
                    yield text


def test_every_text_has_its_spanish():
    spanish = {entry.msgid: entry.msgstr for entry in polib.pofile(str(CATALOGUE)) if not entry.obsolete}
    spanish |= {
        entry.msgid: all(entry.msgstr_plural.values()) for entry in polib.pofile(str(CATALOGUE)) if entry.msgid_plural
    }

    assert sorted({text for text in [*texts_of_templates(), *texts_of_modules()] if not spanish.get(text)}) == []


def test_the_compiled_catalogue_is_that_of_the_text():
    compiled = polib.mofile(str(CATALOGUE.with_suffix(".mo")))
    written = polib.pofile(str(CATALOGUE))

    def content(catalogue):
        return {
            entry.msgid: (entry.msgstr, entry.msgstr_plural) for entry in catalogue if entry.msgstr or entry.msgstr_plural
        }

    assert content(compiled) == content(written)
    assert [entry.msgid for entry in written if "fuzzy" in entry.flags] == []


def test_the_names_in_braces_are_the_same_in_both_languages():
    different = [
        entry.msgid
        for entry in polib.pofile(str(CATALOGUE))
        if not entry.msgid_plural
        and sorted(re.findall(r"\{\w+\}|%\(\w+\)s", entry.msgid)) != sorted(re.findall(r"\{\w+\}|%\(\w+\)s", entry.msgstr))
    ]

    assert different == []


def test_every_label_of_the_public_json_has_words():
    labels = {status.customer_label for status in STATUS_FLOW.values()} | set(Job.Service.labels)

    assert labels == set(words.LABELS)
    with override("es"):
        assert [label for label in labels if gettext(label) == label] == []


def test_every_status_ask_and_refusal_has_words():
    raised = set(re.findall(r'Refused\(\s*"(\w+)"', Path(asks.__file__).read_text()))
    raised |= set(re.findall(r'Refused\(\s*"(\w+)"', (ROOT / "tracking" / "asking.py").read_text()))

    theirs = {kind for kind, ask in asks.ASKS.items() if not ask.by_crew}
    assert (set(words.HEADLINES), set(words.ASKS)) == (set(STATUS_FLOW), theirs)
    assert raised - set(words.ERRORS) == set()
    assert f"at most {asks.LONGEST} characters" in words.ERRORS["too_long"]


@pytest.mark.parametrize(
    ("path", "english", "spanish"),
    [
        ("/track/{0}", "The crew is on the way", "El equipo va en camino"),
        ("/track/{0}?ask=note", "A note for the crew", "Una nota para el equipo"),
        ("/track/unknown-token", "Job not found", "No encontramos el servicio"),
    ],
)
def test_a_page_says_its_language(client, board, path, english, spanish):
    path = path.format(make_job(board, status="en_route").token)
    pages = [client.get(path), client.get(path, headers={"accept-language": "es"})]

    assert [page["Content-Language"] for page in pages] == ["en", "es"]
    assert [re.search(r'<html lang="(\w+)"', page.text).group(1) for page in pages] == ["en", "es"]
    assert [page["Vary"] for page in pages] == ["Accept-Language"] * 2
    assert (english in pages[0].text, spanish in pages[1].text) == (True, True)


def test_a_link_leads_to_the_other_language_and_keeps_the_rest(client, board):
    token = make_job(board).token

    assert 'href="?lang=es" lang="es" hreflang="es">Español</a>' in client.get(f"/track/{token}").text
    spanish = client.get(f"/track/{token}?ask=note&lang=es").text
    assert 'href="?ask=note&amp;lang=en" lang="en" hreflang="en">English</a>' in spanish
    assert ('action="?ask=note&amp;lang=es"' in spanish, 'href="?lang=es" data-back' in spanish) == (True, True)


def test_the_page_carries_the_words_of_its_own_language_only(client, board):
    text = client.get(f"/track/{make_job(board).token}?lang=es").text

    assert ("No encontramos el servicio" in text, "Job not found" in text) == (True, False)
