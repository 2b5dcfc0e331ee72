"""What people of the crews are told, by e-mail or text, through the ledger of messages. Called inside the transaction of
the change that it tells of.
"""

from .models import Assignment, Event


def one(assignment: Assignment, kind: str, *, by: str, reason: str = "") -> None:
    """Tells the member of one assignment."""


def all_of(event: Event, kind: str, *, by: str, reason: str = "") -> None:
    """Tells everybody who has a place in an event."""
    for assignment in event.assignments.present().select_related("member"):
        one(assignment, kind, by=by, reason=reason)
