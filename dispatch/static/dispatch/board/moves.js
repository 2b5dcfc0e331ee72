// Moves a card: shows it there at once, asks the server, and puts it back with the reason when the server says no.

import { post } from "./api.js";
import { ask } from "./dialogs.js";
import { announce, toast } from "./notices.js";

export class Moves {
  constructor(store, view, statuses) {
    Object.assign(this, { store, view, statuses });
    this.undoLast = null;
  }

  /** @param {{before?: string, after?: string}} place  ids of the neighbours the card shall have */
  async move(id, status, place = {}) {
    const card = this.store.cards.get(id);
    if (this.store.pending.has(id)) {
      toast(`${card.location} is still being saved.`, { color: "grey", icon: "clock" });
      return;
    }
    const was = this.neighbours(id);
    this.store.expect(id, status, place);
    this.view.draw();
    let conflict = null;
    try {
      const reason = await this.reason(card, status);
      if (reason === null) {
        announce(`${card.location} stays in ${this.label(card.status)}.`);
        return;
      }
      const job = await this.send(card, "move", { to: status, seq: card.seq, reason, ...place });
      this.moved(card, job, was);
    } catch (problem) {
      if (problem.code === "stale" && problem.job) conflict = problem;
      else toast(`${card.location} was not moved: ${problem.message}`);
    } finally {
      this.store.settle(id);
      this.view.draw();
    }
    if (conflict) await this.settle(conflict, status, place);
  }

  async send(card, action, body) {
    try {
      const job = await post(`/jobs/${encodeURIComponent(card.id)}/${action}`, body);
      this.store.applyCard(job);
      return job;
    } catch (problem) {
      if (problem.job) this.store.applyCard(problem.job);
      throw problem;
    }
  }

  /** Offers to take it back. A place in a column is taken back by putting the card where it was. */
  moved(card, job, was) {
    const inColumn = card.status === job.status;
    const text = inColumn ? `${card.location} moved in ${this.label(job.status)}.` : `${card.location} moved to ${this.label(job.status)}.`;
    const back = inColumn ? () => this.move(job.id, job.status, was) : () => this.undo(job);
    announce(text);
    const element = toast(text, { color: this.statuses[job.status].color, icon: "check", action: { label: "Undo", run: back } });
    this.undoLast = () => element.isConnected && element.querySelector("[data-action=act]").click();
  }

  async undo(job) {
    try {
      const after = await this.send(job, "undo", { seq: job.seq });
      announce(`${job.location} is back in ${this.label(after.status)}.`);
    } catch (problem) {
      toast(`${job.location} was not moved back: ${problem.message}`);
    }
    this.view.draw();
  }

  /** Somebody was faster: says who did what, and lets the person decide. */
  async settle(problem, status, place) {
    const { job } = problem;
    const same = job.status === status;
    if (same || !this.statuses[job.status].mayGoTo.includes(status)) {
      toast(`${job.location}: ${problem.message}`, { color: "yellow", icon: "people" });
      return;
    }
    const answer = await ask(document.getElementById("conflict-dialog"), {
      location: job.location,
      said: problem.message,
      here: this.label(job.status),
      there: this.label(status),
    });
    if (answer === "anyway") await this.move(job.id, status, place);
    else announce(`${job.location} stays in ${this.label(job.status)}.`);
  }

  /** Asks why before a move that needs a reason. Null: the person changed their mind. */
  async reason(card, status) {
    if (!this.statuses[status].needsReason || !this.statuses[card.status].mayGoTo.includes(status)) return "";
    const dialog = document.getElementById("reason-dialog");
    const text = dialog.querySelector("textarea");
    text.value = "";
    const answer = await ask(dialog, { label: this.label(status).toLowerCase(), location: card.location });
    return answer === "go" ? text.value : null;
  }

  /** The ids of the cards above and below. */
  neighbours(id) {
    const { status } = this.store.cards.get(id);
    const ids = this.store.column(status).map((card) => card.id);
    const at = ids.indexOf(id);
    return { after: ids[at - 1], before: ids[at + 1] };
  }

  label(status) {
    return this.statuses[status].label;
  }
}
