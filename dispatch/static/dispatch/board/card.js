// One card: what it says, and what of it changes with time. Elements are kept and only touched where something differs.

import { mark as askMark, waiting } from "./asks.js";
import { setIcon } from "./icons.js";
import { lateness } from "./lanes.js";
import { age, price, service, silence } from "./words.js";

/** Shows a card in its element. @param {{statuses: object, clock: import("./words.js").Clock, kinds: object}} board */
export function fill(element, card, { statuses, clock, kinds }) {
  element.dataset.color = statuses[card.status].color;
  element.toggleAttribute("data-saving", Boolean(card.saving));
  element.querySelector(".when").title = clock.windowInFull(card.window);
  set(element, "location", card.location);
  set(element, "what", [service(card), card.customer.name].filter(Boolean).join(" · "));
  set(element, "crew", card.crew.length ? card.crew.map((name) => name.split(" ")[0]).join(", ") : "No crew yet");
  element.querySelector(".who").title = card.crew.join(", ");
  set(element, "price", price(card.price));
  set(element, "status", statuses[card.status].label);
  setIcon(element.querySelector(".in"), statuses[card.status].icon);
  element.querySelector('[data-slot="age"]').title = `Since ${clock.now.format(new Date(card.statusAt))}`;
  element.querySelector(".move")?.setAttribute("aria-label", `Move ${card.location} to…`);
  element.querySelector("[data-action=crew]")?.setAttribute("aria-label", `Crew of ${card.location}…`);
  setIcon(element.querySelector(".service"), card.service);
  const asked = waiting(card, kinds.asks).map((kind) => askMark(kinds.asks[kind]));
  element.querySelector(".asks").hidden = !asked.length;
  element.querySelector(".asks").replaceChildren(...asked);
  show(element.querySelector(".silent"), "mute", silence(card.optedOut, kinds.channels));
}

/** What changes without anybody doing anything. */
export function passTime(element, card, { statuses, clock }, now, copy) {
  set(element, "when", clock.window(card.window, card.preferredDay));
  set(element, "age", age(card.statusAt));
  const late = lateness(card, statuses[card.status], now);
  element.dataset.late = late ? late.kind : "";
  element.querySelector(".late").hidden = !late;
  set(element, "late", late ? late.text : "");
  show(element.querySelector(".copy"), copy?.icon, copy?.text || "", copy?.color);
}

/** An icon whose words are in its title, and for those who listen. Without words it is not there. */
function show(place, name, text, color = "grey") {
  if (place.title === text) return;
  place.hidden = !text;
  place.title = text;
  place.querySelector(".only-read").textContent = text;
  if (text) setIcon(place, name);
  place.dataset.color = color;
}

function set(element, slot, text) {
  const found = element.querySelector(`[data-slot="${slot}"]`);
  if (found.textContent !== text) found.textContent = text;
}
