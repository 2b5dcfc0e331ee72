// One tap, one step. The next step's button appears under the finger, so the second half of a double tap would find it.

export const PAUSE_MS = 1_000;

/** Whether a tap counts. Both are moments of a clock that never goes back, in milliseconds. @param {number} last  -Infinity: none yet */
export const counts = (now, last) => now - last >= PAUSE_MS;

export class Taps {
  /** @param {(isResting: boolean) => void} show  tells the buttons  @param {() => number} now */
  constructor(show, now = () => performance.now()) {
    Object.assign(this, { show, now, last: -Infinity, isBusy: false });
  }

  /** Nothing counts while a step is being kept, and just after the next one is shown. */
  get isResting() {
    return this.isBusy || !counts(this.now(), this.last);
  }

  /** Runs `work` unless it is too soon after the last one. */
  async once(work) {
    if (this.isResting) return;
    this.isBusy = true;
    this.show(true);
    try {
      await work();
    } finally {
      this.isBusy = false;
      this.last = this.now();
      setTimeout(() => this.isResting || this.show(false), PAUSE_MS + 20); // timers may be a little early
    }
  }
}
