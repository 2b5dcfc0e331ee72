"""What the customer's page says for which answers, under Node: tests/js/news.test.mjs."""

import shutil
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "tracking" / "static" / "tracking"


@pytest.fixture
def news(node, tmp_path):
    """A copy of the script, and how to run its tests."""
    folder = tmp_path / "tracking"
    folder.mkdir()
    shutil.copy(SCRIPTS / "news.js", folder)
    (folder / "package.json").write_text('{"type": "module"}')
    return folder / "news.js", lambda: node("news.test.mjs", TRACKING=str(folder))


def test_a_fault_is_never_called_a_missing_job_and_the_rest_of_the_rules(news):
    _, run = news
    code, said = run()

    assert code == 0, said


@pytest.mark.parametrize(
    ("rule", "without"),
    [
        ('answer.code === "not_found" && !copy.job', 'answer.code === "not_found"'),
        ('["", copy.job.epoch].includes(page.epoch())', "true"),
        ("copy.job && !page.isOld(copy.job) && [", "copy.job && ["),
        ("looks % EVERY", "true"),
        ("[404, 410].includes(response.status)", "true"),
        ("if (!body.status || !body.epoch) return {};", ""),
        ("if (code === TOO_MANY) refused = true;", ""),
        ("(page.isOver() && (farewell -= 1) < 0)", "page.isOver()"),
        ("POLL_MS * 2 ** failures", "POLL_MS"),
        ("const asleep = () => ended || document.hidden;", "const asleep = () => ended;"),
    ],
)
def test_a_script_without_one_of_its_rules_is_found_out(news, rule, without):
    script, run = news
    source = script.read_text()
    assert source.count(rule) == 1
    script.write_text(source.replace(rule, without))

    assert run()[0] == 1
