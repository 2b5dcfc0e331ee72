// Commands go to the server by HTTP. A refusal comes back as a Problem whose message is fit for people.

export class Problem extends Error {
  constructor(message, { code = "unreachable", job = null, errors = {} } = {}) {
    super(message);
    this.code = code;
    this.job = job; // after a conflict: the job as it is now
    this.errors = errors; // of an invalid form: {field: [message]}
  }
}

const token = () => document.querySelector("[name=csrfmiddlewaretoken]").value;

export const get = (path) => ask("GET", path);
export const post = (path, body) => ask("POST", path, body);
export const patch = (path, body) => ask("PATCH", path, body);

async function ask(method, path, body) {
  let response;
  try {
    response = await fetch(`/api/v1${path}`, {
      method,
      headers: body ? { "Content-Type": "application/json", "X-CSRFToken": token() } : {},
      body: body && JSON.stringify(body),
    });
  } catch {
    throw new Problem("The server cannot be reached, so nothing was changed. Try again when you are online.");
  }
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  const signedOut = answer.code === "sign_in" || answer.code === "csrf";
  const said = signedOut ? "You are signed out. Reload this page to sign in again." : answer.detail;
  throw new Problem(said || `The server answered with an error (${response.status}).`, answer);
}
