// A new event, one that changes, and one that does not take place.

import { patch, post } from "./api.js";
import { CrewDays } from "./crew_days.js";
import { different } from "./job_form.js";
import { announce, toast } from "./notices.js";
import { Work } from "./once.js";

const FIRST_HOURS = ["08:00", "16:00"];
const SAVED_BEFORE = "This event was saved as you had it first. Close this and change it in its lane.";

export class CrewForm {
  /** @param {import("./crew_people.js").CrewPeople} people  asks for reasons  @param {(day: string) => void} show  the day of what was saved */
  constructor(slug, crews, clock, people, show) {
    Object.assign(this, { slug, crews, clock, people, show });
    this.dialog = document.getElementById("event-dialog");
    this.form = this.dialog.querySelector("form");
    this.days = new CrewDays(this.form.elements);
    this.work = new Work(this.dialog.querySelectorAll("[type=submit], [data-action=cancel-event]"));
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.work.begin(() => this.save());
    });
    this.dialog.addEventListener("click", ({ target }) => {
      const action = target.closest("[data-action]")?.dataset.action;
      if (action === "close") this.dialog.close();
      if (action === "cancel-event") this.work.begin(() => this.cancel());
    });
  }

  /** @param {import("./crew_store.js").Event | null} event  null for a new one on that day */
  open(event, day) {
    this.event = event;
    this.work.open();
    this.seq = event?.seq;
    const { elements } = this.form;
    const moments = event ? [event.start, event.end].map((moment) => this.clock.local(new Date(moment))) : FIRST_HOURS.map((time) => `${day}T${time}`);
    const [[first, from], [lastDay, until]] = moments.map((moment) => moment.split("T"));
    const trucks = [...new Set([...this.crews.trucks, ...(event?.truck ? [event.truck] : [])])];
    elements.truck.replaceChildren(new Option("No truck", ""), ...trucks.map((name) => new Option(name)));
    const values = {
      title: event?.title, day: first, from, lastDay, until, truck: event?.truck, notes: event?.notes,
      captains: event?.captains.places ?? 1, firstMates: event?.firstMates.places ?? 1,
    };
    for (const [name, value] of Object.entries(values)) elements[name].value = value ?? "";
    this.days.begin();
    this.override.hidden = true;
    elements.reason.value = "";
    this.before = event ? this.read() : {};
    this.slot("heading").textContent = event ? event.title : "New event";
    this.dialog.querySelector("[data-action=cancel-event]").hidden = !event;
    this.wrong({}, "");
    this.dialog.showModal();
    elements.title.focus();
  }

  get override() {
    return this.dialog.querySelector(".override");
  }

  /** What the fields say, with the keys of the API. Null: there is no such day or time in them. */
  read() {
    const { title, day, from, lastDay, until, truck, captains, firstMates, notes } = this.form.elements;
    const moment = (date, time) => (date && time ? this.clock.moment(`${date}T${time}`).toISOString() : null);
    return {
      title: title.value.trim(), start: moment(day.value, from.value), truck: truck.value || null,
      end: moment(lastDay.value, until.value), captains: Number(captains.value), firstMates: Number(firstMates.value), notes: notes.value.trim(),
    };
  }

  async save() {
    const { key } = this.work; // a new event is one event, however often it is saved
    const missing = this.days.missing();
    if (missing) {
      this.wrong(missing, "");
      return;
    }
    announce("Saving…");
    try {
      const path = this.event && `/events/${encodeURIComponent(this.event.id)}?seq=${this.seq}`;
      const facts = this.read();
      const reason = this.form.elements.reason.value.trim();
      const { event } = path ? await patch(path, { ...different(this.before, facts), reason }) : await post("/events", { ...facts, board: this.slug }, key);
      this.done(event, `${event.title} is saved.`, key);
    } catch (problem) {
      if (!this.isStill(key)) toast(problem.message);
      else if (problem.event) this.stale(problem);
      else if (problem.code === "overlaps") this.elsewhere(problem);
      else if (problem.code === "key_reused") this.wrong({}, SAVED_BEFORE); // its answer was lost, and more was typed since
      else this.wrong(problem.errors || {}, problem.message);
    }
  }

  /** What was typed here stays; saving again adds it to what a colleague changed meanwhile. */
  stale({ event, message }) {
    this.seq = event.seq;
    this.crews.applyEvent(event);
    this.wrong({}, `${message} Your entries are kept: save again to add them to what is there now.`);
  }

  /** At the new hours somebody has a place in another event. */
  elsewhere({ message }) {
    this.wrong({}, `${message}. Change the hours, or say why they may be in two places, and save again.`);
    this.override.hidden = false;
    this.form.elements.reason.focus();
  }

  async cancel() {
    const { id, title } = this.event;
    const reason = await this.people.why(`Cancel ${title}?`, "Its people are told, and its jobs wait for another crew.", "Cancel the event", true);
    if (reason === null) return;
    const { key } = this.work;
    const next = laneBeside(id);
    try {
      const { event } = await post(`/events/${encodeURIComponent(id)}/cancel`, { reason });
      this.done(event, `${title} is cancelled.`, key);
      focusLane(next);
    } catch (problem) {
      if (this.isStill(key)) this.wrong({}, problem.message);
      else toast(problem.message);
    }
  }

  /** Whether the form is as it was opened then: meanwhile it may have been closed, or opened for another event. */
  isStill(key) {
    return this.dialog.open && this.work.key === key;
  }

  done(event, said, key) {
    this.crews.applyEvent(event);
    if (this.isStill(key)) this.dialog.close();
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
    this.slot("said").hidden = !this.slot("said").textContent;
  }

  slot(name) {
    return this.dialog.querySelector(`[data-slot="${name}"]`);
  }
}

/** The lane after that of an event, or the one before it: there is always that of the jobs without a crew. */
function laneBeside(id) {
  const lane = document.getElementById(`lane-${id}`);
  return lane?.nextElementSibling ?? lane?.previousElementSibling;
}

/** On a narrow screen only the chosen one is there. */
function focusLane(lane) {
  if (document.querySelector("dialog:modal")) return;
  const titles = [lane, document.querySelector(".column.crew[data-current]")].map((one) => one?.querySelector("h2"));
  titles.find((title) => title?.checkVisibility())?.focus();
}
