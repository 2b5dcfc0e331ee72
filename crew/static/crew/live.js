// News by websocket: the events as they are now, and a word when the plan has changed. Asks every 30 seconds while there is
// no socket. It never trusts a connection that says nothing, and with each new one it asks for everything: what was said
// while there was none is not said again.

const SILENCE_MS = 35_000; // the server says something every 15 s
const POLL_MS = 30_000;
const LONGEST_UNASKED_MS = 300_000; // much of a plan changes with time alone, and nobody says so: a day begins
const QUICK_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 30_000;
const QUICK_TRIES = 3;
const SIGN_IN = 4001;
const NOT_ALLOWED = 4003;

export class Live {
  /**
   * @param {{events: (body: object) => void, plan: () => void, state: (name: string) => void, look: () => void,
   *   signedOut: () => void}} page  state: "connecting" | "live" | "offline"; look: asks for everything, the line being new
   */
  constructor(page) {
    this.page = page;
    this.failures = 0;
    this.ended = true;
    addEventListener("online", () => this.wake());
    addEventListener("offline", () => this.drop());
    document.addEventListener("visibilitychange", () => document.hidden || this.wake());
    setInterval(() => this.check(), 5_000);
    setInterval(() => this.poll(), POLL_MS);
  }

  start() {
    if (!this.ended) return;
    this.ended = false;
    this.connect();
  }

  connect() {
    clearTimeout(this.retry);
    if (this.ended || this.socket) return;
    this.heard = Date.now();
    this.isNew = true;
    const own = new WebSocket(`${location.origin.replace(/^http/, "ws")}/ws/crew/`);
    this.socket = own;
    own.onopen = () => own === this.socket && own.send(JSON.stringify({ type: "hello" }));
    own.onmessage = ({ data }) => own === this.socket && this.receive(JSON.parse(data));
    own.onclose = ({ code }) => own === this.socket && this.closed(code);
  }

  receive(message) {
    this.heard = Date.now();
    if (message.type === "restart") {
      this.pause = message.retry_ms;
      return;
    }
    this.failures = 0;
    this.page.state("live");
    if (message.type === "events") this.page.events(message);
    if (this.isNew) this.ask(() => this.page.look());
    else if (message.type === "plan") this.ask(() => this.page.plan());
    this.isNew = false;
  }

  closed(code) {
    this.socket = null;
    if (code === SIGN_IN || code === NOT_ALLOWED) {
      this.end();
      this.page.signedOut();
      return;
    }
    this.failures += 1;
    this.page.state(navigator.onLine ? "connecting" : "offline");
    // Full jitter: after a restart of the server not everybody comes back at the same moment.
    const longest = this.failures <= QUICK_TRIES ? QUICK_PAUSE_MS : Math.min(LONGEST_PAUSE_MS, 500 * 2 ** this.failures);
    this.retry = setTimeout(() => this.connect(), this.pause ?? Math.random() * longest);
    this.pause = undefined;
  }

  end() {
    this.ended = true;
    clearTimeout(this.retry);
    this.leave();
  }

  leave() {
    const dead = this.socket;
    this.socket = null;
    if (dead?.readyState !== WebSocket.CONNECTING) dead?.close();
    else dead.onopen = () => dead.close(); // before it is open, browsers call that a failure
  }

  drop() {
    this.leave();
    if (!this.ended) this.page.state("offline");
  }

  wake() {
    if (this.ended) return;
    if (Date.now() - (this.heard || 0) > SILENCE_MS) this.leave();
    this.connect();
  }

  check() {
    if (this.ended || document.hidden || !this.socket || Date.now() - this.heard < SILENCE_MS) return;
    this.leave();
    this.closed(1006);
  }

  poll() {
    const isLive = this.socket?.readyState === WebSocket.OPEN && this.failures === 0;
    const isDue = !isLive || Date.now() - this.asked >= LONGEST_UNASKED_MS; // nothing says that the network is back
    if (!this.ended && !document.hidden && isDue) this.ask(() => this.page.plan());
  }

  ask(plan) {
    this.asked = Date.now();
    plan();
  }
}
