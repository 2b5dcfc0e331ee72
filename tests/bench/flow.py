"""A move costs the same on a board with many jobs as on one with few."""

from collections.abc import Callable, Iterator

from django.db import transaction

from dispatch import flow
from dispatch.models import Board, Job
from tests.bench.row import Row, median_ms_in_turn

FEW, MANY, MOVES = 10, 5_000, 200


def fill(slug: str, count: int) -> Board:
    board = Board.objects.create(slug=slug, name=slug)
    with transaction.atomic():
        for number in range(count):
            flow.open_job(board, by="Bench", channel="import", hint=False, location=f"{number} Elm St")
    return board


def move_first_job(board: Board) -> Callable[[int], None]:
    """A function that moves the board's first job there and back again."""
    uid = board.jobs.order_by("seq").values_list("uid", flat=True)[0]

    def move(number: int) -> None:
        job = Job.objects.select_related("board").get(uid=uid)
        to = "scheduled" if job.status == "requested" else "requested"
        flow.move(job, to, expect=job.seq, by="Bench", channel="board")

    return move


def measure() -> Iterator[Row]:
    few, many = median_ms_in_turn([move_first_job(fill(f"jobs-{count}", count)) for count in (FEW, MANY)], MOVES)
    yield Row(f"a move, {FEW} jobs on the board", f"{few:.2f} ms")
    yield Row(f"a move, {MANY:,} jobs on the board", f"{many:.2f} ms")
    yield Row(f"  {MANY:,} jobs : {FEW} jobs", f"{many / few:.2f} ×", "≤ 1.5 ×", many / few <= 1.5)
