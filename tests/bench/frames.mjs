// How the built site answers: the time from a drag to the next frame, and the longest task of every lesson.
import { readFileSync } from "node:fs";
import { chromium as browserType } from "@playwright/test";
import { chromium } from "../browser/chromium.mjs";
import { Player, ready } from "../browser/kit.mjs";
import { startServer } from "../browser/server.mjs";

const site = JSON.parse(readFileSync(new URL("../../dist/words/site.en.json", import.meta.url), "utf8"));
const lessons = site.chapters.flatMap((chapter) => chapter.lessons).filter((lesson) => lesson.ready);

/** In the page: notes every task over 50 ms and every event that took longer than a frame to be answered. */
function observe() {
  globalThis.slowTasks = [];
  globalThis.slowEvents = [];
  globalThis.answered = 0;
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) globalThis.slowTasks.push(duration);
  }).observe({ type: "longtask" });
  new PerformanceObserver((list) => {
    for (const { duration, name, processingEnd, processingStart } of list.getEntries()) {
      globalThis.slowEvents.push({ duration, name, script: processingEnd - processingStart });
    }
  }).observe({ type: "event", durationThreshold: 16 });
  addEventListener("input", () => globalThis.answered++, true);
}

const rest = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** The longest task since the last call; a task of up to 50 ms is none that the browser tells of. */
async function longest(page) {
  // The browser tells of tasks in idle moments.
  await rest(300);
  return page.evaluate(() => Math.max(0, ...globalThis.slowTasks.splice(0)));
}

/** Drags a slider with the pointer there and back, in steps of about a frame. */
async function drag(page, slider) {
  await slider.scrollIntoViewIfNeeded();
  const { x, y, width, height } = await slider.boundingBox();
  const at = (share) => [x + 8 + (width - 16) * share, y + height / 2];
  await page.mouse.move(...at(0.3));
  await page.mouse.down();
  for (const share of [0.4, 0.55, 0.7, 0.85, 1, 0.8, 0.6, 0.45, 0.3, 0.5]) {
    await page.mouse.move(...at(share));
    await rest(20);
  }
  await page.mouse.up();
}

/** Drags every slider of the lesson's knobs; the slowest answer in milliseconds, to 8 ms as the browser tells it. */
async function drags(page) {
  await page.evaluate(() => (globalThis.slowEvents.length = 0));
  const knobs = page.locator(".knobs");
  await knobs.locator("summary").click();
  for (const slider of await knobs.getByRole("slider").all()) await drag(page, slider);
  await rest(300);
  return page.evaluate(() => {
    if (globalThis.answered === 0) throw new Error("no slider moved");
    return globalThis.slowEvents.reduce((worst, event) => (event.duration > worst.duration ? event : worst), {
      duration: 16,
      name: "none over 16 ms",
      script: 0,
    });
  });
}

/** Waits until the clock shows at least this many simulated seconds. */
async function reach(page, player, s) {
  for (;;) {
    if (Number(await player.time.inputValue()) >= s) return;
    await player.time.press("End");
    await rest(60);
  }
}

/** Every lesson's slowest answer and longest task, by what was done. */
export async function frames({ only = "" } = {}) {
  const server = process.env.SITE ? { url: process.env.SITE, stop() {} } : await startServer({ port: 4393 });
  const browser = await browserType.launch(chromium);
  const told = [];
  try {
    for (const lesson of lessons.filter((lesson) => lesson.slug.includes(only))) {
      const page = await browser.newPage({ viewport: { width: 1280, height: 860 } });
      await page.addInitScript(observe);
      await page.goto(`${server.url}l/${lesson.slug}/`);
      await ready(page);
      const player = new Player(page);
      await rest(500);
      const tasks = { start: await longest(page) };
      const time = {};
      const during = async (what, work) => {
        const from = performance.now();
        await work();
        time[what] = performance.now() - from;
        console.error(lesson.slug, what, time[what].toFixed(0));
        tasks[what] = await longest(page);
      };
      await page.getByRole("radio", { name: "4×" }).check({ force: true });
      await player.play.click();
      let inp;
      await during("play and drag knobs", async () => (inp = await drags(page)));
      await during("play", () => rest(3_000));
      await player.pause.click();
      await during("to 10 min", () => reach(page, player, 600));
      await during("scrub 10 min", () => drag(page, player.time));
      await during("Home, End", async () => {
        await player.time.press("Home");
        await player.time.press("End");
        await rest(500);
      });
      await during("step back", () => player.stepBack.click());
      await during("ask why", () => page.getByRole("list", { name: "Parts" }).first().getByRole("button").first().press("Enter"));
      await during("compare", async () => {
        await player.compare.click();
        await rest(3_000);
      });
      await during("compare and play", async () => {
        await player.play.click();
        await rest(2_000);
        await player.pause.click();
      });
      await during("compare and scrub", () => drag(page, player.time));
      await during("to 2 h", () => reach(page, player, 7_199));
      await during("scrub 2 h", () => drag(page, player.time));
      await during("step back at 2 h", () => player.stepBack.click());
      await during("ask why at 2 h", () => page.getByRole("list", { name: "Parts" }).first().getByRole("button").first().press("Enter"));
      told.push({ lesson: lesson.slug, inp, tasks, time });
      await page.close();
    }
  } finally {
    await browser.close();
    server.stop();
  }
  return told;
}
if (process.argv[2] === "try") {
for (const t of await frames({ only: process.argv[3] ?? "" })) {
  console.log(t.lesson, t.inp);
  for (const [k, v] of Object.entries(t.tasks)) console.log("   ", k.padEnd(24), v.toFixed(0), "ms   took", (t.time[k] ?? 0).toFixed(0));
}
}
