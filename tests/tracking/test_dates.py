from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from django.utils.translation import override

from tracking.dates import in_two, moment_in_words, time_in_words, window_in_words

DENVER = ZoneInfo("America/Denver")
START = datetime(2026, 11, 26, 15, 0, tzinfo=UTC)


def test_a_window_in_both_languages():
    end = START.replace(hour=17)
    with override("en"):
        assert window_in_words(START, end, DENVER) == "Thursday, November 26, 8:00 AM – 10:00 AM MST"
    with override("es"):
        assert window_in_words(START, end, DENVER) == "jueves 26 de noviembre, 8:00 a. m. – 10:00 a. m. MST"


def test_a_window_over_midnight_names_both_days():
    start, end = START.replace(hour=22, month=7), START.replace(day=27, hour=7, month=7)
    with override("es"):
        assert window_in_words(start, end, DENVER) == (
            "domingo 26 de julio, 4:00 p. m. – lunes 27 de julio, 1:00 a. m. MDT"
        )


@pytest.mark.parametrize(("start", "end"), [(None, None), (START, None), (None, START)])
def test_no_window_has_no_words(start, end):
    assert window_in_words(start, end, DENVER) == ""


@pytest.mark.parametrize(
    ("language", "moment", "time"),
    [("en", "Thu, Nov 26, 12:05 PM MST", "12:05 PM MST"), ("es", "jue 26 nov, 12:05 p. m. MST", "12:05 p. m. MST")],
)
def test_a_moment_in_both_languages(language, moment, time):
    noon = START.replace(hour=19, minute=5)
    with override(language):
        assert (moment_in_words(noon, DENVER), time_in_words(noon, DENVER)) == (moment, time)


def test_midnight_is_twelve_in_the_morning():
    with override("es"):
        assert time_in_words(START.replace(hour=7), DENVER) == "12:00 a. m. MST"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Thursday, November 26, 8:00 AM – 10:00 AM MST", ("Thursday, November 26, ", "8:00 AM – 10:00 AM MST")),
        ("We have not set a time yet", ("We have not set a time yet", "")),
        ("", ("", "")),
    ],
)
def test_a_line_breaks_before_the_hours(text, parts):
    assert in_two(text) == parts
