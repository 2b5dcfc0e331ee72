"""Who is at it: one process of one machine, so that nobody waits for a process that has ended.

    <host>/<where its number counts>:<its number>:<when it started>:<random>

A number is looked up only where it was given: two containers may have one host name, and a machine starts anew.
"""

import hashlib
import os
import re
import secrets
import socket
from pathlib import Path

FORM = re.compile(r"(?P<machine>(?P<host>[^/:]*)/[0-9a-f]{8}):(?P<pid>[1-9]\d{0,8}):(?P<started>\d*):[0-9a-f]{16}")
ENDED = {b"Z", b"X"}
"""States of a process that has ended, and whose parent has not heard of it yet."""


def new() -> str:
    """This process, and different each time: two of its threads are two."""
    return f"{_machine()}:{os.getpid()}:{_started(os.getpid()) or ''}:{secrets.token_hex(8)}"


def is_gone(holder: str) -> bool:
    """Whether its process has ended for sure. Of another machine nothing is known from here."""
    found = FORM.fullmatch(holder)
    return found is not None and is_here(holder) and not _is_running(int(found["pid"]), found["started"])


def is_here(holder: str) -> bool:
    """Whether it is a process of this machine."""
    found = FORM.fullmatch(holder)
    return found is not None and found["machine"] == _machine()


def host(holder: str) -> str:
    """The machine's name; nothing when it does not say."""
    found = FORM.fullmatch(holder)
    return found["host"] if found else ""


def _machine() -> str:
    return f"{re.sub('[/:]', '-', socket.gethostname())}/{hashlib.sha256(_boot() + _numbers()).hexdigest()[:8]}"


def _boot() -> bytes:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_bytes()
    except OSError:
        return b""


def _numbers() -> bytes:
    """What the numbers of processes belong to: a container has its own."""
    try:
        return os.fsencode(os.readlink("/proc/self/ns/pid"))
    except OSError:
        return b""


def _is_running(pid: int, started: str) -> bool:
    """A number is given again, so the time has to be the same, too."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it is there, and somebody else's
    now = _started(pid)
    return now is None or not started or now == started


def _started(pid: int) -> str | None:
    """In ticks since the machine started; empty for one that has ended, None where the system does not say."""
    try:
        state, *fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return None
    return "" if state in ENDED else fields[18].decode()
