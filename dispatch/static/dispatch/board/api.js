// Commands go to the server by HTTP. A refusal comes back as a Problem whose message is fit for people.

export class Problem extends Error {
  constructor(message, { code = "unreachable", job = null, event = null, events = [], errors = {} } = {}) {
    super(message);
    this.code = code;
    this.job = job; // after a conflict: the job as it is now
    this.event = event; // the same for an event of the crews
    this.events = events; // and for all that it touches
    this.errors = errors; // of an invalid form: {field: [message]}
  }
}

const UNREACHABLE = "The server cannot be reached. Try again when you are online."; // it may have done it: answers get lost, too
const token = () => document.querySelector("[name=csrfmiddlewaretoken]").value;

export const get = (path) => ask("GET", path);
/** @param {string} key  of a request that may be sent again: the server does it once and gives the same answer */
export const post = (path, body = {}, key = "") => ask("POST", path, body, key);
export const put = (path, body) => ask("PUT", path, body);
export const patch = (path, body) => ask("PATCH", path, body);
export const remove = (path) => ask("DELETE", path, {});

async function ask(method, path, body, key = "") {
  let response;
  try {
    response = await fetch(`/api/v1${path}`, {
      method,
      headers: {
        ...(body && { "Content-Type": "application/json", "X-CSRFToken": token() }), ...(key && { "Idempotency-Key": key }),
      },
      body: body && JSON.stringify(body),
    });
  } catch {
    throw new Problem(UNREACHABLE);
  }
  return judged(response.status, await response.json().catch(() => ({})));
}

/**
 * Sends a form with a file. `progress` hears how much of it is sent, 0 to 1, which fetch cannot say.
 * @param {FormData} form  @param {(part: number) => void} progress
 */
export function upload(path, form, progress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", `/api/v1${path}`);
    request.setRequestHeader("X-CSRFToken", token());
    request.responseType = "json";
    request.upload.addEventListener("progress", ({ loaded, total }) => progress(total ? loaded / total : 0));
    request.addEventListener("error", () => reject(new Problem(UNREACHABLE)));
    request.addEventListener("load", () => {
      try {
        resolve(judged(request.status, request.response || {}));
      } catch (problem) {
        reject(problem);
      }
    });
    request.send(form);
  });
}

/** The answer, or the Problem that it is. */
function judged(status, answer) {
  if (status >= 200 && status < 300) return answer;
  const signedOut = answer.code === "sign_in" || answer.code === "csrf";
  const said = signedOut ? "You are signed out. Reload this page to sign in again." : answer.detail;
  throw new Problem(said || `The server answered with an error (${status}).`, answer);
}
