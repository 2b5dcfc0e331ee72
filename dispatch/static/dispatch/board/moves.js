// Moves a card: shows it there at once, asks the server, and puts it back with the reason when the server says no.

import { post } from "./api.js";
import { announce, toast } from "./notices.js";

export class Moves {
  constructor(store, view, statuses) {
    Object.assign(this, { store, view, statuses });
    this.reasonDialog = document.getElementById("reason-dialog");
  }

  /** @param {{before?: string, after?: string}} place  ids of the neighbours the card shall have */
  async move(id, status, place = {}) {
    const card = this.store.cards.get(id);
    if (this.store.pending.has(id)) return toast(`${card.location} is still being saved.`, "grey");
    this.store.expect(id, status, place);
    this.view.draw();
    try {
      const reason = await this.reason(card, status);
      if (reason === null) return announce(`${card.location} stays in ${this.statuses[card.status].label}.`);
      const job = await post(`/api/v1/jobs/${encodeURIComponent(id)}/move`, { to: status, seq: card.seq, reason, ...place });
      this.store.applyCard(job);
      announce(`${card.location} moved to ${this.statuses[status].label}.`);
    } catch (problem) {
      if (problem.job) this.store.applyCard(problem.job);
      toast(`${card.location} was not moved: ${problem.message}`);
    } finally {
      this.store.settle(id);
      this.view.draw();
    }
  }

  /** Asks why before a move that needs a reason. Null: the person changed their mind. */
  reason(card, status) {
    const allowed = this.statuses[card.status].mayGoTo.includes(status);
    if (!this.statuses[status].needsReason || !allowed) return "";
    const dialog = this.reasonDialog;
    const text = dialog.querySelector("textarea");
    text.value = dialog.returnValue = "";
    dialog.querySelector('[data-slot="label"]').textContent = this.statuses[status].label.toLowerCase();
    dialog.querySelector('[data-slot="location"]').textContent = card.location;
    dialog.showModal();
    return new Promise((resolve) => {
      dialog.onclose = () => resolve(dialog.returnValue === "go" ? text.value : null);
    });
  }
}
