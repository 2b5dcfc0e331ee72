// Commands go to the server by HTTP. A refusal comes back as a Problem whose message is fit for people.

export class Problem extends Error {
  constructor(message, { code = "unreachable", job = null } = {}) {
    super(message);
    this.code = code;
    this.job = job; // after a conflict: the job as it is now
  }
}

const token = () => document.querySelector("[name=csrfmiddlewaretoken]").value;

export async function post(url, body) {
  let response;
  try {
    response = await fetch(url, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": token() },
      body: JSON.stringify(body),
    });
  } catch {
    throw new Problem("The server cannot be reached, so nothing was changed. Try again when you are online.");
  }
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  const said = answer.code === "sign_in" || answer.code === "csrf" ? "You are signed out. Sign in again in this tab." : answer.detail;
  throw new Problem(said || `The server answered with an error (${response.status}).`, answer);
}
