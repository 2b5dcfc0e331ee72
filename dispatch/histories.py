"""One history out of two of the same job, after a database was put back and went on from there. Writes nothing."""

from collections import Counter
from collections.abc import Sequence

from .board import iso
from .models import Job, StatusChange


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
