// What a change tells the customer, in words: «Texting Marisol Vega in 8 s.» Pure functions; the messages are those of the API.

import { lower } from "./words.js";

const OUT = new Set(["sending", "sent", "delivered"]);
const SOON_S = 60; // further ahead it says when, not in how many seconds
const DOING = { sms: "texting", email: "e-mailing" };
const THINGS = { sms: "text", email: "e-mail" };

/**
 * @typedef {{id: number, channel: string, to: string, status: string, sendAfter: string, error: string}} Message
 * @param {Message[]} messages
 * @param {string} changed  when the change was made. Both times are the server's: the clock of this computer may be wrong.
 * @param {number} passed  seconds since the answer came
 */
export function telling(messages, changed, passed, clock) {
  const times = new Map(); // when in words → messages
  for (const message of messages.filter(({ status }) => status === "queued" || OUT.has(status))) {
    const when = moment(message, changed, passed, clock);
    times.set(when, [...(times.get(when) || []), message]);
  }
  const going = [...times].map(([when, due]) => `${list(due.map(({ channel }) => DOING[channel]))} ${due[0].to} ${when}.`);
  const kept = messages.filter(({ status, error }) => status === "suppressed" && error);
  const silent = kept.map(({ channel, to, error }) => `No ${THINGS[channel]} to ${to}: ${lower(error)}`);
  return [...going.map((text) => text[0].toUpperCase() + text.slice(1)), ...silent].join(" ");
}

function moment({ status, sendAfter }, changed, passed, clock) {
  const left = Math.round((new Date(sendAfter) - new Date(changed)) / 1000 - passed);
  if (OUT.has(status) || left <= 0) return "now";
  if (left <= SOON_S) return `in ${left}\u00a0s`;
  const at = clock.since(new Date(sendAfter));
  return /^\d/.test(at) ? `at ${at}` : `on ${at}`;
}

/** Whether some of them can still be taken back: the last of them has not begun to go out. */
export function waits(messages, changed, passed) {
  const left = ({ sendAfter }) => (new Date(sendAfter) - new Date(changed)) / 1000 - passed;
  return messages.some((message) => message.status === "queued" && left(message) > 0);
}

/** What the button is called that takes them back. */
export function stopping(messages) {
  const channels = new Set(messages.filter(({ status }) => status === "queued").map(({ channel }) => channel));
  if (channels.size > 1) return "Don't tell them";
  return channels.has("email") ? "Don't e-mail" : "Don't text";
}

/** What it says when they were to be taken back, «The text had already gone out.», or "" when all of them were. */
export function goneOut(messages) {
  const things = messages.filter(({ status }) => OUT.has(status)).map(({ channel }) => `the ${THINGS[channel]}`);
  return things.length ? `T${list(things).slice(1)} had already gone out.` : "";
}

const list = (words) => [...new Set(words)].join(" and ");
