"""The command's own part: what is printed where, and the exit codes. The work itself is tested module by module."""

import io
import json

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection

from dispatch.management.commands import mirror
from dispatch.mirror import checking
from dispatch.mirror.storages import CompareAndSwapInMemoryStorage
from dispatch.models import Job, StatusChange
from tests.factories import make_job

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def storage(monkeypatch):
    storage = CompareAndSwapInMemoryStorage()
    monkeypatch.setattr(mirror, "storages", {"state": storage})
    monkeypatch.setattr(checking, "LOOK_AGAIN_AFTER_SECONDS", (0, 0))
    return storage


def run(*arguments):
    """What it wrote to stdout and to stderr, and its exit code."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    try:
        call_command("mirror", *arguments, stdout=out, stderr=err)
    except CommandError as error:
        err.write(f"{error}\n")
        code = error.returncode
    return out.getvalue(), err.getvalue(), code


def test_a_mirror_that_is_behind_is_found_copied_and_found_equal(board, storage):
    make_job(board), make_job(board)

    status, check = run("status"), run("check")
    sync, again, status_after = run("sync"), run("check"), run("status", "--json")

    assert (status[0].splitlines()[0].split()[:3], status[2]) == (["behind", "2", "jobs,"], 0)
    assert ("5 differences. `manage.py mirror repair` mends them." in check[1], check[2]) == (True, 1)
    assert sync == ("2 jobs copied.\n", sync[1], 0)
    assert again == ("2 jobs and 5 objects compared.\nNo differences.\n", again[1], 0)
    assert (json.loads(status_after[0])["behind"], status_after[2]) == (0, 0)


def test_a_check_prints_json_and_nothing_else_on_stdout(job, storage):
    out, _, code = run("check", "--json")

    assert (json.loads(out)["counts"], code) == ({"missing": 3}, 1)


def test_what_differs_is_named_without_the_customers_token(job, storage):
    _, err, _ = run("check")

    assert f"jobs/{job.uid}.json: missing" in err.splitlines()
    assert job.token not in err


def test_a_damaged_mirror_is_repaired(job, storage):
    run("sync")
    storage.delete(f"jobs/{job.uid}.json")
    assert run("check")[2] == 1

    repaired, checked = run("repair"), run("check")

    assert (repaired[2], checked[2]) == (0, 0)


def test_what_was_exported_is_in_the_bucket(job, storage):
    out, _, code = run("export")

    assert (out, code) == ("1 job written to jobs.json.\n", 0)
    assert list(json.loads(storage.read("jobs.json")[0])["jobs"]) == [job.uid]


def test_an_export_to_stdout_is_the_document_and_nothing_else(job, storage, capfd):
    out, _, code = run("export", "--output", "-")

    printed = out or capfd.readouterr().out
    assert (list(json.loads(printed)["jobs"]), code) == ([job.uid], 0)


def test_an_emptied_database_is_restored(job, storage):
    run("sync")
    StatusChange.objects.all().delete()
    Job.objects.all().delete()

    restored, checked, again = run("restore"), run("check"), run("restore")

    assert (restored[0].splitlines()[0], restored[2]) == ("1 jobs restored.", 0)
    assert (checked[2], again[2], "has jobs already" in again[1]) == (0, 2, True)


def test_a_broken_copy_is_named_and_the_rest_is_restored(board, storage):
    bad, good = make_job(board), make_job(board)
    run("sync")
    StatusChange.objects.all().delete()
    Job.objects.all().delete()
    storage.write(f"jobs/{bad.uid}.json", b"<html>", if_match=storage.etag(f"jobs/{bad.uid}.json"))

    _, err, code = run("restore")

    assert (list(Job.objects.values_list("uid", flat=True)), code) == ([good.uid], 1)
    assert any(line.startswith(f"jobs/{bad.uid}.json: ") for line in err.splitlines())


@pytest.mark.parametrize("command", ["sync", "check", "repair", "export", "restore"])
def test_a_storage_that_cannot_be_reached_is_one_line(job, storage, monkeypatch, command):
    def unreachable(*_, **__):
        raise ConnectionError("no route to host")

    for method in ("read", "write", "etag", "names"):
        monkeypatch.setattr(storage, method, unreachable)
    if command == "restore":
        StatusChange.objects.all().delete()
        Job.objects.all().delete()

    _, err, code = run(command)

    assert (err.splitlines()[-1].startswith("cannot reach the storage"), code) == (True, 2), err


def test_a_job_that_cannot_be_copied_is_named(board, storage, monkeypatch):
    bad, _ = make_job(board), make_job(board)
    write = storage.write

    def picky(name, *arguments, **options):
        if bad.uid in name:
            raise RuntimeError("no such luck")
        return write(name, *arguments, **options)

    monkeypatch.setattr(storage, "write", picky)

    out, err, code = run("sync")

    assert (out, code) == ("1 job copied.\n", 1)
    assert err.splitlines()[-2:] == [f"{bad.uid}: RuntimeError: no such luck", "1 job could not be copied."]


def test_a_long_list_of_differences_is_cut(board, storage, monkeypatch):
    monkeypatch.setattr(mirror, "SHOWN", 2)
    make_job(board), make_job(board)

    _, err, _ = run("check")

    assert "… and 3 more" in err.splitlines()


@pytest.mark.parametrize("number", ["0", "-3", "many", "1.5"])
def test_a_sample_is_a_number_of_jobs(storage, number):
    with pytest.raises(CommandError, match="argument --sample: expected a number from 1 on"):
        call_command("mirror", "check", f"--sample={number}")


@pytest.mark.parametrize("command", ["status", "sync", "check", "repair", "export", "restore"])
def test_a_database_that_cannot_be_used_is_one_line(storage, command):
    def broken(*query):
        raise OperationalError("no such table:\n dispatch_job")

    with connection.execute_wrapper(broken):
        _, err, code = run(command)

    assert (err.splitlines()[-1], code) == (
        "the database cannot be used, or `manage.py migrate` has not run yet: no such table: dispatch_job", 2
    )  # fmt: skip


class TestProgress:
    @pytest.fixture
    def command(self):
        return mirror.Command(stderr=io.StringIO())

    def said(self, command):
        return [" ".join(line.split()) for line in command.stderr.getvalue().splitlines()]

    def test_short_work_says_its_result_once(self, command):
        for done in (1, 2, 3, 3):
            command.progress("copied", done, 3)

        assert self.said(command) == ["copied ████████████████████ 3 of 3"]

    def test_long_work_says_how_far_it_is_every_few_seconds(self, command, monkeypatch):
        now = [0.0]
        monkeypatch.setattr(mirror.time, "monotonic", lambda: now[0])
        for done in range(1, 21):
            command.progress("copied", done, 20)
            now[0] += 1

        assert [line.split()[2] for line in self.said(command)] == ["6", "11", "16", "20"]

    def test_on_a_terminal_one_line_moves(self, command, monkeypatch):
        monkeypatch.setattr(mirror.sys.stderr, "isatty", lambda: True, raising=False)
        command.progress("copied", 1, 2)
        command.progress("copied", 2, 2)

        assert command.stderr.getvalue().count("\r") == 1
        assert command.stderr.getvalue().endswith("2 of 2\n")
