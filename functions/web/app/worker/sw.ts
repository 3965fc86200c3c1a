/**
 * The service worker: the page opens without a network. The build fills in the names of its files. What the API answers is never
 * kept here; the timetable itself is in localStorage.
 */
declare const self: ServiceWorkerGlobalScope;

/** The page's files, and a name that changes with them. */
const files: string[] = __FILES__;
const cacheName = __VERSION__;

declare const __FILES__: string[];
declare const __VERSION__: string;

self.addEventListener("install", (e) => {
  e.waitUntil(
    caches
      .open(cacheName)
      .then((cache) => cache.addAll(["/", ...files]))
      .then(() => self.skipWaiting()),
  );
});

self.addEventListener("activate", (e) => {
  e.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter((name) => name !== cacheName).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

self.addEventListener("fetch", (e) => {
  const { request } = e;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin) return;
  if (pathname === "/") e.respondWith(newestFirst(request));
  else if (files.includes(pathname)) e.respondWith(keptFirst(request));
});

/** The page itself: the newest there is, else the one that is kept, which is better than a page that says why there is none. */
async function newestFirst(request: Request): Promise<Response> {
  try {
    const answer = await fetch(request);
    return answer.status < 500 ? answer : ((await caches.match("/")) ?? answer);
  } catch (e) {
    const kept = await caches.match("/");
    if (kept) return kept;
    throw e;
  }
}

/** What has a hash in its name never changes. */
async function keptFirst(request: Request): Promise<Response> {
  return (await caches.match(request)) ?? fetch(request);
}

export {}; // a module, so that its self is its own
