"""`python -m edge.local`, `make edge`: the edge on this machine, in front of what `make run` started. Ctrl-C stops it."""

import argparse
import os
import signal
import sys
from pathlib import Path
from typing import Any

from .nginx import CannotRun, LocalEdge, answers, running

VAR = Path(os.environ.get("VAR_DIR") or Path(__file__).resolve().parents[2] / "var")


def main(arguments: list[str]) -> int:
    edge = LocalEdge(**vars(parse(arguments)))
    for number in (signal.SIGINT, signal.SIGTERM):  # also where a shell has started it in the background
        signal.signal(number, stop)
    try:
        with running(edge) as nginx:
            welcome(edge)
            nginx.wait()
    except CannotRun as reason:
        sys.stderr.write(f"{reason}\n")
        return 1
    except KeyboardInterrupt:
        sys.stdout.write("\nStopped.\n")
        return 0
    sys.stderr.write("nginx has ended by itself\n")
    return 1


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m edge.local", description=__doc__)
    parser.add_argument("--port", type=int, default=8080, help="where it listens, on 127.0.0.1")
    parser.add_argument("--site", type=Path, default=VAR / "site" / "production", help="folder with the pages")
    parser.add_argument("--state", type=Path, default=VAR / "state" / "public", help="folder with public copies of jobs")
    parser.add_argument("--dispatch", default=f"127.0.0.1:{os.environ.get('PORT') or 8000}", help="host:port of the server")
    parser.add_argument("--page-seconds", type=int, default=60, metavar="N", help="how long pages are kept")
    parser.add_argument("--state-seconds", type=int, default=5, metavar="N", help="how long copies of jobs are kept")
    parser.add_argument("--log", type=Path, default=Path(os.devnull), help="gets what the cache did not answer")
    return parser.parse_args(arguments)


def welcome(edge: LocalEdge) -> None:
    copy = next(edge.state.glob("track/*.json"), None)
    host, _, port = edge.dispatch.rpartition(":")
    lines = ["", f"The edge is running on {edge.origin}", ""]
    lines += [f"  A customer  {edge.origin}/track/{copy.stem}"] if copy else []
    lines += [f"  Booking     {edge.origin}/book", f"  Pages       {edge.site}, kept for {edge.page_seconds} s"]
    if port.isdigit() and answers(host, int(port)):
        lines.append(f"  API         http://{edge.dispatch}")
    else:
        lines.append(f"  API         nothing answers at {edge.dispatch} yet: `make run` starts it")
    sys.stdout.write("\n".join([*lines, "", "Ctrl-C stops it.", ""]))
    sys.stdout.flush()


def stop(*_: Any) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
