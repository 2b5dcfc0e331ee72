"""`manage.py import_jobs FILE`: brings in the jobs of a jobs.json."""

import argparse
from pathlib import Path
from typing import IO, Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import IntegrityError

from dispatch import importing
from dispatch.jobs_stream import BadFile
from dispatch.models import Board


class Command(BaseCommand):
    help = 'Imports {"jobs": {"<id>": {…}}}. Keeps ids, tokens and history; jobs that are already here stay as they are.'

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--board", default="main", help="slug of the board (default: main)")
        parser.add_argument("--dry-run", action="store_true", help="say what would happen and write nothing")
        parser.add_argument(
            "--skip-bad", action=argparse.BooleanOptionalAction, default=False, help="import the good records all the same"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        try:
            board = Board.objects.get(slug=options["board"])
            with path.open("rb") as file:
                self._import(file, path, board, dry_run=options["dry_run"], skip_bad=options["skip_bad"])
        except Board.DoesNotExist:
            raise CommandError(f"there is no board {options['board']!r}") from None
        except OSError as error:
            raise CommandError(f"cannot read {path}: {error.strerror or error}") from None
        except BadFile as error:
            raise CommandError(f"cannot read {path}: {error}") from None
        except IntegrityError:
            raise CommandError("another import wrote the same jobs at the same time; run this again") from None

    def _import(self, file: IO[bytes], path: Path, board: Board, *, dry_run: bool, skip_bad: bool) -> None:
        self.size = max(1, path.stat().st_size)
        report = importing.check(file, board, lambda report: self._progress("checked", file, report))
        counts = f"{report.new:,} new, {report.already_here:,} already here, {report.bad:,} bad"
        if report.bad and (dry_run or not skip_bad):
            raise CommandError(f"nothing was imported: {counts}. Mend the file, or leave bad records out with --skip-bad.")
        if dry_run:
            self.stdout.write(f"Dry run, nothing was imported: {counts}.")
            return
        self._problems_shown = True
        report = importing.load(file, board, lambda report: self._progress("imported", file, report), by="import")
        skipped = f", {report.bad:,} bad ones left out" if report.bad else ""
        self.stdout.write(f"Imported {report.new:,} jobs onto {board.slug}; {report.already_here:,} were here{skipped}.")

    _problems_shown = False

    def _progress(self, done: str, file: IO[bytes], report: importing.Report) -> None:
        for problem in [] if self._problems_shown else report.problems:
            self.stderr.write(problem)
        report.problems.clear()
        if report.seen % 1000 == 0:
            percent = min(100, file.tell() * 100 // self.size)
            self.stdout.write(f"  {report.seen:,} records {done} ({percent} %)")
