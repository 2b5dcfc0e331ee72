// Work that goes on once at a time, in rounds: whoever asks for it meanwhile gets one more round.

export class Rounds {
  /** @param {(impatient: boolean) => Promise<void>} round  impatient: somebody who asked for it was */
  constructor(round) {
    Object.assign(this, { round, going: null, isWanted: false, isImpatient: false });
  }

  /** @returns {Promise<void>}  until there is nothing more to do */
  ask({ impatient = false } = {}) {
    this.isImpatient ||= impatient;
    if (this.going) this.isWanted = true;
    else this.going = this.run();
    return this.going;
  }

  async run() {
    try {
      do {
        const { isImpatient } = this;
        this.isWanted = this.isImpatient = false;
        await this.round(isImpatient);
      } while (this.isWanted);
    } finally {
      this.going = null; // in the same breath as the question above, so that no call falls between
    }
  }
}
