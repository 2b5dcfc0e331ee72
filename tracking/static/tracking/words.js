// What the page says. A page that Django made brings the words of its own language; the static one brings all of them, and
// is put into the visitor's language here.

const tables = JSON.parse(document.getElementById("job").dataset.words);
const known = Object.keys(tables);

function chosen() {
  const wanted = [new URLSearchParams(location.search).get("lang"), ...navigator.languages];
  return wanted.map((code) => (code || "").slice(0, 2).toLowerCase()).find((code) => tables[code]) || known[0];
}

export const words = tables[chosen()];

/** Fills in {names}. */
export function say(text, values) {
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

/** Puts what stands in the static page into the visitor's language. */
export function translatePage() {
  document.documentElement.lang = words.lang;
  for (const element of document.querySelectorAll("[data-word]")) element.textContent = words.page[element.dataset.word];
  for (const form of document.querySelectorAll("dialog")) {
    const texts = words.ask[form.querySelector("form").dataset.kind];
    for (const element of form.querySelectorAll("[data-ask-word]")) element.textContent = texts[element.dataset.askWord];
  }
  const link = document.querySelector(".languages a");
  const other = known.find((code) => code !== words.lang);
  if (!link || !other) return;
  Object.assign(link, { href: `?lang=${other}`, lang: other, hreflang: other, textContent: tables[other].name });
}
