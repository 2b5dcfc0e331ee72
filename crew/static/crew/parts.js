// Pieces that several screens have.

import { element, icon } from "./page.js";
import { ago } from "./times.js";
import { say, words } from "./words.js";

export function chip(color, name, text) {
  return element("span.chip", { data: { color } }, icon(name), element("span", {}, text));
}

export const status = (job) => chip(job.color, job.icon, words.statuses[job.status] ?? job.label);

export const waitingMark = (what) => Boolean(what.waiting) && chip("yellow", "waiting", words.job.waiting);

/** «8:00 AM – 4:00 PM MST · Truck 2 · 3 jobs» */
export function eventFacts(event, clock, ...more) {
  const facts = [`${clock.range(event.start, event.end)} ${clock.parts(event.start).zone}`, event.truck, ...more];
  return element("p.facts", {}, facts.filter(Boolean).join(" · "));
}

export function people(event) {
  const names = ({ people: found }) => found.map(({ name, you }) => (you ? `${name} (${words.events.you})` : name));
  const row = (label, places) =>
    places.places > 0 && [element("dt", {}, label), element("dd", {}, names(places).join(", ") || words.events.nobody)];
  const rows = [row(words.events.captains, event.captains), row(words.events.places, event.firstMates)];
  return element("dl.people", {}, ...rows.filter(Boolean).flat());
}

/** A text with an age in it that goes on counting, such as «Taken by Dee 2 s ago». */
export function counting(text, values, since, offset) {
  const made = element("p.counting", { data: { since, text, values: JSON.stringify(values), offset } });
  recount(made);
  return made;
}

/** Brings all of them up to date; called every second. */
export function recountAll() {
  document.querySelectorAll(".counting").forEach(recount);
}

function recount(made) {
  const { since, text, values, offset } = made.dataset;
  const now = say(text, { ...JSON.parse(values), ago: ago(since, Date.now(), Number(offset)) });
  if (made.textContent !== now) made.textContent = now;
}

/** What a screen can be marked by, so that it is known whether an event was really looked at. */
export const seenMark = (event) => (event.you ? { data: { event: event.id, seq: event.seq } } : {});

export const empty = (name, text, ...more) => element("div.empty", {}, icon(name), element("p", {}, text), ...more);
