// Puts the page on the phone: the worker that keeps it, and the promise of the browser not to throw away what waits.

const CHECK_EVERY_MS = 3_600_000;
let checked = 0; // when the browser last asked for a new release

export async function install() {
  const { serviceWorker } = navigator;
  if (!serviceWorker) return;
  let isFirst = !serviceWorker.controller; // that takes over a page without a worker, and is no new release
  serviceWorker.addEventListener("controllerchange", () => {
    if (!isFirst) reloadWhenUnseen();
    isFirst = false;
  });
  const options = { scope: "/crew/", updateViaCache: "none" };
  checked = Date.now();
  const registration = await serviceWorker
    .register("/crew/worker.js", { ...options, type: "module" })
    .catch(() => serviceWorker.register("/crew/worker.js?plain", options)) // no module workers here
    .catch(() => null); // a private window may refuse: the page works, but not without a network
  if (registration) followReleases(registration);
}

/** Browsers ask for a new release when a page is opened. One that stays open for days asks by itself. */
function followReleases(registration) {
  const check = () => {
    checked = Date.now();
    registration.update().catch(() => {}); // no network: the next time
  };
  addEventListener("online", check);
  document.addEventListener("visibilitychange", () => {
    const passed = Math.abs(Date.now() - checked); // a clock may be set back, but it goes on while the phone sleeps
    if (!document.hidden && passed >= CHECK_EVERY_MS) check();
  });
}

/** Asked once there is something to lose. */
export async function keepStorage() {
  await navigator.storage?.persist?.();
}

/** A new release is there. Nobody shall lose what they are writing. */
function reloadWhenUnseen() {
  const reload = () => document.hidden && !document.querySelector("dialog[open]") && location.reload();
  document.addEventListener("visibilitychange", reload);
  reload();
}
