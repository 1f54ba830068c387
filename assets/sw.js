// Keeps one whole version of the site for reading offline. Pages come from the network first, so that a
// reader who is online always sees the newest; what a page then asks for comes from that page's own version.
"use strict";

const VERSION = "press:version";
// Each file of this version with the beginning of its SHA-256; pages have none, since hosts may add to them.
const FILES = JSON.parse("press:files");

const scope = new URL("./", self.location.href);
const family = `loadlab ${scope.pathname} `;
const name = family + VERSION;
// A slow network may take so long, in milliseconds, before a page that is kept stands in.
const patience = 4000;
const parallel = 6;

const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");
const address = (path) => new URL(path.replace(/(^|\/)index\.html$/, "$1"), scope).href;

// Fetches one file and makes sure that it is of this version: a host may be in the middle of an update.
const keep = async (cache, path, digest) => {
  const response = await fetch(address(path), { cache: "no-cache", credentials: "same-origin" });
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  const body = await response.arrayBuffer();
  const same = digest
    ? hex(await crypto.subtle.digest("SHA-256", body)).startsWith(digest)
    : new TextDecoder().decode(body).includes(`data-version="${VERSION}"`);
  if (!same) throw new Error(`${path} is not of version ${VERSION}`);
  // The body is unpacked by now, and a kept answer must not look redirected.
  const headers = new Headers(response.headers);
  for (const header of ["content-encoding", "content-length", "transfer-encoding"]) headers.delete(header);
  await cache.put(address(path), new Response(body, { headers }));
};

const keepAll = async () => {
  const cache = await caches.open(name);
  const left = Object.entries(FILES);
  const next = async () => {
    for (let file = left.pop(); file; file = left.pop()) await keep(cache, ...file);
  };
  try {
    await Promise.all(Array.from({ length: parallel }, next));
  } catch (error) {
    // Half a version is none.
    left.length = 0;
    await caches.delete(name);
    throw error;
  }
  if (!self.registration.active) return;
  for (const client of await self.clients.matchAll({ type: "window", includeUncontrolled: true })) {
    client.postMessage({ ns: "loadlab", type: "update", version: VERSION });
  }
};

const dropOthers = async () => {
  const old = (await caches.keys()).filter((other) => other.startsWith(family) && other !== name);
  await Promise.all(old.map((other) => caches.delete(other)));
};

const kept = async (path) => (await caches.open(name)).match(address(path));

const page = async (request, path) => {
  const spare = await kept(path);
  const late = new Promise((resolve) => setTimeout(resolve, patience));
  const fresh = fetch(request).catch(() => undefined);
  const response = await (spare ? Promise.race([fresh, late]) : fresh);
  return response && (response.status < 500 || !spare) ? response : (spare ?? Response.error());
};

const networkFirst = async (request, path) => {
  const response = await fetch(request).catch(() => undefined);
  return response ?? (await kept(path)) ?? Response.error();
};

// Names that Trunk made from the content belong to one version alone.
const hashed = /-[0-9a-f]{16}(_[a-z0-9-]+(\.rest)?)?\.\w+$/;

self.addEventListener("install", (event) => event.waitUntil(keepAll()));
// Another version waits until no page of the old one is left, so that none is served parts of both.
self.addEventListener("activate", (event) => event.waitUntil(dropOthers()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== scope.origin || !url.pathname.startsWith(scope.pathname)) return;
  const path = decodeURIComponent(url.pathname.slice(scope.pathname.length));
  if (request.mode === "navigate") {
    event.respondWith(page(request, path));
    return;
  }
  if (!Object.hasOwn(FILES, path)) return;
  const asked = url.searchParams.get("v");
  if (asked ? asked === VERSION : hashed.test(path)) {
    event.respondWith(kept(path).then((response) => response ?? fetch(request)));
  } else if (!asked) {
    event.respondWith(networkFirst(request, path));
  }
});
