"""The status flow as data: which statuses exist, what they are called, and which may follow which.

Everything that names, colours or offers a status reads this table: `flow.move`, the board and its script, the API, the
admin, the customer's page and the docs. It imports no Django.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Status:
    slug: str
    label: str  # the board column
    color: str  # a name of the palette in tokens.css; never the only sign, there is always an icon and a label
    icon: str  # a symbol of dispatch/icons.svg
    customer_label: str  # what the customer reads
    may_go_to: tuple[str, ...]
    is_open: bool = True  # an open job is still to be done
    needs_reason: bool = False  # moving here must say why


_TABLE = (
    Status(
        "requested", "Requested", "grey", "inbox", "Booked",
        ("scheduled", "ready_for_pickup", "cancelled"),
    ),
    Status(
        "scheduled", "Scheduled", "violet", "calendar", "Booked",
        ("ready_for_pickup", "en_route", "requested", "cancelled"),
    ),
    Status(
        "ready_for_pickup", "Ready for pickup", "green", "box", "Ready",
        ("en_route", "in_progress", "scheduled", "cancelled"),
    ),
    Status(
        "en_route", "On the way", "teal", "truck", "On the way",
        ("in_progress", "ready_for_pickup", "cancelled"),
    ),
    Status(
        "in_progress", "In progress", "yellow", "loading", "Loading",
        ("completed", "en_route", "ready_for_pickup"),
    ),
    Status(
        "completed", "Completed", "blue", "check", "Done",
        ("in_progress",), is_open=False,
    ),
    Status(
        "cancelled", "Cancelled", "red", "cross", "Cancelled",
        ("requested", "scheduled"), is_open=False, needs_reason=True,
    ),
)  # fmt: skip

STATUS_FLOW: Mapping[str, Status] = MappingProxyType({status.slug: status for status in _TABLE})
"""Every status by its slug, in column order."""

SAME_DAY_ONLY = frozenset({("completed", "in_progress")})
"""Moves that take a mistake back, allowed only on the board's day on which the job entered the first status."""


def status_label(slug: str) -> str:
    return STATUS_FLOW[slug].label


def status_color(slug: str) -> str:
    return STATUS_FLOW[slug].color


def next_status(slug: str) -> str | None:
    """The usual next step: the first allowed status further along the flow, or None when the job is over."""
    order = [status.slug for status in _TABLE if status.slug != "cancelled"]
    if slug not in order:
        return None
    later = order[order.index(slug) + 1 :]
    return next((target for target in STATUS_FLOW[slug].may_go_to if target in later), None)


def next_status_label(slug: str) -> str:
    """What a button for the usual next step says; empty when there is none."""
    following = next_status(slug)
    return STATUS_FLOW[following].label if following else ""
