"""What the board's scripts say about customers, under Node: tests/js/customers.test.mjs."""

import pytest


def test_the_board_says_what_customers_ask_and_are_told(node):
    code, said = node("customers.test.mjs")

    assert code == 0, said


@pytest.mark.parametrize(
    ("script", "rule", "without"),
    [
        ("asks.js", 'frame.type !== "delta"', "false"),
        ("history.js", "kind.byCrew", "false"),
        ("asks.js", "card.seq > (cards.get(card.id)?.seq ?? 0)", "true"),
        ("telling.js", 'status === "suppressed" && error', "false"),
        ("telling.js", '"sending", ', ""),
        ("job_form.js", "follow.length < moved.length", "false"),
        ("job_form.js", "same(now[name], before[name])", "true"),
    ],
)
def test_a_script_without_one_of_its_rules_is_found_out(node, script, rule, without):
    path = node.scripts / script
    source = path.read_text()
    assert source.count(rule) == 1
    path.write_text(source.replace(rule, without))

    assert node("customers.test.mjs")[0] == 1
