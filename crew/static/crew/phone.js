// What this phone knows, for the screens: the plan and the events as they were last heard, what waits, and how fresh it is.

import { pause } from "./replay.js";
import { areNews, current, shown } from "./shown.js";
import { sync, tidy } from "./sync.js";
import { Clock, dayAfter } from "./times.js";

export class Phone {
  /**
   * @param {import("./database.js").Database} database  @param {import("./api.js").Api} api
   * @param {Record<string, object>} flow  the statuses, see shown.js  @param {() => void} draw
   */
  constructor(database, api, flow, draw) {
    Object.assign(this, { database, api, flow, draw });
    this.plan = this.events = null; // {etag, body, at}
    this.entries = [];
    this.failures = 0; // looks without an answer since the last one with one
    this.line = "connecting";
    this.others = "BroadcastChannel" in globalThis ? new BroadcastChannel("crew") : null;
    this.others?.addEventListener("message", () => this.read());
  }

  /** "connecting" | "live" | "polling" | "offline" | "signed-out". A socket alone is not "live": the plan may be old. */
  get line() {
    return this.said === "live" && this.failures > 0 ? "offline" : this.said;
  }

  set line(name) {
    this.said = name;
  }

  get isKnown() {
    return Boolean(this.plan);
  }

  get member() {
    return this.plan.body.member;
  }

  /** The plan as it is shown, with what waits as if it were done. */
  get shown() {
    return shown(this.plan.body, this.entries, this.flow);
  }

  get clock() {
    return new Clock(this.plan.body.board.timezone);
  }

  /** How far the server's clock is ahead of this phone's, in milliseconds. */
  get offset() {
    return this.plan?.offset ?? 0;
  }

  get today() {
    return this.clock.day(Date.now());
  }

  dayOf(name) {
    return name === "tomorrow" ? dayAfter(this.today) : this.today;
  }

  /** Reads what is kept, and shows it. */
  async read() {
    const [plan, events, entries] = await Promise.all([
      this.database.kept("plan"), this.database.kept("events"), this.database.entries(),
    ]);
    this.plan = plan ?? null;
    if (plan) this.plan = { ...plan, body: current(plan.body, this.today, this.flow) };
    this.events = events ?? null;
    this.entries = plan ? entries.filter(({ member }) => member === this.member.id) : entries;
    this.draw();
  }

  /** Takes what has become old off the phone, not only off the screen. */
  async tidy() {
    await tidy(this.database, this.flow);
    await this.read();
  }

  /** Asks the server for everything and sends what waits. A call while that is going on is one more round of it. */
  look({ impatient = false } = {}) {
    this.impatient ||= impatient;
    if (this.looking) this.lookAgain = true;
    else this.looking = this.rounds();
    return this.looking;
  }

  async rounds() {
    try {
      do await this.round();
      while (this.lookAgain);
    } finally {
      this.looking = null; // in the same breath as the question above, so that no call falls between
    }
  }

  async round() {
    const { impatient } = this;
    this.lookAgain = this.impatient = false;
    clearTimeout(this.timer);
    const { outcome, wait } = await sync(this.database, this.api, { impatient, changed: () => this.tell() });
    this.hear(outcome);
    await this.tell();
    if (outcome === "offline") this.leave();
    const next = this.failures ? pause(this.failures) : wait;
    if (next !== null) this.timer = setTimeout(() => this.look(), next);
    if (outcome === "sent") this.lookAtEvents(); // in its own time: what was tapped meanwhile does not wait for it
  }

  hear(outcome) {
    this.failures = outcome === "offline" ? this.failures + 1 : 0;
    if (outcome === "sent") this.line = this.isLive ? "live" : "polling";
    else this.line = outcome;
  }

  async lookAtEvents() {
    if (this.isLive && this.events) return;
    try {
      const { status, body, etag } = await this.api.get("/events?mine=true", this.events?.etag);
      await this.hearEvents(status === 304 ? this.events : { body, etag });
    } catch {
      return; // the bar says how old things are
    }
  }

  /** @param {{body: object, etag?: string}} news */
  async hearEvents({ body, etag = "" }) {
    await this.database.keepEvents({ body, etag, at: Date.now() }, (plan, events) => areNews(body, plan, events));
    await this.tell();
  }

  /** Something on this phone has changed: here, and in other tabs. */
  async tell() {
    this.others?.postMessage("changed");
    await this.read();
  }

  /** Keeps entries, in this order, and sends them when that is possible. Raises when the phone has no room. */
  async add(...entries) {
    for (const entry of entries) await this.database.add(entry);
    await this.tell();
    this.look();
  }

  /** The page goes out of sight, perhaps for good: from now on the worker sends, where there is one that can. */
  leave() {
    if (this.entries.some(({ state }) => state === "waiting")) this.askForBackgroundSync();
  }

  async askForBackgroundSync() {
    const registration = await navigator.serviceWorker?.getRegistration("/crew/");
    await registration?.sync?.register("crew-queue").catch(() => {});
  }

  /** Puts another entry in the place of one that was turned down. */
  async replace(entry) {
    await this.database.change(entry);
    await this.tell();
    this.look({ impatient: true });
  }

  async discard(ids) {
    await this.database.remove(ids);
    await this.tell();
    this.look();
  }

  async forget() {
    await this.database.forget();
    this.line = "signed-out";
    await this.tell();
  }
}
