// Sends what waits, one at a time, in the order of the taps. Photos go by themselves, one at a time, too: each of them may
// take minutes, and the office waits for the steps. Knows neither the page nor the network: it is given a queue and a way
// to send.
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
 * Everything but the photos.
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
  const held = new Set();
  for (;;) {
    const entry = due(sendable(await queue.list()), { held, now: impatient ? Infinity : now() });
    if (!entry) break;
    const kind = await deliver(entry, queue, send, now);
    if (kind === "signed-out") return { outcome: kind, wait: null };
    if (kind === "offline") return { outcome: kind, wait: wait(await queue.list(), now()) };
    if (kind === "retry") held.add(lane(entry));
  }
  return { outcome: "sent", wait: wait(await queue.list(), now()) };
}

/**
 * The photos. `before` is done before each of them: it sends what was tapped while the last one was on its way.
 * @param {() => Promise<"sent" | "offline" | "signed-out">} before  anything but "sent" is the end of it
 */
export async function replayPhotos(queue, send, before, { impatient = false, now = Date.now } = {}) {
  const tried = new Set();
  const isDue = (photo) => !tried.has(photo.id) && left(photo, impatient ? Infinity : now()) === 0;
  const next = async () => photosOf(await queue.list()).find(isDue);
  while (await next()) {
    const outcome = await before();
    if (outcome !== "sent") return { outcome, wait: null };
    const photo = await next();
    if (!photo) break;
    tried.add(photo.id);
    if ((await deliver(photo, queue, send, now)) === "signed-out") return { outcome: "signed-out", wait: null };
  }
  const pauses = photosOf(await queue.list()).map((photo) => left(photo, now()));
  return { outcome: "sent", wait: pauses.length ? Math.min(...pauses) : null };
}

/** Sends one, notes what became of it, and says that. */
async function deliver(entry, queue, send, now) {
  const { kind, answer, detail } = await send(entry);
  if (kind === "done") await queue.settle(entry, answer);
  else if (kind === "conflict" || kind === "refused") await queue.change(turnedDown(entry, kind, answer, detail));
  else if (kind !== "signed-out") await queue.change(postponed(entry, now()));
  return kind;
}

/** The first that may be sent now. */
function due(entries, { held, now }) {
  const late = new Set();
  return entries.find((entry) => {
    if (held.has(lane(entry)) || late.has(lane(entry))) return false;
    if (left(entry, now) === 0) return true;
    late.add(lane(entry));
    return false;
  });
}

const isPhoto = ({ kind }) => kind === "photo";
const photosOf = (entries) => entries.filter((entry) => isPhoto(entry) && entry.state === "waiting");

/** What nobody has to decide about first, without the photos. */
function sendable(entries) {
  const conflicts = new Set(entries.filter((entry) => entry.state === "conflict").map(lane));
  const isFree = (entry) => entry.state === "waiting" && !(isStep(entry) && conflicts.has(lane(entry)));
  return entries.filter((entry) => !isPhoto(entry) && isFree(entry));
}

/** What is left of its pause, in milliseconds. One that is longer than pauses are is that of a clock that was set back. */
function left({ retryAt }, now) {
  return retryAt > now + LONGEST_PAUSE_MS ? 0 : Math.max(0, retryAt - now);
}

/** `facts` is what else the server says of it, such as who did what and when: in an hour the words are old. */
function turnedDown(entry, state, { detail: words, code = "", job = null, ...facts } = {}, detail = "") {
  return { ...entry, state, detail: words || detail, code, current: job, facts };
}

function postponed(entry, now) {
  const tries = entry.tries + 1;
  return { ...entry, tries, retryAt: now + pause(tries) };
}

/** Until the first may be sent; what follows on its job waits with it. */
function wait(entries, now) {
  const ahead = new Set();
  const first = sendable(entries).filter((entry) => !ahead.has(lane(entry)) && ahead.add(lane(entry)));
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
