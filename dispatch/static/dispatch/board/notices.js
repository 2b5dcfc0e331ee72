// Messages to the person at the board: seen, and read aloud.

const KEEP_MS = 9_000;

export function announce(text) {
  document.getElementById("announcer").textContent = text;
}

/** A message with a colour of the palette. It goes by itself unless the pointer or the focus is on it. */
export function toast(text, color = "red") {
  const element = document.getElementById("toast").content.firstElementChild.cloneNode(true);
  element.dataset.color = color;
  element.querySelector('[data-slot="text"]').textContent = text;
  element.querySelector("[data-action=dismiss]").addEventListener("click", () => element.remove());
  document.getElementById("toasts").append(element);
  const fade = () => (element.matches(":hover, :focus-within") ? setTimeout(fade, 2_000) : element.remove());
  setTimeout(fade, KEEP_MS);
}
