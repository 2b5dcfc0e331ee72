// Tells the office that an event has been on a screen that somebody could see: at least half of it, for a moment.

const LOOK_MS = 1_000;

export class Seen {
  /** @param {import("./phone.js").Phone} phone */
  constructor(phone) {
    this.phone = phone;
    this.told = new Map(); // uid → seq
    this.inView = new Set();
    this.observer = new IntersectionObserver((found) => found.forEach((one) => this.note(one)), { threshold: [0, 0.1, 0.5] });
    document.addEventListener("visibilitychange", () => this.soon());
  }

  /** After each drawing: the events that are on the page now. */
  follow() {
    this.observer.disconnect();
    this.inView.clear();
    document.querySelectorAll("[data-event]").forEach((one) => this.observer.observe(one));
  }

  /** One that is larger than the screen counts as soon as it fills half of that. */
  note({ target, intersectionRatio, intersectionRect }) {
    const isSeen = intersectionRatio >= 0.5 || intersectionRect.height >= innerHeight / 2;
    if (isSeen) this.inView.add(target);
    else this.inView.delete(target);
    this.soon();
  }

  soon() {
    clearTimeout(this.timer);
    if (!document.hidden) this.timer = setTimeout(() => this.tell(), LOOK_MS);
  }

  async tell() {
    if (document.hidden || this.phone.isOut) return;
    const events = {};
    for (const { dataset } of this.inView) {
      if (this.told.get(dataset.event) !== dataset.seq) events[dataset.event] = Number(dataset.seq);
    }
    if (!Object.keys(events).length) return;
    try {
      await this.phone.api.command("POST", "/crew/seen", { events });
      Object.entries(events).forEach(([id, seq]) => this.told.set(id, String(seq)));
    } catch {
      return; // told when it is on the screen the next time
    }
  }
}
