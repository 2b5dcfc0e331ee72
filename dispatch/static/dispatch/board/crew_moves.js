// Puts a job into an event: shows it there at once, asks the server, and puts it back with the reason when it says no.

import { put } from "./api.js";
import { ask } from "./dialogs.js";
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
    let conflict = null;
    try {
      this.apply(await this.send(id, { event, before, from: was.event }));
      this.said(card, event, was);
    } catch (problem) {
      this.apply(problem);
      if (problem.code === "stale" && problem.event) conflict = problem;
      else this.refused(card, here, problem);
    } finally {
      this.crews.settle(id);
      this.view.draw();
    }
    if (conflict) await this.settle(conflict, card, event, before);
  }

  /** The lanes know nothing of events of long ago: a job that one of them left undone is in none here. */
  async send(id, place) {
    const path = `/jobs/${encodeURIComponent(id)}/event`;
    try {
      return await put(path, place);
    } catch (problem) {
      const { event: there } = problem;
      const isLeft = place.from === null && there?.status === "over" && there.jobs.includes(id);
      if (!isLeft) throw problem;
      return put(path, { ...place, from: there.id });
    }
  }

  apply({ event, events = [] }) {
    [...events, ...(event ? [event] : [])].forEach((one) => this.crews.applyEvent(one));
  }

  refused(card, here, problem) {
    const text = `${card.location} stays ${here ? `in ${here.title}` : "without a crew"}: ${problem.message}`;
    announce(text);
    toast(text);
  }

  /** Somebody was faster: says who did what, and lets the person decide. */
  async settle({ message, event: there }, card, event, before) {
    const now = there.jobs.includes(card.id) ? there.id : null;
    if (now === event) {
      toast(`${card.location}: ${message}`, { color: "yellow", icon: "people" });
      return;
    }
    const words = { location: card.location, said: message, here: this.title(now), there: this.title(event) };
    if ((await ask(document.getElementById("conflict-dialog"), words)) === "anyway") await this.put(card.id, event, before);
    else announce(`${card.location} stays in ${this.title(now)}.`);
  }

  title(event) {
    return event ? (this.crews.events.get(event)?.title ?? "its event") : "no event";
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
