// Nothing stays behind: a lesson that is left gives back its elements, listeners, frames and memory.
import { test, expect, open, some } from "./kit.mjs";
import { lessons, numbers, prepare } from "./fuzz.mjs";

const ROUNDS = 20;
/** The program's memory only ever grows, by pages. What is free has the wrong size now and then, so that no number of
 * pages is the right bound; but such growth ends, and a leak's does not: so many rounds in a row have to go without. */
const STILL = 12;
const ROUNDS_MOST = 100;
/** What is kept for good, such as compiled code and caches, has come by then. */
const SETTLED = 3;
/** An hour of the heaviest use fits in here: the longest queues of Fan-out take 150 MB, every other lesson less than 20. */
const HOUR_BYTES_MAX = 192 * 1024 * 1024;

/** Counts frames asked for and not yet come, and finds the program's memories. */
function count() {
  const [ask, cancel] = [requestAnimationFrame.bind(window), cancelAnimationFrame.bind(window)];
  const waiting = new Set();
  window.requestAnimationFrame = (call) => {
    const id = ask((now) => {
      waiting.delete(id);
      call(now);
    });
    waiting.add(id);
    return id;
  };
  window.cancelAnimationFrame = (id) => {
    waiting.delete(id);
    cancel(id);
  };
  const memories = new Set();
  for (const name of ["instantiate", "instantiateStreaming"]) {
    const plain = WebAssembly[name].bind(WebAssembly);
    WebAssembly[name] = async (what, imports) => {
      const made = await plain(what, imports);
      const things = [...Object.values((made.instance ?? made).exports), ...Object.values(imports ?? {}).flatMap(Object.values)];
      for (const thing of things) if (thing instanceof WebAssembly.Memory) memories.add(thing);
      return made;
    };
  }
  globalThis.counted = {
    frames: () => waiting.size,
    wasm: () => [...memories].reduce((bytes, memory) => bytes + memory.buffer.byteLength, 0),
  };
}

test.use({ screenshot: "off" });
// A slow machine is no leak.
test.describe.configure({ timeout: 480_000 });
test.beforeEach(({ context }) => Promise.all([context.addInitScript(prepare), context.addInitScript(count)]));

/** Opens a lesson from the catalogue, uses it, leaves it again. Runs in the page. */
async function round([slug, chosen]) {
  const until = async (holds) => {
    for (const from = performance.now(); !holds(); await new Promise((next) => setTimeout(next, 4))) {
      if (performance.now() - from > 60_000) throw new Error(`waited in vain: ${holds}`);
    }
  };
  const find = (what) => document.querySelector(what);
  fuzz.leaves = true;
  find(`a[href$="l/${slug}/"]`).click();
  await until(() => find(".stage-svg [data-part]"));
  fuzz.leaves = false;
  find(".transport button").click();
  for (const [at, a, b] of chosen) {
    if (at < 300) fuzz.slide(a, b);
    else if (at < 600) fuzz.press(a);
    else find(".actions button:enabled")?.click();
    await fuzz.frame();
  }
  find(".tools button[aria-pressed]").click();
  await fuzz.frame();
  find(".parts button")?.click();
  await fuzz.frame();
  fuzz.leaves = true;
  find("a.brand").click();
  await until(() => !find(".stage") && find(`a[href$="l/${slug}/"]`));
}

/** How much a list of numbers grows at each step, as a share of their mean: the slope of the least squares. */
function slope(list) {
  const middle = (list.length - 1) / 2;
  const mean = list.reduce((sum, value) => sum + value, 0) / list.length;
  const [up, over] = list.reduce(([up, over], value, at) => [up + (at - middle) * value, over + (at - middle) ** 2], [0, 0]);
  return up / over / mean;
}

for (const lesson of lessons.filter(({ slug }) => some.some((chosen) => chosen.slug === slug))) {
  test(`${lesson.slug} leaves nothing behind`, async ({ page }) => {
    await open(page);
    const line = await page.context().newCDPSession(page);
    await line.send("Performance.enable");
    // The same use each time, so that what grows is what stays and not what one round needed more than another.
    const next = numbers(1);
    const chosen = Array.from({ length: 5 }, () => [next(), next(), next()]);
    const rounds = [];
    const still = () => rounds.length - rounds.findIndex(({ wasm }) => wasm === rounds.at(-1).wasm) > STILL;
    while (rounds.length < ROUNDS || (rounds.length < ROUNDS_MOST && !still())) {
      await page.evaluate(round, [lesson.slug, chosen]);
      // What the browser still holds for a frame that it has not drawn yet is no leak, so it gets to draw before it
      // collects; and elements that only collected ones held on to go with the next collection.
      for (let again = 0; again < 2; again++) {
        await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
        await line.send("HeapProfiler.collectGarbage");
      }
      const { metrics } = await line.send("Performance.getMetrics");
      const metric = (name) => metrics.find((metric) => metric.name === name).value;
      rounds.push({
        nodes: metric("Nodes"),
        listeners: metric("JSEventListeners"),
        heap: metric("JSHeapUsedSize"),
        ...(await page.evaluate(() => ({ frames: counted.frames(), wasm: counted.wasm() }))),
      });
    }
    const told = rounds.map((round) => JSON.stringify(round)).join("\n");
    if (process.env.LEAKS) console.log(lesson.slug, "\n" + told);
    // A collection may come a little before something is let go, so the least of a few rounds counts: what leaks is
    // there in all of them. It has been left by sixteen rounds or more then; less than one thing in two rounds is no leak.
    const least = (list, what) => Math.min(...list.map((round) => round[what]));
    const early = (what) => least(rounds.slice(0, SETTLED), what);
    const late = (what) => least(rounds.slice(-5), what);
    for (const what of ["nodes", "listeners"]) {
      expect(late(what), `${what} after ${rounds.length} rounds against ${SETTLED}:\n${told}`).toBeLessThan(early(what) + ROUNDS / 2);
    }
    expect(still(), `the program's memory stands still at last:\n${told}`).toBe(true);
    expect(late("frames"), `frames still asked for:\n${told}`).toBe(0);
    expect(rounds[0].wasm, "the program's memory was found").toBeGreaterThan(0);
    expect(slope(rounds.slice(SETTLED).map((round) => round.heap)), `growth of the heap a round:\n${told}`).toBeLessThan(0.01);
  });

  test(`${lesson.slug} runs an hour at full load in bounded memory`, async ({ page }) => {
    const full = lesson.knobs.filter(({ options }) => !options.length).map(({ id }) => `p.${id}=1e9`);
    const player = await open(page, `l/${lesson.slug}/?${full.join("&")}&at=3600`);
    await expect(player.place.locator(".clock")).toHaveText(/^(60|1:00):00/);
    const bytes = await page.evaluate(() => counted.wasm());
    if (process.env.LEAKS) console.log(lesson.slug, "an hour", bytes);
    expect(bytes).toBeGreaterThan(0);
    expect(bytes, "bytes of the program's memory after an hour").toBeLessThan(HOUR_BYTES_MAX);
  });
}
