"""A worker whose clock is wrong: `python -m tests.faults.skewed_worker 120` is two minutes ahead, `-120` behind.

Only what Python asks for moves: `time.time()`, `datetime.now()`. Pauses (`time.monotonic()`) take as long as ever.
"""

import os
import sys
import time

import time_machine

from tests.servers import Process, Product


def skewed_worker(product: Product, seconds: float, **env: str) -> Process:
    """Starts one; it ends with the product."""
    command = [sys.executable, "-m", "tests.faults.skewed_worker", str(seconds)]
    return product.start(command, f"worker-at-{seconds:+g}.log", **env)


def main(seconds: float) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "qdn.settings")
    with time_machine.travel(time.time() + seconds, tick=True):
        from django.core.management import execute_from_command_line

        execute_from_command_line(["manage.py", "worker"])


if __name__ == "__main__":
    main(float(sys.argv[1]))
