"""Sets up a database of its own, runs every measurement, prints a table and keeps it as JSON in var/bench.json."""

import json
import os
import platform
import sys
import tempfile
from pathlib import Path

os.environ["VAR_DIR"] = tempfile.mkdtemp(prefix="qdn-bench-")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "qdn.settings")

import django

django.setup()

from django.core.management import call_command

from tests.bench import edge, fanout, flow, latency, page, sockets, sustained, track

RESULT = Path(__file__).parent.parent.parent / "var" / "bench.json"


def main() -> int:
    call_command("migrate", verbosity=0)
    rows = []
    print(f"{'what':<58}{'figure':>14}  {'wanted':<12}")
    for module in (flow, page, track, edge, fanout, latency, sockets, sustained):
        for row in module.measure():
            rows.append(row)
            mark = "" if row.ok else "  MISSED"
            print(f"{row.what:<58}{row.figure:>14}  {row.wanted:<12}{mark}", flush=True)
    RESULT.parent.mkdir(exist_ok=True)
    machine = {"python": platform.python_version(), "cores": os.cpu_count()}
    RESULT.write_text(json.dumps({"machine": machine, "rows": [row.as_dict() for row in rows]}, indent=1))
    print(f"\nKept in {RESULT}")
    return 0 if all(row.ok for row in rows) else 1


sys.exit(main())
