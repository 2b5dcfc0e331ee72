"""A job that does not exist, to show and to try words with: an ordinary one, and one with the longest values that occur."""

from datetime import datetime, timedelta
from types import MappingProxyType

from dispatch.models import Board, Job

from . import values

FACTS = MappingProxyType({
    "customer_name": "Mia Chen",
    "location": "1428 Elm Street, Denver",
    "service": "junk_removal",
    "crew": ["Dee Park", "Al Ray"],
    "reason": "The driveway is blocked.",
    "hours": 2,
})  # fmt: skip
LONGEST = MappingProxyType({
    "customer_name": "Maximiliano-Alexander Featherstonehaugh",
    "location": "12345 South Martin Luther King Junior Boulevard, Apartment 1204, Colorado Springs, CO 80903-1234",
    "service": "dumpster_delivery",
    "crew": ["Christopher Montgomery", "Alejandra Villanueva", "Bartholomew Fitzgerald"],
    "reason": "The container does not fit between the gate and the wall, and the neighbours were not at home.",
    "hours": 10,
})  # fmt: skip


def of(board: Board, language: str, channel: str, *, longest: bool = False) -> dict[str, str]:
    """Values as `values.of_job` gives them."""
    facts = dict(LONGEST if longest else FACTS)
    reason, hours = str(facts.pop("reason")), int(str(facts.pop("hours")))
    start = datetime(2026, 9, 30, 20, 30, tzinfo=board.zone) if longest else datetime(2026, 11, 26, 8, tzinfo=board.zone)
    job = Job(
        board=board,
        status="scheduled",
        token="A" * 32,
        window_start=start,
        window_end=start + timedelta(hours=hours),
        **facts,
    )
    return values.of_job(job, language, channel) | {"reason": reason}
