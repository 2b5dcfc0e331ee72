// What is to be done once: a form that is being saved, and a request that creates something.

/** The work of a form: one piece at a time. Each opening has a `key`, by which what was begun in an earlier one is told apart. */
export class Work {
  /** @param {Iterable<HTMLElement>} buttons  they begin it. Those with `data-busy` say that meanwhile */
  constructor(buttons) {
    this.buttons = [...buttons];
    this.open();
  }

  open() {
    this.key = newKey();
    this.mark(false);
  }

  get isBusy() {
    return this.under === this.key;
  }

  /** @param {() => Promise<void>} what  not begun while another one of this opening is under way */
  async begin(what) {
    if (this.isBusy) return;
    const { key } = this;
    this.under = key;
    this.mark(true);
    try {
      await what();
    } finally {
      if (this.under === key) this.under = null;
      if (this.key === key) this.mark(false);
    }
  }

  /** They keep the focus, so that a refusal finds the person where they were. */
  mark(isBusy) {
    for (const button of this.buttons) {
      if (isBusy) button.setAttribute("aria-disabled", "true");
      else button.removeAttribute("aria-disabled");
      if (!button.dataset.busy) continue;
      button.dataset.ready ??= button.textContent;
      button.textContent = isBusy ? button.dataset.busy : button.dataset.ready;
    }
  }
}

/** Not randomUUID, which is only there over HTTPS. */
const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** Whether a click is the second of two quick ones: the page may have answered the first, and be another one by now. */
export const isSecond = (click) => click.detail > 1;

/** Gives requests their Idempotency-Key. Of the same matter it stays the same until the server has answered. */
export class Once {
  /** @param {string} matter  @param {(key: string) => Promise<object>} send */
  async ask(matter, send) {
    if (matter !== this.matter) Object.assign(this, { matter, key: newKey() });
    try {
      const answer = await send(this.key);
      this.matter = null;
      return answer;
    } catch (problem) {
      if (problem.code !== "unreachable") this.matter = null; // else it may have been done
      throw problem;
    }
  }
}
