// How cards are read: money, times in the board's zone, ages, lateness.

const money = new Intl.NumberFormat("en-US", { style: "currency", currency: "USD", minimumFractionDigits: 0, maximumFractionDigits: 2 });
const cents = new Intl.NumberFormat("en-US", { style: "currency", currency: "USD" });
const EIGHTHS = ["", "⅛", "¼", "⅜", "½", "⅝", "¾", "⅞"];
const MINUTE = 60_000;

export const SERVICES = { junk_removal: "Junk removal", dumpster_delivery: "Dumpster delivery", dumpster_pickup: "Dumpster pickup" };

export function price(amount) {
  if (amount === null) return "No price";
  return Number.isInteger(amount) ? money.format(amount) : cents.format(amount);
}

export function service(card) {
  const load = card.loadEighths ? `, ${truck(card.loadEighths)}` : "";
  return `${SERVICES[card.service] || card.service}${load}`;
}

function truck(eighths) {
  const whole = Math.floor(eighths / 8) || "";
  return `${whole}${EIGHTHS[eighths % 8]} truck${eighths > 8 ? "s" : ""}`;
}

export class Clock {
  /** @param {string} zone  IANA time zone of the board */
  constructor(zone) {
    const format = (options) => new Intl.DateTimeFormat("en-US", { timeZone: zone, ...options });
    this.zone = zone;
    this.day = format({ weekday: "short", day: "numeric" });
    this.longDay = format({ weekday: "short", month: "short", day: "numeric" });
    this.parts = format({ year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
    this.hours = format({ hour: "numeric", minute: "2-digit" });
    this.now = format({ weekday: "short", month: "short", day: "numeric", hour: "numeric", minute: "2-digit", timeZoneName: "short" });
  }

  /** «Today, 8 – 10 AM», «Wed 25, 11 AM – 1 PM»: short, for a card. Without a window, the day that the customer wants. */
  window(window, preferredDay = null) {
    if (!window) return preferredDay ? `Wants ${this.shortDay(this.noon(preferredDay))}` : "No time yet";
    const [start, end] = [new Date(window.start), new Date(window.end)];
    const day = this.date(start) === this.date(new Date()) ? "Today" : this.shortDay(start);
    return `${day}, ${this.hours.formatRange(start, end).replaceAll(":00", "")}`;
  }

  /** «Sat 28» */
  shortDay(moment) {
    const parts = Object.fromEntries(this.day.formatToParts(moment).map((part) => [part.type, part.value]));
    return `${parts.weekday} ${parts.day}`;
  }

  /** The middle of a day such as `2026-11-28`, in the board's zone. */
  noon(day) {
    return this.moment(`${day}T12:00`);
  }

  /** The same with everything, for a tooltip. */
  windowInFull(window) {
    return window ? this.now.formatRange(new Date(window.start), new Date(window.end)) : "";
  }

  time(moment) {
    return this.hours.format(moment);
  }

  /** The time, with the day in front unless it is today. */
  since(moment) {
    return this.date(moment) === this.date(new Date()) ? this.time(moment) : this.now.format(moment);
  }

  /** The day in the board's zone, `2026-11-24`. */
  date(moment) {
    return this.local(moment).slice(0, 10);
  }

  /** The day some days from today. */
  dateFromToday(days) {
    const noon = new Date(`${this.date(new Date())}T12:00:00Z`);
    noon.setUTCDate(noon.getUTCDate() + days);
    return noon.toISOString().slice(0, 10);
  }

  /** A moment as a datetime-local field writes it, `2026-11-24T08:00`, in the board's zone. */
  local(moment) {
    const part = Object.fromEntries(this.parts.formatToParts(moment).map(({ type, value }) => [type, value]));
    return `${part.year}-${part.month}-${part.day}T${part.hour}:${part.minute}`;
  }

  /** The moment of a datetime-local field. An hour that the zone skips becomes the one after it. */
  moment(local) {
    const wanted = Date.parse(`${local}Z`);
    const offset = (at) => Date.parse(`${this.local(new Date(at))}Z`) - Math.floor(at / MINUTE) * MINUTE;
    const guess = wanted - offset(wanted);
    return new Date(wanted - offset(guess));
  }
}

/** For the middle of a sentence. */
export const lower = (text) => text.charAt(0).toLowerCase() + text.slice(1);

/** «No texts. No e-mails»: the channels by which a customer may not be written to. */
export const silence = (optedOut, channels) => optedOut.map((channel) => `No ${lower(channels[channel])}s`).join(". ");

/** How long ago, in one unit. */
export function age(since) {
  return span(Date.now() - new Date(since));
}

export function span(milliseconds) {
  const minutes = Math.max(0, Math.floor(milliseconds / MINUTE));
  if (minutes < 60) return `${minutes} min`;
  return minutes < 48 * 60 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 1440)} d`;
}
