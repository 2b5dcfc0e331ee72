// What this phone knows, for the screens: the plan and the events as they were last heard, what waits, and how fresh it is.

import { pause } from "./replay.js";
import { Rounds } from "./rounds.js";
import { areNews, current, shown } from "./shown.js";
import { sendPhotos, sync, tidy } from "./sync.js";
import { Clock, dayAfter } from "./times.js";

export class Phone {
  /**
   * @param {import("./database.js").Database} database  @param {import("./api.js").Api} api
   * @param {Record<string, object>} flow  the statuses, see shown.js  @param {() => void} draw
   */
  constructor(database, api, flow, draw) {
    Object.assign(this, { database, api, flow, draw });
    this.plan = this.events = null; // {etag, body, at}
    this.entries = []; // of the member; of everybody as long as nobody is signed in
    this.ofOthers = []; // what waits of others, who have used this phone, too
    this.isCutOff = false; // the last look had no answer
    this.failures = 0; // looks without an answer since the last one with one, or since the network came back
    this.isOwed = false; // somebody was impatient, and no look has had an answer since
    this.line = "connecting";
    this.looks = new Rounds((impatient) => this.round(impatient));
    this.photos = new Rounds((impatient) => this.photoRound(impatient));
    this.others = "BroadcastChannel" in globalThis ? new BroadcastChannel("crew") : null;
    this.others?.addEventListener("message", () => this.read());
  }

  /** "connecting" | "live" | "polling" | "offline" | "signed-out" | "no-member". A socket alone is not "live". */
  get line() {
    return this.said === "live" && this.isCutOff ? "offline" : this.said;
  }

  set line(name) {
    this.said = name;
  }

  /** The server knows nobody here who could have a plan. */
  get isOut() {
    return this.line === "signed-out" || this.line === "no-member";
  }

  get isKnown() {
    return Boolean(this.plan);
  }

  get member() {
    return this.plan.body.member;
  }

  /** The plan as it is shown, with what waits as if it were done. */
  get shown() {
    return shown(this.plan.body, this.entries, this.flow, { offset: this.offset, putOff: this.plan.putOff });
  }

  get clock() {
    return new Clock(this.plan.body.board.timezone);
  }

  /** How far the server's clock is ahead of this phone's, in milliseconds. */
  get offset() {
    return this.plan?.offset ?? 0;
  }

  /** By the server's clock, in milliseconds. */
  get now() {
    return Date.now() + this.offset;
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
    const isMine = ({ member }) => !plan || member === this.member.id;
    this.entries = entries.filter(isMine);
    this.ofOthers = entries.filter((entry) => !isMine(entry));
    this.draw();
  }

  /** Takes what has become old off the phone, not only off the screen. */
  async tidy() {
    await tidy(this.database, this.flow);
    await this.read();
  }

  /** Asks the server for everything and sends what waits. A call while that is going on is one more round of it. */
  look({ impatient = false } = {}) {
    return this.looks.ask({ impatient });
  }

  async round(impatient) {
    clearTimeout(this.timer);
    if (impatient) this.failures = 0; // the network is back: should this go wrong all the same, it is tried again soon
    this.isOwed ||= impatient;
    let next = pause(this.failures + 1); // also when this phone's storage is in trouble
    try {
      const options = { impatient: this.isOwed, changed: () => this.tell() };
      const { outcome, wait, isSeen } = await sync(this.database, this.api, options);
      if (isSeen) this.isOwed = false; // until then nothing was tried
      this.hear(outcome);
      await this.tell();
      if (outcome === "offline") this.leave();
      next = this.failures ? pause(this.failures) : wait;
      if (outcome === "sent") this.lookBeside(options.impatient);
    } finally {
      if (next !== null) this.timer = setTimeout(() => this.look(), next);
    }
  }

  hear(outcome) {
    this.isCutOff = outcome === "offline";
    this.failures = this.isCutOff ? this.failures + 1 : 0;
    if (outcome !== "sent") this.line = outcome;
    else if (this.isLive) this.line = "live";
    else this.line = navigator.onLine === false ? "offline" : "polling"; // the answer came just before the network went away
  }

  /** In its own time: neither what is tapped meanwhile nor the next look waits for it. */
  lookBeside(impatient) {
    this.lookAtEvents();
    this.photos.ask({ impatient });
  }

  async photoRound(impatient) {
    clearTimeout(this.photoTimer);
    const { outcome, wait } = await sendPhotos(this.database, this.api, { impatient, changed: () => this.tell() });
    if (outcome !== "sent") this.look(); // says what is the matter, and tries again
    else if (wait !== null) this.photoTimer = setTimeout(() => this.look(), wait);
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

  /** Keeps entries, in this order, and sends them when that is possible. Raises when there is no room: then none is kept. */
  async add(...entries) {
    const { firstName: name } = this.member; // for whoever sees it on this phone
    await this.database.add(entries.map((entry) => ({ ...entry, name })));
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
