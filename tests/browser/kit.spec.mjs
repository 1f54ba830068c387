// The kit itself: a watch that never barks would let every other test pass for nothing.
import { test, expect, expectAccessible, expectNoSidewaysScroll } from "./kit.mjs";

const blank = "<!doctype html><html lang=en><title>Blank</title><main><h1>Blank</h1></main>";

/** An empty page of the site's own origin, whatever the site's own pages do. */
async function visit(page, body = blank) {
  await page.route("**/kit-test", (route) => route.fulfill({ contentType: "text/html", body }));
  await page.goto("kit-test");
}

test("a quiet page passes", async ({ page }) => {
  await visit(page);
});

for (const [what, complaint, act] of [
  ["a console message", /console\.info: x/, () => console.info("x")],
  ["an uncaught error", /uncaught: .*thrown/, () => setTimeout(() => { throw new Error("thrown"); })],
  ["an unhandled rejection", /uncaught: .*rejected/, () => { Promise.reject(new Error("rejected")); }],
  ["a missing file of the site", /response 404: .*\/none/, () => fetch("none").then(() => 0)],
  [
    "a request to another origin",
    /request to another origin: http:\/\/127\.0\.0\.1:9\//,
    () => fetch("http://127.0.0.1:9/", { mode: "no-cors" }).catch(() => 0),
  ],
]) {
  test(`${what} is noticed`, async ({ page, problems }) => {
    await visit(page);
    await page.evaluate(act);
    await expect.poll(() => problems.report().join("\n")).toMatch(complaint);
    // Every such act is also reported by the browser's own words, which this test has now seen.
    problems.expect(/./);
  });
}

test("an announced message passes, and counts as missing until it comes", async ({ page, problems }) => {
  problems.expect(/console\.warning: seed/);
  await visit(page);
  expect(problems.report()).toEqual(["never came: /console\\.warning: seed/"]);
  await page.evaluate(() => console.warn("seed is not a number"));
});

test("an inaccessible control is noticed", async ({ page }) => {
  await visit(page, blank.replace("</main>", "<button></button></main>"));
  await expect(expectAccessible(page)).rejects.toThrow(/button-name/);
});

test("a page wider than its window is noticed", async ({ page }) => {
  await visit(page, blank.replace("</main>", "<div style='width:3000px'>wide</div></main>"));
  await expect(expectNoSidewaysScroll(page)).rejects.toThrow();
});
