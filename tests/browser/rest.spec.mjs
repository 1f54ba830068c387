// What no start of a page runs stays away until somebody uses the page; then it comes unnoticed.
//
// What is late is a measured list that may be out of date. That only costs bytes, so no test here depends on it: where a
// start calls what is listed as late, the report says that it is time for `make starts`.
import { readdirSync, readFileSync } from "node:fs";
import { test, expect, open, ready, some } from "./kit.mjs";

const dist = new URL("../../dist/", import.meta.url);
const REST = /[_.]rest\.wasm$/;
const [{ slug }] = some;

/** Has the page itself write down, in order, each sign of a learner and how each rest is asked for and joined. */
async function log(page) {
  await page.addInitScript(() => {
    const done = (globalThis.restLog = []);
    const { fetch, XMLHttpRequest } = globalThis;
    globalThis.fetch = (address, ...more) => {
      if (/[_.]rest\.wasm$/.test(address)) done.push("fetch");
      return fetch(address, ...more);
    };
    const { open } = XMLHttpRequest.prototype;
    XMLHttpRequest.prototype.open = function (method, address, ...more) {
      if (/[_.]rest\.wasm$/.test(address)) done.push("call");
      return open.call(this, method, address, ...more);
    };
    WebAssembly.Instance = new Proxy(WebAssembly.Instance, {
      construct(Instance, given) {
        const instance = new Instance(...given);
        done.push("joined");
        return instance;
      },
    });
    // Written down before the page's own listeners are called.
    for (const sign of ["pointerover", "pointerdown", "keydown", "focusin", "message"]) {
      globalThis.addEventListener(sign, () => done.push("sign"), true);
    }
  });
}

/** What was written down so far; signs that follow each other count once. */
const logged = (page) =>
  page.evaluate(() => globalThis.restLog.filter((what, at, all) => what !== "sign" || all[at - 1] !== "sign"));

/** How many rests the page of a lesson has: that of the program, those of the lesson's chunks, and its own. */
function restsOf(slug) {
  const names = readdirSync(dist);
  const page = readFileSync(new URL(`l/${slug}/index.html`, dist), "utf8");
  const chunks = (/ data-chunks="([^"]*)"/.exec(page)?.[1] ?? "").split(";").map((chunk) => chunk.split(" "));
  const mine = chunks.filter(([, , ...slugs]) => slugs.includes(slug)).map(([name]) => `_${name}.chunk.rest.wasm`);
  return ["_rest.wasm", `_${slug}.rest.wasm`, ...mine].filter((end) => names.some((name) => name.endsWith(end))).length;
}

/** Presses a button as a script would, without the signs that a hand gives. */
const press = (page, name) => page.getByRole("button", { name, exact: true }).first().evaluate((button) => button.click());

/** Tells whether the start itself called something that is listed as late. */
function called(start, of) {
  const stale = start.includes("call");
  if (stale) test.info().annotations.push({ type: "stale", description: `${of} calls late code at its start: make starts` });
  return stale;
}

/** Nothing brings the rest before the first sign of a learner, and that brings all of it. */
async function startsWithout(page, slug, address) {
  const count = restsOf(slug);
  await log(page);
  await open(page, address);
  await page.mouse.move(300, 300);
  await page.mouse.move(310, 310);
  const joined = async () => (await logged(page)).filter((what) => what === "joined").length;
  await expect.poll(joined).toBe(count);
  const all = await logged(page);
  const start = all.slice(0, all.indexOf("sign"));
  expect(start.filter((what) => what === "fetch")).toEqual([]);
  if (called(start, address)) return;
  expect(all.filter((what) => what === "fetch")).toHaveLength(count);
}

for (const { slug } of some) {
  test(`the page of ${slug} starts without the rest`, async ({ page }) => {
    await startsWithout(page, slug, `l/${slug}/`);
  });

  test.describe("on a phone", () => {
    test.use({ viewport: { width: 412, height: 823 }, deviceScaleFactor: 1.75 });

    test(`the page of ${slug} starts without the rest`, async ({ page }) => {
      await startsWithout(page, slug, `l/${slug}/`);
    });
  });

  test(`a frame in which ${slug} plays at once starts without the rest`, async ({ page }) => {
    await startsWithout(page, slug, `embed/${slug}/?autoplay=1`);
  });
}

test("what comes at the first sign serves what is pressed then", async ({ page }) => {
  await log(page);
  await open(page, `l/${slug}/`);
  const count = restsOf(slug);
  await page.mouse.move(300, 300);
  await page.mouse.move(310, 310);
  // Who presses before they are there waits on the spot, which is another test.
  const joined = async () => (await logged(page)).filter((what) => what === "joined").length;
  await expect.poll(joined).toBe(count);
  const before = (await logged(page)).filter((what) => what !== "sign");
  await press(page, "Share");
  await expect(page.getByRole("dialog")).toBeVisible();
  expect((await logged(page)).filter((what) => what !== "sign")).toEqual(before);
});

test("what needs it earlier waits for it", async ({ page }) => {
  await log(page);
  await open(page, `l/${slug}/`);
  called(await logged(page), slug);
  await press(page, "Share");
  await expect(page.getByRole("dialog")).toBeVisible();
  expect((await logged(page)).slice(0, 2)).toEqual(["call", "joined"]);
});

/** Whether the start itself needed something that is late, so that it may not be missed. */
async function has(page) {
  return (await logged(page)).includes("joined");
}

/** What a host may have in the place of a file that was there when the page was loaded. */
const DEPLOYED = {
  "is gone": (route) => route.fulfill({ status: 404, body: "no such file" }),
  "is a page now": (route) => route.fulfill({ contentType: "text/html", body: "<!doctype html><title>Home</title>" }),
  "is cut short": async (route) => {
    const whole = await route.fetch();
    await route.fulfill({ contentType: "application/wasm", body: (await whole.body()).subarray(0, 500) });
  },
};

for (const [what, answer] of Object.entries(DEPLOYED)) {
  test.describe(`a file of an earlier build ${what}`, () => {
    test("the page says so at the first sign, and again whenever it is missed", async ({ page, problems }) => {
      await log(page);
      await open(page, `l/${slug}/`);
      await page.route(REST, answer);
      test.skip(await has(page), "what is pressed below may be there since the start");
      // Messages for whoever looks into the console, but nothing that nobody caught.
      problems.expect(/[_.]rest\.wasm|CompileError|Trouble|404/);
      await page.mouse.move(300, 300);
      await page.mouse.move(310, 310);
      await expect(page.getByRole("status").filter({ hasText: /missing on the server|version of the site/ }).getByRole("button", { name: "Reload the page" }).first()).toBeVisible();
      const dialog = page.getByRole("alertdialog");
      for (const time of ["once", "and again"]) {
        await press(page, "Share");
        await expect(dialog, time).toContainText(/missing on the server|another version of the site/);
        await page.keyboard.press("Escape");
        await expect(dialog).toBeHidden();
      }
      await page.unroute(REST);
      await press(page, "Share").catch(() => {});
      await press(page, "Reload the page");
      await ready(page);
      await press(page, "Share");
      await expect(page.getByRole("dialog")).toBeVisible();
    });

    test("a run that plays is in the address when the page is loaded anew", async ({ page, problems }) => {
      await log(page);
      await open(page, `embed/${slug}/?autoplay=1`);
      await page.route(REST, answer);
      test.skip(await has(page), "what is pressed below may be there since the start");
      problems.expect(/[_.]rest\.wasm|CompileError|Trouble|404/);
      const clock = page.locator(".scrub");
      // Time itself may be the first that misses a piece.
      await expect.poll(async () => Number(await clock.inputValue())).toBeGreaterThan(0);
      await press(page, "Share");
      const at = Number(await clock.inputValue());
      await page.unroute(REST);
      await page.getByRole("alertdialog").getByRole("button", { name: "Reload the page" }).click();
      await expect.poll(() => Number(new URL(page.url()).searchParams.get("at"))).toBeGreaterThanOrEqual(at);
      await ready(page);
      await expect.poll(async () => Number(await clock.inputValue())).toBeGreaterThanOrEqual(at);
    });

    test("the way to a lesson leads to its own page", async ({ page, problems }) => {
      // What the way itself needs of the rest may be missed before the lesson's own part is.
      problems.allow(/[_.]rest\.wasm|CompileError|Trouble|404/);
      await open(page, `l/${slug}/`);
      test.skip(!restsOf(slug), "the program is one file");
      // Its page, which is of the new build, names files that are there.
      let deployed = true;
      page.on("request", (request) => { if (request.isNavigationRequest()) deployed = false; });
      await page.route(/_[\w-]+\.wasm$/, (route) => deployed ? answer(route) : route.continue());
      const card = page.locator(".next-card").first();
      const to = new URL(await card.getAttribute("href"), page.url()).pathname;
      // Without a pointer, over whose way something else may be missed first.
      await card.evaluate((card) => card.click());
      await expect.poll(() => deployed).toBe(false);
      await ready(page);
      expect(new URL(page.url()).pathname).toBe(to);
      await expect(page.getByRole("button", { name: "Play", exact: true })).toBeVisible();
    });
  });
}

test("a rest of another lesson says so instead of doing nothing", async ({ page, problems }) => {
  const other = some.find((lesson) => lesson.slug !== slug && restsOf(lesson.slug)).slug;
  await log(page);
  await open(page, `l/${slug}/`);
  test.skip(await has(page), "this page has it from its start");
  problems.expect(/Maximum call stack|LinkError|RuntimeError/);
  await page.route(/(_|\.)rest\.wasm$/, async (route) => {
    const [name] = readdirSync(dist).filter((name) => name.endsWith(`_${other}.rest.wasm`));
    await route.fulfill({ contentType: "application/wasm", body: readFileSync(new URL(name, dist)) });
  });
  await press(page, "Share").catch(() => {});
  await expect(page.getByRole("alertdialog").getByRole("button", { name: "Reload the page" })).toBeVisible();
});

test("a page that cannot get it says so", async ({ page, problems }) => {
  await log(page);
  await open(page, `l/${slug}/`);
  test.skip(called(await logged(page), slug), "this page has it from its start");
  problems.expect(/[_.]rest\.wasm|NetworkError|Failed to (load|execute)/);
  await page.route(REST, (route) => route.abort());
  await press(page, "Share").catch(() => {});
  await expect(page.getByRole("alertdialog")).toContainText("could not be fetched");
  await page.unroute(REST);
  await page.getByRole("button", { name: "Reload the page" }).click();
  await ready(page);
  await press(page, "Share");
  await expect(page.getByRole("dialog")).toBeVisible();
});
