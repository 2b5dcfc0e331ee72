// Draws the store into the columns. Elements are kept, so that scrolling, focus and a drag survive news.

import { LANES, lane, lateness } from "./lanes.js";
import { age, price, service } from "./words.js";

const CAP = 50;

export class View {
  constructor(store, statuses, clock) {
    Object.assign(this, { store, statuses, clock });
    this.template = document.getElementById("card").content.firstElementChild;
    this.elements = new Map();
    this.matches = () => true;
    this.filtered = false;
    this.caps = new Map();
    this.marks = new Map(); // id → {color, icon, text}: a job whose copy in storage is not what it should be
    this.older = new Map(); // status → a function that brings older finished jobs, while there are any
    this.lists = new Map(Object.keys(statuses).map((slug) => [slug, document.querySelector(`#column-${slug} .cards`)]));
    document.getElementById("columns").addEventListener("click", (event) => {
      const more = event.target.closest("[data-more]");
      if (more) this.more(more.dataset.more);
    });
    setInterval(() => this.draw(), 30_000);
  }

  /** While a card is in somebody's hand nothing moves under it; what came in is drawn when it is dropped. */
  hold() {
    this.held = true;
  }

  release() {
    this.held = false;
    this.draw();
  }

  draw() {
    if (this.held) return;
    this.time = new Date();
    const focused = document.activeElement;
    for (const [status, list] of this.lists) this.drawColumn(status, list);
    for (const [id, element] of this.elements) {
      if (!this.store.cards.has(id)) {
        element.remove();
        this.elements.delete(id);
      }
    }
    if (focused !== document.activeElement && focused.isConnected) focused.focus({ preventScroll: true });
  }

  /** The cards of a column that are to be seen, lane by lane. */
  cards(status) {
    const order = Object.keys(LANES);
    const place = (card) => order.indexOf(lane(card, this.statuses[status], this.clock, this.time));
    const cards = this.store.column(status).filter(this.matches);
    return cards.map((card) => [place(card), card]).sort((a, b) => a[0] - b[0]);
  }

  drawColumn(status, list) {
    const cards = this.cards(status);
    const cap = this.caps.get(status) || CAP;
    const wanted = [];
    let last = null;
    for (const [place, card] of cards.slice(0, cap)) {
      const name = Object.keys(LANES)[place];
      if (name !== last && (LANES[name] || last === "outstanding")) wanted.push(this.heading(list, name));
      last = name;
      wanted.push(this.element(card));
    }
    const hidden = this.filtered ? cards.length - cap : this.store.count(status) - Math.min(cards.length, cap);
    if (hidden > 0) wanted.push(this.moreButton(list, status, hidden));
    arrange(list, wanted);
    const total = this.store.count(status);
    for (const count of document.querySelectorAll(`[data-count="${status}"]`)) {
      count.textContent = this.filtered ? `${cards.length}/${total}` : total;
    }
  }

  heading(list, name) {
    const known = list.querySelector(`[data-lane="${name}"]`);
    if (known) return known;
    const heading = document.createElement("li");
    heading.className = "lane";
    heading.dataset.lane = name;
    heading.textContent = LANES[name] || "Today and later";
    return heading;
  }

  moreButton(list, status, hidden) {
    const item = list.querySelector(".more") || document.createElement("li");
    item.className = "more";
    if (!item.firstChild) {
      item.append(document.createElement("button"));
      item.firstChild.type = "button";
      item.firstChild.className = "button quiet";
      item.firstChild.dataset.more = status;
    }
    const text = `Show more (${hidden} hidden)`;
    if (item.firstChild.textContent !== text) item.firstChild.textContent = text;
    return item;
  }

  async more(status) {
    const cap = (this.caps.get(status) || CAP) + CAP;
    this.caps.set(status, cap);
    if (this.store.column(status).length < cap && this.older.has(status)) await this.older.get(status)();
    this.draw();
  }

  element(card) {
    let element = this.elements.get(card.id);
    if (!element) {
      element = this.template.cloneNode(true);
      element.dataset.id = card.id;
      this.elements.set(card.id, element);
    }
    const version = `${card.seq} ${card.status} ${card.saving || ""}`;
    if (element.dataset.version !== version) this.fill(element, card, version);
    this.passTime(element, card);
    return element;
  }

  fill(element, card, version) {
    element.dataset.version = version;
    element.dataset.color = this.statuses[card.status].color;
    element.toggleAttribute("data-saving", Boolean(card.saving));
    element.querySelector(".when").title = this.clock.windowInFull(card.window);
    set(element, "location", card.location);
    set(element, "what", [service(card), card.customer.name].filter(Boolean).join(" · "));
    set(element, "crew", card.crew.length ? card.crew.map((name) => name.split(" ")[0]).join(", ") : "No crew yet");
    element.querySelector(".who").title = card.crew.join(", ");
    set(element, "price", price(card.price));
    element.querySelector('[data-slot="age"]').title = `Since ${this.clock.now.format(new Date(card.statusAt))}`;
    element.querySelector(".move")?.setAttribute("aria-label", `Move ${card.location} to…`);
    setIcon(element.querySelector(".service"), card.service);
  }

  /** What changes without anybody doing anything. */
  passTime(element, card) {
    set(element, "when", this.clock.window(card.window));
    set(element, "age", age(card.statusAt));
    const late = lateness(card, this.statuses[card.status], this.time);
    element.dataset.late = late ? late.kind : "";
    element.querySelector(".late").hidden = !late;
    set(element, "late", late ? late.text : "");
    this.mark(element, this.marks.get(card.id));
  }

  mark(element, mark) {
    const place = element.querySelector(".copy");
    const text = mark ? mark.text : "";
    if (place.title === text) return;
    place.hidden = !mark;
    place.title = text;
    set(element, "copy", text);
    if (mark) setIcon(place, mark.icon);
    if (mark) place.dataset.color = mark.color;
  }
}

function setIcon(place, name) {
  const use = place.querySelector("use");
  use.setAttribute("href", use.getAttribute("href").replace(/#.*/, `#${name}`));
}

function set(element, slot, text) {
  const found = element.querySelector(`[data-slot="${slot}"]`);
  if (found.textContent !== text) found.textContent = text;
}

/** Makes the children of a list the wanted ones, touching only what is not in its place. */
function arrange(list, wanted) {
  let place = list.firstElementChild;
  for (const element of wanted) {
    if (element === place) place = place.nextElementSibling;
    else list.insertBefore(element, place);
  }
  while (place) {
    const next = place.nextElementSibling;
    place.remove();
    place = next;
  }
}
