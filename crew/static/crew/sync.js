// One look at the server: who this phone is, what the plan is now, and then what waits. The page does it, and the worker
// does it when the browser says that there is a network and no page is open.

import { replay } from "./replay.js";
import { current } from "./shown.js";
import { Clock } from "./times.js";

const LOCK = "crew-queue";
let last = Promise.resolve();

/** One at a time on this phone, tabs and worker together; where there are no locks, at least in this tab. */
function alone(work) {
  if (globalThis.navigator?.locks) return navigator.locks.request(LOCK, work);
  last = last.then(work, work);
  return last;
}

/**
 * @param {import("./database.js").Database} database  @param {import("./api.js").Api} api
 * @param {{impatient?: boolean, changed?: () => void}} options  changed: called whenever something on the phone changed
 * @returns {Promise<{outcome: "sent" | "offline" | "signed-out", wait: number | null}>}
 */
export function sync(database, api, { impatient = false, changed = () => {} } = {}) {
  return alone(async () => {
    const seen = await look(database, api);
    if (seen !== "seen") return { outcome: seen, wait: null };
    changed();
    // Whose cookie it is has just been asked: nobody's taps are sent in somebody else's name.
    const { member } = (await database.kept("plan")).body;
    let isSent = false;
    const queue = {
      list: async () => (await database.entries()).filter((entry) => entry.member === member.id),
      change: (entry) => database.change(entry).then(changed),
      settle: async (entry, answer) => {
        await database.settle(entry, answer);
        isSent = true;
        changed();
      },
    };
    const done = await replay(queue, (entry) => api.send(entry), { impatient });
    if (isSent && done.outcome === "sent") await look(database, api); // notes, for example, are in no answer
    return done;
  });
}

/**
 * Takes what has become old off the phone, not only off the screen. What is left is not what the server sent under its
 * ETag: where the phone's clock was wrong, the next look brings everything back.
 */
export function tidy(database, flow) {
  return alone(async () => {
    const plan = await database.kept("plan");
    if (!plan) return;
    const body = current(plan.body, new Clock(plan.body.board.timezone).day(Date.now()), flow);
    if (JSON.stringify(body) !== JSON.stringify(plan.body)) await database.keep("plan", { ...plan, body, etag: "" });
  });
}

/** Brings the plan. Signed out, nothing of it may stay on the phone: that is how a lost one is locked. */
async function look(database, api) {
  const before = await database.kept("plan");
  try {
    const { status, body, etag } = await api.get("/crew/plan", before?.etag);
    const at = Date.now();
    if (status === 304) await database.keep("plan", { ...before, at });
    else {
      if (before && before.body.member.id !== body.member.id) await database.forget();
      await database.keep("plan", { etag, body, at, offset: Date.parse(body.now) - at });
    }
    return "seen";
  } catch (problem) {
    if (problem.status !== 401 && problem.status !== 403) return "offline";
    await database.forget();
    return "signed-out";
  }
}
