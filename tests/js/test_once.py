"""What the board does once, under Node: tests/js/once.test.mjs."""

import pytest


def test_the_board_does_once_what_is_to_be_done_once(node):
    code, said = node("once.test.mjs")

    assert code == 0, said


@pytest.mark.parametrize(
    ("script", "rule", "without"),
    [
        ("once.js", "if (this.isBusy) return;", ""),
        ("once.js", "if (this.under === key) this.under = null;", "this.under = null;"),
        ("once.js", "if (this.key === key) this.mark(false);", "this.mark(false);"),
        ("once.js", 'if (problem.code !== "unreachable") this.matter = null;', "this.matter = null;"),
        ("once.js", 'if (problem.code !== "unreachable") this.matter = null;', ""),
        ("once.js", "if (matter !== this.matter) ", "if (!this.matter) "),
        ("crew_finished.js", 'if (code !== "not_found") ', ""),
        ("crew_finished.js", "if (failed.length) setTimeout", "if (!failed) setTimeout"),
        ("crew_finished.js", "ids.forEach((id) => this.asked.add(id));", ""),
        ("crew_finished.js", "this.asked.delete(id); // a snapshot may take it off the board again", ""),
    ],
)
def test_a_script_without_one_of_its_rules_is_found_out(node, script, rule, without):
    path = node.scripts / script
    source = path.read_text()
    assert source.count(rule) == 1
    path.write_text(source.replace(rule, without))

    assert node("once.test.mjs")[0] == 1
