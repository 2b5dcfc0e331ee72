// How events are read: hours, places, people.

const ROLES = { captain: ["captains", "Captain", "captain"], first_mate: ["firstMates", "First mate", "first mate"] };

export const roles = Object.keys(ROLES);
export const roleName = (role) => ROLES[role][1];

/** The places of a role. @param {import("./crew_store.js").Event} event */
export const places = (event, role) => event[ROLES[role][0]];

export const free = (event, role) => Math.max(0, places(event, role).places - places(event, role).people.length);

/** «8 AM – 4 PM», «10 PM – 2 AM», and of what takes days «9 AM – Tue, Dec 1, 5 PM». */
export function hours({ start, end }, clock) {
  const [from, until] = [new Date(start), new Date(end)];
  const last = clock.date(until);
  const isNight = last === dayAfter(clock.date(from), 1) && clock.local(until).slice(11) <= clock.local(from).slice(11);
  const day = isNight ? "" : `${clock.longDay.format(until)}, `;
  const sameDay = clock.date(from) === last;
  const text = sameDay ? clock.hours.formatRange(from, until) : `${clock.time(from)} – ${day}${clock.time(until)}`; // or it names both days
  return text.replaceAll(":00", "");
}

/** «Big Red · 8 AM – 4 PM» */
export const outing = (event, clock) => [event.truck || "No truck", hours(event, clock)].join(" · ");

/** «1 captain and 2 first mates still needed», or "" when every place is taken. */
export function needed(event) {
  const missing = roles.filter((role) => free(event, role)).map((role) => count(free(event, role), ROLES[role][2]));
  return missing.length ? `${missing.join(" and ")} still needed` : "";
}

/** «seen 6:03 PM», «not seen yet» */
export const seen = (person, clock) => (person.seen ? `seen ${clock.since(new Date(person.seen))}` : "not seen yet");

/** Everybody who has a place, captains first: `[[role, person], …]`. */
export const crew = (event) => roles.flatMap((role) => places(event, role).people.map((person) => [role, person]));

export const firstName = ({ name }) => name.split(" ")[0];

const count = (number, what) => `${number} ${what}${number === 1 ? "" : "s"}`;

/** How many days one day is after another one, both as `2026-11-24`. */
export const daysBetween = (day, other) => Math.round((Date.parse(other) - Date.parse(day)) / 86_400_000);

/** A day some days from another one, both as `2026-11-24`. */
export function dayAfter(day, days) {
  const noon = new Date(`${day}T12:00:00Z`);
  noon.setUTCDate(noon.getUTCDate() + days);
  return noon.toISOString().slice(0, 10);
}
