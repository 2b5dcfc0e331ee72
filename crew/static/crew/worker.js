// Keeps the page on the phone, so that it opens without a network. The server puts `self.SHELL` in front of this:
// {"version", "page", "assets": [paths]}. Another version is another worker with a cache of its own, so a page never mixes
// two releases. Answers of the API are not kept here: they are one member's, and the page keeps them itself.

const { version, page, assets } = self.SHELL;
const CACHE = `crew-${version}`;
const kept = new Set(assets);

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(activate()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const path = new URL(request.url);
  if (request.method !== "GET" || path.origin !== location.origin) return;
  if (request.mode === "navigate" && path.pathname === page) event.respondWith(fromCache(page, request));
  else if (kept.has(path.pathname)) event.respondWith(fromCache(path.pathname, request));
});

async function install() {
  const cache = await caches.open(CACHE);
  await cache.addAll([page, ...assets].map((path) => new Request(path, { cache: "reload" })));
  // The page that is open has all of its modules already, so it may go on.
  await self.skipWaiting();
}

async function activate() {
  const old = (await caches.keys()).filter((name) => name.startsWith("crew-") && name !== CACHE);
  await Promise.all(old.map((name) => caches.delete(name)));
  await self.clients.claim();
}

async function fromCache(path, request) {
  const cache = await caches.open(CACHE);
  return (await cache.match(path, { ignoreVary: true })) || fetch(request);
}
