// The queue, for whoever wants to see it or has to decide something.

import { perPerson } from "./entries.js";
import { button, element, icon, link } from "./page.js";
import { chip, counting, empty } from "./parts.js";
import { isStep } from "./replay.js";
import { couldStill } from "./shown.js";
import { ownReason, say, words } from "./words.js";

export { withFollowing } from "./replay.js";

export const facts = (phone) => [phone.entries, phone.ofOthers, phone.line, phone.plan.body.board.phone, phone.today];

/** «1 waits for Rosa, who has to sign in on this phone.» For each of the others who have used it. @returns {string[]} */
export const othersWait = (phone) => perPerson(phone.ofOthers).map(({ name, number }) =>
  say(words.othersWait[number === 1 ? "one" : "other"], { count: number, name: name ?? words.somebodyElse }));

export function make(phone, act) {
  const { entries } = phone;
  const isWaiting = entries.some(({ state }) => state === "waiting");
  return [
    element("h1", {}, words.queue.title),
    ...(entries.length ? [] : [empty("check", words.queue.none)]),
    element("ol.queue", {}, ...entries.map((entry) => row(entry, phone, act))),
    ...othersWait(phone).map((text) => element("p.warning", {}, icon("waiting"), text)),
    isWaiting && phone.line === "offline" && element("p.soft", {}, words.queue.offline),
    isWaiting && phone.line !== "offline" && button("main", "arrow", words.queue.sendNow, () => act.sendNow()),
    element("a.quiet", { href: "#today" }, words.queue.back),
  ];
}

function row(entry, phone, act) {
  const time = say(words.queue.at, { time: phone.clock.since(entry.at) });
  return element("li", { data: { state: entry.state, kind: entry.kind } },
    element("p", {}, element("strong", {}, what(entry))),
    element("p.soft", {}, [entry.where, time].filter(Boolean).join(" · ")),
    state(entry, phone),
    choices(entry, phone, act));
}

export function what({ kind, body }) {
  if (kind === "clock") return body.in ? words.queue.in : words.queue.out;
  if (kind === "move") return words.moves[body.to] ?? body.to;
  const text = kind === "note" ? body.text : kind === "photo" ? words.kinds[body.kind] : ownReason(body.reason);
  return say(words.queue[kind], { text, what: text });
}

function state(entry, phone) {
  if (entry.state === "conflict") return problem(say(words.queue.conflict, { status: statusOf(entry) }), entry, phone);
  if (entry.state === "refused") return problem(words.queue.refused, entry, phone);
  if (isBehind(entry, phone.entries)) return element("p.soft", {}, icon("waiting"), words.queue.stays);
  return element("p.soft", {}, icon("waiting"), entry.tries ? words.queue.trying : words.job.waiting);
}

const statusOf = ({ current }) => words.statuses[current?.status] ?? "?";

const problem = (text, entry, phone) => element("div.problem", {}, chip("red", "warning", text), ...why(entry, phone));

/** Who did what and why, with an age that goes on counting; in the server's words, as they were, where it says no more. */
function why(entry, { clock, offset, today }) {
  const { what, event, by, to, at, start, reason } = entry.facts ?? {};
  const isConflict = entry.state === "conflict";
  const happened = isConflict ? words.queue.moved : words.lost[what];
  if (!happened || !at) return [element("p", {}, start ? clock.planned(start, today) : entry.detail)];
  const values = { event, who: by || words.somebody, to: isConflict ? statusOf(entry) : to };
  return [counting(happened, values, at, offset), reason && element("p", {}, say(words.queue.because, { reason }))];
}

/** A step on top of one that came too late is not sent before that is decided. */
function isBehind(entry, entries) {
  return isStep(entry) && entries.some((one) => one.state === "conflict" && one.job === entry.job && one.id < entry.id);
}

function choices(entry, phone, act) {
  if (entry.state === "waiting") return null;
  const isConflict = entry.state === "conflict";
  const office = phone.plan.body.board.phone;
  return element("div.pair", {},
    isConflict && couldStill(entry, phone.flow) && button("quiet", null, words.queue.keep, () => act.keep(entry)),
    office && link("quiet", "phone", words.hours.office, `tel:${office}`),
    entry.photo && button("quiet", "camera", words.queue.save, () => save(entry)),
    button("quiet", null, isConflict ? words.queue.discard : words.queue.dismiss, () => act.discard(entry)));
}

/** Puts a photo among the files of the phone. */
function save({ photo, body, key }) {
  const address = URL.createObjectURL(photo);
  const ending = photo.type.split("/")[1] || "jpg";
  element("a", { href: address, download: `${body.kind}-${key.slice(0, 8)}.${ending}` }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000); // some browsers read it only after they have asked
}
