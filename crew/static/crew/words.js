// What the page says, in both languages. The other modules know no words of their own.

import { english } from "./words_en.js";
import { spanish } from "./words_es.js";

export const languages = { en: english, es: spanish };

/** The words in use. One object for everybody, so that a change of language reaches all who have imported it. */
export const words = { ...english };

/** Changes the language, "en" or "es"; for anything else the first of the browser's that there is. */
export function speak(language, browser = globalThis.navigator?.languages || []) {
  const codes = [language, ...browser].map((code) => (code || "").slice(0, 2).toLowerCase());
  Object.assign(words, languages[codes.find((code) => languages[code]) || "en"]);
  return words.language;
}

/** A reason for "no access" goes to the office in English; whoever gave it reads it in the own language. */
export function ownReason(reason) {
  const found = Object.entries(english.reasons).find(([, text]) => reason === text || reason.startsWith(`${text}: `));
  return found ? words.reasons[found[0]] + reason.slice(found[1].length) : reason;
}

/** Fills in {names}. */
export const say = (text, values = {}) => text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");

/** One thing, or several: `words.waiting` has "one" and "other", and {count} in the second. */
export const count = (forms, number) => say(number === 1 ? forms.one : forms.other, { count: number });
