// Draws a job just as templates/tracking/track.html does. What has not changed is left alone, so that nothing is read out
// twice and no button moves away from under a finger.

import { momentInWords, timeInWords, windowInWords } from "./dates.js";
import { say, words } from "./words.js";

const page = document.getElementById("job");
const trouble = document.getElementById("trouble");
const slot = (name) => document.querySelector(`[data-slot="${name}"]`);
const text = words.page;

/** Statuses in which a job is over. */
export const OVER = ["completed", "cancelled"];

export const shown = {
  seq: Number(page.dataset.seq ?? -1),
  epoch: page.dataset.epoch ?? "",
  status: page.dataset.status ?? "",
};
const isStatic = "shell" in page.dataset;
let zone = page.dataset.zone;
let asOf = isStatic ? 0 : Date.now();

/** True when the page shows a job already that this copy knows less about. */
export function isOld(job) {
  return job.epoch === shown.epoch && job.seq < shown.seq;
}

/** `files` is where the static page finds photos and the calendar; a page that Django made has addresses of its own. */
export function show(job, files) {
  if (isOld(job)) return;
  const news = job.epoch !== shown.epoch || job.seq !== shown.seq;
  zone = job.timezone;
  asOf = Math.max(asOf, Date.parse(job.updatedAt));
  calm();
  if (!news) return;
  Object.assign(shown, { seq: job.seq, epoch: job.epoch, status: job.status });
  Object.assign(page.dataset, { color: job.color, status: job.status });
  document.title = `${words.headline[job.status]} · ${job.company.name}`;
  write("headline", words.headline[job.status]);
  write("next", words.next[job.status]);
  write("service", words.label[job.service]);
  write("location", job.location);
  write("crew", job.crew.join(", ") || text.noCrew);
  write("company", job.company.name);
  const isOver = OVER.includes(job.status);
  showWindow(job.window ? windowInWords(job.window, zone) : isOver ? "" : text.noWindow);
  fill("steps", job.steps, job.steps.map(step));
  fill("history", job.history, job.history.map(entry));
  fill("asked", [job.asked, job.rating], asked(job));
  fill("may", job.may, job.may.map(choice));
  fill("photos", job.photos, job.photos.map((photo) => picture(photo, files)));
  document.getElementById("photos").hidden = !job.photos.length;
  const calendar = document.getElementById("calendar");
  calendar.hidden = !job.window || isOver;
  if (isStatic) calendar.href = `${files}/calendar.ics`;
  call(job.company.phone);
  document.getElementById("about").hidden = false;
}

/** The server has just said that this is how things are. */
export function fresh() {
  asOf = Date.now();
  calm();
}

export function warn() {
  write("updated", "");
  const known = shown.status && asOf;
  setText(trouble, known ? say(text.old, { time: timeInWords(asOf, zone) }) : text.trouble);
}

/** What a static page says until it knows the job. */
export function wait() {
  write("headline", text.loading);
}

export function thank(kind) {
  setText(document.getElementById("thanks"), words.ask[kind].thanks);
}

/** In place of the job: its link is not valid, or has ended. */
export function replacePage(headline, next) {
  document.title = `${headline} · ${slot("company").textContent}`;
  const book = make("a", text.book);
  book.href = "/book";
  const line = make("p", "");
  line.append(book);
  const heading = make("h1", headline);
  heading.tabIndex = -1;
  document.querySelector("main").replaceChildren(heading, make("p", next, "next"), line);
  heading.focus();
}

function calm() {
  setText(trouble, "");
  if (asOf) write("updated", say(text.updated, { time: timeInWords(asOf, zone) }));
}

function write(name, content) {
  setText(slot(name), content);
}

function setText(element, content) {
  if (element.textContent !== content) element.textContent = content;
}

const offered = [...document.querySelectorAll("[data-ask]")].map((link) => link.dataset.ask);
function showWindow(line) {
  document.getElementById("window").hidden = !line;
  if (slot("window").textContent === line) return;
  const hours = line.match(/\d{1,2}:\d\d.*/)?.[0] ?? "";
  slot("window").replaceChildren(line.slice(0, line.length - hours.length), make("span", hours, "hours"));
}

const drawn = new Map([["may", JSON.stringify(offered)]]);

function fill(name, data, items) {
  const key = JSON.stringify(data);
  if (drawn.get(name) === key) return;
  drawn.set(name, key);
  slot(name).replaceChildren(...items);
  slot(name).hidden = !items.length;
}

function step({ label, state }) {
  const item = make("li", "");
  item.dataset.state = state;
  if (state === "current") item.setAttribute("aria-current", "step");
  const dot = make("span", "", "dot");
  dot.setAttribute("aria-hidden", "true");
  item.append(dot, words.label[label], make("span", ` (${words.state[state]})`, "only-read"));
  return item;
}

function entry({ label, at }) {
  const item = make("li", "");
  const when = make("time", momentInWords(at, zone));
  when.dateTime = at;
  item.append(make("span", words.label[label]), " ", when);
  return item;
}

function asked(job) {
  const lines = job.asked.map((kind) => words.ask[kind].asked);
  if (job.rating) lines.push(say(text.stars, { stars: job.rating }));
  return lines.map((line) => make("li", line));
}

function choice(kind) {
  const lang = new URLSearchParams(location.search).has("lang") ? `&lang=${words.lang}` : "";
  const link = make("a", words.ask[kind].link, "button quiet");
  Object.assign(link, { href: `?ask=${kind}${lang}`, rel: "nofollow" });
  link.dataset.ask = kind;
  const item = make("li", "");
  item.append(link);
  return item;
}

function picture({ id, kind, width, height }, files) {
  const address = (size) =>
    isStatic ? `${files}/photos/${encodeURIComponent(id)}?size=${size}` : `?photo=${encodeURIComponent(id)}&size=${size}`;
  const image = make("img", "");
  Object.assign(image, { alt: "", width, height, loading: "lazy", src: address("thumb") });
  const link = make("a", "");
  link.href = address("full");
  link.append(image, make("span", text[kind]));
  const item = make("li", "");
  item.append(link);
  return item;
}

function call(phone) {
  const link = document.querySelector(".call");
  if (!link || !phone || link.getAttribute("href") === `tel:${phone}`) return;
  link.href = `tel:${phone}`;
  write("phone", phone.replace(/^\+1(\d{3})(\d{3})(\d{4})$/, "($1) $2-$3"));
}

function make(name, content, className = "") {
  const element = document.createElement(name);
  element.textContent = content;
  if (className) element.className = className;
  return element;
}
