// Puts the page on the phone: the worker that keeps it, and the promise of the browser not to throw away what waits.

export async function install() {
  const { serviceWorker } = navigator;
  if (!serviceWorker) return;
  const isUpdate = Boolean(serviceWorker.controller);
  serviceWorker.addEventListener("controllerchange", () => isUpdate && reloadWhenUnseen());
  const options = { scope: "/crew/", updateViaCache: "none" };
  await serviceWorker
    .register("/crew/worker.js", { ...options, type: "module" })
    .catch(() => serviceWorker.register("/crew/worker.js?plain", options)) // no module workers here
    .catch(() => {}); // a private window may refuse: the page works, but not without a network
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
