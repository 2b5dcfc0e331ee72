// One look at the server: who this phone is, what the plan is now, and then what waits; and the photos, which go beside
// that. The page does it, and the worker does it when the browser says that there is a network and no page is open.

import { replay, replayPhotos } from "./replay.js";
import { current, upcoming } from "./shown.js";
import { Clock } from "./times.js";

const QUEUE = "crew-queue";
const PHOTOS = "crew-photos"; // a photo may take minutes, and nothing else waits for it
const last = {};

/** One at a time on this phone, tabs and worker together; where there are no locks, at least in this tab. */
function alone(lock, work) {
  if (globalThis.navigator?.locks) return navigator.locks.request(lock, work);
  const done = (last[lock] ?? Promise.resolve()).then(work);
  last[lock] = done.catch(() => {});
  return done;
}

/**
 * @param {import("./database.js").Database} database  @param {import("./api.js").Api} api
 * @param {{impatient?: boolean, changed?: () => void}} options  changed: called whenever something on the phone changed
 * @returns {Promise<{outcome: "sent" | "offline" | "signed-out" | "no-member", wait: number | null, isSeen: boolean}>}
 *   isSeen: the plan has come
 */
export function sync(database, api, { impatient = false, changed = () => {} } = {}) {
  return alone(QUEUE, async () => {
    const seen = await look(database, api);
    if (seen !== "seen") return { outcome: seen, wait: null, isSeen: false };
    changed();
    // Whose cookie it is has just been asked: nobody's taps are sent in somebody else's name.
    let isSent = false;
    const queue = {
      list: () => mine(database),
      change: (entry) => database.change(entry).then(changed),
      settle: async (entry, answer) => {
        await database.settle(entry, answer);
        isSent = true;
        changed();
      },
    };
    const done = await replay(queue, (entry) => api.send(entry), { impatient });
    if (isSent && done.outcome === "sent") await look(database, api); // notes, for example, are in no answer
    return { ...done, isSeen: true };
  });
}

/**
 * Sends the photos, one after the other, with a look before each: it asks anew whose cookie it is, and takes along what was
 * tapped meanwhile. An answer comes in between two looks, so that a plan which was asked for before does not undo it.
 */
export function sendPhotos(database, api, { impatient = false, changed = () => {} } = {}) {
  return alone(PHOTOS, () => {
    const queue = {
      list: () => mine(database),
      change: (entry) => database.change(entry).then(changed),
      settle: (entry, answer) => alone(QUEUE, () => database.settle(entry, answer)).then(changed),
    };
    const before = async () => (await sync(database, api, { changed })).outcome;
    return replayPhotos(queue, (entry) => api.send(entry), before, { impatient });
  });
}

/** What waits of the member whose plan is on this phone. */
async function mine(database) {
  const [plan, entries] = await Promise.all([database.kept("plan"), database.entries()]);
  return entries.filter(({ member }) => member === plan?.body.member.id);
}

/**
 * Takes what has become old off the phone, not only off the screen. What is left is not what the server sent under its
 * ETag: where the phone's clock was wrong, the next look brings everything back.
 */
export function tidy(database, flow) {
  return alone(QUEUE, async () => {
    const [plan, events] = await Promise.all([database.kept("plan"), database.kept("events")]);
    if (!plan) return;
    const today = new Clock(plan.body.board.timezone).day(Date.now());
    await keepLeft(database, "plan", plan, current(plan.body, today, flow));
    if (events) await keepLeft(database, "events", events, upcoming(events.body, today));
  });
}

async function keepLeft(database, name, kept, body) {
  if (JSON.stringify(body) !== JSON.stringify(kept.body)) await database.keep(name, { ...kept, body, etag: "" });
}

/** Brings the plan. Signed out, nothing of it may stay on the phone: that is how a lost one is locked. */
async function look(database, api) {
  const before = await database.kept("plan");
  try {
    const { status, body, etag } = await api.get("/crew/plan", before?.etag);
    const at = Date.now();
    if (status === 304) await database.keep("plan", { ...before, at });
    else {
      const isSame = before?.body.member.id === body.member.id;
      if (before && !isSame) await database.forget();
      const putOff = isSame ? before.putOff : undefined;
      await database.keep("plan", { etag, body, at, offset: Date.parse(body.now) - at, putOff });
    }
    return "seen";
  } catch (problem) {
    if (problem.status !== 401 && problem.status !== 403) return "offline";
    await database.forget();
    return problem.status === 403 ? "no-member" : "signed-out"; // an account in the office that is not on the roster
  }
}
