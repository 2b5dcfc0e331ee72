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


_TABLE = (
    Kind("booked", "Booked", "", timedelta(hours=24), also_mail=True),
    Kind("scheduled", "Scheduled", "scheduled", timedelta(hours=24), also_mail=True),
    Kind("ready", "Ready", "ready_for_pickup", timedelta(hours=12)),
    Kind("on_the_way", "On the way", "en_route", timedelta(hours=2)),
    Kind("done", "Done", "completed", timedelta(hours=48), also_mail=True),
    Kind("cancelled", "Cancelled", "cancelled", timedelta(hours=48), also_mail=True),
    Kind("reminder", "Day before", "", timedelta(hours=12)),
    Kind("link", "Tracking link", "", timedelta(hours=24)),
)

KINDS: Mapping[str, Kind] = MappingProxyType({kind.slug: kind for kind in _TABLE})
"""Every kind by its slug."""

OF_STATUS: Mapping[str, Kind] = MappingProxyType({kind.of_status: kind for kind in _TABLE if kind.of_status})
"""What reaching a status tells the customer. Other moves are silent."""
