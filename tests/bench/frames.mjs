// How the built site answers: from a press to the next frame, and the longest task of whatever a learner does.
import { Player, ready, some } from "../browser/kit.mjs";
import { longest, rest } from "./trace.mjs";

/** What the browser counts as a long task, and what an answer may take. */
const LIMIT_MS = 50;
/** The end of a tape, in simulated seconds. */
const END = 7_200;

/**
 * In the page: notes every answer to an interaction that took longer than a frame, and how many inputs there were.
 * Interactions are what Interaction to Next Paint (INP) counts: presses and releases of pointer and keys, not hovering.
 */
function observe() {
  globalThis.answers = [];
  globalThis.inputs = 0;
  new PerformanceObserver((list) => {
    for (const { duration, name, interactionId } of list.getEntries()) {
      if (interactionId > 0) globalThis.answers.push({ duration, name });
    }
  }).observe({ type: "event", durationThreshold: 16 });
  addEventListener("input", () => globalThis.inputs++, true);
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

/** Drags every slider of the lesson's knobs while it plays; the slowest answer, to 8 ms as the browser tells it. */
async function answer(page) {
  const knobs = page.locator(".knobs");
  await knobs.locator("summary").click();
  await rest(300);
  await page.evaluate(() => {
    globalThis.answers.length = 0;
    globalThis.inputs = 0;
  });
  for (const slider of await knobs.getByRole("slider").all()) await drag(page, slider);
  await rest(300);
  const { answers, inputs } = await page.evaluate(() => ({ answers: globalThis.answers, inputs: globalThis.inputs }));
  if (inputs === 0) throw new Error("no slider moved");
  // What is answered within a frame is not told.
  return answers.reduce((slow, found) => (found.duration > slow.duration ? found : slow), { duration: 16, name: "any" });
}

/** Presses End until the run has come so far: each press goes to the end of an axis that then grows. */
async function reach(player, s) {
  while (Number(await player.time.inputValue()) < s) {
    await player.time.press("End");
    await rest(100);
  }
}

/** What a learner does with a lesson, in order; each is watched alone. */
function deeds(page, player) {
  const caughtUp = () => page.locator(".catching-up").waitFor({ state: "detached" });
  const why = () => page.getByRole("list", { name: "Parts" }).first().getByRole("button").first().press("Enter");
  const ends = async () => {
    await player.time.press("Home");
    await player.time.press("End");
    await rest(500);
    await caughtUp();
  };
  const play = async () => {
    await player.play.click();
    await rest(2_000);
    await player.pause.click();
  };
  return {
    "play at 4×": play,
    "go to 10 min": () => reach(player, 600),
    "scrub over 10 min": () => drag(page, player.time),
    "Home and End in 10 min": ends,
    "step back": () => player.stepBack.click(),
    "ask why": why,
    "compare at 10 min": async () => {
      await player.compare.click();
      await rest(500);
      await caughtUp();
    },
    "play while comparing": play,
    "scrub while comparing": () => drag(page, player.time),
    "go to 2 h": () => reach(player, END),
    "scrub over 2 h": () => drag(page, player.time),
    "Home and End in 2 h": ends,
    "step back in 2 h": () => player.stepBack.click(),
    "ask why in 2 h": why,
    "begin anew, jump to the last beat": async () => {
      await player.restart.click();
      await page.keyboard.press("9");
      await rest(1_000);
    },
  };
}

/** The slowest answer and the longest task of one lesson, with the deed that took it. */
async function measure(browser, site, lesson) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 860 } });
  await page.addInitScript(observe);
  await page.goto(`${site}l/${lesson.slug}/`);
  await ready(page);
  await rest(500);
  const player = new Player(page);
  await page.getByRole("radio", { name: "4×" }).check({ force: true });
  await player.play.click();
  const slowest = await answer(page);
  await player.pause.click();
  const tasks = [];
  for (const [deed, work] of Object.entries(deeds(page, player))) {
    tasks.push({ deed, ...(await longest(page, work)) });
    const { took, worked } = tasks.at(-1);
    if (took > LIMIT_MS) console.error(`  ${lesson.slug}, ${deed}: ${took.toFixed(0)} ms, ${worked.toFixed(0)} ms of them working`);
  }
  await page.close();
  return { slowest, tasks };
}

/** The rows of the table: three for each lesson. */
export async function* rows({ browser, site }) {
  const worst = (list, value) => list.reduce((worst, one) => (value(one) > value(worst) ? one : worst));
  for (const lesson of some) {
    const { slowest, tasks } = await measure(browser, site, lesson);
    const took = worst(tasks, ({ took }) => took);
    const worked = worst(tasks, ({ worked }) => worked);
    yield [`${lesson.slug}: slowest answer to a drag, as INP counts (${slowest.name})`, slowest.duration, "ms", LIMIT_MS, "limit"];
    yield [`${lesson.slug}: longest task of ${tasks.length} deeds (${took.deed})`, took.took, "ms", LIMIT_MS, "limit"];
    yield [`${lesson.slug}: the same in time on the processor (${worked.deed})`, worked.worked, "ms", LIMIT_MS, "limit"];
  }
}
