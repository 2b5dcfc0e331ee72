// The part of the worker that sends what waits when the browser says that there is a network, though no page is open.
// Browsers without module workers or without Background Sync do not have it: there the page sends when it is opened.

import { Api } from "./api.js";
import { Database } from "./database.js";
import { sendPhotos, sync } from "./sync.js";

self.addEventListener("sync", (event) => event.tag === "crew-queue" && event.waitUntil(send()));

/** Failing tells the browser to try again later. */
async function send() {
  const others = new BroadcastChannel("crew");
  const changed = () => others.postMessage("changed");
  const [database, api, options] = [new Database(), new Api(self.SHELL.csrf), { impatient: true, changed }];
  const steps = await sync(database, api, options);
  const photos = steps.outcome === "sent" ? await sendPhotos(database, api, options) : steps;
  const isLeft = [steps, photos].some(({ outcome, wait }) => outcome === "offline" || wait !== null);
  if (isLeft) throw new Error("Not everything could be sent");
}
