from datetime import UTC, datetime, time

import pytest

from dispatch.messages import quiet
from dispatch.messages.kinds import KINDS
from dispatch.models import Board

EVENING, NOON_BREAK = (time(21), time(7)), (time(12), time(13, 30))


def board(hours) -> Board:
    return Board(timezone="America/Denver", quiet_from=hours[0], quiet_until=hours[1])


@pytest.mark.parametrize(
    ("hours", "moment", "over"),
    [
        (EVENING, "2026-05-04T20:59:59-06:00", None),
        (EVENING, "2026-05-04T21:00:00-06:00", "2026-05-05T07:00:00-06:00"),
        (EVENING, "2026-05-05T00:00:00-06:00", "2026-05-05T07:00:00-06:00"),
        (EVENING, "2026-05-05T06:59:59-06:00", "2026-05-05T07:00:00-06:00"),
        (EVENING, "2026-05-05T07:00:00-06:00", None),
        (NOON_BREAK, "2026-05-05T11:59:59-06:00", None),
        (NOON_BREAK, "2026-05-05T12:00:00-06:00", "2026-05-05T13:30:00-06:00"),
        (NOON_BREAK, "2026-05-05T13:30:00-06:00", None),
        ((time(8), time(8)), "2026-05-05T08:00:00-06:00", None),
        (EVENING, "2026-11-01T00:30:00-06:00", "2026-11-01T07:00:00-07:00"),  # the clocks went back meanwhile
        (EVENING, "2026-03-07T23:30:00-07:00", "2026-03-08T07:00:00-06:00"),  # and forward
    ],
)
def test_texts_wait_until_the_quiet_hours_are_over(hours, moment, over):
    asked = datetime.fromisoformat(moment).astimezone(UTC)

    assert quiet.over(board(hours), asked) == (datetime.fromisoformat(over) if over else asked)


@pytest.mark.parametrize(
    ("needed", "leaves"),
    [("06:00", "22:00"), ("07:00", "22:00"), ("07:01", "07:00"), (None, "07:00")],
)
def test_what_has_to_be_known_by_their_end_does_not_wait_for_it(needed, leaves):
    def at(clock: str) -> datetime:
        return datetime.fromisoformat(f"2026-05-0{4 if clock == '22:00' else 5}T{clock}:00-06:00").astimezone(UTC)

    by = needed and at(needed)
    assert quiet.until(KINDS["crew_changed"], "sms", board(EVENING), at("22:00"), needed=by) == at(leaves)
