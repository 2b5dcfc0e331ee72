// Draws a day of the crews: a lane for each event, and one for the jobs that have no crew. The cards are those of the board.

import { CrewTabs } from "./crew_tabs.js";
import { Lane } from "./crew_lane.js";
import { arrange } from "./lists.js";

const CAP = 50;
export const NO_CREW = "none";

export class CrewView {
  /**
   * @param {{mayEdit: boolean, made: (list: Element) => void, drawn: () => void}} options  `made` gets the list of each new
   *   lane; `drawn` is called each time, also after a snapshot, which has fewer jobs
   */
  constructor(jobs, crews, view, clock, options) {
    Object.assign(this, { jobs, crews, view, clock, options });
    this.columns = document.getElementById("columns");
    this.lanes = new Map(); // id of an event → its lane
    this.tabs = new CrewTabs();
    this.day = "";
  }

  /** Called by the board's view in place of its columns. */
  draw() {
    const events = this.crews.on(this.day);
    const waiting = this.crews.waiting([...this.jobs.cards.values()], this.day, this.view).map(({ id }) => id);
    const ids = [NO_CREW, ...events.map(({ id }) => id)];
    for (const [id, lane] of this.lanes) {
      if (ids.includes(id)) continue;
      lane.element.remove();
      this.lanes.delete(id);
    }
    const drawn = ids.map((id, at) => this.drawLane(id, events[at - 1] || null, at ? this.crews.jobs(events[at - 1]) : waiting));
    arrange(this.columns, [...this.columns.querySelectorAll(".column[data-status]"), ...drawn]);
    this.tabs.show([...this.lanes.values()].sort((a, b) => ids.indexOf(a.id) - ids.indexOf(b.id)));
    this.options.drawn();
  }

  drawLane(id, event, jobs) {
    const lane = this.lanes.get(id) || this.newLane(id);
    const cards = jobs.filter((job) => this.jobs.cards.has(job)).map((job) => this.shown(job));
    const matching = cards.filter(this.view.matches);
    const cap = this.view.caps.get(id) || CAP;
    const wanted = matching.slice(0, cap).map((card) => this.card(card, event && jobs.indexOf(card.id) + 1));
    if (matching.length > cap) wanted.push(this.view.moreButton(lane.list, id, matching.length - cap));
    arrange(lane.list, wanted);
    lane.show(event, this.view.filtered ? `${matching.length}/${cards.length}` : `${cards.length}`);
    return lane.element;
  }

  newLane(id) {
    const lane = new Lane(id, this.clock, this.options.mayEdit);
    this.lanes.set(id, lane);
    this.options.made(lane.list);
    return lane;
  }

  shown(id) {
    const card = this.jobs.shown(id);
    return this.crews.pending.has(id) ? { ...card, saving: true } : card;
  }

  /** The board's own element, with its place in the order of the crew. */
  card(card, place) {
    const element = this.view.element(card);
    const { dataset } = element.querySelector(".when");
    if (place) dataset.place = place;
    else delete dataset.place;
    return element;
  }

  /** Takes the lanes away: the board shows its columns again. */
  clear() {
    for (const lane of this.lanes.values()) lane.element.remove();
    this.lanes.clear();
  }

  /** Jobs of the day's events that the board did not come with: finished ones. */
  unknown() {
    return this.crews.on(this.day).flatMap((event) => event.jobs).filter((id) => !this.jobs.cards.has(id));
  }
}
