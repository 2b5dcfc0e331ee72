// What customers and crews ask of the office: which asks are new, marks on cards, and a message when one comes in.

import { icon } from "./icons.js";
import { element } from "./lists.js";
import { announce, toast } from "./notices.js";
import { lower } from "./words.js";

const MOST = 3; // messages at once; more of them are told in one

/** @typedef {{label: string, icon: string, color: string}} Kind  as dispatch/asks.py has it */

/** The kinds of which more wait on a card than before, each once. */
export function fresh(known, card) {
  const before = [...(known?.waitingAsks || [])];
  const more = card.waitingAsks.filter((kind) => {
    const at = before.indexOf(kind);
    if (at >= 0) before.splice(at, 1);
    return at < 0;
  });
  return [...new Set(more)];
}

/** What a frame brings, `[[card, kind], …]`. A snapshot is no news: it is all that there is, and the marks show it. */
export function news(frame, cards) {
  if (frame.type !== "delta") return [];
  const newer = frame.jobs.filter((card) => card.seq > (cards.get(card.id)?.seq ?? 0));
  return newer.flatMap((card) => fresh(cards.get(card.id), card).map((kind) => [card, kind]));
}

/** The waiting kinds of a card, each once, in the order in which pages show them. */
export const waiting = (card, kinds) => Object.keys(kinds).filter((kind) => card.waitingAsks.includes(kind));

/** A mark for a card. @param {Kind} kind */
export function mark(kind) {
  const made = element("span", "ask", icon(kind.icon), kind.label);
  made.dataset.color = kind.color;
  return made;
}

/** Tells of what came in: seen, read aloud, and one click from the job. */
export function tell(found, kinds, { open, showAll }) {
  if (found.length > MOST) {
    const text = `${found.length} asks came in.`;
    announce(text);
    toast(text, { color: "yellow", icon: "note", actions: [{ label: "Show them", run: showAll }] });
    return;
  }
  const texts = found.map(([card, kind]) => `${card.location}: ${lower(kinds[kind].label)}`);
  if (texts.length) announce(texts.join(". "));
  found.forEach(([card, kind], at) => {
    const { color, icon: name } = kinds[kind];
    toast(texts[at], { color, icon: name, actions: [{ label: "Open", run: () => open(card.id) }] });
  });
}
