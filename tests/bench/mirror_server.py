"""An S3 server in a process of its own, so that its work is not the writers', and a log of what it did and when.

`python -m tests.bench.mirror_server LOG` runs until it is told to stop, or its parent is gone, or it had its time.
"""

import json
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

BUCKET, LONGEST_SECONDS = "bench", 600


@dataclass(frozen=True)
class Request:
    """`at` is the moment when the server had done it, before it answered; `seq` the number of the document in a PUT."""

    at: float
    method: str
    key: str
    status: int
    size: int
    seq: int


class Log:
    """A line for each request. The server writes it before it answers, so who has the answer finds the line."""

    def __init__(self, path: Path) -> None:
        self.path, self.read_to = path, 0

    def news(self) -> list[Request]:
        """What was asked since the last call."""
        with self.path.open("rb") as file:
            file.seek(self.read_to)
            lines = file.read().splitlines(keepends=True)
        whole = [line for line in lines if line.endswith(b"\n")]
        self.read_to += sum(map(len, whole))
        return [Request(*json.loads(line)) for line in whole]


class Server:
    def __init__(self, url: str, log: Path) -> None:
        from tests.s3 import client_at, env_at

        self.url, self.env, self.log_path = url, env_at(url, BUCKET), log
        self.client = client_at(url, patience=30)

    def log(self) -> Log:
        return Log(self.log_path)

    def read(self, key: str) -> Any:
        return json.loads(self.client.get_object(Bucket=BUCKET, Key=key)["Body"].read())


@contextmanager
def running() -> Iterator[Server]:
    from tests.servers import Process

    with tempfile.TemporaryDirectory(prefix="qdn-bench-s3-") as name:
        folder = Path(name)
        log, address = folder / "requests.log", folder / "address"
        process = Process(
            [sys.executable, "-m", "tests.bench.mirror_server", str(log), str(address)], folder / "server.log"
        )
        try:
            process.wait_until(address.exists)
            server = Server(address.read_text(), log)
            with closing(server.client):
                yield server
        finally:
            process.stop()


def serve(log: Path, address: Path) -> None:
    from tests import s3

    stop, parent = threading.Event(), os.getppid()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def log_request(handler: Any, code: Any = "-", *_: Any) -> None:
        headers = handler.headers
        size = headers.get("x-amz-decoded-content-length") or headers.get("content-length") or 0
        key = unquote(urlsplit(handler.path).path).removeprefix(f"/{BUCKET}/")
        line = [time.time(), handler.command, key, int(code), int(size), int(headers.get("x-amz-meta-seq") or 0)]
        os.write(file, json.dumps(line).encode() + b"\n")

    s3.Handler.log_request = log_request
    with s3.running_s3(BUCKET) as server:
        draft = address.with_suffix(".draft")
        draft.write_text(server.url)
        draft.rename(address)
        until = time.monotonic() + LONGEST_SECONDS
        while not stop.wait(1) and os.getppid() == parent and time.monotonic() < until:
            pass


if __name__ == "__main__":
    serve(*map(Path, sys.argv[1:]))
