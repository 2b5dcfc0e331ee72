"""What the office reads of a phone's clock."""

from datetime import timedelta

import pytest
from django.utils import timezone

from crew.models import Shift
from crew.shift_admin import off_in_words
from tests.crew.factories import make_member


@pytest.mark.parametrize(
    ("skew", "words"),
    [
        (timedelta(), ""),
        (timedelta(hours=-3), " (its clock was 3:00 h behind)"),
        (timedelta(hours=2, minutes=5, seconds=10), " (its clock was 2:05 h ahead)"),
        (timedelta(days=-2, minutes=-1), " (its clock was 48:01 h behind)"),
    ],
)
def test_how_far_a_clock_was_off_is_said_in_hours(skew, words):
    assert off_in_words(skew) == words


def test_it_stands_beside_the_two_clocks(admin_client, board):
    now, off = timezone.now(), timedelta(hours=-3)
    Shift.objects.create(member=make_member(board), started_at=now, started_device_at=now + off, started_skew=off)

    page = admin_client.get("/admin/crew/shift/").content.decode()

    assert "(its clock was 3:00 h behind), it reached us" in page
    assert page.count("by our clock") == 1
