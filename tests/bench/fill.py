"""Boards with many jobs, written at once: what is measured is what comes afterwards."""

from datetime import timedelta
from itertools import cycle

from django.utils import timezone

from dispatch import ranks
from dispatch.models import Board, Job, StatusChange

OPEN_STATUSES = ("requested", "scheduled", "ready_for_pickup", "en_route")
CHUNK = 1_000


def fill(board: Board, open_jobs: int, finished: int = 0) -> None:
    """Opens jobs with the rows that `flow.open_job` would write."""
    now, statuses = timezone.now(), cycle(OPEN_STATUSES)
    jobs = [
        Job(
            board=board, seq=number, mirrored_seq=number, rank=number * ranks.GAP, location=f"{number} Elm St", price=375,
            status="completed" if number <= finished else next(statuses), customer_name="Marisol Vega",
            crew=["Dee Walker", "Marco Silva"], load_eighths=4, updated_by="Bench", created_at=now, status_at=now,
            window_start=now, window_end=now + timedelta(hours=2),
        )
        for number in range(1, finished + open_jobs + 1)
    ]  # fmt: skip
    Job.objects.bulk_create(jobs, batch_size=CHUNK)
    StatusChange.objects.bulk_create(
        [StatusChange(job=job, to_status=job.status, at=now, by="Bench", channel="import", seq=job.seq) for job in jobs],
        batch_size=CHUNK,
    )
    Board.objects.filter(pk=board.pk).update(seq=len(jobs))
