"""What members have had on their phones. No change of the plan: it takes no number and leaves nothing in the history."""

from collections.abc import Mapping

from django.utils import timezone

from .models import Assignment, Member


def seen(member: Member, events: Mapping[str, int]) -> None:
    """Notes which changes of their events (uid: seq) a member has had on their phone."""
    for uid, seq in events.items():
        Assignment.objects.present().filter(
            member=member, event__uid=uid, event__seq__gte=seq, seen_seq__lt=seq
        ).update(seen_seq=seq, seen_at=timezone.now())  # fmt: skip
