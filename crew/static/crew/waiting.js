// The queue, for whoever wants to see it or has to decide something.

import { button, element, icon } from "./page.js";
import { chip, empty } from "./parts.js";
import { isStep } from "./replay.js";
import { couldStill } from "./shown.js";
import { ownReason, say, words } from "./words.js";

export { withFollowing } from "./replay.js";

export const facts = (phone) => [phone.entries, phone.line];

export function make(phone, act) {
  const { entries } = phone;
  const isWaiting = entries.some(({ state }) => state === "waiting");
  return [
    element("h1", {}, words.queue.title),
    ...(entries.length ? [] : [empty("check", words.queue.none)]),
    element("ol.queue", {}, ...entries.map((entry) => row(entry, phone, act))),
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
    state(entry, phone.entries),
    choices(entry, phone, act));
}

export function what({ kind, body }) {
  if (kind === "clock") return body.in ? words.queue.in : words.queue.out;
  if (kind === "move") return words.moves[body.to] ?? body.to;
  const text = kind === "note" ? body.text : kind === "photo" ? words.kinds[body.kind] : ownReason(body.reason);
  return say(words.queue[kind], { text, what: text });
}

function state(entry, entries) {
  if (entry.state === "conflict") {
    const status = words.statuses[entry.current?.status] ?? "?";
    return element("div.problem", {}, chip("red", "warning", say(words.queue.conflict, { status })), element("p", {}, entry.detail));
  }
  if (entry.state === "refused") {
    return element("div.problem", {}, chip("red", "warning", words.queue.refused), element("p", {}, entry.detail));
  }
  if (isBehind(entry, entries)) return element("p.soft", {}, icon("waiting"), words.queue.stays);
  return element("p.soft", {}, icon("waiting"), entry.tries ? words.queue.trying : words.job.waiting);
}

/** A step on top of one that came too late is not sent before that is decided. */
function isBehind(entry, entries) {
  return isStep(entry) && entries.some((one) => one.state === "conflict" && one.job === entry.job && one.id < entry.id);
}

function choices(entry, phone, act) {
  if (entry.state === "waiting") return null;
  const isConflict = entry.state === "conflict";
  return element("div.pair", {},
    isConflict && couldStill(entry, phone.flow) && button("quiet", null, words.queue.keep, () => act.keep(entry)),
    button("quiet", null, isConflict ? words.queue.discard : words.queue.dismiss, () => act.discard(entry)));
}
