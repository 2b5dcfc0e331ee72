// Draws the store into the columns. Elements are kept, so that scrolling, focus and a drag survive news.

import { age, price, service } from "./words.js";

export class View {
  constructor(store, statuses, clock) {
    this.store = store;
    this.clock = clock;
    this.statuses = statuses;
    this.template = document.getElementById("card").content.firstElementChild;
    this.elements = new Map();
    this.lists = new Map(Object.keys(statuses).map((slug) => [slug, document.querySelector(`#column-${slug} .cards`)]));
    setInterval(() => this.ages(), 30_000);
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
    const focused = document.activeElement;
    for (const [status, list] of this.lists) {
      this.drawColumn(list, this.store.column(status));
      document.querySelectorAll(`[data-count="${status}"]`).forEach((count) => {
        count.textContent = this.store.count(status);
      });
    }
    for (const [id, element] of this.elements) {
      if (!this.store.cards.has(id)) {
        element.remove();
        this.elements.delete(id);
      }
    }
    if (focused !== document.activeElement && focused.isConnected) focused.focus({ preventScroll: true });
  }

  drawColumn(list, cards) {
    let place = list.firstElementChild;
    for (const card of cards) {
      const element = this.element(card);
      if (element === place) place = place.nextElementSibling;
      else list.insertBefore(element, place);
    }
    while (place) {
      const next = place.nextElementSibling;
      if (this.store.shown(place.dataset.id)?.status !== list.parentElement.dataset.status) place.remove();
      place = next;
    }
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
    return element;
  }

  fill(element, card, version) {
    const set = (slot, text) => (element.querySelector(`[data-slot="${slot}"]`).textContent = text);
    element.dataset.version = version;
    element.dataset.color = this.statuses[card.status].color;
    element.dataset.since = card.statusAt;
    element.toggleAttribute("data-saving", Boolean(card.saving));
    set("when", this.clock.window(card.window));
    element.querySelector(".when").title = this.clock.windowInFull(card.window);
    set("location", card.location);
    set("what", [service(card), card.customer.name].filter(Boolean).join(" · "));
    set("crew", card.crew.length ? card.crew.map((name) => name.split(" ")[0]).join(", ") : "No crew yet");
    element.querySelector(".who").title = card.crew.join(", ");
    set("price", price(card.price));
    set("age", age(card.statusAt));
    element.querySelector('[data-slot="age"]').title = `Since ${this.clock.now.format(new Date(card.statusAt))}`;
    element.querySelector(".move")?.setAttribute("aria-label", `Move ${card.location} to…`);
    const icon = element.querySelectorAll("use")[1];
    icon.setAttribute("href", icon.getAttribute("href").replace(/#.*/, `#${card.service}`));
  }

  ages() {
    for (const element of this.elements.values()) {
      element.querySelector('[data-slot="age"]').textContent = age(element.dataset.since);
    }
  }
}
