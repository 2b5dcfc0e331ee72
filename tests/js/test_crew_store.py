"""What the board knows of its crews, under Node: the rules by hand in crew_store.test.mjs."""

import pytest


def test_the_boards_store_of_crews_keeps_its_rules(node):
    code, said = node("crew_store.test.mjs")

    assert code == 0, said


@pytest.mark.parametrize(
    ("rule", "without"),
    [
        ("if (answer.seq < this.seq) return false;", ""),
        ("event.seq >= known.seq", "true"),
        (" && seq <= answer.seq", ""),
        ('event.status === "over" && event.day < day', "false"),
        ("const ids = event.jobs.filter((id) => !this.pending.has(id));", "const ids = [...event.jobs];"),
    ],
    ids=["older", "newer-here", "mine", "left-over", "on-its-way"],
)
def test_a_store_without_one_of_its_rules_is_found_out(node, rule, without):
    node.without("crew_store.js", rule, without)

    code, _ = node("crew_store.test.mjs")

    assert code == 1


@pytest.mark.parametrize(
    ("rule", "without"),
    [
        ("dayAfter(day.value, this.length)", "day.value"),
        ("if (day.value) lastDay.value", "lastDay.value"),
        ("this.isNight = false;", ""),
        ("this.length === 1 && until.value <= from.value", "false"),
        ("if (!becomesNight && (isBackwards || !this.isNight)) return;", ""),
        ("    this.isNight = becomesNight;\n    this.measure();", "    this.isNight = becomesNight;"),
        (" && from.value && until.value", ""),
        ("empty.length ? ", "false ? "),
    ],
    ids=["length", "half-typed", "chosen", "opened-night", "unasked", "measured", "no-hours", "missing"],
)
def test_a_form_of_days_without_one_of_its_rules_is_found_out(node, rule, without):
    node.without("crew_days.js", rule, without)

    code, _ = node("crew_store.test.mjs")

    assert code == 1
