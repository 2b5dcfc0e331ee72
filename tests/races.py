"""Races between real processes: a program of ours forks contenders, on a database of its own."""

import json
import multiprocessing
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from django.db import connections

ROOT = Path(__file__).resolve().parents[1]

fork = multiprocessing.get_context("fork")


def run(arguments: list[tuple[Any, ...]], seconds: float) -> None:
    """Runs each (target, *arguments) in a process. It opens its own connection, so the parent's is closed before."""
    close()
    processes = [fork.Process(target=target, args=rest) for target, *rest in arguments]
    for process in processes:
        process.start()
    for process in processes:
        process.join(seconds)
    if any(process.exitcode != 0 for process in processes):
        for process in processes:
            process.kill()
        sys.exit(f"exit codes {[process.exitcode for process in processes]}")


def close() -> None:
    for connection in connections.all():
        connection.close()
        if hasattr(connection, "close_pool"):
            connection.close_pool()


def found_by(module: str, *arguments: str, database_url: str, folder: Path, seconds: float) -> Any:
    """What `python -m module arguments` printed as JSON. It must have nothing to complain about."""
    environment = os.environ | {
        "DATABASE_URL": database_url,
        "VAR_DIR": str(folder),
        "DJANGO_SETTINGS_MODULE": "qdn.settings",
    }
    command = [sys.executable, "-m", module, *arguments]
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=seconds)
    assert (ran.returncode, ran.stderr) == (0, "")
    return json.loads(ran.stdout)
