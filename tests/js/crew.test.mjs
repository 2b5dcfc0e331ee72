// The crew's page without a page: its queue, what it shows while things wait, its words and its times. Run by
// tests/js/test_crew.py. The server and the phone's storage are small stand-ins.

import assert from "node:assert/strict";
import test from "node:test";

const module = (name) => import(`${process.env.CREW}/${name}.js`);
const entries = await module("entries");
const { replay, pause, withFollowing } = await module("replay");
const { couldStill, current, focusOf, shown, withJob } = await module("shown");
const { Api } = await module("api");
const { Clock, ago, elapsed, onThisPhone } = await module("times");
const { languages, speak, words } = await module("words");
const { wayTo } = await module("navigation");
const { Phone } = await module("phone");
const { Live } = await module("live");
const { sync } = await module("sync");
delete globalThis.BroadcastChannel; // it would keep Node from ending
const FLOW = JSON.parse(process.env.FLOW);
const STATUSES = Object.keys(FLOW);

const job = (id, status = "scheduled", more = {}) => ({
  id, seq: 1, status, place: 1, location: `${id} Elm St`, color: "violet", icon: "calendar", photos: [],
  next: { to: "en_route", label: "On the way" }, contact: { name: "Ann", phone: "+13035550111" }, ...more,
});
const event = (jobs, more = {}) => ({ id: "e1", day: "2026-11-24", end: "2126-11-24T23:00:00Z", jobs, ...more });
const planOf = (...jobs) => ({ member: { id: "dee" }, events: [event(jobs)], week: [], shift: null });

/** A queue on a phone, and a server that answers as it is told: `answers` by what is sent, in words such as "a en_route". */
function phone(...made) {
  const kept = made.map((entry, at) => ({ ...entry, id: at + 1 }));
  const sent = [], settled = [], answers = {};
  const queue = {
    list: async () => structuredClone(kept),
    change: async (entry) => void kept.splice(kept.findIndex(({ id }) => id === entry.id), 1, entry),
    settle: async (entry) => {
      settled.push(entry.key);
      kept.splice(kept.findIndex(({ id }) => id === entry.id), 1);
    },
  };
  const name = ({ job: id, body, kind }) => `${id ?? kind} ${body.to ?? body.text ?? body.reason ?? body.kind ?? body.in}`;
  const send = async (entry) => {
    sent.push(name(entry));
    assert.ok(sent.length < 50, "it goes round in circles");
    const answer = answers[name(entry)] ?? { kind: "done", answer: {} };
    return typeof answer === "function" ? answer() : answer;
  };
  return { kept, sent, settled, answers, queue, run: (options) => replay(queue, send, options), name };
}

const step = (id, to, from = "scheduled") => entries.move("dee", job(id, from), to);
const picture = (id) => entries.photo("dee", job(id), "after", new Blob(["x"]));
const note = (id, text = "hello") => entries.note("dee", job(id), text);

test("what waits is sent in the order of the taps, photos last, one at a time", async () => {
  const dee = phone(step("a", "en_route"), picture("a"), note("b"), entries.clock("dee", false), step("a", "in_progress", "en_route"));
  let under = 0, most = 0;
  const slow = dee.queue.list;
  dee.answers["b hello"] = async () => {
    most = Math.max(most, (under += 1));
    await slow();
    under -= 1;
    return { kind: "done", answer: {} };
  };

  const { outcome, wait } = await dee.run();

  assert.deepEqual(dee.sent, ["a en_route", "b hello", "clock false", "a in_progress", "a after"]);
  assert.deepEqual([outcome, wait, dee.kept, most], ["sent", null, [], 1]);
});

test("what is added meanwhile is sent in the same go", async () => {
  const dee = phone(step("a", "en_route"));
  dee.answers["a en_route"] = () => {
    dee.kept.push({ ...note("b"), id: 9 });
    return { kind: "done", answer: {} };
  };

  await dee.run();

  assert.deepEqual(dee.sent, ["a en_route", "b hello"]);
});

test("without a network everything stays as it is and where it is", async () => {
  const dee = phone(step("a", "en_route"), note("b"));
  dee.answers["a en_route"] = { kind: "offline" };

  const { outcome, wait } = await dee.run({ now: () => 0 });

  assert.deepEqual([outcome, dee.sent, dee.kept.map(({ state }) => state)], ["offline", ["a en_route"], ["waiting", "waiting"]]);
  assert.equal(wait, 0); // of the note, which was not tried
});

test("a key and a time are those of the tap, however often it is sent", async () => {
  const [dee, keys] = [phone(step("a", "en_route")), new Set()];
  dee.answers["a en_route"] = () => {
    keys.add(`${dee.kept[0].key} ${dee.kept[0].body.at}`);
    return { kind: keys.size > 1 || dee.sent.length < 3 ? "retry" : "done", answer: {} };
  };

  for (let go = 0; go < 3; go += 1) await dee.run({ impatient: true });

  assert.deepEqual([dee.sent.length, keys.size, dee.settled.length], [3, 1, 1]);
});

test("what the server cannot take now holds up its own job and no other", async () => {
  const dee = phone(step("a", "en_route"), step("a", "in_progress", "en_route"), step("b", "en_route"));
  dee.answers["a en_route"] = { kind: "retry" };

  const { outcome, wait } = await dee.run({ now: () => 1_000 });

  assert.deepEqual([outcome, dee.sent, dee.kept.map(dee.name)], ["sent", ["a en_route", "b en_route"], ["a en_route", "a in_progress"]]);
  assert.deepEqual([dee.kept[0].tries, wait >= 1_000, wait], [1, true, dee.kept[0].retryAt - 1_000]); // not 0, of the step behind it
});

test("a pause holds up the job, too, until it is over or the network is back", async () => {
  const dee = phone({ ...step("a", "en_route"), tries: 1, retryAt: 500 }, step("a", "in_progress", "en_route"), note("b"));

  await dee.run({ now: () => 100 });
  assert.deepEqual(dee.sent, ["b hello"]);
  await dee.run({ now: () => 100, impatient: true });
  assert.deepEqual(dee.sent, ["b hello", "a en_route", "a in_progress"]);
});

test("a photo that does not get through holds up nothing", async () => {
  const dee = phone(picture("a"), step("a", "in_progress"), picture("b"));
  for (const [kind, seen] of [["offline", "sent"], ["retry", "sent"]]) {
    dee.answers["a after"] = { kind };
    assert.equal((await dee.run({ impatient: true })).outcome, seen);
    dee.kept.push({ ...note("a", kind), id: dee.sent.length + 10 });
  }
  await dee.run();

  const sent = ["a in_progress", "a after", "b after", "a offline", "a after", "a retry"];
  assert.deepEqual([dee.sent, dee.kept.map(dee.name)], [sent, ["a after"]]);
});

test("a photo that does not get through holds up nothing that is done meanwhile", async () => {
  const dee = phone(picture("a"));
  dee.answers["a after"] = () => {
    dee.kept.push({ ...note("a"), id: 9 });
    return { kind: "retry" };
  };

  await dee.run();

  assert.deepEqual([dee.sent, dee.kept.map(dee.name)], [["a after", "a hello"], ["a after"]]);
});

test("a move that came too late waits for the person, with what was done on top of it; the rest goes on", async () => {
  const dee = phone(step("a", "en_route"), step("a", "in_progress", "en_route"), note("a"), step("b", "en_route"));
  const now = job("a", "cancelled");
  dee.answers["a en_route"] = { kind: "conflict", answer: { job: now, detail: "Ana moved this to Cancelled", code: "moved_on" } };

  const { wait } = await dee.run();

  assert.deepEqual(dee.sent, ["a en_route", "a hello", "b en_route"]);
  assert.deepEqual(dee.kept.map(({ state, detail }) => [state, detail]), [["conflict", "Ana moved this to Cancelled"], ["waiting", undefined]]);
  assert.deepEqual([dee.kept[0].current, wait], [now, null]); // nothing to send before that is decided
});

test("what is discarded takes along the later steps that do not start where the job is", () => {
  const late = (current) => ({ ...step("a", "en_route"), state: "conflict", current: job("a", current) });
  const going = (current) => {
    const { kept } = phone(late(current), step("a", "in_progress", "en_route"), note("a"), step("b", "en_route"), step("a", "completed", "in_progress"));
    return withFollowing(kept[0], kept);
  };

  assert.deepEqual([going("cancelled"), going("in_progress"), going("en_route")], [[1, 2, 5], [1, 2], [1]]);
});

test("a clock that was set back makes no pause longer", async () => {
  const dee = phone({ ...step("a", "en_route"), tries: 1, retryAt: 90_000_000 }, { ...note("b"), tries: 5, retryAt: 60_000 });

  const { wait } = await dee.run({ now: () => 10 });

  assert.deepEqual([dee.sent, wait], [["a en_route"], 59_990]);
});

test("done anyway is another request with the old time, from where the job is now", () => {
  const late = { ...step("a", "in_progress", "en_route"), id: 4, state: "conflict", current: job("a", "ready_for_pickup") };

  const again = entries.again(late);

  assert.deepEqual([again.body.from, again.body.to, again.id, again.state], ["ready_for_pickup", "in_progress", 4, "waiting"]);
  assert.equal(again.body.at, late.body.at);
  assert.notEqual(again.key, late.key);
  assert.deepEqual([couldStill(late, FLOW), couldStill({ ...late, current: job("a", "cancelled") }, FLOW)], [true, false]);
});

test("what is refused stays with its reason, and the rest goes on", async () => {
  const dee = phone(note("a", "bad"), note("b"));
  dee.answers["a bad"] = { kind: "refused", detail: "Please write something.", answer: { code: "empty" } };

  await dee.run();

  assert.deepEqual(dee.kept.map(({ state, detail, code }) => [state, detail, code]), [["refused", "Please write something.", "empty"]]);
  await dee.run();
  assert.deepEqual(dee.sent, ["a bad", "b hello"]);
});

test("signed out, nothing more is tried and nothing is lost", async () => {
  const dee = phone(step("a", "en_route"), note("b"));
  dee.answers["a en_route"] = { kind: "signed-out" };

  assert.deepEqual(await dee.run(), { outcome: "signed-out", wait: null });
  assert.deepEqual([dee.sent.length, dee.kept.map(({ state, tries }) => [state, tries])], [1, [["waiting", 0], ["waiting", 0]]]);
});

test("pauses grow to a minute and are never the same for everybody", () => {
  assert.deepEqual([1, 2, 3, 20].map((tries) => pause(tries, () => 1)), [2_000, 4_000, 8_000, 60_000]);
  assert.equal(pause(1, () => 0), 1_000);
});

test("what waits is shown as done, step by step", () => {
  const waiting = [step("a", "en_route"), step("a", "in_progress", "en_route"), picture("a"), entries.clock("dee", true)];

  const plan = shown(planOf(job("a"), job("b")), waiting, FLOW);

  const [a, b] = plan.events[0].jobs;
  assert.deepEqual([a.status, a.color, a.next, a.waiting, a.pictures.length], ["in_progress", "yellow", { to: "completed" }, 3, 1]);
  assert.deepEqual([b.status, b.waiting], ["scheduled", 0]);
  assert.deepEqual(plan.shift, { startedAt: waiting[3].at, waiting: true });
});

test("a step is not shown over what somebody else did, nor once it was turned down", () => {
  const late = step("a", "en_route");

  for (const plan of [shown(planOf(job("a", "cancelled")), [late], FLOW), shown(planOf(job("a", "cancelled")), [{ ...late, state: "conflict" }], FLOW)]) {
    assert.equal(plan.events[0].jobs[0].status, "cancelled");
  }
});

test("no access takes the next step away until the office has heard of it", () => {
  const waiting = [entries.noAccess("dee", job("a", "en_route"), "Locked")];

  const [a, b] = shown(planOf(job("a", "en_route"), job("b")), waiting, FLOW).events[0].jobs;

  assert.deepEqual([a.next, a.noAccess, focusOf([a, b], FLOW).id], [null, true, "b"]);
});

test("an answer comes into the plan unless something newer is there", () => {
  const plan = planOf(job("a", "en_route", { seq: 5 }));

  assert.equal(withJob(plan, job("a", "scheduled", { seq: 4 })).events[0].jobs[0].status, "en_route");
  assert.equal(withJob(plan, job("a", "in_progress", { seq: 6 })).events[0].jobs[0].status, "in_progress");
});

test("an answer is without the contact, which stays", () => {
  const [[known]] = withJob(planOf(job("a")), job("a", "en_route", { seq: 6, contact: null })).events.map(({ jobs }) => jobs);

  assert.deepEqual([known.status, known.contact.name], ["en_route", "Ann"]);
});

/** A phone with a storage that is an object, and a server that says what it is told: `get(path, etag)`. */
function pocket(kept, get) {
  const queue = [];
  const database = {
    kept: async (name) => structuredClone(kept[name]),
    keep: async (name, value) => void (kept[name] = value),
    keepEvents: async (news, isNews) => void (isNews(kept.plan, kept.events) && (kept.events = news)),
    forget: async () => void ["plan", "events"].forEach((name) => delete kept[name]),
    entries: async () => structuredClone(queue),
    change: async () => {},
    settle: async ({ id }) => void queue.splice(queue.findIndex((entry) => entry.id === id), 1),
  };
  const api = { get, send: async () => ({ kind: "done", answer: {} }) };
  return { database, api, queue, dee: new Phone(database, api, FLOW, () => {}) };
}

const BOARD = { slug: "main", timezone: "America/Denver" };
const serverPlan = (...jobs) => ({ ...planOf(...jobs), board: BOARD, now: "2026-11-24T15:00:00Z" });
const unreachable = () => Promise.reject(Object.assign(new Error(""), { status: 0 }));

test("what is taken off the phone is not what the server sent any more, so a wrong clock loses nothing", async (t) => {
  const body = { ...serverPlan(job("a")), events: [event([job("a")], { end: "2026-11-24T23:00:00Z" })] };
  const answer = async (path, etag) => (path === "/crew/plan" && etag === "p1" ? { status: 304 } : { status: 200, body, etag: "p1" });
  const kept = { plan: { etag: "p1", body, at: 0 } };
  const { dee } = pocket(kept, answer);
  t.mock.timers.enable({ apis: ["Date"], now: Date.parse("2026-11-24T15:00:00Z") });
  await dee.tidy();
  assert.deepEqual([kept.plan.etag, kept.plan.body], ["p1", body]);

  t.mock.timers.setTime(Date.parse("2027-03-01T15:00:00Z"));
  await dee.tidy();
  assert.deepEqual([kept.plan.etag, kept.plan.body.events], ["", []]);
  await sync(dee.database, dee.api);
  assert.deepEqual([kept.plan.etag, kept.plan.body], ["p1", body]);
});

test("the plan is read again once something was sent", async () => {
  const asked = [];
  const { database, api, queue } = pocket({}, async (path) => asked.push(path) && { status: 200, body: serverPlan(job("a")), etag: "p" });
  await sync(database, api);
  queue.push({ ...note("a"), id: 1 });
  await sync(database, api);

  assert.deepEqual([asked.length, queue], [3, []]);
});

test("a look that failed is not live, and is tried again by itself though there is a socket", async (t) => {
  let isDown = true, asked = 0;
  const answer = async (path) => {
    if (path === "/crew/plan") asked += 1;
    return isDown ? unreachable() : { status: 200, body: path === "/crew/plan" ? serverPlan(job("a")) : { board: BOARD, seq: 1 }, etag: "" };
  };
  const { dee } = pocket({ plan: { etag: "", body: serverPlan(job("a")), at: 0 } }, answer);
  t.mock.timers.enable({ apis: ["setTimeout"] });
  dee.isLive = true;
  dee.line = "live";
  await dee.look();
  dee.line = "live"; // the heartbeat says so

  assert.deepEqual([dee.line, asked], ["offline", 1]);
  isDown = false;
  t.mock.timers.tick(2_000);
  await dee.looking;
  assert.deepEqual([dee.line, asked], ["live", 2]);
  t.mock.timers.tick(60_000);
  assert.equal(dee.looking, null); // nothing waits
});

test("older events change nothing, nor do any once nobody is signed in", async () => {
  const kept = { plan: { etag: "", body: serverPlan(job("a")), at: 0 } };
  const { dee } = pocket(kept, unreachable);
  const heard = [];
  for (const [slug, seq] of [["main", 5], ["main", 4], ["main", 5], ["north", 2], ["main", 6]]) {
    await dee.hearEvents({ body: { board: { ...BOARD, slug }, seq } });
    heard.push(kept.events.body.seq);
  }
  assert.deepEqual(heard, [5, 5, 5, 2, 6]);

  await dee.forget();
  await dee.hearEvents({ body: { board: BOARD, seq: 9 } });
  assert.equal(kept.events, undefined);
});

test("each new socket asks for everything, once", (t) => {
  const sockets = [], said = [];
  t.mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  globalThis.addEventListener = () => {};
  globalThis.document = { addEventListener() {}, hidden: false };
  globalThis.location = { origin: "https://crew.example" };
  globalThis.WebSocket = class {
    constructor() {
      sockets.push(this);
    }

    close() {}

    hear(type) {
      this.onmessage({ data: JSON.stringify({ type }) });
    }
  };
  Object.defineProperty(globalThis, "navigator", { value: { onLine: true }, configurable: true });
  const live = new Live({ events: () => said.push("events"), plan: () => said.push("plan"), look: () => said.push("look"), state: () => {} });
  live.start();
  for (const type of ["events", "heartbeat", "plan"]) sockets[0].hear(type);
  sockets[0].onclose({ code: 1006 });
  t.mock.timers.tick(2_000);
  for (const type of ["plan", "heartbeat"]) sockets[1].hear(type);
  live.end();

  assert.deepEqual(said, ["events", "look", "plan", "look"]);
});

test("yesterday leaves the phone, and contacts of what is over with it", () => {
  const past = event([job("old")], { day: "2026-11-23", end: "2020-11-23T23:00:00Z" });
  const plan = { ...planOf(job("a"), job("b", "completed")), events: [past, event([job("a"), job("b", "completed")])] };

  const now = current(plan, "2026-11-24", FLOW);

  assert.deepEqual(now.events.map(({ jobs }) => jobs.map(({ id, contact }) => [id, Boolean(contact)])), [[["a", true], ["b", false]]]);
});

/** The server answers a note with this. */
async function answered(status, body, type = "application/json") {
  globalThis.document = { cookie: "csrf=token" };
  globalThis.fetch = async () => new Response(type.endsWith("json") ? JSON.stringify(body) : body, { status, headers: { "Content-Type": type } });
  return new Api("csrf").send(note("a"));
}

test("only an answer of ours counts", async () => {
  const kinds = {};
  for (const [name, ...answer] of [
    ["done", 200, {}], ["a new one", 201, {}], ["a hotel's page", 200, "<html>", "text/html"], ["a proxy's no", 403, "no", "text/html"],
    ["moved on", 409, { code: "moved_on" }, "application/problem+json"], ["another conflict", 409, { code: "busy" }],
    ["signed out", 401, { code: "sign_in" }], ["no", 422, { code: "empty", detail: "Please." }], ["not theirs", 403, { code: "not_yours" }],
    ["broken", 500, { detail: "?" }], ["down", 502, "<html>", "text/html"], ["slow down", 429, {}], ["too large", 413, "<html>", "text/html"],
    ["no token", 403, { code: "csrf" }],
  ]) kinds[name] = (await answered(...answer)).kind;
  globalThis.fetch = () => Promise.reject(new TypeError("Failed to fetch"));
  kinds.unreachable = (await new Api("csrf").send(note("a"))).kind;

  assert.deepEqual(kinds, {
    done: "done", "a new one": "done", "a hotel's page": "offline", "a proxy's no": "offline", "moved on": "conflict",
    "another conflict": "refused", "signed out": "signed-out", no: "refused", "not theirs": "refused", broken: "retry", down: "retry",
    "slow down": "retry", "too large": "refused", "no token": "retry", unreachable: "offline",
  });
});

test("a lost CSRF cookie is fetched once more, with the same request after it", async () => {
  const asked = [];
  globalThis.document = { cookie: "csrf=old" };
  globalThis.fetch = async (path, { headers = {}, cache } = {}) => {
    asked.push([path, headers["X-CSRFToken"], headers["Idempotency-Key"], cache]);
    if (path === "/crew/") document.cookie = "other=1; csrf=new";
    const ok = headers["X-CSRFToken"] === "new";
    return Response.json(ok ? {} : { code: "csrf" }, { status: ok ? 200 : 403 });
  };
  const made = note("a");

  assert.equal((await new Api("csrf").send(made)).kind, "done");
  const path = "/api/v1/crew/jobs/a/actions";
  assert.deepEqual(asked, [[path, "old", made.key, undefined], ["/crew/", undefined, undefined, "no-store"], [path, "new", made.key, undefined]]);
});

const shape = (value) => (typeof value === "object" ? Object.fromEntries(Object.keys(value).sort().map((key) => [key, shape(value[key])])) : typeof value);
const holes = (value) => (typeof value === "object" ? Object.fromEntries(Object.keys(value).map((key) => [key, holes(value[key])])) : (value.match(/\{\w+\}/g) || []).sort());

test("both languages have the same words with the same gaps, and none is empty", () => {
  assert.deepEqual(shape(languages.es), shape(languages.en));
  assert.deepEqual(holes(languages.es), holes(languages.en));
  assert.equal(JSON.stringify(languages).includes('""'), false);
});

test("every status and every step has its words", () => {
  for (const table of Object.values(languages)) {
    assert.deepEqual(Object.keys(table.statuses), STATUSES);
    assert.deepEqual(Object.keys(table.moves), [...new Set(Object.values(FLOW).map(({ next }) => next).filter(Boolean))]);
  }
  assert.deepEqual(Object.keys(words.kinds), JSON.parse(process.env.KINDS));
});

test("the member's language counts, then the browser's, then English", () => {
  assert.deepEqual([speak("es", ["en-US"]), speak(null, ["fr", "es-MX"]), speak("xx", []), speak("en", ["es"])], ["es", "es", "en", "en"]);
});

test("times are those of the board, whatever the phone's zone", () => {
  speak("en");
  const denver = new Clock("America/Denver");
  const [start, end] = ["2026-11-24T15:00:00Z", "2026-11-24T19:30:00Z"];

  assert.deepEqual([denver.range(start, end), denver.range(start, "2026-11-24T17:00:00Z")], ["8:00 AM – 12:30 PM", "8:00 – 10:00 AM"]);
  assert.deepEqual([denver.day("2026-11-25T06:59:00Z"), denver.parts(start).zone, denver.dayName(start)], ["2026-11-24", "MST", "Tue, Nov 24"]);
  speak("es");
  assert.equal(denver.range(start, end), "8:00 a. m. – 12:30 p. m.");
  assert.match(denver.dayName(start), /^mar\b.*\b24\b.*\bnov/);
  speak("en");
});

test("ages count by the server's clock", () => {
  const now = Date.parse("2026-11-24T15:00:00Z");
  const since = (seconds) => new Date(now - seconds * 1_000).toISOString();

  assert.deepEqual([0, 2, 75, 7_300, 200_000].map((seconds) => ago(since(seconds), now)), ["just now", "2 s ago", "1 min ago", "2 h ago", "2 d ago"]);
  assert.equal(ago(since(2), now - 60_000, 60_000), "2 s ago"); // the phone is a minute slow
  assert.equal(elapsed(since(11_520), now), "3 h 12 min");
});

test("the phone's clock is told with its offset", () => {
  const at = new Date("2026-11-24T15:00:12.345Z");

  assert.equal(onThisPhone(at), process.env.TZ_TOLD);
  assert.equal(Date.parse(onThisPhone(at)), at.getTime());
});

test("the way is opened in the phone's own map", () => {
  assert.equal(wayTo("1 Elm St, Denver", "Android 15"), "geo:0,0?q=1%20Elm%20St%2C%20Denver");
  assert.equal(wayTo("1 Elm St", "iPhone"), "maps:?daddr=1%20Elm%20St");
});
