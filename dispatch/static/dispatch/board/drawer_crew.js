// The event of the open job: who comes when, with a way to its lane.

import { crew, outing, roleName } from "./crew_words.js";
import { element, showList } from "./lists.js";

export class DrawerCrew {
  /** @param {import("./drawer.js").Drawer} drawer  @param {import("./crews.js").Crews} crews */
  constructor(drawer, crews) {
    Object.assign(this, { drawer, crews });
    this.section = drawer.dialog.querySelector(".outing");
    this.link = this.section.querySelector("a");
    this.link.addEventListener("click", (event) => this.leave(event));
    this.section.querySelector("[data-action=crew-open]")?.addEventListener("click", () => this.change());
    crews.follow = () => drawer.job && this.fill(drawer.job);
  }

  /** Looks which event it is, each time another job is opened. */
  show(job) {
    this.fill(job);
    if (!this.crews.isOn && this.id !== job.id) this.crews.feed.look(job.window ? this.drawer.clock.date(new Date(job.window.start)) : undefined);
    this.id = job.id;
  }

  fill(job) {
    const event = this.crews.store.eventOf(job.id);
    const { clock } = this.drawer;
    const when = event && `${clock.longDay.format(clock.noon(event.day))} · ${outing(event, clock)}`;
    this.section.querySelector(".none").hidden = Boolean(event);
    this.link.hidden = !event;
    this.link.textContent = event ? event.title : "";
    if (event) this.link.href = `?columns=crews&on=${event.day}&lane=${event.id}`;
    this.section.querySelector('[data-slot="outing"]').textContent = when || "";
    const people = event ? crew(event).map(([role, { name }]) => [name, roleName(role)]) : [];
    showList(this.section.querySelector("ul"), people, ([name, role]) => element("li", "", element("strong", "", name), " ", element("span", "soft", role)));
  }

  /** On the same page, unless another window is asked for. */
  leave(event) {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const found = this.crews.store.eventOf(this.drawer.job.id);
    if (!found || !this.drawer.mayClose()) return;
    const show = () => {
      this.crews.chosen = found.day;
      this.crews.switchTo(true, found.id);
    };
    this.drawer.dialog.addEventListener("close", show, { once: true }); // after the drawer gave the focus back to the card
    this.drawer.dialog.close();
  }

  change() {
    const { id } = this.drawer.job;
    if (!this.drawer.mayClose()) return;
    this.drawer.dialog.close();
    this.crews.menu.open(id, this.drawer.view.elements.get(id)?.querySelector("[data-action=open]"));
  }
}
