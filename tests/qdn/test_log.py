import logging
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings

from qdn.log import MaskTokens

TOKEN = "Ab3-_xYz01Ab3-_xYz01"


@pytest.fixture
def log():
    """A logger that writes as ours do, and what it wrote."""
    written = StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(MaskTokens("{levelname} {name}: {message}", style="{"))
    logger = logging.Logger("test", logging.DEBUG)
    logger.addHandler(handler)
    return logger, written


@pytest.mark.parametrize(
    ("message", "masked"),
    [
        (f"Not Found: /track/{TOKEN}", "Not Found: /track/…"),
        (f"GET /track.html?token={TOKEN}&lang=en 200", "GET /track.html?token=…&lang=en 200"),
        (f"PUT public/track/{TOKEN}.json", "PUT public/track/….json"),
        (f"Not Found: /state/track/{TOKEN}.json", "Not Found: /state/track/….json"),
        (f"POST /api/v1/track/{TOKEN}/asks 422", "POST /api/v1/track/…/asks 422"),
        (f"GET /track/{TOKEN}?photo=abc&size=full 200", "GET /track/…?photo=abc&size=full 200"),
        (f'{{"id": "1", "token": "{TOKEN}", "seq": 4}}', '{"id": "1", "token": "…", "seq": 4}'),
        (f"{{'token': '{TOKEN}'}}", "{'token': '…'}"),
        ("Not Found: /track/", "Not Found: /track/"),
        ("GET /track.html 200", "GET /track.html 200"),
        ("job 01ARZ3NDEKTSV4RRFFQ69G5FAV moved", "job 01ARZ3NDEKTSV4RRFFQ69G5FAV moved"),
    ],
)
def test_tokens_are_masked(log, message, masked):
    logger, written = log
    logger.warning(message)

    assert written.getvalue() == f"WARNING test: {masked}\n"


def test_tokens_in_arguments_are_masked(log):
    logger, written = log
    logger.warning("%s: /track/%s", "Gone", TOKEN)

    assert written.getvalue() == "WARNING test: Gone: /track/…\n"


def test_tokens_in_a_traceback_are_masked(log):
    logger, written = log
    try:
        Path(f"/nowhere/public/track/{TOKEN}.json").read_text()
    except OSError:
        logger.exception("cannot read")

    assert "No such file or directory: '/nowhere/public/track/….json'" in written.getvalue()
    assert TOKEN not in written.getvalue()


def test_every_handler_of_ours_masks():
    masking = {name for name, one in settings.LOGGING["formatters"].items() if one["class"] == "qdn.log.MaskTokens"}

    assert [
        handler["formatter"] for handler in settings.LOGGING["handlers"].values() if handler["formatter"] not in masking
    ] == []
