// Which taps on the big buttons count. Run by tests/js/test_taps.py; the clock is turned by hand.

import assert from "node:assert/strict";
import test from "node:test";

const { PAUSE_MS, Taps, counts } = await import(`${process.env.CREW}/taps.js`);
const { ownReason, speak } = await import(`${process.env.CREW}/words.js`);

function made() {
  const clock = { now: 5 };
  const shown = [];
  return { clock, shown, taps: new Taps((isResting) => shown.push(isResting), () => clock.now) };
}

test("the first tap counts, and the next one a second later", () => {
  assert.deepEqual([counts(0, -Infinity), counts(5 + PAUSE_MS - 1, 5), counts(5 + PAUSE_MS, 5)], [true, false, true]);
});

test("a double tap is one step", async () => {
  const { clock, taps } = made();
  let steps = 0;
  const step = async () => void (steps += 1);
  await taps.once(step);
  clock.now += 300;
  await taps.once(step);
  assert.equal(steps, 1);
  clock.now += PAUSE_MS;
  await taps.once(step);
  assert.equal(steps, 2);
});

test("nothing counts while a slow phone keeps the step, nor just after the next one is shown", async () => {
  const { clock, taps } = made();
  let steps = 0, kept;
  const slow = taps.once(() => new Promise((resolve) => (kept = resolve)).then(() => (steps += 1)));
  clock.now += 5 * PAUSE_MS;
  await taps.once(() => (steps += 10));
  kept();
  await slow;
  clock.now += 200;
  await taps.once(() => (steps += 10));
  assert.equal(steps, 1);
});

test("a step that fails does not lock the buttons", async () => {
  const { clock, taps } = made();
  await assert.rejects(taps.once(() => Promise.reject(new Error("no room"))));
  clock.now += PAUSE_MS;
  assert.equal(taps.isResting, false);
});

test("the buttons are told when they rest and when they do not any more", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { clock, shown, taps } = made();
  await taps.once(async () => {});
  clock.now += PAUSE_MS + 20;
  t.mock.timers.tick(PAUSE_MS + 20);
  assert.deepEqual(shown, [true, false]);
});

test("a reason goes to the office in English, and whoever gave it reads it in the own language", () => {
  speak("es");
  assert.equal(ownReason("Gate or door is locked: llave"), "El portón o la puerta está con llave: llave");
  assert.deepEqual([ownReason("Not safe"), ownReason("Perro")], ["No es seguro", "Perro"]);
});
