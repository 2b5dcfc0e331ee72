"""Servers for tests: a Redis, and the product itself as real processes with a database and a folder of their own.

Everything listens on 127.0.0.1 on a free port, is ended by its pid, and shows its log when something goes wrong.
"""

import atexit
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from tests.postgres import free_port
from tests.waiting import wait_for

ROOT = Path(__file__).resolve().parent.parent
SET_UP = """
from django.core.management import call_command
from tests.factories import make_user
call_command("migrate", verbosity=0)
make_user("ana", "view_job", "change_job", "add_job")
"""
ONLY_OURS = (
    "STATE_BUCKET", "SITE_BUCKET", "MEDIA_BUCKET", "REDIS_URL", "DATABASE_URL", "API_ORIGIN", "AWS_ENDPOINT_URL",
    "S3_ADDRESSING_STYLE", "MIRROR_LEASE_SECONDS", "MIRROR_UPLOADS", "METRICS_TOKEN",
    "MESSAGE_LEASE_SECONDS", "SMS_BACKEND", "MEDIA_ORIGIN", "EDGE_FUNCTION", "SITE_DISTRIBUTIONS", "STAGING_FUNCTION",
    "STAGING_DISTRIBUTIONS", "STAGING_ORIGIN",
)  # fmt: skip


class Process:
    """A child process with a log file. Stopping it twice is fine."""

    def __init__(self, command: list[str], log: Path, env: dict[str, str] | None = None) -> None:
        self.log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
            )

    def stop(self, number: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def wait_until(self, ready: Callable[[], Any], seconds: float = 100) -> None:
        def ready_or_dead() -> bool:
            return self.process.poll() is not None or bool(ready())

        try:
            wait_for(ready_or_dead, "it is up", seconds)
            assert self.process.poll() is None, "it ended"
        except AssertionError as error:
            raise AssertionError(f"{self.process.args!r}: {error}\n{self.read_log()}") from None

    def read_log(self) -> str:
        return self.log.read_text(errors="replace")[-4000:] if self.log.exists() else ""


def redis_binary() -> str | None:
    return shutil.which("redis-server") or shutil.which("valkey-server")


class Redis:
    """Keeps nothing on disk. `stop` and `start` again on the same port."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.running: Process | None = None

    def start(self) -> None:
        command = [str(redis_binary()), "--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self.folder)]
        self.running = Process([*command, "--save", "", "--appendonly", "no"], self.folder / "redis.log")
        self.running.wait_until(self.answers)

    def stop(self, number: int = signal.SIGKILL) -> None:
        if self.running:
            self.running.stop(number)
            self.running = None

    def answers(self) -> bool:
        import redis

        with redis.Redis(port=self.port, socket_timeout=1, retry=None) as client:
            try:
                return bool(client.ping())
            except redis.RedisError:
                return False


@contextmanager
def running_redis() -> Iterator[Redis]:
    with tempfile.TemporaryDirectory(prefix="qdn-redis-") as folder:
        server = Redis(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop()


class Product:
    """One migrated database and one VAR_DIR, and as many server and worker processes as a test asks for."""

    def __init__(self, folder: Path, processes: ExitStack, **env: str) -> None:
        self.folder, self.processes, self.port = folder, processes, free_port()
        self.origin = f"http://127.0.0.1:{self.port}"
        self.started: list[Process] = []
        inherited = {name: value for name, value in os.environ.items() if name not in ONLY_OURS}
        self.env = inherited | {
            "DJANGO_SETTINGS_MODULE": "qdn.settings",
            "VAR_DIR": str(folder),
            "DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}",
            "PUBLIC_ORIGIN": self.origin,
            "PYTHONWARNINGS": "default",
        } | env  # fmt: skip

    def manage(self, *arguments: str) -> str:
        ran = subprocess.run(
            [sys.executable, "manage.py", *arguments], cwd=ROOT, env=self.env, capture_output=True, text=True, timeout=200
        )
        assert ran.returncode == 0, f"manage.py {arguments[0]}: {ran.stderr or ran.stdout}"
        return ran.stdout

    def shell(self, code: str) -> str:
        """Runs Python against the product's database, from a process of its own; returns what it printed."""
        return self.manage("shell", "-v0", "-c", code).strip()

    def add_user(self, username: str, *permissions: str) -> None:
        """The password is `password`."""
        self.shell(f"from tests.factories import make_user\nmake_user({username!r}, *{permissions!r})")

    def add_job(self, location: str = "1428 Elm St") -> tuple[str, str]:
        """Opens a job on the main board; returns its uid and its token."""
        code = (
            "from dispatch.models import Board\nfrom tests.factories import make_job\n"
            f"job = make_job(Board.objects.get(slug='main'), location={location!r})\nprint(job.uid, job.token)"
        )
        uid, token = self.shell(code).splitlines()[-1].split()
        return uid, token

    def serve(self, port: int | None = None) -> str:
        """Starts a server process; returns its origin. Further ones share database, folder and PUBLIC_ORIGIN."""
        port = port or self.port
        command = [sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", str(port)]
        command += ["--websocket-max-message-size", "65536", "--application-close-timeout", "2", "qdn.asgi:application"]
        origin = f"http://127.0.0.1:{port}"
        server = self.start(command, f"daphne-{port}.log")
        server.wait_until(lambda: is_ready(origin))
        return origin

    def work(self, **env: str) -> Process:
        return self.start([sys.executable, "manage.py", "worker"], "worker.log", **env)

    def start(self, command: list[str], log: str, **env: str) -> Process:
        """It ends with the product."""
        process = Process(command, self.folder / f"{len(self.started)}-{log}", self.env | env)
        self.started.append(process)
        self.processes.callback(process.stop)
        return process

    def logs(self) -> str:
        return "\n".join(f"--- {log.name}\n{log.read_text(errors='replace')[-4000:]}" for log in self.folder.glob("*.log"))


def is_ready(origin: str) -> bool:
    try:
        return httpx.get(f"{origin}/readyz", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


@contextmanager
def product(like: Path | None = None, **env: str) -> Iterator[Product]:
    """A migrated product with Ana the dispatcher and nothing running yet: call `serve()` and `work()`. All of it ends with
    the block. `like` is the folder of another one whose database it begins with. SQLite, unless `env` has another."""
    with tempfile.TemporaryDirectory(prefix="qdn-product-") as folder, ExitStack() as processes:
        made = Product(Path(folder), processes, **env)
        if "DATABASE_URL" in env:
            made.shell(SET_UP)
        else:
            shutil.copy((like or migrated()) / "db.sqlite3", folder)
        yield made


@cache
def migrated() -> Path:
    """The folder of a product that was set up, to copy its database: that takes seconds, and is the same each time."""
    folder = tempfile.TemporaryDirectory(prefix="qdn-migrated-")
    atexit.register(folder.cleanup)
    Product(Path(folder.name), ExitStack()).shell(SET_UP)
    return Path(folder.name)
