"""Node, for the scripts that need no page."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import missing

ROOT = Path(__file__).resolve().parents[2]
BOARD = ROOT / "dispatch" / "static" / "dispatch" / "board"


@pytest.fixture
def node(tmp_path):
    """Runs the tests of a file beside this one against a copy of the board's scripts, `node.scripts`, whose folder it finds
    in BOARD; returns the exit code and what Node said."""
    path = os.pathsep.join([os.environ["PATH"], str(ROOT / ".venv" / "bin")])
    binary = shutil.which("node", path=path)
    if binary is None:
        missing("node")
    # A copy beside a package.json of its own: there, Node takes .js for modules as browsers do.
    scripts = shutil.copytree(BOARD, tmp_path / "board")
    (scripts / "package.json").write_text('{"type": "module"}')

    def node(tests: str, **environment: str) -> tuple[int, str]:
        command = [binary, "--test", str(Path(__file__).parent / tests)]
        environment = {"PATH": path, "BOARD": str(scripts)} | environment
        ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
        return ran.returncode, ran.stdout + ran.stderr

    def without(script: str, rule: str, instead: str) -> None:
        """Takes a rule, which stands there once, out of the copy of a script."""
        source = (scripts / script).read_text()
        assert source.count(rule) == 1
        (scripts / script).write_text(source.replace(rule, instead))

    node.scripts, node.without = scripts, without
    return node
