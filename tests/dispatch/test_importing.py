import io
import json

import pytest

from dispatch import importing
from dispatch.importing import Report, one_line
from dispatch.jobs_stream import BadFile
from dispatch.models import Board, Job, StatusChange
from tests.factories import make_job


def record(uid: str, **changes) -> dict:
    return {
        "id": uid,
        "token": f"token-of-{uid}",
        "status": "requested",
        "location": "1428 Elm St",
        "price": 600,
        "createdAt": "2025-09-14T15:00:00Z",
        "statusHistory": [],
    } | changes


def file_of(*found: dict) -> io.BytesIO:
    return io.BytesIO(json.dumps({"jobs": list(found)}).encode())


class Watch:
    """Remembers what a caller was shown, batch by batch."""

    def __init__(self) -> None:
        self.seen: list[int] = []
        self.problems: list[str] = []

    def __call__(self, report: Report) -> None:
        self.seen.append(report.seen)
        self.problems += report.problems
        report.problems.clear()


def check(board: Board, *found: dict) -> tuple[Report, list[str]]:
    watch = Watch()
    return importing.check(file_of(*found), board, watch), watch.problems


def load(board: Board, *found: dict) -> tuple[Report, list[str]]:
    watch = Watch()
    return importing.load(file_of(*found), board, watch, by="import"), watch.problems


def test_a_check_counts_and_writes_nothing(board):
    report, problems = check(board, record("1"), record("2", price="a lot"))

    assert (report, problems) == (
        Report(seen=2, new=1, already_here=0, bad=1),
        ['#2 (2): price: expected an amount such as 600 or 149.50, got "a lot"'],
    )
    assert Job.objects.count() == 0
    assert Board.objects.get().seq == 0


def test_a_load_opens_the_jobs_that_are_new_and_fit(board):
    report, _ = load(board, record("1"), record("2", price="a lot"), record("3"))

    assert report == Report(seen=3, new=2, already_here=0, bad=1)
    assert list(Job.objects.order_by("seq").values_list("uid", "token", "seq", "updated_by", "board__slug")) == [
        ("1", "token-of-1", 1, "import", "main"),
        ("3", "token-of-3", 2, "import", "main"),
    ]
    assert set(StatusChange.objects.values_list("channel", "by")) == {("import", "")}


def test_a_second_load_changes_nothing(board):
    load(board, record("1"), record("2"))
    before = (list(Job.objects.values()), list(StatusChange.objects.values()), Board.objects.get().seq)

    report, problems = load(board, record("1", location="moved"), record("2"))

    assert (report, problems) == (Report(seen=2, new=0, already_here=2, bad=0), [])
    assert (list(Job.objects.values()), list(StatusChange.objects.values()), Board.objects.get().seq) == before


def test_a_load_that_was_interrupted_is_finished_by_the_next(board, monkeypatch):
    monkeypatch.setattr(importing, "BATCH", 2)
    whole = file_of(*[record(str(number)) for number in range(5)]).getvalue()

    with pytest.raises(BadFile):
        importing.load(io.BytesIO(whole[:-400]), board, Watch(), by="import")
    interrupted = Job.objects.count()
    report = importing.load(io.BytesIO(whole), board, Watch(), by="import")

    assert interrupted == 2
    assert report == Report(seen=5, new=3, already_here=2, bad=0)
    assert sorted(Job.objects.values_list("uid", flat=True)) == ["0", "1", "2", "3", "4"]


def test_a_batch_is_imported_whole_or_not_at_all(board, monkeypatch):
    open_job = importing.flow.open_job

    def fail_on_the_second(*args, uid, **kwargs):
        if uid == "2":
            raise ZeroDivisionError
        return open_job(*args, uid=uid, **kwargs)

    monkeypatch.setattr(importing.flow, "open_job", fail_on_the_second)

    with pytest.raises(ZeroDivisionError):
        load(board, record("1"), record("2"))

    assert Job.objects.count() == 0
    assert Board.objects.get().seq == 0


def test_an_id_or_a_token_belongs_to_one_job_of_the_file(board):
    report, problems = load(
        board, record("1"), record("1", token="another-token"), record("2", token="token-of-1"), record("3")
    )

    assert report == Report(seen=4, new=2, already_here=0, bad=2)
    assert problems == ["#2 (1): id: stands in this file twice", "#3 (2): token: belongs to another job"]


def test_twice_in_a_file_is_noticed_across_batches(board, monkeypatch):
    monkeypatch.setattr(importing, "BATCH", 1)

    _, problems = load(board, record("1"), record("2", token="token-of-1"), record("1", token="another-token"))

    assert problems == ["#2 (2): token: belongs to another job", "#3 (1): id: stands in this file twice"]


def test_the_token_of_a_job_that_is_here_is_not_given_again(board):
    make_job(board, uid="1", token="token-of-2")

    report, problems = load(board, record("2"))

    assert (report.bad, problems) == (1, ["#1 (2): token: belongs to another job"])


def test_a_job_on_another_board_is_already_here(board):
    make_job(Board.objects.create(slug="boulder", name="Boulder"), uid="1")

    report, _ = load(board, record("1"))

    assert report == Report(seen=1, new=0, already_here=1, bad=0)


def test_progress_is_reported_batch_by_batch_with_problems_in_the_order_of_the_file(board, monkeypatch):
    monkeypatch.setattr(importing, "BATCH", 2)
    watch = Watch()
    found = [record("1", price="x"), record("2"), record("2"), record("3", status="x"), record("4")]

    importing.check(file_of(*found), board, watch)

    assert watch.seen == [2, 4, 5]
    assert [problem.split(":")[0] for problem in watch.problems] == ["#1 (1)", "#3 (2)", "#4 (3)"]


def test_jobs_stand_on_the_board_in_the_order_of_the_file(board):
    load(board, *[record(uid) for uid in ("c", "a", "b")])

    column = Job.objects.in_column(board.pk, "requested").order_by("rank")
    assert list(column.values_list("uid", flat=True)) == ["c", "a", "b"]


def test_what_a_file_holds_neither_breaks_lines_nor_steers_the_terminal():
    assert one_line("a\nb\t c\x1b[31m\ud800") == "a b c�[31m�"
