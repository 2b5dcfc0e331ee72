// Brings news: a websocket, and polling while there is none. It never trusts a connection that says nothing.

const SILENCE_MS = 35_000; // the server says something every 15 s
const QUICK_TRIES = 5; // a restart of the server takes a few seconds
const QUICK_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 20_000;
const POLL_MS = 5_000;
const POLL_AFTER_FAILURES = 3;
const ACK_EVERY = 50; // frames
const ACK_MS = 1_000;
const SIGN_IN_AGAIN = 4001;
const NOT_ALLOWED = 4003;

export class Feed {
  /**
   * @param {{socket: string, changes: string}} urls
   * @param {{position: () => {epoch: string, seq: number}, frame: (frame: object) => boolean,
   *   freshness: (state: string) => void, people: (people: {name: string}[]) => void}} board
   *   freshness: "live" | "catching-up" | "offline" | "signed-out" | "not-allowed"
   */
  constructor(urls, board) {
    this.urls = urls;
    this.board = board;
    this.failures = 0;
    this.ended = false;
    window.addEventListener("online", () => this.reconnect());
    window.addEventListener("offline", () => this.drop());
    document.addEventListener("visibilitychange", () => document.hidden || this.check());
    setInterval(() => this.check(), 5_000);
    setInterval(() => this.poll(), POLL_MS);
    this.connect();
  }

  connect() {
    clearTimeout(this.retry);
    this.heard = Date.now();
    const socket = new WebSocket(this.urls.socket);
    this.socket = socket;
    socket.onopen = () => socket === this.socket && this.hello();
    socket.onmessage = (event) => socket === this.socket && this.receive(JSON.parse(event.data));
    socket.onclose = (event) => socket === this.socket && this.closed(event.code);
  }

  hello() {
    this.board.freshness("catching-up");
    this.say({ type: "hello", presence: true, ...this.board.position() });
  }

  say(message) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  receive(message) {
    this.heard = Date.now();
    if (message.type === "presence") return this.board.people(message.people);
    if (message.type === "restart") return (this.pause = message.retry_ms);
    if (message.type === "heartbeat") {
      if (message.seq > this.board.position().seq) this.hello(); // the last news got lost
      return undefined;
    }
    if (!this.board.frame(message)) return this.hello(); // something in between is missing
    this.acknowledge(message.to);
    this.failures = 0;
    return this.board.freshness("live");
  }

  /** Now and then, so that the server knows a tab that stalls from one that keeps up. */
  acknowledge(seq) {
    this.taken = (this.taken || 0) + 1;
    if (this.taken < ACK_EVERY && Date.now() - (this.acknowledged || 0) < ACK_MS) return;
    this.taken = 0;
    this.acknowledged = Date.now();
    this.say({ type: "ack", seq });
  }

  closed(code) {
    this.socket = undefined;
    this.board.people([]);
    if (code === SIGN_IN_AGAIN) return this.end("signed-out");
    if (code === NOT_ALLOWED) return this.end("not-allowed");
    this.failures += 1;
    this.board.freshness("offline");
    // Full jitter: after a restart of the server not everybody comes back at the same moment.
    const longest = this.failures <= QUICK_TRIES ? QUICK_PAUSE_MS : Math.min(LONGEST_PAUSE_MS, 250 * 2 ** this.failures);
    const pause = this.pause ?? Math.random() * longest;
    this.pause = undefined;
    this.retry = setTimeout(() => this.connect(), pause);
    return undefined;
  }

  /** Nobody may watch here any more; connecting again would not help. */
  end(state) {
    this.ended = true;
    this.board.freshness(state);
  }

  /** The browser knows that there is no network: the line is dead, though nobody closed it. */
  drop() {
    const dead = this.socket;
    this.socket = undefined;
    dead?.close();
    if (!this.ended) this.closed(1006);
  }

  /** A dead line often reports nothing at all; a laptop that slept comes back with one. A hidden tab stays quiet. */
  check() {
    if (document.hidden || this.ended) return;
    if (this.socket && Date.now() - this.heard > SILENCE_MS) this.reconnect();
  }

  reconnect() {
    if (this.ended) return;
    const dead = this.socket;
    this.socket = undefined;
    dead?.close();
    this.connect();
  }

  async poll() {
    if (document.hidden || this.ended || this.failures < POLL_AFTER_FAILURES) return;
    const { epoch, seq } = this.board.position();
    try {
      const response = await fetch(`${this.urls.changes}?since=${seq}&epoch=${epoch}`);
      if (response.status === 401) this.end("signed-out");
      else if (response.status === 403) this.end("not-allowed");
      else if (response.ok && this.board.frame(await response.json())) this.board.freshness("polling");
    } catch {
      this.board.freshness("offline");
    }
  }
}
