// News of the crews: a websocket, and looking every 15 seconds while there is none.

import { dayAfter } from "./crew_words.js";

const SILENCE_MS = 35_000; // the server says something every 15 s
const LOOK_MS = 15_000;
const SEEN_MS = 60_000; // that somebody has seen the plan is no change of it: no socket tells of that
const LONGEST_PAUSE_MS = 20_000;
const SOCKET_DAYS = 14;
const DAYS = 62; // in one look, from a week before the day that is shown
const SIGN_IN_AGAIN = 4001;
const NOT_ALLOWED = 4003;

export class CrewFeed {
  /**
   * @param {string} slug  of the board  @param {import("./crew_store.js").CrewStore} store
   * @param {{day: () => string, changed: () => void, freshness: (state: string) => void}} page
   *   freshness: "live" | "polling" | "offline" | "ended"
   */
  constructor(slug, store, clock, page) {
    Object.assign(this, { slug, store, clock, page });
    this.on = false;
    this.failures = 0;
    this.etags = new Map();
    window.addEventListener("online", () => this.on && this.reconnect());
    document.addEventListener("visibilitychange", () => this.check());
    setInterval(() => this.check(), 5_000);
  }

  start() {
    if (this.on) return;
    Object.assign(this, { on: true, ended: false });
    this.look();
    this.connect();
  }

  stop() {
    this.on = this.live = false;
    clearTimeout(this.retry);
    this.hangUp();
  }

  connect() {
    this.heard = Date.now();
    const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/crew/`);
    this.socket = socket;
    socket.onopen = () => socket === this.socket && this.hello();
    socket.onmessage = (event) => socket === this.socket && this.receive(JSON.parse(event.data));
    socket.onclose = (event) => socket === this.socket && this.closed(event.code);
  }

  hello() {
    this.socket.send(JSON.stringify({ type: "hello", board: this.slug }));
  }

  receive(message) {
    this.heard = Date.now();
    if (message.type === "restart") this.pause = message.retry_ms;
    if (message.type === "heartbeat" && message.seq > this.store.seq) this.hello(); // the last news got lost
    if (message.type !== "events") return;
    const today = this.clock.dateFromToday(0);
    const last = dayAfter(today, SOCKET_DAYS - 1);
    const [known, day] = [this.store.events.size, this.page.day()];
    if (!this.store.apply(message, { first: today, last })) return;
    Object.assign(this, { failures: 0, live: true });
    this.page.freshness("live");
    this.page.changed();
    const elsewhere = day < today || day > last || this.store.events.size < known; // what the socket does not tell of
    if (elsewhere) this.look();
  }

  closed(code) {
    this.socket = undefined;
    this.live = false;
    if (code === SIGN_IN_AGAIN || code === NOT_ALLOWED) return this.end();
    this.failures += 1;
    this.page.freshness("polling");
    const longest = Math.min(LONGEST_PAUSE_MS, 1_000 * 2 ** this.failures);
    this.retry = setTimeout(() => this.connect(), this.pause ?? Math.random() * longest);
    this.pause = undefined;
    return undefined;
  }

  /** Nobody may look any more. */
  end() {
    this.ended = true;
    this.page.freshness("ended");
  }

  hangUp() {
    const dead = this.socket;
    this.socket = undefined;
    if (dead?.readyState !== WebSocket.CONNECTING) dead?.close();
    else dead.onopen = () => dead.close(); // before it is open, browsers call that a failure
  }

  reconnect() {
    if (this.ended) return;
    clearTimeout(this.retry);
    this.hangUp();
    this.live = false;
    this.connect();
    this.look();
  }

  /** A hidden page stays quiet. A line that says nothing is dead. */
  check() {
    if (!this.on || this.ended || document.hidden) return;
    if (this.socket && Date.now() - this.heard > SILENCE_MS) this.reconnect();
    if (Date.now() - (this.looked || 0) > (this.live ? SEEN_MS : LOOK_MS)) this.look();
  }

  /** Reads everything around the day that is shown, also for who needs it only once. */
  async look(day = this.page.day()) {
    const today = this.clock.dateFromToday(0);
    const first = dayAfter(day < today || day > dayAfter(today, DAYS - 14) ? day : today, -7);
    const path = `/api/v1/events?board=${this.slug}&days=${DAYS}&since=${this.clock.moment(`${first}T00:00`).toISOString()}`;
    this.looked = Date.now();
    try {
      const headers = this.etags.has(path) ? { "If-None-Match": this.etags.get(path) } : {};
      const response = await fetch(path, { headers, cache: "no-store" });
      if (response.status === 401 || response.status === 403) return this.end();
      if (response.ok && this.store.apply(await response.json(), { first, last: dayAfter(first, DAYS - 1) })) {
        this.etags = new Map([[path, response.headers.get("ETag")]]);
        this.page.changed();
      }
      if (!this.live) this.page.freshness(response.ok || response.status === 304 ? "polling" : "offline");
    } catch {
      if (!this.live) this.page.freshness("offline");
    }
    return undefined;
  }
}
