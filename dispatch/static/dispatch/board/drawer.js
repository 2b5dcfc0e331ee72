// A job in full, beside the board: read, edit, history, tracking link; and the form for a new one.

import { get, patch, post } from "./api.js";
import { copyInWords } from "./copies.js";
import { announce, toast } from "./notices.js";

export class Drawer {
  /** @param {{track: string, mayEdit: boolean, slug: string, move: (id: string) => void}} board */
  constructor(store, view, statuses, clock, board) {
    Object.assign(this, { store, view, statuses, clock, board });
    this.dialog = document.getElementById("drawer");
    this.form = this.dialog.querySelector("form");
    this.job = null;
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.save();
    });
    this.dialog.addEventListener("cancel", (event) => this.mayClose() || event.preventDefault());
    this.dialog.addEventListener("close", () => this.closed());
    this.dialog.addEventListener("click", (event) => {
      const action = event.target.closest("[data-action]")?.dataset.action;
      if (event.target === this.dialog && this.mayClose()) this.dialog.close();
      if (action === "close" && this.mayClose()) this.dialog.close();
      if (action === "copy") this.copy();
      if (action === "again") this.open(this.job.id);
      if (action === "move-open") this.leaveToMove();
    });
    document.getElementById("columns").addEventListener("click", (event) => {
      const button = event.target.closest("[data-action=open]");
      if (button) this.open(button.closest(".card").dataset.id);
    });
  }

  async open(id) {
    try {
      this.show(await get(`/jobs/${encodeURIComponent(id)}`));
    } catch (problem) {
      toast(problem.message);
    }
  }

  openNew() {
    this.show(null);
    this.form.elements.location.focus();
  }

  show(job) {
    this.job = job;
    this.say("");
    this.wrong({});
    this.dialog.toggleAttribute("data-new", !job);
    this.slot("title", job ? job.location : "New job");
    if (job) this.facts(job);
    this.fill(job);
    this.before = this.read();
    if (!this.dialog.open) this.dialog.showModal();
    this.address(job?.id);
  }

  facts(job) {
    const status = this.statuses[job.status];
    this.dialog.querySelector(".drawer-status").dataset.color = status.color;
    this.slot("status", status.label);
    this.slot("changed", `Changed ${this.clock.now.format(new Date(job.updatedAt))} by ${job.updatedBy || "somebody"}`);
    const link = this.dialog.querySelector('[data-slot="link"]');
    link.href = link.textContent = this.board.track + job.token;
    this.slot("copy", copyInWords(job.mirror));
    const history = job.statusHistory.map((step) => {
      const item = document.createElement("li");
      const who = [step.by, step.channel && `(${step.channel})`].filter(Boolean).join(" ");
      item.textContent = `${this.statuses[step.status].label} · ${this.clock.now.format(new Date(step.at))}${who ? ` · ${who}` : ""}`;
      if (step.reason) item.append(document.createElement("br"), `“${step.reason}”`);
      return item;
    });
    this.dialog.querySelector('[data-slot="history"]').replaceChildren(...history.reverse());
  }

  fill(job) {
    const { elements } = this.form;
    const local = (iso) => (iso ? this.clock.local(new Date(iso)) : "");
    const values = {
      location: job?.location, service: job?.service || "junk_removal", price: job?.price, loadEighths: job?.loadEighths,
      start: local(job?.window?.start), end: local(job?.window?.end), crew: job?.crew.join(", "), name: job?.customer.name,
      phone: job?.customer.phone, email: job?.customer.email, accessNotes: job?.accessNotes, notes: job?.notes,
    };
    for (const [name, value] of Object.entries(values)) elements[name].value = value ?? "";
    for (const element of elements) element.disabled = !this.board.mayEdit && element.name !== "";
    this.dialog.querySelector("[data-action=save]").hidden = !this.board.mayEdit;
  }

  /** What the form says, with the keys of a job document. */
  read() {
    const value = (name) => this.form.elements[name].value.trim();
    const moment = (name) => this.clock.moment(value(name)).toISOString();
    const window = value("start") || value("end");
    return {
      location: value("location"),
      service: value("service"),
      price: value("price") || null,
      loadEighths: value("loadEighths") ? Number(value("loadEighths")) : null,
      window: window ? { start: value("start") && moment("start"), end: value("end") && moment("end") } : null,
      crew: value("crew").split(",").map((name) => name.trim()).filter(Boolean),
      customer: { name: value("name"), phone: value("phone"), email: value("email") },
      accessNotes: value("accessNotes"),
      notes: value("notes"),
    };
  }

  /** Only what the person changed, so that a colleague's other edits stay. */
  changes() {
    const now = this.read();
    return Object.fromEntries(Object.entries(now).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(this.before[name])));
  }

  async save() {
    if (this.form.elements.start.value && !this.form.elements.end.value) return this.wrong({ "window.end": ["When does the window end?"] });
    if (!this.form.elements.start.value && this.form.elements.end.value) return this.wrong({ "window.start": ["When does the window begin?"] });
    this.wrong({});
    try {
      const job = this.job
        ? await patch(`/jobs/${encodeURIComponent(this.job.id)}?seq=${this.job.seq}`, this.changes())
        : await post("/jobs", { ...this.read(), board: this.board.slug });
      this.store.applyCard(job);
      this.view.draw();
      this.before = this.read();
      this.dialog.close();
      announce(`${job.location} is saved.`);
      toast(`${job.location} is saved.`, { color: "green", icon: "check" });
    } catch (problem) {
      this.refused(problem);
    }
    return undefined;
  }

  refused(problem) {
    this.wrong(problem.errors);
    const beside = this.form.querySelector("[aria-invalid]");
    if (problem.code !== "stale") return this.say(beside ? "Not saved yet: look at the fields marked below." : problem.message);
    this.job.seq = problem.job.seq; // saving again means it
    this.store.applyCard(problem.job);
    this.view.draw();
    return this.say(`${problem.message} Your entries are kept: save again to add them to what is there now.`, true);
  }

  /** Puts what is wrong beside the fields it is about. */
  wrong(errors) {
    for (const hint of this.form.querySelectorAll("[data-error]")) {
      const found = errors[hint.dataset.error] || [];
      const field = hint.closest(".field").querySelector("input, select, textarea");
      hint.textContent = found.join(" ");
      if (found.length) field.setAttribute("aria-invalid", "true");
      else field.removeAttribute("aria-invalid");
    }
    this.form.querySelector("[aria-invalid]")?.focus();
  }

  say(text, again = false) {
    const line = this.dialog.querySelector('[data-slot="said"]');
    line.textContent = text;
    line.hidden = !text;
    this.dialog.querySelector("[data-action=again]").hidden = !again;
  }

  mayClose() {
    const changed = this.board.mayEdit && JSON.stringify(this.read()) !== JSON.stringify(this.before);
    return !changed || window.confirm("Your changes are not saved. Close all the same?");
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

  async copy() {
    const link = this.dialog.querySelector('[data-slot="link"]').href;
    try {
      await navigator.clipboard.writeText(link);
      toast("The tracking link is copied.", { color: "green", icon: "check" });
    } catch {
      window.prompt("Copy this link:", link);
    }
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
