// The contract with course sites: addresses, messages, heights, the element, and the places where all that must work.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test as plain, chromium as browserType } from "@playwright/test";
import { chromium } from "./chromium.mjs";
import { address, clock, connected, course, framed, heard, host, iframe, pages, port, send, shown } from "./course.mjs";
import {
  test, expect, expectNoSidewaysScroll, expectReadableStage, frames, lessons, open, ready, rested, some, watchFrames, Player,
} from "./kit.mjs";

const BALANCING = "load-balancing";
test.use({ origins: [course] });

/** Notes what a lesson's window is sent, so that what it refuses can be told from what has not come yet. */
async function overhear(frame) {
  await frame.evaluate(() => {
    globalThis.overheard = [];
    addEventListener("message", ({ data }) => globalThis.overheard.push(data));
  });
  const came = (type) => frame.evaluate((type) => globalThis.overheard.filter((data) => data?.type === type).length, type);
  return (type, count = 1) => expect.poll(() => came(type)).toBeGreaterThanOrEqual(count);
}

for (const lesson of some) {
  test.describe(lesson.slug, () => {
    for (const sandbox of [null, "allow-scripts", "allow-scripts allow-same-origin"]) {
      for (const blocked of [false, true]) {
        test(`runs in ${sandbox ? `sandbox="${sandbox}"` : "a plain frame"}${blocked ? ", storage blocked" : ""}`, async ({ page }) => {
          if (blocked) {
            await page.addInitScript(() => {
              const deny = { get() { throw new DOMException("denied", "SecurityError"); } };
              for (const name of ["localStorage", "sessionStorage", "indexedDB", "caches"]) Object.defineProperty(window, name, deny);
              Object.defineProperty(Document.prototype, "cookie", deny);
            });
          }
          await host(page, iframe(lesson.slug, { attributes: sandbox === null ? "" : `sandbox="${sandbox}"` }));
          const player = await framed(page);
          await connected(page);
          await player.play.click();
          await expect.poll(() => clock(player)).toBeGreaterThan(0);
          await player.pause.click();
          await player.nextStep();
        });
      }
    }

    test("answers every command and tells what happens", async ({ page }) => {
      await host(page, iframe(lesson.slug));
      const player = await framed(page);
      await connected(page);
      const [told] = await heard(page, "ready");
      expect(told.warnings).toEqual([]);
      expect(told.beats.length).toBeGreaterThan(1);
      expect(told.params).toMatchObject({ seed: "1", beat: "1", at: "0" });

      expect(await send(page, "seek", { at: 2 })).toMatchObject({ ok: true });
      await expect.poll(() => clock(player)).toBe(2);
      expect(await send(page, "play")).toMatchObject({ ok: true });
      await expect.poll(() => clock(player)).toBeGreaterThan(2);
      expect(await send(page, "pause")).toMatchObject({ ok: true });
      const { state } = await send(page, "getState");
      await player.rested();
      const here = await clock(player);
      expect(await send(page, "restart")).toMatchObject({ ok: true });
      await expect.poll(() => clock(player)).toBe(0);
      expect(await send(page, "setState", { state })).toMatchObject({ ok: true });
      await expect.poll(() => clock(player)).toBe(here);
      expect(await send(page, "beat", { n: 2 })).toMatchObject({ ok: true });
      await expect.poll(async () => (await heard(page, "step")).at(-1)).toMatchObject({ beat: 2, count: told.beats.length });
      // No question was answered on the way to the end.
      expect(await heard(page, "complete")).toEqual([]);
      expect(await send(page, "restart")).toMatchObject({ ok: true });
      expect(await send(page, "beat", { n: told.beats.length })).toMatchObject({ ok: true });
      await expect.poll(() => heard(page, "complete")).toMatchObject([{ score: 0, right: 0, questions: expect.any(Number), ms: expect.any(Number) }]);
      expect((await heard(page, "complete"))[0].questions).toBeGreaterThan(0);

      const slider = Object.entries(told.params).find(([name, value]) => name.startsWith("p.") && /^[\d.]+$/.test(value));
      if (slider) {
        const name = slider[0].slice(2);
        expect(await send(page, "set", { name, value: Number(slider[1]) === 1 ? 1e9 : 1 })).toMatchObject({ ok: true });
        await expect.poll(async () => (await heard(page, "change")).map((event) => event.name)).toContain(name);
      }
      for (const [type, fields] of [
        ["nonsense", {}], ["seek", {}], ["seek", { at: "soon" }], ["set", { name: "no-such-knob", value: 1 }],
        ["act", { name: "no-such-action" }], ["setState", { state: "AAAA" }], ["theme", { value: "pink" }], ["act", { name: "crash", target: 0 }],
      ]) {
        const ack = await send(page, type, fields);
        expect(ack, type).toMatchObject({ ok: false });
        expect(ack.error, type).toBeTruthy();
      }
      for (const [type, value] of [["theme", "dark"], ["motion", "reduce"], ["lang", "en-GB"]]) {
        expect(await send(page, type, { value })).toMatchObject({ ok: true });
      }
      await expect(player.place.locator("html[data-theme=dark][data-motion=reduce]")).toBeAttached();
    });

    for (const width of [800, 960]) {
      test(`the first view fits ${width} × 560`, async ({ page }) => {
        await page.setViewportSize({ width, height: 560 });
        const player = await open(page, `embed/${lesson.slug}/`);
        await player.rested();
        await expect(page.getByRole("banner")).toHaveCount(0);
        await expectNoSidewaysScroll(page);
        const whole = await page.evaluate(() => document.documentElement.scrollHeight);
        expect(whole, "height of the document").toBeLessThanOrEqual(560);
        for (const part of [player.stages, player.story, player.play, player.restart, player.next, player.time]) {
          await expect(part).toBeInViewport({ ratio: 1 });
        }
        await expectReadableStage(page);
        await expect(page.locator("canvas.plot").first()).toBeHidden();
        await player.button("Plots").click();
        await expect(page.locator("canvas.plot").first()).toBeVisible();
        await player.button("Plots").click();
        if (width < 960) {
          await expect(player.actions.first()).toBeHidden();
          await player.button("Break it").click();
          await expect(player.button("Break it")).toHaveAttribute("aria-expanded", "true");
        }
        // Panels that need more height than the lab scroll beside it; the page does not.
        await player.actions.first().scrollIntoViewIfNeeded();
        await expect(player.actions.first()).toBeInViewport({ ratio: 1 });
        if (width >= 960) expect(await page.evaluate(() => document.scrollingElement.scrollTop)).toBe(0);
        await player.play.click();
        await expect.poll(() => clock(player)).toBeGreaterThan(0.05);
      });
    }

    test("a shared address restores the frame, whatever was done", async ({ page }) => {
      const does = [
        async () => {},
        (player) => player.nextStep(),
        (player) => player.playFor(0.4),
        async (player) => {
          await player.playFor(0.3);
          await player.rested();
          await player.enabledActions.first().click();
          await player.stepForward.click();
          await player.compare.click();
        },
        async (player) => { await open(page, `l/${lesson.slug}/?lock=all&hide=prose`); await player.playFor(0.3); },
      ];
      for (const [at, act] of does.entries()) {
        const player = await open(page, `l/${lesson.slug}/`);
        await act(player);
        await player.rested();
        const look = async () => [await clock(player), await page.locator(".parts button").allTextContents()];
        const before = await look();
        await player.share.click();
        const shared = await page.getByLabel("Address", { exact: true }).inputValue();
        expect(shared.length).toBeLessThan(2_200);
        if (at === 0) expect(shared).toMatch(new RegExp(`/l/${lesson.slug}/$`));
        if (at === 1) expect(shared).toMatch(/\?beat=2$/);
        if (at === 4) expect(shared).toMatch(/hide=prose&lock=all$/);
        await open(page, new URL(shared).pathname + new URL(shared).search);
        await expect.poll(look).toEqual(before);
      }
    });

    test("is small and hidden without harm", async ({ page }) => {
      await host(page, `<div id="away" style="display:none">${iframe(lesson.slug)}</div>`);
      await connected(page);
      expect(await send(page, "seek", { at: 1 })).toMatchObject({ ok: true });
      await page.evaluate(() => {
        document.querySelector("#away").style.display = "block";
        Object.assign(document.querySelector("iframe"), { width: 320, height: 256 });
      });
      const player = await framed(page);
      await expect.poll(() => shown(player)).toBe(1);
      await expect.poll(() => player.place.locator(".stage-svg > *").count()).toBeGreaterThan(3);
      await expect(player.play).toBeAttached();
      // Out of sight time stands still, and goes on where it stood.
      await page.evaluate(() => { document.querySelector("#away").style.marginTop = "5000px"; scrollTo(0, 0); });
      // The browser tells the observers of one frame in one go, so the lesson knows it when this one does.
      await page.frames()[1].evaluate(() => new Promise((gone) => {
        const watch = new IntersectionObserver((seen) => seen.at(-1).isIntersecting || gone(watch.disconnect()));
        watch.observe(document.querySelector("figure.stage"));
      }));
      expect(await send(page, "play")).toMatchObject({ ok: true });
      await expect(player.pause).toBeAttached();
      const left = await shown(player);
      await frames(page, 20);
      expect(await shown(player)).toBe(left);
      await page.evaluate(() => document.querySelector("iframe").scrollIntoView());
      await expect.poll(() => shown(player)).toBeGreaterThan(left);
    });
  });
}

// Every parameter against a table of garbage: nothing throws, and each value that is not valid is named once.
const garbage = ["", "%00", "NaN", "1e999", "-1", "%F0%9F%92%A5", "'%22%3Cscript%3E", "null", "[]", "..%2F..", "%", "x".repeat(150)];
// An empty flag is true, an empty list is empty, any list of ids is one, and a moment or speed below zero is clamped.
const fine = { theme: [], motion: [], lang: ["NaN", "null"], seed: [], "p.load": ["-1"], beat: ["-1"], at: ["-1"], autoplay: [""], speed: ["-1"], hide: [""],
  lock: garbage, links: [""], resize: [], origin: [] };
for (const value of garbage) {
  test(`every parameter shrugs off ${JSON.stringify(value.slice(0, 20))}`, async ({ page, problems }) => {
    problems.expect(/console\.warn/);
    const names = Object.keys(fine);
    await host(page, iframe(BALANCING, { query: names.map((name) => `${name}=${value}`).join("&") }));
    const player = await framed(page);
    await connected(page);
    await expect(player.place.getByRole("button", { name: /^(Play|Pause)$/ })).toBeVisible();
    const { warnings } = (await heard(page, "ready"))[0];
    const named = warnings.map((text) => text.split("=")[0]).sort();
    expect(named).toEqual(names.filter((name) => !fine[name].includes(value)).sort());
    // A state wins over the others, so it has an address of its own.
    await host(page, iframe(BALANCING, { query: `state=${value}` }));
    await framed(page);
    await connected(page);
    expect((await heard(page, "ready"))[0].warnings).toHaveLength(1);
  });
}

test("an origin that is not valid counts as none, and the author is told", async ({ page, problems }) => {
  problems.expect(/origin=course\.example is not valid/);
  await host(page, iframe(BALANCING, { query: "origin=course.example" }));
  await connected(page);
  expect((await heard(page, "ready"))[0].warnings).toEqual(["origin=course.example is not valid"]);
});

test("a language without words falls back without a warning", async ({ page }) => {
  for (const lang of ["de-CH", "EN_us", "zh-Hant-TW"]) {
    await host(page, iframe(BALANCING, { query: `lang=${lang}` }));
    const player = await framed(page);
    await connected(page);
    expect((await heard(page, "ready"))[0]).toMatchObject({ warnings: [], params: { lang: "en" } });
    await expect(player.place.locator("html[lang=en]")).toBeAttached();
  }
});

test("an action is aimed at a part as parts are counted", async ({ page }) => {
  await host(page, iframe(BALANCING));
  const player = await framed(page);
  await connected(page);
  expect(await send(page, "seek", { at: 2 })).toMatchObject({ ok: true });
  expect(await send(page, "act", { name: "crash", target: 3 })).toMatchObject({ ok: true });
  await expect(player.button(/^Server 3, down/)).toBeAttached();
});

test("the first of a repeated parameter counts, strangers are ignored, long queries too", async ({ page, problems }) => {
  problems.expect(/query longer than/);
  await host(page, iframe(BALANCING, { query: "at=2&at=5&utm_source=x&p.none=1" }));
  await connected(page);
  expect((await heard(page, "ready"))[0]).toMatchObject({ warnings: [], params: { at: "2" } });
  await host(page, iframe(BALANCING, { query: `at=2&x=${"y".repeat(5_000)}` }));
  await connected(page);
  const [told] = await heard(page, "ready");
  expect(told.params.at).toBe("0");
  expect(told.warnings).toHaveLength(1);
});

test("warnings are told to the page around", async ({ page, problems }) => {
  problems.expect(/theme=puce.*seed=-1/);
  await host(page, iframe(BALANCING, { query: "theme=puce&seed=-1&p.load=lots" }));
  await connected(page);
  expect((await heard(page, "ready"))[0].warnings).toEqual([
    "theme=puce is not valid", "seed=-1 is not valid", "p.load=lots is not valid",
  ]);
});

test("a damaged state opens the lesson at its start and says so", async ({ page, problems }) => {
  problems.expect(/state is damaged/);
  const player = await open(page, `l/${BALANCING}/?state=AAAAbadbadbad&at=9`);
  await expect(page.getByRole("alert")).toContainText("damaged");
  expect(await clock(player)).toBe(0);
  await page.getByRole("alert").getByRole("button", { name: "Close" }).click();
  await expect(page.getByRole("alert")).toHaveCount(0);
  problems.expect(/never|state is damaged/);
  await host(page, iframe(BALANCING, { query: "state=AAAA" }));
  await connected(page);
  await expect.poll(async () => (await heard(page, "error"))[0]).toMatchObject({ code: "state" });
});

test("what is hidden is gone, what is locked stays put, pause and restart remain", async ({ page }) => {
  const player = await open(page, `l/${BALANCING}/?hide=title,story,tape,actions,challenges,share,prose&lock=load,servers&links=0`);
  for (const name of ["Break it", "Try this"]) await expect(page.getByRole("region", { name })).toHaveCount(0);
  await expect(player.next).toHaveCount(0);
  await expect(player.share).toHaveCount(0);
  await expect(page.locator(".track, .notes")).toHaveCount(0);
  await expect(player.knob("Load")).toBeDisabled();
  await expect(player.knob("Servers")).toBeDisabled();
  await expect(page.locator("main a[href], header a[href]")).toHaveCount(0);
  await expect(player.restart).toBeVisible();
  await expect(page.getByRole("list", { name: "Parts" }).getByRole("button").first()).toBeAttached();
  await player.play.click();
  await expect(player.pause).toBeVisible();
  const embedded = await open(page, `embed/${BALANCING}/?hide=knobs,share&links=0`);
  await expect(embedded.knob("Load")).toHaveCount(0);
  await expect(page.locator(".embed-foot")).toHaveCount(0);
});

for (const viewport of [{ width: 800, height: 560 }, { width: 700, height: 560 }, { width: 560, height: 560 }, { width: 390, height: 640 }]) {
  test(`the folded tape of an embed ${viewport.width} wide is a lane to scrub on`, async ({ page }) => {
    await page.setViewportSize(viewport);
    await open(page, `embed/${BALANCING}/`);
    await expectNoSidewaysScroll(page);
    const box = (name) => page.locator(name).boundingBox();
    await page.locator(".tracks").scrollIntoViewIfNeeded();
    const [lane, tracks] = [await box(".lane"), await box(".tracks")];
    expect(lane).toEqual(tracks);
    expect(lane.width).toBeGreaterThan(150);
    await page.mouse.click(lane.x + lane.width * 0.5, lane.y + lane.height / 2);
    await expect(page.locator(".clock")).toHaveText("00:06.00");
    const head = await box(".playhead");
    expect(Math.abs(head.x + head.width / 2 - (lane.x + lane.width / 2))).toBeLessThan(2);
  });
}

test("only the parent connects, and only the named one", async ({ page }) => {
  // A frame beside the lesson pretends to be its parent.
  const intruder = `<iframe id="intruder" title="Other" srcdoc="<script>
    function intrude() { const c = new MessageChannel(); c.port1.onmessage = () => parent.postMessage('broken in', '*');
      parent.frames[0].postMessage({ ns: 'loadlab', v: 1, type: 'connect' }, '*', [c.port2]);
      parent.frames[0].postMessage({ ns: 'loadlab', v: 1, type: 'play' }, '*'); }
    setInterval(intrude, 50);
  </script>"></iframe>`;
  await page.addInitScript(() => { window.connects = false; });
  await host(page, iframe(BALANCING) + intruder);
  const player = await framed({ frameLocator: () => page.frameLocator("iframe >> nth=0") });
  const lesson = page.frames().find((frame) => frame.url().includes("/embed/"));
  const came = await overhear(lesson);
  await came("play", 10);
  await player.rested();
  await expect(player.play).toBeVisible();
  expect(await player.seconds(), "it never played").toBe(0);
  expect(await page.evaluate(() => told.includes("broken in"))).toBe(false);
  // From here on only the parent talks to it.
  await page.evaluate(() => document.querySelector("#intruder").remove());
  // Without a port the parent may start and stop, and hears heights.
  const post = (type, v = 1) => page.evaluate(([type, v]) => frames[0].postMessage({ ns: "loadlab", v, type }, "*"), [type, v]);
  await post("play", 2);
  await post("restart");
  await came("restart");
  await player.rested();
  await expect(player.play).toBeVisible();
  expect(await player.seconds(), "it never played").toBe(0);
  await post("play");
  await expect(player.pause).toBeVisible();
  await post("pause");
  await expect(player.play).toBeVisible();
  await page.evaluate(() => frames[0].postMessage("slide:start", "*"));
  await expect(player.pause).toBeVisible();
  await page.evaluate(() => frames[0].postMessage("slide:stop", "*"));
  await expect(player.play).toBeVisible();
  const types = await page.evaluate(() => [...new Set(told.map((data) => data?.type))]);
  expect(types.sort()).toEqual(["hello", "resize"]);
});

test("a parent of another origin than the named one is not heard", async ({ page }) => {
  await host(page, iframe(BALANCING, { query: "origin=https://other.example" }));
  const player = await framed(page);
  const came = await overhear(page.frames()[1]);
  await page.evaluate(() => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = (event) => events.push(event.data);
    frames[0].postMessage({ ns: "loadlab", v: 1, type: "connect" }, "*", [port2]);
    frames[0].postMessage({ ns: "loadlab", v: 1, type: "play" }, "*");
  });
  await came("play");
  await player.rested();
  await expect(player.play).toBeVisible();
  expect(await player.seconds(), "it never played").toBe(0);
  expect(await page.evaluate(() => events.length)).toBe(0);
  await host(page, iframe(BALANCING, { query: `origin=${encodeURIComponent(course)}` }));
  await connected(page);
});

test("it greets at most twenty times and says nothing of the learner", async ({ page }) => {
  await page.clock.install();
  await page.addInitScript(() => { window.connects = false; });
  await host(page, iframe(BALANCING));
  await framed(page);
  const hellos = () => page.evaluate(() => told.filter((data) => data?.type === "hello"));
  await page.clock.runFor(15_000);
  await expect.poll(async () => (await hellos()).length).toBe(20);
  // None comes later: whatever another half minute sends is here before the answer to a command without a line.
  await page.clock.runFor(30_000);
  await page.evaluate(() => frames[0].postMessage({ ns: "loadlab", v: 1, type: "play" }, "*"));
  await expect(page.frameLocator("iframe").getByRole("button", { name: "Pause", exact: true })).toBeVisible();
  expect(await hellos()).toHaveLength(20);
  expect(Object.keys((await hellos())[0]).sort()).toEqual(["lesson", "ns", "type", "v", "version"]);
});

test("junk and ten thousand messages are each answered, take no memory, and the lesson still plays", async ({ page, context }) => {
  await host(page, iframe(BALANCING));
  const player = await framed(page);
  await connected(page);
  const flood = async () => {
    await page.evaluate(() => {
      events.length = told.length = 0;
      const cycle = { ns: "loadlab", v: 1, type: "seek" };
      cycle.self = cycle;
      const junk = [null, 0, "x", [], {}, cycle, { ns: "loadlab" }, { ns: "loadlab", v: 9, type: "play" }, new Map(), new Uint8Array(9), "slide:nowhere"];
      for (const data of junk) { frames[0].postMessage(data, "*"); line.postMessage(data); }
      for (let i = 0; i < 10_000; i++) {
        frames[0].postMessage(junk[i % junk.length], "*");
        line.postMessage({ ns: "loadlab", v: 1, type: ["theme", "motion", "nonsense"][i % 3], value: ["dark", "auto"][i % 2], id: `flood ${i}` });
      }
    });
    const answered = () => page.evaluate(() => events.filter((event) => event.type === "ack" && String(event.id).startsWith("flood")).length);
    await expect.poll(answered, { timeout: 30_000 }).toBe(10_000);
  };
  // The lesson is of another site than the course, so its process is its own and can be asked alone.
  const inside = await context.newCDPSession(page.frames()[1]);
  const memory = async () => {
    await inside.send("HeapProfiler.collectGarbage");
    const { usedSize, backingStorageSize = 0 } = await inside.send("Runtime.getHeapUsage");
    return usedSize + backingStorageSize;
  };
  await flood();
  const before = await memory();
  await flood();
  expect(await memory() - before, "bytes that ten thousand messages left behind").toBeLessThan(300_000);
  expect(await send(page, "pause")).toMatchObject({ ok: true });
  await expect(player.play).toBeVisible();
});

test("knobs are told at most four times a second", async ({ page }) => {
  // Two seconds of the test's own time, in which a knob is turned every twenty milliseconds.
  await page.clock.install();
  await host(page, iframe(BALANCING));
  await framed(page);
  await connected(page);
  await page.clock.pauseAt(Date.now() + 3_600_000);
  await page.evaluate(() => { events.length = 0; });
  for (let turn = 1; turn <= 100; turn++) {
    await page.evaluate((value) => line.postMessage({ ns: "loadlab", v: 1, type: "set", name: "load", value, id: value }), 10 + (turn % 90));
    await page.clock.runFor(20);
  }
  const acks = async () => {
    await page.clock.runFor(0);
    return (await heard(page, "ack")).length;
  };
  await expect.poll(acks).toBe(100);
  const count = (await heard(page, "change")).length;
  expect(count).toBeGreaterThan(4);
  expect(count).toBeLessThanOrEqual(10);
});

test.describe("heights", () => {
  test("are told to any parent, within bounds and without a loop", async ({ page }) => {
    await page.addInitScript(() => {
      window.connects = false;
      addEventListener("message", ({ data }) => {
        if (data?.type === "resize") document.querySelector("iframe").style.height = `${data.height}px`;
      });
    });
    await host(page, iframe(BALANCING));
    await framed(page);
    const heights = () => page.evaluate(() => told.filter((data) => data?.type === "resize").map((data) => data.height));
    await expect.poll(async () => (await heights()).length).toBeGreaterThan(0);
    // Height and answer come to rest; a loop of the two never would.
    const more = async () => {
      const before = (await heights()).length;
      await frames(page.frameLocator("iframe"), 30);
      await frames(page, 30);
      return (await heights()).length - before;
    };
    await expect.poll(more, "it keeps still").toBe(0);
    const count = (await heights()).length;
    for (const height of await heights()) {
      expect(height).toBeGreaterThanOrEqual(200);
      expect(height).toBeLessThanOrEqual(4_000);
    }
    const inner = await page.frames()[1].evaluate(() => document.querySelector("#app").getBoundingClientRect().height);
    expect(Math.abs((await heights()).at(-1) - inner)).toBeLessThanOrEqual(1);
    await page.evaluate(() => { document.querySelector("iframe").style.width = "400px"; });
    await expect.poll(async () => (await heights()).length).toBeGreaterThan(count);
  });

  const last = (page, test) => expect.poll(() => page.evaluate(`told.findLast((data) => ${test})`));
  test("WordPress hears its secret before the program is there", async ({ page }) => {
    let release;
    const held = new Promise((resolve) => { release = resolve; });
    await page.route("**/*.wasm", async (route) => { await held; await route.continue(); });
    await host(page, iframe(BALANCING, { hash: "#?secret=aB3dE6gH9j", attributes: `sandbox="allow-scripts" security="restricted"` }));
    await last(page, "data?.message === 'height'").toMatchObject({ secret: "aB3dE6gH9j" });
    const { value } = await page.evaluate(() => told.find((data) => data?.message === "height"));
    expect(value).toBeGreaterThanOrEqual(200);
    expect(value).toBeLessThanOrEqual(1_000);
    const before = await page.evaluate(() => told.filter((data) => data?.message === "height").length);
    release();
    await framed(page);
    await expect.poll(() => page.evaluate(() => told.filter((data) => data?.message === "height").length)).toBeGreaterThan(before);
  });
  test("WordPress's filtered markup shows each lesson as high as it is", async ({ page, request }) => {
    // What is left of an oEmbed answer by a site that trusts nobody, and what that site's own script does with it.
    const blocks = await Promise.all(some.map(async ({ slug }, at) => {
      const { html } = await (await request.get(`oembed/${slug}.json`)).json();
      expect(html).toMatch(/^<blockquote[^]*<\/blockquote>\s*<iframe [^]*<\/iframe>$/);
      const secret = `s3cret${at}`;
      return `<blockquote class="wp-embedded-content" data-secret="${secret}"><a href="#">Lesson</a></blockquote><iframe sandbox="allow-scripts"
        security="restricted" src="${address(slug, "", `#?secret=${secret}`)}" width="600" height="338" title="Lesson" data-secret="${secret}"
        frameborder="0" marginwidth="0" marginheight="0" scrolling="no" class="wp-embedded-content"></iframe>`;
    }));
    await host(page, `${blocks.join("")}<script>
      connects = false;
      addEventListener("message", ({ data, source }) => {
        if (!(data.secret || data.message || data.value) || /[^a-zA-Z0-9]/.test(data.secret)) return;
        for (const frame of document.querySelectorAll("iframe[data-secret='" + data.secret + "']")) {
          if (frame.contentWindow === source && data.message === "height") frame.height = Math.min(1000, Math.max(200, parseInt(data.value, 10)));
        }
      });</script>`);
    for (const [at, { slug }] of some.entries()) {
      const frame = page.locator("iframe").nth(at);
      await frame.scrollIntoViewIfNeeded();
      const place = page.frameLocator("iframe").nth(at);
      await ready(place);
      const whole = () => place.locator("#app").evaluate((app) => Math.ceil(app.getBoundingClientRect().height));
      await expect.poll(async () => Number(await frame.getAttribute("height")) - Math.min(1_000, await whole()), { message: slug }).toBe(0);
    }
  });
  test("Canvas, H5P and Embedly hear theirs", async ({ page }) => {
    await host(page, iframe(BALANCING, { query: "resize=lti" }));
    await last(page, "data?.subject === 'lti.frameResize'").toMatchObject({ height: expect.any(Number) });
    await host(page, iframe(BALANCING, { query: "resize=h5p" }));
    await last(page, "data?.context === 'h5p' && data.action === 'hello'").toBeTruthy();
    await last(page, "data?.context === 'h5p' && data.action === 'resize'").toMatchObject({ scrollHeight: expect.any(Number) });
    await host(page, iframe(BALANCING, { query: "resize=embedly" }));
    await last(page, "typeof data === 'string' && JSON.parse(data).context === 'iframe.resize'").toBeTruthy();
    await host(page, iframe(BALANCING, { query: "resize=off" }));
    await connected(page);
    // A change of its height, which it would tell otherwise, is over when it has come to rest at the new one.
    const frame = page.frameLocator("iframe");
    const high = () => frame.locator(".stages").evaluate((stages) => stages.getBoundingClientRect().height);
    await rested(frame);
    const before = await high();
    await page.evaluate(() => { document.querySelector("iframe").style.width = "400px"; });
    await expect.poll(high).not.toBe(before);
    await frames(frame, 30);
    await frames(page, 30);
    expect(await page.evaluate(() => [...told, ...events].some((data) => data?.type === "resize"))).toBe(false);
  });
});

test("the element stands before or after its script, wraps a frame, follows its attributes", async ({ page }) => {
  const script = `<script type="module" src="http://127.0.0.1:${port}/embed.js"></script>`;
  await host(page, `<loadlab-lesson id="a" lesson="${BALANCING}" at="2"></loadlab-lesson>${script}
    <loadlab-lesson id="b">${iframe(BALANCING, { query: "at=3" })}</loadlab-lesson>
    <script>window.connects = false; window.log = [];
      for (const type of ["ready", "step", "change"]) document.addEventListener("loadlab-" + type, (e) => log.push([e.target.id, type, e.detail]));
    </script>`);
  const told = (id, type) => page.evaluate(([id, type]) => log.filter(([from, kind]) => from === id && kind === type).map((entry) => entry[2]), [id, type]);
  await expect.poll(async () => (await told("a", "ready"))[0]?.params.at).toBe("2");
  await page.evaluate(() => document.querySelector("#b iframe").scrollIntoView());
  await expect.poll(async () => (await told("b", "ready"))[0]?.params.at).toBe("3");
  await page.evaluate(() => document.querySelector("#a").send("beat", { n: 2 }));
  await expect.poll(async () => (await told("a", "step")).at(-1)?.beat).toBe(2);
  await expect.poll(() => page.evaluate(() => parseFloat(document.querySelector("#a").shadowRoot.querySelector("iframe").style.height))).toBeGreaterThan(200);
  // A look changes in the running lesson, any other attribute opens it anew.
  await page.evaluate(() => document.querySelector("#a").setAttribute("theme", "dark"));
  const inside = page.frameLocator("#a iframe");
  await expect(inside.locator("html[data-theme=dark]")).toBeAttached();
  expect((await told("a", "ready")).length).toBe(1);
  await page.evaluate(() => document.querySelector("#a").setAttribute("at", "4"));
  await expect.poll(async () => (await told("a", "ready")).at(-1)?.params.at).toBe("4");
  await expect(page.evaluate(() => document.querySelector("#a").send("nonsense"))).rejects.toThrow("unknown type");
});

test("a course page with five lessons talks to each while all play", async ({ page }) => {
  const body = readFileSync(new URL("course.html", import.meta.url), "utf8").replace("<head>", '<head><link rel="icon" href="data:,">');
  pages.set("/course.html", body);
  await page.goto(`${course}/course.html?root=http://127.0.0.1:${port}/&lessons=${lessons.map((lesson) => lesson.slug)}`);
  const log = (type) => page.evaluate((type) => globalThis.log.filter((entry) => entry.type === type).map((entry) => entry.lesson), type);
  await expect.poll(async () => new Set(await log("ready")).size, { timeout: 45_000 }).toBe(5);
  await page.evaluate(() => Promise.all([...document.querySelectorAll("loadlab-lesson")].map((lesson) => lesson.send("beat", { n: 2 }))));
  await expect.poll(async () => new Set(await log("step")).size).toBe(5);
  const all = (type) => page.evaluate((type) => Promise.all([...document.querySelectorAll("loadlab-lesson")].map((lesson) => lesson.send(type))), type);
  await all("play");
  for (const frame of await page.locator("iframe").all()) {
    await frame.scrollIntoViewIfNeeded();
    const player = new Player(frame.contentFrame());
    const from = await clock(player);
    await expect.poll(() => clock(player)).toBeGreaterThan(from);
  }
  await all("pause");
  await all("getState");
});

test("the Embed dialog writes what the author chose", async ({ page }) => {
  const player = await open(page, `l/${BALANCING}/`);
  await player.embed.click();
  const dialog = page.getByRole("dialog");
  const code = dialog.getByRole("textbox", { name: "Paste this" });
  await expect(code).toHaveValue(new RegExp(`<iframe src="http://127.0.0.1:${port}/embed/load-balancing/" title="Load balancing: interactive lesson"`));
  await dialog.getByLabel("Open at").selectOption("3");
  await dialog.getByLabel("Colours").selectOption({ label: "dark" });
  await dialog.getByLabel("Try this").check();
  await dialog.getByText("Settings it opens with").click();
  await dialog.getByLabel("Lock Load").check();
  await dialog.getByLabel("Width").fill("640");
  await dialog.getByLabel("Width").blur();
  await expect(code).toHaveValue(/\?theme=dark&amp;beat=3&amp;hide=challenges&amp;lock=load"[^]*width="640"/);
  await dialog.getByRole("radio", { name: "Element" }).check({ force: true });
  await expect(code).toHaveValue(/<loadlab-lesson lesson="load-balancing" theme="dark" beat="3" hide="challenges" lock="load">/);
  await dialog.getByRole("radio", { name: "Address" }).check({ force: true });
  await expect(code).toHaveValue(/^http:[^<]*\?theme=dark&beat=3&hide=challenges&lock=load$/);
  const preview = page.frameLocator("iframe.preview");
  await expect(preview.locator("html[data-theme=dark][data-ready='1']")).toBeAttached({ timeout: 30_000 });
  await new Player(preview).atStep(3);
});

for (const lesson of some) {
  test(`the frame of ${lesson.slug} and its numbers can be saved`, async ({ page }) => {
    const player = await open(page, `l/${lesson.slug}/?at=5`);
    await player.rested();
    const names = await page.locator(".stage-svg text").allTextContents();
    await player.share.click();
    const files = {};
    for (const name of ["Picture (PNG)", "Picture (SVG)", "Numbers (CSV)"]) {
      const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name }).click()]);
      const kind = /\((.*)\)/.exec(name)[1].toLowerCase();
      expect(download.suggestedFilename()).toBe(`${lesson.slug}-5s.${kind}`);
      files[kind] = readFileSync(await download.path());
    }
    // The picture is the stage as it is drawn, in the theme's colours, without the page's style sheets.
    const svg = files.svg.toString();
    const drawn = await page.evaluate((svg) => {
      const root = new DOMParser().parseFromString(svg, "image/svg+xml").documentElement;
      return { name: root.nodeName, texts: [...root.querySelectorAll("text")].map((text) => text.textContent), foreign: /(href|src)="http|url\(http/.test(svg) };
    }, svg);
    expect(drawn.name).toBe("svg");
    expect(drawn.foreign).toBe(false);
    expect(drawn.texts.filter(Boolean).sort()).toEqual(names.filter(Boolean).sort());
    const seen = await page.evaluate(async (base64) => {
      const picture = await createImageBitmap(await (await fetch(`data:image/png;base64,${base64}`)).blob());
      const canvas = new OffscreenCanvas(picture.width, picture.height);
      const paint = canvas.getContext("2d");
      paint.drawImage(picture, 0, 0);
      const { data } = paint.getImageData(0, 0, picture.width, picture.height);
      return { width: picture.width, height: picture.height, colours: new Set(new Uint32Array(data.buffer)).size };
    }, files.png.toString("base64"));
    const [, , wide, high] = /viewBox="([\d. ]+)"/.exec(svg)[1].split(" ").map(Number);
    expect(seen.width).toBeGreaterThanOrEqual(wide);
    expect(seen.width / seen.height).toBeCloseTo(wide / high, 1);
    expect(seen.colours, "a picture, not a blank sheet").toBeGreaterThan(20);

    // Names may hold commas, and are quoted then (RFC 4180).
    const cells = (row) => [...row.matchAll(/(?:^|,)("(?:[^"]|"")*"|[^,]*)/g)].map(([, cell]) => cell);
    const rows = files.csv.toString().trim().split("\r\n").map(cells);
    expect(rows[0][0]).toBe("time (s)");
    expect(rows[0].length).toBeGreaterThan(1);
    expect(new Set(rows.map((row) => row.length)).size).toBe(1);
    const times = rows.slice(1).map((row) => Number(row[0]));
    expect(times.length).toBeGreaterThan(20);
    expect(times).toEqual([...times].sort((one, other) => one - other));
    expect(times.at(-1)).toBeLessThanOrEqual(5);
    const values = rows.slice(1).flatMap((row) => row.slice(1)).filter((cell) => cell !== "").map(Number);
    expect(values.every(Number.isFinite)).toBe(true);
    expect(Math.max(...values), "something was measured").toBeGreaterThan(0);
  });
}

/** How many pixels of the layer of moving things are painted. */
const painted = (page) => page.locator("canvas.stage-dots").first().evaluate((canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return data.filter((value, at) => at % 4 === 3 && value > 0).length;
});

plain("a lesson lives on after the browser's cache of pages", async ({ baseURL }) => {
  // Several lessons, one after the other in a browser of its own.
  plain.slow();
  // Playwright turns this cache off; here it stays as readers have it.
  const browser = await browserType.launch({ ...chromium, ignoreDefaultArgs: ["--disable-back-forward-cache"] });
  try {
    const page = await browser.newPage({ baseURL });
    const said = [];
    // A picture as a page of its own has no icon, and the browser asks for one.
    page.on("console", (message) => message.location().url.endsWith("/favicon.ico") || said.push(message.text()));
    await page.addInitScript(() => addEventListener("pageshow", (event) => { window.persisted = event.persisted; }));
    for (const lesson of some) {
      const player = await open(page, `l/${lesson.slug}/?at=2`);
      await player.play.click();
      await expect.poll(() => clock(player)).toBeGreaterThan(2);
      await page.goto(`stills/${lesson.slug}.svg`);
      // The answer to the call would be lost with the page that it leaves.
      await page.evaluate(() => { setTimeout(() => history.back(), 50); });
      await expect.poll(() => page.evaluate(() => window.persisted).catch(() => undefined), { message: "the page came from the cache" }).toBe(true);
      const kept = await clock(player);
      if (await player.play.isVisible()) await player.play.click();
      await expect.poll(() => clock(player)).toBeGreaterThan(kept);
      expect(await painted(page)).toBeGreaterThan(0);
    }
    expect(said).toEqual([]);
  } finally {
    await browser.close();
  }
});

plain("a lesson paints its canvases again after the graphics process died", async ({ baseURL }) => {
  const browser = await browserType.launch(chromium);
  try {
    const page = await browser.newPage({ baseURL });
    await page.addInitScript(watchFrames);
    await page.addInitScript(() => { window.lost = 0; addEventListener("contextlost", () => { window.lost += 1; }, true); });
    const player = await open(page, `l/${BALANCING}/?at=2`);
    await player.rested();
    const before = await painted(page);
    expect(before).toBeGreaterThan(0);
    const session = await browser.newBrowserCDPSession();
    await session.send("Browser.crashGpuProcess");
    await expect.poll(() => page.evaluate(() => window.lost), { message: "the browser says that it lost the canvas" }).toBeGreaterThan(0);
    // Time stands, so nothing but the loss asks for a new picture.
    await expect.poll(() => painted(page)).toBe(before);
    await player.play.click();
    await expect.poll(() => clock(player)).toBeGreaterThan(2);
  } finally {
    await browser.close();
  }
});

plain("a reader who allows no storage at all reads lessons", async ({ baseURL }) => {
  // Several lessons, one after the other in a browser of its own.
  plain.slow();
  const profile = mkdtempSync(join(tmpdir(), "loadlab-profile-"));
  mkdirSync(join(profile, "Default"));
  // The browser's own setting: 2 blocks cookies and all that counts as such.
  const preferences = { profile: { default_content_setting_values: { cookies: 2 } } };
  writeFileSync(join(profile, "Default/Preferences"), JSON.stringify(preferences));
  const context = await browserType.launchPersistentContext(profile, { ...chromium, baseURL });
  try {
    const page = context.pages()[0];
    const said = [];
    page.on("console", (message) => said.push(message.text()));
    page.on("pageerror", (error) => said.push(String(error)));
    for (const lesson of some) {
      const player = await open(page, `l/${lesson.slug}/`);
      await expect(page.evaluate(() => localStorage.length), "storage is blocked").rejects.toThrow("SecurityError");
      await player.play.click();
      await expect.poll(() => clock(player)).toBeGreaterThan(0);
    }
    expect(said).toEqual([]);
  } finally {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  }
});

for (const deviceScaleFactor of [1, 1.5, 3]) {
  test.describe(`device pixel ratio ${deviceScaleFactor}`, () => {
    // A stage of more pixels than the eye can part is drawn with fewer; a frame of usual size has all of them.
    test.use({ deviceScaleFactor, viewport: { width: 800, height: 560 } });
    test("canvases have the device's pixels", async ({ page }) => {
      await open(page, `embed/${BALANCING}/?at=2`);
      const ratios = () => page.locator("canvas.stage-dots").evaluateAll((all) => all.map((canvas) => canvas.width / canvas.clientWidth));
      await expect.poll(async () => Math.abs((await ratios())[0] - deviceScaleFactor)).toBeLessThan(0.1);
    });
  });
}

test("in a bare sandbox changes are taken back, and notes say that they go with the page", async ({ page }) => {
  await host(page, iframe(BALANCING, { attributes: 'sandbox="allow-scripts"' }));
  const player = await framed(page);
  await player.stepForward.click();
  await player.place.locator("[data-opens=actions]").click();
  await player.enabledActions.first().click();
  const acted = await player.settled();
  await page.keyboard.press("Control+z");
  await expect(player.button("Redo")).toBeVisible();
  expect(await player.settled()).not.toEqual(acted);
  await page.keyboard.press("f");
  await expect(player.button("Stop following")).toBeVisible();
  await page.keyboard.press("n");
  const notes = player.place.getByRole("region", { name: "Your notes" });
  await expect(notes).toContainText("your notes go when you leave");
  await page.keyboard.type("Kept for now");
  await page.keyboard.press("Control+Enter");
  await expect(notes.getByRole("listitem")).toContainText(["Kept for now"]);
});

test("an action takes a text, or says why not", async ({ page }) => {
  await host(page, iframe("bloom-filter"));
  const player = await framed(page);
  await connected(page);
  for (const [fields, error] of [
    [{}, "text is missing or far too long"],
    [{ text: 7 }, "text is missing or far too long"],
    [{ text: "x".repeat(10_000) }, "text is missing or far too long"],
    [{ text: "x".repeat(2_000) }, "long"],
    [{ text: " \n" }, "empty"],
    [{ text: "a\0b" }, "unreadable"],
  ]) expect(await send(page, "act", { name: "watch-own", ...fields })).toMatchObject({ ok: false, error });
  expect(await send(page, "act", { name: "watch-own", text: "שלום 👩‍👩‍👧" })).toMatchObject({ ok: true });
  const { state } = await send(page, "getState");
  expect(await send(page, "restart")).toMatchObject({ ok: true });
  expect(await send(page, "setState", { state })).toMatchObject({ ok: true });
  expect((await send(page, "getState")).state).toBe(state);
  await expect(player.place.getByText(/You watch reel “.*שלום/).first()).toBeAttached();
});
