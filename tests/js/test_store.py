"""The page's own store, under Node: the same bad days as in Python, and a few rules by hand in store.test.mjs."""

import json
from pathlib import Path

import pytest

from dispatch import board, ranks
from tests.dispatch.convergence_machine import BadDay, run

BAD_DAYS, LONG = 12, 25
recorded: list[dict] = []


@pytest.fixture
def traces(db, monkeypatch, tmp_path) -> Path:
    """A file of what screens were given on bad days, and what they must show in the end. The same days in every run."""
    monkeypatch.setattr(ranks, "GAP", 4)
    monkeypatch.setattr(board, "DELTA_LIMIT", 4)
    if not recorded:
        run(type("Recorder", (BadDay,), {"traces": recorded}), BAD_DAYS, LONG, fixed=True)
    file = tmp_path / "traces.json"
    file.write_text(json.dumps(recorded))
    return file


def test_the_pages_store_does_on_bad_days_what_it_does_in_python(node, traces):
    code, said = node("store.test.mjs", TRACES=str(traces))

    assert code == 0, said
    assert sum(len(trace["events"]) for trace in recorded) > 100


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

    code, said = node("store.test.mjs", TRACES=str(traces))

    assert (code, "screens agree" in said) == (1, True), said
