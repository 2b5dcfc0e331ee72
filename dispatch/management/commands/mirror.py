"""`manage.py mirror …`: looks after the copies in object storage.

Exit code 1: it found something wrong, or left it so. 2: it could not do its work.
"""

import json
import re
import sys
import time
from argparse import ArgumentTypeError
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.files.storage import storages
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error

from dispatch.importing import one_line
from dispatch.mirror import checking, exporting, repairing, restoring, status, syncing
from dispatch.mirror.faults import UNREACHABLE, explain
from dispatch.mirror.repository import JobRepository
from dispatch.mirror.storages import MirrorError
from dispatch.models import Job

SHOWN = 200
TOKEN = re.compile(r"(public/track/[\w-]{4})[\w-]+")  # whoever reads it could open the customer's page
COULD_NOT = (*UNREACHABLE, MirrorError)


def several(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def some(written: str) -> int:
    """A number of jobs to look at."""
    if not re.fullmatch("[1-9][0-9]{0,8}", written):
        raise ArgumentTypeError(f"expected a number from 1 on, got {written!r}")
    return int(written)


class Command(BaseCommand):
    help = "Looks after the copies of all jobs in object storage: docs/mirror.md."

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
        for name, help_ in (
            ("status", "how far the copies are behind, and why"),
            ("sync", "copy what is behind, then end"),
            ("check", "compare every copy with the database"),
            ("repair", "make the copies and the database equal; nothing is lost"),
            ("export", "write all jobs as one jobs.json"),
            ("restore", "rebuild an empty database from the bucket"),
        ):
            sub = commands.add_parser(name, help=help_, description=help_[0].upper() + help_[1:] + ".")
            if name in {"status", "check"}:
                sub.add_argument("--json", action="store_true", help="print JSON")
            if name == "check":
                sub.add_argument("--sample", type=some, metavar="N", help="look at N jobs by chance instead of all")
            if name == "repair":
                sub.add_argument(
                    "--keep-database", action="store_true", help="where a copy is newer, the database wins all the same"
                )
            if name == "export":
                sub.add_argument(
                    "--output", type=Path, metavar="FILE", help="write this file, or - for stdout; default: the bucket"
                )

    def handle(self, *args: Any, **options: Any) -> None:
        run: Callable[[JobRepository, dict[str, Any]], None] = getattr(self, f"do_{options['command']}")
        try:
            run(JobRepository(storages["state"]), options)  # type: ignore[arg-type]  # the setting decides the class
        except COULD_NOT as error:
            raise CommandError(explain(error), returncode=2) from None
        except Error as error:
            reason = f"the database cannot be used, or `manage.py migrate` has not run yet: {error}"
            raise CommandError(one_line(reason), returncode=2) from None

    def do_status(self, repository: JobRepository, options: dict[str, Any]) -> None:
        found = status.read()
        if options["json"]:
            self.stdout.write(json.dumps(found.as_dict(), indent=1))
        else:
            self.stdout.write("\n".join(found.lines()))

    def do_sync(self, repository: JobRepository, options: dict[str, Any]) -> None:
        done = syncing.sync(repository, self.progress)
        self.stdout.write(f"{several(done.copied, 'job')} copied.")
        self.problems([f"{uid}: {reason}" for uid, reason in done.failed.items()])
        if done.failed:
            raise CommandError(f"{several(len(done.failed), 'job')} could not be copied.")
        if left := Job.objects.behind().count():
            raise CommandError(
                f"{several(left, 'job')} still behind: another worker is at it, says `manage.py mirror status`."
            )

    def do_check(self, repository: JobRepository, options: dict[str, Any]) -> None:
        report = checking.check(repository, self.progress, sample=options["sample"])
        if options["json"]:
            self.stdout.write(json.dumps(report.as_dict(), indent=1))
        else:
            self.problems([str(difference) for difference in report.differences])
            self.stdout.write(f"{several(report.jobs, 'job')} and {several(report.objects, 'object')} compared.")
        if report.differences:
            raise CommandError(f"{several(len(report.differences), 'difference')}. `manage.py mirror repair` mends them.")
        if not options["json"]:
            self.stdout.write("No differences.")

    def do_repair(self, repository: JobRepository, options: dict[str, Any]) -> None:
        done = repairing.repair(repository, self.progress, keep_database=options["keep_database"])
        self.stdout.write("\n".join(done.lines()))
        self.problems(done.left)
        if done.left:
            raise CommandError(f"{several(len(done.left), 'difference')} left.")

    def do_export(self, repository: JobRepository, options: dict[str, Any]) -> None:
        jobs, where = exporting.export(repository.storage, self.progress, options["output"])
        if where != "-":
            self.stdout.write(f"{several(jobs, 'job')} written to {where}.")

    def do_restore(self, repository: JobRepository, options: dict[str, Any]) -> None:
        done = restoring.restore(repository, self.progress)
        self.stdout.write("\n".join(done.lines()))
        self.problems(done.problems)
        if done.problems:
            raise CommandError(f"{several(len(done.problems), 'object')} could not be restored.")

    def problems(self, lines: list[str]) -> None:
        for line in lines[:SHOWN]:
            self.stderr.write(TOKEN.sub(r"\1…", one_line(line)))
        if len(lines) > SHOWN:
            self.stderr.write(f"… and {len(lines) - SHOWN:,} more")

    told: tuple[str, float] = ("", 0.0)

    def progress(self, what: str, done: int, total: int) -> None:
        """On a terminal one line that moves, elsewhere one every few seconds; on stderr, for stdout is the result."""
        terminal, now = sys.stderr.isatty(), time.monotonic()
        if self.told[0] != what:
            self.told = (what, now - 60 if terminal else now)
        if now - self.told[1] < (0.1 if terminal else 5) and done < total:
            return
        line = f"  {what:<24} {'█' * (20 * done // max(1, total)):░<20} {done:>9,} of {total:,}"
        if terminal:
            self.stderr.write(line, ending="\r" if done < total else "\n")
        elif line != self.last_line:
            self.stderr.write(line)
        self.last_line, self.told = line, (what, now)

    last_line = ""
