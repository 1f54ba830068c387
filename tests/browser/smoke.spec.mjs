// Every lesson, in one short test: what its own model, view and words can break. What is the same code for all lessons
// is tested in full on some, in the other files.
import {
  test, expect, each, open, expectAccessible, expectNoSidewaysScroll, expectReadableStage, frames,
} from "./kit.mjs";
import { prepare } from "./fuzz.mjs";

/** The windows in which a lesson must fit: the narrowest, a phone, a tablet, and one wider than any stage. */
const WIDTHS = [[320, 640], [390, 844], [768, 1024], [2560, 1300]];

test.beforeEach(({ context }) => context.addInitScript(prepare));

/** Fails on whatever is drawn outside the stage or its card, or has no size. */
const expectSound = async (page) => expect(await page.evaluate(() => fuzz.look()), "faults of the picture").toEqual([]);
const picture = (page) => page.evaluate(() => fuzz.picture());

for (const lesson of each) {
  test(`${lesson.slug} loads, runs, steps, goes back, speaks and fits`, async ({ page }) => {
    const player = await open(page, `l/${lesson.slug}/`);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(lesson.title);

    // What Next leads to is said, two seconds after what was said before at the latest; meanwhile the page is examined.
    await player.nextStep();
    await player.rested();
    const caption = await player.caption.textContent();
    expect(caption).toMatch(/\w/);
    await expectSound(page);
    await expectAccessible(page);
    await expect(player.spoken).toContainText(caption);

    // Steps, and goes away and back to the very picture.
    const from = await player.seconds();
    await player.stepForward.click();
    await player.rested();
    await player.stepForward.click();
    await player.rested();
    expect(await player.seconds()).toBeGreaterThanOrEqual(from);
    // The axis of a lesson in slow motion ends before, and grows with the run.
    const end = Number(await player.time.getAttribute("max"));
    const [early, late] = end < 6 ? [end / 4, end / 2] : [2, 6];
    await player.seek(early);
    await player.rested();
    const seen = await picture(page);
    await player.seek(late);
    await player.rested();
    await expectSound(page);
    expect(await picture(page)).not.toEqual(seen);
    await player.seek(early);
    await player.rested();
    expect(await picture(page)).toEqual(seen);

    await player.play.click();
    await expect.poll(() => player.seconds()).toBeGreaterThan(early);
    await player.pause.click();

    for (const [width, height] of WIDTHS) {
      await page.setViewportSize({ width, height });
      await frames(page, 2);
      await player.rested();
      await expectNoSidewaysScroll(page);
      await expectReadableStage(page);
      await expectSound(page);
    }

    // In a course's page, as it is embedded.
    await page.setViewportSize({ width: 800, height: 560 });
    const embedded = await open(page, `embed/${lesson.slug}/`);
    await embedded.rested();
    await expectNoSidewaysScroll(page);
    await expectReadableStage(page);
    expect(await page.evaluate(() => document.documentElement.scrollHeight), "height of the document").toBeLessThanOrEqual(560);
    await embedded.play.click();
    await expect.poll(() => embedded.seconds()).toBeGreaterThan(0);
  });
}
