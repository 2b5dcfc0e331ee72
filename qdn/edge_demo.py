"""`python -m qdn.edge_demo`, `make edge-demo`: the customers' side as Amazon would serve it, on this machine.

The product runs as `manage.py demo` at PORT, in a process of its own that may be killed. A release is staged and promoted,
and this process serves the folder of production at PORT+100, as the distribution would: without the server, and with
nothing but public copies of jobs to go by. Ctrl-C stops both.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.request import urlopen

PORT = int(os.environ.get("PORT") or 8000)
HOST, ROOT = "127.0.0.1", Path(__file__).resolve().parent.parent
SITE_PORT = PORT + 100
ORIGINS = {"PUBLIC_ORIGIN": f"http://{HOST}:{SITE_PORT}", "API_ORIGIN": f"http://{HOST}:{PORT}"}
os.environ.update(ORIGINS)
AMAZONS = (
    "SITE_BUCKET", "STATE_BUCKET", "MEDIA_BUCKET", "MEDIA_ORIGIN", "EDGE_FUNCTION", "SITE_DISTRIBUTIONS",
    "STAGING_FUNCTION", "STAGING_DISTRIBUTIONS", "STAGING_ORIGIN",
)  # fmt: skip
IGNORED = [name for name in AMAZONS if os.environ.pop(name, "")]
"""A demo writes into no bucket and leaves the pages of a real site alone, whatever shell it is started from."""
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "qdn.settings")

import django  # noqa: E402  # after the environment that its settings read

django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import CommandError, call_command  # noqa: E402
from django.db import Error  # noqa: E402
from django.db.models import F  # noqa: E402

from dispatch.models import Job  # noqa: E402
from edge.pointer import PRODUCTION  # noqa: E402
from edge.serving import serving  # noqa: E402
from qdn import edge_places  # noqa: E402
from qdn.site import SiteStore  # noqa: E402

SECONDS = 60


def main() -> int:
    for number in (signal.SIGINT, signal.SIGTERM):  # also where a shell has started it in the background
        signal.signal(number, stop)
    if IGNORED:
        say(f"A demo is without Amazon: {', '.join(IGNORED)} not used.")
    log = settings.VAR_DIR / "edge-demo.log"
    with log.open("wb") as output:
        command = [sys.executable, "-u", "manage.py", "demo"]
        product = subprocess.Popen(  # noqa: S603 our own
            command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True
        )
        try:
            wait_for(product, log)
            release()
            with serving(
                SiteStore(), edge_places.read_state, PRODUCTION, SITE_PORT, edge_places.live_rewrite(PRODUCTION),
                edge_places.page_headers(),
            ):  # fmt: skip
                welcome(product.pid, log)
                while True:
                    time.sleep(3600)
        except KeyboardInterrupt:
            say("\nStopped.")
        except (CommandError, OSError, NotUp, Error) as error:
            say(edge_places.reason(error) if isinstance(error, Error) else str(error), sys.stderr)
            return 1
        finally:
            product.terminate()
            product.wait()
    return 0


class NotUp(Exception):
    """The product did not start. The message says what it said."""


def wait_for(product: subprocess.Popen[bytes], log: Path) -> None:
    """Until it answers and has copied its jobs. Raises NotUp."""
    say("Starting the product …")
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        if product.poll() is not None:
            raise NotUp(log.read_text(errors="replace").strip().splitlines()[-1])
        if is_ready() and not Job.objects.filter(mirrored_seq__lt=F("seq")).exists():
            return
        time.sleep(0.2)
    raise NotUp(f"the product was not ready within {SECONDS} s: see {log}")


def is_ready() -> bool:
    try:
        with urlopen(f"{ORIGINS['API_ORIGIN']}/readyz", timeout=2) as answer:  # noqa: S310 on this machine
            return bool(answer.status == 200)
    except OSError:
        return False


def release() -> None:
    call_command("edge", "stage")
    call_command("edge", "promote")


def welcome(pid: int, log: Path) -> None:
    job = Job.objects.filter(status="en_route").first() or Job.objects.first()
    given = {"VAR_DIR": os.environ["VAR_DIR"]} if "VAR_DIR" in os.environ else {}
    environment = " ".join(f"{name}={value}" for name, value in (ORIGINS | {"PORT": PORT} | given).items())
    lines = [
        "", "The customers' side is running, without Amazon.", "",
        f"  A customer  {job.tracking_link}" if job else "",
        f"  Booking     {ORIGINS['PUBLIC_ORIGIN']}/book",
        f"  Board       {ORIGINS['API_ORIGIN']}/board/main/   (ana, quickdump): move the job and watch the page", "",
        f"  kill {pid}   ends the server: the page goes on with the public copies. Its log is {log}", "",
        "In another shell (the pages are made for these addresses):", "",
        f"  export {environment}",
        "  .venv/bin/python manage.py edge status",
        f"  .venv/bin/python manage.py trace {job.tracking_link}" if job else "",
        "  (change a word in templates/tracking/track.html)",
        "  .venv/bin/python manage.py edge stage && .venv/bin/python manage.py edge promote",
        "  .venv/bin/python manage.py edge rollback", "",
        "Ctrl-C stops it.", "",
    ]  # fmt: skip
    say("\n".join(lines))


def say(text: str, to: Any = sys.stdout) -> None:
    to.write(f"{text}\n")
    to.flush()


def stop(*_: Any) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
