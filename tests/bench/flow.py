"""A move costs the same on a board with many jobs as on one with few."""

from collections.abc import Callable, Iterator

from dispatch import flow
from dispatch.models import Board, Job
from tests.bench.fill import fill
from tests.bench.row import Row, median_ms_in_turn

FEW, MANY, FINISHED, MOVES = 10, 1_000, 50_000, 200


def board_with(open_jobs: int, finished: int) -> Board:
    board = Board.objects.create(slug=f"jobs-{open_jobs}", name=f"{open_jobs} jobs")
    fill(board, open_jobs, finished)
    return board


def move_first_job(board: Board) -> Callable[[int], None]:
    """A function that moves a job of the board there and back again."""
    uid = board.jobs.filter(status="requested").values_list("uid", flat=True)[0]

    def move(number: int) -> None:
        job = Job.objects.select_related("board").get(uid=uid)
        to = "scheduled" if job.status == "requested" else "requested"
        flow.move(job, to, expect=job.seq, by="Bench", channel="board")

    return move


def measure() -> Iterator[Row]:
    boards = [board_with(FEW, 0), board_with(MANY, FINISHED)]
    few, many = median_ms_in_turn([move_first_job(board) for board in boards], MOVES)
    yield Row(f"a move, {FEW} jobs on the board", f"{few:.2f} ms")
    yield Row(f"a move, {MANY + FINISHED:,} jobs on the board", f"{many:.2f} ms")
    yield Row(f"  {MANY + FINISHED:,} jobs : {FEW} jobs", f"{many / few:.2f} ×", "≤ 1.5 ×", many / few <= 1.5)
