// The board's store by itself. Run by tests/js/test_store.py, which says where the script and the recorded days are.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

const { Store } = await import(`${process.env.BOARD}/store.js`);
const EPOCH = "6b1f";

const card = (id, seq, status = "requested", rank = seq * 10) => ({ id, seq, status, rank });
const delta = (from, to, jobs, counts) => ({ type: "delta", epoch: EPOCH, from, to, jobs, counts });
const snapshot = (to, jobs, epoch = EPOCH) => ({ type: "snapshot", epoch, to, jobs, counts: { requested: jobs.length } });
const open = (...cards) => {
  const seq = Math.max(0, ...cards.map((one) => one.seq));
  const counts = {};
  cards.forEach((one) => (counts[one.status] = (counts[one.status] || 0) + 1));
  return new Store({ epoch: EPOCH, seq }, cards, counts);
};
const ids = (cards) => cards.map((one) => one.id);

test("on recorded bad days screens agree with a new one", async (day) => {
  const traces = JSON.parse(readFileSync(process.env.TRACES, "utf8"));
  for (const [number, { start, events, end }] of traces.entries()) {
    await day.test(`screens agree, trace ${number}`, () => {
      const store = new Store(start.board, start.cards, start.counts);
      for (const event of events) {
        if (event.card) store.applyCard(event.card);
        else assert.equal(store.apply(event.frame), event.whole);
      }
      const cards = [...store.cards.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
      assert.deepEqual({ epoch: store.epoch, seq: store.seq, cards, counts: store.counts }, end);
    });
  }
});

test("a delta brings its cards, its counts and its number", () => {
  const store = open(card("a", 1));

  assert.equal(store.apply(delta(1, 2, [card("a", 2, "scheduled")], { scheduled: 1 })), true);

  assert.deepEqual([store.seq, store.cards.get("a").status, store.counts], [2, "scheduled", { scheduled: 1 }]);
});

test("an old delta changes nothing", () => {
  const store = open(card("a", 5, "scheduled"));

  assert.equal(store.apply(delta(1, 3, [card("a", 3)], { requested: 1 })), true);

  assert.deepEqual([store.seq, store.cards.get("a").status, store.counts], [5, "scheduled", { scheduled: 1 }]);
});

test("a delta behind a gap is refused and leaves everything as it was", () => {
  const store = open(card("a", 1));

  assert.equal(store.apply(delta(2, 3, [card("a", 3, "scheduled")], { scheduled: 1 })), false);

  assert.deepEqual([store.seq, store.cards.get("a").status, store.counts], [1, "requested", { requested: 1 }]);
});

test("a delta of another epoch is refused", () => {
  assert.equal(open(card("a", 1)).apply({ ...delta(1, 2, []), epoch: "other" }), false);
});

test("a snapshot replaces everything but what is newer here", () => {
  const store = open(card("old", 1), card("gone", 2), card("answered", 7));
  store.applyCard(card("born", 9));

  store.apply(snapshot(8, [card("old", 8), card("answered", 6)]));

  assert.deepEqual([...store.cards.values()].map(({ id, seq }) => [id, seq]).sort(), [["answered", 7], ["born", 9], ["old", 8]]);
  assert.equal(store.seq, 8);
});

test("a snapshot of another epoch keeps nothing and may go back in numbers", () => {
  const store = open(card("a", 40));

  store.apply(snapshot(12, [card("b", 12)], "other"));

  assert.deepEqual([store.epoch, store.seq, ids([...store.cards.values()])], ["other", 12, ["b"]]);
});

test("an old snapshot does not turn the number back", () => {
  const store = open(card("a", 40));

  store.apply(snapshot(12, [card("a", 12)]));

  assert.deepEqual([store.seq, store.cards.get("a").seq], [40, 40]);
});

test("a column stands in the order of rank, then id", () => {
  const store = open(card("c", 1, "requested", 20), card("b", 2, "requested", 10), card("a", 3, "requested", 20), card("x", 4, "scheduled", 1));

  assert.deepEqual(ids(store.column("requested")), ["b", "a", "c"]);
});

test("a move under way shows at once, with its counts, and leaves with settle", () => {
  const store = open(card("a", 1), card("b", 2, "scheduled"));

  store.expect("a", "scheduled", { before: undefined, after: "b" });
  const [moving] = store.column("scheduled").filter(({ id }) => id === "a");

  assert.deepEqual([moving.saving, store.count("requested"), store.count("scheduled")], [true, 0, 2]);
  assert.deepEqual([store.cards.get("a").status, store.column("requested")], ["requested", []]);
  store.settle("a");
  assert.deepEqual([ids(store.column("requested")), store.count("requested"), store.count("scheduled")], [["a"], 1, 1]);
});

test("a move refused shows what the server said instead", () => {
  const store = open(card("a", 1), card("b", 2, "scheduled"));
  store.expect("a", "scheduled", {});

  store.applyCard(card("a", 3, "en_route"));
  store.settle("a");

  assert.deepEqual([ids(store.column("en_route")), ids(store.column("scheduled"))], [["a"], ["b"]]);
});

test("news of a card under way do not move it before its answer comes", () => {
  const store = open(card("a", 1), card("b", 2, "scheduled"));
  store.expect("a", "scheduled", {});

  store.apply(delta(2, 3, [card("a", 3, "cancelled")], { cancelled: 1, scheduled: 1 }));

  assert.deepEqual([ids(store.column("scheduled")).sort(), store.column("cancelled")], [["a", "b"], []]);
});
