// The page is the lesson at rest before its program is there: the program takes over in the same places, nothing moves, and
// what was pressed meanwhile is answered.
import { test, expect, drag, each, ready, some, Player } from "./kit.mjs";

/** What stands still, by its place in the page. */
const PLACES = [".top", ".lesson-head", ".stages", ".stage-view", ".stage-key", ".story", ".story-head", ".story-caption", ".tape", ".transport", ".clock", ".tracks", ".lane", ".axis", ".drawers", ".knobs"];
/** The same of the catalogue. */
const LISTED = [".top", ".top .icon-btn", ".catalogue-head", ".catalogue-head .field", ".routes", ".routes li:last-child .route", ".chapter", ".chapter-head", ".card", ".card-still", ".card-body"];
/** The parts of the page whose controls `assets/boot.js` hands over by their order. */
const PARTS = [".top", ".story", ".transport", ".knobs", "[data-panel=actions]", "[data-panel=challenges]", ".drawers"];
const CONTROLS = "button, input, summary";

/** Opens a page whose program does not come before `come` is called. */
async function held(page, path) {
  let come;
  const coming = new Promise((resolve) => (come = resolve));
  await page.route(/_bg\.wasm$/, async (route) => {
    await coming;
    await route.continue();
  });
  await page.addInitScript(() => {
    globalThis.shifts = [];
    globalThis.largest = [];
    new PerformanceObserver((list) => list.getEntries().forEach(({ value, sources }) => globalThis.shifts.push({ value, of: sources.map(({ node }) => node?.className ?? "") }))).observe({ type: "layout-shift", buffered: true });
    new PerformanceObserver((list) => list.getEntries().forEach(({ size, element }) => globalThis.largest.push({ size, of: element?.className ?? "" }))).observe({ type: "largest-contentful-paint", buffered: true });
  });
  await page.goto(path);
  await page.evaluate(async () => {
    await document.fonts.ready;
    for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame);
  });
  return async () => {
    come();
    await ready(page);
    return new Player(page);
  };
}

/** Where everything stands that is shown, rounded to whole pixels. */
const places = (page, of = PLACES) =>
  page.evaluate((places) => {
    const shown = (what) => [...document.querySelectorAll(what)].find((element) => element.checkVisibility({ visibilityProperty: true }));
    const found = places.map((place) => [place, shown(place)?.getBoundingClientRect()]);
    return Object.fromEntries(found.map(([place, box]) => [place, box && box.height ? [box.x, box.y, box.width, box.height].map(Math.round).join(" ") : "none"]));
  }, of);

/** The names of the controls of each part, in order. */
const names = (page, root) =>
  page.evaluate(
    ([root, parts, controls]) => {
      const name = (control) => control.getAttribute("aria-label")?.split(":")[0] || (control.labels?.[0] ?? control).textContent.trim();
      const of = (part) => [...(document.querySelector(`${root} ${part}`)?.querySelectorAll(controls) ?? [])];
      // Settings behind the fold come with the program, after all that the page has.
      return Object.fromEntries(parts.map((part) => [part, of(part).filter((control) => !control.closest(".more") || control.matches(".more > summary")).map(name)]));
    },
    [root, PARTS, CONTROLS],
  );

test.use({ screenshot: "off" });

for (const { slug } of each) {
  test(`${slug} stands in its page as it opens`, async ({ page }) => {
    const come = await held(page, `l/${slug}/`);
    const [before, controls] = [await places(page), await names(page, "#static")];
    const caption = await page.locator("#static .story-caption").textContent();
    const values = await page.locator("#static .knobs output").allTextContents();
    const player = await come();
    await player.rested();
    expect(await places(page)).toEqual(before);
    expect(await names(page, "#app")).toEqual(controls);
    await expect(player.caption).toHaveText(caption);
    expect((await page.locator("#app .knobs > .knob-place output").allTextContents())).toEqual(values);
    expect(await page.evaluate(() => globalThis.shifts), "nothing moves").toEqual([]);
  });
}

const FRAMES = [
  ["a window", "l", 1366, 640],
  ["a telephone", "l", 412, 823],
  ["an embed", "embed", 800, 560],
  ["a tall embed", "embed", 800, 900],
  ["a small embed", "embed", 360, 480],
];
for (const { slug } of some) {
  for (const [what, folder, width, height] of FRAMES) {
    test(`${slug} opens in place in ${what}`, async ({ page }) => {
      await page.setViewportSize({ width, height });
      const come = await held(page, `${folder}/${slug}/`);
      const before = await places(page);
      // The browser tells of a paint some time after it.
      await expect.poll(() => page.evaluate(() => globalThis.largest.length)).toBeGreaterThan(0);
      const largest = await page.evaluate(() => globalThis.largest.at(-1));
      const player = await come();
      await player.rested();
      expect(await places(page)).toEqual(before);
      expect(await page.evaluate(() => globalThis.shifts), "nothing moves").toEqual([]);
      expect(await page.evaluate(() => globalThis.largest.at(-1)), "the largest paint came with the page").toEqual(largest);
    });
  }
}

const [{ slug }] = some;

test("what is pressed before the program is there is answered by it", async ({ page }) => {
  const come = await held(page, `l/${slug}/`);
  const still = new Player(page);
  const slider = page.locator("#static .knobs input[type=range]").first();
  const label = await slider.evaluate((input) => input.labels[0].textContent);
  const max = Number(await slider.getAttribute("max"));
  await drag(slider, max);
  await still.next.click();
  await expect(still.next).toHaveAttribute("data-waits", "");
  await still.next.focus();
  const player = await come();
  await expect(player.step).toHaveText(/^Step 2 of /);
  await expect(player.next).toBeFocused();
  await expect(player.knob(label)).toHaveValue(String(max));
});

test("a key pressed before the program is there is answered by it", async ({ page }) => {
  const come = await held(page, `l/${slug}/`);
  await page.keyboard.press("3");
  const player = await come();
  await player.atStep(3);
});

test("what an address hides or locks is neither there before", async ({ page }) => {
  const come = await held(page, `l/${slug}/?hide=title,actions,challenges,tape,share&lock=all`);
  const before = [await places(page), await names(page, "#static")];
  expect(await page.locator("#static .knobs input:enabled").count()).toBe(0);
  const player = await come();
  await player.rested();
  expect([await places(page), await names(page, "#app")]).toEqual(before);
});

test("challenges that the author leaves no way to are not there before either", async ({ page }) => {
  const tried = (root) => page.locator(`${root} .challenge .link`).allTextContents();
  const all = [];
  for (const query of ["", "lock=load", "hide=actions", "hide=knobs", "lock=all&hide=actions"]) {
    const come = await held(page, `l/load-balancing/?${query}`);
    const before = await tried("#static");
    const panels = await page.locator("#static [data-panel=challenges]").count();
    await (await come()).rested();
    expect(before, query).toEqual(await tried("#app"));
    expect(panels, query).toBe(before.length > 0 ? 1 : 0);
    all.push(before.length);
    await page.unrouteAll();
  }
  expect(all[0]).toBeGreaterThan(all[1]);
  expect(all.at(-1)).toBe(0);
});

test("challenges wait where an address leads into the lesson", async ({ page }) => {
  const come = await held(page, "l/load-balancing/?lock=load&p.load=20");
  await expect(page.locator("#static .challenges")).toBeHidden();
  await come();
  await expect(page.locator("#app .challenges")).toBeVisible();
});

test("an address that leads into the lesson does not show its opening first", async ({ page }) => {
  const come = await held(page, `l/${slug}/?beat=3`);
  await expect(page.locator("#static .story-caption")).toBeHidden();
  await expect(page.locator("#static .stage-svg").first()).toBeHidden();
  await (await come()).atStep(3);
});

test("nothing is asked for late", async ({ page }) => {
  const asked = [];
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  const come = await held(page, `l/${slug}/`);
  const before = new Set(asked);
  await (await come()).rested();
  // What no start runs comes at the first sign of a reader.
  expect(asked.filter((path) => !before.has(path) && !/rest\.wasm$/.test(path))).toEqual([]);
  expect(asked.filter((path, at) => asked.indexOf(path) !== at), "nothing is asked for twice").toEqual([]);
});

for (const [width, height] of [[1280, 900], [390, 844]]) {
  test(`the catalogue stands in its page as it opens, ${width} wide`, async ({ page }) => {
    await page.setViewportSize({ width, height });
    const come = await held(page, "");
    const before = await places(page, LISTED);
    expect(Object.values(before), "all of them are shown").not.toContain("none");
    const text = (root) => page.locator(`${root} main`).evaluate((main) => [...main.querySelectorAll("h1, :not(#boot) > h2, h3, .question, .route, .chapter-head small, .card p")].map((element) => element.textContent));
    const told = await text("#static");
    await come();
    expect(await places(page, LISTED)).toEqual(before);
    expect(await text("#app")).toEqual(told);
    expect(await page.evaluate(() => globalThis.shifts), "nothing moves").toEqual([]);
  });
}

test("what is looked for in the catalogue before its program is there is found by it", async ({ page }) => {
  const come = await held(page, "");
  await page.getByRole("searchbox").fill("merkle");
  await come();
  await expect(page.getByRole("searchbox")).toHaveValue("merkle");
  await expect(page.getByRole("searchbox")).toBeFocused();
  await expect(page.getByRole("link", { name: /Merkle tree/ })).toBeVisible();
  await expect(page.getByRole("link", { name: /Load balancing/ })).toBeHidden();
});

test("a path that is pressed before the program is there is shown by it", async ({ page }) => {
  const come = await held(page, "");
  const path = page.getByRole("button", { name: /^Inside a database/ });
  await path.click();
  await come();
  await expect(path).toHaveAttribute("aria-pressed", "true");
  await expect(page.getByRole("heading", { name: "Inside a database", level: 2 }).first()).toBeVisible();
});

test("who has been here before sees a catalogue of their own only", async ({ page }) => {
  await page.addInitScript(() => localStorage.setItem("loadlab.last", "caching"));
  const come = await held(page, "");
  await expect(page.locator("#static .card").first()).toBeHidden();
  await come();
  await expect(page.locator("#app .card").first()).toBeVisible();
});
