// My week: where I am on the next seven days.

import { element } from "./page.js";
import { chip, empty, eventFacts, people, seenMark } from "./parts.js";
import { count, words } from "./words.js";

export const facts = (phone) => [phone.plan.body.week, phone.today];

export function make(phone) {
  const { week } = phone.plan.body;
  return [
    element("h1", {}, words.tabs.week),
    ...(week.length ? week.map((event) => dayOf(event, phone)) : [empty("calendar", words.week.none)]),
  ];
}

function dayOf(event, phone) {
  return element("article.event", seenMark(event),
    element("header", {},
      element("p.chips", {}, event.you && chip("green", "check", words.roles[event.you.role])),
      element("h2", {}, phone.clock.dayName(event.start)),
      element("h3", {}, event.title),
      eventFacts(event, phone.clock, event.jobCount && count(words.events.jobs, event.jobCount))),
    people(event),
    event.notes && element("p.remark", {}, event.notes));
}
