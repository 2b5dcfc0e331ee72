// The fields of a job. What a person types stays, whatever comes in: only fields that nobody touched follow the job.

/** Keys of the form that are parts of another: `customer.name` is the name in `customer`. */
const PARTS = ["name", "phone", "email", "language", "notify"];

/** @typedef {Record<string, unknown>} Facts  flat: {"location": …, "customer.name": …} */

/** What of `now` differs from `before`. @param {Facts} before  @param {Facts} now  @returns {Facts} */
export function different(before, now) {
  return Object.fromEntries(Object.entries(now).filter(([name, value]) => !same(value, before[name])));
}

/**
 * Which fields follow news of a job, and whether all can: not one that was changed here and there in different ways.
 * @param {Facts} before  as the form began  @param {Facts} now  as it is  @param {Facts} fresh  as the job is
 */
export function merged(before, now, fresh) {
  const moved = Object.keys(different(before, fresh)).filter((name) => !same(now[name], fresh[name]));
  const follow = moved.filter((name) => same(now[name], before[name]));
  return { follow, clash: follow.length < moved.length };
}

/** With the keys of a job document. @param {Facts} facts */
export function nested(facts) {
  const document = {};
  for (const [name, value] of Object.entries(facts)) {
    const [whole, part] = name.split(".");
    if (part) document[whole] = { ...document[whole], [part]: value };
    else document[whole] = value;
  }
  return document;
}

const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

export class JobForm {
  constructor(form, clock, mayEdit) {
    Object.assign(this, { form, clock, mayEdit });
    this.before = {};
    form.addEventListener("input", ({ target }) => this.offerConfirmation(target));
  }

  get changed() {
    return this.mayEdit && Object.keys(this.changes()).length > 0;
  }

  /** Only what the person changed, so that a colleague's other edits stay. */
  changes() {
    return different(this.before, this.read());
  }

  /** A new start: the fields of a job, or of one to come. */
  fill(job) {
    for (const [name, value] of Object.entries(this.written(job))) this.write(name, value);
    for (const element of this.form.elements) element.disabled = !this.mayEdit && element.name !== "";
    this.declined = false;
    this.offerConfirmation(null);
    this.before = this.read();
  }

  /** Takes over what changed elsewhere. False: something was changed here, too, and only a person can say which counts. */
  follow(job) {
    const [fresh, written] = [this.facts(job), this.written(job)];
    const { follow, clash } = merged(this.before, this.read(), fresh);
    for (const name of follow) for (const field of FIELDS[name] || [name.split(".").at(-1)]) this.write(field, written[field]);
    for (const name of follow) this.before[name] = fresh[name];
    return !clash;
  }

  /** What the fields say for a job. @returns {Record<string, string | number | boolean | undefined>} field → value */
  written(job) {
    const local = (iso) => (iso ? this.clock.local(new Date(iso)) : "");
    const customer = job?.customer || { language: "en", notify: true };
    return {
      location: job?.location, service: job?.service || "junk_removal", price: job?.price, loadEighths: job?.loadEighths,
      start: local(job?.window?.start), end: local(job?.window?.end), crew: job?.crew.join(", "),
      preferredDay: job?.preferredDay, accessNotes: job?.accessNotes, notes: job?.notes,
      ...Object.fromEntries(PARTS.map((part) => [part, customer[part]])),
    };
  }

  write(name, value) {
    const field = this.form.elements[name];
    if (field.type === "checkbox") field.checked = Boolean(value);
    else field.value = value ?? "";
  }

  /** What the form would say for a job. */
  facts(job) {
    const written = this.written(job);
    return this.said((name) => (typeof written[name] === "boolean" ? written[name] : `${written[name] ?? ""}`.trim()));
  }

  /** What the form says. @returns {Facts} */
  read() {
    const { elements } = this.form;
    return this.said((name) => (elements[name].type === "checkbox" ? elements[name].checked : elements[name].value.trim()));
  }

  said(value) {
    const moment = (name) => value(name) && this.clock.moment(value(name)).toISOString();
    return {
      location: value("location"),
      service: value("service"),
      price: value("price") || null,
      loadEighths: value("loadEighths") ? Number(value("loadEighths")) : null,
      window: value("start") || value("end") ? { start: moment("start"), end: moment("end") } : null,
      preferredDay: value("preferredDay") || null,
      crew: value("crew").split(",").map((name) => name.trim()).filter(Boolean),
      ...Object.fromEntries(PARTS.map((part) => [`customer.${part}`, value(part)])),
      accessNotes: value("accessNotes"),
      notes: value("notes"),
    };
  }

  /** What is wrong before anybody is asked: half a window. */
  half() {
    const { start, end } = this.form.elements;
    if (start.value && !end.value) return { "window.end": ["When does the window end?"] };
    if (!start.value && end.value) return { "window.start": ["When does the window begin?"] };
    return null;
  }

  /** A new job's confirmation is sent as soon as there is an address, unless somebody said no. */
  offerConfirmation(target) {
    const { confirm, notify, phone, email } = this.form.elements;
    if (target === confirm) this.declined = !confirm.checked;
    confirm.disabled = !notify.checked || (!phone.value.trim() && !email.value.trim());
    confirm.checked = !confirm.disabled && !this.declined;
  }

  /** Puts what is wrong beside the fields it is about. Returns whether there is such a field. */
  wrong(errors) {
    for (const hint of this.form.querySelectorAll("[data-error]")) {
      const found = errors[hint.dataset.error] || [];
      const field = hint.closest(".field").querySelector("input, select, textarea");
      hint.textContent = found.join(" ");
      if (found.length) field.setAttribute("aria-invalid", "true");
      else field.removeAttribute("aria-invalid");
    }
    const first = this.form.querySelector("[aria-invalid]");
    first?.focus();
    return Boolean(first);
  }
}

const FIELDS = { window: ["start", "end"] };
