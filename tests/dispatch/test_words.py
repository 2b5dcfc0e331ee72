from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from dispatch.words import ago, moment_in_words, window_in_words

DENVER = ZoneInfo("America/Denver")


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        (at(2026, 11, 24, 15), at(2026, 11, 24, 17), "Tuesday, November 24, 8:00 AM – 10:00 AM MST"),
        (at(2026, 7, 4, 17, 30), at(2026, 7, 4, 19), "Saturday, July 4, 11:30 AM – 1:00 PM MDT"),
        (at(2026, 11, 25, 5), at(2026, 11, 25, 8), "Tuesday, November 24, 10:00 PM – Wednesday, November 25, 1:00 AM MST"),
        (at(2026, 11, 25, 7), at(2026, 11, 25, 19), "Wednesday, November 25, 12:00 AM – 12:00 PM MST"),
        (None, None, "We have not set a time yet"),
    ],
)
def test_a_window_names_weekday_date_hours_and_zone(start, end, words):
    assert window_in_words(start, end, DENVER) == words


def test_on_the_day_the_clocks_change_each_time_is_the_local_one():
    assert moment_in_words(at(2026, 11, 1, 7, 30), DENVER) == "Sun, Nov 1, 1:30 AM MDT"
    assert moment_in_words(at(2026, 11, 1, 8, 30), DENVER) == "Sun, Nov 1, 1:30 AM MST"


@pytest.mark.parametrize(
    ("passed", "words"),
    [
        (timedelta(0), "0 s ago"),
        (timedelta(seconds=-3), "0 s ago"),  # the clocks of two servers
        (timedelta(seconds=59), "59 s ago"),
        (timedelta(seconds=60), "1 min ago"),
        (timedelta(hours=2, minutes=59), "2 h ago"),
        (timedelta(days=3), "3 d ago"),
    ],
)
def test_how_long_ago_in_words(passed, words):
    assert ago(passed) == words
