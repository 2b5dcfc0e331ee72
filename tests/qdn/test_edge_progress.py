"""What a person sees who waits: on a terminal, and in a log."""

from io import StringIO

import pytest

from edge import manifest
from qdn.edge_progress import Told

RELEASE = manifest.of({"track.html": b"page", "404.html": b"none"})


class Terminal(StringIO):
    """Like Django's output: `write` ends the line unless told otherwise."""

    def __init__(self, is_terminal):
        super().__init__()
        self.is_terminal = is_terminal

    def isatty(self):
        return self.is_terminal

    def write(self, msg="", *, ending="\n"):
        return super().write(msg + ("\n" if ending is None else ending))

    def screen(self):
        """What is to be seen in the end: after a carriage return the line is written over."""
        lines = []
        for line in self.getvalue().split("\n"):
            seen = ""
            for part in line.split("\r"):
                seen = part + seen[len(part) :]
            lines.append(seen.rstrip())
        return lines[:-1] if lines[-1] == "" else lines


class Clock:
    def __init__(self):
        self.time = 100.0

    def __call__(self):
        return self.time


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def terminal():
    return Terminal(True)


@pytest.fixture
def log():
    return Terminal(False)


def test_on_a_terminal_a_phase_is_one_line_that_changes(terminal, clock):
    told = Told(terminal, clock)
    seen = []
    for done in (1, 2, 3):
        told.progress("checked", done, 3)
        seen.append(terminal.screen())
    told.progress("pages", 1, 2)

    assert seen == [["  checked: 1 of 3"], ["  checked: 2 of 3"], ["  checked: 3 of 3"]]
    assert terminal.screen() == ["  checked: 3 of 3", "  pages: 1 of 2"]


def test_a_terminal_shows_how_long_it_has_been_at_this_phase(terminal, clock):
    told = Told(terminal, clock)
    clock.time += 4
    told.progress("pages", 3, 3)
    told.progress("forgotten", 0, 1)
    assert terminal.screen()[-1] == "  forgotten: 0 of 1"
    clock.time += 35.9
    told.progress("forgotten", 0, 1)
    assert terminal.screen()[-1] == "  forgotten: 0 of 1, 35 s"
    clock.time += 5
    told.progress("forgotten", 1, 1)

    assert terminal.screen() == ["  pages: 3 of 3, 4 s", "  forgotten: 1 of 1, 40 s"]


def test_a_shorter_line_leaves_nothing_of_a_longer_one(terminal, clock):
    told = Told(terminal, clock)
    told.progress("a phase with a long name", 1, 20)
    told.progress("short", 1, 20)

    assert terminal.screen() == ["  short: 1 of 20"]


def test_a_log_has_a_line_for_each_phase_when_it_is_done(log, clock):
    told = Told(log, clock)
    for done in (1, 2, 3):
        told.progress("checked", done, 3)
        clock.time += 2
    clock.time += 1
    told.progress("pages", 1, 1)

    assert log.getvalue() == "  checked: 3, 4 s\n  pages: 1, 3 s\n"


def test_a_log_says_before_a_long_wait_what_is_waited_for_and_then_how_long_it_was(log, clock):
    told = Told(log, clock)
    for _ in range(4):
        told.progress("forgotten", 0, 1)
        clock.time += 60
    told.progress("forgotten", 1, 1)
    told.progress("forgotten", 0, 1)

    assert log.getvalue() == "  forgotten: 0 of 1 …\n  forgotten: 1, 240 s\n  forgotten: 0 of 1 …\n"


def looks(told, clock, *found):
    """Each look takes twelve seconds, and beats twice."""
    answers, beats = iter(found), []

    def verify(release, beat):
        assert release is RELEASE
        for _ in range(2):
            clock.time += 6
            beat()
        return next(answers)

    look = told.looking(verify)
    assert [look(RELEASE, lambda: beats.append(1)) for _ in found] == list(found)
    return len(beats)


def test_a_look_is_announced_and_what_it_found_is_said(log, clock):
    told = Told(log, clock)
    told.progress("pages", 1, 1)
    clock.time += 30  # not part of the look

    two, one = ["track.html: 500", "book.html: 500"], ["track.html: 500"]
    assert looks(told, clock, two, two, one, []) == 8
    assert log.getvalue().splitlines() == [
        "  pages: 1",
        "  looking at it as a customer has it …",
        "  looking at it as a customer has it: 2 problems so far, track.html: 500, 12 s",
        "  looking at it as a customer has it: 1 problem so far, track.html: 500, 12 s",
    ]


def test_another_release_is_another_look(log, clock):
    told = Told(log, clock)
    look = told.looking(lambda release, beat: [])
    for release in (RELEASE, RELEASE, manifest.of({"404.html": b"of before"})):
        look(release, lambda: None)

    assert log.getvalue() == "  looking at it as a customer has it …\n" * 2


def test_a_terminal_shows_how_long_a_look_takes(terminal, clock):
    told = Told(terminal, clock)
    seen = []
    look = told.looking(lambda release, beat: seen.append((beat(), terminal.screen()[-1])) or [])
    clock.time += 3
    look(RELEASE, lambda: setattr(clock, "time", clock.time + 7))

    assert seen == [(None, "  looking at it as a customer has it, 7 s")]
    assert terminal.screen() == ["  looking at it as a customer has it: all is well, 7 s"]


def test_what_comes_after_a_phase_that_broke_off_has_a_line_of_its_own(terminal, clock):
    told = Told(terminal, clock)
    told.finish()
    told.progress("assets", 2, 9)
    told.finish()
    told.finish()
    terminal.write("CommandError: no keys")

    assert terminal.screen() == ["  assets: 2 of 9", "CommandError: no keys"]
