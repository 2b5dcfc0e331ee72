// Which cards are shown: by day, service, crew, text, and whether something is asked there. The choice stands in the address,
// so that it can be bookmarked.

import { SERVICES, service } from "./words.js";

const NAMES = ["day", "service", "crew", "asks", "q"];
const DAYS = { yesterday: -1, today: 0, tomorrow: 1 };

export class Filters {
  /** @param {() => void} changed  draws the board again */
  constructor(store, statuses, clock, changed) {
    Object.assign(this, { store, statuses, clock, changed });
    this.anyDay = false; // the lanes of the crews have a day of their own
    this.form = document.getElementById("filters");
    const address = new URLSearchParams(location.search);
    this.chosen = Object.fromEntries(NAMES.map((name) => [name, address.get(name) || ""]));
    this.offer();
    this.form.addEventListener("input", () => this.choose());
    this.form.addEventListener("submit", (event) => event.preventDefault());
    this.form.addEventListener("reset", () => requestAnimationFrame(() => this.choose()));
  }

  get active() {
    return NAMES.some((name) => this.chosen[name] && !(name === "day" && this.anyDay));
  }

  choose() {
    for (const name of NAMES) this.chosen[name] = said(this.form.elements[name]);
    const address = new URL(location.href);
    for (const name of NAMES) {
      if (this.chosen[name]) address.searchParams.set(name, this.chosen[name]);
      else address.searchParams.delete(name);
    }
    history.replaceState(null, "", address);
    this.changed();
  }

  /** Fills the lists with what there is to choose from; a choice from the address is kept even if nothing matches it. */
  offer() {
    const days = new Map([["", "Any day"], ["yesterday", "Yesterday"], ["today", "Today"], ["tomorrow", "Tomorrow"]]);
    for (let day = 2; day < 15; day += 1) {
      const date = this.clock.dateFromToday(day);
      days.set(date, this.clock.longDay.format(this.clock.moment(`${date}T12:00`)));
    }
    const crew = new Set([...this.store.cards.values()].flatMap((card) => card.crew));
    this.fill("day", days);
    this.fill("service", new Map([["", "Any service"], ...Object.entries(SERVICES)]));
    this.fill("crew", new Map([["", "Any crew"], ...[...crew].sort().map((name) => [name, name])]));
    this.form.elements.q.value = this.chosen.q;
    this.form.elements.asks.checked = Boolean(this.chosen.asks);
    const waiting = [...this.store.cards.values()].filter((card) => card.waitingAsks.length).length;
    const count = this.form.querySelector('[data-slot="asks"]');
    if (count.textContent !== `${waiting}`) count.textContent = waiting;
  }

  /** Only the jobs where something is asked. */
  showAsks() {
    this.form.reset();
    this.form.elements.asks.checked = true;
    this.choose();
  }

  fill(name, choices) {
    const select = this.form.elements[name];
    if (!choices.has(this.chosen[name])) choices.set(this.chosen[name], this.chosen[name]);
    const offered = [...choices.keys()].join("\n");
    if (select.dataset.offered === offered) return;
    select.dataset.offered = offered;
    select.replaceChildren(...[...choices].map(([value, text]) => new Option(text, value)));
    select.value = this.chosen[name];
  }

  matches(card) {
    const { day, service: wanted, crew, asks, q } = this.chosen;
    if (wanted && card.service !== wanted) return false;
    if (crew && !card.crew.includes(crew)) return false;
    if (day && !this.anyDay && !this.onDay(card, day)) return false;
    if (asks && !card.waitingAsks.length) return false;
    if (!q) return true;
    const text = [card.location, card.customer.name, card.id, service(card), ...card.crew].join(" ").toLowerCase();
    return q.toLowerCase().split(/\s+/).every((word) => text.includes(word));
  }

  /** On today's list stands also what is left over from earlier days. */
  onDay(card, day) {
    if (!card.window) return false;
    const date = day in DAYS ? this.clock.dateFromToday(DAYS[day]) : day;
    const [first, last] = [card.window.start, card.window.end].map((moment) => this.clock.date(new Date(moment)));
    if (first <= date && date <= last) return true;
    return date === this.clock.dateFromToday(0) && last < date && this.statuses[card.status].isOpen;
  }
}

/** What a field of the form says; a box that is not ticked says nothing. */
const said = (field) => (field.type === "checkbox" && !field.checked ? "" : field.value.trim());
