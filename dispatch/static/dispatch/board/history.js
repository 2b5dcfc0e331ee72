// What happened to a job, latest first: its moves, and what its customer or its crew asked for in between.

import { element, showList } from "./lists.js";
import { lower } from "./words.js";

/**
 * @typedef {{kind: string, at: string, text?: string, day?: string, stars?: number, by?: string, doneAt?: string, doneBy?: string}} Ask
 * @returns {{at: string, text: string, said: string}[]}
 */
export function events(job, statuses, asks, clock) {
  const moves = job.statusHistory.map(({ status, at, by, channel, reason }) => {
    const who = [by, channel && `(${channel})`].filter(Boolean).join(" ");
    return { at, text: [statuses[status]?.label || status, time(at, clock), who].filter(Boolean).join(" · "), said: reason || "" };
  });
  const asked = job.asks.map((ask) => {
    const kind = asks[ask.kind] || { label: ask.kind };
    const what = [kind.byCrew ? kind.label : `Customer ${lower(kind.label)}`, detail(ask, clock), time(ask.at, clock), ask.by];
    return { at: ask.at, text: what.filter(Boolean).join(" · "), said: ask.text || "" };
  });
  return [...moves, ...asked].sort((one, other) => new Date(one.at) - new Date(other.at)).reverse();
}

/** «Sat, Nov 28», «4 of 5 stars»: what an ask says besides words. @param {Ask} ask */
export function detail(ask, clock) {
  if (ask.day) return clock.longDay.format(clock.noon(ask.day));
  return ask.stars ? `${ask.stars} of 5 stars` : "";
}

export function showHistory(list, ...facts) {
  showList(list, events(...facts), ({ text, said }) => element("li", "", text, said && document.createElement("br"), said && `“${said}”`));
}

const time = (iso, clock) => clock.now.format(new Date(iso));
