"""Lists that touch no more than they must, under Node: tests/js/lists.test.mjs."""

import pytest


def test_what_stays_in_a_list_is_not_touched(node):
    code, said = node("lists.test.mjs")

    assert code == 0, said


@pytest.mark.parametrize(
    ("rule", "without"),
    [
        ("if (!kept.has(child)) child.remove();", ""),
        ("place.nextElementSibling === element", "false"),
        ("if (element === place) place", "if (false) place"),
    ],
    ids=["gone-first", "moved-down", "in-place"],
)
def test_an_order_without_one_of_its_rules_is_found_out(node, rule, without):
    node.without("lists.js", rule, without)

    code, _ = node("lists.test.mjs")

    assert code == 1
