// Times as the crew reads them: in the zone of the board, whatever the phone's is, and said which.

import { say, words } from "./words.js";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;

export class Clock {
  /** @param {string} zone  IANA time zone of the board */
  constructor(zone) {
    this.zone = zone;
  }

  /** «8:00 AM» */
  time(moment) {
    const { hour, minute, half } = this.parts(moment);
    return `${hour}:${minute} ${words.noon[half]}`;
  }

  /** «8:00 – 10:00 AM» */
  range(start, end) {
    const [first, last] = [this.parts(start), this.parts(end)];
    const half = first.half === last.half ? "" : ` ${words.noon[first.half]}`;
    return `${first.hour}:${first.minute}${half} – ${this.time(end)}`;
  }

  /** The time today, with the day in front of it before today. */
  since(moment) {
    return this.day(moment) === this.day(new Date()) ? this.time(moment) : `${this.dayName(moment)}, ${this.time(moment)}`;
  }

  /** «Planned for tomorrow, 8:00 AM», or the day by its name. @param {string} today  `2026-11-24` */
  planned(moment, today) {
    const isTomorrow = this.day(moment) === dayAfter(today);
    const day = isTomorrow ? words.days.tomorrow.toLowerCase() : this.dayName(moment);
    return say(words.planned, { when: `${day}, ${this.time(moment)}` });
  }

  /** «Tue, Nov 24» */
  dayName(moment) {
    return this.format(words.locale, { weekday: "short", day: "numeric", month: "short" }).format(new Date(moment));
  }

  /** «Mountain Standard Time (MST)», as it is now. */
  zoneName() {
    const name = (style) => {
      const parts = this.format(words.locale, { timeZoneName: style }).formatToParts(new Date());
      return parts.find(({ type }) => type === "timeZoneName").value;
    };
    const short = this.parts(new Date()).zone;
    return `${name("long")} (${short})`;
  }

  /** The day in the board's zone, `2026-11-24`. */
  day(moment) {
    const found = this.format("en-CA", { year: "numeric", month: "2-digit", day: "2-digit" }).formatToParts(new Date(moment));
    const part = Object.fromEntries(found.map(({ type, value }) => [type, value]));
    return `${part.year}-${part.month}-${part.day}`;
  }

  parts(moment) {
    const options = { hour: "numeric", minute: "2-digit", hour12: true, timeZoneName: "short" };
    const found = this.format("en-US", options).formatToParts(new Date(moment));
    const part = Object.fromEntries(found.map(({ type, value }) => [type, value]));
    return { hour: part.hour, minute: part.minute, half: part.dayPeriod, zone: part.timeZoneName };
  }

  format(locale, options) {
    return new Intl.DateTimeFormat(locale, { timeZone: this.zone, ...options });
  }
}

/** The day after a day such as `2026-11-24`, or so many days after it. */
export function dayAfter(day, days = 1) {
  return new Date(Date.parse(`${day}T12:00:00Z`) + days * DAY).toISOString().slice(0, 10);
}

/** «2 s ago»: `offset` is how far the server's clock is ahead of this phone's, in milliseconds. */
export function ago(moment, now = Date.now(), offset = 0) {
  const passed = Math.max(0, now + offset - new Date(moment));
  if (passed < SECOND) return words.ago.now;
  if (passed < MINUTE) return say(words.ago.seconds, { n: Math.floor(passed / SECOND) });
  if (passed < 60 * MINUTE) return say(words.ago.minutes, { n: Math.floor(passed / MINUTE) });
  if (passed < 2 * DAY) return say(words.ago.hours, { n: Math.floor(passed / (60 * MINUTE)) });
  return say(words.ago.days, { n: Math.floor(passed / DAY) });
}

/** «3 h 12 min», of a time by the server's clock; `offset` as for `ago`. */
export function elapsed(since, now = Date.now(), offset = 0) {
  const minutes = Math.max(0, Math.floor((now + offset - new Date(since)) / MINUTE));
  return say(words.elapsed, { hours: Math.floor(minutes / 60), minutes: minutes % 60 });
}

/** A moment of the phone's own clock with its offset, `2026-11-24T08:00:12.345-07:00`. */
export function onThisPhone(moment = new Date()) {
  const offset = -moment.getTimezoneOffset();
  const two = (number) => String(Math.abs(number)).padStart(2, "0");
  const local = new Date(moment.getTime() + offset * MINUTE).toISOString().slice(0, -1);
  return `${local}${offset < 0 ? "-" : "+"}${two(Math.trunc(offset / 60))}:${two(offset % 60)}`;
}
