// Events to claim. A claim is made at once or not at all: who is first is decided on the server, so it cannot wait.

import { button, element, icon } from "./page.js";
import { chip, counting, empty, eventFacts, seenMark } from "./parts.js";
import { count, say, words } from "./words.js";

export function facts(phone, busy) {
  return [coming(phone), phone.line === "offline", phone.member, phone.today, busy];
}

/** Without what is over, which a phone that has no network is not told. */
function coming({ events, now }) {
  return events?.body.events.filter(({ status, end }) => status !== "over" && now < Date.parse(end)) ?? [];
}

export function make(phone, act, busy) {
  const events = coming(phone);
  const days = [...new Set(events.map(({ day }) => day))];
  return [
    element("h1", {}, words.tabs.events),
    phone.line === "offline" && element("p.warning", {}, icon("nosignal"), words.events.offline),
    ...(events.length ? [] : [empty("calendar", phone.events ? words.events.none : words.loading)]),
    ...days.map((day) => dayOf(day, events.filter((event) => event.day === day), phone, act, busy)),
  ];
}

function dayOf(day, events, phone, act, busy) {
  return element("section.day", {},
    element("h2", {}, phone.clock.dayName(events[0].start)),
    ...events.map((event) => card(event, phone, act, busy)));
}

function card(event, phone, act, busy) {
  const isCancelled = event.status === "cancelled";
  return element(`article.event${isCancelled ? ".off" : ""}`, { ...seenMark(event), id: `event-${event.id}` },
    element("header", {},
      element("p.chips", {}, mark(event)),
      element("h3", { tabindex: "-1" }, event.title),
      eventFacts(event, phone.clock, event.jobCount && count(words.events.jobs, event.jobCount))),
    captains(event),
    mates(event, phone.offset),
    event.notes && element("p.remark", {}, event.notes),
    !isCancelled && choice(event, phone, act, busy));
}

function mark(event) {
  if (event.status === "cancelled") return chip("red", "cross", words.events.cancelled);
  if (event.you) return chip("green", "check", `${words.events.yours}: ${words.roles[event.you.role]}`);
  const free = event.firstMates.places - event.firstMates.people.length;
  return free > 0 ? chip("blue", "hand", count(words.events.free, free)) : chip("grey", "people", words.events.taken);
}

function captains({ captains: { people } }) {
  return people.length > 0 && element("p.facts", {}, `${words.events.captains}: ${people.map(({ name }) => name).join(", ")}`);
}

function mates({ firstMates: { people } }, offset) {
  const others = people.filter(({ you }) => !you);
  return element("div.mates", {}, ...others.map(({ name, since }) =>
    counting(words.events.takenBy, { name: name.split(" ")[0] }, since, offset)));
}

function choice(event, phone, act, busy) {
  const options = { disabled: phone.line === "offline", "aria-disabled": busy && "true", data: { key: `choice-${event.id}` } };
  if (event.you?.releaseAsked) return element("p.told", {}, words.events.asked);
  if (event.you) {
    const text = event.you.mayRelease ? words.events.release : words.events.askRelease;
    return button("quiet", null, text, () => act.release(event), options);
  }
  if (event.status !== "open" || !phone.member.roles.includes("first_mate")) return null;
  return button("main", "hand", busy === event.id ? words.events.claiming : words.events.claim, () => act.claim(event), options);
}

/** What the answer to a claim or a release brings, before the socket does. */
export function withEvent(body, event) {
  return { ...body, events: body.events.map((known) => (known.id === event.id && event.seq >= known.seq ? event : known)) };
}

export const releaseQuestion = (event) => ({
  title: words.ask.release,
  text: `${event.title}. ${say(event.you.mayRelease ? words.ask.releaseText : words.ask.releaseLate)}`,
  go: event.you.mayRelease ? words.ask.giveBack : words.ask.asking,
});
