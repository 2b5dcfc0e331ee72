import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import connection, connections

from dispatch import flow
from dispatch.mirror import restoring
from dispatch.mirror.boards import keep_boards
from dispatch.mirror.document import job_document, job_object
from dispatch.mirror.repository import Put
from dispatch.mirror.restoring import NotEmpty, NothingThere
from dispatch.mirror.storages import CompareAndSwapInMemoryStorage
from dispatch.models import Board, Job, OptOut, StatusChange
from tests.factories import make_job

MORNING = datetime(2026, 5, 4, 15, 0, tzinfo=UTC)


class Storage(CompareAndSwapInMemoryStorage):
    """`before_reading` is called with each name that is read."""

    before_reading = staticmethod(lambda name: None)

    def read(self, name):
        self.before_reading(name)
        return super().read(name)


@pytest.fixture
def storage():
    return Storage()


@pytest.fixture
def said():
    """What was said of the progress."""
    return []


@pytest.fixture
def restore(repository, said):
    return lambda: restoring.restore(repository, lambda *what: said.append(what))


@pytest.fixture
def denver(board):
    return board


@pytest.fixture
def austin(db):
    return Board.objects.create(slug="austin", name="QDN Austin", timezone="America/Chicago", phone="+15125550100")


def mirror(repository):
    """Copies everything, as the worker does."""
    keep_boards(repository)
    for job in Job.objects.all():
        repository.put(*job_object(job))


def lose_the_database():
    """As after `migrate` on a new machine: the main board and nothing else."""
    StatusChange.objects.all().delete()
    Job.objects.all().delete()
    Board.objects.all().delete()
    return Board.objects.create(slug="main", name="Main")


def put(storage, name, content):
    content = content if isinstance(content, bytes) else json.dumps(content).encode()
    storage.write(name, content, if_match=storage.etag(name))


def change_copy(storage, path, **changes):
    put(storage, path, json.loads(storage.read(path)[0]) | changes)


def documents():
    """Of all jobs, without the epoch, which a restore gives anew."""
    return {job.uid: job_document(job) | {"epoch": None} for job in Job.objects.all()}


def copied_board(**facts):
    """A board's object."""
    return {"slug": "main", "name": "Denver", "timezone": "America/Denver", "phone": "", "seq": 7, "epoch": "e1"} | facts


def test_who_wants_no_messages_is_known_again(repository, restore, denver):
    OptOut.objects.create(channel="sms", address="+13035550123", reason="stop")
    make_job(denver, customer_phone="+13035550123", customer_email="Kim@example.com")
    mirror(repository)
    OptOut.objects.all().delete()
    lose_the_database()

    restore()

    assert list(OptOut.objects.values_list("channel", "address")) == [("sms", "+13035550123")]


def test_all_jobs_come_back_with_all_that_they_had(repository, restore, denver, austin):
    job = make_job(
        denver, location="  77 Larimer St ", service="dumpster_pickup", price=Decimal("149.50"), crew=["Dee"],
        notes="Łódź 東京", window_start=MORNING, window_end=MORNING.replace(hour=18), customer_name="Kim",
        customer_phone="+13035550123", customer_email="kim@example.com", load_eighths=3, access_notes="Gate",
        extra={"truck": {"n": [7, None]}},
    )  # fmt: skip
    job = flow.move(job, "scheduled", expect=job.seq, by="Ana", channel="board")
    flow.move(job, "cancelled", expect=job.seq, by="Dee", channel="crew", reason="Nobody home")
    make_job(austin, past=[flow.PastStep("completed", MORNING, "Dee", "import", "", {"channel": "kiosk"})])
    mirror(repository)
    before = documents()
    lose_the_database()

    done = restore()

    assert (documents(), done.jobs, done.problems, done.notes) == (before, 2, [], [])


def test_boards_come_back_with_their_facts(repository, restore, denver, austin):
    make_job(austin)
    mirror(repository)
    lose_the_database()

    restore()

    assert list(Board.objects.order_by("slug").values_list("slug", "name", "timezone", "phone")) == [
        ("austin", "QDN Austin", "America/Chicago", "+15125550100"),
        ("main", "QuickDumpNow Denver", "America/Denver", "+13035550100"),
    ]


def test_a_board_without_a_copy_is_made_from_what_its_jobs_say(storage, repository, restore, austin):
    job = make_job(austin)
    mirror(repository)
    storage.delete("boards/austin.json")
    lose_the_database()

    done = restore()

    board = Board.objects.get(slug="austin")
    assert (board.name, board.timezone, list(board.jobs.values_list("uid", flat=True))) == ("austin", "UTC", [job.uid])
    assert done.boards == [("main", 0, 1), ("austin", 1, board.seq)]


def test_a_new_epoch_begins_and_the_board_knows_every_epoch_before(storage, repository, restore, denver):
    job, other = make_job(denver), make_job(denver)
    mirror(repository)
    change_copy(storage, "boards/main.json", epoch="e3", epochs=["e1", "e2"])
    change_copy(storage, f"jobs/{job.uid}.json", epoch="e4")
    change_copy(storage, f"jobs/{other.uid}.json", epoch="e2")
    new = str(lose_the_database().epoch)

    restore()

    board = Board.objects.get()
    assert board.epochs == ["e1", "e2", "e3", "e4", new, str(board.epoch)]
    assert len(set(board.epochs)) == 6


@pytest.mark.parametrize(("of_board", "of_job", "next_number"), [(7, 500, 502), (700, 500, 702)])
def test_changes_get_numbers_above_all_that_were_seen(
    storage, repository, restore, denver, of_board, of_job, next_number
):  # fmt: skip
    job = make_job(denver)
    mirror(repository)
    change_copy(storage, "boards/main.json", seq=of_board)
    change_copy(storage, f"jobs/{job.uid}.json", seq=of_job)
    lose_the_database()

    done = restore()

    assert done.boards == [("main", 1, max(of_board, of_job))]
    assert make_job(Board.objects.get()).seq == next_number - 1


def test_the_worker_goes_on_as_if_nothing_had_happened(repository, restore, denver):
    make_job(denver)
    mirror(repository)
    lose_the_database()
    restore()

    keep_boards(repository)  # neither NotOurs nor WentBack

    job = Job.objects.get()
    assert (job.mirrored_seq, repository.put(*job_object(job))) == (0, Put.THERE)
    assert repository.put(*job_object(flow.edit(job, {"notes": "Piano"}, expect=job.seq, by="Ana"))) == Put.WRITTEN


def test_a_database_with_jobs_is_refused_before_anything_is_read(storage, repository, restore, denver):
    make_job(denver)
    mirror(repository)
    read = []
    storage.before_reading = read.append

    with pytest.raises(NotEmpty) as caught:
        restore()

    assert (str(caught.value), read) == (
        "the database has jobs already (1), and a restore rebuilds an empty one. To mend this database, run"
        " `manage.py mirror repair`; to rebuild it, set DATABASE_URL to a new one and run `manage.py migrate`.",
        [],
    )


def test_a_job_opened_while_the_copies_are_read_stops_it(storage, repository, denver):
    make_job(denver)
    mirror(repository)
    lose_the_database()

    def open_one(what, done, total):
        if not Job.objects.exists():
            make_job(Board.objects.get(), uid="NEW")

    with pytest.raises(NotEmpty):
        restoring.restore(repository, open_one)

    assert list(Job.objects.values_list("uid", flat=True)) == ["NEW"]


def test_an_empty_bucket_is_no_success(storage, restore, denver):
    put(storage, "boards/main.json", copied_board())
    storage.bucket_name = "qdn-sate"

    with pytest.raises(NothingThere) as caught:
        restore()

    assert str(caught.value) == "there are no copies of jobs (jobs/….json) in qdn-sate: is STATE_BUCKET the right one?"
    assert Board.objects.get().name == "QuickDumpNow Denver"


def test_what_cannot_be_restored_is_named_and_does_not_hold_up_the_rest(storage, repository, restore, denver):
    for uid in ("good", "half", "foreign", "lost", "other", "gone", "later"):
        make_job(denver, uid=uid)
    mirror(repository)
    lose_the_database()
    put(storage, "jobs/half.json", storage.read("jobs/half.json")[0][:40])
    put(storage, "jobs/foreign.json", {"hello": "world"})
    change_copy(storage, "jobs/lost.json", status="lost")
    change_copy(storage, "jobs/other.json", id="another")
    put(storage, "jobs/notes.txt", b"Call Kim")
    put(storage, "jobs/old/good.json", storage.read("jobs/good.json")[0])
    storage.before_reading = lambda name: storage.delete("jobs/gone.json") if name == "jobs/gone.json" else None

    done = restore()

    assert sorted(Job.objects.values_list("uid", flat=True)) == ["good", "later"]
    half = done.problems.pop(2)
    assert half.startswith("jobs/half.json: is not JSON: Unterminated string")
    assert done.problems == [
        "jobs/foreign.json: is not a document of ours: it has no number",
        "jobs/gone.json: was gone when its turn came",
        "jobs/lost.json: status: is no status",
        "jobs/notes.txt: is not the name of a job's copy",
        "jobs/old/good.json: is not the name of a job's copy",
        "jobs/other.json: id: it says another, which is another job",
    ]


def test_a_tombstone_is_no_job_and_no_problem(storage, repository, restore, denver):
    make_job(denver, uid="a", extra={"gone": True})
    mirror(repository)
    put(storage, "jobs/b.json", {"gone": True, "seq": 7, "epoch": "e1", "id": "b"})
    lose_the_database()

    done = restore()

    assert (list(Job.objects.values_list("uid", flat=True)), done.problems, done.notes) == (["a"], [], [])
    assert done.lines()[0] == "1 jobs restored. 1 objects say that their job is gone."


def test_of_two_jobs_with_one_token_the_second_is_left_out(storage, repository, restore, denver):
    make_job(denver, uid="a", token="token-of-job-a")
    make_job(denver, uid="b")
    mirror(repository)
    change_copy(storage, "jobs/b.json", token="token-of-job-a")
    lose_the_database()

    done = restore()

    assert list(Job.objects.values_list("uid", flat=True)) == ["a"]
    assert done.problems == ["jobs/b.json: token: is the token of jobs/a.json too"]
    assert (done.jobs, done.boards) == (1, [("main", 1, 2)])


def test_of_two_jobs_with_one_number_the_second_gets_another_above_all(storage, repository, restore, denver, austin):
    for uid in ("a", "b", "c"):
        make_job(denver, uid=uid)
    make_job(austin, uid="d")
    mirror(repository)
    for uid in ("a", "b", "d"):
        change_copy(storage, f"jobs/{uid}.json", seq=2)
    change_copy(storage, "jobs/c.json", seq=40)
    lose_the_database()

    done = restore()

    assert list(Job.objects.order_by("uid").values_list("uid", "seq")) == [("a", 2), ("b", 41), ("c", 40), ("d", 2)]
    assert done.notes == ["jobs/b.json: another job of board main has change 2 too, so this one got 41"]
    assert (done.boards, done.problems) == ([("austin", 1, 2), ("main", 3, 41)], [])


def test_what_is_unusual_is_restored_and_said(storage, repository, restore, denver):
    job = make_job(denver)
    mirror(repository)
    change_copy(storage, f"jobs/{job.uid}.json", price=-5)
    lose_the_database()

    done = restore()

    assert (Job.objects.get().price, done.problems) == (Decimal(-5), [])
    assert done.notes == [f"jobs/{job.uid}.json: price: Ensure this value is greater than or equal to 0."]


def test_facts_of_a_board_that_cannot_be_so_are_left_out_and_said(storage, repository, restore, denver):
    make_job(denver)
    mirror(repository)
    change_copy(storage, "boards/main.json", name="", timezone="Mars/Olympus", phone="call us", epochs=7)
    lose_the_database()

    done = restore()

    assert Board.objects.values_list("name", "timezone", "phone").get() == ("main", "UTC", "")
    assert (done.notes, done.problems) == (
        [
            "boards/main.json: name: This field cannot be blank. It is “main” now.",
            "boards/main.json: timezone: “Mars/Olympus” is not an IANA time zone such as America/Denver. It is “UTC” now.",
            "boards/main.json: phone: “call us” is not a phone number. It is “” now.",
        ],
        [],
    )


def test_a_name_that_not_every_database_can_hold_is_mended(storage, repository, restore, denver):
    make_job(denver)
    mirror(repository)
    change_copy(storage, "boards/main.json", name="Den\0ver")
    lose_the_database()

    restore()

    assert Board.objects.get().name == "Den�ver"


def test_what_is_no_copy_of_a_board_is_named_and_its_jobs_are_restored(storage, repository, restore, denver):
    make_job(denver)
    mirror(repository)
    put(storage, "boards/main.json", b"{")
    put(storage, "boards/no slug.json", copied_board())
    put(storage, "boards/far.json", copied_board(seq=2**60))
    put(storage, "boards/gone.json", copied_board())
    storage.before_reading = lambda name: storage.delete("boards/gone.json") if name == "boards/gone.json" else None
    lose_the_database()

    done = restore()

    assert list(Board.objects.values_list("slug", "name")) == [("main", "Main")]
    assert done.problems.pop(2).startswith("boards/main.json: is not JSON: ")
    assert done.problems == [
        "boards/far.json: seq: expected a whole number from 0 to 9007199254740991",
        "boards/gone.json: was gone when its turn came",
        "boards/no slug.json: is not the name of a board's copy",
    ]


def test_a_storage_that_fails_leaves_an_empty_database(storage, repository, restore, denver):
    make_job(denver, uid="a")
    make_job(denver, uid="b")
    mirror(repository)
    lose_the_database()

    def fail(name):
        if name == "jobs/b.json":
            raise ConnectionError("no route to host")

    storage.before_reading = fail

    with pytest.raises(ConnectionError, match="no route to host"):
        restore()

    assert (Job.objects.count(), Board.objects.get().name) == (0, "Main")


@pytest.mark.django_db(transaction=True)
def test_a_restore_that_is_killed_while_it_writes_leaves_an_empty_database(repository, denver, monkeypatch):
    monkeypatch.setattr(restoring, "CHUNK", 2)
    for _ in range(5):
        make_job(denver)
    mirror(repository)
    lose_the_database()

    def kill(what, done, total):
        if what == "jobs written" and done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        restoring.restore(repository, kill)

    assert (Job.objects.count(), StatusChange.objects.count(), Board.objects.get().name) == (0, 0, "Main")


@pytest.mark.django_db(transaction=True)
def test_the_storage_is_not_asked_inside_a_transaction(storage, repository, restore, denver):
    make_job(denver)
    mirror(repository)
    lose_the_database()
    writer, inside = connections["default"], []
    storage.before_reading = lambda name: inside.append(writer.in_atomic_block)

    restore()

    assert inside == [False, False]


def test_more_jobs_than_fit_a_chunk_come_back_in_order_with_their_histories(
    storage, repository, restore, said, denver, austin, monkeypatch
):  # fmt: skip
    monkeypatch.setattr(restoring, "CHUNK", 2)
    for number in range(5):
        job = make_job(denver if number % 2 else austin, uid=f"JOB-{number}")
        flow.move(job, "scheduled", expect=job.seq, by="Ana", channel="board")
    mirror(repository)
    before = documents()
    lose_the_database()

    done = restore()

    assert documents() == before
    assert list(Job.objects.order_by("pk").values_list("uid", flat=True)) == [f"JOB-{number}" for number in range(5)]
    assert said == [
        *(("copies read", number, 5) for number in range(1, 6)),
        *(("jobs written", number, 5) for number in (2, 4, 5)),
    ]
    assert done.boards == [("austin", 3, 6), ("main", 2, 4)]


def test_with_debug_on_it_does_not_remember_what_it_wrote(repository, restore, denver, settings):
    """Django does, and 100,000 jobs would fill the memory."""
    make_job(denver)
    mirror(repository)
    lose_the_database()
    settings.DEBUG = True

    restore()

    remembered = [query["sql"] for query in connection.queries]
    assert (remembered != [], [sql for sql in remembered if "1428 Elm St" in sql]) == (True, [])


def test_it_says_what_it_did_and_what_comes_next(storage, repository, restore, denver):
    job = make_job(denver)
    mirror(repository)
    change_copy(storage, f"jobs/{job.uid}.json", seq=1234, price=-5)
    lose_the_database()

    assert restore().lines() == [
        "1 jobs restored.",
        "  board main: 1 jobs, changes go on above 1,234",
        f"  note: jobs/{job.uid}.json: price: Ensure this value is greater than or equal to 0.",
        "The worker now looks at every copy once more, which takes reads, and writes only those that differ.",
    ]
