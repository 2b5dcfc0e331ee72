"""The probe against small servers that answer wrongly, each in its own way."""

import base64
import hashlib
import json
import socket
import threading
from contextlib import contextmanager, suppress

import pytest

from qdn import socket_probe
from qdn.socket_probe import NoSocket

HELLO, ORIGIN = {"type": "hello", "token": "t" * 32}, "https://go.example.com"


def accepts(request: bytes) -> bytes:
    key = next(line.split(b": ")[1] for line in request.split(b"\r\n") if line.startswith(b"Sec-WebSocket-Key"))
    digest = hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
    return b"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: " + base64.b64encode(digest) + b"\r\n\r\n"


@contextmanager
def server(answer):
    """Reads the handshake, and leaves the rest to `answer(line, handshake)`."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve():
        line, _ = listening.accept()
        with line:
            request = b""
            while b"\r\n\r\n" not in request:
                request += line.recv(4096)
            answer(line, request)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        listening.close()
        thread.join(5)


def after_a_hello(*frames: bytes):
    def answer(line, request):
        line.sendall(accepts(request))
        line.recv(4096)
        for frame in frames:
            line.sendall(frame)

    return answer


def text(content: dict) -> bytes:
    payload = json.dumps(content).encode()
    length = bytes([len(payload)]) if len(payload) < 126 else b"\x7e" + len(payload).to_bytes(2)
    return b"\x81" + length + payload


@pytest.mark.parametrize(
    ("frames", "answer"),
    [
        ([text({"type": "state"})], {"type": "state"}),
        ([text({"type": "state", "long": "x" * 40_000})], {"type": "state", "long": "x" * 40_000}),
        ([b"\x89\x00", text({"type": "state"})], {"type": "state"}),
        ([text({"type": "state"})[:3], text({"type": "state"})[3:]], {"type": "state"}),
        ([b"\x88\x02" + (4004).to_bytes(2)], 4004),
        ([b"\x88\x00"], 1005),
    ],
    ids=["a state", "a long one", "after a ping", "in pieces", "4004", "closed without a code"],
)
def test_the_first_answer_is_returned(frames, answer):
    with server(after_a_hello(*frames)) as origin:
        assert socket_probe.ask(origin, HELLO, ORIGIN) == answer


def test_it_says_hello_as_a_page_does():
    got = {}

    def answer(line, request):
        got["request"] = request.decode()
        line.sendall(accepts(request))
        frame = line.recv(4096)
        mask, masked = frame[2:6], frame[6:]
        got["hello"] = json.loads(bytes(byte ^ mask[at % 4] for at, byte in enumerate(masked)))
        line.sendall(b"\x88\x00")

    with server(answer) as origin:
        socket_probe.ask(origin, HELLO, ORIGIN)

    assert got["request"].startswith("GET /ws/track/ HTTP/1.1\r\n")
    assert f"\r\nOrigin: {ORIGIN}\r\n" in got["request"]
    assert got["hello"] == HELLO


def sends(content: bytes):
    return lambda line, request: line.sendall(content)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (sends(b"HTTP/1.1 404 Not Found\r\n\r\n"), "the server answered “HTTP/1.1 404 Not Found” instead of 101"),
        (sends(b"HTTP/1.1 101 Yes\r\n\r\n"), "the server answered 101, and its handshake is not that of a websocket"),
        (sends(b"x" * 20_000), "what answers there does not speak HTTP"),
        (sends(b""), "the line was cut"),
        (after_a_hello(), "the line was cut"),
        (after_a_hello(b"\x81\x05no"), "the line was cut"),
        (after_a_hello(b"\x81\x7f" + (1 << 40).to_bytes(8)), "a message of 1,099,511,627,776 bytes is no customer's job"),
        (after_a_hello(b"\x81\x02no"), "Expecting value: line 1 column 1 (char 0)"),
    ],
    ids=["404", "a false 101", "no HTTP", "hangs up", "says nothing", "half a frame", "a huge one", "no JSON"],
)
def test_what_came_instead_is_said(answer, words):
    with server(answer) as origin, pytest.raises(NoSocket) as error:
        socket_probe.ask(origin, HELLO, ORIGIN)

    assert str(error.value) == words


def test_a_server_that_takes_no_sockets_of_that_page():
    with server(sends(b"HTTP/1.1 403 Access denied\r\n\r\n")) as origin, pytest.raises(socket_probe.Denied):
        socket_probe.ask(origin, HELLO, ORIGIN)


def test_nobody_there(unused_tcp_port):
    with pytest.raises(NoSocket, match="Connection refused"):
        socket_probe.ask(f"http://127.0.0.1:{unused_tcp_port}", HELLO, ORIGIN)


def trickles(line, request):
    line.sendall(accepts(request))
    with suppress(OSError):
        while True:
            line.sendall(b"\x89\x00")  # pings, for ever
            threading.Event().wait(0.05)


def stays_silent(line, request):
    with suppress(OSError):
        while line.recv(4096):  # until it is hung up on
            pass


@pytest.mark.parametrize("answer", [stays_silent, trickles])
def test_whoever_never_answers_is_not_waited_for(answer):
    with server(answer) as origin, pytest.raises(NoSocket, match=r"no answer within 0\.4 s"):
        socket_probe.ask(origin, HELLO, ORIGIN, seconds=0.4)
