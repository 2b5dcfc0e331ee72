// Questions: one dialog for all of them, filled for each.

import { button, element } from "./page.js";
import { unusable } from "./photos.js";
import { count, words } from "./words.js";

const dialog = document.getElementById("ask");
export const MOST = JSON.parse(document.body.dataset.limits).characters; // the server takes no more in one text
const NEAR = 60; // characters before the end the person is told

/**
 * Asks, and gives what was filled in, or null when it was closed. `check` may say what is missing, as a text.
 * @param {{title: string, text?: string, fields?: Node[], go: string, isDanger?: boolean,
 *   check?: (form: FormData) => string}} question
 * @returns {Promise<FormData | null>}
 */
export function ask({ title, text = "", fields = [], go, isDanger = false, check = () => "" }) {
  const error = element("p.error", { role: "alert", id: "ask-error" });
  const send = element(`button.main${isDanger ? ".danger" : ""}`, { type: "submit" }, go);
  const form = element("form", { method: "dialog", novalidate: true },
    element("h2", { id: "ask-title" }, title), text && element("p", {}, text), ...fields, error,
    element("div.buttons", {}, send, button("quiet", null, words.ask.cancel, () => dialog.close())));
  dialog.replaceChildren(form);
  dialog.showModal();
  return new Promise((resolve) => {
    let given = null;
    dialog.addEventListener("close", () => resolve(given), { once: true });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const found = new FormData(form);
      error.textContent = check(found);
      if (error.textContent) return form.querySelector("textarea, input").focus();
      given = found;
      return dialog.close();
    });
  });
}

export function textField(name, label, most = MOST) {
  const id = `ask-${name}`;
  const left = element("p.soft.left", { id: `${id}-left`, role: "status" });
  const input = ({ target }) => {
    const number = most - target.value.length;
    left.textContent = number <= NEAR ? count(words.ask.left, number) : "";
  };
  return element("div.field", {}, element("label", { for: id }, label),
    element("textarea", { id, name, rows: 4, maxlength: most, input, "aria-describedby": `ask-error ${id}-left` }), left);
}

/** @param {Record<string, string>} choices  value → label */
export function choiceField(name, label, choices) {
  const option = ([value, text]) =>
    element("label.choice", {}, element("input", { type: "radio", name, value }), element("span", {}, text));
  return element("fieldset", {}, element("legend", {}, label), ...Object.entries(choices).map(option));
}

export function photoField(name, label, done) {
  const text = element("span", {}, label);
  const input = element("input.only-read", {
    type: "file", name, accept: "image/*", capture: "environment",
    change: async ({ target }) => {
      const [file] = target.files;
      const problem = file && (await unusable(file));
      if (problem) target.value = "";
      if (target.form) target.form.querySelector(".error").textContent = problem ?? "";
      text.textContent = target.files.length ? done : label;
    },
  });
  return element("label.quiet.file", {}, input, text);
}
