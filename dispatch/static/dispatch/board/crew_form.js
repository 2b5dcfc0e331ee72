// A new event, one that changes, and one that does not take place.

import { patch, post } from "./api.js";
import { dayAfter } from "./crew_words.js";
import { different } from "./job_form.js";
import { announce, toast } from "./notices.js";

const FIRST_HOURS = ["08:00", "16:00"];

export class CrewForm {
  /** @param {import("./crew_people.js").CrewPeople} people  asks for reasons  @param {(day: string) => void} show  the day of what was saved */
  constructor(slug, crews, clock, people, show) {
    Object.assign(this, { slug, crews, clock, people, show });
    this.dialog = document.getElementById("event-dialog");
    this.form = this.dialog.querySelector("form");
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.save();
    });
    this.dialog.addEventListener("click", ({ target }) => {
      const action = target.closest("[data-action]")?.dataset.action;
      if (action === "close") this.dialog.close();
      if (action === "cancel-event") this.cancel();
    });
  }

  /** @param {import("./crew_store.js").Event | null} event  null for a new one on that day */
  open(event, day) {
    this.event = event;
    this.seq = event?.seq;
    const { elements } = this.form;
    const [from, until] = event ? [event.start, event.end].map((moment) => this.clock.local(new Date(moment)).slice(11)) : FIRST_HOURS;
    const trucks = [...new Set([...this.crews.trucks, ...(event?.truck ? [event.truck] : [])])];
    elements.truck.replaceChildren(new Option("No truck", ""), ...trucks.map((name) => new Option(name)));
    const values = {
      title: event?.title, day: event?.day || day, from, until, truck: event?.truck, notes: event?.notes,
      captains: event?.captains.places ?? 1, firstMates: event?.firstMates.places ?? 1,
    };
    for (const [name, value] of Object.entries(values)) elements[name].value = value ?? "";
    this.before = event ? this.read() : {};
    this.slot("heading").textContent = event ? event.title : "New event";
    this.dialog.querySelector("[data-action=cancel-event]").hidden = !event;
    this.wrong({}, "");
    this.dialog.showModal();
    elements.title.focus();
  }

  /** What the fields say, with the keys of the API. An outing that ends before it begins ends on the next day. */
  read() {
    const { title, day, from, until, truck, captains, firstMates, notes } = this.form.elements;
    const moment = (date, time) => this.clock.moment(`${date}T${time}`).toISOString();
    return {
      title: title.value.trim(), start: moment(day.value, from.value), truck: truck.value || null,
      end: moment(until.value > from.value ? day.value : dayAfter(day.value, 1), until.value),
      captains: Number(captains.value), firstMates: Number(firstMates.value), notes: notes.value.trim(),
    };
  }

  async save() {
    try {
      const path = this.event && `/events/${encodeURIComponent(this.event.id)}?seq=${this.seq}`;
      const facts = this.read();
      const { event } = path ? await patch(path, different(this.before, facts)) : await post("/events", { ...facts, board: this.slug });
      this.done(event, `${event.title} is saved.`);
    } catch (problem) {
      if (problem.event) this.stale(problem);
      else this.wrong(problem.errors || {}, problem.message);
    }
  }

  /** What was typed here stays; saving again adds it to what a colleague changed meanwhile. */
  stale({ event, message }) {
    this.seq = event.seq;
    this.crews.applyEvent(event);
    this.wrong({}, `${message} Your entries are kept: save again to add them to what is there now.`);
  }

  async cancel() {
    const { id, title } = this.event;
    const reason = await this.people.why(`Cancel ${title}?`, "Its people are told, and its jobs wait for another crew.", "Cancel the event", true);
    if (reason === null) return;
    try {
      const { event } = await post(`/events/${encodeURIComponent(id)}/cancel`, { reason });
      this.done(event, `${title} is cancelled.`);
    } catch (problem) {
      this.wrong({}, problem.message);
    }
  }

  done(event, said) {
    this.crews.applyEvent(event);
    this.dialog.close();
    this.show(event.day);
    announce(said);
    toast(said, { color: "green", icon: "check" });
  }

  /** What is wrong, beside its field where there is one. */
  wrong(errors, said) {
    let beside = false;
    for (const hint of this.form.querySelectorAll("[data-error]")) {
      const found = errors[hint.dataset.error] || [];
      hint.textContent = found.join(" ");
      const field = hint.closest(".field").querySelector("input, select, textarea");
      field.toggleAttribute("aria-invalid", found.length > 0);
      if (found.length) field.setAttribute("aria-invalid", "true");
      if (found.length && !beside) field.focus();
      beside ||= found.length > 0;
    }
    this.slot("said").textContent = beside ? "Not saved yet: look at the fields marked below." : said;
    this.slot("said").hidden = !said;
  }

  slot(name) {
    return this.dialog.querySelector(`[data-slot="${name}"]`);
  }
}
