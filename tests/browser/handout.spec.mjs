// Hand-outs: what a teacher prints is whole, has boxes and no buttons, and answers only where they are asked for.
import { test, expect, open, some } from "./kit.mjs";

// Inner sides of Letter and A4, in CSS pixels, within margins of 16 mm.
const PAPERS = { letter: 816 - 121, a4: 794 - 121 };

for (const { slug, title } of some) {
  test(`${title}: a hand-out to print, and answers where they are asked for`, async ({ page }) => {
    await page.emulateMedia({ media: "print" });
    await page.goto(`l/${slug}/handout/`);
    await expect(page.getByRole("heading", { level: 1, name: title })).toBeVisible();
    await expect(page.locator(".tool")).toBeHidden();
    await expect(page.locator("button, input")).toHaveCount(0);
    const answers = page.locator("#answers");
    await expect(answers).toBeHidden();
    for (const [paper, width] of Object.entries(PAPERS)) {
      await page.setViewportSize({ width, height: 900 });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      expect(wide, `${paper} is not wide enough`).toBeLessThanOrEqual(width);
    }
    const pictures = page.locator("figure img");
    for (const picture of await pictures.all()) {
      await picture.evaluate((image) => image.decode());
      expect(await picture.evaluate((image) => image.getBoundingClientRect().height)).toBeGreaterThan(100);
    }
    for (const glyph of await page.locator(".glyph:visible").all()) {
      expect((await glyph.boundingBox()).height, "a sign among words is as high as they").toBeLessThan(20);
    }
    for (const option of await page.locator(".ask li").all()) {
      expect(await option.evaluate((item) => parseFloat(getComputedStyle(item, "::before").borderTopWidth))).toBeGreaterThan(0);
    }
    for (const end of ["?answers=1", "#answers"]) {
      await page.goto("about:blank");
      await page.goto(`l/${slug}/handout/${end}`);
      await expect(answers, end).toBeVisible();
      expect(await answers.evaluate((part) => getComputedStyle(part).breakBefore)).toBe("page");
    }
    await page.goto(`l/${slug}/handout/?answers=0`);
    await expect(answers).toBeHidden();
  });

  test(`${title}: on paper a lesson has its whole stage and nothing to press`, async ({ page }) => {
    await open(page, `l/${slug}/?beat=2`);
    await page.emulateMedia({ media: "print" });
    for (const [paper, width] of Object.entries(PAPERS)) {
      await page.setViewportSize({ width, height: 1_000 });
      await expect(page.locator(":is(button, input):not(.visually-hidden *):visible")).toHaveCount(0);
      const stage = await page.locator(".stage-svg").first().boundingBox();
      expect(stage.x + stage.width, paper).toBeLessThanOrEqual(width);
      expect(stage.height).toBeGreaterThan(100);
      await expect(page.locator(".notes")).toBeVisible();
    }
  });
}
