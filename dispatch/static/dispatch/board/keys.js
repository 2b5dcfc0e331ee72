// Single-key shortcuts, listed in the sheet that ? opens, where they can be switched off.

const OFF = "shortcuts-off";

export class Keys {
  /** @param {Record<string, (card: Element | null) => void>} actions  key → what it does, given the focused card */
  constructor(actions) {
    this.actions = actions;
    this.sheet = document.getElementById("keys-dialog");
    const box = this.sheet.querySelector("input");
    box.checked = !localStorage.getItem(OFF);
    box.addEventListener("change", () => (box.checked ? localStorage.removeItem(OFF) : localStorage.setItem(OFF, "1")));
    document.querySelector("[data-action=keys]").addEventListener("click", () => this.sheet.showModal());
    document.addEventListener("keydown", (event) => this.pressed(event));
  }

  pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || localStorage.getItem(OFF)) return;
    if (event.target.closest("input, textarea, select, dialog[open]") || document.querySelector("dialog[open]")) return;
    const card = document.activeElement.closest(".card");
    if (event.key === "?") this.sheet.showModal();
    else if (ARROWS[event.key] && card) go(card, ARROWS[event.key]);
    else if (this.actions[event.key]) this.actions[event.key](card);
    else return;
    event.preventDefault();
  }
}

const ARROWS = { ArrowDown: [0, 1], ArrowUp: [0, -1], ArrowRight: [1, 0], ArrowLeft: [-1, 0] };

/** From card to card: up and down in a column, or to the nearest height in the next column that has cards. */
function go(card, [across, along]) {
  let target = card;
  if (along) {
    do target = along > 0 ? target.nextElementSibling : target.previousElementSibling;
    while (target && !target.matches(".card"));
  } else {
    let column = card.closest(".column");
    do column = across > 0 ? column.nextElementSibling : column.previousElementSibling;
    while (column && !column.querySelector(".card"));
    const top = card.getBoundingClientRect().top;
    const distance = (other) => Math.abs(other.getBoundingClientRect().top - top);
    target = column && [...column.querySelectorAll(".card")].sort((a, b) => distance(a) - distance(b))[0];
  }
  target?.querySelector("[data-action=open]").focus();
}

export function firstCard() {
  [...document.querySelectorAll(".card [data-action=open]")].find((button) => button.offsetParent)?.focus();
}
