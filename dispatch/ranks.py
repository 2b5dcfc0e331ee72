"""Where a job stands in its column: a whole number, minted by the server between two neighbours.

Ranks lie 2^20 apart, so that about twenty jobs fit into the same gap; then the column is numbered anew. They stay below
2^53, the largest whole number that JavaScript holds exactly.
"""

from .models import Job, JobQuerySet
from .statuses import STATUS_FLOW

GAP = 2**20


class NoRoom(Exception):
    """The two neighbours have no whole number between them. Number the column anew and ask again."""


def mint(job: Job, status: str, *, before: str | None = None, after: str | None = None) -> int:
    """The rank that puts `job` into the column `status`, in front of the job `before` or behind the job `after` (uids).
    A neighbour that left the column counts as not named. With none, the job goes to the end, in a column of finished jobs
    to the top. Call it while holding the board's change number. Raises NoRoom."""
    neighbours = Job.objects.in_column(job.board_id, status).exclude(pk=job.pk)
    lower, upper = _gap(neighbours, status, before, after)
    if lower is not None and upper is not None:
        if upper - lower < 2:
            raise NoRoom
        return (lower + upper) // 2
    if upper is not None:
        return upper - GAP
    return (lower or 0) + GAP


def _gap(column: JobQuerySet, status: str, before: str | None, after: str | None) -> tuple[int | None, int | None]:
    ranks = column.values_list("rank", flat=True)  # in order, so that the index gives the first one at once
    lower = ranks.filter(uid=after).first() if after else None
    if lower is not None:
        return lower, ranks.filter(rank__gt=lower).order_by("rank").first()
    upper = ranks.filter(uid=before).first() if before else None
    if upper is not None:
        return ranks.filter(rank__lt=upper).order_by("-rank").first(), upper
    if STATUS_FLOW[status].is_open:
        return ranks.order_by("-rank").first(), None
    return None, ranks.order_by("rank").first()
