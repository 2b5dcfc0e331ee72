from functools import partial

import pytest

from dispatch.line import Line, find, framed, with_line


class Transport:
    """Twisted's, as far as a line uses it: takes at most `room` bytes at once and keeps the rest in order."""

    def __init__(self, room=10**9):
        self.room, self.sent = room, b""
        self.dataBuffer, self.offset, self._tempDataBuffer, self._tempDataLen = b"", 0, [], 0

    def writeSomeData(self, data):
        if self.room is None:
            return ConnectionResetError("gone")
        taken, self.room = data[: self.room], self.room - len(data[: self.room])
        self.sent += taken
        return len(taken)

    def write(self, data):
        self._tempDataBuffer.append(data)
        self._tempDataLen += len(data)

    @property
    def everything(self):
        return self.sent + b"".join(self._tempDataBuffer)


class Protocol:
    STATE_OPEN, STATE_CLOSING = 3, 2

    def __init__(self, transport):
        self.transport, self.state = transport, self.STATE_OPEN


@pytest.mark.parametrize(
    ("length", "head"),
    [
        (0, b"\x81\x00"),
        (125, b"\x81\x7d"),
        (126, b"\x81\x7e\x00\x7e"),
        (70_000, b"\x81\x7f\x00\x00\x00\x00\x00\x01\x11\x70"),
    ],
)
def test_a_frame_is_the_one_of_the_standard(length, head):
    text = "x" * length

    assert framed(text) == head + text.encode()


def test_a_frame_counts_bytes_and_not_characters():
    assert framed("é½") == b"\x81\x04" + "é½".encode()


def test_what_the_socket_takes_is_written_at_once():
    transport = Transport()

    waiting = Line(Protocol(transport)).write("news")

    assert (waiting, transport.sent, transport._tempDataBuffer) == (0, framed("news"), [])


def test_what_it_does_not_take_waits_in_order():
    transport = Transport(room=3)
    line = Line(Protocol(transport))

    waiting = [line.write(text) for text in ("first", "second", "third")]

    assert transport.everything == framed("first") + framed("second") + framed("third")
    assert waiting == [len(framed("first")) - 3, len(framed("firstsecond")) - 1, len(transport.everything) - 3]


def test_what_already_waits_goes_first():
    transport = Transport()
    transport.dataBuffer, transport.offset = b"older, half sent", 7

    waiting = Line(Protocol(transport)).write("news")

    assert (transport.sent, waiting) == (b"", 9 + len(framed("news")))


def test_a_lost_connection_is_left_to_twisted():
    transport = Transport(room=None)

    Line(Protocol(transport)).write("news")

    assert transport._tempDataBuffer == [framed("news")]


def test_a_socket_that_is_closing_takes_nothing():
    transport = Transport()
    protocol = Protocol(transport)
    line = Line(protocol)
    protocol.state = Protocol.STATE_CLOSING

    assert (line.write("news"), transport.everything) == (0, b"")


@pytest.mark.parametrize("send", [print, partial(print), partial(print, object())])
def test_other_servers_have_no_line(send):
    assert find(send) is None


async def test_the_line_is_offered_to_sockets_only():
    seen = []

    async def application(scope, receive, send):
        seen.append(scope)

    for kind in ("http", "websocket"):
        await with_line(application)({"type": kind}, None, None)

    assert seen == [{"type": "http"}, {"type": "websocket", "line": None}]
