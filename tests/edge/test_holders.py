"""Whether a process is still there, tried with real ones."""

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from edge import holders
from tests.edge.ended import ended

pytestmark = pytest.mark.processes


@pytest.fixture
def sleeper():
    """(process, its holder)"""
    code = "from edge import holders; print(holders.new(), flush=True); input()"
    child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with child:
        yield child, child.stdout.readline().strip()
        child.kill()


def test_a_process_of_this_machine_is_there_until_it_ends(sleeper):
    child, holder = sleeper
    assert (holders.is_here(holder), holders.is_gone(holder)) == (True, False)

    child.send_signal(signal.SIGSTOP)
    assert holders.is_gone(holder) is False

    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and nobody has asked how
    assert holders.is_gone(holder) is True

    child.wait()
    assert holders.is_gone(holder) is True


def test_this_process_is_there_and_different_each_time():
    first, second = holders.new(), holders.new()

    assert first != second
    assert (holders.is_gone(first), holders.is_here(first)) == (False, True)
    assert holders.host(first) == socket.gethostname()


def test_a_number_that_was_given_again_is_another_process():
    machine, pid, started, random = holders.new().split(":")

    assert holders.is_gone(f"{machine}:{pid}:{int(started) - 1}:{random}") is True
    assert holders.is_gone(f"{machine}:{pid}::{random}") is False  # a system that does not say


def test_of_another_machine_nothing_is_known():
    """Another name, or the same name in another container or before this machine was started anew."""
    machine, *rest = ended().split(":")
    name, _, boot = machine.partition("/")
    for other in (f"elsewhere/{boot}", f"{name}/{'0' * 8}"):
        holder = ":".join((other, *rest))
        assert (holders.is_here(holder), holders.is_gone(holder)) == (False, False)
        assert holders.host(holder) == other.partition("/")[0]


@pytest.mark.parametrize("holder", ["", "0123456789abcdef", "x:y:z", "a/00000000:0:1:0123456789abcdef"])
def test_what_does_not_say_who_it_is_is_not_gone(holder):
    assert (holders.is_here(holder), holders.is_gone(holder), holders.host(holder)) == (False, False, "")


def test_a_process_of_somebody_else_is_there():
    """The first one of all is not ours to signal."""
    machine, _, _, random = holders.new().split(":")
    fields = Path("/proc/1/stat").read_bytes().rpartition(b")")[2].split()
    holder = f"{machine}:1:{fields[19].decode()}:{random}"

    child = os.fork()
    if child == 0:
        if os.getuid() == 0:
            os.setuid(65534)
        os._exit(holders.is_gone(holder))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_name_of_a_machine_does_not_break_the_form(monkeypatch):
    monkeypatch.setattr(socket, "gethostname", lambda: "a:b/c")

    assert re.match(r"a-b-c/[0-9a-f]{8}:\d+:\d+:[0-9a-f]{16}$", holders.new())
    assert holders.is_here(holders.new())


@pytest.mark.parametrize("part", ["_boot", "_numbers"], ids=["started anew", "another container"])
def test_a_number_counts_only_where_it_was_given(monkeypatch, part):
    holder = ended()
    monkeypatch.setattr(holders, part, lambda: b"another")

    assert (holders.is_here(holder), holders.is_gone(holder)) == (False, False)
