"""`manage.py trace <link, token or job>`: why does this customer not see their job, or not get to book one?"""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from dispatch.models import TOKEN
from qdn.tracing import SECONDS, Trace
from qdn.tracing_hops import BROKEN, OK, Hop
from qdn.tracing_links import AROUND

MARKS = {OK: "✓", BROKEN: "✗"}
LONGEST_OPTION = 20
IS_BROKEN, NOT_UNDERSTOOD = 1, 2


class Command(BaseCommand):
    help = (
        "Walks from a customer's link to what they see, and names the first hop that is broken. Changes nothing."
        " Exit code: 0 the whole way works, 1 a hop is broken, 2 what was given is no link, token, id or booking"
        " page."
    )
    requires_system_checks = ()

    def run_from_argv(self, argv: list[str]) -> None:
        super().run_from_argv([*argv[:2], *map(_no_option, argv[2:])])

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", help="a tracking link, its token, a job's id, or the booking page; best in quotes")
        parser.add_argument("--seconds", type=float, default=SECONDS, help=f"the most that one hop takes ({SECONDS})")
        parser.add_argument("--json", action="store_true", help="for programs")

    def handle(self, *args: Any, what: str, **options: Any) -> None:
        trace, hops = Trace(what, options["seconds"]), []
        for hop in trace.hops():
            hops.append(hop)
            if not options["json"]:
                self.show(hop)
        broken = next((hop for hop in hops if hop.state == BROKEN), None)
        if options["json"]:
            facts = {"ok": not broken, "broken": broken and broken.name, "job": trace.job and trace.job.uid}
            self.stdout.write(json.dumps(facts | {"hops": [hop.as_dict() for hop in hops]}, ensure_ascii=False))
        else:
            self.conclude(broken)
        if broken:
            sys.exit(IS_BROKEN if trace.asked.is_understood else NOT_UNDERSTOOD)

    def conclude(self, broken: Hop | None) -> None:
        if broken:
            self.stdout.write(f"\nBroken at {broken.name}: {broken.said}.\nTo do: {broken.remedy}.")
        else:
            self.stdout.write("\nThe whole way works.")
        self.stdout.flush()

    def show(self, hop: Hop) -> None:
        self.stdout.write(f"  {MARKS.get(hop.state, '–')} {hop.name:<14}{hop.ms:8.1f} ms  {hop.said}")
        self.stdout.flush()


def _no_option(argument: str) -> str:
    """A token may begin with a dash. With a blank before it, which nobody minds, it is not taken for an option."""
    is_token = argument.startswith("-") and TOKEN.fullmatch(argument.strip(AROUND))
    return f" {argument}" if is_token and (not argument.startswith("--") or len(argument) > LONGEST_OPTION) else argument
