// The crew's page without a page: its queue, what it shows while things wait, its words and its times. Run by
// tests/js/test_crew.py. The server and the phone's storage are small stand-ins.

import assert from "node:assert/strict";
import test from "node:test";

const module = (name) => import(`${process.env.CREW}/${name}.js`);
const entries = await module("entries");
const { replay, replayPhotos, pause, withFollowing } = await module("replay");
const { couldStill, current, focusOf, goneOn, isEarly, onDay, putOff, shown, withJob } = await module("shown");
const { Api } = await module("api");
const { Clock, ago, dayAfter, elapsed, onThisPhone } = await module("times");
const { languages, speak, words } = await module("words");
const { wayTo } = await module("navigation");
const { Phone } = await module("phone");
const { Rounds } = await module("rounds");
const { Live } = await module("live");
const { sendPhotos, sync } = await module("sync");
delete globalThis.BroadcastChannel; // it would keep Node from ending
globalThis.navigator ??= {}; // older Nodes have none
const FLOW = JSON.parse(process.env.FLOW);
const STATUSES = Object.keys(FLOW);

const job = (id, status = "scheduled", more = {}) => ({
  id, seq: 1, status, place: 1, location: `${id} Elm St`, color: "violet", icon: "calendar", photos: [],
  next: { to: "en_route", label: "On the way" }, contact: { name: "Ann", phone: "+13035550111" }, ...more,
});
const event = (jobs, more = {}) => ({ id: "e1", day: "2026-11-24", end: "2126-11-24T23:00:00Z", jobs, ...more });
const planOf = (...jobs) => ({ member: { id: "dee" }, today: "2026-11-24", events: [event(jobs)], week: [], shift: null });

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
  const steps = (options) => replay(queue, send, options);
  const photos = (options) => replayPhotos(queue, send, async () => (await steps()).outcome, options);
  /** As a phone does it: the photos once the steps are out. */
  const run = async (options) => {
    const done = await steps(options);
    return done.outcome === "sent" ? { ...done, photos: await photos(options) } : done;
  };
  return { kept, sent, settled, answers, queue, run, photos, name };
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

test("nor is it sent again in the same go, however impatient somebody is", async () => {
  const dee = phone(step("a", "en_route"), step("a", "in_progress", "en_route"), step("b", "en_route"));
  dee.answers["a en_route"] = { kind: "retry" };

  await dee.run({ impatient: true });

  assert.deepEqual(dee.sent, ["a en_route", "b en_route"]);
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
  for (const kind of ["offline", "retry"]) {
    dee.answers["a after"] = { kind };
    assert.equal((await dee.run({ impatient: true })).photos.outcome, "sent");
    dee.kept.push({ ...note("a", kind), id: dee.sent.length + 10 });
  }
  await dee.run();

  const sent = ["a in_progress", "a after", "b after", "a offline", "a after", "a retry"];
  assert.deepEqual([dee.sent, dee.kept.map(dee.name)], [sent, ["a after"]]);
});

test("what is tapped while a photo is on its way goes out before the next photo", async () => {
  const dee = phone(picture("a"), picture("b"));
  dee.answers["a after"] = () => {
    dee.kept.push({ ...note("a"), id: 9 });
    return { kind: "retry" };
  };

  const { photos } = await dee.run({ now: () => 1_000 });

  assert.deepEqual([dee.sent, dee.kept.map(dee.name)], [["a after", "a hello", "b after"], ["a after"]]);
  assert.deepEqual([photos.outcome, photos.wait], ["sent", dee.kept[0].retryAt - 1_000]);
});

test("photos wait for their pause, and none is sent once the phone is signed out or cut off", async () => {
  const resting = phone({ ...picture("a"), tries: 1, retryAt: 500 }, picture("b"));
  assert.deepEqual(await resting.photos({ now: () => 100 }), { outcome: "sent", wait: 400 });
  assert.equal((await resting.photos({ now: () => 100, impatient: true })).wait, null);
  assert.deepEqual(resting.sent, ["b after", "a after"]);
  for (const kind of ["offline", "signed-out"]) {
    const dee = phone(note("a"), picture("a"));
    dee.answers["a hello"] = { kind };
    assert.deepEqual([await dee.photos(), dee.sent], [{ outcome: kind, wait: null }, ["a hello"]]);
  }
  const dee = phone(picture("a"), picture("b"));
  dee.answers["a after"] = { kind: "signed-out" };
  assert.deepEqual([await dee.photos(), dee.sent, dee.kept.length], [{ outcome: "signed-out", wait: null }, ["a after"], 2]);
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
  const { shift } = shown(planOf(), waiting, FLOW, { offset: -10_800_000 }); // three hours fast
  assert.equal(Date.parse(shift.startedAt), Date.parse(waiting[3].at) - 10_800_000);
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
    add: async (entries) => void entries.forEach((entry) => queue.push({ ...entry, id: queue.length + 1 })),
    change: async (entry) => void queue.splice(queue.findIndex(({ id }) => id === entry.id), 1, entry),
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

test("an account of the office that is on no roster has no plan, and is not signed out either", async () => {
  for (const [status, outcome] of [[401, "signed-out"], [403, "no-member"], [500, "offline"]]) {
    const { dee } = pocket({}, () => Promise.reject(Object.assign(new Error(""), { status })));
    await dee.look();

    assert.deepEqual([dee.line, dee.isOut], [outcome, status < 500]);
    clearTimeout(dee.timer);
  }
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
  await dee.looks.going;
  assert.deepEqual([dee.line, asked], ["live", 2]);
  t.mock.timers.tick(60_000);
  assert.equal(dee.looks.going, null); // nothing waits
});

/** A promise, and how it is kept. */
function promised() {
  const made = {};
  made.kept = new Promise((resolve) => (made.keep = resolve));
  return made;
}

/** Until `isTrue`, without a clock. */
async function until(isTrue, what) {
  for (let turn = 0; !isTrue(); turn += 1) {
    assert.ok(turn < 1_000, what);
    await new Promise(setImmediate);
  }
}

test("whoever asks while it goes on gets one more round, and never two at a time", async () => {
  const [first, said] = [promised(), []];
  const rounds = new Rounds(async (impatient) => {
    said.push(impatient);
    if (said.length === 1) await first.kept;
  });
  rounds.ask();
  rounds.ask({ impatient: true });
  const done = rounds.ask();
  assert.deepEqual(said, [false]);
  first.keep();
  await done;
  await rounds.ask();

  assert.deepEqual(said, [false, true, false]);
});

test("while a photo is on its way the plan comes and steps go out; the photo is sent once, and its answer is not undone", async () => {
  const [photo, sent, asked] = [promised(), [], []];
  const answer = async (path) => {
    asked.push(path);
    return { status: 200, body: path === "/crew/plan" ? serverPlan(job("a")) : { board: BOARD, seq: 1 }, etag: "" };
  };
  const { api, queue, dee } = pocket({}, answer);
  api.send = async ({ kind }) => {
    sent.push(kind);
    if (kind === "photo") await photo.kept;
    return { kind: "done", answer: {} };
  };
  await dee.look();
  await dee.add(picture("a"), picture("a"));
  await until(() => sent.length === 1, "the photo is on its way");
  await dee.looks.going;
  const before = asked.length;

  await dee.look();
  await dee.add(step("a", "en_route"));
  await dee.looks.going;

  assert.deepEqual([sent, queue.length], [["photo", "move"], 2]);
  assert.ok(asked.length >= before + 2);
  photo.keep();
  await dee.photos.going;
  assert.deepEqual([sent, queue], [["photo", "move", "photo"], []]);
});

test("nobody's photo is sent in somebody else's name", async () => {
  let member = "dee";
  const sent = [];
  const plan = () => ({ ...serverPlan(job("a")), member: { id: member } });
  const { database, api, queue } = pocket({ plan: { etag: "", body: plan(), at: 0 } }, async () => ({ status: 200, body: plan(), etag: "" }));
  api.send = async (entry) => {
    sent.push(entry.id);
    member = "sam"; // signs in with this browser meanwhile
    return { kind: "done", answer: {} };
  };
  queue.push({ ...picture("a"), id: 1 }, { ...picture("a"), id: 2 });

  await sendPhotos(database, api);

  assert.deepEqual([sent, queue.map(({ id }) => id)], [[1], [2]]);
});

test("after a phone came back to the network it tries again soon, and what waits forgets its pauses", async (t) => {
  let isDown = true, asked = 0;
  const answer = async (path) => {
    if (path === "/crew/plan") asked += 1;
    return isDown ? unreachable() : { status: 200, body: path === "/crew/plan" ? serverPlan(job("a")) : { board: BOARD, seq: 1 }, etag: "" };
  };
  const { queue, dee } = pocket({ plan: { etag: "", body: serverPlan(job("a")), at: 0 } }, answer);
  queue.push({ ...note("a"), id: 1, tries: 5, retryAt: Date.now() + 50_000 });
  t.mock.timers.enable({ apis: ["setTimeout"] });
  for (let go = 0; go < 8; go += 1) await dee.look(); // the pauses are as long as they get

  await dee.look({ impatient: true }); // the browser says so a moment too early
  isDown = false;
  t.mock.timers.tick(2_000);
  await dee.looks.going;

  assert.deepEqual([asked, queue], [11, []]); // eight, too early, in time, and again since something was sent
});

test("an answer that came just before the network went away does not say that there is one", async (t) => {
  const { navigator } = globalThis;
  t.after(() => Object.defineProperty(globalThis, "navigator", { value: navigator, configurable: true }));
  const { dee } = pocket({}, async (path) => ({ status: 200, body: path === "/crew/plan" ? serverPlan(job("a")) : { board: BOARD, seq: 1 }, etag: "" }));
  const lines = [];
  for (const onLine of [true, false]) {
    Object.defineProperty(globalThis, "navigator", { value: { onLine }, configurable: true });
    await dee.look();
    lines.push(dee.line);
  }

  assert.deepEqual(lines, ["polling", "offline"]);
});

test("a round that breaks is tried again by itself", async (t) => {
  const { database, dee } = pocket({ plan: { etag: "", body: serverPlan(job("a")), at: 0 } }, unreachable);
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { kept } = database;
  database.kept = () => Promise.reject(new Error("The storage is in trouble"));
  await assert.rejects(dee.look());
  database.kept = kept;

  t.mock.timers.tick(2_000);

  assert.notEqual(dee.looks.going, null);
  await dee.looks.going;
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

test("overtime stays on the phone for as long as on the server, and days that are over leave it", async (t) => {
  const end = Date.parse("2026-11-24T06:30:00Z"); // half past eleven in the evening, in Denver
  const late = event([job("a")], { day: "2026-11-23", end: new Date(end).toISOString() });
  const plan = { ...planOf(), board: BOARD, events: [late], week: [late, event(undefined, { id: "e2", day: "2026-11-24" })] };
  const left = (now) => {
    t.mock.timers.setTime(now);
    const { events, week } = current(plan, "2026-11-24", FLOW);
    return [events.flatMap(({ jobs }) => jobs.map(({ contact }) => contact.name)), week.map(({ id }) => id)];
  };
  t.mock.timers.enable({ apis: ["Date"] });

  assert.deepEqual(left(end + 1_000 * process.env.OVERTIME - 1), [["Ann"], ["e1", "e2"]]);
  assert.deepEqual(left(end + 1_000 * process.env.OVERTIME), [[], ["e2"]]);

  const kept = { plan: { etag: "p", body: plan, at: 0 }, events: { etag: "e", body: { board: BOARD, seq: 1, events: [late, plan.week[1]] }, at: 0 } };
  t.mock.timers.setTime(end + 7_200_000);
  await pocket(kept, unreachable).dee.tidy();
  assert.deepEqual([kept.events.etag, kept.events.body.events.map(({ id }) => id)], ["", ["e2"]]);
});

test("what was cancelled is shown on its day, and until that is over", () => {
  const gone = (id, day) => ({ id, day, end: `${day}T23:00:00Z` });
  const plan = { ...planOf(), cancelled: [gone("a", "2026-11-23"), gone("b", "2026-11-24"), gone("c", "2026-11-25")] };
  const on = (day, isToday) => goneOn(plan, day, isToday).map(({ id }) => id);

  assert.deepEqual([on("2026-11-24", true), on("2026-11-25", false), goneOn(planOf(), "2026-11-24", true)], [["a", "b"], ["c"], []]);
  assert.deepEqual([current(plan, "2026-11-26", FLOW), current(planOf(), "2026-11-26", FLOW)].map(({ cancelled }) => cancelled), [[], undefined]);
  assert.deepEqual(current(plan, "2026-11-25", FLOW).cancelled.map(({ id }) => id), ["c"]);
});

test("a plan knows jobs of its two days and events of its week, and says where it ends", () => {
  const later = (day) => ({ id: day, day });
  const days = ["2026-11-24", "2026-11-25", "2026-11-26", "2026-11-29"];
  const events = [event([], { day: "2026-11-23" }), event([job("a")])];
  const plan = { ...planOf(), events, week: days.map(later) };
  const on = (day, isToday) => {
    const { events: found, isKnown } = onDay(plan, day, isToday);
    return [found.map(({ day: of, jobs }) => [of, Boolean(jobs)]), isKnown];
  };

  assert.deepEqual(on("2026-11-24", true), [[["2026-11-23", true], ["2026-11-24", true]], true]);
  assert.deepEqual(on("2026-11-25", false), [[], true]);
  assert.deepEqual(on("2026-11-26", false), [[["2026-11-26", false]], true]);
  assert.deepEqual(onDay({ ...plan, events: [] }, "2026-11-29", true).events.map(({ id }) => id), ["2026-11-26", "2026-11-29"]);
  const ends = (days) => on(dayAfter("2026-11-24", days), false)[1];
  assert.deepEqual([ends(-1), ends(0), ends(process.env.WEEK - 1), ends(Number(process.env.WEEK))], [false, true, true, false]);
});

test("nobody can be on the way before the day, and everything else can be done", () => {
  const tomorrow = { startFrom: "2026-11-25T07:00:00Z" };
  const early = (status, next, at) => isEarly(job("a", status, { ...tomorrow, next: { to: next } }), Date.parse(at));

  assert.deepEqual([early("scheduled", "en_route", "2026-11-25T06:59:59Z"), early("scheduled", "en_route", "2026-11-25T07:00:00Z")], [true, false]);
  assert.deepEqual([early("en_route", "in_progress", "2026-11-24T12:00:00Z"), isEarly(job("a", "requested", { ...tomorrow, next: null }), 0)], [false, false]);
});

test("what the crew had no access to comes last until the office changes something about it", async () => {
  const plan = planOf(job("a", "ready_for_pickup", { seq: 4 }), job("b"));
  const report = entries.noAccess("dee", job("a", "en_route"), "Locked");
  const focus = (of, kept, waiting = []) => focusOf(shown(of, waiting, FLOW, { putOff: kept }).events[0].jobs, FLOW)?.id;
  const after = putOff({}, report, { job: job("a", "ready_for_pickup", { seq: 4 }), seqBefore: null });

  assert.deepEqual([after, focus(plan, after), focus(planOf(job("a", "ready_for_pickup", { seq: 4 })), after)], [{ a: 4 }, "b", "a"]);
  assert.equal(focus(planOf(job("a", "ready_for_pickup", { seq: 5 }), job("b")), after), "a");
  assert.equal(focus(plan, after, [step("a", "en_route", "ready_for_pickup")]), "a");
  const answer = (putOffBefore, seqBefore) => putOff({ putOff: putOffBefore }, picture("a"), { job: job("a", "ready_for_pickup", { seq: 6 }), seqBefore });
  assert.deepEqual([answer({ a: 4 }, 4), answer({ a: 4 }, 5), answer({ a: 4 }, null), answer({}, 4)], [{ a: 6 }, { a: 4 }, { a: 4 }, {}]);

  const kept = { plan: { etag: "", body: { ...plan, board: BOARD }, at: 0, putOff: after } };
  const { database, api } = pocket(kept, async () => ({ status: 200, body: { ...plan, board: BOARD, now: "2026-11-24T15:00:00Z" }, etag: "" }));
  await sync(database, api);
  assert.deepEqual(kept.plan.putOff, { a: 4 });
});

test("what waits of others who have used this phone is theirs, with their names", async () => {
  const { queue, dee } = pocket({ plan: { etag: "", body: { ...serverPlan(job("a")), member: { id: "dee", firstName: "Dee" } }, at: 0 } }, unreachable);
  queue.push({ ...note("a"), member: "rosa", id: 7, name: "Rosa" });
  dee.look = async () => {};
  await dee.read();
  await dee.add(note("a"));

  assert.deepEqual([dee.entries.map(({ name }) => name), dee.ofOthers.map(({ name }) => name)], [["Dee"], ["Rosa"]]);
  const found = entries.perPerson([{ member: "r" }, { member: "s", name: "Sam" }, { member: "r", name: "Rosa" }, { member: "?" }]);
  assert.deepEqual(found, [{ name: "Rosa", number: 2 }, { name: "Sam", number: 1 }, { name: undefined, number: 1 }]);
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

test("no request goes on for ever, on a phone without AbortSignal.timeout either", async (t) => {
  const given = [], { timeout } = AbortSignal;
  globalThis.document = { cookie: "csrf=" };
  globalThis.fetch = async (path, { signal }) => given.push([path, signal]) && new Response("{}", { headers: { "Content-Type": "application/json" } });
  await new Api("csrf").send(note("a"));
  assert.deepEqual(given.map(([path, signal]) => [path, signal instanceof AbortSignal]), [["/crew/", true], ["/api/v1/crew/jobs/a/actions", true]]);

  AbortSignal.timeout = undefined;
  t.after(() => (AbortSignal.timeout = timeout));
  t.mock.timers.enable({ apis: ["setTimeout"] });
  globalThis.fetch = (path, { signal }) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  globalThis.document = { cookie: "csrf=token" };
  const sending = new Api("csrf").send(note("a"));
  await new Promise(setImmediate);
  t.mock.timers.tick(15_000);
  assert.equal((await sending).kind, "offline");
});

test("a page that stays open asks for a release when it is online again, and once an hour when it is looked at", async (t) => {
  const heard = {}, asked = [];
  const listen = (name, hear) => (heard[name] = hear);
  const registration = { update: async () => void asked.push(Date.now()) };
  globalThis.addEventListener = listen;
  globalThis.document = { addEventListener: listen, hidden: false };
  const serviceWorker = { controller: {}, addEventListener() {}, register: async () => registration };
  Object.defineProperty(globalThis, "navigator", { value: { serviceWorker }, configurable: true });
  t.mock.timers.enable({ apis: ["Date"], now: 10 * 3_600_000 });
  const { install } = await module("install");
  await install();
  const lookedAtAfter = (passed) => {
    t.mock.timers.setTime(Date.now() + passed);
    heard.visibilitychange();
    return asked.length;
  };

  assert.deepEqual([lookedAtAfter(3_599_000), lookedAtAfter(1_000), lookedAtAfter(1_000)], [0, 1, 1]);
  document.hidden = true;
  assert.equal(lookedAtAfter(3_600_000), 1);
  heard.online();
  document.hidden = false;
  assert.deepEqual([asked.length, lookedAtAfter(1_000)], [2, 2]);
});

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

test("the phone says what its clock shows as it sends, each time anew and beside the time of the tap", async (t) => {
  const [sent, answers] = [[], { status: 500 }];
  globalThis.document = { cookie: "csrf=token" };
  globalThis.fetch = async (path, { body, headers }) => {
    const { at, sentAt } = body instanceof FormData ? Object.fromEntries(body) : JSON.parse(body);
    sent.push([Date.parse(at), Date.parse(sentAt), headers["Idempotency-Key"]]);
    return Response.json({}, answers);
  };
  t.mock.timers.enable({ apis: ["Date"], now: 1_800_000_000_000 });
  for (const made of [note("a"), picture("a"), entries.clock("dee", true)]) {
    for (const later of [0, 60_000]) {
      t.mock.timers.setTime(1_800_000_000_000 + later);
      await new Api("csrf").send(made);
    }
    t.mock.timers.setTime(1_800_000_000_000);
    const [now, later] = [1_800_000_000_000, 1_800_000_060_000];
    assert.deepEqual(sent.splice(0), [[now, now, made.key], [now, later, made.key]]);
  }
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
  assert.equal(elapsed(since(60), now + 10_800_000, -10_800_000), "0 h 1 min"); // three hours fast
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

/** As much of an element as the screens are made of. */
class Piece {
  constructor(name) {
    Object.assign(this, { name, className: "", dataset: {}, inside: [], attributes: {} });
  }

  append(...more) {
    this.inside.push(...more);
  }

  set textContent(text) {
    this.inside = [text];
  }

  get textContent() {
    return this.inside.map((one) => one.textContent ?? String(one)).join(" ");
  }

  setAttribute(name, value) {
    this.attributes[name] = value;
  }

  addEventListener(name, hear) {
    this[name] = hear;
  }

  all() {
    return [this, ...this.inside.flatMap((one) => one.all?.() ?? [])];
  }
}

const AT = Date.parse("2026-11-27T16:00:00Z"); // Friday in the morning, in Denver
const PLACES = { places: 1, people: [] };
const LATER = {
  id: "e5", seq: 1, day: "2026-11-27", start: "2026-11-27T15:00:00Z", end: "2026-11-27T23:00:00Z", title: "South side", truck: "Truck 2",
  status: "open", you: { role: "captain" }, captains: PLACES, firstMates: PLACES, jobCount: 3, notes: "",
};

/** A screen, as the texts on it in order, and what it is made of; at AT. `plan` is of three days before. */
async function screenOf(t, name, plan = {}, { entries: queue = [], others = [], offset = 0, events = null, day = "today" } = {}) {
  const made = (tag) => new Piece(tag);
  globalThis.document = { body: made("body"), createElement: made, createElementNS: (_, tag) => made(tag) };
  Object.assign(document.body.dataset, { icons: "icons.svg", limits: "{}" });
  if (!("now" in t)) t.mock.timers.enable({ apis: ["Date"], now: (t.now = AT) });
  speak("en");
  const kept = { etag: "", at: AT - 3 * 86_400_000, offset, body: { ...planOf(), board: { ...BOARD, phone: "+13035550100" }, events: [], ...plan } };
  const { dee } = pocket({ plan: kept, events }, unreachable);
  Object.assign(dee.database, { entries: async () => [...queue, ...others.map((one) => ({ ...one, member: "rosa" }))] });
  await dee.read();
  const { facts, make } = await module(name);
  const acts = { taps: {}, choose() {} };
  const place = made("main");
  place.append(...(name === "today" ? make(dee, day, acts) : make(dee, acts)).flat().filter(Boolean));
  const texts = place.all().filter(({ inside }) => inside.some((one) => typeof one === "string")).map(({ textContent }) => textContent.trim());
  return { texts, place, facts: JSON.stringify(name === "today" ? facts(dee, day) : facts(dee)) };
}

test("nothing is planned only where the plan reaches; elsewhere the screen says what is on the phone and since when", async (t) => {
  const since = "Plan from Tue, Nov 24, 9:00 AM.";
  const there = await screenOf(t, "today", { week: [LATER] });
  assert.ok(there.texts.includes("South side"));
  assert.ok(there.texts.includes("Captain"));
  assert.ok(there.texts.includes("8:00 AM – 4:00 PM MST · Truck 2"));
  assert.ok(there.texts.includes(`The jobs of this day are not on this phone yet. ${since}`));
  const said = async (plan, options) => (await screenOf(t, "today", plan, options)).texts.filter((text) => /planned|not on this/.test(text));

  assert.deepEqual(await said({ week: [LATER] }), [`The jobs of this day are not on this phone yet. ${since}`]);
  assert.deepEqual(await said({}, { day: "tomorrow" }), ["Nothing is planned for you tomorrow."]);
  assert.deepEqual(await said({ today: "2026-11-20" }), [`This day is not on this phone yet. ${since}`]);
  assert.deepEqual(await said({ today: "2026-11-21" }), ["Nothing is planned for you today."]);
});

test("instead of the next step a job of tomorrow says for when it is planned, and once it is time the step is there", async (t) => {
  const tomorrow = { ...LATER, day: "2026-11-28", start: "2026-11-28T15:00:00Z", end: "2026-11-28T23:00:00Z" };
  const jobs = [job("a", "scheduled", { startFrom: "2026-11-28T07:00:00Z" })];
  const { choose } = await module("today");
  choose("a");
  t.after(() => choose(null));
  const screen = (offset) => screenOf(t, "today", { today: "2026-11-27", events: [{ ...tomorrow, jobs }] }, { day: "tomorrow", offset });
  const [early, ready] = [await screen(0), await screen(15 * 3_600_000)];

  assert.deepEqual([early, ready].map(({ texts }) => [texts.includes("Planned for tomorrow, 8:00 AM"), texts.includes("On the way")]), [[true, false], [false, true]]);
  assert.notEqual(early.facts, ready.facts);
});

test("what was written is read on the job before it is sent", async (t) => {
  const plan = { today: "2026-11-27", events: [{ ...LATER, jobs: [job("a")] }] };
  const { texts } = await screenOf(t, "today", plan, { entries: [note("a", "The code is 4471"), note("b", "another")] });

  assert.deepEqual(texts.slice(texts.indexOf("From you, waiting to be sent")).slice(0, 2), ["From you, waiting to be sent", "The code is 4471"]);
  assert.equal(texts.includes("another"), false);
});

test("what was turned down says who did what and why, with an age that counts by the server's clock, and what can be done", async (t) => {
  const at = new Date(AT - 240_000).toISOString();
  const lost = { what: "given", event: "South side", to: "North side", by: "Ana", at, reason: "Truck broke down" };
  const bad = (made, code, facts, more = {}) => ({ ...made, state: "refused", code, facts, detail: "In the words of then.", ...more });
  const said = async (entry, offset = 0) => (await screenOf(t, "waiting", {}, { entries: [entry], offset })).texts.slice(3).filter((text) => text !== "Back");

  assert.deepEqual(await said(bad(picture("a"), "not_yours", lost)), [
    "The office did not take this.", "Ana gave this job to North side 4 min ago", "Reason: Truck broke down", "Call the office", "Save to this phone", "Understood",
  ]);
  assert.deepEqual((await said(bad(note("a"), "not_yours", { ...lost, what: "cancelled", by: "", reason: "" }), 3_600_000)).slice(1), [
    "South side was cancelled by Somebody 1 h ago", "Call the office", "Understood",
  ]);
  const early = { start: "2026-11-28T15:00:00Z", startFrom: "2026-11-28T07:00:00Z" };
  assert.equal((await said(bad(step("a", "en_route"), "not_yet", early)))[1], "Planned for tomorrow, 8:00 AM");
  assert.equal((await said(bad(note("a"), "empty", {})))[1], "In the words of then.");
  assert.equal((await said(bad(note("a"), "empty")))[1], "In the words of then."); // kept by a page of an earlier release
  const conflict = { ...step("a", "en_route"), state: "conflict", current: job("a", "cancelled"), facts: { by: "Ana", at, to: "cancelled", reason: "Sold it" } };
  assert.deepEqual(await said(conflict), [
    "Somebody was faster. The job is now: Cancelled.", "Ana moved this to Cancelled 4 min ago", "Reason: Sold it", "Call the office", "Discard mine",
  ]);
});

test("an entry that was turned down keeps all that the server says of it", async () => {
  const dee = phone(note("a"));
  const facts = { what: "taken_off", event: "South side", by: "Ana", at: "2026-11-24T15:00:00Z", reason: "" };
  dee.answers["a hello"] = { kind: "refused", answer: { code: "not_yours", detail: "Ana took you off.", status: 403, ...facts } };

  await dee.run();

  const [{ facts: kept, code, detail }] = dee.kept;
  assert.deepEqual([kept, code, detail], [{ status: 403, ...facts }, "not_yours", "Ana took you off."]);
});

test("whoever has this phone reads that something of somebody else waits on it", async (t) => {
  const others = [{ ...note("a"), name: "Rosa" }, note("b")];
  for (const name of ["waiting", "hours"]) {
    const { texts } = await screenOf(t, name, {}, { others });
    assert.ok(texts.includes("2 wait for Rosa, who has to sign in on this phone."));
  }
  const { texts } = await screenOf(t, "waiting", {}, { others: [note("a")] });
  assert.ok(texts.includes("1 waits for somebody else, who has to sign in on this phone."));
  assert.equal((await screenOf(t, "waiting", {}, { entries: [note("a")] })).texts.some((text) => text.includes("sign in on")), false);
});

test("hours count by the server's clock, on a phone whose clock is three hours off, too", async (t) => {
  const offset = -3 * 3_600_000;
  const elapsedOf = async (plan, options) => (await screenOf(t, "hours", plan, { offset, ...options })).place.all().find(({ className }) => className === "elapsed").textContent;

  assert.equal(await elapsedOf({ shift: { startedAt: new Date(AT + offset - 60_000).toISOString() } }), "0 h 1 min");
  const clocked = { ...entries.clock("dee", true), body: { in: true, at: onThisPhone(new Date(AT - 60_000)) } };
  assert.equal(await elapsedOf({}, { entries: [clocked] }), "0 h 1 min");
});

test("events that are over by now are not offered, though nobody has told the phone", async (t) => {
  const past = { ...LATER, id: "past", title: "North side", you: null, start: "2026-11-27T13:00:00Z", end: "2026-11-27T15:59:00Z" };
  const events = { etag: "", at: 0, body: { board: BOARD, seq: 1, events: [past, LATER] } };
  const { texts } = await screenOf(t, "events", {}, { events });

  assert.deepEqual([texts.includes("South side"), texts.includes("North side")], [true, false]);
});

test("a socket that says nothing new is not believed for ever: a day may have begun", (t) => {
  const said = [];
  t.mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: AT });
  globalThis.addEventListener = () => {};
  globalThis.document = { addEventListener() {}, hidden: false };
  globalThis.location = { origin: "https://crew.example" };
  globalThis.WebSocket = class {
    static OPEN = 1;
    readyState = 1;
    close() {}
  };
  const live = new Live({ events() {}, plan: () => said.push("plan"), look: () => said.push("look"), state() {} });
  live.start();
  const { socket } = live;
  const beat = () => socket.onmessage({ data: '{"type": "heartbeat"}' });
  beat();
  for (let passed = 0; passed < 270; passed += 15) t.mock.timers.tick(15_000) ?? beat();
  assert.deepEqual(said, ["look"]);
  for (let passed = 0; passed < 60; passed += 15) t.mock.timers.tick(15_000) ?? beat();
  live.end();

  assert.deepEqual(said, ["look", "plan"]);
});
