// The plan as it is shown: what the server said, with what waits in the queue as if it were done. Pure functions.

import { dayAfter, onThisPhone } from "./times.js";

const DAYS_OF_A_WEEK = 7; // of the plan, its today with them
const OVERTIME_MS = 6 * 3_600_000; // as in crew/today.py: the last job takes longer than planned

/**
 * @param {object} plan  of GET /api/v1/crew/plan
 * @param {import("./entries.js").Entry[]} entries  in order
 * @param {Record<string, {color: string, icon: string, next: string | null, isOpen: boolean, mayGoTo: string[]}>} flow
 * @param {{offset?: number, putOff?: Record<string, number>}} more  how far the server's clock is ahead; and what the crew
 *   had no access to, by job the `seq` that it had then
 */
export function shown(plan, entries, flow, { offset = 0, putOff = {} } = {}) {
  const waiting = entries.filter(({ state }) => state === "waiting");
  const shownOf = (job) => shownJob({ ...job, isPutOff: job.seq <= putOff[job.id] }, waiting, flow);
  const events = plan.events.map((event) => ({ ...event, jobs: event.jobs.map(shownOf) }));
  return { ...plan, events, shift: shownShift(plan.shift, waiting, offset) };
}

function shownJob(job, waiting, flow) {
  const mine = waiting.filter((entry) => entry.job === job.id);
  const made = mine.reduce((before, entry) => withEntry(before, entry, flow), { ...job, pictures: [], said: [] });
  return { ...made, waiting: mine.length };
}

function withEntry(job, { kind, body, photo, id }, flow) {
  if (kind === "photo") return { ...job, pictures: [...job.pictures, { id, kind: body.kind, photo }] };
  if (kind === "note") return { ...job, said: [...job.said, body.text] };
  if (kind === "no_access") return { ...job, noAccess: true, next: null };
  // Not from here: then the server knows the move already, or somebody was faster and its answer says so.
  if (kind !== "move" || job.status !== body.from) return job;
  const { color, icon, next } = flow[body.to];
  return { ...job, status: body.to, color, icon, next: next && { to: next }, isPutOff: false };
}

/** `startedAt` is by the server's clock, also where only the phone knows of the shift. */
function shownShift(shift, waiting, offset) {
  const clocked = waiting.filter(({ kind }) => kind === "clock");
  const started = (at) => onThisPhone(new Date(Date.parse(at) + offset));
  return clocked.reduce((_, { body }) => (body.in ? { startedAt: started(body.at), waiting: true } : null), shift);
}

/**
 * What a plan knows of a day. It has the jobs of its today and its tomorrow, and of a week the events: on a phone that has
 * been without a network for a day, the day that is shown may be a later one.
 * @param {boolean} isToday  the day is today; what began before it and is still there is today's, too
 * @returns {{events: object[], isKnown: boolean}}  events: later ones are without `jobs`; isKnown: there are no others
 */
export function onDay(plan, day, isToday) {
  const last = dayAfter(plan.today);
  const later = plan.week.filter((event) => event.day > last);
  const isKnown = day >= plan.today && day < dayAfter(plan.today, DAYS_OF_A_WEEK);
  return { events: [...plan.events, ...later].filter(isOn(day, isToday)), isKnown };
}

/** What was cancelled of a day, and was this member's: whoever had a plan asks where it is. `isToday` as for `onDay`. */
export const goneOn = ({ cancelled = [] }, day, isToday) => cancelled.filter(isOn(day, isToday));

const isOn = (day, isToday) => (event) => isToday ? event.day <= day : event.day === day;

/** Whether a crew may not be on the way yet. @param {number} now  by the server's clock */
export const isEarly = ({ next, startFrom }, now) => next?.to === "en_route" && now < Date.parse(startFrom);

/** The plan with a job as the server answered it, which is without its contact; older answers change nothing. */
export function withJob(plan, job) {
  const merged = (known) => ({ ...known, ...job, contact: job.contact ?? known.contact });
  const newer = (known) => (known.id === job.id && job.seq >= known.seq ? merged(known) : known);
  return { ...plan, events: plan.events.map((event) => ({ ...event, jobs: event.jobs.map(newer) })) };
}

/**
 * What the crew had no access to is put off until the office changes something about the job: by job the `seq` that it had
 * then, or after what this phone has sent since. The plan may have that sooner than the answer comes, so only the answer can
 * say what was changed just before.
 * @param {{putOff?: Record<string, number>}} plan  @param {{kind: string}} entry
 * @param {{job?: object, seqBefore?: number | null}} answer  to the entry
 */
export function putOff({ putOff: before = {} }, { kind }, { job, seqBefore }) {
  if (!job) return before;
  const isMore = Boolean(seqBefore) && seqBefore <= before[job.id];
  return kind === "no_access" || isMore ? { ...before, [job.id]: job.seq } : before;
}

/** The plan without what a phone has no business with any more: days that are over, and contacts of jobs that are. */
export function current(plan, today, flow) {
  const isLeft = ({ day, end }) => day >= today || Date.now() < Date.parse(end) + OVERTIME_MS;
  const shownOf = (job) => (flow[job.status]?.isOpen ? job : { ...job, contact: null });
  const events = plan.events.filter(isLeft).map((event) => ({ ...event, jobs: event.jobs.map(shownOf) }));
  return { ...plan, events, week: plan.week.filter(isLeft), cancelled: plan.cancelled?.filter(isLeft) };
}

/** The events of the board without days that are over. */
export function upcoming(body, today) {
  const events = body.events.filter(({ day, end }) => day >= today || Date.now() < Date.parse(end));
  return { ...body, events };
}

/** Whether these events are worth keeping: somebody is signed in, and there are no newer ones of the same board. */
export function areNews({ board, seq }, plan, events) {
  if (!plan) return false;
  return !events || events.body.board.slug !== board.slug || seq >= events.body.seq;
}

/** The job to do now: the first one that is still to be done, and last what the crew had no access to. */
export function focusOf(jobs, flow) {
  const open = jobs.filter(({ status, noAccess }) => flow[status]?.isOpen && !noAccess);
  return open.find(({ isPutOff }) => !isPutOff) ?? open[0] ?? null;
}

/** Whether a move that came too late could still be made from where the job is now. */
export const couldStill = ({ kind, body, current: job }, flow) =>
  kind === "move" && Boolean(job) && Boolean(flow[job.status]?.mayGoTo.includes(body.to));
