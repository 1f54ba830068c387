// The lessons for people who hear, magnify, recolour or cannot point: what they are told and can do is what all are.
// Every text spoken at every step stands in aria/; UPDATE=1 records it anew.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import {
  test, expect, open, ready, each, some, lessons, Player, randomFrom, expectAccessible, expectLegible, expectNoOverlap,
  expectNoSidewaysScroll, expectTargets, rested,
} from "./kit.mjs";

const one = (random, list) => list[Math.floor(random() * list.length)];

// Whole stories and many pictures: what is slow on a busy machine is not wrong.
test.describe.configure({ timeout: 180_000 });

/** Does one of the things that the lesson can do to its system. */
async function act(player, random) {
  // What can be done follows the picture.
  await player.rested();
  await one(random, await player.enabledActions.all()).click();
}

/** Asks about some part of the stage, as the keyboard does. */
async function ask(player, random) {
  await player.rested();
  await one(random, await player.partsOf().all()).press("Enter");
}

/** Five different states of a lesson, each reached from the one before; where in them, the seed decides. */
const states = [
  ["as it opens", async () => {}],
  ["in the middle of a run, something done", async ({ player, random }) => {
    await player.seek(1 + Math.round(random() * 50) / 10);
    await act(player, random);
    for (let steps = 1 + Math.floor(random() * 6); steps > 0; steps--) await player.stepForward.click();
  }],
  ["compared, and asked why", async ({ player, random }) => {
    await player.compare.click();
    await player.seek(3 + Math.round(random() * 50) / 10);
    await ask(player, random);
  }],
  ["with a dialog", async ({ player, random }) => one(random, [player.share, player.embed, player.button("Help")]).click()],
  ["broken, on a small screen", async ({ page, player, random }) => {
    await page.keyboard.press("Escape");
    await page.setViewportSize({ width: 390, height: 844 });
    await act(player, random);
    await ask(player, random);
  }],
];

for (const lesson of each) {
  test(`${lesson.title} says at each step what it was heard to say`, async ({ page }) => {
    await page.emulateMedia({ reducedMotion: "reduce" });
    const player = await open(page, `l/${lesson.slug}/`);
    const told = await tellStory(page, player);
    const file = new URL(`aria/${lesson.slug}.txt`, import.meta.url);
    if (process.env.UPDATE) {
      mkdirSync(new URL("aria/", import.meta.url), { recursive: true });
      writeFileSync(file, told);
    }
    const recorded = existsSync(file) ? readFileSync(file, "utf8") : "";
    expect(told, `${file.pathname}: if the change is meant, run with UPDATE=1 and read the diff`).toBe(recorded);
  });
}

for (const lesson of some) {
  const path = `l/${lesson.slug}/`;
  // The same whatever other lessons there are.
  const seed = [...lesson.slug].reduce((sum, letter) => sum + letter.charCodeAt(0), 0);

  test.describe(lesson.title, () => {
    test("axe-core finds nothing in five states, light and dark", async ({ page }) => {
      const random = randomFrom(seed);
      const player = await open(page, path);
      for (const [name, reach] of states) {
        await test.step(name, async () => {
          await reach({ page, player, random });
          for (const colorScheme of ["light", "dark"]) {
            await page.emulateMedia({ colorScheme });
            await rested(page);
            await expectAccessible(page);
          }
        });
      }
    });

    test("the keyboard alone completes it, and its focus is always seen", async ({ page }) => {
      await complete(page, await open(page, path));
    });

    test("with less motion nothing moves and nothing is untold", async ({ page }) => {
      const player = await open(page, path);
      await compareMotion(page, player);
    });

    test("with less motion time goes by in pictures that stand", async ({ page }) => {
      await page.clock.install({ time: 0 });
      await page.emulateMedia({ reducedMotion: "reduce" });
      await page.goto(path);
      await page.clock.runFor(3_000);
      await ready(page);
      await page.clock.pauseAt(60_000);
      await stands(page);
    });

    test("fits and keeps apart what it shows at 400 %", async ({ page }) => {
      await page.setViewportSize({ width: 320, height: 256 });
      const player = await open(page, path);
      for (const reach of [
        async () => {},
        async () => {
          await player.seek(4);
          await act(player, randomFrom(seed));
          await ask(player, randomFrom(seed));
        },
        async () => {
          await player.button("Menu").click();
          await player.compare.click();
        },
      ]) {
        await reach();
        await rested(page);
        await expectNoSidewaysScroll(page);
        await expectNoOverlap(page);
        await expectTargets(page, 24);
      }
    });

    test.describe("recoloured", () => {
      // Thin strokes keep their full colour only where they are a few pixels broad.
      test.use({ deviceScaleFactor: 2, viewport: { width: 1280, height: 1600 } });

      test("in the contrast theme and forced colours everything written can be read", async ({ page }) => {
        const player = await open(page, `${path}?theme=contrast`);
        await player.seek(4);
        await act(player, randomFrom(seed));
        await ask(player, randomFrom(seed));
        for (const media of [{ colorScheme: "light" }, { colorScheme: "dark" }, { forcedColors: "active" }]) {
          await test.step(JSON.stringify(media), async () => {
            await page.emulateMedia(media);
            await rested(page);
            await expectLegible(page);
            await expectAccessible(page);
          });
        }
      });
    });
  });
}

/** What has the focus once two frames are drawn, and whether it can be seen that it has. */
const focus = (page) =>
  page.evaluate(async () => {
    for (let frames = 0; frames < 2; frames++) await new Promise(requestAnimationFrame);
    const element = document.activeElement;
    const name = (element.getAttribute("aria-label") || element.labels?.[0]?.textContent || element.textContent || "").trim();
    const told = `${element.tagName.toLowerCase()} ${name.slice(0, 60)}`;
    if (element === document.body) return { told, lost: true, seen: false };
    const outlined = (place) => {
      const style = place && getComputedStyle(place);
      return style && style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 && !place.matches(".visually-hidden *");
    };
    // Some controls lie unseen over what shows them, and the buttons of parts stand for the parts of the stage.
    const stand = element.matches("input") ? element.nextElementSibling : null;
    const parts = element.closest(".parts");
    const halo = parts && parts.closest("figure").querySelector(".part.focused > .halo, .part.focused > .reach");
    const seen = halo
      ? getComputedStyle(halo).stroke !== "none" && parseFloat(getComputedStyle(halo).strokeWidth) >= 2
      : [element, stand, element.closest(".tracks"), element.closest(".card, .begun")].some(outlined);
    return { told, lost: false, seen };
  });

/** Presses a key and fails if the focus fell back to the top of the page, or cannot be seen. */
async function press(page, key) {
  await page.keyboard.press(key);
  const now = await focus(page);
  expect.soft(now, `the focus after ${key}`).toMatchObject({ lost: false, seen: true });
}

/** Tabs to a control, either way. */
async function tabTo(page, locator, key = "Tab") {
  for (let presses = 0; presses < 120; presses++) {
    if (await locator.evaluateAll((found) => found.includes(document.activeElement))) return;
    await press(page, key);
  }
  throw new Error(`${key} never reaches ${locator}`);
}

/** Goes through the whole lesson by keys: story, guesses, breaking, asking, comparing, hints. */
async function complete(page, player) {
  const count = await player.steps();
  // The first Tab is the way past the header.
  await page.keyboard.press("Tab");
  expect((await focus(page)).told).toContain("Skip to the lesson");
  await press(page, "Enter");

  await page.keyboard.press("Space");
  await expect(player.pause).toBeVisible();
  await page.keyboard.press("Space");
  await expect(player.play).toBeVisible();
  await page.keyboard.press("Home");
  for (const key of ["ArrowRight", "ArrowRight", "Shift+ArrowRight", "ArrowLeft"]) await press(page, key);
  await expect.poll(() => player.seconds()).not.toBe(0);
  await page.keyboard.press("?");
  await expect(page.getByRole("dialog")).toBeVisible();
  await press(page, "Escape");
  await press(page, "Home");

  await tabTo(page, player.next);
  for (let step = 2; step <= count; step++) {
    if (await player.asks()) {
      await tabTo(page, player.answers.last());
      await press(page, "Enter");
      await expect(player.guess).toBeVisible();
    }
    // A question answered gives the page another button.
    await player.jumpOnNext();
    await tabTo(page, player.next);
    await press(page, "Enter");
    await player.atStep(step);
  }
  await press(page, "Enter");
  await expect(player.next).toBeDisabled();
  // A number leads to a step that was seen; 0 is the tenth, or the last.
  await press(page, "1");
  await player.atStep(1);
  await press(page, "0");
  await player.atStep(count);

  // Part by part; asking about one and back.
  const part = player.partsOf().first();
  await tabTo(page, part, "Shift+Tab");
  await press(page, "Enter");
  const inspector = page.locator(".inspector");
  await expect(inspector.getByRole("heading", { name: "Why?" })).toBeVisible();
  const reasons = inspector.getByRole("listitem").getByRole("button");
  if ((await reasons.count()) > 0) {
    await tabTo(page, reasons.first());
    await press(page, "Enter");
  }
  // What led to it is another then; where the reason is gone, the focus is on the heading, which stands before.
  const stays = await inspector.locator("li button:focus").count();
  await tabTo(page, inspector.getByRole("button", { name: "Close" }), stays ? "Shift+Tab" : "Tab");
  await press(page, "Enter");
  await expect(part).toBeFocused();

  // Everything that can be broken, in order; some of it can only be done after the rest.
  for (let action = 0; action < (await player.actions.count()); action++) {
    await tabTo(page, player.actions.nth(action));
    await press(page, "Enter");
  }
  const goals = page.getByRole("region", { name: "Try this" }).getByRole("listitem");
  for (const goal of await goals.all()) {
    await tabTo(page, goal.locator("summary"));
    await press(page, "Enter");
    await expect(goal.locator("details p")).toBeVisible();
  }
  // What the story and the breaking reached is said in words.
  const slug = await page.evaluate(() => document.documentElement.dataset.slug);
  const kept = await page.evaluate((slug) => JSON.parse(Object.entries(localStorage).find(([key]) => key.includes(slug))[1]), slug);
  await expect(goals.filter({ hasText: ": done" })).toHaveCount(kept.done.length);
  expect(kept.beats.length).toBe(Number(count));

  await tabTo(page, player.compare, "Shift+Tab");
  await press(page, "Enter");
  await expect(player.stages).toHaveCount(2);
  await tabTo(page, player.endComparison);
  await press(page, "Enter");
  await expect(player.stages).toHaveCount(1);
  for (const key of ["3", "1"]) {
    await press(page, key);
    await player.atStep(key);
  }
}

/** Which lines came and which went from one text to the next. */
function changes(before, after) {
  const left = [...before];
  const came = after.filter((line) => {
    const at = left.indexOf(line);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
  return [...left.map((line) => `- ${line}`), ...came.map((line) => `+ ${line}`)];
}

/** What assistive technology finds at each step: the first in full, of the others what changed. */
async function tellStory(page, player) {
  const count = await player.steps();
  const places = [page.getByRole("region", { name: "Lab" }), page.getByRole("complementary", { name: "Controls" })];
  // The side compared with may still be on its way: what is heard twice alike is what there is to hear.
  const hear = async () => {
    for (let before = null; ; ) {
      await rested(page);
      const snapshots = await Promise.all(places.map((place) => place.ariaSnapshot()));
      const now = snapshots.join("\n");
      if (now === before) return now.split("\n");
      before = now;
    }
  };
  let before = await hear();
  let told = `Step 1\n\n${before.join("\n")}\n`;
  for (let step = 2; step <= count; step++) {
    if (await player.asks()) await player.answer();
    await player.jump();
    const now = await hear();
    told += `\nStep ${step}\n\n${changes(before, now).join("\n")}\n`;
    before = now;
  }
  return told;
}

/** Everything that a lesson tells by words at this moment. */
async function told(page, player) {
  await rested(page);
  const texts = (selector) => page.locator(selector).allTextContents();
  return {
    parts: await player.parts(),
    key: await texts(".stage-key li"),
    story: await texts(".story-text, .story-step"),
    clock: await texts(".clock"),
    said: await texts(".latest"),
    why: await texts(".inspector"),
    drawn: (await texts(".stage svg .things text")).sort(),
  };
}

/** Goes to places of the run, and compares there what is told with motion and without. */
async function compareMotion(page, player) {
  const random = randomFrom(7);
  for (const reach of [
    () => page.keyboard.press("2"),
    () => player.seek(3),
    () => act(player, random),
    () => ask(player, random),
    () => player.stepForward.click(),
    () => player.stepForward.click(),
    () => player.stepBack.click(),
  ]) {
    await page.emulateMedia({ reducedMotion: "no-preference" });
    await reach();
    await rested(page);
    const moving = await told(page, player);
    await page.emulateMedia({ reducedMotion: "reduce" });
    await rested(page);
    expect(await told(page, player)).toEqual(moving);
  }
  // A step shows and says what it did, since nobody sees anything travel.
  const sentences = new Set();
  for (let steps = 0; steps < 6; steps++) {
    await player.stepForward.click();
    await rested(page);
    const sentence = await page.locator(".latest").textContent();
    expect(sentence).toMatch(/\w.*\.$/);
    sentences.add(sentence);
  }
  expect(sentences.size, "steps with sentences of their own").toBeGreaterThan(3);
  await expect(player.spoken).toHaveText(await page.locator(".latest").textContent());
}

/** With little motion the picture of a run that plays changes by steps, and nothing slides between them. */
async function stands(page) {
  await page.evaluate(() => {
    globalThis.pictures = 0;
    const canvas = document.querySelector(".stage-dots");
    const paint = CanvasRenderingContext2D.prototype;
    const { clearRect } = paint;
    paint.clearRect = function (...frame) {
      if (this.canvas === canvas) globalThis.pictures++;
      return clearRect.apply(this, frame);
    };
  });
  await page.keyboard.press("Space");
  // Time is the test's own: three seconds are some hundred and eighty frames, and a picture each half second.
  await page.clock.runFor(3_000);
  await expect(new Player(page).pause).toBeVisible();
  const { pictures, running } = await page.evaluate(() => ({ pictures: globalThis.pictures, running: document.getAnimations().length }));
  expect(running, "animations that run").toBe(0);
  expect(pictures, "pictures drawn").toBeGreaterThanOrEqual(5);
  expect(pictures, "pictures drawn").toBeLessThanOrEqual(7);
}

test("speech: one polite region, at most every two seconds, and the last word is not lost", async ({ page }) => {
  await page.clock.install({ time: 0 });
  await page.goto(`l/${lessons[0].slug}/`);
  await page.clock.runFor(3_000);
  await ready(page);
  await page.clock.pauseAt(60_000);
  const live = page.locator("[aria-live]:not([aria-live=off]), [role=status], [role=alert], [role=log], output:not([aria-live=off])");
  await expect(live).toHaveCount(1);
  await page.evaluate(() => {
    globalThis.heard = [];
    const region = document.querySelector("[aria-live=polite]");
    new MutationObserver(() => globalThis.heard.push({ at: performance.now(), text: region.textContent }))
      .observe(region, { childList: true, characterData: true, subtree: true });
  });
  for (let press = 0; press < 30; press++) {
    await page.keyboard.press("ArrowRight");
    await page.clock.runFor(300);
  }
  const last = await page.locator(".latest").textContent();
  await page.clock.runFor(4_000);
  const heard = await page.evaluate(() => globalThis.heard);
  // Nine seconds of steps without a rest: one utterance at once, then one each two seconds.
  expect(heard.length).toBeGreaterThanOrEqual(5);
  const gaps = heard.slice(1).map(({ at }, place) => at - heard[place].at);
  expect(Math.min(...gaps), `gaps ${gaps}`).toBeGreaterThanOrEqual(2_000);
  expect(heard.at(-1).text).toBe(last);
});

test("other pages: axe-core finds nothing, light and dark", async ({ page, problems }) => {
  problems.expect(/404|request failed|Failed to load/);
  const failing = async () => {
    await page.route("**/*.wasm", (route) => route.fulfill({ status: 404, body: "" }));
    await page.goto(`l/${lessons[0].slug}/`);
    await expect(page.getByRole("button", { name: "Try again" })).toBeVisible();
  };
  const recovered = async () => {
    await page.unroute("**/*.wasm");
    await page.getByRole("button", { name: "Try again" }).click();
    await expect(page.getByRole("button", { name: "Play", exact: true })).toBeVisible();
  };
  for (const reach of [failing, recovered, () => open(page), () => open(page, `embed/${lessons[0].slug}/`), () => page.goto("authors/")]) {
    await reach();
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      await rested(page);
      await expectAccessible(page);
    }
  }
});

test("the catalogue by keyboard leads to a lesson and back, and the focus follows", async ({ page }) => {
  await open(page);
  await tabTo(page, page.getByRole("link", { name: lessons[0].title }));
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: lessons[0].title })).toBeFocused();
  await tabTo(page, page.getByRole("link", { name: "Loadlab" }), "Shift+Tab");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("searchbox")).toBeVisible();
  await expect(page.getByRole("heading", { level: 1 })).toBeFocused();
});

test.describe("touch", () => {
  test.use({ hasTouch: true, isMobile: true, viewport: { width: 390, height: 844 } });

  test("targets are large enough for a finger", async ({ page }) => {
    for (const lesson of some) {
      const player = await open(page, `l/${lesson.slug}/`);
      await player.seek(4);
      await ask(player, randomFrom(1));
      await rested(page);
      await expectTargets(page, 40);
    }
    await open(page);
    await expectTargets(page, 40);
  });
});
