// What is done once. Run by tests/js/test_once.py, which says where the scripts are.

import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { webcrypto } from "node:crypto";

globalThis.crypto ??= webcrypto;
const { Once, Work, isSecond } = await import(`${process.env.BOARD}/once.js`);
const { Finished } = await import(`${process.env.BOARD}/crew_finished.js`);

const lost = () => Promise.reject(Object.assign(new Error("lost"), { code: "unreachable" }));
const refused = () => Promise.reject(Object.assign(new Error("no"), { code: "invalid" }));
const button = (text, busy) => {
  const attributes = new Map();
  return {
    textContent: text, dataset: busy ? { busy } : {}, disabled: () => attributes.get("aria-disabled") === "true",
    setAttribute: (name, value) => attributes.set(name, value), removeAttribute: (name) => attributes.delete(name),
  };
};
const held = () => {
  let go;
  const promise = new Promise((resolve) => (go = resolve));
  return [() => promise, go];
};
const turns = async () => {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
};

test("a form does one thing at a time, and its buttons say so and are ready again", async () => {
  const [save, cancel] = [button("Save", "Saving…"), button("Cancel")];
  const work = new Work([save, cancel]);
  const [wait, go] = held();
  let begun = 0;

  const first = work.begin(() => ((begun += 1), wait()));
  await work.begin(async () => (begun += 1));
  assert.deepEqual([begun, work.isBusy, save.textContent, save.disabled(), cancel.textContent, cancel.disabled()], [1, true, "Saving…", true, "Cancel", true]);
  go();
  await first;

  assert.deepEqual([work.isBusy, save.textContent, save.disabled(), cancel.disabled()], [false, "Save", false, false]);
  await work.begin(async () => (begun += 1));
  assert.equal(begun, 2);
});

test("a form that is opened again waits for nothing of before, and keeps its key until it is opened anew", async () => {
  const save = button("Save", "Saving…");
  const work = new Work([save]);
  const [[slow, finish], [wait, go], { key }] = [held(), held(), work];
  const first = work.begin(slow);
  assert.equal(work.key, key);

  work.open();
  assert.deepEqual([work.key === key, work.isBusy, save.disabled()], [false, false, false]);
  const second = work.begin(wait);
  finish();
  await first;

  assert.deepEqual([work.isBusy, save.disabled()], [true, true]);
  go();
  await second;
  assert.deepEqual([work.isBusy, save.disabled()], [false, false]);
});

test("what fails leaves the form ready", async () => {
  const work = new Work([button("Save", "Saving…")]);

  await assert.rejects(work.begin(lost));

  assert.equal(work.isBusy, false);
});

test("a key stays while nobody knows whether it was done, and is a new one after an answer or for something else", async () => {
  const [once, keys] = [new Once(), []];
  const sent = (answer) => (key) => (keys.push(key), answer());

  await assert.rejects(once.ask("job 1", sent(lost)));
  await once.ask("job 1", sent(async () => "done"));
  await assert.rejects(once.ask("job 1", sent(refused)));
  await assert.rejects(once.ask("job 1", sent(lost)));
  await once.ask("job 2", sent(async () => "done"));

  assert.deepEqual([keys[0] === keys[1], new Set(keys).size], [true, 4]);
  assert.ok(keys.every((key) => /^[0-9a-f]{32}$/.test(key)));
});

test("the second of two quick clicks is told apart", () => {
  assert.deepEqual([0, 1, 2].map((detail) => isSecond({ detail })), [false, false, true]);
});

test("a finished job that could not be fetched is asked for again, one that is gone is not, and none twice at once", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const [asked, came, here] = [[], [], new Set()];
  let answer = { "01A": lost, "01B": () => Promise.reject(Object.assign(new Error(), { code: "not_found" })), "01C": async () => ({ id: "01C" }) };
  const finished = new Finished({
    wanted: () => ["01A", "01B", "01C"].filter((id) => !here.has(id)),
    get: (id) => (asked.push(id), answer[id]()),
    came: (jobs) => jobs.forEach(({ id }) => (came.push(id), here.add(id))),
  });

  finished.look();
  await finished.look();
  await turns();
  assert.deepEqual([asked, came], [["01A", "01B", "01C"], ["01C"]]);
  answer = { "01A": async () => ({ id: "01A" }) };
  await finished.look();
  assert.equal(asked.length, 3);
  mock.timers.tick(15_000);
  await turns();
  assert.deepEqual([asked.slice(3), came], [["01A"], ["01C", "01A"]]);

  here.delete("01A"); // a snapshot took it off the board
  await finished.look();
  assert.deepEqual(asked.slice(4), ["01A"]);
  mock.timers.reset();
});
