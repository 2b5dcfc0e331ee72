// Messages to the person: seen below the bar on top, and read aloud. Taps go through them to what they lie on.

import { button, element } from "./page.js";
import { words } from "./words.js";

const KEEP_MS = 8_000;
const place = document.getElementById("notices");

/** @param {{isOffline?: boolean}} about  isOffline: it is no longer true once there is a network */
export function notice(text, color = "red", { isOffline = false } = {}) {
  const made = element("p.notice", { data: { color, ...(isOffline && { offline: "" }) } }, element("span", {}, text));
  made.append(button("close", "close", "", () => made.remove(), { "aria-label": words.told.dismiss }));
  place.replaceChildren(made);
  setTimeout(() => made.remove(), KEEP_MS);
}

/** There is a network again. */
export function takeBackOffline() {
  place.querySelector("[data-offline]")?.remove();
}
