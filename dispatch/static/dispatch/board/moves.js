// Moves a card: shows it there at once, asks the server, and puts it back with the reason when the server says no.

import { post } from "./api.js";
import { ask } from "./dialogs.js";
import { announce, toast } from "./notices.js";
import { goneOut, stopping, telling, waits } from "./telling.js";

export class Moves {
  /** @param {import("./tell.js").Tell} tell */
  constructor(store, view, statuses, clock, tell) {
    Object.assign(this, { store, view, statuses, clock, tell });
    this.undoLast = null;
  }

  /**
   * @param {{before?: string, after?: string}} place  ids of the neighbours the card shall have
   * @param {{notify?: boolean}} options  whether the customer is told; else the switch of the board says so
   */
  async move(id, status, place = {}, { notify = this.tell.on } = {}) {
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
      const job = await this.send(card, "move", { to: status, seq: card.seq, reason, notify, ...place });
      this.moved(card, job, was, notify);
    } catch (problem) {
      if (problem.code === "stale" && problem.job) conflict = problem;
      else toast(`${card.location} was not moved: ${problem.message}`);
    } finally {
      this.store.settle(id);
      this.view.draw();
    }
    if (conflict) await this.settle(conflict, status, place, notify);
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
  moved(card, job, was, notify) {
    const inColumn = card.status === job.status;
    const text = `${card.location} moved ${inColumn ? "in" : "to"} ${this.label(job.status)}.`;
    const back = inColumn ? () => this.move(job.id, job.status, was) : () => this.undo(job);
    const told = inColumn ? "" : this.told(job, notify);
    announce(`${text} ${told}`.trim());
    const element = toast(text, {
      color: this.statuses[job.status].color, icon: "check", more: told, actions: [{ label: "Undo", run: back }, ...this.stop(job)],
    });
    this.undoLast = () => element.isConnected && element.querySelector("[data-action=act]").click();
    if (waits(job.messages || [], job.updatedAt, 0)) this.countDown(element, job);
  }

  /** What the customer hears of a move, `passed` seconds after it. */
  told(job, notify, passed = 0) {
    if (!notify) return "The customer is not told.";
    if (!job.customer.notify) return "This customer gets no messages.";
    return telling(job.messages || [], job.updatedAt, passed, this.clock);
  }

  /** As long as the message about a move is seen, it says how long the customer's message waits still. */
  countDown(element, job) {
    const began = performance.now();
    const more = element.querySelector('[data-slot="more"]');
    const timer = setInterval(() => {
      const stop = element.querySelector("[data-action=act-on]");
      if (!element.isConnected || !stop) return clearInterval(timer);
      const passed = (performance.now() - began) / 1000;
      if (!waits(job.messages, job.updatedAt, passed)) stop.remove();
      return (more.textContent = this.told(job, true, passed));
    }, 1_000);
  }

  /** The button that keeps back what a move was to tell, if it is to tell anything. */
  stop(job) {
    const queued = (job.messages || []).filter(({ status }) => status === "queued");
    return queued.length ? [{ label: stopping(queued), stays: true, run: (element) => this.keepBack(job, queued, element) }] : [];
  }

  async keepBack(job, queued, element) {
    const path = `/jobs/${encodeURIComponent(job.id)}/messages`;
    const tries = await Promise.allSettled(queued.map(({ id }) => post(`${path}/${id}/cancel`, {})));
    const failed = tries.filter(({ status }) => status === "rejected").map(({ reason }) => reason);
    const late = queued.filter((message, at) => tries[at].reason?.code === "not_waiting");
    const other = failed.find(({ code }) => code !== "not_waiting");
    const said = other?.message || goneOut(late.map((message) => ({ ...message, status: "sent" }))) || `${queued[0].to} is not told.`;
    announce(said);
    if (element.isConnected) element.querySelector('[data-slot="more"]').textContent = said;
    else if (failed.length) toast(said);
  }

  async undo(job) {
    try {
      const after = await this.send(job, "undo", { seq: job.seq });
      const late = goneOut(after.messages || []);
      announce(`${job.location} is back in ${this.label(after.status)}. ${late}`.trim());
      if (late) toast(`${job.location} is back in ${this.label(after.status)}. ${late}`, { color: "yellow" });
    } catch (problem) {
      toast(`${job.location} was not moved back: ${problem.message}`);
    }
    this.view.draw();
  }

  /** Somebody was faster: says who did what, and lets the person decide. */
  async settle(problem, status, place, notify) {
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
    if (answer === "anyway") await this.move(job.id, status, place, { notify });
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
