// Sends the form to book a pickup without leaving the page. What was typed stays until it is booked; after a fault of the
// network the same key goes out again, so that what was booked already is not booked twice.

const TIMEOUT_MS = 20_000;
// What a field of the form is called over the API, where that differs.
const NAMES = {
  preferred_day: "preferredDay", part_of_day: "partOfDay", access_notes: "accessNotes", name: "customer.name",
  phone: "customer.phone", email: "customer.email",
};

const book = document.getElementById("book");
inTheLanguageOfTheVisitor();
const api = `${book.dataset.api}/api/v1/bookings`;
const form = book.querySelector("form");
const fields = form.elements;
const button = form.querySelector(".send");
const label = button.textContent;
const problems = form.querySelector("#problems");

let sending = false;
fields.key.value ||= newKey();
if (!fields.rendered.value) prepare().catch(() => {}); // tried again before it is sent

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (sending) return;
  setSending(true);
  try {
    await send();
  } catch {
    complain([["", form.dataset.unreachable]]);
  } finally {
    setSending(false);
  }
});

/** Throws when nothing, or nothing that can be read, came back. */
async function send() {
  if (!fields.rendered.value) await prepare();
  const response = await ask(api, {
    method: "POST",
    headers: { "Content-Type": "application/json", "Idempotency-Key": fields.key.value },
    body: JSON.stringify(written()),
  });
  if (response.status >= 500) return complain([["", form.dataset.broken]]);
  const answer = await response.json();
  if (response.ok) return done(answer);
  if (answer.code === "too_old") await prepare();
  if (answer.code === "key_reused") fields.key.value = newKey(); // sent once more, it is another pickup
  return complain(Object.entries(answer.errors || { "": [answer.detail] }).map(([name, texts]) => [name, texts.join(" ")]));
}

/** What a page from a CDN cannot hold: when it was made, and which days can be asked for. */
async function prepare() {
  const response = await ask(`${api}/form`, {});
  const { rendered, days } = await response.json();
  fields.rendered.value = rendered;
  Object.assign(fields.preferred_day, { min: days.first, max: days.last });
}

function ask(url, options) {
  const address = `${url}?lang=${document.documentElement.lang}`;
  const signal = AbortSignal.timeout?.(TIMEOUT_MS); // an older browser waits as long as it likes
  return fetch(address, { ...options, cache: "no-store", credentials: "omit", signal });
}

function written() {
  const body = { customer: { language: document.documentElement.lang }, consent: fields.consent.checked };
  for (const [name, value] of new FormData(form)) {
    const [key, below] = (NAMES[name] || name).split(".");
    if (below) body[key][below] = value;
    else if (name !== "consent" && name !== "key") body[key] = value;
  }
  return body;
}

function done({ reference, link }) {
  const section = book.querySelector(".done");
  section.querySelector('[data-slot="reference"]').textContent = reference;
  const watch = section.querySelector('[data-slot="link"]');
  if (link) watch.href = link;
  watch.parentElement.hidden = !link; // staff have replaced it since: the customer has another one
  form.remove();
  section.hidden = false;
  section.querySelector("h1").focus();
  scrollTo(0, 0);
}

/** @param {[string, string][]} errors  by the API's name of a field, or "" and others for none */
function complain(errors) {
  clear();
  const lines = errors.map(([name, text]) => {
    const own = Object.keys(NAMES).find((field) => NAMES[field] === name) || name;
    const line = document.createElement("li");
    const place = document.getElementById(`id_${own}_error`);
    if (!place) line.textContent = text;
    else line.append(mark(own, place, text));
    return line;
  });
  problems.querySelector("ul").replaceChildren(...lines);
  problems.hidden = false;
  document.title = `${form.dataset.problems} · ${form.dataset.title}`;
  problems.focus();
}

function mark(name, place, text) {
  place.textContent = text;
  place.hidden = false;
  const input = fields[name].length ? fields[name][0] : fields[name]; // of a choice the first
  input.setAttribute("aria-invalid", "true");
  describe(input, `${place.id} ${input.id}_helptext`);
  const link = document.createElement("a");
  link.href = `#${input.id}`;
  link.textContent = text;
  return link;
}

function clear() {
  document.title = form.dataset.title;
  problems.hidden = true;
  for (const place of form.querySelectorAll(".error")) place.hidden = true;
  for (const input of form.querySelectorAll("[aria-invalid]")) {
    input.removeAttribute("aria-invalid");
    describe(input, `${input.id}_helptext`);
  }
}

function describe(input, ids) {
  const there = ids.split(" ").filter((id) => document.getElementById(id));
  if (there.length) input.setAttribute("aria-describedby", there.join(" "));
  else input.removeAttribute("aria-describedby");
}

function setSending(now) {
  sending = now;
  button.setAttribute("aria-disabled", String(now));
  button.textContent = now ? form.dataset.sending : label;
}

function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A page from a CDN is one for everybody and brings the form in every language. */
function inTheLanguageOfTheVisitor() {
  const wanted = [new URLSearchParams(location.search).get("lang"), ...navigator.languages].map((code) => (code || "").slice(0, 2));
  const known = [document.documentElement.lang, ...[...document.querySelectorAll("template[data-lang]")].map((one) => one.dataset.lang)];
  const language = wanted.find((code) => known.includes(code));
  const other = document.querySelector(`template[data-lang="${language}"]`);
  if (!other) return;
  book.replaceChildren(other.content.cloneNode(true));
  document.documentElement.lang = language;
  document.title = book.querySelector("form").dataset.title;
}
