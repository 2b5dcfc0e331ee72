"""A disk that is full after a few kilobytes."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import missing


@contextmanager
def small_disk(kilobytes: int) -> Iterator[Path]:
    """An empty folder of its own with room for that much, in pages of 4 KiB."""
    with tempfile.TemporaryDirectory(prefix="qdn-small-disk-") as folder:
        if failure := mount(folder, kilobytes):
            missing(f"a small disk ({failure})")
        try:
            yield Path(folder)
        finally:
            # Lazily: it leaves the tree now, whoever still has a file open there.
            subprocess.run(["umount", "--lazy", folder], check=True, timeout=20)


def enlarge(folder: Path, kilobytes: int) -> None:
    """Somebody makes room on the small disk."""
    command = ["mount", "-o", f"remount,size={kilobytes}k", str(folder)]
    subprocess.run(command, check=True, capture_output=True, timeout=20)


def mount(folder: str, kilobytes: int) -> str:
    """Why it cannot, or nothing."""
    if os.getuid() != 0:
        return "only root may mount"
    command = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k,mode=700", "qdn-small-disk", folder]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=20)
    return ran.stderr.strip() if ran.returncode else ""
