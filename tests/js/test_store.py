"""The page's own store, under Node: the same bad days as in Python, and a few rules by hand in store.test.mjs."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from dispatch import board, ranks
from tests.conftest import missing
from tests.dispatch.convergence_machine import BadDay, run

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "dispatch" / "static" / "dispatch" / "board"
BAD_DAYS, LONG = 12, 25
recorded: list[dict] = []


@pytest.fixture
def traces(db, monkeypatch) -> list[dict]:
    """What screens were given on bad days, and what they must show in the end. The same days in every run."""
    monkeypatch.setattr(ranks, "GAP", 4)
    monkeypatch.setattr(board, "DELTA_LIMIT", 4)
    if not recorded:
        run(type("Recorder", (BadDay,), {"traces": recorded}), BAD_DAYS, LONG, fixed=True)
    return recorded


@pytest.fixture
def node(tmp_path):
    """Runs the tests of store.test.mjs against a copy of the scripts; returns the exit code and what Node said."""
    path = os.pathsep.join([os.environ["PATH"], str(ROOT / ".venv" / "bin")])
    binary = shutil.which("node", path=path)
    if binary is None:
        missing("node")
    # A copy beside a package.json of its own: there, Node takes .js for modules as browsers do.
    scripts = shutil.copytree(SCRIPTS, tmp_path / "board")
    (scripts / "package.json").write_text('{"type": "module"}')

    def node(traces) -> tuple[int, str]:
        (tmp_path / "traces.json").write_text(json.dumps(traces))
        environment = {"PATH": path, "STORE": str(scripts / "store.js"), "TRACES": str(tmp_path / "traces.json")}
        command = [binary, "--test", str(ROOT / "tests" / "js" / "store.test.mjs")]
        ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
        return ran.returncode, ran.stdout + ran.stderr

    node.scripts = scripts
    return node


def test_the_pages_store_does_on_bad_days_what_it_does_in_python(node, traces):
    code, said = node(traces)

    assert code == 0, said
    assert sum(len(trace["events"]) for trace in traces) > 100


@pytest.mark.parametrize(
    ("rule", "without"),
    [
        ("!known || card.seq > known.seq", "true"),
        ("frame.epoch !== this.epoch || frame.from > this.seq", "frame.epoch !== this.epoch"),
    ],
    ids=["newer", "gap"],
)
def test_a_store_without_one_of_its_rules_is_found_out(node, traces, rule, without):
    script = node.scripts / "store.js"
    source = script.read_text()
    assert source.count(rule) == 1
    script.write_text(source.replace(rule, without))

    code, said = node(traces)

    assert (code, "screens agree" in said) == (1, True), said
