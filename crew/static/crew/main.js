// The crew's page: puts its parts together.

import { Acts } from "./acts.js";
import { Api } from "./api.js";
import { drawBar } from "./bar.js";
import { keepOffice, officeBefore } from "./before.js";
import { follow } from "./card.js";
import { Database } from "./database.js";
import * as events from "./events.js";
import * as hours from "./hours.js";
import { recountElapsed } from "./hours.js";
import { install } from "./install.js";
import { Live } from "./live.js";
import { button, element, icon, link, paint } from "./page.js";
import { empty, recountAll } from "./parts.js";
import { Phone } from "./phone.js";
import { Seen } from "./seen.js";
import * as today from "./today.js";
import * as waiting from "./waiting.js";
import * as week from "./week.js";
import { say, speak, words } from "./words.js";

const screen = document.getElementById("screen");
const tabs = document.getElementById("tabs");
const { csrf, flow } = document.body.dataset;
const TURNED_AWAY_MS = 30_000; // the socket is refused though the member is known: it is not asked again at once
const KNOWN = ["polling", "offline"]; // by having asked
const TABS = { today: "list", events: "hand", week: "calendar", hours: "clock" };
const SCREENS = {
  today: [(phone) => today.facts(phone, "today"), (phone, acts) => today.make(phone, "today", acts)],
  tomorrow: [(phone) => today.facts(phone, "tomorrow"), (phone, acts) => today.make(phone, "tomorrow", acts)],
  events: [(phone, acts) => events.facts(phone, acts.busy), (phone, acts) => events.make(phone, acts, acts.busy)],
  week: [week.facts, week.make],
  hours: [hours.facts, hours.make],
  waiting: [waiting.facts, waiting.make],
};

const phone = new Phone(new Database(), new Api(csrf), JSON.parse(flow), draw);
const acts = new Acts(phone, draw);
const seen = new Seen(phone);
const live = new Live({
  events: (body) => phone.hearEvents({ body }),
  plan: () => phone.look(),
  look: () => phone.look({ impatient: true }),
  signedOut: turnedAway,
  state: (name) => {
    phone.isLive = name === "live";
    const isKnownBetter = phone.isOut || (name === "connecting" && KNOWN.includes(phone.line));
    if (!isKnownBetter) phone.line = name;
    draw();
  },
});

let isTurnedAway = false;
let unkept = null; // why the phone keeps nothing

/** Asks who this phone is, and knocks again only a while after that. */
async function turnedAway() {
  isTurnedAway = true;
  phone.isLive = false;
  await phone.look().catch(() => {});
  setTimeout(() => {
    isTurnedAway = false;
    draw();
  }, TURNED_AWAY_MS);
}

const shownScreen = () => (SCREENS[location.hash.slice(1)] ? location.hash.slice(1) : "today");

function draw() {
  document.documentElement.lang = speak(phone.isKnown ? phone.member.language : null);
  const name = shownScreen();
  document.title = `${words.tabs[name] ?? words.days[name] ?? words.queue.title} · ${words.app}`;
  document.querySelector(".skip").textContent = words.skip;
  if (!unkept) drawBar(phone);
  paint(tabs, [name, phone.isKnown, words.language], () => (phone.isKnown ? Object.entries(TABS).map(([tab, sign]) => tabOf(tab, sign, name)) : []));
  tabs.setAttribute("aria-label", words.sections);
  const [facts, make] = phone.isKnown ? SCREENS[name] : [() => [phone.line, phone.entries.length, unkept?.message], unkept ? storageNeeded : signIn];
  follow(() => paint(screen, [name, phone.isKnown, words.language, facts(phone, acts)], () => make(phone, acts)));
  if (phone.isKnown) keepOffice(phone.plan.body.board.phone ?? "");
  seen.follow();
  if (phone.isKnown && !phone.isOut && !isTurnedAway) live.start();
}

function tabOf(tab, sign, name) {
  const isHere = tab === name || (tab === "today" && name === "tomorrow");
  const options = { href: `#${tab}`, "aria-current": isHere && "page", data: { key: `tab-${tab}` } };
  return element("a", options, icon(sign), element("span", {}, words.tabs[tab]));
}

/** Instead of a plan: what to do to get one. */
function signIn() {
  if (!phone.isOut) {
    return [element("h1.only-read", {}, words.app), empty("truck", phone.line === "offline" ? words.bar.never : words.loading)];
  }
  if (phone.line === "no-member") {
    return [
      element("h1", {}, words.bar["no-member"]), element("p", {}, words.signIn.noMember),
      element("a.main", { href: "/" }, words.signIn.board), element("a.quiet", { href: "/crew/sign-in/" }, words.signIn.button),
    ];
  }
  return [
    element("h1", {}, words.signIn.title), element("p", {}, words.signIn.text),
    phone.entries.length > 0 && element("p.warning", {}, icon("waiting"), words.signIn.kept),
    element("a.main", { href: "/crew/sign-in/" }, words.signIn.button),
    officeBefore() && link("quiet", "phone", words.hours.office, `tel:${officeBefore()}`),
  ];
}

/** Without a place to keep things there is neither a plan nor a queue, so nothing is taken that could be lost. */
function storageNeeded() {
  return [
    element("h1", {}, words.storage.title),
    element("p.warning", {}, icon("warning"), say(words.storage.text, { reason: unkept.message || unkept.name })),
    element("p", {}, words.storage.help), element("p", {}, words.storage.office),
    button("main", "arrow", words.storage.again, () => location.reload()),
  ];
}

addEventListener("hashchange", () => {
  draw();
  scrollTo(0, 0);
  screen.focus({ preventScroll: true });
});
setInterval(() => {
  recountAll();
  recountElapsed();
}, 1_000);
setInterval(draw, 30_000); // a day may have begun
const look = () => unkept || phone.look({ impatient: true });
addEventListener("online", look);
document.addEventListener("visibilitychange", () => (document.hidden ? phone.leave() : look()));

install();
try {
  await phone.database.open();
} catch (problem) {
  unkept = problem;
  draw();
}
if (!unkept) {
  await phone.read();
  await phone.tidy();
  await look();
}
