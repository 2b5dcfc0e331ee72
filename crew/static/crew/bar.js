// The bar on top: whether there is a network, how old the plan is, and what waits.

import { officeBefore } from "./before.js";
import { takeBackOffline } from "./notices.js";
import { element, icon, paint, setText } from "./page.js";
import { count, say, words } from "./words.js";

const said = element("strong", { role: "status" }); // always the same one: what changes in it is read aloud
const age = element("small");
const line = element("p.line", { id: "line" }, element("span"), element("span", {}, said, age));
const queued = element("div");
document.getElementById("bar").append(line, queued);
const LOOKS = {
  live: ["green", "signal"], polling: ["green", "signal"], connecting: ["yellow", "signal"], offline: ["red", "nosignal"],
  "signed-out": ["grey", "nosignal"], "no-member": ["grey", "nosignal"],
};
const ONLINE = ["live", "polling"];

export const waitingText = (number) => count(words.waiting, number);

export function drawBar(phone) {
  const waiting = phone.entries.filter(({ state }) => state === "waiting").length;
  const problems = phone.entries.length - waiting;
  const time = phone.isKnown ? `${phone.clock.since(phone.plan.at)} ${phone.clock.parts(phone.plan.at).zone}` : "";
  drawLine(phone.line, time);
  const numbers = [waiting, problems, phone.ofOthers.length];
  paint(queued, [...numbers, words.language], () => (numbers.some(Boolean) ? [queueLink(...numbers)] : []));
}

function drawLine(name, time) {
  const [color, symbol] = LOOKS[name];
  if (line.dataset.line !== name && ONLINE.includes(name)) takeBackOffline();
  Object.assign(line.dataset, { color, line: name });
  paint(line.firstElementChild, [symbol], () => [icon(symbol)]);
  setText(said, words.bar[name] ?? (officeBefore() === null ? words.signIn.first : words.signIn.again));
  setText(age, time ? say(words.bar.asOf, { time }) : words.bar.never);
}

function queueLink(waiting, problems, others) {
  const texts = [problems && count(words.problems, problems), waiting && waitingText(waiting), others && count(words.ofOthers, others)]
    .filter(Boolean);
  const parts = texts.flatMap((text, at) => [at > 0 && ", ", element("span.part", {}, text)]);
  const color = problems ? "red" : "yellow";
  return element("a.queued", { id: "queued", href: "#waiting", data: { color, key: "queued" } },
    icon(problems ? "warning" : "waiting"), element("span", {}, ...parts));
}
