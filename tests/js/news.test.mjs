// The news of a customer's page by itself: what it says for which answers. Run by tests/js/test_news.py. The network, the
// clock and the browser are small stand-ins; what is shown is noted as one word.

import assert from "node:assert/strict";
import test from "node:test";

const { follow } = await import(`${process.env.TRACKING}/news.js`);
const COPY = "/state/track/token-1234.json";
const API = "https://api.example/api/v1/track/token-1234";

const job = (seq, more = {}) => ({ status: "scheduled", epoch: "e1", seq, ...more });
const json = (status, body, headers = {}) => ({
  status, ok: status < 300, headers: new Headers(headers), json: async () => structuredClone(body),
});
const web = (status) => ({ status, ok: status < 300, headers: new Headers(), json: async () => JSON.parse("<html>") });
const unreachable = () => Promise.reject(new TypeError("Failed to fetch"));

/** A page that has shown `seq` (none when null), and what it does when asked to look. */
function open({ seq = null, over = false, answers = {} } = {}) {
  const said = [], asked = [], timers = [], sockets = [], events = {};
  const shown = { seq, epoch: seq === null ? "" : "e1", over };
  globalThis.document = { hidden: false, addEventListener: (name, run) => (events[name] = run) };
  globalThis.addEventListener = (name, run) => (events[name] = run);
  globalThis.location = { origin: "https://www.example" };
  globalThis.setTimeout = (run, ms) => timers.push({ run, ms });
  globalThis.clearTimeout = (id) => id && (timers[id - 1].run = () => {});
  globalThis.WebSocket = class {
    static OPEN = 1;
    readyState = 0;
    constructor(address) { sockets.push(Object.assign(this, { address })); }
    send(text) { this.sent = text; }
    close() { this.readyState = 3; }
    open() { this.readyState = 1; this.onopen(); }
    say(message) { this.onmessage({ data: JSON.stringify(message) }); }
    lose(code) { this.readyState = 3; this.onclose({ code }); }
  };
  globalThis.fetch = async (address, options) => {
    asked.push({ address, options });
    const answer = answers[address] ?? unreachable;
    return typeof answer === "function" ? answer(options) : answer;
  };
  const look = follow({ token: "token-1234", api: "https://api.example" }, {
    show: (news) => {
      said.push(`show ${news.seq}`);
      Object.assign(shown, { seq: news.seq, epoch: news.epoch, over: news.status === "completed" });
    },
    fresh: () => said.push("fresh"), warn: () => said.push("warn"),
    gone: () => said.push("gone"), ended: () => said.push("ended"),
    isOld: (news) => news.epoch === shown.epoch && news.seq < shown.seq,
    isOver: () => shown.over, epoch: () => shown.epoch,
  });
  return { look, said, asked, timers, sockets, events, answers };
}

async function look(options) {
  const page = open(options);
  await page.look();
  return page.said;
}

/** Until everything has happened that waits for nothing but its turn. */
const settled = () => new Promise((done) => setImmediate(done));

const notFound = json(404, { code: "not_found" });
const ended = json(410, { code: "link_ended" });
const tombstone = json(200, { gone: true, seq: 9, epoch: "e1" });

for (const [name, copy, api, said] of [
  ["a copy is enough", json(200, job(4)), unreachable, ["show 4"]],
  ["no copy yet: the API has it", json(404, { code: "not_found" }), json(200, job(4)), ["show 4", "fresh"]],
  ["no copy anywhere", notFound, notFound, ["gone"]],
  ["a bucket's own 404, then ours", web(404), notFound, ["gone"]],
  ["nobody who could say", notFound, unreachable, ["warn"]],
  ["a 404 of somebody else", web(404), web(404), ["warn"]],
  ["an error of the server", unreachable, web(500), ["warn"]],
  ["an error in JSON", unreachable, json(503, { code: "not_found" }), ["warn"]],
  ["a page in place of JSON", web(200), web(200), ["warn"]],
  ["JSON of somebody else", json(200, { hello: 1 }), json(200, [1]), ["warn"]],
  ["a 404 in JSON without our code", web(404), json(404, { error: "no route" }), ["warn"]],
  ["the link has ended", notFound, ended, ["ended"]],
  ["a tombstone, and the server agrees", tombstone, notFound, ["gone"]],
  ["a tombstone of an ended link", tombstone, ended, ["ended"]],
  ["a tombstone alone", tombstone, unreachable, ["gone"]],
]) {
  test(`the first look: ${name}`, async () => {
    assert.deepEqual(await look({ answers: { [COPY]: copy, [API]: api } }), said);
  });
}

for (const [name, copy, api, said] of [
  ["an older copy is not shown", json(200, job(3)), json(200, job(6)), ["show 6", "fresh"]],
  ["an older copy alone", json(200, job(3)), unreachable, ["warn"]],
  ["an older copy is still a copy", json(200, job(3)), notFound, []],
  ["a copy of another epoch asks the server", json(200, job(1, { epoch: "e2" })), json(200, job(7)), ["show 7", "fresh"]],
  ["a copy of another epoch alone", json(200, job(1, { epoch: "e2" })), unreachable, ["show 1"]],
]) {
  test(`a look later: ${name}`, async () => {
    assert.deepEqual(await look({ seq: 5, answers: { [COPY]: copy, [API]: api } }), said);
  });
}

test("every fourth look asks the server though there is a copy", async () => {
  const page = open({ seq: 5, answers: { [COPY]: json(200, job(5)), [API]: json(200, job(6)) } });
  for (let turn = 0; turn < 4; turn += 1) await page.look();

  assert.deepEqual(page.asked.map(({ address }) => address), [COPY, COPY, COPY, COPY, API]);
  assert.equal(page.said.at(-2), "show 6");
});

test("what is there already is not sent again", async () => {
  const page = open({ answers: { [COPY]: json(200, job(4), { ETag: '"one"' }) } });
  await page.look();
  page.answers[COPY] = ({ headers }) => ({ status: headers["If-None-Match"] === '"one"' ? 304 : 500, headers: new Headers() });
  await page.look();

  assert.deepEqual(page.said, ["show 4", "show 4"]);
});

test("no cookie is sent and no cache is asked", async () => {
  const page = open({});
  await page.look();

  assert.deepEqual(page.asked.map(({ options: { cache, credentials } }) => [cache, credentials]),
    [["no-store", "omit"], ["no-store", "omit"]]);
});

test("the socket gets the token in its first message, not in its address", () => {
  const page = open({ seq: 5 });
  page.sockets[0].open();

  assert.equal(page.sockets[0].address, "wss://api.example/ws/track/");
  assert.deepEqual(JSON.parse(page.sockets[0].sent), { type: "hello", token: "token-1234" });
});

test("a socket that lives is enough", async () => {
  const page = open({ seq: 5 });
  page.sockets[0].open();
  page.sockets[0].say({ type: "state", job: job(6) });
  await page.timers.at(-1).run();

  assert.deepEqual([page.said, page.asked], [["show 6", "fresh"], []]);
});

for (const [code, said] of [[4010, ["ended"]], [4004, ["gone"]]]) {
  test(`a socket closed with ${code}`, async () => {
    const page = open({ seq: 5, answers: { [COPY]: notFound, [API]: notFound } });
    page.sockets[0].lose(code);
    await settled();

    assert.deepEqual(page.said, said);
  });
}

test("too many sockets: it asks instead, and opens none", async () => {
  const page = open({ seq: 5, answers: { [COPY]: json(200, job(6)) } });
  page.sockets[0].lose(4029);
  for (const timer of [...page.timers]) await timer.run();

  assert.deepEqual([page.said, page.sockets.length], [["show 6"], 1]);
});

test("the pauses are random, 15 seconds on average, and grow to at most four minutes", async () => {
  const random = Math.random;
  Math.random = () => 1;
  const page = open({ seq: 5 });
  const pauses = [page.timers.at(-1).ms];
  for (let turn = 0; turn < 5; turn += 1) {
    page.sockets.at(-1).lose(1006);
    await page.timers.at(-1).run();
    pauses.push(page.timers.at(-1).ms);
  }
  Math.random = random;

  assert.deepEqual(pauses, [30_000, 60_000, 120_000, 240_000, 240_000, 240_000]);
});

test("a hidden page asks nobody, and looks as soon as it is shown", async () => {
  const page = open({ seq: 5, answers: { [COPY]: json(200, job(6)) } });
  page.sockets[0].lose(1006);
  document.hidden = true;
  for (const timer of [...page.timers]) await timer.run();
  assert.deepEqual([page.asked, page.sockets.length], [[], 1]);

  document.hidden = false;
  await page.events.visibilitychange();
  await settled();
  assert.deepEqual([page.said, page.sockets.length], [["show 6"], 2]);
});

test("a page of a job that is over does nothing", () => {
  const page = open({ seq: 5, over: true });

  assert.deepEqual([page.sockets, page.timers], [[], []]);
});

test("a job that is over is looked at four more times", async () => {
  const page = open({ seq: 5, answers: { [COPY]: json(200, job(6, { status: "completed" })) } });
  page.sockets[0].open();
  page.sockets[0].say({ type: "state", job: job(6, { status: "completed" }) });
  page.sockets[0].lose(1000);
  for (let turn = 0; turn < page.timers.length; turn += 1) await page.timers[turn].run();

  assert.deepEqual([page.asked.filter(({ address }) => address === COPY).length, page.sockets.length], [4, 1]);
});

test("a link that is not valid is asked for no more", async () => {
  const page = open({ seq: 5, answers: { [COPY]: notFound, [API]: notFound } });
  page.sockets[0].lose(4004);
  await settled();
  const before = page.asked.length;
  await page.events.online();
  for (const timer of [...page.timers]) await timer.run();

  assert.deepEqual([page.said, page.asked.length - before, page.sockets.length], [["gone"], 0, 1]);
});
