// Draws the store into the columns. Elements are kept, so that scrolling, focus and a drag survive news.

import { fill, passTime } from "./card.js";
import { LANES, lane } from "./lanes.js";
import { arrange } from "./lists.js";

const CAP = 50;
const PRESS_MS = 1_000; // longer than a click; a release that the page never heard of holds up nothing

export class View {
  /** @param {{asks: object, channels: object}} kinds  the words of requests and channels, as the page has them */
  constructor(store, statuses, clock, kinds) {
    Object.assign(this, { store, statuses, clock, kinds });
    this.template = document.getElementById("card").content.firstElementChild;
    this.elements = new Map();
    this.matches = () => true;
    this.filtered = false;
    this.instead = null; // draws the lanes of the crews while they are shown in place of the columns
    this.caps = new Map();
    this.marks = new Map(); // id → {color, icon, text}: a job whose copy in storage is not what it should be
    this.older = new Map(); // status → a function that brings older finished jobs, while there are any
    this.lists = new Map(Object.keys(statuses).map((slug) => [slug, document.querySelector(`#column-${slug} .cards`)]));
    document.getElementById("columns").addEventListener("click", (event) => {
      const more = event.target.closest("[data-more]");
      if (more) this.more(more.dataset.more);
    });
    document.getElementById("columns").addEventListener("pointerdown", () => this.press(PRESS_MS));
    for (const end of ["pointerup", "pointercancel"]) {
      window.addEventListener(end, () => this.pressed && this.press(0)); // the click comes first
    }
    setInterval(() => this.draw(), 30_000);
  }

  /** Nor does anything move between the two halves of a click: the button would not be under it any more. */
  press(ms) {
    clearTimeout(this.pressed);
    this.pressed = setTimeout(() => this.lift(), ms);
  }

  lift() {
    clearTimeout(this.pressed);
    this.pressed = null;
    this.draw();
  }

  /** While a card is in somebody's hand nothing moves under it; what came in is drawn when it is dropped. */
  hold() {
    this.held = true;
  }

  release() {
    this.held = false;
    this.lift();
  }

  draw() {
    if (this.held || this.pressed) return;
    this.time = new Date();
    const focused = document.activeElement;
    if (this.instead) this.instead.draw();
    else for (const [status, list] of this.lists) this.drawColumn(status, list);
    for (const [id, element] of this.elements) {
      if (!this.store.cards.has(id)) {
        element.remove();
        this.elements.delete(id);
      }
    }
    if (focused !== document.activeElement && focused.isConnected) focused.focus({ preventScroll: true });
  }

  /** The lane that a card has, or would have with another status. */
  laneOf(card, status = card.status) {
    return lane(card, this.statuses[status], this.clock, this.time);
  }

  /** The cards of a column that are to be seen, lane by lane. */
  cards(status) {
    const order = Object.keys(LANES);
    const place = (card) => order.indexOf(this.laneOf(card, status));
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
    if (element.dataset.version !== version) fill(element, card, this);
    element.dataset.version = version;
    passTime(element, card, this, this.time, this.marks.get(card.id));
    return element;
  }
}
