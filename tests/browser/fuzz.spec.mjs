// Lessons under seeded, random use. What is played follows from the environment alone:
//   (nothing)         BUDGET sequences however many lessons there are, dealt to the lessons in turn
//   SEED=2            the sequences after those: other lessons, other seeds; each number is another hand
//   ALL=1             two seeds on every lesson
//   LESSON=balancing  two seeds on matching lessons; with SEED=7 that one
//   EVENTS="…"        this sequence, as a failure prints it
//   SOAK=10           ever new seeds for so many minutes a lesson, counted from SEED
// What soaks have found is played every time.
import { test, expect } from "@playwright/test";
import { attempt, lessons, sequence, shrink } from "./fuzz.mjs";

const { ALL, SEED, LESSON = "", EVENTS, SOAK } = process.env;
test.use({ screenshot: "off" });
// Time enough to shrink what fails.
test.describe.configure({ timeout: SOAK ? (Number(SOAK) + 20) * 60_000 : 240_000 });
/** Each takes about five seconds. */
const BUDGET = 8;
const SEEDS = [1, 2];
const COUNT = 50;
/** Shrunk sequences that made a soak fail, played again every time. */
const FOUND = {
  // A moment gone to while the stage was out of sight was reached, but the list of parts told the one before.
  caching: ["open 355 327 170, resize 577 574 125, click 689 508 812, press 814 246 410, slide 97 520 875"],
};
/** A soak goes on after a failure, but not for ever. */
const FAILURES_MAX = 5;

const matching = lessons.filter(({ slug }) => slug.includes(LESSON));
const split = (events) => events.split(",").map((event) => event.trim());

/** A hand of lessons and seeds: all lessons with the first seed come first, then all with the second, and so on. */
function dealt(hand) {
  const from = (hand - 1) * BUDGET;
  return Array.from({ length: BUDGET }, (_, at) => [lessons[(from + at) % lessons.length], 1 + Math.floor((from + at) / lessons.length)]);
}

/** What a failure says: the seed, the shortest sequence, and how to play each again. */
async function report(browser, lesson, seed, events, found) {
  const replay = (what) => `${what} LESSON=${lesson.slug} SPEC=fuzz make test`;
  const told = (fault) => `${lesson.slug}, seed ${seed}, event ${found.at} of ${events.length}: ${fault.message}`;
  // Told at once: on a busy machine there may be no time left to shrink it.
  console.log(`${told(found.fault)}\n${replay(`SEED=${seed}`)}`);
  const shrunk = await shrink(browser, lesson, events, found);
  return [
    told(shrunk.fault),
    `shrunk to ${shrunk.events.length} events: ${shrunk.events.join(", ")}`,
    `the whole sequence: ${replay(`SEED=${seed}`)}`,
    `the shrunk one:     ${replay(`EVENTS="${shrunk.events.join(", ")}"`)}`,
  ].join("\n");
}

/** A test that plays one sequence. */
function plays(lesson, seed, events) {
  test(`${lesson.slug} withstands random use, seed ${seed}`, async ({ browser }) => {
    const found = await attempt(browser, lesson, events);
    expect(found.fault ? await report(browser, lesson, seed, events, found) : "").toBe("");
  });
}

if (SOAK) {
  for (const lesson of matching) {
    test(`${lesson.slug} withstands random use`, async ({ browser }) => {
      const until = Date.now() + Number(SOAK) * 60_000;
      const failures = [];
      let [played, count] = [0, 0];
      // Printed with every failure, so any seed will do.
      for (let seed = Number(SEED ?? Date.now() % 1e9); Date.now() < until && failures.length < FAILURES_MAX; seed++) {
        const events = sequence(seed, COUNT);
        const found = await attempt(browser, lesson, events);
        played += 1;
        count += found.at;
        if (found.fault) failures.push(await report(browser, lesson, seed, events, found));
      }
      console.log(`${lesson.slug}: ${played} sequences, ${count} events, ${failures.length} failures`);
      expect(failures.join("\n\n")).toBe("");
    });
  }
} else if (EVENTS) {
  for (const lesson of matching) plays(lesson, "none", split(EVENTS));
} else {
  const seeds = SEED ? [Number(SEED)] : SEEDS;
  const all = ALL || LESSON ? matching.flatMap((lesson) => seeds.map((seed) => [lesson, seed])) : dealt(Number(SEED ?? 1));
  for (const [lesson, seed] of all) plays(lesson, seed, sequence(seed, COUNT));
  for (const lesson of matching) {
    for (const [at, found] of (FOUND[lesson.slug] ?? []).entries()) plays(lesson, `of finding ${at + 1}`, split(found));
  }
}
