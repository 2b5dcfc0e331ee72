// Asks for something without leaving the page: the form of templates/tracking/_ask.html in a dialog. Without this script the
// same links lead to the same form on a page of its own.

import { words } from "./words.js";

const FIELD_OF = { too_long: "text", empty: "text", no_stars: "stars", past_day: "day", bad_day: "day" };

/**
 * @param {string} address where asks are sent
 * @param {{done: function(string, object): void, gone: function(): void, ended: function(): void}} page
 */
export function offerDialogs(address, page) {
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-ask]");
    const dialog = link && document.getElementById(`ask-${link.dataset.ask}`);
    if (dialog?.showModal) {
      event.preventDefault();
      dialog.showModal();
    } else if (event.target.closest("dialog [data-back]")) {
      event.preventDefault();
      event.target.closest("dialog").close();
    }
  });
  document.addEventListener("submit", (event) => {
    event.preventDefault();
    send(event.target);
  });

  async function send(form) {
    const button = form.querySelector("[type=submit]");
    if (button.disabled) return; // the second of two taps
    button.disabled = true;
    complain(form, "");
    const { code, job } = await post(form);
    button.disabled = false;
    if (job) {
      form.reset();
      form.closest("dialog").close();
      page.done(form.dataset.kind, job);
    } else if (code === "not_found") page.gone();
    else if (code === "link_ended") page.ended();
    else complain(form, words.error[code] ? code : "unsent");
  }

  async function post(form) {
    const { text, day, stars } = Object.fromEntries(new FormData(form));
    const body = { kind: form.dataset.kind, text, day: day || null, stars: stars ? Number(stars) : null };
    try {
      const response = await fetch(address, {
        method: "POST",
        cache: "no-store",
        credentials: "omit",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout?.(15_000),
      });
      const answer = await response.json();
      return response.ok ? { job: answer } : { code: answer.code };
    } catch {
      return {};
    }
  }
}

/** Says what is wrong next to the field, and keeps what was typed. */
function complain(form, code) {
  const error = form.querySelector(".error");
  error.textContent = code && words.error[code];
  for (const field of form.querySelectorAll("[aria-invalid]")) {
    field.removeAttribute("aria-invalid");
    field.removeAttribute("aria-describedby");
  }
  if (!code) return;
  const fields = form.querySelectorAll(`[name="${FIELD_OF[code]}"]`);
  for (const field of fields) {
    field.setAttribute("aria-invalid", "true");
    field.setAttribute("aria-describedby", error.id);
  }
  (fields[0] || form.querySelector("[type=submit]")).focus();
}
