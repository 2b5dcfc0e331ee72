// Times as customers read them, in the words of tracking/dates.py. The names of days and months are the browser's; the rest
// is put together here, because browsers differ in commas and spaces.

import { words } from "./words.js";

const spanish = words.lang === "es";
const halves = spanish ? { AM: "a. m.", PM: "p. m." } : { AM: "AM", PM: "PM" };

/** «Thursday, November 26, 8:00 AM – 10:00 AM MST» */
export function windowInWords({ start, end }, zone) {
  const [first, last] = [parts(start, zone), parts(end, zone)];
  const until = day(first) === day(last) ? "" : `${day(last)}, `;
  return `${day(first)}, ${clock(first)} – ${until}${clock(last)} ${last.zone}`;
}

/** «Tue, Nov 24, 9:41 AM MST» */
export function momentInWords(at, zone) {
  const { weekday, month, date, ...rest } = parts(at, zone);
  const [short, of] = [weekday.slice(0, 3), month.slice(0, 3)];
  return `${spanish ? `${short} ${date} ${of}` : `${short}, ${of} ${date}`}, ${clock(rest)} ${rest.zone}`;
}

/** «9:41 AM MST» today, with the day before that */
export function timeInWords(at, zone) {
  const [then, now] = [parts(at, zone), parts(Date.now(), zone)];
  return day(then) === day(now) ? `${clock(then)} ${then.zone}` : momentInWords(at, zone);
}

function day({ weekday, month, date }) {
  return spanish ? `${weekday} ${date} de ${month}` : `${weekday}, ${month} ${date}`;
}

function clock({ hour, minute, half }) {
  return `${hour}:${minute} ${halves[half]}`;
}

function parts(at, zone) {
  const read = (locale, options) => {
    const found = new Intl.DateTimeFormat(locale, { timeZone: zone, ...options }).formatToParts(new Date(at));
    return Object.fromEntries(found.map(({ type, value }) => [type, value]));
  };
  const names = read(words.lang, { weekday: "long", month: "long", day: "numeric" });
  const time = read("en-US", { hour: "numeric", minute: "2-digit", hour12: true, timeZoneName: "short" });
  return {
    weekday: names.weekday, month: names.month, date: names.day,
    hour: time.hour, minute: time.minute, half: time.dayPeriod, zone: time.timeZoneName,
  };
}
