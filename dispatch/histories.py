"""One history out of two of the same job, after a database was put back and went on from there. Writes nothing."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from .board import iso
from .models import Job, StatusChange
from .rules import AMENDABLE, EDITABLE, PastStep

PLACE = frozenset({"status", "status_at", "rank", "link_ends_at"})
COPIED = EDITABLE | AMENDABLE | PLACE | {"extra", "created_at", "updated_at", "updated_by"}


def as_rows(
    job: Job, steps: Sequence[PastStep], *, previous: str, by: int, rank: int | None = None
) -> list[StatusChange]:  # fmt: skip
    """Steps as rows of the job's history, not saved. Of a name longer than `by` the beginning is kept."""
    rows = []
    for step in steps:
        rows.append(
            StatusChange(
                job=job, from_status=previous, to_status=step.status, at=step.at, by=step.by[:by], channel=step.channel,
                reason=step.reason, seq=job.seq, from_rank=rank, extra=dict(step.extra),
            )
        )  # fmt: skip
        previous = step.status
    return rows


def later_columns(here: Job, copy: Job) -> dict[str, Any]:
    """What a copy knows better than the row: the place if it moved later, all else if it changed later."""
    later = copy.updated_at >= here.updated_at
    moved_later = later if iso(copy.status_at) == iso(here.status_at) else copy.status_at > here.status_at
    return {name: getattr(copy, name) for name in COPIED if (moved_later if name in PLACE else later)}


def united(job: Job, ours: Sequence[StatusChange], theirs: Sequence[StatusChange]) -> list[StatusChange]:
    """Our steps in their order, and between them, where they belong in time, those that only the others have. They are
    new rows of the job, not saved. Two equal steps of one history stay two."""
    both, known = list(ours), Counter(map(_same, ours))
    for step in theirs:
        if known[_same(step)]:
            known[_same(step)] -= 1
        else:
            both.insert(max((place for place, other in enumerate(both, 1) if other.at <= step.at), default=0), step)
    previous = ""
    for step in both:
        step.pk, step.job, step.from_status, previous = None, job, previous, step.to_status
    return both


def _same(step: StatusChange) -> tuple[str | None, str, str]:
    return iso(step.at), step.to_status, step.by
