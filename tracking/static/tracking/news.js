// Keeps a page true: by websocket, and by asking while there is none. First the public copy, which needs no server of ours,
// then the server itself. Only an answer that we wrote may say that a link is not valid; everything else is a fault, and is
// tried again.

const POLL_MS = 15_000;
const LONGEST_MS = 120_000;
const SILENCE_MS = 35_000;
const PATIENCE_MS = 10_000;
const SOON_MS = 4_000; // a server that starts again is back by then
const EVERY = 4; // so often the server is asked as well though there is a copy: whoever writes the copies may be down
const FAREWELL = 4; // looks after a job is over: the last move may be taken back
const NOT_FOUND = 4004;
const LINK_ENDED = 4010;
const TOO_MANY = 4029;

/**
 * @param {{token: string, api: string}} where
 * @param {{show: function(object): void, fresh: function(): void, warn: function(): void, gone: function(): void,
 *   ended: function(): void, isOld: function(object): boolean, isOver: function(): boolean, epoch: function(): string}} page
 * @returns {function(): void} looks again at once
 */
export function follow({ token, api }, page) {
  const copyAddress = `/state/track/${token}.json`;
  const address = `${api}/api/v1/track/${token}`;
  const kept = new Map();
  let socket = null;
  let heard = 0;
  let lost = 0; // sockets in a row that brought nothing
  let failures = 0; // looks in a row that brought nothing
  let looks = 0;
  let looking = false;
  let refused = false;
  let ended = false;
  let farewell = page.isOver() ? 0 : FAREWELL;
  let timer = 0;

  const asleep = () => ended || document.hidden;
  const isLive = () => socket?.readyState <= WebSocket.OPEN && Date.now() - heard < SILENCE_MS;

  function connect() {
    if (asleep() || page.isOver() || socket || refused) return;
    heard = Date.now();
    const own = new WebSocket(`${(api || location.origin).replace(/^http/, "ws")}/ws/track/`);
    socket = own;
    own.onopen = () => own.send(JSON.stringify({ type: "hello", token }));
    own.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      heard = Date.now();
      lost = failures = 0;
      if (message.type === "state") page.show(message.job);
      page.fresh();
      if (!page.isOver()) return;
      own.close();
      lookIn(2 * POLL_MS);
    };
    own.onclose = ({ code }) => closed(own, code);
  }

  function closed(own, code) {
    if (socket !== own) return;
    socket = null;
    lost += 1;
    if (ended || page.isOver()) return;
    if (code === LINK_ENDED) return finish(page.ended);
    if (code === TOO_MANY) refused = true;
    if (code === NOT_FOUND) look();
    else setTimeout(connect, jitter(Math.min(LONGEST_MS, 1_000 * 2 ** lost)));
    lookIn(Math.min(2 * POLL_MS, SOON_MS * 2 ** (lost - 1)));
  }

  async function look() {
    if (looking || asleep()) return;
    looking = true;
    looks += 1;
    const copy = await read(copyAddress);
    const isCurrent = copy.job && !page.isOld(copy.job) && ["", copy.job.epoch].includes(page.epoch());
    if (isCurrent) page.show(copy.job);
    const isEnough = isCurrent && looks % EVERY;
    const answer = isEnough ? {} : await read(address);
    const before = failures;
    looking = false;
    failures = 0;
    if (answer.job) {
      page.show(answer.job);
      page.fresh();
    } else if (answer.code === "link_ended") finish(page.ended);
    else if (answer.code === "not_found" && !copy.job) finish(page.gone);
    else if (copy.gone) finish(page.gone);
    else if (copy.job && !page.isOld(copy.job)) {
      if (!isCurrent) page.show(copy.job); // the server cannot say which epoch is the later one
    } else if (!copy.job || !answer.code) {
      failures = before + 1;
      page.warn();
    }
  }

  /** `{job}`, `{gone: true}` or `{code}`; nothing for what is not an answer of ours. */
  async function read(from) {
    const before = kept.get(from);
    try {
      const response = await fetch(from, {
        cache: "no-store",
        credentials: "omit",
        headers: before ? { "If-None-Match": before.etag } : {},
        signal: AbortSignal.timeout?.(PATIENCE_MS),
      });
      if (response.status === 304) return { job: before?.job };
      const body = await response.json();
      if (!response.ok) return [404, 410].includes(response.status) ? { code: body.code } : {};
      if (body.gone) return { gone: true };
      if (!body.status || !body.epoch) return {};
      const etag = response.headers.get("ETag");
      if (etag) kept.set(from, { etag, job: body });
      return { job: body };
    } catch {
      return {};
    }
  }

  function lookIn(most) {
    clearTimeout(timer);
    if (asleep() || (page.isOver() && (farewell -= 1) < 0)) return;
    timer = setTimeout(tick, most && jitter(most));
  }

  async function tick() {
    if (!isLive()) {
      socket?.close();
      await look();
    }
    connect();
    lookIn(2 * Math.min(LONGEST_MS, POLL_MS * 2 ** failures)); // on average every 15 seconds
  }

  function finish(say) {
    ended = true;
    clearTimeout(timer);
    socket?.close();
    say();
  }

  function wake() {
    clearTimeout(timer);
    if (document.hidden) return;
    refused = false;
    tick();
  }

  document.addEventListener("visibilitychange", wake);
  addEventListener("online", wake);
  connect();
  lookIn(2 * POLL_MS);
  return look;
}

function jitter(most) {
  return Math.random() * most;
}
