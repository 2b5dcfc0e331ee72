// How cards are read: money, time windows in the board's zone, ages.

const money = new Intl.NumberFormat("en-US", { style: "currency", currency: "USD", trimTrailingZeros: true, minimumFractionDigits: 0, maximumFractionDigits: 2 });
const SERVICES = { junk_removal: "Junk removal", dumpster_delivery: "Dumpster delivery", dumpster_pickup: "Dumpster pickup" };
const EIGHTHS = ["", "⅛", "¼", "⅜", "½", "⅝", "¾", "⅞"];

export function price(amount) {
  return amount === null ? "No price" : money.format(amount);
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
    this.day = format({ weekday: "short", day: "numeric" });
    this.date = format({ dateStyle: "short" });
    this.hours = format({ hour: "numeric", minute: "2-digit" });
    this.now = format({ weekday: "short", month: "short", day: "numeric", hour: "numeric", minute: "2-digit", timeZoneName: "short" });
  }

  /** «Today, 8 – 10 AM», «Wed 25, 11 AM – 1 PM»: short, for a card. */
  window(window) {
    if (!window) return "No time yet";
    const [start, end] = [new Date(window.start), new Date(window.end)];
    const parts = Object.fromEntries(this.day.formatToParts(start).map((part) => [part.type, part.value]));
    const today = this.date.format(start) === this.date.format(new Date());
    return `${today ? "Today" : `${parts.weekday} ${parts.day}`}, ${this.hours.formatRange(start, end).replaceAll(":00", "")}`;
  }

  /** The same with everything, for a tooltip. */
  windowInFull(window) {
    return window ? this.now.formatRange(new Date(window.start), new Date(window.end)) : "";
  }

  time(moment) {
    return this.hours.format(moment);
  }
}

/** How long ago, in one unit. */
export function age(since) {
  const minutes = Math.max(0, Math.floor((Date.now() - new Date(since)) / 60_000));
  if (minutes < 60) return `${minutes} min`;
  return minutes < 48 * 60 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 1440)} d`;
}
