// Jobs of the day's events that the board did not come with: finished ones. Each is fetched when a lane wants it.

const AGAIN_MS = 15_000; // as often as the lanes look without a socket

export class Finished {
  /**
   * @param {{wanted: () => string[], get: (id: string) => Promise<object>, came: (jobs: object[]) => void}} page
   *   `wanted` are the ids that the board does not have
   */
  constructor(page) {
    this.page = page;
    this.asked = new Set(); // on their way, failed a moment ago, or gone: not to be asked for now
  }

  /** What failed is asked for again, until it comes or nobody wants it any more. */
  async look() {
    const ids = this.page.wanted().filter((id) => !this.asked.has(id));
    if (!ids.length) return;
    ids.forEach((id) => this.asked.add(id));
    const jobs = [];
    const failed = [];
    const tell = async (id) => {
      try {
        jobs.push(await this.page.get(id));
        this.asked.delete(id); // a snapshot may take it off the board again
      } catch ({ code }) {
        if (code !== "not_found") failed.push(id);
      }
    };
    await Promise.all(ids.map(tell));
    if (jobs.length) this.page.came(jobs);
    if (failed.length) setTimeout(() => this.again(failed), AGAIN_MS);
  }

  again(ids) {
    ids.forEach((id) => this.asked.delete(id));
    this.look();
  }
}
