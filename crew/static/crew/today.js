// Today and tomorrow: the jobs in order, and one of them in focus.

import { jobCard } from "./job.js";
import { element, icon } from "./page.js";
import { chip, counting, empty, eventFacts, people, seenMark, status, waitingMark } from "./parts.js";
import { focusOf, goneOn, isEarly, onDay } from "./shown.js";
import { dayAfter } from "./times.js";
import { say, words } from "./words.js";

let chosen = null; // the job that was tapped; without one, the first that is to be done

export const choose = (id) => (chosen = id);

export function facts(phone, day) {
  const [date, { shown }] = [phone.dayOf(day), phone];
  const age = date > dayAfter(shown.today) && planAge(phone); // it is not said elsewhere, and changes with each look
  const early = jobsOf(shown.events).filter((job) => isEarly(job, phone.now)).map(({ id }) => id);
  return [day, chosen, date, shown, phone.line === "offline", age, early];
}

export function make(phone, day, act) {
  const { events, isKnown } = onDay(phone.shown, phone.dayOf(day), day === "today");
  const jobs = jobsOf(events);
  const focus = jobs.find(({ id }) => id === chosen) ?? (day === "today" ? focusOf(jobs, phone.flow) : null);
  return [
    element("h1.only-read", {}, words.days[day]),
    days(day),
    ...goneOn(phone.shown, phone.dayOf(day), day === "today").map((event) => gone(event, phone)),
    ...(events.length ? [] : [isKnown ? nothing(day) : notHere(phone)]),
    ...events.map((event) => (event.jobs ? eventOf(event, focus, phone, act) : later(event, phone))),
  ];
}

const jobsOf = (events) => events.flatMap(({ jobs }) => jobs ?? []);

/** «Plan from Sat, Nov 28, 8:00 PM» */
const planAge = (phone) => say(words.bar.asOf, { time: phone.clock.since(phone.plan.at) });

function days(day) {
  const tab = (name) =>
    element("a", { href: `#${name}`, "aria-current": name === day && "true", data: { key: `day-${name}` } }, words.days[name]);
  return element("nav.days", { "aria-label": words.day }, tab("today"), tab("tomorrow"));
}

function nothing(day) {
  const text = day === "today" ? words.today.none : words.today.noneTomorrow;
  return empty("sun", text, element("a.quiet", { href: "#events" }, words.today.look));
}

function gone({ title, start, end, at, by, reason }, { clock, offset }) {
  return element("section.event.off", {},
    element("header", {},
      element("p.chips", {}, chip("red", "cross", words.events.cancelled)),
      element("h2", {}, title),
      eventFacts({ start, end }, clock)),
    counting(words.lost.cancelled, { event: title, who: by || words.somebody }, at, offset),
    reason && element("p.remark", {}, say(words.queue.because, { reason })));
}

/** Of a day that the plan on this phone does not reach to. */
const notHere = (phone) => empty("calendar", `${words.today.dayMissing} ${planAge(phone)}.`);

/** An event that is on this phone without its jobs. */
function later(event, phone) {
  return element("section.event", {},
    element("header", {},
      element("p.chips", {}, event.you && chip("green", "check", words.roles[event.you.role])),
      element("h2", {}, event.title),
      eventFacts(event, phone.clock)),
    element("p.warning", {}, icon("warning"), `${words.today.jobsMissing} ${planAge(phone)}.`),
    event.notes && element("p.remark", {}, event.notes),
    people(event));
}

function eventOf(event, focus, phone, act) {
  const { jobs } = event;
  const inFocus = jobs.find(({ id }) => id === focus?.id);
  return element("section.event", seenMark(event),
    element("header", {},
      element("h2", {}, event.title),
      eventFacts(event, phone.clock)),
    progress(jobs, phone.flow),
    inFocus && jobCard(inFocus, event, phone, act),
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
