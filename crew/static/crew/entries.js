// What is done on the phone, as entries of the queue. The key and the time are those of the tap: an entry that is sent
// again is the same request, so the server does it once.

import { onThisPhone } from "./times.js";

/**
 * @typedef {{id?: number, key: string, member: string, kind: "move" | "no_access" | "note" | "photo" | "clock",
 *   job: string | null, where: string, path: string, body: object, photo?: Blob, at: string,
 *   state: "waiting" | "conflict" | "refused", tries: number, retryAt: number, name?: string, detail?: string, code?: string,
 *   current?: object, facts?: object}} Entry  `name` is that of the member
 */

const actions = (job) => `/crew/jobs/${encodeURIComponent(job.id)}/actions`;

/** @returns {Entry} */
function entry(member, kind, job, path, body, more = {}) {
  const at = onThisPhone();
  return {
    key: crypto.randomUUID(), member, kind, job: job?.id ?? null, where: job?.location ?? "", path, body: { ...body, at }, at,
    state: "waiting", tries: 0, retryAt: 0, ...more,
  };
}

export const move = (member, job, to) => entry(member, "move", job, actions(job), { kind: "move", from: job.status, to });

export const noAccess = (member, job, reason) =>
  entry(member, "no_access", job, actions(job), { kind: "no_access", from: job.status, reason });

export const note = (member, job, text) => entry(member, "note", job, actions(job), { kind: "note", text });

/** @param {Blob} photo  @param {"before" | "after" | "ticket" | "access"} kind */
export const photo = (member, job, kind, picture) =>
  entry(member, "photo", job, `/crew/jobs/${encodeURIComponent(job.id)}/photos`, { kind }, { photo: picture });

export const clock = (member, isIn) => entry(member, "clock", null, "/crew/clock", { in: isIn });

/** The same move from where the job is now: another request, so another key. The time stays that of the tap. */
export function again(conflict) {
  const body = { ...conflict.body, from: conflict.current.status };
  return { ...conflict, body, key: crypto.randomUUID(), state: "waiting", tries: 0, retryAt: 0, detail: "", current: null, facts: {} };
}

/** Whose entries these are, and how many. @param {Entry[]} entries  @returns {{name?: string, number: number}[]} */
export function perPerson(entries) {
  const found = new Map();
  for (const { member, name } of entries) {
    const before = found.get(member) ?? { number: 0 };
    found.set(member, { name: name ?? before.name, number: before.number + 1 });
  }
  return [...found.values()];
}
