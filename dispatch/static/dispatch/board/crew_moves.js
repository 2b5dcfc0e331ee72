// Puts a job into an event: shows it there at once, asks the server, and puts it back with the reason when it says no.

import { put } from "./api.js";
import { announce, toast } from "./notices.js";

export class CrewMoves {
  /** @param {import("./store.js").Store} jobs  @param {import("./crew_store.js").CrewStore} crews */
  constructor(jobs, crews, view) {
    Object.assign(this, { jobs, crews, view });
    this.undoLast = null;
  }

  /** @param {string | null} event  id; null for no crew  @param {string | null} before  the job that it shall stand in front of */
  async put(id, event, before = null) {
    const card = this.jobs.cards.get(id);
    const here = this.crews.eventOf(id);
    const was = { event: here?.id ?? null, before: this.crews.next(here, id) };
    if (was.event === event && (event === null || was.before === before || before === id)) return;
    if (this.crews.pending.has(id)) {
      toast(`${card.location} is still being saved.`, { color: "grey", icon: "clock" });
      return;
    }
    this.undoLast = null;
    this.crews.expect(id, event, before);
    this.view.draw();
    try {
      const { events } = await put(`/jobs/${encodeURIComponent(id)}/event`, { event, before });
      events.forEach((one) => this.crews.applyEvent(one));
      this.said(card, event, was);
    } catch (problem) {
      if (problem.event) this.crews.applyEvent(problem.event);
      const text = `${card.location} stays ${here ? `in ${here.title}` : "without a crew"}: ${problem.message}`;
      announce(text);
      toast(text);
    } finally {
      this.crews.settle(id);
      this.view.draw();
    }
  }

  said(card, event, was) {
    const into = event && this.crews.events.get(event)?.title;
    const text = `${card.location} ${event === was.event ? "moved in" : into ? "is in" : "is"} ${into || "without a crew"}${into ? "" : " now"}.`;
    announce(text);
    const back = () => {
      if ((this.crews.eventOf(card.id)?.id ?? null) === event) return this.put(card.id, was.event, was.before);
      return toast(`${card.location} is somewhere else by now.`, { color: "yellow", icon: "people" });
    };
    const element = toast(text, { color: "green", icon: "check", actions: [{ label: "Undo", run: back }] });
    this.undoLast = () => element.isConnected && element.querySelector("[data-action=act]").click();
  }
}
