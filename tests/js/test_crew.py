"""The crew's page without a page, under Node: tests/js/crew.test.mjs."""

import json
import shutil

import pytest

from crew.pages import FOLDER, flow
from crew.today import OVERTIME, WEEK
from dispatch.photos import KINDS


@pytest.fixture
def crew(node, tmp_path):
    """A copy of the scripts, and how to run their tests."""
    folder = shutil.copytree(FOLDER, tmp_path / "crew")
    (folder / "package.json").write_text('{"type": "module"}')
    facts = {"CREW": str(folder), "FLOW": json.dumps(flow()), "KINDS": json.dumps(list(KINDS))}
    facts |= {"OVERTIME": str(int(OVERTIME.total_seconds())), "WEEK": str(WEEK)}
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
        ("replay.js", "held.has(lane(entry)) || late.has(lane(entry))", "late.has(lane(entry))"),
        ("replay.js", "held.has(lane(entry)) || late.has(lane(entry))", "held.has(lane(entry))"),
        ("replay.js", 'if (kind === "offline") return { outcome: kind, wait: wait(await queue.list(), now()) };', ""),
        ("replay.js", 'if (kind === "signed-out") return { outcome: kind, wait: null };', ""),
        ("replay.js", "retryAt > now + LONGEST_PAUSE_MS ? 0 : ", ""),
        ("replay.js", "!isPhoto(entry) && isFree(entry)", "isFree(entry)"),
        ("replay.js", "!tried.has(photo.id) && ", ""),
        ("replay.js", 'if (outcome !== "sent") return { outcome, wait: null };', ""),
        ("replay.js", "const outcome = await before();", 'const outcome = "sent";'),
        ("replay.js", ' === "signed-out") return { outcome: "signed-out", wait: null };', ";"),
        ("replay.js", "wait: pauses.length ? Math.min(...pauses) : null", "wait: null"),
        ("replay.js", "!ahead.has(lane(entry)) && ahead.add(lane(entry))", "true"),
        ("replay.js", "if (one.body.from === status) status = one.body.to;\n    else ", ""),
        ("sync.js", 'problem.status === 403 ? "no-member" : "signed-out"', '"signed-out"'),
        ("phone.js", ' || this.line === "no-member"', ""),
        ("sync.js", "return alone(PHOTOS, () => {", "return alone(QUEUE, () => {"),
        ("sync.js", "entries.filter(({ member }) => member === plan?.body.member.id)", "entries"),
        ("phone.js", "this.lookBeside(options.impatient);", "await this.photos.ask({});"),
        ("phone.js", 'navigator.onLine === false ? "offline" : "polling"', '"polling"'),
        ("phone.js", "if (impatient) this.failures = 0;", ""),
        ("phone.js", "this.isOwed ||= impatient;", "this.isOwed = impatient;"),
        ("phone.js", "let next = pause(this.failures + 1);", "let next = null;"),
        ("rounds.js", "if (this.going) this.isWanted = true;\n    else ", ""),
        ("rounds.js", "this.isImpatient ||= impatient;", "this.isImpatient = impatient;"),
        ("install.js", 'addEventListener("online", check);', ""),
        ("install.js", "!document.hidden && passed >= CHECK_EVERY_MS", "!document.hidden"),
        ("install.js", "!document.hidden && passed", "passed"),
        ("api.js", '{ cache: "no-store", signal: deadline(PATIENCE_MS) }', '{ cache: "no-store" }'),
        ("api.js", "setTimeout(() => given.abort(), milliseconds);", ""),
        ("live.js", "    this.isNew = true;\n", ""),
        ("live.js", "    this.isNew = false;\n", ""),
        ("phone.js", "this.failures ? pause(this.failures) : wait", "wait"),
        ("phone.js", 'this.said === "live" && this.isCutOff', "false"),
        ("sync.js", '{ ...kept, body, etag: "" }', "{ ...kept, body }"),
        ("sync.js", 'if (isSent && done.outcome === "sent")', "if (false)"),
        ("shown.js", "if (!plan) return false;", ""),
        ("shown.js", "cancelled.filter(isOn(day, isToday))", "cancelled"),
        ("shown.js", "cancelled: plan.cancelled?.filter(isLeft)", "cancelled: plan.cancelled"),
        ("shown.js", "goneOn = ({ cancelled = [] }", "goneOn = ({ cancelled }"),
        ("shown.js", " || seq >= events.body.seq", " || true"),
        ("shown.js", "events.body.board.slug !== board.slug || ", ""),
        ("shown.js", "contact: job.contact ?? known.contact", ""),
        ("entries.js", "key: crypto.randomUUID(), state", "state"),
        ("shown.js", 'if (kind !== "move" || job.status !== body.from) return job;', ""),
        ("shown.js", "job.seq >= known.seq", "true"),
        ("shown.js", "flow[job.status]?.isOpen ? job : { ...job, contact: null }", "job"),
        ("api.js", 'if (lost && status < 500 && status !== 413) throw new Problem("");', ""),
        ("api.js", "if (status >= 200 && status < 300 && !lost)", "if (status >= 200 && status < 300)"),
        ("times.js", "now + offset - new Date(moment)", "now - new Date(moment)"),
        ("times.js", "now + offset - new Date(since)", "now - new Date(since)"),
        ("shown.js", "const later = plan.week.filter((event) => event.day > last);", "const later = [];"),
        ("shown.js", "plan.week.filter((event) => event.day > last)", "plan.week"),
        ("shown.js", "isToday ? event.day <= day : event.day === day", "event.day === day"),
        ("shown.js", "day >= plan.today && day < dayAfter(plan.today, DAYS_OF_A_WEEK)", "true"),
        ("today.js", "isKnown ? nothing(day) : notHere(phone)", "nothing(day)"),
        ("today.js", " : later(event, phone))", " : eventOf(event, focus, phone, act))"),
        ("today.js", "age, early];", "age];"),
        ("shown.js", "Date.parse(end) + OVERTIME_MS", "Date.parse(end)"),
        ("shown.js", "week: plan.week.filter(isLeft)", "week: plan.week"),
        ("sync.js", 'if (events) await keepLeft(database, "events", events, upcoming(events.body, today));', ""),
        ("sync.js", "const putOff = isSame ? before.putOff : undefined;", "const putOff = undefined;"),
        ("events.js", " && now < Date.parse(end)", ""),
        ("api.js", "{ ...made, sentAt: onThisPhone() }", "made"),
        ("replay.js", "code, current: job, facts }", "code, current: job }"),
        ("waiting.js", "return [counting(happened, values, at, offset), ", 'return [element("p", {}, entry.detail), '),
        ("waiting.js", "counting(happened, values, at, offset)", "counting(happened, values, at, 0)"),
        ("waiting.js", "reason && element(", "false && element("),
        ("waiting.js", "start ? clock.planned(start, today) : entry.detail", "entry.detail"),
        ("waiting.js", "office && link(", "false && link("),
        ("waiting.js", "entry.photo && button(", "false && button("),
        ("waiting.js", "...othersWait(phone).map(", "...[].map("),
        ("hours.js", "...othersWait(phone).map(", "...[].map("),
        ("phone.js", "this.ofOthers = entries.filter((entry) => !isMine(entry));", "this.ofOthers = entries;"),
        ("phone.js", "({ ...entry, name })", "entry"),
        ("shown.js", 'next?.to === "en_route" && now < Date.parse(startFrom)', "false"),
        ("shown.js", 'next?.to === "en_route" && ', ""),
        ("job.js", "isEarly(job, phone.now) ? early(event, phone) : next(job, isOpen, act)", "next(job, isOpen, act)"),
        ("job.js", "const own = said.map(", "const own = [].map("),
        ("shown.js", 'if (kind === "note") return { ...job, said: [...job.said, body.text] };', ""),
        ("hours.js", "counted(shift.startedAt, phone.offset)", "counted(shift.startedAt, 0)"),
        ("shown.js", "Date.parse(at) + offset", "Date.parse(at)"),
        ("shown.js", "isPutOff: job.seq <= putOff[job.id]", "isPutOff: job.id in putOff"),
        ("shown.js", "open.find(({ isPutOff }) => !isPutOff) ?? ", ""),
        ("shown.js", " ?? open[0] ?? null", " ?? null"),
        ("shown.js", "next: next && { to: next }, isPutOff: false }", "next: next && { to: next } }"),
        ("shown.js", "seqBefore <= before[job.id]", "job.id in before"),
        ("shown.js", "Boolean(seqBefore) && ", ""),
        ("shown.js", 'kind === "no_access" || isMore', 'kind === "no_access"'),
        ("live.js", "!isLive || Date.now() - this.asked >= LONGEST_UNASKED_MS", "!isLive"),
        ("live.js", "Date.now() - this.asked >= LONGEST_UNASKED_MS", "true"),
    ],
)
def test_a_script_without_one_of_its_rules_is_found_out(crew, script, rule, without):
    folder, run = crew
    source = (folder / script).read_text()
    assert source.count(rule) == 1
    (folder / script).write_text(source.replace(rule, without))

    assert run()[0] == 1
