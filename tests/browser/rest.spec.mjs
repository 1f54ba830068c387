// What no start of a page runs stays away until somebody uses the page; then it comes unnoticed.
import { test, expect, lessons, open, ready } from "./kit.mjs";

const REST = /[_.]rest\.wasm$/;
const [{ slug }] = lessons;

/** Notes whether and how the rest is asked for. */
function asked(page) {
  const kinds = [];
  page.on("request", (request) => REST.test(request.url()) && kinds.push(request.resourceType()));
  return kinds;
}

/** Presses a button as a script would, without the signs that a hand gives. */
const press = (page, name) => page.getByRole("button", { name, exact: true }).first().evaluate((button) => button.click());

// If these fail after a change of the site, `make starts` brings the list up to date.
for (const { slug } of lessons) {
  test(`the page of ${slug} starts without the rest`, async ({ page }) => {
    const kinds = asked(page);
    await open(page, `l/${slug}/`);
    await page.waitForTimeout(500);
    expect(kinds).toEqual([]);
  });

  test.describe("on a phone", () => {
    test.use({ viewport: { width: 412, height: 823 }, deviceScaleFactor: 1.75, isMobile: true, hasTouch: true });

    test(`the page of ${slug} starts without the rest`, async ({ page }) => {
      const kinds = asked(page);
      await open(page, `l/${slug}/`);
      await page.waitForTimeout(500);
      expect(kinds).toEqual([]);
    });
  });

  test(`a frame in which ${slug} plays at once starts without the rest`, async ({ page }) => {
    const kinds = asked(page);
    await open(page, `embed/${slug}/?autoplay=1`);
    expect(kinds).toEqual([]);
  });
}

test("the first sign of a learner brings it", async ({ page }) => {
  const kinds = asked(page);
  await page.addInitScript(() => {
    globalThis.joined = 0;
    WebAssembly.Instance = new Proxy(WebAssembly.Instance, {
      construct(Instance, given) {
        const instance = new Instance(...given);
        globalThis.joined++;
        return instance;
      },
    });
  });
  await open(page, `l/${slug}/`);
  const before = await page.evaluate(() => globalThis.joined);
  await page.mouse.move(300, 300);
  // That of the program and that of the lesson.
  await expect.poll(() => kinds).toEqual(["fetch", "fetch"]);
  // Who presses before they are there waits on the spot, which is another test.
  await expect.poll(() => page.evaluate(() => globalThis.joined)).toBe(before + 2);
  await press(page, "Share");
  await expect(page.getByRole("dialog")).toBeVisible();
  expect(kinds).toEqual(["fetch", "fetch"]);
});

test("what needs it earlier waits for it", async ({ page }) => {
  const kinds = asked(page);
  await open(page, `l/${slug}/`);
  await press(page, "Share");
  await expect(page.getByRole("dialog")).toBeVisible();
  expect(kinds).toEqual(["xhr", "xhr"]);
});

test("a page that cannot get it says so", async ({ page, problems }) => {
  problems.expect(/[_.]rest\.wasm|NetworkError|Failed to (load|execute)/);
  await page.route(REST, (route) => route.abort());
  await open(page, `l/${slug}/`);
  await press(page, "Share").catch(() => {});
  await expect(page.getByRole("alertdialog")).toContainText("could not be fetched");
  await page.unroute(REST);
  await page.getByRole("button", { name: "Reload the page" }).click();
  await ready(page);
  await press(page, "Share");
  await expect(page.getByRole("dialog")).toBeVisible();
});
