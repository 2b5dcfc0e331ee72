// The Move to… menu of a card: everything that dragging does, by click, tap or key.

import { get } from "./api.js";
import { ask } from "./dialogs.js";

export class Menu {
  /** @param {(id: string, opener: Element) => void} crew  opens the menu of the crews */
  constructor(store, view, moves, statuses, crew) {
    Object.assign(this, { store, view, moves, statuses, crew });
    this.dialog = document.getElementById("move-dialog");
    this.tell = this.dialog.querySelector("[name=tell]");
    document.getElementById("columns").addEventListener("click", (event) => {
      const button = event.target.closest("[data-action=move]");
      if (button) this.open(button.closest(".card").dataset.id, button);
    });
  }

  async open(id, opener) {
    const card = this.store.shown(id);
    this.dialog.querySelector('[data-slot="targets"]').replaceChildren(...this.statuses[card.status].mayGoTo.map((slug) => this.choice(slug)));
    this.offerToTell(id);
    const answer = await ask(this.dialog, { location: card.location, here: `Now in ${this.statuses[card.status].label}.` });
    const [kind, value] = answer.split(":");
    opener?.focus();
    if (kind === "crew") this.crew(id, opener);
    const now = this.store.shown(id);
    if (!now || !value) return;
    if (kind === "status") await this.moves.move(id, value, {}, { notify: this.tell.checked });
    else if (this.neighbours(now, value)) await this.moves.move(id, now.status, this.neighbours(now, value));
  }

  /** The switch begins as that of the board. The card does not say whether this customer wants to be told: the job does. */
  async offerToTell(id) {
    this.asked = id;
    this.mayTell(true, this.moves.tell.on);
    const job = await get(`/jobs/${encodeURIComponent(id)}`).catch(() => null); // the server does not write to them anyway
    if (job && !job.customer.notify && this.asked === id) this.mayTell(false, false);
  }

  mayTell(may, checked) {
    Object.assign(this.tell, { checked, disabled: !may });
    this.dialog.querySelector('[data-slot="tell"]').textContent = may ? "Tell the customer" : "This customer gets no messages";
  }

  choice(slug) {
    const button = document.createElement("button");
    const icon = document.querySelector(`#column-${slug} .icon`).cloneNode(true);
    button.className = "button";
    button.value = `status:${slug}`;
    button.dataset.color = this.statuses[slug].color;
    button.append(icon, this.statuses[slug].label);
    return button;
  }

  /** The neighbours that a card has after moving among the cards that are seen; undefined when it is there already. */
  neighbours(card, where) {
    const cards = this.view.cards(card.status);
    const own = cards.find(([, other]) => other.id === card.id);
    const ids = cards.filter(([place]) => own && place === own[0]).map(([, other]) => other.id);
    const at = ids.indexOf(card.id);
    const others = ids.filter((id) => id !== card.id);
    const to = { top: 0, up: at - 1, down: at + 1, bottom: others.length }[where];
    if (at < 0 || to === at || to < 0 || to > others.length) return undefined;
    return { after: others[to - 1], before: others[to] };
  }
}
