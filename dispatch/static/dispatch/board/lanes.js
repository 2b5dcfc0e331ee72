// What needs a dispatcher's eye: jobs left over from earlier days, jobs without a time, and jobs that are or will be late.

import { span } from "./words.js";

const SOON_MS = 30 * 60_000;
const NOT_SET_OFF = new Set(["requested", "scheduled", "ready_for_pickup"]);

export const LANES = { outstanding: "Outstanding", today: "", unscheduled: "Unscheduled" };

/** The lane of a card inside its column. Finished jobs have none. */
export function lane(card, status, clock, now) {
  if (!status.isOpen) return "today";
  if (!card.window) return "unscheduled";
  return clock.date(new Date(card.window.end)) < clock.date(now) ? "outstanding" : "today";
}

/** `{kind: "late" | "soon", text}`, or null for a job that is in time. */
export function lateness(card, status, now) {
  if (!status.isOpen || !card.window) return null;
  const [start, end] = [new Date(card.window.start), new Date(card.window.end)];
  if (now > end) return { kind: "late", text: `Late by ${span(now - end)}` };
  if (NOT_SET_OFF.has(card.status)) {
    if (now > start) return { kind: "late", text: `Should have begun ${span(now - start)} ago` };
    if (start - now < SOON_MS) return { kind: "soon", text: `Begins in ${span(start - now)}` };
  } else if (end - now < SOON_MS) {
    return { kind: "soon", text: `${span(end - now)} left` };
  }
  return null;
}
