// How far the copies in object storage are: marks on cards, and a line below the top bar while something is wrong.

import { get } from "./api.js";

const EVERY_MS = 20_000;

/** @param {{state: string, error?: string}} copy  as the API has it */
export const copyInWords = (copy) =>
  ({ current: "up to date", behind: "not copied yet", failing: `failing: ${copy.error}` })[copy.state];

export class Copies {
  constructor(slug, view, clock) {
    Object.assign(this, { slug, view, clock });
    this.line = document.getElementById("copies");
    this.connected = false;
    document.addEventListener("visibilitychange", () => this.look());
    setInterval(() => this.look(), EVERY_MS);
  }

  /** Looks at once when the board is connected, again or for the first time; not while it is offline. */
  follow(connected) {
    const news = connected && !this.connected;
    this.connected = connected;
    if (news) this.look();
  }

  async look() {
    if (document.hidden || !this.connected) return;
    try {
      this.show(await get(`/boards/${this.slug}/mirror`));
    } catch {
      // The board says itself that it is offline; the next look comes soon.
    }
  }

  show(status) {
    this.view.marks = new Map(Object.entries(status.jobs).map(([id, copy]) => [id, mark(copy)]));
    this.view.draw();
    const text = status.problem ? this.words(status) : "";
    if (this.line.querySelector("span").textContent !== text) this.line.querySelector("span").textContent = text;
    this.line.firstElementChild.hidden = !text;
  }

  /** «Copies: 12 jobs wait since 2:02 PM; cannot reach the storage». No durations: a line that changes is read aloud. */
  words({ behind, oldest, cause }) {
    const since = oldest && this.clock.since(new Date(oldest));
    const waiting = behind ? `${behind} ${behind === 1 ? "job waits" : "jobs wait"} since ${since}` : "";
    return `Copies: ${[waiting, cause].filter(Boolean).join("; ")}`;
  }
}

function mark(copy) {
  if (copy.state === "failing") return { color: "red", icon: "warning", text: `Copy failing: ${copy.error}` };
  return { color: "grey", icon: "inbox", text: "Not copied to storage yet" };
}
