"""The edge on one machine: nginx runs the very edge function in front of a cache, as CloudFront does, before the folders
that stand for the buckets and before the server. Needs no rights, keeps its files in a folder that goes with it.
"""

import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from edge.engine import FUNCTION
from edge.manifest import ASK_AGAIN, FOREVER, TYPES

HERE = Path(__file__).parent
UNPACKED = HERE.parent.parent / ".venv" / "nginx"
"""Where `.ci/setup` unpacks nginx, because installing it would start a server on port 80."""
MODULE = Path("usr/lib/nginx/modules/ngx_http_js_module.so")
START_SECONDS = 10
UNSAFE = set(" \t\r\n\"'\\;{}$#%")
"""What means something in an nginx configuration."""
PLACE = re.compile(r"(?:[\w.-]+|\[[\da-fA-F:.]+\]):[0-9]{1,5}", re.ASCII)


class CannotRun(Exception):
    """The edge cannot be started. Its message is one line for the person at the keyboard."""


@dataclass(frozen=True)
class LocalEdge:
    """What it stands in front of. `site` is a folder with `track.html`, `state` the public part of the mirror, `dispatch`
    host and port of the server. `log` gets a line for each request that the cache did not answer."""

    site: Path
    state: Path
    dispatch: str
    port: int
    page_seconds: int
    state_seconds: int
    log: Path

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def write(self, folder: Path, module: Path) -> Path:
        """Writes what nginx needs into the folder; returns the configuration. Raises CannotRun."""
        values = {
            "folder": folder, "module": module, "log": self.log.resolve(),
            "site": self.site.resolve(), "state": self.state.resolve(), "dispatch": self.dispatch, "port": self.port,
            "page_seconds": self.page_seconds, "state_seconds": self.state_seconds,
        }  # fmt: skip
        if not PLACE.fullmatch(self.dispatch):
            raise CannotRun(f"dispatch: {self.dispatch}: expected host:port, such as 127.0.0.1:8000")
        for name, value in values.items():
            if UNSAFE & set(str(value)):
                raise CannotRun(f"{name}: {value}: nginx cannot take an address with such characters")
        types = " ".join(f'"{type_}" {suffix.lstrip(".")};' for suffix, type_ in TYPES.items())
        values |= {"types": types, "ask_again": ASK_AGAIN, "forever": FOREVER}
        (folder / "edge.js").write_text(FUNCTION.read_text() + "\n" + (HERE / "adapter.js").read_text())
        configuration = folder / "nginx.conf"
        configuration.write_text((HERE / "nginx.conf").read_text() % values)
        return configuration


def find() -> tuple[Path, Path]:
    """nginx and its JavaScript module. Raises CannotRun."""
    installed = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    for program, root in ((installed, Path("/")), (UNPACKED / "usr/sbin/nginx", UNPACKED)):
        if program and Path(program).exists() and (root / MODULE).exists():
            return Path(program), root / MODULE
    raise CannotRun("nginx with JavaScript is missing: `.ci/setup edge` unpacks it where there is apt-get")


@contextmanager
def running(edge: LocalEdge) -> Iterator[subprocess.Popen[bytes]]:
    """Answers at `edge.origin` until the block ends. Raises CannotRun."""
    program, module = find()
    if not (edge.site / "track.html").is_file():
        raise CannotRun(
            f"{edge.site}: there is no site: `manage.py edge stage` and `manage.py edge promote` bring one there"
        )
    refuse_taken(edge.port)
    with tempfile.TemporaryDirectory(prefix="qdn-edge-") as name:
        command = [str(program), "-e", "stderr", "-p", name, "-c", str(edge.write(Path(name), module))]
        nginx = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603 our own configuration
        try:
            wait_until_up(nginx, edge.port)
            yield nginx
        finally:
            nginx.terminate()
            nginx.wait()


def refuse_taken(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise CannotRun(f"port {port}: {error.strerror}. Choose another with --port") from None


def wait_until_up(nginx: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while nginx.poll() is None and time.monotonic() < deadline:
        if answers("127.0.0.1", port):
            return
        time.sleep(0.02)
    raise CannotRun("nginx did not start; what it says about it is above")


def answers(host: str, port: int) -> bool:
    with suppress(OSError), socket.create_connection((host, port), timeout=1):
        return True
    return False
