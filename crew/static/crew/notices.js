// Messages to the person: seen above the tabs, and read aloud.

import { button, element } from "./page.js";
import { words } from "./words.js";

const KEEP_MS = 8_000;
const place = document.getElementById("notices");

export function notice(text, color = "red") {
  const made = element("p.notice", { data: { color } }, element("span", {}, text));
  made.append(button("close", "close", "", () => made.remove(), { "aria-label": words.told.dismiss }));
  place.replaceChildren(made);
  setTimeout(() => made.remove(), KEEP_MS);
}
