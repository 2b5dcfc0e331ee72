// Brings news: a websocket, and polling while there is none. It never trusts a connection that says nothing.

const SILENCE_MS = 35_000; // the server says something every 15 s
const LONGEST_PAUSE_MS = 20_000;
const POLL_MS = 5_000;
const POLL_AFTER_FAILURES = 3;
const SIGN_IN_AGAIN = 4001;
const NOT_ALLOWED = 4003;

export class Feed {
  /**
   * @param {{socket: string, changes: string}} urls
   * @param {{position: () => {epoch: string, seq: number}, frame: (frame: object) => boolean, freshness: (state: string) => void}} board
   *   freshness: "live" | "catching-up" | "offline" | "signed-out" | "not-allowed"
   */
  constructor(urls, board) {
    this.urls = urls;
    this.board = board;
    this.failures = 0;
    window.addEventListener("online", () => this.reconnect());
    document.addEventListener("visibilitychange", () => document.hidden || this.check());
    setInterval(() => this.check(), 5_000);
    this.connect();
  }

  connect() {
    clearTimeout(this.retry);
    this.heard = Date.now();
    const socket = new WebSocket(this.urls.socket);
    this.socket = socket;
    socket.onopen = () => this.hello();
    socket.onmessage = (event) => socket === this.socket && this.receive(JSON.parse(event.data));
    socket.onclose = (event) => socket === this.socket && this.closed(event.code);
  }

  hello() {
    this.board.freshness("catching-up");
    this.socket.send(JSON.stringify({ type: "hello", ...this.board.position() }));
  }

  receive(message) {
    this.heard = Date.now();
    if (message.type === "heartbeat") {
      if (message.seq > this.board.position().seq) this.hello(); // the last news got lost
      return;
    }
    if (!this.board.frame(message)) {
      this.hello(); // something in between is missing
      return;
    }
    this.failures = 0;
    clearInterval(this.polling);
    this.polling = undefined;
    this.board.freshness("live");
  }

  closed(code) {
    this.socket = undefined;
    if (code === SIGN_IN_AGAIN) return this.board.freshness("signed-out");
    if (code === NOT_ALLOWED) return this.board.freshness("not-allowed");
    this.failures += 1;
    this.board.freshness("offline");
    if (this.failures >= POLL_AFTER_FAILURES && !this.polling) this.polling = setInterval(() => this.poll(), POLL_MS);
    // Full jitter: after a restart of the server not everybody comes back at the same moment.
    this.retry = setTimeout(() => this.connect(), Math.random() * Math.min(LONGEST_PAUSE_MS, 500 * 2 ** this.failures));
  }

  /** A dead line often reports nothing at all; a laptop that slept comes back with one. */
  check() {
    if (this.socket && Date.now() - this.heard > SILENCE_MS) this.reconnect();
  }

  reconnect() {
    const dead = this.socket;
    this.socket = undefined;
    if (dead) dead.close();
    if (dead || this.retry) this.connect();
  }

  async poll() {
    const { epoch, seq } = this.board.position();
    try {
      const response = await fetch(`${this.urls.changes}?since=${seq}&epoch=${epoch}`);
      if (response.status === 401) return this.board.freshness("signed-out");
      if (response.ok) this.board.frame(await response.json());
    } catch {
      this.board.freshness("offline");
    }
  }
}
