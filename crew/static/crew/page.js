// How screens are made: elements, icons, and painting without disturbing what has not changed.

const icons = document.body.dataset.icons;
const SVG = "http://www.w3.org/2000/svg";

/**
 * @param {string} tag  such as "p" or "button.main"
 * @param {object} options  attributes; functions are listeners, `data` is the dataset
 * @param {...(Node | string | null | false | undefined)} children  what is nothing is left out
 */
export function element(tag, options = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const made = document.createElement(name);
  if (classes.length) made.className = classes.join(" ");
  for (const [key, value] of Object.entries(options)) set(made, key, value);
  made.append(...children.filter((child) => child || child === 0));
  return made;
}

function set(made, key, value) {
  if (typeof value === "function") made.addEventListener(key, value);
  else if (key === "data") Object.assign(made.dataset, value);
  else if (value === true) made.setAttribute(key, "");
  else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value);
}

export function icon(name) {
  const [svg, use] = ["svg", "use"].map((tag) => document.createElementNS(SVG, tag));
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `${icons}#${name}`);
  svg.append(use);
  return svg;
}

/** A button with an icon and a word. */
export function button(tag, name, text, click, options = {}) {
  return element(`button.${tag}`, { type: "button", click, ...options }, name && icon(name), element("span", {}, text));
}

/** A link that looks like one, to outside of the page. */
export const link = (tag, name, text, href, options = {}) =>
  element(`a.${tag}`, { href, rel: "noreferrer", ...options }, icon(name), element("span", {}, text));

const painted = new WeakMap();

/** Fills a place anew when its facts have changed. Whoever was on an element with a `data-key` is there again after it. */
export function paint(place, facts, make) {
  const key = JSON.stringify(facts);
  if (painted.get(place) === key) return;
  painted.set(place, key);
  const focused = place.contains(document.activeElement) ? document.activeElement.closest("[data-key]")?.dataset.key : null;
  place.replaceChildren(...[make()].flat().filter(Boolean));
  if (focused) place.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
}

export function setText(place, text) {
  if (place.textContent !== text) place.textContent = text;
}
