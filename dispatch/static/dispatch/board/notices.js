// Messages to the person at the board: seen, and read aloud.

const KEEP_MS = 8_000;

export function announce(text) {
  document.getElementById("announcer").textContent = text;
}

/**
 * A message with a colour of the palette and at most one button. It goes by itself unless the pointer or the focus is on it.
 * @param {{color?: string, icon?: string, action?: {label: string, run: () => void}}} options
 */
export function toast(text, { color = "red", icon = "warning", action } = {}) {
  const element = document.getElementById("toast").content.firstElementChild.cloneNode(true);
  const [button, use] = [element.querySelector("[data-action=act]"), element.querySelector("use")];
  element.dataset.color = color;
  use.setAttribute("href", use.getAttribute("href").replace(/#.*/, `#${icon}`));
  element.querySelector('[data-slot="text"]').textContent = text;
  element.querySelector("[data-action=dismiss]").addEventListener("click", () => element.remove());
  button.hidden = !action;
  if (action) {
    button.textContent = action.label;
    button.addEventListener("click", () => {
      element.remove();
      action.run();
    });
  }
  document.getElementById("toasts").append(element);
  const fade = () => (element.matches(":hover, :focus-within") ? setTimeout(fade, 2_000) : element.remove());
  setTimeout(fade, KEEP_MS);
  return element;
}
