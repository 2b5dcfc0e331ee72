// Messages to the person at the board: seen, and read aloud.

import { setIcon } from "./icons.js";

const KEEP_MS = 8_000;

export function announce(text) {
  reachable("announcer").textContent = text;
}

/**
 * A message with a colour of the palette and up to two buttons. It goes by itself unless the pointer or the focus is on it.
 * A button takes the message away, unless it `stays`: then only the button goes. The text of `more` may change with time,
 * so it is not read aloud: whoever gives one announces it.
 * @param {{color?: string, icon?: string, more?: string,
 *   actions?: {label: string, stays?: boolean, run: (element: Element) => void}[]}} options
 */
export function toast(text, { color = "red", icon = "warning", more = "", actions = [] } = {}) {
  const element = document.getElementById("toast").content.firstElementChild.cloneNode(true);
  element.dataset.color = color;
  setIcon(element, icon);
  element.querySelector('[data-slot="text"]').textContent = text;
  element.querySelector('[data-slot="more"]').textContent = more;
  element.querySelector("[data-action=dismiss]").addEventListener("click", () => element.remove());
  element.querySelector(".actions").append(...actions.map((action) => button(element, action)));
  reachable("toasts").append(element);
  const fade = () => (element.matches(":hover, :focus-within") ? setTimeout(fade, 2_000) : element.remove());
  setTimeout(fade, KEEP_MS);
  return element;
}

function button(element, { label, stays = false, run }) {
  const made = document.createElement("button");
  Object.assign(made, { type: "button", className: "button", textContent: label });
  made.dataset.action = stays ? "act-on" : "act";
  made.addEventListener("click", () => {
    if (stays && made === document.activeElement) element.querySelector("[data-action=act]")?.focus();
    (stays ? made : element).remove();
    run(element);
  });
  return made;
}

/** Beside an open dialog nothing can be clicked, and nothing is read aloud: so messages stand inside it until it closes. */
function reachable(id) {
  const place = document.getElementById(id);
  const home = [...document.querySelectorAll("dialog:modal")].at(-1) || document.body;
  if (place.parentElement !== home) home.append(place);
  if (home !== document.body) home.addEventListener("close", () => document.body.append(place), { once: true });
  return place;
}
