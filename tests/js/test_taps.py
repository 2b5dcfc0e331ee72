"""Which taps on the crew's big buttons count, under Node: tests/js/taps.test.mjs."""

import shutil

import pytest

from crew.pages import FOLDER


@pytest.fixture
def taps(node, tmp_path):
    """A copy of the scripts, and how to run their tests."""
    folder = shutil.copytree(FOLDER, tmp_path / "crew")
    (folder / "package.json").write_text('{"type": "module"}')
    return folder, lambda: node("taps.test.mjs", CREW=str(folder))


def test_a_double_tap_is_one_step(taps):
    _, run = taps
    code, said = run()

    assert code == 0, said


@pytest.mark.parametrize(
    ("script", "rule", "without"),
    [
        ("taps.js", "if (this.isResting) return;", ""),
        ("taps.js", "return this.isBusy || !counts(", "return !counts("),
        ("taps.js", "this.isBusy = false;\n", "\n"),
        ("taps.js", "this.last = this.now();", ""),
        ("taps.js", "this.isResting || this.show(false)", "this.isResting"),
        ("words.js", "reason === text || ", ""),
    ],
)
def test_a_script_without_one_of_its_rules_is_found_out(taps, script, rule, without):
    folder, run = taps
    source = (folder / script).read_text()
    assert source.count(rule) == 1
    (folder / script).write_text(source.replace(rule, without))

    assert run()[0] == 1
