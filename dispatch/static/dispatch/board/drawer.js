// A job in full, beside the board: read, edit, what the customer asked for and was told, photos; and the form for a new one.

import { get, patch, post } from "./api.js";
import { copyInWords } from "./copies.js";
import { DrawerAsks } from "./drawer_asks.js";
import { DrawerCrew } from "./drawer_crew.js";
import { DrawerLink } from "./drawer_link.js";
import { DrawerMessages } from "./drawer_messages.js";
import { DrawerPhotos } from "./drawer_photos.js";
import { showHistory } from "./history.js";
import { JobForm, nested } from "./job_form.js";
import { announce, toast } from "./notices.js";
import { Work } from "./once.js";
import { telling } from "./telling.js";
import { silence } from "./words.js";

const SAVED_BEFORE = "This job was saved as you had it first. Close this, and change it on the board.";
const LOOK_MS = 5_000; // as long as a message waits: that it went out is no change of the job

export class Drawer {
  /** @param {{track: string, mayEdit: boolean, slug: string, kinds: object, move: (id: string) => void,
   *   crews: import("./crews.js").Crews}} board */
  constructor(store, view, statuses, clock, board) {
    Object.assign(this, { store, view, statuses, clock, board });
    this.dialog = document.getElementById("drawer");
    this.form = new JobForm(this.dialog.querySelector("form"), clock, board.mayEdit);
    this.asks = new DrawerAsks(this);
    this.crew = new DrawerCrew(this, board.crews);
    this.messages = new DrawerMessages(this);
    this.photos = new DrawerPhotos(this);
    this.link = new DrawerLink(this);
    this.job = null; // as it is
    this.seq = 0; // the change number that the form knows: saving names it
    this.work = new Work(this.dialog.querySelectorAll("[data-action=save]"));
    this.form.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.work.begin(() => this.save());
    });
    this.dialog.addEventListener("cancel", (event) => event.target !== this.dialog || this.mayClose() || event.preventDefault());
    this.dialog.addEventListener("close", () => this.closed());
    this.dialog.addEventListener("click", (event) => this.clicked(event));
    document.getElementById("columns").addEventListener("click", (event) => {
      const button = event.target.closest("[data-action=open]");
      if (button) this.open(button.closest(".card").dataset.id);
    });
    setInterval(() => this.job && !document.hidden && this.messages.wait && this.look(), LOOK_MS);
  }

  clicked(event) {
    const action = event.target.closest("[data-action]")?.dataset.action;
    if (event.target === this.dialog && this.mayClose()) this.dialog.close();
    if (action === "close" && this.mayClose()) this.dialog.close();
    if (action === "again") this.load(this.job.id);
    if (action === "move-open") this.leaveToMove();
  }

  async open(id) {
    if (!this.dialog.open || this.mayClose()) await this.load(id);
  }

  async load(id) {
    try {
      this.show(await get(`/jobs/${encodeURIComponent(id)}`));
    } catch (problem) {
      toast(problem.message);
    }
  }

  openNew() {
    this.show(null);
    this.form.form.elements.location.focus();
  }

  show(job) {
    this.job = job;
    this.seq = job?.seq;
    this.work.open();
    this.say("");
    this.form.wrong({});
    this.dialog.toggleAttribute("data-new", !job);
    this.slot("title", job ? job.location : "New job");
    if (job) this.facts(job);
    this.form.fill(job);
    this.dialog.querySelector("[data-action=save]").hidden = !this.board.mayEdit;
    if (!this.dialog.open) this.dialog.showModal();
    this.address(job?.id);
  }

  /** After news: reads the open job again if it changed. */
  follow() {
    const card = this.job && this.store.cards.get(this.job.id);
    if (card && card.seq > this.job.seq) this.look();
  }

  /** Reads the open job again. What is being typed stays. */
  async look() {
    const { id } = this.job;
    const job = await get(`/jobs/${encodeURIComponent(id)}`).catch(() => null); // the board says itself that it is offline
    if (!job || this.job?.id !== id || job.seq < this.job.seq) return;
    this.job = job;
    this.facts(job);
    if (this.form.follow(job)) this.seq = job.seq;
    this.store.applyCard(job);
    this.view.draw();
  }

  facts(job) {
    const status = this.statuses[job.status];
    this.dialog.querySelector(".drawer-status").dataset.color = status.color;
    this.slot("status", status.label);
    this.slot("changed", `Changed ${this.clock.now.format(new Date(job.updatedAt))} by ${job.updatedBy || "somebody"}`);
    this.slot("copy", copyInWords(job.mirror));
    const silent = silence(job.optedOut, this.board.kinds.channels);
    this.slot("silent", silent && `${silent}: ${job.customer.name || "this customer"} said so, or they do not arrive.`);
    this.dialog.querySelector(".opted-out").hidden = !silent;
    for (const section of [this.crew, this.asks, this.messages, this.photos, this.link]) section.show(job);
    showHistory(this.dialog.querySelector('[data-slot="history"]'), job, this.statuses, this.board.kinds.asks, this.clock);
  }

  /**
   * A command about the open job. Says what came of it, or why not, and shows the job as it is then.
   * @param {(path: string) => Promise<object>} command  given `/jobs/<id>`
   * @param {(answer: object) => string} said  what came of it
   */
  async command(command, said) {
    try {
      const text = said(await command(`/jobs/${encodeURIComponent(this.job.id)}`));
      announce(text);
      toast(text, { color: "green", icon: "check" });
    } catch (problem) {
      toast(problem.message);
    }
    if (this.job) await this.look();
  }

  async save() {
    const { key } = this.work; // a new job is one job, however often it is saved
    const half = this.form.half();
    this.form.wrong(half || {});
    if (half) return;
    announce("Saving…");
    try {
      this.saved(await this.send(key), key);
    } catch (problem) {
      this.refused(problem, key);
    }
  }

  send(key) {
    if (this.job) return patch(`/jobs/${encodeURIComponent(this.job.id)}?seq=${this.seq}`, nested(this.form.changes()));
    return post("/jobs", { ...nested(this.form.read()), board: this.board.slug, notify: this.form.form.elements.confirm.checked }, key);
  }

  /** Whether it is open as it was then: meanwhile it may have been closed, or opened for another job. */
  isStill(key) {
    return this.dialog.open && this.work.key === key;
  }

  saved(job, key) {
    this.store.applyCard(job);
    this.view.draw();
    if (this.isStill(key)) this.dialog.close();
    const told = telling(job.messages || [], job.updatedAt, 0, this.clock);
    announce(`${job.location} is saved. ${told}`.trim());
    toast(`${job.location} is saved.`, { color: "green", icon: "check", more: told });
  }

  refused(problem, key) {
    if (problem.job) {
      this.store.applyCard(problem.job);
      this.view.draw();
    }
    if (!this.isStill(key)) {
      toast(`Not saved: ${problem.message}`);
      return;
    }
    const beside = this.form.wrong(problem.errors);
    if (problem.code === "stale") {
      this.seq = problem.job.seq; // saving again means it
      this.say(`${problem.message} Your entries are kept: save again to add them to what is there now.`, true);
    } else if (problem.code === "key_reused") {
      this.say(SAVED_BEFORE); // its answer was lost, and more was typed since
    } else {
      this.say(beside ? "Not saved yet: look at the fields marked below." : problem.message);
    }
  }

  say(text, again = false) {
    const line = this.dialog.querySelector('[data-slot="said"]');
    line.textContent = text;
    line.hidden = !text;
    this.dialog.querySelector("[data-action=again]").hidden = !again;
  }

  mayClose() {
    const how = this.work.isBusy ? "are still being saved" : "are not saved";
    return !this.form.changed || window.confirm(`Your changes ${how}. Close all the same?`);
  }

  closed() {
    const { job } = this;
    this.job = null;
    this.address(null);
    if (job) this.view.elements.get(job.id)?.querySelector("[data-action=open]").focus();
  }

  leaveToMove() {
    const { id } = this.job;
    if (!this.mayClose()) return;
    this.dialog.close();
    this.board.move(id);
  }

  /** The open job stands in the address, so that it can be bookmarked and sent. */
  address(id) {
    const address = new URL(location.href);
    if (id) address.searchParams.set("job", id);
    else address.searchParams.delete("job");
    history.replaceState(null, "", address);
  }

  slot(name, text) {
    this.dialog.querySelector(`[data-slot="${name}"]`).textContent = text;
  }
}
