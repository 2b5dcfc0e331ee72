import json
import os
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from dispatch.mirror.document import job_document
from dispatch.models import Board, Job, StatusChange

ROOT = Path(__file__).resolve().parents[3]
JOBS, BAD_JOBS = ROOT / "tests/data/jobs.json", ROOT / "tests/data/bad_jobs.json"
BAD_LINES = """\
missing: location: is missing
missing: price: is missing
missing: createdAt: is missing
missing: statusHistory: is missing
not-an-object: record: expected an object, got text
other-key: id: is "another" but the record's key is "other-key"
bad id: id: expected up to 64 letters, digits, - and _, got "bad id"
bad id: token: expected 8 to 64 letters, digits, - and _, got "short"
status: status: "ready" is not a status; expected one of requested, scheduled, ready_for_pickup, en_route, in_progress, \
completed, cancelled
location: location: This field cannot be blank.
price: price: expected an amount such as 600 or 149.50, got "$600"
cents: price: Ensure that there are no more than 2 decimal places.
negative: price: Ensure this value is greater than or equal to 0.
created: createdAt: expected a time such as 2026-05-04T16:30:00Z, got "yesterday"
history: statusHistory[0].at: expected a time such as 2026-05-04T16:30:00Z, got 1757862000
history: statusHistory[0].by: expected text, got an object
history: statusHistory[1]: expected an object, got text
updated: updatedAt: expected a time such as 2026-05-04T16:30:00Z, got "yesterday"
service: service: Value 'moving' is not a valid choice.
load: loadEighths: expected a whole number, got 4.5
window: window.end: The window ends before it starts.
customer: customer.phone: “12” is not a possible phone number.
customer: customer.email: Enter a valid email address.
crew: crew: Expected a list of names.
text: notes: has characters that no text may have, such as U+0000
good: id: stands in this file twice
token: token: belongs to another job
"""


def run(*arguments: object) -> tuple[str, str, str]:
    """What the command says, its warnings, and the error it ends with."""
    out, err, error = StringIO(), StringIO(), ""
    try:
        call_command("import_jobs", *map(str, arguments), stdout=out, stderr=err, no_color=True)
    except CommandError as raised:
        error = str(raised)
    return out.getvalue(), err.getvalue(), error


def nothing_was_written() -> bool:
    return not Job.objects.exists() and not StatusChange.objects.exists() and Board.objects.get().seq == 0


def test_a_file_is_imported(board):
    assert run(JOBS) == ("Imported 8 jobs onto main; 0 were here.\n", "", "")
    assert Job.objects.count() == Board.objects.get().seq == 8


def test_the_job_it_all_began_with_keeps_its_id_token_and_history(board):
    run(JOBS)

    job = Job.objects.get(uid="1")
    assert (job.token, job.status, job.location, job.price) == (
        "k3Vd0qXyT9bQmZr2LwHnC7sJ",
        "ready_for_pickup",
        "Soderblom Ave",
        Decimal(600),
    )
    assert job.created_at == datetime(2025, 9, 14, 15, 2, 11, tzinfo=UTC)
    assert job.status_at == datetime(2025, 9, 16, 13, 5, 42, tzinfo=UTC)
    assert [(step.from_status, step.to_status, step.at.isoformat(), step.by) for step in job.history.all()] == [
        ("", "requested", "2025-09-14T15:02:11+00:00", "booking"),
        ("requested", "scheduled", "2025-09-14T15:40:00+00:00", "Ana"),
        ("scheduled", "ready_for_pickup", "2025-09-16T13:05:42+00:00", "Dee"),
    ]


def test_every_record_comes_out_of_the_mirror_as_it_went_in(board):
    """But for times, which are in UTC there, and what only an imported job has."""
    records = json.loads(JOBS.read_text())["jobs"]

    run(JOBS)

    for uid, record in records.items():
        document = job_document(Job.objects.get(uid=uid))
        same = set(record) - {"price", "createdAt", "statusHistory", "updatedAt", "window", "customer"}
        assert {name: document[name] for name in same} == {name: record[name] for name in same}
        assert len(document["statusHistory"]) >= len(record["statusHistory"])


def test_what_we_do_not_know_of_a_job_is_kept(board):
    run(JOBS)

    job = Job.objects.get(uid="3")
    assert job.extra == {
        "source": "web",
        "imported.photos": [{"url": "https://example.com/a.jpg", "weight": 12.75}],
        "customer.vip": True,
    }
    assert [step.extra for step in job.history.all()] == [{"ip": "203.0.113.9"}, {}]


def test_importing_twice_is_safe(board):
    run(JOBS)
    before = (list(Job.objects.values()), list(StatusChange.objects.values()))

    assert run(JOBS) == ("Imported 0 jobs onto main; 8 were here.\n", "", "")
    assert (list(Job.objects.values()), list(StatusChange.objects.values())) == before


def test_a_dry_run_says_what_would_happen_and_writes_nothing(board):
    assert run(JOBS, "--dry-run") == ("Dry run, nothing was imported: 8 new, 0 already here, 0 bad.\n", "", "")
    assert nothing_was_written()


@pytest.mark.parametrize("options", [[], ["--dry-run"], ["--dry-run", "--skip-bad"]])
def test_every_mistake_is_reported_and_nothing_is_imported(board, options):
    out, err, error = run(BAD_JOBS, *options)

    assert (out, err) == ("", BAD_LINES)
    assert error == (
        "nothing was imported: 1 new, 0 already here, 20 bad. Mend the file, or leave bad records out with --skip-bad."
    )
    assert nothing_was_written()


def test_bad_records_can_be_left_out(board):
    out, err, error = run(BAD_JOBS, "--skip-bad")

    assert (out, err, error) == ("Imported 1 jobs onto main; 0 were here, 20 bad ones left out.\n", BAD_LINES, "")
    assert list(Job.objects.values_list("uid", "token")) == [("good", "token-good")]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is not whole JSON: parse error: premature EOF"),
        (b"\x89PNG\r\n\x1a\n", "it is not whole JSON: lexical error: invalid char in json text"),
        (JOBS.read_bytes()[:3000], "it is not whole JSON: parse error: premature EOF"),
        (b'{"orders": {}}', 'there is no "jobs" in it; expected {"jobs": {"<id>": {…}}}'),
    ],
    ids=["empty", "not JSON", "truncated", "another document"],
)
def test_a_file_that_cannot_be_read_is_one_line_and_nothing_is_imported(board, tmp_path, content, reason):
    path = tmp_path / "jobs.json"
    path.write_bytes(content)

    assert run(path, "--skip-bad") == ("", "", f"cannot read {path}: {reason}")
    assert nothing_was_written()


def test_a_missing_file_or_a_folder_is_one_line(board, tmp_path):
    assert run(tmp_path / "none.json") == ("", "", f"cannot read {tmp_path / 'none.json'}: No such file or directory")
    assert run(tmp_path) == ("", "", f"cannot read {tmp_path}: Is a directory")


def test_a_pipe_is_one_line(board):
    reading, writing = os.pipe()
    os.close(writing)

    assert run(f"/dev/fd/{reading}")[2] == f"cannot read /dev/fd/{reading}: File or stream is not seekable."
    os.close(reading)


def test_an_unknown_board_is_one_line(board):
    assert run(JOBS, "--board", "boulder") == ("", "", "there is no board 'boulder'")
    assert nothing_was_written()


def test_jobs_go_onto_the_board_that_is_named(board):
    Board.objects.create(slug="boulder", name="Boulder")

    assert run(JOBS, "--board", "boulder")[0] == "Imported 8 jobs onto boulder; 0 were here.\n"
    assert set(Job.objects.values_list("board__slug", flat=True)) == {"boulder"}


# --- as a person runs it


@pytest.fixture
def manage(tmp_path):
    """Runs manage.py with a database of its own."""
    clean = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "DJANGO_SETTINGS_MODULE"}}
    environment = clean | {"VAR_DIR": str(tmp_path / "var")}

    def manage(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)

    assert manage("migrate", "--verbosity=0").returncode == 0
    return manage


@pytest.mark.processes
def test_exit_codes_and_streams_of_the_real_command(manage, tmp_path):
    bad = manage("import_jobs", str(BAD_JOBS))
    good = manage("import_jobs", str(JOBS))
    missing = manage("import_jobs", "none.json")

    assert (bad.returncode, bad.stdout) == (1, "")
    assert bad.stderr.startswith(BAD_LINES + "CommandError: nothing was imported: 1 new")
    assert (good.returncode, good.stdout, good.stderr) == (0, "Imported 8 jobs onto main; 0 were here.\n", "")
    assert (missing.returncode, missing.stdout) == (1, "")
    assert missing.stderr == "CommandError: cannot read none.json: No such file or directory\n"
    with sqlite3.connect(tmp_path / "var/db.sqlite3") as database:
        assert database.execute("SELECT count(*) FROM dispatch_job").fetchone() == (8,)
    database.close()


MEASURED = """
import resource, sys
import django
django.setup()
from django.core.management import call_command
from django.db import connection
connection.ensure_connection()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
call_command("import_jobs", sys.argv[1])
print("KB:", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.processes
def test_five_thousand_records_need_little_memory(manage, tmp_path):
    path = tmp_path / "many.json"
    notes = "Behind the garage, mind the dog. " * 60
    step = {"status": "requested", "at": "2025-09-14T15:00:00Z", "by": "Ana"}
    with path.open("w") as file:
        file.write('{"jobs": {')
        for number in range(5_000):
            record = {
                "id": str(number), "token": f"token-{number:010}", "status": "requested", "location": f"{number} Elm St",
                "price": 600, "createdAt": "2025-09-14T15:00:00Z", "statusHistory": [step], "notes": notes,
            }  # fmt: skip
            file.write(f'{"," if number else ""}"{number}": {json.dumps(record)}')
        file.write("}}")
    environment = os.environ | {"VAR_DIR": str(tmp_path / "var"), "DJANGO_SETTINGS_MODULE": "qdn.settings"}
    environment.pop("DATABASE_URL", None)

    ran = subprocess.run(
        [sys.executable, "-c", MEASURED, str(path)], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
    )

    assert ran.stderr == ""
    *progress, imported, peak = ran.stdout.splitlines()
    assert len(progress) == 10
    assert progress[0].startswith("  1,000 records checked (")
    assert progress[-1] == "  5,000 records imported (100 %)"
    assert imported == "Imported 5,000 jobs onto main; 0 were here."
    assert path.stat().st_size > 10_000_000
    assert int(peak.removeprefix("KB: ")) < 12_000
