// Hours: clock in and out. And what is about this phone and not about a job.

import { button, element, link } from "./page.js";
import { waitingMark } from "./parts.js";
import { elapsed } from "./times.js";
import { othersWait } from "./waiting.js";
import { say, words } from "./words.js";

export function facts(phone) {
  return [phone.shown.shift, phone.offset, phone.member, phone.plan.body.board, phone.line === "offline", phone.ofOthers];
}

export function make(phone, act) {
  const { shift } = phone.shown;
  return [
    element("h1", {}, words.tabs.hours),
    element("section.shift", { data: { color: shift ? "green" : "grey" } },
      element("p.state", {}, shift ? words.hours.on : words.hours.off),
      shift && counted(shift.startedAt, phone.offset),
      shift && element("p.soft", {}, say(words.hours.since, { time: phone.clock.since(shift.startedAt) })),
      shift && waitingMark(shift),
      button("main", "clock", shift ? words.hours.out : words.hours.in, () => act.clock(!shift), {
        "aria-disabled": act.taps.isResting && "true", data: { key: "clock", once: "" },
      })),
    about(phone, act),
  ];
}

function about(phone, act) {
  const { board } = phone.plan.body;
  const isOffline = phone.line === "offline";
  return element("section.about", {},
    element("h2", {}, words.hours.phone),
    element("p", {}, say(words.hours.signedIn, phone.member)),
    element("p.soft", {}, say(words.hours.board, { zone: phone.clock.zoneName() })),
    element("p.soft", {}, words.hours.kept),
    element("div.pair", {},
      board.phone && link("quiet", "phone", words.hours.office, `tel:${board.phone}`),
      link("quiet", "key", words.hours.phones, "/crew/phones/"),
      button("quiet", "leave", words.hours.signOut, () => act.signOut(), { disabled: isOffline, data: { key: "sign-out" } })),
    isOffline && element("p.soft", {}, words.hours.needsNetwork),
    ...othersWait(phone).map((text) => element("p.soft", {}, text)));
}

function counted(since, offset) {
  return element("p.elapsed", { data: { elapsed: since, offset } }, elapsed(since, Date.now(), offset));
}

export function recountElapsed() {
  for (const made of document.querySelectorAll("[data-elapsed]")) {
    const now = elapsed(made.dataset.elapsed, Date.now(), Number(made.dataset.offset));
    if (made.textContent !== now) made.textContent = now;
  }
}
