// What the board makes of customers: requests, messages, a form that follows. Run by tests/js/test_customers.py.

import assert from "node:assert/strict";
import test from "node:test";

const load = (name) => import(`${process.env.BOARD}/${name}.js`);
const { fresh, news, waiting } = await load("asks");
const { events } = await load("history");
const { different, merged, nested } = await load("job_form");
const { goneOut, stopping, telling, waits } = await load("telling");
const { Clock, silence } = await load("words");

const clock = new Clock("America/Denver");
const MOVED = "2030-07-04T15:00:00.000Z";
const message = (channel, more) => ({ id: 1, channel, to: "Marisol Vega", status: "queued", sendAfter: "2030-07-04T15:00:08.000Z", error: "", ...more });
const tells = (messages, passed = 0) => telling(messages, MOVED, passed, clock).replaceAll("\u00a0", " ");
const card = (id, seq, ...waitingAsks) => ({ id, seq, waitingAsks });

test("a text counts down by the server's clock and then goes out", () => {
  assert.equal(tells([message("sms")]), "Texting Marisol Vega in 8 s.");
  assert.equal(tells([message("sms")], 5.2), "Texting Marisol Vega in 3 s.");
  assert.equal(tells([message("sms")], 8), "Texting Marisol Vega now.");
});

test("what waits for the end of the quiet hours says until when", () => {
  assert.equal(tells([message("sms", { sendAfter: "2030-07-05T13:00:00.000Z" })]), "Texting Marisol Vega on Fri, Jul 5, 7:00 AM MDT.");
});

test("two messages are told together when they go together", () => {
  const night = { sendAfter: "2030-07-05T13:00:00.000Z" };

  assert.equal(tells([message("sms"), message("email")]), "Texting and e-mailing Marisol Vega in 8 s.");
  assert.equal(
    tells([message("email"), message("sms", night)]),
    "E-mailing Marisol Vega in 8 s. Texting Marisol Vega on Fri, Jul 5, 7:00 AM MDT.",
  );
});

test("a message that is kept back says why, and one taken back is not told of", () => {
  const refused = message("sms", { status: "suppressed", error: "The customer does not want texts." });

  assert.equal(tells([refused]), "No text to Marisol Vega: the customer does not want texts.");
  assert.equal(tells([message("sms", { status: "cancelled" })]), "");
});

test("after an undo it says what had gone out already", () => {
  const [sent, mailed] = [message("sms", { status: "sending" }), message("email", { status: "delivered" })];

  assert.equal(goneOut([sent]), "The text had already gone out.");
  assert.equal(goneOut([sent, mailed]), "The text and the e-mail had already gone out.");
  assert.equal(goneOut([message("sms", { status: "cancelled" }), message("email", { status: "suppressed" })]), "");
});

test("only what is queued can be taken back, and the button says what it is", () => {
  assert.deepEqual([waits([message("sms")], MOVED, 7), waits([message("sms")], MOVED, 8)], [true, false]);
  assert.equal(waits([message("sms", { status: "sent" })], MOVED, 0), false);
  assert.equal(stopping([message("sms")]), "Don't text");
  assert.equal(stopping([message("email"), message("sms", { status: "suppressed" })]), "Don't e-mail");
  assert.equal(stopping([message("email"), message("sms")]), "Don't tell them");
});

test("only what a card has more of than before is news", () => {
  assert.deepEqual(fresh(card("a", 1), card("a", 2, "cancel")), ["cancel"]);
  assert.deepEqual(fresh(card("a", 1, "note"), card("a", 2, "note", "note")), ["note"]);
  assert.deepEqual(fresh(card("a", 1, "note", "cancel"), card("a", 2, "cancel", "note")), []);
  assert.deepEqual(fresh(undefined, card("a", 2, "rating")), ["rating"]);
});

test("a delta brings news, once; a snapshot and an old card bring none", () => {
  const cards = new Map([["a", card("a", 3, "note")], ["b", card("b", 4)]]);
  const jobs = [card("a", 5, "note"), card("b", 6, "cancel"), card("c", 7, "note")];

  assert.deepEqual(news({ type: "delta", jobs }, cards).map(([{ id }, kind]) => [id, kind]), [["b", "cancel"], ["c", "note"]]);
  assert.deepEqual(news({ type: "delta", jobs: [card("b", 4, "cancel")] }, cards), []);
  assert.deepEqual(news({ type: "snapshot", jobs }, cards), []);
});

test("marks stand in the order of the kinds, each once", () => {
  assert.deepEqual(waiting(card("a", 1, "note", "cancel", "note"), { reschedule: {}, cancel: {}, note: {} }), ["cancel", "note"]);
});

test("a card without a window says which day the customer wants", () => {
  assert.deepEqual([clock.window(null, "2030-07-06"), clock.window(null)], ["Wants Sat 6", "No time yet"]);
});

test("who wants no messages is said in words", () => {
  assert.equal(silence(["email", "sms"], { sms: "Text", email: "E-mail" }), "No e-mails. No texts");
});

test("history has what the customer asked for between the moves, latest first", () => {
  const job = {
    statusHistory: [
      { status: "scheduled", at: "2030-07-04T15:00:00Z", by: "Ana Ruiz", channel: "board" },
      { status: "cancelled", at: "2030-07-04T17:00:00Z", by: "Ana Ruiz", channel: "board", reason: "Keeps it" },
    ],
    asks: [{ kind: "cancel", at: "2030-07-04T16:00:00Z", text: "My brother takes it." }, { kind: "rating", at: "2030-07-05T16:00:00Z", stars: 4 }],
  };
  const asks = { cancel: { label: "Wants to cancel" }, rating: { label: "Rated the job" } };

  assert.deepEqual(
    events(job, { scheduled: { label: "Scheduled" }, cancelled: { label: "Cancelled" } }, asks, clock).map(({ text, said }) => [text, said]),
    [
      ["Customer rated the job · 4 of 5 stars · Fri, Jul 5, 10:00 AM MDT", ""],
      ["Cancelled · Thu, Jul 4, 11:00 AM MDT · Ana Ruiz (board)", "Keeps it"],
      ["Customer wants to cancel · Thu, Jul 4, 10:00 AM MDT", "My brother takes it."],
      ["Scheduled · Thu, Jul 4, 9:00 AM MDT · Ana Ruiz (board)", ""],
    ],
  );
});

test("what a crew asks of the office is not said of the customer", () => {
  const job = { statusHistory: [], asks: [{ kind: "no_access", at: "2030-07-04T16:00:00Z", text: "Locked gate", by: "Dee Ramos" }] };
  const asks = { no_access: { label: "Crew had no access", byCrew: true } };

  assert.deepEqual(
    events(job, {}, asks, clock).map(({ text, said }) => [text, said]),
    [["Crew had no access · Thu, Jul 4, 10:00 AM MDT · Dee Ramos", "Locked gate"]],
  );
});

test("fields that nobody touched follow the job; what is typed stays", () => {
  const before = { notes: "", crew: ["Dee"], price: "1" };

  assert.deepEqual(merged(before, { ...before, notes: "Sofa" }, { ...before, crew: ["Lee"] }), { follow: ["crew"], clash: false });
  assert.deepEqual(merged(before, { ...before, notes: "Sofa" }, { ...before, notes: "Piano", price: "2" }), { follow: ["price"], clash: true });
  assert.deepEqual(merged(before, { ...before, notes: "Sofa" }, { ...before, notes: "Sofa" }), { follow: [], clash: false });
});

test("what is saved is only what was changed, with the keys of a document", () => {
  const changes = different({ notes: "", "customer.name": "A", "customer.phone": "1" }, { notes: "x", "customer.name": "B", "customer.phone": "1" });

  assert.deepEqual(nested(changes), { notes: "x", customer: { name: "B" } });
});
