"""The pages as files for a CDN."""

import html
import json
import re

import pytest
from django.utils.translation import override

from tracking import shell, words


@pytest.fixture
def pages(board):
    return {name: content.decode() for name, content in shell.pages().items()}


def test_they_hold_nothing_that_the_policy_forbids(pages):
    for text in pages.values():
        assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|application/json", text) == []


def test_the_tracking_page_holds_the_words_of_both_languages(pages):
    tables = json.loads(html.unescape(re.search(r'data-words="([^"]*)"', pages["track.html"]).group(1)))

    assert list(tables) == ["en", "es"]
    assert {code: table["lang"] for code, table in tables.items()} == {"en": "en", "es": "es"}
    assert [tables[code]["headline"]["en_route"] for code in tables] == ["The crew is on the way", "El equipo va en camino"]
    assert [tables[code]["name"] for code in tables] == ["English", "Español"]


def test_every_word_that_stands_in_the_page_is_in_the_tables(pages):
    marked = set(re.findall(r'data-word="(\w+)"', pages["track.html"]))

    assert marked - set(words.PAGE) == set()
    assert set(re.findall(r'data-ask-word="(\w+)"', pages["track.html"])) == {"title", "text", "send"}


def test_without_a_script_it_says_so_and_names_the_phone(pages):
    noscript = re.search(r"<noscript>(.*?)</noscript>", pages["track.html"], re.S).group(1)

    assert re.findall(r'lang="(\w+)">([^.]+)\.', noscript) == [
        ("en", "This page needs JavaScript here"),
        ("es", "Esta página necesita JavaScript"),
    ]
    assert 'href="tel:+13035550100"' in pages["track.html"].split("</header>")[0]


def test_it_shows_no_job_and_names_no_other_origin_of_its_own_accord(pages):
    assert ("data-shell" in pages["track.html"], 'data-api=""' in pages["track.html"]) == (True, True)
    assert 'id="about" hidden' in pages["track.html"]


def test_it_knows_where_the_api_is(board, settings):
    settings.API_ORIGIN = "https://api.quickdumpnow.example"

    assert 'data-api="https://api.quickdumpnow.example"' in shell.pages()["track.html"].decode()


def test_the_page_for_nowhere_speaks_both_languages_without_a_script(pages):
    text = pages["404.html"]

    assert ("Job not found" in text, "No encontramos el servicio" in text, "<script" in text) == (True, True, False)
    assert ('<section lang="es">' in text, "tel:+13035550100" in text) == (True, True)


def test_they_are_the_same_every_time_and_whatever_language_is_active(board):
    with override("es"):
        spanish = shell.pages()
    assert spanish == shell.pages()


def test_a_page_is_light(pages):
    assert len(pages["track.html"].encode()) < 30_000
