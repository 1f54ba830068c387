// make starts: which functions of the program the start of a page runs, so that press can hold back the others.
//
// V8 compiles a function when it is first called and, asked to, says which. Every lesson is opened as a page, and in a
// small window where it plays at once; the catalogue too, and pages with wishes of every kind in their addresses.
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
const launched = await browserType.launchServer({ ...chromium, args: [...chromium.args, flags] });
let said = "";
for (const stream of ["stdout", "stderr"]) launched.process()[stream].on("data", (bytes) => (said += bytes));
const browser = await browserType.connect(launched.wsEndpoint());

/** Opens pages one after the other in one window and lets each be for a moment; the later ones know the reader. */
async function visit(addresses, { viewport = { width: 1280, height: 900 }, ms = 1_500, ...options } = {}) {
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
await visit([""]);
await visit([""], phone);
/** Visits a lesson in every way. */
async function visitLesson({ slug, knobs }) {
  const locked = knobs.map(({ id }) => id).join(",");
  await visit([`l/${slug}/`, `l/${slug}/`]);
  await visit([`l/${slug}/`, `embed/${slug}/`], phone);
  await visit([`embed/${slug}/?autoplay=1`], { viewport: { width: 800, height: 560 }, ms: 5_000 });
  await visit([`embed/${slug}/?lock=${locked}&hide=story,tape&links=0&resize=off`]);
}
// Most of a visit is waiting, so a few lessons are visited side by side.
const queue = [...lessons];
await Promise.all(
  Array.from({ length: SIDE_BY_SIDE }, async () => {
    for (let next = queue.shift(); next; next = queue.shift()) await visitLesson(next);
  }),
);
const [{ slug }] = lessons;
await visit([`l/${slug}/?theme=dark&seed=7&speed=0.5`, ""], { colorScheme: "dark", viewport: { width: 390, height: 800 } });
await visit([`l/${slug}/`], { reducedMotion: "reduce" });
await browser.close();
await launched.close();
server.stop();

// Functions of all pieces are among them; press tells them apart by index and size.
const run = new Set([...said.matchAll(/^Compiled function \w+#(\d+) using .* bodysize (\d+)/gm)].map(([, at, bytes]) => `${at} ${bytes}`));
process.stdout.write([...run].join("\n"));
