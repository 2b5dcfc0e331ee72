// The way to the server. Only answers that are ours count: a hotel's sign-in page also says 200.

import { onThisPhone } from "./times.js";

const PATIENCE_MS = 15_000;
const PATIENCE_PHOTO_MS = 120_000;
const LATER = [408, 425, 429];

export class Problem extends Error {
  /** @param {{code?: string, status?: number, answer?: object}} facts  code "unreachable": nothing was changed */
  constructor(message, { code = "unreachable", status = 0, answer = {} } = {}) {
    super(message);
    Object.assign(this, { code, status, answer });
  }
}

/** Ends a request after so long: some never end when the network goes away under them. Older phones have no timeout(). */
function deadline(milliseconds) {
  if (AbortSignal.timeout) return AbortSignal.timeout(milliseconds);
  const given = new AbortController();
  setTimeout(() => given.abort(), milliseconds);
  return given.signal;
}

export class Api {
  /** @param {string} cookie  the name of the cookie with the CSRF token, which the page /crew/ sets */
  constructor(cookie) {
    this.cookie = cookie;
  }

  /** @returns {Promise<{status: number, body?: object, etag?: string}>}  304 without a body. Raises Problem. */
  async get(path, etag = "") {
    const response = await this.fetch(path, { headers: etag ? { "If-None-Match": etag } : {}, cache: "no-store" });
    if (response.status === 304) return { status: 304 };
    return { status: response.status, body: await judged(response), etag: response.headers.get("ETag") || "" };
  }

  /** A command that makes sense only at once. Raises Problem. */
  async command(method, path, body) {
    return judged(await this.write(method, path, { body: JSON.stringify(body ?? {}), json: true }));
  }

  /** What became of an entry of the queue: see replay.js. */
  async send(entry) {
    try {
      const response = await this.write("POST", entry.path, { ...bodyOf(entry), key: entry.key });
      return { kind: "done", answer: await judged(response) };
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      return { kind: outcome(problem), answer: problem.answer, detail: problem.message };
    }
  }

  async write(method, path, { body, json, key = "", patience = PATIENCE_MS }) {
    const attempt = async () =>
      this.fetch(path, { method, body, patience, headers: await this.headers(json, key) });
    const response = await attempt();
    if (response.status !== 403 || (await answerOf(response.clone())).code !== "csrf") return response;
    await this.renewToken();
    return attempt();
  }

  async headers(json, key) {
    const headers = { "X-CSRFToken": (await this.token()) || (await this.renewToken()) };
    if (json) headers["Content-Type"] = "application/json";
    if (key) headers["Idempotency-Key"] = key;
    return headers;
  }

  async token() {
    if (!globalThis.document) return (await globalThis.cookieStore?.get(this.cookie))?.value ?? "";
    const pairs = document.cookie.split("; ").map((pair) => pair.split("="));
    return pairs.find(([name]) => name === this.cookie)?.[1] ?? "";
  }

  /** The page as it comes from the server sets the cookie; the copy on this phone cannot. */
  async renewToken() {
    await fetch("/crew/", { cache: "no-store", signal: deadline(PATIENCE_MS) }).catch(() => {});
    return this.token();
  }

  async fetch(path, { patience = PATIENCE_MS, ...options }) {
    try {
      return await fetch(`/api/v1${path}`, { ...options, redirect: "error", signal: deadline(patience) });
    } catch {
      throw new Problem("");
    }
  }
}

/** With what this phone's clock says now, by which the server puts right the times of a wrong one. */
function bodyOf({ kind, body: made, photo }) {
  const body = { ...made, sentAt: onThisPhone() };
  if (kind !== "photo") return { body: JSON.stringify(body), json: true };
  const form = new FormData();
  Object.entries(body).forEach(([name, value]) => form.append(name, value));
  form.append("file", photo, "photo.jpg");
  return { body: form, patience: PATIENCE_PHOTO_MS };
}

async function answerOf(response) {
  const isOurs = /^application\/(problem\+)?json/.test(response.headers.get("Content-Type") || "");
  return isOurs ? response.json().catch(() => ({ lost: true })) : { lost: true };
}

/** The answer, or the Problem that it is. */
async function judged(response) {
  const { lost, ...answer } = await answerOf(response);
  const { status } = response;
  if (status >= 200 && status < 300 && !lost) return answer;
  if (lost && status < 500 && status !== 413) throw new Problem("");
  throw new Problem(typeof answer.detail === "string" ? answer.detail : "", { code: answer.code || "error", status, answer });
}

function outcome({ code, status }) {
  if (code === "unreachable") return "offline";
  if (status === 401) return "signed-out";
  if (status >= 500 || LATER.includes(status) || code === "csrf") return "retry";
  return status === 409 && code === "moved_on" ? "conflict" : "refused";
}
