"""`make edge-demo`: one process that serves what customers get, one that may be killed."""

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.postgres import free_port
from tests.servers import ONLY_OURS
from tests.waiting import wait_for

pytestmark = pytest.mark.processes
ROOT = Path(__file__).parents[2]


def two_free_ports() -> int:
    """A port whose hundredth neighbour is free, too."""
    return wait_for(lambda: next((port for port in [free_port()] if port < 65_000 and is_free(port + 100)), 0), "two ports")


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return answer.read()


def test_the_customers_side_goes_on_when_the_server_is_killed(tmp_path):
    port = two_free_ports()
    inherited = {name: value for name, value in os.environ.items() if name not in {*ONLY_OURS, "DJANGO_SETTINGS_MODULE"}}
    amazons = dict.fromkeys(("SITE_BUCKET", "STATE_BUCKET", "EDGE_FUNCTION", "SITE_DISTRIBUTIONS"), "real")
    amazons |= {"STAGING_DISTRIBUTIONS": "E3", "STAGING_ORIGIN": "https://staging.example.com"}
    env = inherited | amazons | {"PORT": str(port), "VAR_DIR": str(tmp_path)}
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "qdn.edge_demo"], cwd=ROOT, env=env, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        said = ""
        for line in process.stdout:
            said += line
            if "Ctrl-C stops it" in line:
                break
        assert said.startswith(
            "A demo is without Amazon: SITE_BUCKET, STATE_BUCKET, EDGE_FUNCTION, SITE_DISTRIBUTIONS, "
        ), said
        assert (tmp_path / "site" / "production" / "track.html").exists()
        link = re.search(r"A customer +(\S+)", said)[1]
        assert link.startswith(f"http://127.0.0.1:{port + 100}/track/"), said
        assert b"data-shell" in get(link)
        server = int(re.search(r"kill (\d+)", said)[1])
        os.kill(server, signal.SIGKILL)

        copy = get(f"http://127.0.0.1:{port + 100}/state/track/{link.rpartition('/')[2]}.json")
        assert b'"headline"' in copy
        assert b"data-shell" in get(link)
    finally:
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=30)
    assert (process.returncode, rest.strip().splitlines()[-1:]) == (0, ["Stopped."])


def test_a_port_that_is_taken_is_a_line(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        inherited = {
            name: value for name, value in os.environ.items() if name not in {*ONLY_OURS, "DJANGO_SETTINGS_MODULE"}
        }
        env = inherited | {"PORT": str(taken.getsockname()[1]), "VAR_DIR": str(tmp_path)}
        ran = subprocess.run(
            [sys.executable, "-m", "qdn.edge_demo"], cwd=ROOT, env=env, capture_output=True, text=True, timeout=60
        )

    assert ran.returncode == 1
    assert ran.stderr.startswith("CommandError: port ")
    assert ran.stderr.count("\n") == 1


def test_a_database_that_cannot_be_read_is_a_line(tmp_path, monkeypatch, capsys):
    """Without the product, which would make its tables."""
    env = {name: value for name, value in os.environ.items() if name not in {*ONLY_OURS, "DJANGO_SETTINGS_MODULE"}}
    code = (
        "import qdn.edge_demo as demo\n"
        "demo.is_ready = lambda: True\n"
        "demo.subprocess.Popen = lambda *args, **options: real(['sleep', '60'])\n"
        "raise SystemExit(demo.main())"
    )
    ran = subprocess.run(
        [sys.executable, "-c", f"import subprocess\nreal = subprocess.Popen\n{code}"], cwd=ROOT, capture_output=True,
        env=env | {"VAR_DIR": str(tmp_path), "PORT": str(two_free_ports())}, text=True, timeout=60,
    )  # fmt: skip

    assert (ran.returncode, ran.stderr) == (1, "the database cannot be read: no such table: dispatch_job\n")
