// Keeps the customer's page true: by websocket, and by asking now and then while there is none. It stops when the job is
// over. A fault of the network is called that, never a missing job.

const POLL_MS = 15_000;
const SILENCE_MS = 35_000;
const NOT_FOUND = 4004;
const STATES = { done: "done", current: "now", todo: "to come" };

// The address is the one the customer was sent; what the edge rewrites it to is never seen here.
const token = location.pathname.split("/")[2];
const page = document.getElementById("job");
const trouble = document.getElementById("trouble");
const slot = (name) => page.querySelector(`[data-slot="${name}"]`);
const zone = page.dataset.zone;
const format = (options) => new Intl.DateTimeFormat("en-US", { timeZone: zone, ...options });
const long = format({ weekday: "long", month: "long", day: "numeric" });
const time = format({ hour: "numeric", minute: "2-digit" });
const timeInZone = format({ hour: "numeric", minute: "2-digit", timeZoneName: "short" });
const moment = format({ weekday: "short", month: "short", day: "numeric", hour: "numeric", minute: "2-digit", timeZoneName: "short" });

const shown = { seq: -1, epoch: "" };
let over = false;

function show(job) {
  trouble.hidden = true;
  if (job.epoch === shown.epoch && job.seq <= shown.seq) return;
  Object.assign(shown, { seq: job.seq, epoch: job.epoch });
  over = job.status === "completed" || job.status === "cancelled";
  page.dataset.color = job.color;
  document.title = `${job.headline} · ${job.company.name}`;
  write("headline", job.headline);
  write("next", job.next);
  write("service", job.service);
  write("location", job.location);
  write("crew", job.crew.join(", ") || "Not decided yet");
  write("updated", `Updated ${words(moment, job.updatedAt)}`);
  showWindow(job.window);
  slot("steps").hidden = !job.steps.length;
  if (job.steps.length) slot("steps").replaceChildren(...job.steps.map(step));
  slot("history").replaceChildren(...job.history.map(entry));
}

function write(name, text) {
  if (slot(name).textContent !== text) slot(name).textContent = text;
}

function showWindow(window) {
  const line = slot("window");
  const [start, end] = [window?.start || "", window?.end || ""];
  if (line.dataset.start === start && line.dataset.end === end) return;
  Object.assign(line.dataset, { start, end });
  const [first, last] = [long.format(new Date(start || 0)), long.format(new Date(end || 0))];
  const until = first === last ? "" : `${last}, `;
  line.textContent = window ? `${first}, ${words(time, start)} – ${until}${words(timeInZone, end)}` : "We have not set a time yet";
}

function words(formatter, iso) {
  return formatter.format(new Date(iso)).replaceAll("\u202f", " ");
}

function step({ label, state }) {
  const item = make("li", "");
  item.dataset.state = state;
  if (state === "current") item.setAttribute("aria-current", "step");
  const dot = make("span", "", "dot");
  dot.setAttribute("aria-hidden", "true");
  item.append(dot, label, make("span", ` (${STATES[state]})`, "only-read"));
  return item;
}

function entry({ label, at }) {
  const item = make("li", "");
  const when = make("time", words(moment, at));
  when.dateTime = at;
  item.append(make("span", label), " ", when);
  return item;
}

function make(name, text, className = "") {
  const element = document.createElement(name);
  element.textContent = text;
  if (className) element.className = className;
  return element;
}

function gone() {
  over = true;
  warn("This tracking link is no longer valid. Look for a newer message from us, or call.");
}

function warn(text) {
  if (trouble.hidden || trouble.textContent !== text) trouble.textContent = text;
  trouble.hidden = false;
}

// --- news
let socket = null;
let heard = 0;
let failures = 0;

function connect() {
  if (over || document.hidden || socket) return;
  heard = Date.now();
  const own = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/track/`);
  socket = own;
  own.onopen = () => own.send(JSON.stringify({ type: "hello", token }));
  own.onmessage = (event) => {
    heard = Date.now();
    failures = 0;
    const message = JSON.parse(event.data);
    if (message.type === "state") show(message.job);
    if (over) own.close();
  };
  own.onclose = (event) => {
    if (socket === own) socket = null;
    if (event.code === NOT_FOUND) return gone();
    failures += 1;
    if (!over) setTimeout(connect, Math.random() * Math.min(30_000, 1_000 * 2 ** failures));
  };
}

async function look() {
  if (over || document.hidden) return;
  if (socket && Date.now() - heard < SILENCE_MS) return;
  socket?.close();
  try {
    const response = await fetch(`/api/v1/track/${token}`, { cache: "no-store", credentials: "omit" });
    if (response.status === 404) return gone();
    if (!response.ok) throw new Error(response.status);
    show(await response.json());
  } catch {
    warn("We can't reach the server at the moment, so this page may be out of date. Trying again…");
  }
}

setInterval(look, POLL_MS);
document.addEventListener("visibilitychange", connect);
connect();
