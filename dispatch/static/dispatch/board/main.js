// The live board: puts its parts together.

import { get } from "./api.js";
import { news, tell } from "./asks.js";
import { Copies } from "./copies.js";
import { Crews } from "./crews.js";
import { Hand, makeDraggable } from "./drag.js";
import { Drawer } from "./drawer.js";
import { Feed } from "./feed.js";
import { Filters } from "./filters.js";
import { setIcon } from "./icons.js";
import { Keys, firstCard } from "./keys.js";
import { Menu } from "./menu.js";
import { Moves } from "./moves.js";
import { toast } from "./notices.js";
import { Store } from "./store.js";
import { makeTabs } from "./tabs.js";
import { Tell } from "./tell.js";
import { View } from "./view.js";
import { Clock } from "./words.js";

const [state, kinds] = ["state", "kinds"].map((id) => JSON.parse(document.getElementById(id).textContent));
const { track, may, me } = document.body.dataset;
const { slug } = state.board;
const statuses = Object.fromEntries(state.columns.map((column) => [column.status, column]));
const counts = Object.fromEntries(state.columns.map((column) => [column.status, column.count]));
const clock = new Clock(state.board.timezone);
const store = new Store(state.board, state.jobs, counts);
const view = new View(store, statuses, clock, kinds);
const moves = new Moves(store, view, statuses, clock, new Tell());
const filters = new Filters(store, statuses, clock, draw);
const hand = may === "change" ? new Hand(store, view) : null;
const crews = new Crews(slug, store, view, clock, filters, hand, draw);
const menu = new Menu(store, view, moves, statuses, (id, opener) => crews.menu.open(id, opener));
const move = (id) => menu.open(id, view.elements.get(id)?.querySelector("[data-action=open]"));
const drawer = new Drawer(store, view, statuses, clock, { track, mayEdit: may === "change", slug, kinds, move, crews });

function draw() {
  view.matches = (card) => filters.matches(card);
  view.filtered = filters.active;
  view.draw();
}

if (hand) makeDraggable(hand, store, view, moves, statuses);

// --- how fresh the board is, and who else is here
const copies = new Copies(slug, view, clock);
const pill = document.getElementById("freshness");
let offlineSince = null;

function showFreshness(name) {
  offlineSince = ["offline", "signed-out"].includes(name) ? offlineSince || new Date() : null;
  const since = offlineSince && clock.time(offlineSince);
  const [color, icon, text] = {
    live: ["green", "signal", "Live"],
    "catching-up": ["yellow", "signal", "Catching up"],
    polling: ["yellow", "signal", "Every few seconds"],
    offline: ["red", "nosignal", `Offline since ${since}`],
    "signed-out": ["red", "nosignal", `Signed out at ${since}: reload to sign in again`],
    "not-allowed": ["red", "nosignal", "You may no longer see this board"],
  }[name];
  pill.dataset.color = color;
  pill.dataset.state = name;
  copies.follow(["live", "polling"].includes(name));
  setIcon(pill, icon);
  if (pill.querySelector("span").textContent !== text) pill.querySelector("span").textContent = text;
}

function showPeople(people) {
  const others = people.map((person) => person.name).filter((name) => name !== me);
  const line = document.getElementById("people");
  line.hidden = !others.length;
  line.querySelector("span").textContent = others.length > 3 ? `${others.length} others here` : `${others.join(", ")} here`;
  line.title = others.join(", ");
}

const base = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}`;
new Feed(
  { socket: `${base}/ws/board/${slug}/`, changes: `/api/v1/boards/${slug}/changes` },
  {
    position: () => ({ epoch: store.epoch, seq: store.seq }),
    frame: (frame) => {
      const asked = news(frame, store.cards);
      const whole = store.apply(frame);
      filters.offer();
      draw();
      drawer.follow();
      if (whole) tell(asked, kinds.asks, { open: (id) => drawer.open(id), showAll: () => filters.showAsks() });
      return whole;
    },
    freshness: showFreshness,
    people: showPeople,
  },
);

// --- finished jobs beyond those that the page came with, newest change first
for (const { status, isOpen } of state.columns) {
  if (isOpen) continue;
  let before = null;
  view.older.set(status, async () => {
    try {
      const page = await get(`/jobs?board=${slug}&status=${status}${before ? `&before=${before}` : ""}`);
      page.jobs.forEach((job) => store.applyCard(job));
      before = page.next;
      if (!before) view.older.delete(status);
    } catch (problem) {
      toast(problem.message);
    }
  });
}

// --- buttons, keys, the clock, tabs
document.querySelector("[data-action=new]")?.addEventListener("click", () => drawer.openNew());
document.getElementById("filters").addEventListener("submit", firstCard); // Enter in the search goes to what it found
const withCard = (action) => (card) => card && action(card.dataset.id, document.activeElement);
new Keys({
  "/": () => document.querySelector("[name=q]").focus(),
  n: () => document.querySelector("[data-action=new]")?.click(),
  m: withCard((id, opener) => may === "change" && menu.open(id, opener)),
  u: () => (crews.isOn && crews.moves.undoLast ? crews.moves : moves).undoLast?.(),
  v: () => crews.switchTo(!crews.isOn),
  e: withCard((id, opener) => crews.menu?.open(id, opener)),
  "[": () => crews.isOn && crews.step(-1),
  "]": () => crews.isOn && crews.step(1),
  c: firstCard,
  p: () => document.querySelector("[data-print]").click(),
});

const showClock = () => (document.getElementById("clock").textContent = clock.now.format(new Date()));
showClock();
setInterval(showClock, 10_000);
makeTabs();

document.querySelector("[data-action=tray]").addEventListener("click", (event) => {
  const open = event.target.closest(".column").toggleAttribute("data-open");
  event.target.setAttribute("aria-expanded", open);
});

const asked = new URLSearchParams(location.search).get("job");
if (asked) drawer.open(asked);
