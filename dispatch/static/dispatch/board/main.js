// The live board: puts its parts together.

import { makeDraggable } from "./drag.js";
import { Feed } from "./feed.js";
import { makeMenu } from "./menu.js";
import { Moves } from "./moves.js";
import { Store } from "./store.js";
import { View } from "./view.js";
import { Clock } from "./words.js";

const state = JSON.parse(document.getElementById("state").textContent);
const statuses = Object.fromEntries(state.columns.map((column) => [column.status, column]));
const counts = Object.fromEntries(state.columns.map((column) => [column.status, column.count]));
const clock = new Clock(state.board.timezone);
const store = new Store(state.board, state.jobs, counts);
const view = new View(store, statuses, clock);
const moves = new Moves(store, view, statuses);
view.draw();

if (document.body.classList.contains("movable")) {
  makeDraggable(store, view, moves, statuses);
  makeMenu(store, view, moves, statuses);
}

// --- how fresh the board is
const pill = document.getElementById("freshness");
let offlineSince = null;

function showFreshness(name) {
  offlineSince = name === "offline" || name === "signed-out" ? offlineSince || new Date() : null;
  const since = offlineSince && clock.time(offlineSince);
  const [color, icon, text] = {
    live: ["green", "signal", "Live"],
    "catching-up": ["yellow", "signal", "Catching up"],
    offline: ["red", "nosignal", `Offline since ${since}`],
    "signed-out": ["red", "nosignal", `Signed out at ${since}: reload to sign in again`],
    "not-allowed": ["red", "nosignal", "You may no longer see this board"],
  }[name];
  const use = pill.querySelector("use");
  pill.dataset.color = color;
  pill.dataset.state = name;
  use.setAttribute("href", use.getAttribute("href").replace(/#.*/, `#${icon}`));
  if (pill.querySelector("span").textContent !== text) pill.querySelector("span").textContent = text;
}

const base = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}`;
new Feed(
  { socket: `${base}/ws/board/${state.board.slug}/`, changes: `/api/v1/boards/${state.board.slug}/changes` },
  {
    position: () => ({ epoch: store.epoch, seq: store.seq }),
    frame: (frame) => {
      const whole = store.apply(frame);
      view.draw();
      return whole;
    },
    freshness: showFreshness,
  },
);

// --- the clock of the board's zone, the tray, and the tabs of a narrow screen
const showClock = () => (document.getElementById("clock").textContent = clock.now.format(new Date()));
showClock();
setInterval(showClock, 10_000);

document.querySelector("[data-action=tray]").addEventListener("click", (event) => {
  const open = event.target.closest(".column").toggleAttribute("data-open");
  event.target.setAttribute("aria-expanded", open);
});

const tabs = [...document.querySelectorAll("[data-tab]")];

function showColumn(tab) {
  for (const other of tabs) {
    other.setAttribute("aria-selected", other === tab);
    other.tabIndex = other === tab ? 0 : -1;
    document.getElementById(`column-${other.dataset.tab}`).toggleAttribute("data-current", other === tab);
  }
  tab.focus();
  tab.scrollIntoView({ block: "nearest", inline: "center" });
}

tabs.forEach((tab, place) => {
  tab.tabIndex = place === 0 ? 0 : -1;
  tab.addEventListener("click", () => showColumn(tab));
  tab.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step) showColumn(tabs[(place + step + tabs.length) % tabs.length]);
  });
});
