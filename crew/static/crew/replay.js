// Sends what waits, one at a time, in the order of the taps, photos last: each of them may take minutes, and the office
// waits for the steps. Knows neither the page nor the network: it is given a queue and a way to send.
//
// What fails keeps its place. An entry that the server cannot take now (5xx) holds up what follows on the same job, since
// that was done on top of it, and no other job. A photo holds up nothing: on one bar of signal it may need many tries, and
// nothing depends on it. A move that came too late (409) waits for the person, and so do later moves of its job.

const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 60_000;

export const isStep = ({ kind }) => kind === "move" || kind === "no_access";
const lane = ({ job, kind }) => job ?? kind;

/** Full jitter: a whole crew comes out of a valley at the same moment. */
export function pause(tries, random = Math.random) {
  return Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.max(0, tries - 1)) * (0.5 + random() / 2);
}

/**
 * @param {{list: () => Promise<import("./entries.js").Entry[]>, change: (entry: object) => Promise<void>,
 *   settle: (entry: object, answer: object) => Promise<void>}} queue
 *   `settle` takes an entry out and its answer in, both or neither.
 * @param {(entry: object) => Promise<{kind: "done" | "conflict" | "refused" | "retry" | "offline" | "signed-out",
 *   answer?: object, detail?: string}>} send
 * @param {{impatient?: boolean, now?: () => number}} options  impatient: the network is back, so forget the pauses
 * @returns {Promise<{outcome: "sent" | "offline" | "signed-out", wait: number | null}>}
 *   wait: milliseconds until it is worth trying again; null when nothing waits that could be sent
 */
export async function replay(queue, send, { impatient = false, now = Date.now } = {}) {
  const tried = new Set();
  const held = new Set();
  let outcome = "sent";
  for (;;) {
    const entry = due(await queue.list(), { tried, held, now: impatient ? Infinity : now() });
    if (!entry) break;
    tried.add(entry.id);
    const { kind, answer, detail } = await send(entry);
    if (kind === "signed-out") return { outcome: kind, wait: null };
    outcome = kind === "offline" ? kind : "sent";
    if (kind === "done") await queue.settle(entry, answer);
    else if (kind === "conflict" || kind === "refused") await queue.change(turnedDown(entry, kind, answer, detail));
    else {
      await queue.change(postponed(entry, now()));
      if (kind === "offline" && entry.kind !== "photo") break;
      if (entry.kind !== "photo") held.add(lane(entry));
    }
  }
  return { outcome, wait: wait(await queue.list(), now()) };
}

/** The first that may be sent now. */
function due(entries, { tried, held, now }) {
  const late = new Set();
  return sendable(entries).find((entry) => {
    if (tried.has(entry.id)) return false;
    if (entry.kind !== "photo" && (held.has(lane(entry)) || late.has(lane(entry)))) return false;
    if (left(entry, now) === 0) return true;
    if (entry.kind !== "photo") late.add(lane(entry));
    return false;
  });
}

/** What nobody has to decide about first, photos last. */
function sendable(entries) {
  const conflicts = new Set(entries.filter((entry) => entry.state === "conflict").map(lane));
  const free = entries.filter((entry) => entry.state === "waiting" && !(isStep(entry) && conflicts.has(lane(entry))));
  return [...free.filter(({ kind }) => kind !== "photo"), ...free.filter(({ kind }) => kind === "photo")];
}

/** What is left of its pause, in milliseconds. One that is longer than pauses are is that of a clock that was set back. */
function left({ retryAt }, now) {
  return retryAt > now + LONGEST_PAUSE_MS ? 0 : Math.max(0, retryAt - now);
}

function turnedDown(entry, state, answer = {}, detail = "") {
  return { ...entry, state, detail: answer.detail || detail, code: answer.code || "", current: answer.job ?? null };
}

function postponed(entry, now) {
  const tries = entry.tries + 1;
  return { ...entry, tries, retryAt: now + pause(tries) };
}

/** Until the first may be sent; what follows on its job waits with it. */
function wait(entries, now) {
  const ahead = new Set();
  const isFirst = (entry) => !ahead.has(lane(entry)) && ahead.add(lane(entry));
  const first = sendable(entries).filter((entry) => entry.kind === "photo" || isFirst(entry));
  return first.length ? Math.min(...first.map((entry) => left(entry, now))) : null;
}

/** The ids of the entry and, where it came too late, of the later steps that are wrong without it: the job is not there. */
export function withFollowing(entry, entries) {
  const gone = [entry];
  let status = entry.current?.status;
  for (const one of entry.state === "conflict" ? entries : []) {
    if (one.job !== entry.job || one.id <= entry.id || !isStep(one) || one.state !== "waiting") continue;
    if (one.body.from === status) status = one.body.to;
    else gone.push(one);
  }
  return gone.map(({ id }) => id);
}
