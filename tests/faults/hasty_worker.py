"""A worker that waits a second for an answer, not fifteen, for tests in a hurry: `python -m tests.faults.hasty_worker`."""

import os

from botocore.config import Config


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "qdn.settings")
    from django.core.management import execute_from_command_line

    from dispatch.mirror.s3 import CompareAndSwapS3Storage as Storage

    Storage.PATIENCE = Storage.PATIENCE.merge(Config(connect_timeout=1, read_timeout=1))
    execute_from_command_line(["manage.py", "worker"])


if __name__ == "__main__":
    main()
