// make starts: which functions of the program the start of a page runs, so that press can hold back the others.
//
// V8 compiles a function when it is first called and, asked to, says which. Every lesson is opened as a page, and in a
// small window where it plays at once; the catalogue too, and pages with wishes of every kind in their addresses. Each
// page has a browser of its own.
import { chromium as browserType } from "@playwright/test";
import { chromium } from "./chromium.mjs";
import { lessons } from "./fuzz.mjs";
import { ready } from "./kit.mjs";
import { startServer } from "./server.mjs";

const SIDE_BY_SIDE = 5;
const folder = process.argv[2];
const flags = "--js-flags=--trace-wasm-compilation-times --wasm-lazy-compilation --no-wasm-dynamic-tiering";
const server = await startServer({ folder, port: 4392 });
const { url } = server;

/** What a browser of its own runs while it visits addresses in turn: lines of an index and a size. */
async function runOf(visits) {
  const launched = await browserType.launchServer({ ...chromium, args: [...chromium.args, flags] });
  let said = "";
  for (const stream of ["stdout", "stderr"]) launched.process()[stream].on("data", (bytes) => (said += bytes));
  const browser = await browserType.connect(launched.wsEndpoint());
  for (const [addresses, options] of visits) await visit(browser, addresses, options);
  await browser.close();
  await launched.close();
  const compiled = said.matchAll(/^Compiled function \w+#(\d+) using .* bodysize (\d+)/gm);
  return new Set([...compiled].map(([, at, bytes]) => `${at} ${bytes}`));
}

/** Opens pages one after the other in one window and lets each be for a moment; the later ones know the reader. */
async function visit(browser, addresses, { viewport = { width: 1280, height: 900 }, ms = 1_500, ...options } = {}) {
  const context = await browser.newContext({ viewport, serviceWorkers: "block", ...options });
  const page = await context.newPage();
  for (const address of addresses) {
    await page.goto(url + address);
    await ready(page);
    await page.waitForTimeout(ms);
  }
  await context.close();
}

const phone = { viewport: { width: 412, height: 823 }, deviceScaleFactor: 1.75, isMobile: true, hasTouch: true };
/** A lesson in every way. */
const lessonVisits = ({ slug, knobs }) => [
  [[`l/${slug}/`, `l/${slug}/`]],
  [[`l/${slug}/`, `embed/${slug}/`], phone],
  [[`embed/${slug}/?autoplay=1`], { viewport: { width: 800, height: 560 }, ms: 5_000 }],
  [[`embed/${slug}/?lock=${knobs.map(({ id }) => id).join(",")}&hide=story,tape&links=0&resize=off`]],
];
const [first] = lessons;
const wishes = `l/${first.slug}/?theme=dark&seed=7&speed=0.5`;
// Most of a visit is waiting, so a few pages are visited side by side.
const queue = [
  ["catalogue", [[["", ""]], [[""], phone], [["", ""], { colorScheme: "dark", viewport: { width: 390, height: 800 } }]]],
  ["*", [[[wishes], { colorScheme: "dark", viewport: { width: 390, height: 800 } }], [[`l/${first.slug}/`], { reducedMotion: "reduce" }]]],
  ...lessons.map((lesson) => [lesson.slug, lessonVisits(lesson)]),
];
const run = new Map();
await Promise.all(
  Array.from({ length: SIDE_BY_SIDE }, async () => {
    for (let next = queue.shift(); next; next = queue.shift()) run.set(next[0], await runOf(next[1]));
  }),
);
server.stop();

// What wishes add to a lesson's start they may add to any; the lesson's own start is the lesson's. Functions of all pieces
// are among them; press tells them apart by index and size.
const own = run.get(first.slug);
run.set("*", new Set([...run.get("*")].filter((line) => !own.has(line))));
const lines = [...run].flatMap(([page, of]) => [...of].map((line) => `${page} ${line}`));
process.stdout.write(lines.join("\n"));
