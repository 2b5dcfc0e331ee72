"""The crew's page without a page, under Node: tests/js/crew.test.mjs."""

import json
import shutil

import pytest

from crew.pages import FOLDER, flow
from dispatch.photos import KINDS


@pytest.fixture
def crew(node, tmp_path):
    """A copy of the scripts, and how to run their tests."""
    folder = shutil.copytree(FOLDER, tmp_path / "crew")
    (folder / "package.json").write_text('{"type": "module"}')
    facts = {"CREW": str(folder), "FLOW": json.dumps(flow()), "KINDS": json.dumps(list(KINDS))}
    zone = {"TZ": "America/Denver", "TZ_TOLD": "2026-11-24T08:00:12.345-07:00"}
    return folder, lambda **more: node("crew.test.mjs", **facts | zone | more)


@pytest.mark.parametrize(
    ("zone", "told"),
    [
        ("America/Denver", "2026-11-24T08:00:12.345-07:00"),
        ("Asia/Kolkata", "2026-11-24T20:30:12.345+05:30"),
        ("America/St_Johns", "2026-11-24T11:30:12.345-03:30"),
    ],
)
def test_the_queue_and_what_is_shown_meanwhile(crew, zone, told):
    _, run = crew
    code, said = run(TZ=zone, TZ_TOLD=told)

    assert code == 0, said


@pytest.mark.parametrize(
    ("script", "rule", "without"),
    [
        ("replay.js", " && !(isStep(entry) && conflicts.has(lane(entry)))", ""),
        ("replay.js", "(held.has(lane(entry)) || late.has(lane(entry)))", "late.has(lane(entry))"),
        ("replay.js", "(held.has(lane(entry)) || late.has(lane(entry)))", "held.has(lane(entry))"),
        ("replay.js", 'if (entry.kind !== "photo") held.add(lane(entry));', "held.add(lane(entry));"),
        ("replay.js", 'if (kind === "offline" && entry.kind !== "photo") break;', 'if (kind === "offline") break;'),
        ("replay.js", 'if (kind === "offline" && entry.kind !== "photo") break;', ""),
        ("replay.js", 'if (kind === "signed-out") return { outcome: kind, wait: null };', ""),
        ("replay.js", "tried.has(entry.id)", "false"),
        ("replay.js", "retryAt > now + LONGEST_PAUSE_MS ? 0 : ", ""),
        (
            "replay.js",
            'return [...free.filter(({ kind }) => kind !== "photo"), ...free.filter(({ kind }) => kind === "photo")];',
            "return free;",
        ),
        ("replay.js", "!ahead.has(lane(entry)) && ahead.add(lane(entry))", "true"),
        ("replay.js", "if (one.body.from === status) status = one.body.to;\n    else ", ""),
        ("live.js", "    this.isNew = true;\n", ""),
        ("live.js", "    this.isNew = false;\n", ""),
        ("phone.js", "this.failures ? pause(this.failures) : wait", "wait"),
        ("phone.js", 'this.said === "live" && this.failures > 0', "false"),
        ("sync.js", '{ ...plan, body, etag: "" }', "{ ...plan, body }"),
        ("sync.js", 'if (isSent && done.outcome === "sent")', "if (false)"),
        ("shown.js", "if (!plan) return false;", ""),
        ("shown.js", " || seq >= events.body.seq", " || true"),
        ("shown.js", "events.body.board.slug !== board.slug || ", ""),
        ("shown.js", "contact: job.contact ?? known.contact", ""),
        ("entries.js", "key: crypto.randomUUID(), state", "state"),
        ("shown.js", 'if (kind !== "move" || job.status !== body.from) return job;', ""),
        ("shown.js", "job.seq >= known.seq", "true"),
        ("shown.js", "isCurrent ? job : { ...job, contact: null }", "job"),
        ("api.js", 'if (lost && status < 500 && status !== 413) throw new Problem("");', ""),
        ("api.js", "if (status >= 200 && status < 300 && !lost)", "if (status >= 200 && status < 300)"),
        ("times.js", "now + offset - new Date(moment)", "now - new Date(moment)"),
    ],
)
def test_a_script_without_one_of_its_rules_is_found_out(crew, script, rule, without):
    folder, run = crew
    source = (folder / script).read_text()
    assert source.count(rule) == 1
    (folder / script).write_text(source.replace(rule, without))

    assert run()[0] == 1
