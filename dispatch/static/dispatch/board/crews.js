// The crews' side of the board: the switch between columns by status and by crew, the day that lanes show, and what is done
// there. Both stand in the address, so that they can be bookmarked and sent.

import { get } from "./api.js";
import { CrewDrag } from "./crew_drag.js";
import { CrewFeed } from "./crew_feed.js";
import { Finished } from "./crew_finished.js";
import { CrewForm } from "./crew_form.js";
import { CrewMenu } from "./crew_menu.js";
import { CrewMoves } from "./crew_moves.js";
import { CrewPeople } from "./crew_people.js";
import { CrewStore } from "./crew_store.js";
import { CrewView } from "./crew_view.js";
import { crew, dayAfter } from "./crew_words.js";
import { setIcon } from "./icons.js";
import { arrange } from "./lists.js";

const STATES = {
  live: ["green", "signal", "Crews live"],
  polling: ["yellow", "signal", "Crews every 15 seconds"],
  offline: ["red", "nosignal", "Crews offline"],
  ended: ["red", "nosignal", "Sign in again to see the crews"],
};

export class Crews {
  /** @param {import("./drag.js").Hand | null} hand  null for who may not move anything  @param {() => void} draw  the board */
  constructor(slug, jobs, view, clock, filters, hand, draw) {
    Object.assign(this, { slug, jobs, view, clock, filters, draw, mayEdit: Boolean(hand) });
    this.store = new CrewStore();
    this.feed = new CrewFeed(slug, this.store, clock, {
      day: () => this.day, changed: () => this.changed(), freshness: (state) => this.freshness(state),
    });
    this.moves = new CrewMoves(jobs, this.store, { draw: () => this.changed() });
    const drag = hand && new CrewDrag(hand, this.moves);
    this.lanes = new CrewView(jobs, this.store, view, clock, {
      mayEdit: this.mayEdit, made: (list) => drag?.take(list), drawn: () => this.finished.look(),
    });
    this.finished = new Finished({
      wanted: () => (this.isOn && !document.hidden ? this.lanes.unknown() : []),
      get: (id) => get(`/jobs/${encodeURIComponent(id)}`),
      came: (found) => this.came(found),
    });
    this.bar = document.getElementById("crew-bar");
    this.shownDay = this.bar.querySelector("input");
    if (this.mayEdit) this.parts();
    this.listen();
    const address = new URLSearchParams(location.search);
    this.chosen = /^\d{4}-\d\d-\d\d$/.test(address.get("on")) ? address.get("on") : null; // null: today, also after midnight
    this.switchTo(address.get("columns") === "crews", address.get("lane"));
  }

  /** What only those need who may change something. */
  parts() {
    this.people = new CrewPeople(this.store, () => this.changed());
    this.form = new CrewForm(this.slug, this.store, this.clock, this.people, (day) => this.go(day));
    this.menu = new CrewMenu(this.jobs, this.store, this.moves, this.clock, this.feed, { day: () => (this.isOn ? this.day : null) });
  }

  get day() {
    return this.chosen || this.clock.dateFromToday(0);
  }

  listen() {
    for (const button of document.querySelectorAll("[data-columns]:not(body)")) {
      button.addEventListener("click", () => this.switchTo(button.dataset.columns === "crews"));
    }
    this.bar.addEventListener("click", ({ target }) => {
      const button = target.closest("[data-step]");
      if (button) this.step(Number(button.dataset.step));
      if (target.closest("[data-action=new-event]")) this.form.open(null, this.day);
    });
    this.shownDay.addEventListener("change", () => this.shownDay.value && this.go(this.shownDay.value));
    document.getElementById("columns").addEventListener("click", ({ target }) => this.clicked(target.closest("[data-action^=crew-]")));
  }

  clicked(button) {
    const event = button && this.store.events.get(button.closest(".column").dataset.event);
    if (!event) return;
    const person = crew(event).map(([, one]) => one).find(({ id }) => id === button.dataset.member);
    ({
      "crew-assign": () => this.people.open(event.id),
      "crew-edit": () => this.form.open(event, this.day),
      "crew-let-go": () => this.people.release(event, person, person.releaseReason),
      "crew-keep": () => this.people.keep(event, person),
    })[button.dataset.action]?.();
  }

  /** @param {string | null} lane  the event whose lane gets the focus */
  switchTo(isOn, lane = null) {
    this.isOn = isOn;
    document.body.dataset.columns = isOn ? "crews" : "status";
    for (const button of document.querySelectorAll("[data-columns]:not(body)")) {
      button.setAttribute("aria-pressed", (button.dataset.columns === "crews") === isOn);
    }
    this.bar.hidden = document.getElementById("lane-tabs").hidden = !isOn;
    document.getElementById("status-tabs").hidden = isOn;
    document.getElementById("columns").setAttribute("aria-label", isOn ? "Jobs by crew" : "Jobs by status");
    this.filters.anyDay = isOn;
    this.view.instead = isOn ? this.lanes : null;
    if (isOn) for (const list of this.view.lists.values()) arrange(list, []);
    else this.lanes.clear();
    if (isOn) this.feed.start();
    else this.feed.stop();
    this.wanted = lane;
    this.go(this.day);
  }

  /** Shows a day. */
  go(day) {
    const today = this.clock.dateFromToday(0);
    this.chosen = day === today ? null : day;
    const address = new URL(location.href);
    const facts = { columns: this.isOn && "crews", on: this.isOn && this.chosen };
    for (const [name, value] of Object.entries(facts)) {
      if (value) address.searchParams.set(name, value);
      else address.searchParams.delete(name);
    }
    address.searchParams.delete("lane");
    history.replaceState(null, "", address);
    if (this.isOn) this.feed.look();
    this.changed();
  }

  step(days) {
    this.go(days ? dayAfter(this.day, days) : this.clock.dateFromToday(0));
  }

  /** Draws everything that shows crews. */
  changed() {
    if (this.isOn) this.showDay();
    this.draw();
    if (this.people?.id) this.people.show();
    if (this.wanted) this.focusLane();
    this.follow?.();
  }

  showDay() {
    this.lanes.day = this.day;
    if (this.shownDay !== document.activeElement && this.shownDay.value !== this.day) this.shownDay.value = this.day;
    const name = this.clock.longDay.format(this.clock.noon(this.day));
    const text = this.chosen ? name : `Today, ${name}`;
    const heading = this.bar.querySelector('[data-slot="day"]');
    if (heading.textContent !== text) heading.textContent = text;
  }

  focusLane() {
    const lane = this.lanes.lanes.get(this.wanted);
    if (!lane) return;
    this.wanted = null;
    this.lanes.tabs.choose(lane.id);
    lane.title.focus();
    lane.element.scrollIntoView({ block: "nearest", inline: "center" });
  }

  came(found) {
    found.forEach((job) => this.jobs.applyCard(job));
    this.draw();
  }

  freshness(state) {
    const [color, icon, text] = STATES[state];
    const pill = this.bar.querySelector(".crews-fresh");
    Object.assign(pill.dataset, { color, state });
    setIcon(pill, icon);
    if (pill.querySelector("span").textContent !== text) pill.querySelector("span").textContent = text;
  }
}
