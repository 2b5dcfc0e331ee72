// Today and tomorrow: the jobs in order, and one of them in focus.

import { jobCard } from "./job.js";
import { element, icon } from "./page.js";
import { empty, eventFacts, people, seenMark, status, waitingMark } from "./parts.js";
import { focusOf } from "./shown.js";
import { say, words } from "./words.js";

let chosen = null; // the job that was tapped; without one, the first that is to be done

export const choose = (id) => (chosen = id);

export function facts(phone, day) {
  return [day, chosen, phone.dayOf(day), phone.shown, phone.line === "offline"];
}

export function make(phone, day, act) {
  const events = phone.shown.events.filter((event) => isOn(event.day, day, phone));
  const jobs = events.filter(({ status }) => status !== "cancelled").flatMap((event) => event.jobs);
  const focus = jobs.find(({ id }) => id === chosen) ?? (day === "today" ? focusOf(jobs, phone.flow) : null);
  return [
    element("h1.only-read", {}, words.days[day]),
    days(day),
    ...(events.length ? [] : [nothing(day)]),
    ...events.map((event) => eventOf(event, focus, phone, act)),
  ];
}

/** What began yesterday and is still there is under way, so it is today's. */
const isOn = (date, day, phone) => (day === "today" ? date <= phone.today : date === phone.dayOf(day));

function days(day) {
  const tab = (name) =>
    element("a", { href: `#${name}`, "aria-current": name === day && "true", data: { key: `day-${name}` } }, words.days[name]);
  return element("nav.days", { "aria-label": words.day }, tab("today"), tab("tomorrow"));
}

function nothing(day) {
  const text = day === "today" ? words.today.none : words.today.noneTomorrow;
  return empty("sun", text, element("a.quiet", { href: "#events" }, words.today.look));
}

function eventOf(event, focus, phone, act) {
  const jobs = event.jobs;
  const inFocus = jobs.find(({ id }) => id === focus?.id);
  return element("section.event", seenMark(event),
    element("header", {},
      element("h2", {}, event.title),
      eventFacts(event, phone.clock),
      event.status === "cancelled" && element("p.warning", {}, icon("cross"), words.today.cancelled)),
    progress(jobs, phone.flow),
    inFocus && jobCard(inFocus, phone, act),
    jobs.length
      ? element("ol.jobs", { "aria-label": words.today.later }, ...jobs.map((job) => row(job, inFocus, phone, act)))
      : element("p.soft", {}, words.today.noJobs),
    event.notes && element("p.remark", {}, event.notes),
    people(event));
}

function progress(jobs, flow) {
  if (!jobs.length) return null;
  const done = jobs.filter(({ status: slug }) => !flow[slug]?.isOpen).length;
  if (done === jobs.length) return element("p.all-done", {}, icon("check"), words.today.allDone);
  return element("p.progress", {}, element("progress", { value: done, max: jobs.length, "aria-hidden": "true" }),
    say(words.today.progress, { done, all: jobs.length }));
}

function row(job, focus, phone, act) {
  const isOpen = phone.flow[job.status]?.isOpen;
  const when = job.window ? phone.clock.range(job.window.start, job.window.end) : words.job.anyTime;
  const options = {
    type: "button", click: () => act.choose(job.id), "aria-current": job.id === focus?.id && "true",
    data: { key: `row-${job.id}`, job: job.id },
  };
  return element(`li${isOpen ? "" : ".over"}`, {},
    element("button.row", options,
      element("span.stop", {}, job.place),
      element("span.what", {}, element("strong", {}, job.location), element("span.soft", {}, when)),
      element("span.how", {}, status(job), waitingMark(job))));
}
