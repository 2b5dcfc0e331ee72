// One lane: who goes out with which truck, what is wrong, who asks for something; and below that the jobs in order.

import { crew, firstName, needed, outing, roleName, seen } from "./crew_words.js";
import { icon, setIcon } from "./icons.js";
import { element } from "./lists.js";

/** Of such notes a lane shows the beginning, until somebody wants more. */
const isLong = (notes) => notes.length > 120 || notes.split("\n").length > 3;

export class Lane {
  constructor(id, clock, mayEdit) {
    Object.assign(this, { id, clock, mayEdit, version: null });
    this.element = document.getElementById("lane").content.firstElementChild.cloneNode(true);
    this.list = this.element.querySelector(".cards");
    this.facts = this.element.querySelector(".lane-facts");
    this.element.id = `lane-${id}`;
    this.title = this.element.querySelector("h2");
    this.title.id = `lane-title-${id}`;
    this.element.setAttribute("aria-labelledby", this.title.id);
    this.facts.addEventListener("click", ({ target }) => target.closest("[data-action=notes]") && this.openNotes(!this.isOpen));
  }

  /** @param {import("./crew_store.js").Event | null} event  null for the lane of jobs without a crew */
  show(event, count) {
    set(this.element.querySelector(".count"), count);
    const version = JSON.stringify(event);
    if (version === this.version) return;
    Object.assign(this, { version, event });
    set(this.title, event ? event.title : "No crew");
    this.list.setAttribute("aria-label", event ? `Jobs of ${event.title}` : "Jobs without a crew");
    this.element.dataset.color = !event || event.status === "over" ? "grey" : needed(event) ? "yellow" : "green";
    if (event) this.element.dataset.event = event.id;
    setIcon(this.element.querySelector(".column-head"), event ? "truck" : "inbox");
    const focused = this.facts.contains(document.activeElement) && document.activeElement;
    this.facts.replaceChildren(...(event ? this.of(event) : [note("", "Open jobs of this day, and those without a time.")]));
    if (focused) this.again(focused);
  }

  of(event) {
    const open = needed(event);
    return [
      line("clock", outing(event, this.clock)),
      event.status === "over" ? line("check", "Over") : "",
      element("ul", "crew-people", ...crew(event).map(([role, person]) => this.person(event, role, person))),
      open && event.status !== "over" ? line("people", open, "yellow") : "",
      ...event.warnings.map((text) => line("warning", text, "red")),
      ...(event.notes ? this.notes(event) : []),
      this.mayEdit && element("p", "row acts", this.button("crew-assign", "people", "People…", event), this.button("crew-edit", "note", "Edit…", event)),
    ].filter(Boolean);
  }

  notes(event) {
    const shown = line("note", event.notes);
    shown.id = `lane-notes-${event.id}`;
    if (!isLong(event.notes)) return [shown];
    const more = this.button("notes", "down", "", event);
    more.setAttribute("aria-controls", shown.id);
    this.long = { shown, more, title: event.title };
    this.openNotes(Boolean(this.isOpen));
    return [shown, more];
  }

  openNotes(isOpen) {
    const { shown, more, title } = this.long;
    this.isOpen = isOpen;
    shown.classList.toggle("clamped", !isOpen);
    more.setAttribute("aria-expanded", isOpen);
    more.setAttribute("aria-label", `${isOpen ? "Less" : "More"} of the notes: ${title}`);
    more.replaceChildren(icon(isOpen ? "up" : "down"), isOpen ? "Less" : "More");
  }

  person(event, role, person) {
    const mark = element("span", "seen", icon(person.seen ? "check" : "clock"), seen(person, this.clock));
    mark.dataset.color = person.seen ? "green" : "grey";
    const made = element("li", "", element("strong", "", person.name), element("span", "soft", roleName(role)), mark);
    if (person.override) made.append(line("note", `Also elsewhere: ${person.override}`));
    if (person.releaseAsked) made.append(...this.request(event, person));
    return made;
  }

  /** Who asks to be let go, why, and the two answers. */
  request(event, person) {
    const asks = line("message", `${firstName(person)} asks to be released: “${person.releaseReason}”`, "violet");
    if (!this.mayEdit) return [asks];
    const answers = [["crew-let-go", "check", `Let ${firstName(person)} go`], ["crew-keep", "close", `Keep ${firstName(person)}`]];
    return [asks, element("p", "row", ...answers.map(([action, name, text]) => this.button(action, name, text, event, person)))];
  }

  button(action, name, text, event, person = null) {
    const made = element("button", "button quiet", icon(name), text);
    Object.assign(made, { type: "button" });
    Object.assign(made.dataset, { action, ...(person && { member: person.id }) });
    if (!person) made.setAttribute("aria-label", `${text.replace("…", "")}: ${event.title}…`);
    return made;
  }

  /** The button that had the focus may be another element now, or none. */
  again({ dataset: { action, member } }) {
    const buttons = [...this.facts.querySelectorAll("button")];
    const same = buttons.find((button) => button.dataset.action === action && button.dataset.member === member);
    (same || this.title).focus();
  }
}

function line(name, text, color = "") {
  const made = note(color, icon(name), element("span", "", text));
  return made;
}

function note(color, ...children) {
  const made = element("p", "fact", ...children);
  if (color) made.dataset.color = color;
  return made;
}

function set(place, text) {
  if (place.textContent !== text) place.textContent = text;
}
