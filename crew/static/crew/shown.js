// The plan as it is shown: what the server said, with what waits in the queue as if it were done. Pure functions.

import { dayAfter } from "./times.js";

/**
 * @param {object} plan  of GET /api/v1/crew/plan
 * @param {import("./entries.js").Entry[]} entries  in order
 * @param {Record<string, {color: string, icon: string, next: string | null, isOpen: boolean, mayGoTo: string[]}>} flow
 */
export function shown(plan, entries, flow) {
  const waiting = entries.filter(({ state }) => state === "waiting");
  const events = plan.events.map((event) => ({ ...event, jobs: event.jobs.map((job) => shownJob(job, waiting, flow)) }));
  return { ...plan, events, shift: shownShift(plan.shift, waiting) };
}

export function shownJob(job, waiting, flow) {
  const mine = waiting.filter((entry) => entry.job === job.id);
  const made = mine.reduce((before, entry) => withEntry(before, entry, flow), { ...job, pictures: [] });
  return { ...made, waiting: mine.length };
}

function withEntry(job, { kind, body, photo, id }, flow) {
  if (kind === "photo") return { ...job, pictures: [...job.pictures, { id, kind: body.kind, photo }] };
  if (kind === "no_access") return { ...job, noAccess: true, next: null };
  // Not from here: then the server knows the move already, or somebody was faster and its answer says so.
  if (kind !== "move" || job.status !== body.from) return job;
  const { color, icon, next } = flow[body.to];
  return { ...job, status: body.to, color, icon, next: next && { to: next } };
}

function shownShift(shift, waiting) {
  const clocked = waiting.filter(({ kind }) => kind === "clock");
  return clocked.reduce((_, { body }) => (body.in ? { startedAt: body.at, waiting: true } : null), shift);
}

/** The plan with a job as the server answered it, which is without its contact; older answers change nothing. */
export function withJob(plan, job) {
  const merged = (known) => ({ ...known, ...job, contact: job.contact ?? known.contact });
  const newer = (known) => (known.id === job.id && job.seq >= known.seq ? merged(known) : known);
  return { ...plan, events: plan.events.map((event) => ({ ...event, jobs: event.jobs.map(newer) })) };
}

/** The plan without what a phone has no business with any more: days that are over, and contacts of jobs that are. */
export function current(plan, today, flow) {
  const days = [today, dayAfter(today)];
  const over = (event) => event.day < today && new Date(event.end) < Date.now();
  const shownJobs = (event) => event.jobs.map((job) => {
    const isCurrent = flow[job.status]?.isOpen && (days.includes(event.day) || !over(event));
    return isCurrent ? job : { ...job, contact: null };
  });
  const events = plan.events.filter((event) => !over(event)).map((event) => ({ ...event, jobs: shownJobs(event) }));
  return { ...plan, events };
}

/** Whether these events are worth keeping: somebody is signed in, and there are no newer ones of the same board. */
export function areNews({ board, seq }, plan, events) {
  if (!plan) return false;
  return !events || events.body.board.slug !== board.slug || seq >= events.body.seq;
}

/** The job to do now: the first one that is still to be done. */
export function focusOf(jobs, flow) {
  return jobs.find(({ status, noAccess }) => flow[status]?.isOpen && !noAccess) ?? null;
}

/** Whether a move that came too late could still be made from where the job is now. */
export const couldStill = ({ kind, body, current: job }, flow) =>
  kind === "move" && Boolean(job) && Boolean(flow[job.status]?.mayGoTo.includes(body.to));
