/** Keeps the page itself, so that it opens without a network too: what is written then goes out when there is one.
 * Nothing that anybody wrote or read is kept here. The server fills in the version and the files. */

const CACHE = "tusoi-{version}";
const FILES = {files};
const PAGE = "/chat"; // the page at any of its addresses

self.addEventListener("install", (event) => event.waitUntil(keep()));
self.addEventListener("activate", (event) => event.waitUntil(dropOlder()));
self.addEventListener("fetch", (event) => {
  const { pathname, origin } = new URL(event.request.url);
  const file = pathname === "/" ? PAGE : pathname;
  if (event.request.method !== "GET" || origin !== location.origin || !FILES.includes(file)) return;
  event.respondWith(load(event.request, file));
});

// All or nothing: files of two versions never meet.
async function keep() {
  const cache = await caches.open(CACHE);
  await cache.addAll(FILES);
  await self.skipWaiting();
}

async function dropOlder() {
  for (const name of await caches.keys()) if (name !== CACHE) await caches.delete(name);
}

/** From the server if it answers; it may be starting anew behind a proxy that says so. */
async function load(request, file) {
  try {
    const response = await fetch(request);
    if (response.status < 500) return response;
    return (await caches.match(file)) ?? response;
  } catch (error) {
    const kept = await caches.match(file);
    if (kept) return kept;
    throw error;
  }
}
