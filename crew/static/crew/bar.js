// The bar on top: whether there is a network, how old the plan is, and what waits.

import { element, icon, paint } from "./page.js";
import { count, say, words } from "./words.js";

const place = document.getElementById("bar");
const LOOKS = {
  live: ["green", "signal"], polling: ["green", "signal"], connecting: ["yellow", "signal"], offline: ["red", "nosignal"],
  "signed-out": ["grey", "nosignal"],
};

export const waitingText = (number) => count(words.waiting, number);

export function drawBar(phone) {
  const waiting = phone.entries.filter(({ state }) => state === "waiting").length;
  const problems = phone.entries.length - waiting;
  const age = phone.isKnown ? `${phone.clock.since(phone.plan.at)} ${phone.clock.parts(phone.plan.at).zone}` : "";
  paint(place, [phone.line, age, waiting, problems, words.language], () => [
    line(phone.line, age),
    (waiting || problems) > 0 && queueLink(waiting, problems),
  ]);
}

function line(name, age) {
  const [color, symbol] = LOOKS[name];
  const text = words.bar[name] ?? words.signIn.again;
  return element("p.line", { id: "line", data: { color, line: name } }, icon(symbol), element("span", {},
    element("strong", { role: "status" }, text),
    element("small", {}, age ? say(words.bar.asOf, { time: age }) : words.bar.never)));
}

function queueLink(waiting, problems) {
  const texts = [problems && count(words.problems, problems), waiting && waitingText(waiting)].filter(Boolean);
  const parts = texts.flatMap((text, at) => [at > 0 && ", ", element("span.part", {}, text)]);
  const color = problems ? "red" : "yellow";
  return element("a.queued", { id: "queued", href: "#waiting", data: { color, key: "queued" } },
    icon(problems ? "warning" : "waiting"), element("span", {}, ...parts));
}
