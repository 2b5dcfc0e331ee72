// What the customer and the crew of the open job ask: what waits first, and a button when it is dealt with.

import { post } from "./api.js";
import { mark } from "./asks.js";
import { detail } from "./history.js";
import { element, showList } from "./lists.js";

export class DrawerAsks {
  /** @param {import("./drawer.js").Drawer} drawer */
  constructor(drawer) {
    this.drawer = drawer;
    this.section = drawer.dialog.querySelector(".asked");
    this.button = this.section.querySelector("[data-action=settle]");
    this.button?.addEventListener("click", () => this.settle());
  }

  show(job) {
    const waiting = job.asks.filter((ask) => !ask.doneAt);
    const done = job.asks.filter((ask) => ask.doneAt).reverse();
    this.section.hidden = !job.asks.length;
    showList(this.section.querySelector("ul"), [...waiting, ...done], (ask) => this.item(ask));
    if (!this.button) return;
    if (!waiting.length && this.button === document.activeElement) this.section.querySelector("h3").focus();
    this.button.hidden = !waiting.length;
    this.button.querySelector("span").textContent = waiting.length > 1 ? "All done" : "Done";
  }

  item(ask) {
    const { clock, board } = this.drawer;
    const kind = board.kinds.asks[ask.kind] || { label: ask.kind, icon: "note", color: "grey" };
    const facts = [detail(ask, clock), clock.now.format(new Date(ask.at))].filter(Boolean).join(" · ");
    const done = ask.doneAt && `Done by ${ask.doneBy || "somebody"}, ${clock.now.format(new Date(ask.doneAt))}`;
    const made = element("li", "entry", mark(kind), element("span", "soft", facts), ask.text && element("q", "", ask.text));
    if (done) made.append(element("span", "soft", done));
    made.toggleAttribute("data-done", Boolean(ask.doneAt));
    return made;
  }

  settle() {
    return this.drawer.command((path) => post(`${path}/asks/settle`), () => "The asks are done.");
  }
}
