// What the board knows of its crews: the events around a day, whom it can assign, and jobs on their way. Pure data, no page.

/**
 * @typedef {{id: string, seq: number, title: string, start: string, end: string, day: string, truck: string | null,
 *   status: string, jobs: string[], captains: Places, firstMates: Places, notes: string, warnings: string[]}} Event
 * @typedef {{places: number, people: {id: string, name: string, override: string, releaseAsked: string | null,
 *   releaseReason: string, seen: string | null}[]}} Places
 */

export class CrewStore {
  constructor() {
    this.seq = -1;
    this.events = new Map();
    this.members = [];
    this.trucks = [];
    this.pending = new Map(); // id of a job → {event, before}: where it is shown while the server decides
  }

  /**
   * Takes in everything that takes place on the days `first` to `last`. Returns false for what is older than what is here.
   * @param {{seq: number, events: Event[], members: object[], trucks: string[]}} answer
   */
  apply(answer, { first, last }) {
    if (answer.seq < this.seq) return false;
    const named = new Set(answer.events.map(({ id }) => id));
    for (const [id, { day, seq }] of this.events) {
      if (first <= day && day <= last && seq <= answer.seq && !named.has(id)) this.events.delete(id); // it moved to another day
    }
    Object.assign(this, { seq: answer.seq, members: answer.members, trucks: answer.trucks });
    answer.events.forEach((event) => this.applyEvent(event));
    return true;
  }

  /** Keeps an event unless a newer one is here. The same number may come with other marks: somebody has seen it. */
  applyEvent(event) {
    const known = this.events.get(event.id);
    if (!known || event.seq >= known.seq) this.events.set(event.id, event);
  }

  /** What takes place on a day, by its hours. */
  on(day) {
    const there = [...this.events.values()].filter((event) => event.day === day && event.status !== "cancelled");
    return there.sort((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : a.id < b.id ? -1 : 1));
  }

  /** The ids of an event's jobs in order, those on their way included. */
  jobs(event) {
    const ids = event.jobs.filter((id) => !this.pending.has(id));
    for (const [id, { event: into, before }] of this.pending) {
      if (into !== event.id) continue;
      const at = ids.indexOf(before);
      ids.splice(at < 0 ? ids.length : at, 0, id);
    }
    return ids;
  }

  /** The event that a job is shown in; undefined when it is in none that is known here. */
  eventOf(id) {
    if (this.pending.has(id)) return this.events.get(this.pending.get(id).event);
    return [...this.events.values()].find((event) => event.jobs.includes(id));
  }

  /**
   * The open jobs that wait for a crew on a day: their window is on it, or they have none. Those left over from earlier days
   * wait today. What an earlier event left undone waits again.
   */
  waiting(cards, day, { clock, statuses }) {
    const today = clock.dateFromToday(0);
    const due = ({ window }) => {
      if (!window) return true;
      const [first, last] = [window.start, window.end].map((moment) => clock.date(new Date(moment)));
      return (first <= day && day <= last) || (day === today && last < day);
    };
    const planned = ({ id }) => {
      const event = this.eventOf(id);
      return event && !(event.status === "over" && event.day < day);
    };
    const found = cards.filter((card) => statuses[card.status].isOpen && due(card) && !planned(card));
    const start = ({ window }) => (window ? Date.parse(window.start) : Infinity);
    return found.sort((a, b) => (start(a) === start(b) ? a.rank - b.rank : start(a) - start(b)));
  }

  /** Where a job has to go to stand at the top, further up, down or at the bottom: the `before` of it. Undefined: it is there. */
  place(event, id, where) {
    const ids = this.jobs(event);
    const at = ids.indexOf(id);
    const others = ids.filter((other) => other !== id);
    const to = { top: 0, up: at - 1, down: at + 1, bottom: others.length }[where];
    if (at < 0 || to === at || to < 0 || to > others.length) return undefined;
    return others[to] ?? null;
  }

  /** The job behind another one in its event; null for the last. */
  next(event, id) {
    const ids = event ? this.jobs(event) : [];
    return ids[ids.indexOf(id) + 1] ?? null;
  }

  /** Shows a job in an event (null: in none) until `settle`. */
  expect(id, event, before) {
    this.pending.set(id, { event, before });
  }

  settle(id) {
    this.pending.delete(id);
  }
}
