// On a narrow screen: one lane of the crews at a time, chosen by tabs.

import { arrange, element } from "./lists.js";

export class CrewTabs {
  constructor() {
    this.list = document.getElementById("lane-tabs");
    this.tabs = new Map(); // id of a lane → its tab
    this.current = null;
    this.list.addEventListener("click", (event) => this.choose(event.target.closest("button")?.dataset.laneTab));
    this.list.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      const ids = [...this.list.children].map((tab) => tab.dataset.laneTab);
      if (step) this.choose(ids[(ids.indexOf(this.current) + step + ids.length) % ids.length]);
    });
  }

  /** @param {import("./crew_lane.js").Lane[]} lanes  in order */
  show(lanes) {
    this.lanes = lanes;
    if (!lanes.some(({ id }) => id === this.current)) this.current = lanes[0].id;
    arrange(this.list, lanes.map((lane) => this.tab(lane)));
    for (const lane of lanes) lane.element.toggleAttribute("data-current", lane.id === this.current);
  }

  tab({ id, element: lane, title }) {
    const tab = this.tabs.get(id) || this.newTab(id, lane.id);
    const [name, count] = [title.textContent, lane.querySelector(".count").textContent];
    if (tab.firstChild.textContent !== name) tab.firstChild.textContent = name;
    if (tab.lastChild.textContent !== count) tab.lastChild.textContent = count;
    tab.dataset.color = lane.dataset.color;
    tab.setAttribute("aria-selected", id === this.current);
    tab.tabIndex = id === this.current ? 0 : -1;
    return tab;
  }

  newTab(id, lane) {
    const tab = element("button", "", element("span", "", ""), " ", element("span", "", ""));
    Object.assign(tab, { type: "button", id: `tab-${lane}` });
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-controls", lane);
    tab.dataset.laneTab = id;
    this.tabs.set(id, tab);
    return tab;
  }

  choose(id) {
    if (!id) return;
    this.current = id;
    this.show(this.lanes);
    this.tabs.get(id).focus();
    this.tabs.get(id).scrollIntoView({ block: "nearest", inline: "center" });
  }
}
