// Every lesson under seeded, random use. What is played follows from the environment alone:
//   SEED=7            this seed instead of the fixed ones
//   LESSON=balancing  matching lessons only
//   EVENTS="…"        this sequence, as a failure prints it
//   SOAK=10           ever new seeds for so many minutes a lesson, counted from SEED
import { test, expect } from "@playwright/test";
import { attempt, lessons, sequence, shrink } from "./fuzz.mjs";

const { SEED, LESSON = "", EVENTS, SOAK } = process.env;
test.use({ screenshot: "off" });
/** Together they take about ten seconds a lesson. */
const SEEDS = [1, 2];
const COUNT = 50;
/** Shrunk sequences that made a soak fail, played again every time. */
const FOUND = {
  // A moment gone to while the stage was out of sight was reached, but the list of parts told the one before.
  caching: ["open 355 327 170, resize 577 574 125, click 689 508 812, press 814 246 410, slide 97 520 875"],
};
/** A soak goes on after a failure, but not for ever. */
const FAILURES_MAX = 5;

/** What a failure says: the seed, the shortest sequence, and how to play each again. */
async function report(browser, lesson, seed, events, found) {
  const shrunk = await shrink(browser, lesson, events, found);
  const replay = (what) => `${what} LESSON=${lesson.slug} SPEC=fuzz make test`;
  return [
    `${lesson.slug}, seed ${seed}, event ${found.at} of ${events.length}: ${shrunk.fault.message}`,
    `shrunk to ${shrunk.events.length} events: ${shrunk.events.join(", ")}`,
    `the whole sequence: ${replay(`SEED=${seed}`)}`,
    `the shrunk one:     ${replay(`EVENTS="${shrunk.events.join(", ")}"`)}`,
  ].join("\n");
}

for (const lesson of lessons.filter(({ slug }) => slug.includes(LESSON))) {
  test(`${lesson.slug} withstands random use`, async ({ browser }) => {
    test.setTimeout(SOAK ? (Number(SOAK) + 20) * 60_000 : 240_000);
    const until = Date.now() + Number(SOAK ?? 0) * 60_000;
    const failures = [];
    let [played, count] = [0, 0];
    const play = async (seed, events) => {
      const found = await attempt(browser, lesson, events);
      played += 1;
      count += found.at;
      if (found.fault) failures.push(await report(browser, lesson, seed, events, found));
    };
    const split = (events) => events.split(",").map((event) => event.trim());
    if (EVENTS) {
      await play("none", split(EVENTS));
    } else if (SOAK) {
      // Printed with every failure, so any seed will do.
      for (let seed = Number(SEED ?? Date.now() % 1e9); Date.now() < until && failures.length < FAILURES_MAX; seed++) {
        await play(seed, sequence(seed, COUNT));
      }
      console.log(`${lesson.slug}: ${played} sequences, ${count} events, ${failures.length} failures`);
    } else {
      for (const seed of SEED ? [Number(SEED)] : SEEDS) await play(seed, sequence(seed, COUNT));
      for (const events of FOUND[lesson.slug] ?? []) await play("of a soak", split(events));
    }
    expect(failures.join("\n\n")).toBe("");
  });
}
