"""Which messages there are, as data. It imports no Django."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

UNDO_SECONDS = 8
"""What a move announces waits so long, for its Undo."""


@dataclass(frozen=True, slots=True)
class Kind:
    slug: str
    label: str
    of_status: str  # the status whose beginning it announces; "" when it is not about one
    shelf: timedelta  # later than this after its time it would only confuse
    also_mail: bool = False  # worth keeping: by e-mail, too, though a text is sent
    audience: str = "job"  # whom it is for: a name in audiences.AUDIENCES
    on_demand: bool = False  # its reader has just asked for it and waits; its link is secret, and made when it is sent


_TABLE = (
    Kind("booked", "Booked", "", timedelta(hours=24), also_mail=True),
    Kind("scheduled", "Scheduled", "scheduled", timedelta(hours=24), also_mail=True),
    Kind("ready", "Ready", "ready_for_pickup", timedelta(hours=12)),
    Kind("on_the_way", "On the way", "en_route", timedelta(hours=2)),
    Kind("done", "Done", "completed", timedelta(hours=48), also_mail=True),
    Kind("cancelled", "Cancelled", "cancelled", timedelta(hours=48), also_mail=True),
    Kind("reminder", "Day before", "", timedelta(hours=12)),
    Kind("link", "Tracking link", "", timedelta(hours=24)),
    Kind("crew_assigned", "Crew: assigned", "", timedelta(hours=24), audience="crew"),
    Kind("crew_claimed", "Crew: claimed", "", timedelta(hours=24), audience="crew"),
    Kind("crew_changed", "Crew: changed", "", timedelta(hours=24), audience="crew"),
    Kind("crew_cancelled", "Crew: cancelled", "", timedelta(hours=24), audience="crew"),
    Kind("crew_released", "Crew: released", "", timedelta(hours=24), audience="crew"),
    Kind("crew_stays", "Crew: stays on", "", timedelta(hours=24), audience="crew"),
    Kind("crew_plan", "Crew: evening before", "", timedelta(hours=18), audience="crew"),
    Kind("crew_sign_in", "Crew: sign-in link", "", timedelta(minutes=15), audience="crew", on_demand=True),
)

KINDS: Mapping[str, Kind] = MappingProxyType({kind.slug: kind for kind in _TABLE})
"""Every kind by its slug."""

OF_JOBS: Mapping[str, Kind] = MappingProxyType({kind.slug: kind for kind in _TABLE if kind.audience == "job"})
"""What customers are told about their job."""

ON_DEMAND = tuple(kind.slug for kind in _TABLE if kind.on_demand)

OF_STATUS: Mapping[str, Kind] = MappingProxyType({kind.of_status: kind for kind in _TABLE if kind.of_status})
"""What reaching a status tells the customer. Other moves are silent."""
