// What frames of course sites showed: sandboxes, themes, slides, shadow roots, addresses without their last slash, an
// author's locks, files that cannot be saved, and frames that nobody fits to the lesson.
import { connected, course, framed, heard, host, iframe, port, send } from "./course.mjs";
import { test, expect, open, ready, some } from "./kit.mjs";

const BALANCING = "load-balancing";
test.use({ origins: [course] });

const script = `<script type="module" src="http://127.0.0.1:${port}/embed.js"></script>`;
const dark = (player) => expect(player.place.locator("html[data-theme=dark]")).toBeAttached();
const light = (player) => expect(player.place.locator("html[data-theme=light]")).toBeAttached();

test.describe("a frame that allows scripts and nothing else", () => {
  for (const { slug } of some) {
    test(`everything in ${slug} can be pressed`, async ({ page, problems }) => {
      // What such a frame forbids it says itself; that nothing depends on it is what is tested.
      problems.expect(/^/);
      await host(page, iframe(slug, { query: "links=0", attributes: `sandbox="allow-scripts"` }));
      const player = await framed(page);
      await connected(page);
      expect(await player.place.locator("form").count(), "forms in an embed").toBe(0);
      const steps = await player.steps();
      for (let step = 1; step <= steps; step++) {
        await send(page, "beat", { n: step });
        await player.atStep(step);
        if (!(await player.asks())) continue;
        // A number is locked in by a button as an answer is chosen by one.
        await player.answers.first().evaluate((answer) => answer.click());
        await expect(player.guess).toBeVisible();
      }
      const pressed = await player.place.locator("html").evaluate(async () => {
        const seen = new Set();
        const next = () => [...document.querySelectorAll("button, summary, input, select")].find((one) => !seen.has(name(one)) && one.checkVisibility());
        const name = (one) => `${one.tagName} ${one.id} ${one.name ?? ""} ${one.ariaLabel ?? ""} ${one.textContent.slice(0, 60).replace(/[\d.]+/g, "#")}`;
        for (let one = next(); one && seen.size < 200; one = next()) {
          seen.add(name(one));
          one.click();
          if (one.type === "range") one.dispatchEvent(new Event("input", { bubbles: true }));
          await new Promise(requestAnimationFrame);
        }
        return seen.size;
      });
      expect(pressed).toBeGreaterThan(15);
      await expect(player.place.locator("html[data-failed]")).toHaveCount(0);
      await expect(player.place.locator(".stage-svg .part").first()).toBeAttached();
      const complaints = problems.seen.filter((text) => !/sandbox|Download is disallowed|permissions policy/i.test(text));
      expect(complaints).toEqual([]);
    });
  }
});

test("a lock on every knob leaves a question's own slider free", async ({ page }) => {
  await host(page, iframe("consistent-hashing", { query: "lock=all" }));
  const player = await framed(page);
  await connected(page);
  await send(page, "beat", { n: 2 });
  await player.atStep(2);
  await expect(player.story.getByRole("slider")).toBeEnabled();
});

test.describe("light and dark", () => {
  for (const [theme, system] of [["dark", "light"], ["light", "dark"]]) {
    test(`theme=${theme} on a ${system} system shows from the first frame on`, async ({ page }) => {
      await page.emulateMedia({ colorScheme: system });
      let release;
      const held = new Promise((resolve) => { release = resolve; });
      await page.route("**/*.wasm", async (route) => { await held; await route.continue(); });
      // The script that settles it is waited for: nothing is painted before it.
      let boot;
      const asked = new Promise((resolve) => { boot = resolve; });
      await page.route(/\/boot-?\w*\.js/, (route) => boot(route));
      const opened = page.goto(`embed/${BALANCING}/?theme=${theme}`, { waitUntil: "commit" });
      const route = await asked;
      await opened;
      expect(await page.evaluate(() => performance.getEntriesByType("paint").length)).toBe(0);
      expect(await page.evaluate(() => document.body)).toBeNull();
      await route.continue();
      await expect(page.getByRole("heading", { name: "Loading the lesson" })).toBeVisible();
      const ground = () => page.evaluate(() => {
        const [red] = getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number);
        return { dark: red < 100, scheme: getComputedStyle(document.documentElement).colorScheme, told: document.querySelector("meta[name=color-scheme]").content };
      });
      expect(await ground()).toEqual({ dark: theme === "dark", scheme: theme, told: theme });
      release();
      await ready(page);
      expect(await ground()).toEqual({ dark: theme === "dark", scheme: theme, told: theme });
    });
  }

  test("the theme that a reader took last shows from the first frame on", async ({ page }) => {
    await page.addInitScript(() => localStorage.setItem("loadlab.theme", "dark"));
    await page.route("**/*.wasm", () => {});
    await page.goto(`l/${BALANCING}/`, { waitUntil: "domcontentloaded" });
    await expect(page.locator("html[data-theme=dark]")).toBeAttached();
    await page.unrouteAll({ behavior: "ignoreErrors" });
  });

  test("the element follows the page around it, whatever the system prefers", async ({ page }) => {
    await page.emulateMedia({ colorScheme: "dark" });
    await host(page, `<style>html { color-scheme: light } html.night { color-scheme: dark }</style><script>window.connects = false</script>
      <loadlab-lesson lesson="${BALANCING}"></loadlab-lesson>${script}`);
    const player = await framed(page);
    await light(player);
    await page.evaluate(() => document.documentElement.classList.add("night"));
    await dark(player);
    await page.evaluate(() => document.documentElement.classList.remove("night"));
    await light(player);
    // An author's word stays.
    await page.evaluate(() => document.querySelector("loadlab-lesson").setAttribute("theme", "dark"));
    await dark(player);
    await page.evaluate(() => document.documentElement.classList.add("other"));
    await page.evaluate(() => new Promise(requestAnimationFrame));
    await dark(player);
    await page.evaluate(() => document.querySelector("loadlab-lesson").removeAttribute("theme"));
    await light(player);
  });

  test("a page that says nothing is judged by the colour of its words", async ({ page }) => {
    await host(page, `<style>body { color: black } body.night { color: #ddd; background: #111 }</style><script>window.connects = false</script>
      <loadlab-lesson>${iframe(BALANCING)}</loadlab-lesson>${script}`);
    const player = await framed(page);
    await page.evaluate(() => document.body.classList.add("night"));
    await dark(player);
  });

  test("a plain frame follows the system", async ({ page }) => {
    await page.emulateMedia({ colorScheme: "dark" });
    await host(page, iframe(BALANCING));
    const player = await framed(page);
    const ground = () => player.place.locator("body").evaluate((body) => Number(getComputedStyle(body).backgroundColor.match(/\d+/)[0]) < 100);
    expect(await ground()).toBe(true);
    await page.emulateMedia({ colorScheme: "light" });
    await expect.poll(ground).toBe(false);
  });
});

test.describe("slides", () => {
  test("what is said before the program listens is kept", async ({ page }) => {
    let release;
    const held = new Promise((resolve) => { release = resolve; });
    await page.route("**/*.wasm", async (route) => { await held; await route.continue(); });
    // A deck says it as soon as the frame is loaded.
    await host(page, `<script>window.connects = false; addEventListener("load", () => { frames[0].postMessage("slide:start", "*"); window.started = true; });</script>${iframe(BALANCING)}`);
    await expect.poll(() => page.evaluate(() => window.started)).toBe(true);
    release();
    const player = await framed(page);
    await expect(player.pause).toBeVisible();
  });

  test("of several wishes the last counts", async ({ page }) => {
    let release;
    const held = new Promise((resolve) => { release = resolve; });
    await page.route("**/*.wasm", async (route) => { await held; await route.continue(); });
    await host(page, `<script>window.connects = false; addEventListener("load", () => {
        for (const word of ["slide:start", "slide:stop"]) frames[0].postMessage(word, "*");
        window.started = true;
      });</script>${iframe(BALANCING)}`);
    await expect.poll(() => page.evaluate(() => window.started)).toBe(true);
    release();
    const player = await framed(page);
    await player.rested();
    await expect(player.play).toBeVisible();
  });

  test("keys of no use to the lesson go on to the page that asked for them", async ({ page }) => {
    await host(page, `<script>window.connects = false; window.keys = [];
        document.addEventListener("keydown", (event) => keys.push([event.key, event.keyCode]));</script>
      <loadlab-lesson lesson="${BALANCING}" keys></loadlab-lesson>${script}
      <script>addEventListener("loadlab-ready", () => { window.there = true; });</script>`);
    const player = await framed(page);
    await expect.poll(() => page.evaluate(() => window.there)).toBe(true);
    await player.next.focus();
    const keys = () => page.evaluate(() => window.keys);
    for (const key of ["PageDown", "ArrowRight", "Escape", "s", "Tab", "b"]) await page.keyboard.press(key);
    await expect.poll(keys).toEqual([["PageDown", 34], ["Escape", 27], ["s", 83], ["b", 66]]);
    // A slider keeps what moves it.
    await player.place.getByRole("slider", { name: "Load", exact: true }).focus();
    for (const key of ["PageUp", "o"]) await page.keyboard.press(key);
    await expect.poll(async () => (await keys()).slice(4)).toEqual([["o", 79]]);
  });

  test("keys stay where nobody asked for them", async ({ page }) => {
    await host(page, iframe(BALANCING));
    const player = await framed(page);
    await connected(page);
    await player.next.focus();
    await page.keyboard.press("PageDown");
    await send(page, "pause");
    expect(await heard(page, "key")).toEqual([]);
  });
});

test("the element writes nothing into the page, which a framework may compare with its own", async ({ page }) => {
  let loads = 0;
  page.on("request", (request) => { if (request.isNavigationRequest() && request.url().includes("/embed/")) loads += 1; });
  await host(page, `<div id="root"><loadlab-lesson lesson="${BALANCING}"></loadlab-lesson></div>${script}`);
  await framed(page);
  expect(await page.evaluate(() => document.querySelector("#root").innerHTML)).toBe(`<loadlab-lesson lesson="${BALANCING}"></loadlab-lesson>`);
  expect(await page.evaluate(() => getComputedStyle(document.querySelector("loadlab-lesson")).display)).toBe("block");
  expect(loads).toBe(1);
});

test("snippets say fullscreen once, and one is for JSX", async ({ page, request }) => {
  const player = await open(page, `l/${BALANCING}/`);
  await player.embed.click();
  const dialog = page.getByRole("dialog");
  const code = dialog.getByRole("textbox", { name: "Paste this" });
  await expect(code).toHaveValue(/allow="fullscreen; clipboard-write"><\/iframe>$/);
  await dialog.getByRole("radio", { name: "Frame, JSX" }).check({ force: true });
  await expect(code).toHaveValue(/width=\{800\} height=\{560\} style=\{\{ border: 0, width: "100%", maxWidth: 960 \}\}[^]*\/>$/);
  const { html } = await (await request.get(`oembed/${BALANCING}.json`)).json();
  expect(html).not.toContain("allowfullscreen");
});

test.describe("an author's locks", () => {
  const tried = (page) => page.locator("[data-panel=challenges] .challenge");

  test("challenges that need what is hidden or locked are not offered", async ({ page }) => {
    await open(page, `l/${BALANCING}/`);
    const all = await tried(page).count();
    expect(all).toBeGreaterThan(1);
    await open(page, `l/${BALANCING}/?hide=actions&lock=all`);
    await expect(tried(page)).toHaveCount(0);
    await open(page, `l/${BALANCING}/?lock=load&p.load=20`);
    const left = await tried(page).count();
    expect(left).toBeLessThan(all);
    await expect(tried(page).filter({ hasText: "100 requests" })).toHaveCount(0);
  });

  test("an embed without challenges has no drawer for them", async ({ page }) => {
    await page.setViewportSize({ width: 800, height: 560 });
    await open(page, `embed/${BALANCING}/?hide=actions&lock=all`);
    await expect(page.getByRole("button", { name: "Settings" })).toBeVisible();
    await expect(page.getByRole("button", { name: "Try this" })).toHaveCount(0);
  });

  test("what is hidden is not done on the stage either", async ({ page }) => {
    const player = await open(page, `l/${BALANCING}/?hide=actions,knobs`);
    await player.partsOf().filter({ hasText: /^Server 1/ }).first().evaluate((part) => part.click());
    const inspector = page.locator(".inspector");
    await expect(inspector).toBeVisible();
    await expect(inspector.getByRole("button", { name: /Crash|Slow/ })).toHaveCount(0);
    await expect(inspector.getByRole("slider")).toHaveCount(0);
  });
});

test.describe("files in a frame", () => {
  test("a frame says what to do where no file came", async ({ page, problems }) => {
    problems.expect(/Download is disallowed/);
    await host(page, iframe(BALANCING, { query: "at=3", attributes: `sandbox="allow-scripts" allow="clipboard-write"` }));
    const player = await framed(page);
    await player.place.getByRole("button", { name: "Share", exact: true }).click();
    const dialog = player.place.getByRole("dialog");
    await dialog.getByRole("button", { name: "Numbers (CSV)" }).click();
    const told = dialog.getByRole("group", { name: "Save" }).getByRole("status").first();
    await expect(told).toContainText("may forbid downloads");
    await expect(told.getByRole("button", { name: "Copy" })).toBeVisible();
    await expect(told.getByRole("link", { name: /page of its own/ })).toHaveAttribute("href", /\/l\/load-balancing\/\?at=3$/);
    await dialog.getByRole("button", { name: "Picture (PNG)" }).click();
    await expect(told.getByRole("img")).toHaveAttribute("src", /^data:image\/png/);
    await dialog.getByRole("button", { name: "Picture (SVG)" }).click();
    await expect(told.getByRole("button", { name: "Copy" })).toBeVisible();
  });

  test("a page of its own says nothing of the kind", async ({ page }) => {
    const player = await open(page, `l/${BALANCING}/?at=3`);
    await player.share.click();
    const dialog = page.getByRole("dialog");
    await Promise.all([page.waitForEvent("download"), dialog.getByRole("button", { name: "Numbers (CSV)" }).click()]);
    await expect(dialog.getByText("may forbid downloads")).toHaveCount(0);
  });
});

/** What of a lesson lies outside of its window, or is not there. */
const outside = (place) => place.locator("html").evaluate(() => {
  const parts = { stage: ".stage-view", Play: "#play", Next: "#next", tape: ".scrub", caption: ".story-caption" };
  return Object.entries(parts).flatMap(([name, what]) => {
    const box = document.querySelector(what)?.getBoundingClientRect();
    const seen = box && box.height > 0 && box.top > -1 && box.left > -1 && box.bottom < innerHeight + 1 && box.right < innerWidth + 1;
    return seen ? [] : [`${name} ${box ? `${Math.round(box.top)} to ${Math.round(box.bottom)}` : "is missing"}`];
  });
});

test.describe("frames that nobody fits to the lesson", () => {
  test.use({ contextOptions: { reducedMotion: "reduce" } });
  const sizes = [[320, 256], [450, 300], [600, 450], [960, 450], [1140, 450], [600, 560], [800, 560], [1600, 900]];
  for (const { slug } of some) {
    test(`${slug}: stage, play, step and tape are seen together`, async ({ page }) => {
      await host(page, iframe(slug, { query: "resize=off" }));
      const player = await framed(page);
      await connected(page);
      for (const step of [1, 2, await player.steps()]) {
        await send(page, "beat", { n: step });
        await player.atStep(step);
        for (const [width, height] of sizes) {
          await page.evaluate(([width, height]) => Object.assign(document.querySelector("iframe"), { width, height }), [width, height]);
          await player.rested();
          expect(await outside(player.place), `step ${step}, ${width} × ${height}`).toEqual([]);
        }
      }
    });
  }

  test("a tall window is used", async ({ page }) => {
    await page.setViewportSize({ width: 1600, height: 900 });
    const player = await open(page, `embed/${BALANCING}/?resize=off`);
    await player.rested();
    const ends = await page.evaluate(() => [".tape", ".side", ".story"].map((what) => document.querySelector(what).getBoundingClientRect()).map(({ bottom }) => bottom));
    expect(ends[1], "the list of panels goes down to the end").toBeGreaterThan(890);
    const [stage, scene] = await page.evaluate(() => [".stage-view", ".stage-svg"].map((what) => document.querySelector(what).getBoundingClientRect().height));
    expect(stage).toBeGreaterThan(480);
    const type = await page.locator(".stage-svg text").first().evaluate((text) => parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a);
    expect(type, "the scene is drawn larger").toBeGreaterThan(14);
    expect(scene).toBeLessThanOrEqual(stage + 1);
  });

  test("the height that a host hears does not depend on the frame, and is right at once", async ({ page }) => {
    const heights = () => page.evaluate(() => told.filter((data) => data?.message === "height").map(({ value }) => value));
    const first = [];
    for (const height of [300, 560, 900]) {
      await page.addInitScript(() => { window.connects = false; });
      await host(page, iframe(BALANCING, { hash: "#?secret=aB3dE6gH9j" }).replace('width="800" height="560"', `width="600" height="${height}"`));
      const player = await framed(page);
      await player.rested();
      await expect.poll(async () => (await heights()).length).toBeGreaterThan(0);
      expect(new Set(await heights()).size, `heights in a frame ${height} high: ${await heights()}`).toBe(1);
      first.push((await heights())[0]);
    }
    // From 680 of height on the plots are open, which is a wish of its own.
    expect(Math.abs(first[0] - first[1])).toBeLessThanOrEqual(1);
  });

  test("a host that follows gets back what a drawer took", async ({ page }) => {
    await host(page, `<script>window.connects = false; addEventListener("message", ({ data }) => {
        if (data?.type === "resize") document.querySelector("iframe").style.height = data.height + "px";
      });</script>${iframe(BALANCING)}`.replace('width="800"', 'width="600"'));
    const player = await framed(page);
    const high = () => page.evaluate(() => document.querySelector("iframe").offsetHeight);
    const wish = () => page.evaluate(() => told.findLast((data) => data?.type === "resize")?.height ?? 0);
    await expect.poll(wish).toBeGreaterThan(560);
    const before = await wish();
    await player.button("Settings").click();
    await expect.poll(high).toBeGreaterThan(before + 100);
    await player.button("Settings").click();
    // The scene may be drawn in another scale now, which is a matter of pixels.
    await expect.poll(async () => Math.abs((await high()) - before)).toBeLessThan(8);
  });

  for (const { slug } of some) {
    test(`the size that oEmbed declares for ${slug} is the one that it wishes for`, async ({ page, request }) => {
      const { width, height, html } = await (await request.get(`oembed/${slug}.json`)).json();
      expect(html).toContain(`width="${width}" height="${height}"`);
      await page.addInitScript(() => { window.connects = false; });
      await host(page, iframe(slug).replace('width="800" height="560"', `width="${width}" height="560"`));
      const player = await framed(page);
      await player.rested();
      const wish = () => page.evaluate(() => told.findLast((data) => data?.type === "resize")?.height ?? 0);
      await expect.poll(wish).toBeGreaterThan(0);
      expect(Math.abs(height - Math.min(1_000, await wish()))).toBeLessThan(3);
    });
  }
});
