// The Move to… menu of a card: everything that dragging does, by click, tap or key.

export function makeMenu(store, view, moves, statuses) {
  const dialog = document.getElementById("move-dialog");
  let opener = null;

  document.getElementById("columns").addEventListener("click", (event) => {
    const button = event.target.closest("[data-action=move]");
    if (!button) return;
    opener = button;
    open(store.shown(button.closest(".card").dataset.id));
  });

  function open(card) {
    dialog.returnValue = "";
    dialog.dataset.id = card.id;
    dialog.querySelector('[data-slot="location"]').textContent = card.location;
    dialog.querySelector('[data-slot="here"]').textContent = `Now in ${statuses[card.status].label}.`;
    dialog.querySelector('[data-slot="targets"]').replaceChildren(...statuses[card.status].mayGoTo.map(choice));
    dialog.showModal();
  }

  function choice(slug) {
    const button = document.createElement("button");
    const icon = document.querySelector(`#column-${slug} .icon`).cloneNode(true);
    button.className = "button";
    button.value = `status:${slug}`;
    button.dataset.color = statuses[slug].color;
    button.append(icon, statuses[slug].label);
    return button;
  }

  dialog.addEventListener("close", () => {
    const [kind, value] = dialog.returnValue.split(":");
    const id = dialog.dataset.id;
    const card = store.shown(id);
    opener?.focus();
    if (!card || !value) return;
    if (kind === "status") moves.move(id, value);
    else if (neighbours(card, value)) moves.move(id, card.status, neighbours(card, value));
  });

  /** The neighbours that a card has after moving in its column; undefined when it is there already. */
  function neighbours(card, where) {
    const others = store.column(card.status).filter((other) => other.id !== card.id).map((other) => other.id);
    const at = store.column(card.status).findIndex((other) => other.id === card.id);
    const to = { top: 0, up: at - 1, down: at + 1, bottom: others.length }[where];
    if (to === at || to < 0 || to > others.length) return undefined;
    return { after: others[to - 1], before: others[to] };
  }
}
