// The Crew… menu of a card: everything that dragging between lanes does, by click, tap or key.

import { ask } from "./dialogs.js";
import { element } from "./lists.js";
import { icon } from "./icons.js";
import { needed, outing } from "./crew_words.js";
import { announce } from "./notices.js";

export class CrewMenu {
  /** @param {{look: (day: string) => Promise<void>}} feed  @param {{day: () => string | null}} page  the day that lanes show */
  constructor(jobs, crews, moves, clock, feed, page) {
    Object.assign(this, { jobs, crews, moves, clock, feed, page });
    this.dialog = document.getElementById("crew-dialog");
    this.day = this.dialog.querySelector("input");
    this.day.addEventListener("input", () => this.day.value && this.list(true));
    this.day.addEventListener("keydown", (event) => event.key !== "Enter" || event.preventDefault()); // it would choose the first event
    document.getElementById("columns").addEventListener("click", (event) => {
      const button = event.target.closest("[data-action=crew]");
      if (button) this.open(button.closest(".card").dataset.id, button);
    });
  }

  async open(id, opener) {
    const card = this.jobs.cards.get(id);
    if (!card) return;
    this.id = id;
    this.day.value = this.page.day() || this.dayOf(card);
    this.list(!this.page.day());
    const answer = await ask(this.dialog, { location: card.location });
    opener?.focus();
    const [kind, value] = answer.split(/:(.*)/s);
    const here = this.crews.eventOf(id);
    if (kind === "event") await this.moves.put(id, value || null);
    if (kind !== "place" || !here) return;
    const before = this.crews.place(here, id, value);
    if (before === undefined) announce(`${card.location} is there already.`);
    else await this.moves.put(id, here.id, before);
  }

  dayOf({ window, id }) {
    const here = this.crews.eventOf(id);
    return here?.day || (window ? this.clock.date(new Date(window.start)) : this.clock.dateFromToday(0));
  }

  async list(anew) {
    this.offer();
    if (!anew) return;
    await this.feed.look(this.day.value);
    this.offer();
  }

  offer() {
    const here = this.crews.eventOf(this.id);
    const events = this.crews.on(this.day.value);
    const focused = document.activeElement?.value;
    this.slot("here").textContent = here ? `Now on ${here.title}, ${this.clock.longDay.format(this.clock.noon(here.day))}.` : "No crew yet.";
    this.slot("none").hidden = events.length > 0;
    const choices = events.map((event) => this.choice(event, event === here));
    if (here) choices.push(button("event:", "inbox", "No crew", ""));
    this.slot("events").replaceChildren(...choices);
    if (focused) choices.find(({ value }) => value === focused)?.focus();
    this.slot("places").hidden = !here;
  }

  choice(event, isHere) {
    const made = button(`event:${event.id}`, "truck", event.title, [outing(event, this.clock), isHere ? "it is here" : needed(event)].filter(Boolean).join(" · "));
    made.disabled = event.status === "over";
    if (isHere) made.setAttribute("aria-current", "true");
    return made;
  }

  slot(name) {
    return this.dialog.querySelector(`[data-slot="${name}"]`);
  }
}

function button(value, name, title, more) {
  const made = element("button", "button", icon(name), element("span", "", title, more && element("span", "detail", more)));
  made.value = value;
  return made;
}
