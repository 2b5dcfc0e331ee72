// The job in focus: how to get there and in, whom to call, and the one next thing to do.

import { wayTo } from "./navigation.js";
import { button, element, icon, link } from "./page.js";
import { chip, status, waitingMark } from "./parts.js";
import { preview } from "./photos.js";
import { isEarly } from "./shown.js";
import { say, words } from "./words.js";

const PHOTOS = ["before", "after", "ticket"];
const EIGHTHS = ["", "⅛", "¼", "⅜", "½", "⅝", "¾", "⅞"];
const CLOSE = ["en_route", "in_progress"]; // only whoever has set off can find a gate locked

export function jobCard(job, event, phone, act) {
  const isOpen = phone.flow[job.status]?.isOpen;
  return element("article.job", { data: { job: job.id, color: job.color }, "aria-label": job.location },
    heading(job, phone.clock),
    job.contact && ways(job),
    remarks(job),
    isEarly(job, phone.now) ? early(event, phone) : next(job, isOpen, act),
    photos(job, act),
    isOpen && element("div.pair", {},
      CLOSE.includes(job.status) && !job.noAccess && button("quiet", "lock", words.job.noAccess, () => act.noAccess(job), { data: { key: "no-access" } }),
      button("quiet", "note", words.job.note, () => act.note(job), { data: { key: "note" } })));
}

function heading(job, clock) {
  const when = job.window
    ? `${clock.range(job.window.start, job.window.end)} ${clock.parts(job.window.start).zone}`
    : words.job.anyTime;
  const load = job.loadEighths && say(words.job.load, { load: loads(job.loadEighths) });
  const service = words.services[job.service] ?? job.serviceLabel;
  return element("header", {},
    element("p.chips", {}, status(job), waitingMark(job)),
    element("h3", {}, job.location),
    element("p.when", {}, icon("clock"), when),
    element("p.facts", {}, [say(words.job.place, job), service, load].filter(Boolean).join(" · ")));
}

/** «1½» of trucks */
const loads = (eighths) => `${Math.floor(eighths / 8) || ""}${EIGHTHS[eighths % 8]}`;

function ways(job) {
  const { name, phone } = job.contact;
  return element("div.contact", {},
    name && element("p.customer", {}, name),
    element("div.ways", {},
      phone && link("way", "phone", words.job.call, `tel:${phone}`),
      phone && link("way", "message", words.job.text, `sms:${phone}`),
      link("way", "map", words.job.navigate, wayTo(job.location))),
    !phone && element("p.soft", {}, words.job.noPhone));
}

/** With what was just written, which comes into the notes only once the office has it. */
function remarks({ contact, said }) {
  const remark = (name, label, text) =>
    text && element("div.remark", {}, element("h4", {}, icon(name), label), element("p", {}, text));
  const own = said.map((text) => remark("waiting", words.job.unsent, text));
  const found = [remark("key", words.job.access, contact?.accessNotes), ...own, remark("note", words.job.notes, contact?.notes)];
  return found.some(Boolean) && element("div.remarks", {}, ...found);
}

/** In the place of the next step: one tap would tell the customer today that the crew is on its way. */
const early = (event, phone) => element("p.told", {}, chip("grey", "clock", phone.clock.planned(event.start, phone.today)));

function next(job, isOpen, act) {
  if (job.noAccess) return element("p.told", {}, chip("yellow", "lock", words.job.reported));
  if (!isOpen) return element("p.told", {}, words.job.over);
  if (!job.next) return element("p.told", {}, words.job.noNext);
  const label = words.moves[job.next.to] ?? job.next.label;
  return element("div.next", {},
    button("main", "arrow", label, () => act.move(job), {
      "aria-disabled": act.taps.isResting && "true", data: { key: "next", action: "next", once: "" },
    }));
}

function photos(job, act) {
  return element("section.photos", { "aria-label": words.job.photos },
    element("div.take", {}, ...PHOTOS.map((kind) => take(job, kind, act))),
    shownPhotos(job));
}

function take(job, kind, act) {
  const count = [...job.photos, ...job.pictures].filter((photo) => photo.kind === kind).length;
  const input = element("input.only-read", {
    type: "file", accept: "image/*", capture: "environment", data: { key: `photo-${kind}`, kind },
    change: ({ target }) => act.photos(job, kind, target),
  });
  return element("label.file", {}, input, icon("camera"), element("span", {}, words.kinds[kind]),
    count > 0 && element("span.count", {}, count));
}

function shownPhotos(job) {
  if (!job.photos.length && !job.pictures.length) return null;
  return element("ul.thumbs", {}, ...job.photos.map((photo) => sent(job, photo)), ...job.pictures.map(unsent));
}

function sent(job, { id, kind }) {
  const address = (size) => `/crew/photos/${encodeURIComponent(job.id)}/${encodeURIComponent(id)}/${size}`;
  const label = words.kinds[kind] ?? kind;
  const instead = () => image.replaceWith(icon("camera"), element("span.only-read", {}, label)); // without a network, say
  const image = element("img", { src: address("thumb"), alt: label, loading: "lazy", error: instead });
  return element("li", {}, element("a", { href: address("full"), target: "_blank", rel: "noopener" }, image));
}

function unsent({ kind, photo }) {
  const label = `${words.kinds[kind] ?? kind}: ${words.job.waiting}`;
  return element("li.unsent", {}, preview(photo), icon("waiting"), element("span.only-read", {}, label));
}
