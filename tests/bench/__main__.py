"""Sets up a database of its own, runs every measurement, prints a table and keeps it as JSON in var/bench.json.

`python -m tests.bench mirror edge` runs just these, and keeps nothing.
"""

import atexit
import json
import os
import platform
import shutil
import sys
import tempfile
from importlib import import_module
from pathlib import Path

os.environ["VAR_DIR"] = tempfile.mkdtemp(prefix="qdn-bench-")
atexit.register(shutil.rmtree, os.environ["VAR_DIR"], ignore_errors=True)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "qdn.settings")

import django

django.setup()

from django.core.management import call_command

MODULES = (
    "flow", "page", "track", "edge", "releases", "fanout", "latency", "claims_live", "sockets", "sustained", "mirror",
    "messages", "claims",
)  # fmt: skip
RESULT = Path(__file__).parent.parent.parent / "var" / "bench.json"


def main(chosen: list[str]) -> int:
    if unknown := set(chosen) - set(MODULES):
        sys.exit(f"unknown: {', '.join(sorted(unknown))}; expected some of {', '.join(MODULES)}")
    call_command("migrate", verbosity=0)
    rows = []
    print(f"{'what':<58}{'figure':>14}  {'wanted':<12}")
    for module in chosen or MODULES:
        for row in import_module(f"tests.bench.{module}").measure():
            rows.append(row)
            mark = "" if row.ok else "  MISSED"
            print(f"{row.what:<58}{row.figure:>14}  {row.wanted:<12}{mark}", flush=True)
    if not chosen:
        RESULT.parent.mkdir(exist_ok=True)
        machine = {"python": platform.python_version(), "cores": os.cpu_count()}
        RESULT.write_text(json.dumps({"machine": machine, "rows": [row.as_dict() for row in rows]}, indent=1))
        print(f"\nKept in {RESULT}")
    return 0 if all(row.ok for row in rows) else 1


sys.exit(main(sys.argv[1:]))
