// What this phone keeps: the plan, so that it can be read without a network, and the queue of what is to be sent. Knows
// IndexedDB and nothing else; the page and the worker share it.

import { putOff, withJob } from "./shown.js";

const NAME = "crew";
const VERSION = 1;

export class Database {
  /** Opened when it is first needed, and again when the system has closed it, as phones do with pages in the background. */
  open() {
    this.opening ??= new Promise((resolve, reject) => {
      const request = indexedDB.open(NAME, VERSION);
      request.onupgradeneeded = () => {
        request.result.createObjectStore("kept");
        request.result.createObjectStore("queue", { keyPath: "id", autoIncrement: true });
      };
      request.onsuccess = () => resolve(this.opened(request.result));
      request.onerror = request.onblocked = () => reject(request.error || new Error("The database is in use"));
    }).catch((error) => {
      this.opening = null;
      throw error;
    });
    return this.opening;
  }

  opened(connection) {
    connection.onversionchange = () => connection.close();
    connection.onclose = () => (this.opening = null);
    return connection;
  }

  /**
   * Runs `work` in one transaction; what it returns may be a request, whose result this gives after the commit. Changes are
   * on the disk then, not only on their way there.
   */
  async within(mode, work) {
    let connection = await this.open();
    const begin = () => connection.transaction(["kept", "queue"], mode, { durability: "strict" });
    let transaction;
    try {
      transaction = begin();
    } catch {
      this.opening = null;
      connection = await this.open();
      transaction = begin();
    }
    return new Promise((resolve, reject) => {
      let request;
      transaction.oncomplete = () => resolve(request?.result);
      transaction.onabort = () => reject(transaction.error || new Error("Nothing was kept"));
      try {
        request = work({ kept: transaction.objectStore("kept"), queue: transaction.objectStore("queue") });
      } catch (error) {
        transaction.abort(); // what was begun would be kept
        reject(error);
      }
    });
  }

  /** @param {"plan" | "events"} name  @returns {Promise<{etag: string, body: object, at: number} | undefined>} */
  kept(name) {
    return this.within("readonly", ({ kept }) => kept.get(name));
  }

  keep(name, value) {
    return this.within("readwrite", ({ kept }) => kept.put(value, name));
  }

  /** Keeps events unless `isNews(plan, events)` says no to what is kept, in the same breath. */
  keepEvents(news, isNews) {
    return this.within("readwrite", ({ kept }) => {
      kept.get("plan").onsuccess = ({ target: plan }) => {
        kept.get("events").onsuccess = ({ target: events }) => {
          if (isNews(plan.result, events.result)) kept.put(news, "events");
        };
      };
    });
  }

  /** Takes everything off the phone but the queue, which is the work of whoever made it. */
  forget() {
    return this.within("readwrite", ({ kept }) => kept.clear());
  }

  /** Everybody's entries, in the order of the taps. */
  entries() {
    return this.within("readonly", ({ queue }) => queue.getAll());
  }

  /** All of them, in this order, or none. */
  add(entries) {
    return this.within("readwrite", ({ queue }) => entries.forEach((entry) => queue.add(entry)));
  }

  /** Only what is still there: it may have been sent by another tab in the meantime. */
  change(entry) {
    return this.within("readwrite", ({ queue }) => {
      queue.get(entry.id).onsuccess = ({ target }) => target.result && queue.put(entry);
    });
  }

  /** @param {number[]} ids */
  remove(ids) {
    return this.within("readwrite", ({ queue }) => ids.forEach((id) => queue.delete(id)));
  }

  /** What was sent goes, and what the server answered comes into the plan: both or neither, so that nothing jumps back. */
  settle(entry, answer) {
    return this.within("readwrite", ({ kept, queue }) => {
      queue.delete(entry.id);
      kept.get("plan").onsuccess = ({ target }) => {
        if (target.result) kept.put(answered(target.result, entry, answer), "plan");
      };
    });
  }
}

/** The plan is not what the server sent under its ETag any more. */
function answered(plan, entry, answer) {
  const { job, shift } = answer;
  const body = job ? withJob(plan.body, job) : plan.body;
  return { ...plan, etag: "", body: shift === undefined ? body : { ...body, shift }, putOff: putOff(plan, entry, answer) };
}
