// What the board knows of its crews, by itself. Run by tests/js/test_crew_store.py, which says where the script is.

import assert from "node:assert/strict";
import test from "node:test";

const { CrewStore } = await import(`${process.env.BOARD}/crew_store.js`);
const { Clock } = await import(`${process.env.BOARD}/words.js`);
const { CrewDays } = await import(`${process.env.BOARD}/crew_days.js`);
const { dayAfter, hours, needed } = await import(`${process.env.BOARD}/crew_words.js`);

const clock = new Clock("America/Denver");
const [TODAY, SPAN] = [clock.dateFromToday(0), { first: "2030-01-01", last: "2030-01-14" }];
const at = (day, time) => clock.moment(`${day}T${time}`).toISOString();
const event = (id, seq, day = "2030-01-03", more = {}) => ({ id, seq, day, start: at(day, "08:00"), end: at(day, "16:00"), status: "open", jobs: [], ...more });
const answer = (seq, ...events) => ({ seq, events, members: [], trucks: [] });
const filled = (...events) => {
  const store = new CrewStore();
  store.apply(answer(10, ...events), SPAN);
  return store;
};
const ids = (events) => events.map(({ id }) => id);

test("a day shows its events by their hours, and none that is cancelled", () => {
  const store = filled(event("b", 1), event("a", 2, "2030-01-03", { start: at("2030-01-03", "07:00") }), event("c", 3, "2030-01-03", { status: "cancelled" }), event("d", 4, "2030-01-04"));

  assert.deepEqual(ids(store.on("2030-01-03")), ["a", "b"]);
});

test("what moved to another day is no longer on the old one, and what is outside the span stays", () => {
  const store = filled(event("a", 1), event("far", 2, "2030-02-01"));

  assert.equal(store.apply(answer(11), SPAN), true);

  assert.deepEqual([...store.events.keys()], ["far"]);
});

test("an older answer changes nothing, and an event that is newer here stays", () => {
  const store = filled(event("a", 9));
  store.applyEvent(event("a", 12, "2030-01-03", { title: "new" }));
  store.applyEvent(event("mine", 13));

  assert.equal(store.apply(answer(9), SPAN), false);
  assert.equal(store.apply(answer(11, event("a", 9)), SPAN), true);

  assert.deepEqual([store.events.get("a").title, store.events.has("mine")], ["new", true]);
});

test("that somebody has seen the plan is news though no number moved", () => {
  const store = filled(event("a", 9, "2030-01-03", { seen: null }));

  store.apply(answer(10, event("a", 9, "2030-01-03", { seen: "now" })), SPAN);

  assert.equal(store.events.get("a").seen, "now");
});

test("a job on its way is shown where it goes, in front of the other, and back when it is settled", () => {
  const store = filled(event("a", 1, "2030-01-03", { jobs: ["x", "y"] }), event("b", 2, "2030-01-03", { jobs: ["z"] }));
  const [a, b] = store.on("2030-01-03");

  store.expect("z", "a", "y");
  assert.deepEqual([store.jobs(a), store.jobs(b), store.eventOf("z").id], [["x", "z", "y"], [], "a"]);
  store.expect("x", null, null);
  assert.deepEqual([store.jobs(a), store.eventOf("x")], [["z", "y"], undefined]);
  store.settle("z");
  store.settle("x");
  assert.deepEqual([store.jobs(a), store.jobs(b)], [["x", "y"], ["z"]]);
});

test("places in an event", () => {
  const store = filled(event("a", 1, "2030-01-03", { jobs: ["x", "y", "z"] }));
  const [a] = store.on("2030-01-03");
  const place = (id, where) => store.place(a, id, where);

  assert.deepEqual([place("z", "top"), place("z", "up"), place("x", "down"), place("x", "bottom")], ["x", "y", "z", null]);
  assert.deepEqual([place("x", "top"), place("x", "up"), place("z", "down"), place("z", "bottom"), place("?", "top")], Array(5).fill(undefined));
  assert.deepEqual([store.next(a, "x"), store.next(a, "z"), store.next(undefined, "x")], ["y", null, null]);
});

test("who waits for a crew", () => {
  const statuses = { scheduled: { isOpen: true }, completed: { isOpen: false } };
  const window = (day) => ({ start: at(day, "10:00"), end: at(day, "12:00") });
  const job = (id, day, more = {}) => ({ id, rank: 1, status: "scheduled", window: day && window(day), ...more });
  const [yesterday, tomorrow] = [dayAfter(TODAY, -1), dayAfter(TODAY, 1)];
  const jobs = [
    job("none", null), job("today", TODAY), job("left", yesterday), job("tomorrow", tomorrow), job("done", TODAY, { status: "completed" }),
    job("planned", TODAY), job("undone", yesterday), job("later", null),
  ];
  const store = filled(
    event("now", 1, TODAY, { jobs: ["planned"] }), event("old", 2, yesterday, { status: "over", jobs: ["undone"] }), event("next", 3, tomorrow, { jobs: ["later"] }),
  );
  const waiting = (day) => ids(store.waiting(jobs, day, { clock, statuses }));

  assert.deepEqual(waiting(TODAY), ["left", "undone", "today", "none"]);
  assert.deepEqual(waiting(tomorrow), ["tomorrow", "none"]);
});

test("hours and what is needed are said in words", () => {
  const night = { start: at("2030-01-03", "22:00"), end: at("2030-01-04", "02:30") };
  const full = { places: 1, people: [{}] };

  assert.equal(hours(event("a", 1), clock), "8 AM – 4 PM".replaceAll(" AM", "\u202fAM").replaceAll(" PM", "\u202fPM").replace(" – ", "\u2009–\u2009"));
  assert.match(hours(night, clock), /^10\sPM – 2:30\sAM$/);
  assert.match(hours({ ...night, end: at("2030-01-04", "22:30") }, clock), /^10\sPM – Fri, Jan 4, 10:30\sPM$/);
  assert.match(hours({ ...night, end: at("2030-01-05", "02:00") }, clock), /^10\sPM – Sat, Jan 5, 2\sAM$/);
  assert.equal(needed({ captains: full, firstMates: { places: 3, people: [{}] } }), "2 first mates still needed");
  assert.equal(needed({ captains: full, firstMates: full }), "");
});

/** The form of an event from `from` until `until`; gives a function that types into a field and tells both days and hours. */
function form(from, until) {
  const heard = {};
  const field = (name, value) => ({ value, addEventListener: (_, hear) => (heard[name] = hear) });
  const [[day, start], [lastDay, end]] = [from, until].map((moment) => moment.split(" "));
  const fields = { day: field("day", day), from: field("from", start), lastDay: field("lastDay", lastDay), until: field("until", end) };
  const days = new CrewDays(fields);
  days.begin();
  const type = (name, value) => {
    fields[name].value = value;
    heard[name]();
    return [fields.day.value, fields.lastDay.value];
  };
  return { days, type };
}

test("an event of three days is one of three days on another day, too", () => {
  const { type } = form("2030-11-29 09:00", "2030-12-01 17:00");

  assert.deepEqual(type("day", "2030-11-30"), ["2030-11-30", "2030-12-02"]);
  assert.deepEqual(type("day", ""), ["", "2030-12-02"]); // half typed
  assert.deepEqual(type("day", "2030-12-31"), ["2030-12-31", "2031-01-02"]);
  assert.deepEqual(type("until", "08:00"), ["2030-12-31", "2031-01-02"]);
  assert.deepEqual(type("lastDay", "2031-01-01"), ["2030-12-31", "2031-01-01"]);
  assert.deepEqual(type("until", "18:00"), ["2030-12-31", "2031-01-01"]); // it was chosen
  assert.deepEqual(type("day", "2031-02-01"), ["2031-02-01", "2031-02-02"]);
});

test("what ends before it begins ends on the next day, as long as it does", () => {
  const { type } = form("2030-11-29 08:00", "2030-11-29 16:00");
  const [same, next] = ["2030-11-29", "2030-11-30"].map((last) => ["2030-11-29", last]);

  assert.deepEqual([type("until", ""), type("until", "16:00"), type("from", "22:00")], [same, same, next]);
  assert.deepEqual([type("until", ""), type("until", "23:00"), type("until", "22:00")], [next, same, next]);
  assert.deepEqual(type("day", "2030-12-31"), ["2030-12-31", "2031-01-01"]);
  const night = form("2030-11-29 22:00", "2030-11-30 02:00");
  assert.deepEqual([night.type("until", "03:00"), night.type("until", "23:30")], [next, same]);
  const chosen = form("2030-11-29 22:00", "2030-11-30 02:00");
  assert.deepEqual([chosen.type("lastDay", "2030-11-30"), chosen.type("until", "23:30")], [next, next]);
});

test("what is not filled in is said beside its field", () => {
  const { days, type } = form("2030-11-29 08:00", "2030-11-29 16:00");

  assert.equal(days.missing(), null);
  type("day", "");
  type("until", "");
  assert.deepEqual(days.missing(), { day: ["Which day?"], end: ["When does it end?"] });
});
