// What can be done on the screens. Most of it goes into the queue; what makes sense only at once goes to the server.

import { toTop } from "./card.js";
import * as entries from "./entries.js";
import { releaseQuestion, withEvent } from "./events.js";
import { MOST, ask, choiceField, photoField, textField } from "./dialogs.js";
import { keepStorage } from "./install.js";
import { notice } from "./notices.js";
import { Unusable, shrunk } from "./photos.js";
import { focusOf } from "./shown.js";
import { Taps } from "./taps.js";
import { choose } from "./today.js";
import { waitingText } from "./bar.js";
import { othersWait, withFollowing } from "./waiting.js";
import { languages, say, words } from "./words.js";

export class Acts {
  /** @param {import("./phone.js").Phone} phone  @param {(busy: string | null) => void} draw */
  constructor(phone, draw) {
    this.phone = phone;
    this.draw = draw;
    this.busy = null; // the event that is being claimed or given back
    this.taps = new Taps(showResting);
  }

  get me() {
    return this.phone.member.id;
  }

  async queue(...made) {
    try {
      await this.phone.add(...made);
    } catch {
      notice(words.told.noRoom);
      return;
    }
    if (this.phone.line === "offline") notice(words.told.kept, "yellow", { isOffline: true });
    keepStorage();
  }

  choose(id) {
    choose(id);
    this.draw();
    const card = document.querySelector(".job");
    toTop();
    card?.querySelector("[data-key=next]")?.focus({ preventScroll: true });
  }

  move(job) {
    return this.taps.once(() => {
      choose(job.next.to === "completed" ? null : job.id); // done: the next one comes into focus by itself
      return this.queue(entries.move(this.me, job, job.next.to));
    });
  }

  async note(job) {
    const check = (form) => (form.get("text").trim() ? "" : words.ask.empty);
    const fields = [textField("text", words.ask.noteText)];
    const form = await ask({ title: words.ask.note, text: job.location, fields, go: words.ask.send, check });
    if (form) await this.queue(entries.note(this.me, job, form.get("text").trim()));
  }

  async noAccess(job) {
    const fields = [
      choiceField("why", words.ask.why, words.reasons), textField("more", words.ask.more, MOST - LONGEST_REASON),
      photoField("photo", words.ask.photo, words.ask.photoTaken),
    ];
    const check = (form) => (form.get("why") ? "" : words.ask.pick);
    const question = { title: words.ask.noAccess, text: job.location, fields, go: words.ask.report, isDanger: true, check };
    const form = await ask(question);
    if (!form) return;
    const reason = [languages.en.reasons[form.get("why")], form.get("more").trim()].filter(Boolean).join(": "); // for the office
    const [picture] = [form.get("photo")].filter((file) => file?.size);
    const { made, problem } = await this.pictures(job, "access", picture ? [picture] : []);
    choose(following(job, this.phone)); // it will wait for another try, but not just now
    await this.queue(entries.noAccess(this.me, job, reason), ...made);
    if (problem) notice(problem);
  }

  async photos(job, kind, input) {
    const { made, problem } = await this.pictures(job, kind, input.files);
    input.value = "";
    if (made.length) await this.queue(...made);
    if (problem) notice(problem);
  }

  /** Entries of the files that can be sent, and what is the matter with the others. */
  async pictures(job, kind, files) {
    const made = [];
    let problem = "";
    for (const file of files) {
      try {
        made.push(entries.photo(this.me, job, kind, await shrunk(file)));
      } catch (error) {
        if (!(error instanceof Unusable)) throw error;
        problem = error.message;
      }
    }
    return { made, problem };
  }

  clock(isIn) {
    return this.taps.once(() => this.queue(entries.clock(this.me, isIn)));
  }

  claim(event) {
    return this.atOnce(event, async (api) => {
      const { event: now, detail } = await api.command("POST", `${path(event)}/claim`);
      return { now, text: detail || words.events.claimed };
    });
  }

  async release(event) {
    if (this.busy) return;
    const check = (form) => (event.you.mayRelease || form.get("reason").trim() ? "" : words.ask.empty);
    const fields = event.you.mayRelease ? [] : [textField("reason", words.reasons.other)];
    const form = await ask({ ...releaseQuestion(event), fields, check });
    if (!form) return;
    const reason = new URLSearchParams({ reason: form.get("reason") ?? "" });
    await this.atOnce(event, async (api) => {
      const { event: now, asked } = await api.command("DELETE", `${path(event)}/claim?${reason}`);
      return { now, text: asked ? words.events.releaseSent : words.events.released };
    });
  }

  /** The answer is shown at once, for the same reason: others see it as soon as this phone. */
  async atOnce(event, command) {
    if (this.busy) return; // its buttons stay in the order of the keyboard, so they can still be pressed
    const wasSomewhere = document.activeElement !== document.body;
    this.busy = event.id;
    this.draw();
    try {
      const { now, text } = await command(this.phone.api);
      await this.take(now);
      notice(text, "green");
    } catch (problem) {
      await this.take(problem.answer?.event);
      notice(told(problem), "red", { isOffline: problem.code === "unreachable" });
    } finally {
      this.busy = null;
      this.draw();
    }
    const isLost = wasSomewhere && document.activeElement === document.body; // the button is gone
    if (isLost) document.querySelector(`#event-${CSS.escape(event.id)} h3`)?.focus({ preventScroll: true });
    this.phone.look();
  }

  async take(event) {
    const { phone } = this;
    if (event && phone.events) await phone.hearEvents({ body: withEvent(phone.events.body, event) });
  }

  keep(entry) {
    return this.phone.replace(entries.again(entry));
  }

  discard(entry) {
    return this.phone.discard(withFollowing(entry, this.phone.entries));
  }

  sendNow() {
    return this.phone.look({ impatient: true });
  }

  async signOut() {
    const waiting = this.phone.entries.length;
    const { endsAccount } = this.phone.plan.body;
    const waits = waiting && say(words.ask.signOutWaiting, { waiting: waitingText(waiting) });
    const text = [words.ask.signOutText, endsAccount && words.ask.signOutOffice, waits, ...othersWait(this.phone)];
    const form = await ask({ title: words.ask.signOut, text: text.filter(Boolean).join(" "), go: words.ask.signOutGo, isDanger: true });
    if (!form) return;
    const headers = await this.phone.api.headers();
    const answer = await fetch("/crew/sign-out/", { method: "POST", headers, redirect: "manual" }).catch(() => null);
    if (!answer || answer.status >= 400) {
      notice(words.told.unreachable, "red", { isOffline: true });
      return;
    }
    await this.phone.forget();
    location.assign("/crew/sign-in/");
  }
}

/** The job that is to be done after this one, if there is one. */
function following(job, { shown, flow }) {
  const jobs = shown.events.flatMap((event) => event.jobs);
  return focusOf(jobs.slice(jobs.findIndex(({ id }) => id === job.id) + 1), flow)?.id ?? null;
}

/** Buttons that make a step say that they do not just now. */
function showResting(isResting) {
  for (const button of document.querySelectorAll("[data-once]")) {
    if (isResting) button.setAttribute("aria-disabled", "true");
    else button.removeAttribute("aria-disabled");
  }
}

/** The chosen reason stands in front of what is typed, in one text. */
const LONGEST_REASON = Math.max(...Object.values(languages.en.reasons).map((reason) => `${reason}: `.length));

const path = (event) => `/events/${encodeURIComponent(event.id)}`;

function told({ code, message, status }) {
  if (code === "unreachable") return words.told.unreachable;
  return message || say(words.told.error, { status });
}
