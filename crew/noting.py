"""What every change of the plan leaves behind: its number, its step in the history, the crew's names in the jobs, a hint
to every process. Called by crew.plan inside its transactions.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone

from dispatch import flow, hints
from dispatch.models import Job

from .models import CrewChange, Event, Member, Roster


def group(slug: str) -> str:
    """Where hints about a board's crews go."""
    return f"crew.{slug}"


def note(
    event: Event, what: str, *, by: str, member: Member | None = None, reason: str = "",
    facts: Mapping[str, Any] | None = None,
) -> Event:  # fmt: skip
    """Takes the next number, stamps it on the event, and writes the step down."""
    seq = Roster.objects.take_number(event.board)
    Event.objects.filter(pk=event.pk).update(seq=seq)
    event.seq = seq
    CrewChange.objects.create(
        board=event.board, seq=seq, event=event, member=member, what=what, at=timezone.now(), by=by[:150],
        reason=reason, facts=facts or {},
    )  # fmt: skip
    transaction.on_commit(partial(hints.send, group(event.board.slug), {"type": "hint", "seq": seq}), robust=True)
    return event


def name_crews(event: Event, by: str) -> None:
    """The jobs of an event carry the names of who is on it, captains first. Those that are done keep who did them."""
    names = [one.member.name for one in event.assignments.present().select_related("member")]
    for outing in event.outings.select_related("job__board"):
        name_crew(outing.job, names, by)


def name_crew(job: Job, names: list[str], by: str) -> None:
    flow.amend(job, partial(_named, names), by=by)


def _named(names: list[str], job: Job, seq: int) -> dict[str, Any]:
    return {} if job.status == "completed" or job.crew == names else {"crew": names}
