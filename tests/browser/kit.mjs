// What every browser test stands on: a `test` that fails on anything the browser complains about,
// and names for the player's controls as people and screen readers know them.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test as plain, expect } from "@playwright/test";

export { expect };

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const site = JSON.parse(readFileSync(new URL("../../dist/words/catalogue.en.json", import.meta.url), "utf8"));

/** The lessons of the built site's catalogue that can be opened. */
export const lessons = site.chapters.flatMap((chapter) => chapter.lessons).filter((lesson) => lesson.ready);

/**
 * The lessons on which code that is the same for all is tested in full, and what each has that the others have not.
 * Every other lesson gets its smoke and its outline; ALL=1 tests all of them in full, LESSON=caching the matching ones.
 */
const CHOSEN = {
  "load-balancing": "requests on the move, knobs that are numbers, the shortest page",
  "consistent-hashing": "a picture that is no flow of requests: a ring, looked at rather than played",
  "cap-theorem": "messages between equals, knobs that are choices, the most words and parts",
};
const { ALL, LESSON = "" } = process.env;
for (const slug of Object.keys(CHOSEN)) {
  if (!lessons.some((lesson) => lesson.slug === slug)) throw new Error(`${slug}, chosen for full tests, is not in the catalogue`);
}
const matching = lessons.filter(({ slug }) => slug.includes(LESSON));

/** What every lesson is tested for is tested on these: all of them, unless the environment's LESSON names some. */
export const each = matching;

/** What is the same code for all lessons is tested on these. */
export const some = ALL || LESSON ? matching : lessons.filter(({ slug }) => slug in CHOSEN);

/** Numbers between 0 and 1 that look random and are the same for the same seed (mulberry32). */
export function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Collects whatever a context's pages, frames and workers complain about. */
export class Problems {
  #seen = [];
  #expected = [];
  #allowed = [];

  /** @param {import("@playwright/test").BrowserContext} context @param {string[]} origins */
  watch(context, origins) {
    const own = (address) => !/^(https?|wss?):/.test(address) || origins.includes(new URL(address).origin);
    context.on("console", (message) =>
      this.add(`console.${message.type()}: ${message.text()} (${message.location().url || "no address"})`),
    );
    context.on("weberror", (error) => this.add(`uncaught: ${error.error()?.stack ?? error.error()}`));
    context.on("request", (request) => own(request.url()) || this.add(`request to another origin: ${request.url()}`));
    context.on("requestfailed", (request) => {
      // Leaving a page aborts what it was still loading, which is nobody's mistake.
      const why = request.failure()?.errorText ?? "";
      if (why !== "net::ERR_ABORTED") this.add(`request failed: ${request.url()} ${why}`);
    });
    context.on("response", (response) => {
      if (response.status() >= 400) this.add(`response ${response.status()}: ${response.url()}`);
    });
    context.on("page", (page) =>
      page.on("websocket", (socket) => own(socket.url()) || this.add(`socket to another origin: ${socket.url()}`)),
    );
  }

  add(text) {
    this.#seen.push(text);
  }

  /** Announces a complaint that this test provokes. Each must come at least once. @param {RegExp} pattern */
  expect(pattern) {
    this.#expected.push(pattern);
  }

  /** Everything that came so far. */
  get seen() {
    return [...this.#seen];
  }

  /** Announces a complaint that may come or not. */
  allow(pattern) {
    this.#allowed.push(pattern);
  }

  /** What came unannounced, and what was announced and never came. */
  report() {
    const announced = [...this.#expected, ...this.#allowed];
    const unexpected = this.#seen.filter((text) => !announced.some((pattern) => pattern.test(text)));
    const missing = this.#expected.filter((pattern) => !this.#seen.some((text) => pattern.test(text)));
    return [...unexpected, ...missing.map((pattern) => `never came: ${pattern}`)];
  }
}

/** Runs in every page and frame before its scripts: knows whether the application still waits for a frame. */
export function watchFrames() {
  const [ask, cancel] = [requestAnimationFrame.bind(window), cancelAnimationFrame.bind(window)];
  const asked = new Set();
  window.requestAnimationFrame = (call) => {
    const id = ask((now) => {
      asked.delete(id);
      call(now);
    });
    asked.add(id);
    return id;
  };
  window.cancelAnimationFrame = (id) => {
    asked.delete(id);
    cancel(id);
  };
  globalThis.framesAsked = { next: () => new Promise(ask), waiting: () => asked.size > 0 };
}

/**
 * Fails, after the test's own steps, on every console message, uncaught error, unhandled rejection,
 * failed request or request to an origin that is neither the site's nor among `origins`.
 */
export const test = plain.extend({
  origins: [[], { option: true }],
  problems: [
    async ({ context, baseURL, origins }, use) => {
      const problems = new Problems();
      problems.watch(context, [new URL(baseURL).origin, ...origins]);
      await context.addInitScript(watchFrames);
      await use(problems);
      // One more turn of each page lets what is already on its way arrive.
      await Promise.all(context.pages().map((page) => page.evaluate(() => 0).catch(() => 0)));
      expect(problems.report(), "the browser complained").toEqual([]);
    },
    { auto: true },
  ],
});

/**
 * Opens a page of the site by its path below the base, and waits until the application says it is ready.
 * @returns {Promise<Player>}
 */
export async function open(page, path = "") {
  await page.goto(path.replace(/^\//, ""));
  await ready(page);
  return new Player(page);
}

/** Waits until the application in a page or frame has marked itself ready. */
export async function ready(place) {
  await expect(place.locator("html[data-ready='1']")).toBeAttached({ timeout: 30_000 });
}

/**
 * The controls of one lesson in a page or frame, by role and accessible name. What the page looks like is known here
 * alone: tests ask this class.
 */
export class Player {
  /** @param {import("@playwright/test").Page | import("@playwright/test").FrameLocator} place */
  constructor(place) {
    this.place = place;
    const named = (name) => place.getByRole("button", { name, exact: true });
    this.play = named("Play");
    this.pause = named("Pause");
    this.stepForward = named("Step forward");
    this.stepBack = named("Step back");
    this.restart = named("Restart");
    this.compare = named("Compare");
    this.endComparison = named("End the comparison");
    this.share = named("Share");
    this.embed = named("Embed");
    this.time = this.knob("Time");
    this.clock = place.locator(".clock");
    this.stages = place.locator("figure.stage");
    this.dots = place.locator("canvas.stage-dots");
    /** What assistive technology is told to say. */
    this.spoken = place.locator("[aria-live=polite]");
    // The story.
    this.story = place.getByRole("region", { name: "Story" });
    this.next = this.story.getByRole("button", { name: "Next", exact: true });
    this.back = this.story.getByRole("button", { name: "Back", exact: true });
    this.step = this.story.getByText(/^Step \d+ of \d+$/);
    this.caption = this.story.locator(".story-caption");
    this.answers = this.story.locator("fieldset").getByRole("button");
    this.guess = this.story.getByText(/^Your guess: /);
  }

  /** A slider, by its knob's label. */
  knob(label) {
    return this.place.getByRole("slider", { name: label, exact: true });
  }

  /** A button of any other name: an action, a dialog's, a part's. */
  button(name) {
    return this.place.getByRole("button", { name, exact: typeof name === "string" });
  }

  /** The buttons that break something, in order. */
  get actions() {
    return this.place.getByRole("region", { name: "Break it" }).getByRole("button");
  }

  /** Those of them that can be pressed now. */
  get enabledActions() {
    return this.actions.and(this.place.getByRole("button", { disabled: false }));
  }

  /** The simulated seconds that the transport shows. */
  async seconds() {
    return Number(await this.time.inputValue());
  }

  /** The buttons of everything that a stage shows. */
  partsOf(side = 0) {
    return this.place.getByRole("list", { name: "Parts" }).nth(side).getByRole("button");
  }

  /** Everything that a stage says, as assistive technology reads it. */
  parts(side = 0) {
    return this.partsOf(side).allTextContents();
  }

  /** The same, once it has come to rest. */
  async settled() {
    await this.rested();
    return this.parts();
  }

  /** Waits until the page says what the last input brought about. */
  rested() {
    return rested(this.place);
  }

  /** Goes to a simulated second, as a drag of the tape does. */
  async seek(second) {
    // The axis of a lesson in slow motion may end before.
    const to = Math.min(second, Number(await this.time.getAttribute("max")));
    await drag(this.time, to);
    await expect.poll(() => this.seconds()).toBeCloseTo(to, 1);
  }

  /** Plays for so many simulated seconds at least, then pauses. */
  async playFor(seconds) {
    const until = (await this.seconds()) + seconds;
    await this.play.click();
    await expect.poll(() => this.seconds()).toBeGreaterThanOrEqual(until);
    await this.pause.click();
    await expect(this.play).toBeVisible();
  }

  /** How many steps the story has. */
  async steps() {
    return Number((await this.step.textContent()).match(/of (\d+)/)[1]);
  }

  /** Waits until the story stands at a step, counted from 1. */
  async atStep(step) {
    await expect(this.step).toHaveText(new RegExp(`^Step ${step} of `));
  }

  /**
   * From now on whoever presses Next is taken to the next step at once, as a second press does. The second one comes
   * in the same task: between two presses of a hand the step may be reached, and the second would lead past it.
   */
  jumpOnNext() {
    return this.next.evaluate((next) => {
      if (next.jumps) return;
      next.jumps = true;
      // click() does nothing within a click that a key made.
      next.addEventListener("click", (event) => event.isTrusted && next.dispatchEvent(new MouseEvent("click", { bubbles: true })));
    });
  }

  /** Goes to the step after this one at once. */
  async nextStep() {
    const step = Number((await this.step.textContent()).match(/\d+/)[0]);
    await this.jumpOnNext();
    await this.next.click();
    await this.atStep(step + 1);
  }

  /** Goes to the step after this one at once, as a script does: without a pointer or the focus. */
  async jump() {
    const step = Number((await this.step.textContent()).match(/\d+/)[0]);
    await this.next.evaluate((next) => [next.click(), next.click()]);
    await this.atStep(step + 1);
  }

  /** Whether the story asks something here. A question comes with the frame after its step. */
  async asks() {
    await this.rested();
    return (await this.answers.count()) > 0;
  }

  /** Gives the answer of this number, counted from 0. */
  async answer(number = 0) {
    await this.answers.nth(number).click();
    await expect(this.guess).toBeVisible();
  }
}

/**
 * Waits until a page or frame, where time rests, says what the last input brought about: until the application has
 * asked for no frame any more, for whatever it still has to draw, list or tell it does in one.
 */
export async function rested(place) {
  await place.locator("html").evaluate(async () => {
    await document.fonts.ready;
    const { next, waiting } = globalThis.framesAsked;
    // What the browser tells of sizes it tells after the frame in which they changed.
    for (let quiet = 0; quiet < 3; quiet = waiting() ? 0 : quiet + 1) await next();
  });
}

/** Sees so many frames drawn, whoever asks for them. */
export async function frames(place, count) {
  await place.locator("html").evaluate(async (_, count) => {
    for (let frame = 0; frame < count; frame++) await new Promise(requestAnimationFrame);
  }, count);
}

/** Sets a range input as a drag does. */
export async function drag(slider, value) {
  await slider.evaluate((input, value) => {
    input.value = String(value);
    input.dispatchEvent(new Event("input", { bubbles: true }));
    input.dispatchEvent(new Event("change", { bubbles: true }));
  }, value);
}

/** WCAG 2.2 AA and best practices; without these tags axe-core leaves out what 2.2 added. */
const STANDARD = {
  runOnly: { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"] },
  // A link that covers its card by a pseudo-element has no bearing on the contrast of what it covers.
  checks: { "color-contrast": { options: { ignorePseudo: true } } },
  resultTypes: ["violations"],
};

/** Puts everything that pulses into its last state. Waiting for it could take for ever: some of it pulses as long as it is there. */
function endAnimations() {
  for (const animation of document.getAnimations()) {
    if (animation.effect.getComputedTiming().endTime === Infinity) animation.cancel();
    else animation.finish();
  }
}

/** Fails on anything axe-core finds wrong with the page as it is now, once nothing pulses any more. */
export async function expectAccessible(page, options = STANDARD) {
  await page.evaluate(endAnimations);
  await page.evaluate(axe);
  const found = await page.evaluate((options) => globalThis.axe.run(document, options), options);
  const told = found.violations.map(
    ({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.target.join(" ")).join(", ")}`,
  );
  expect(told, "axe-core found faults").toEqual([]);
}

/** Lays out what lies far below the window too: the browser leaves it, clipped, until somebody scrolls there. */
function layOutAll(page) {
  return page.evaluate(() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(".notes section, .chapter { content-visibility: visible }");
    document.adoptedStyleSheets = [sheet];
  });
}

/** Fails where the page is wider than its window. */
export async function expectNoSidewaysScroll(page) {
  await layOutAll(page);
  const { page: wide, window: narrow } = await page.evaluate(() => ({
    page: document.documentElement.scrollWidth,
    window: document.documentElement.clientWidth,
  }));
  expect(wide, "width of the page against its window").toBeLessThanOrEqual(narrow);
}

/** Fails where something that can be pressed is smaller than this many pixels either way. Links in running text may be. */
export async function expectTargets(page, least) {
  await layOutAll(page);
  const small = await page.evaluate((least) => {
    const pressed = "button, summary, select, input, textarea, a[href], [role=button], [tabindex='0']";
    return [...document.querySelectorAll(pressed)]
      .filter((element) => !element.closest(".visually-hidden, .skip, [hidden]") && element.checkVisibility())
      .filter((element) => !(element.matches("a") && element.closest("p, .prose, dd, li:not(.card)")))
      .map((element) => {
        // What a label covers presses its control too, and a link may cover its card.
        const places = [element, ...(element.labels ?? [])];
        if (element.matches(".card a, .begun a")) places.push(element.closest(".card, .begun"));
        const frames = places.map((place) => place.getBoundingClientRect());
        const size = (side) => Math.max(...frames.map((frame) => frame[side]));
        return { what: `${element.tagName.toLowerCase()} ${(element.ariaLabel || element.textContent).trim().slice(0, 40)}`, w: size("width"), h: size("height") };
      })
      .filter(({ w, h }) => w < least - 0.5 || h < least - 0.5)
      .map(({ what, w, h }) => `${what}: ${w.toFixed(1)} × ${h.toFixed(1)}`);
  }, least);
  expect(small, `targets under ${least} px`).toEqual([]);
}

/** Fails where the stage writes smaller than can be read. */
export async function expectReadableStage(page) {
  const small = await page.locator(".stage svg text").evaluateAll((texts) =>
    texts
      .map((text) => ({ text: text.textContent, size: text.getBoundingClientRect().height }))
      .filter(({ text, size }) => text && size < 11));
  expect(small, "texts under 11 px").toEqual([]);
}

/** Fails where texts lie on each other, or where a text is wider than the box that holds it. */
export async function expectNoOverlap(page) {
  await layOutAll(page);
  const faults = await page.evaluate(() => {
    const found = [];
    const frames = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const holder = node.parentElement;
      const hidden = !node.data.trim() || holder.closest(".visually-hidden, .skip, script, option, noscript") || !holder.checkVisibility({ visibilityProperty: true });
      // Labels of the stage and of the time axis are placed by code that has tests of its own.
      if (hidden || holder.closest(".axis, .lane")) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      for (const whole of range.getClientRects()) {
        // What lies outside a box that hides what overflows is not seen.
        let { left, top, right, bottom } = whole;
        for (let box = holder; box && box !== document.body; box = box.parentElement) {
          const style = getComputedStyle(box);
          if (style.clipPath === "inset(50%)") right = left;
          if (style.overflow === "visible") continue;
          const clip = box.getBoundingClientRect();
          [left, top] = [Math.max(left, clip.left), Math.max(top, clip.top)];
          [right, bottom] = [Math.min(right, clip.right), Math.min(bottom, clip.bottom)];
        }
        if (right - left < 2 || bottom - top < 2) continue;
        // Lines of text are higher than their letters.
        const spare = (bottom - top) * 0.2;
        frames.push({ node, text: node.data.trim().slice(0, 30), left, right, top: top + spare, bottom: bottom - spare, holder });
      }
    }
    for (const [place, a] of frames.entries()) {
      for (const b of frames.slice(place + 1)) {
        const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
        const along = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
        // What opens above the page, such as a menu, covers it by intent.
        const above = (frame) => frame.holder.closest(".tools[data-open], dialog");
        if (a.node !== b.node && across > 1 && along > 1 && above(a) === above(b)) found.push(`“${a.text}” lies on “${b.text}”`);
      }
    }
    for (const element of document.querySelectorAll("main button, main label, main legend, main p, main h1, main h2, main li, main dd")) {
      const clips = element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 0 && element.checkVisibility();
      if (clips && !element.closest(".visually-hidden, .latest, .lane, .axis")) found.push(`“${element.textContent.trim().slice(0, 40)}” is wider than its box`);
    }
    return found;
  });
  expect(faults, "overlaps").toEqual([]);
}

/**
 * Fails on words that cannot be read where they are painted: takes a picture and finds, in the frame of each text,
 * the colour of the ground and the colour that stands out most from it. What no rule of style sheets foresees,
 * such as grounds that the browser adds in forced colours, is seen here.
 */
export async function expectLegible(page, least = 4.5) {
  await page.evaluate(endAnimations);
  const picture = (await page.screenshot()).toString("base64");
  const faults = await page.evaluate(async ({ picture, least }) => {
    const bytes = Uint8Array.from(atob(picture), (letter) => letter.charCodeAt(0));
    const image = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
    const canvas = new OffscreenCanvas(image.width, image.height);
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(image, 0, 0);
    const scale = image.width / innerWidth;
    const light = (colour) => {
      const [r, g, b] = [colour >> 16, (colour >> 8) & 255, colour & 255].map((value) => {
        const share = value / 255;
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const ratio = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const faults = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    let looked = 0;
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const holder = node.parentElement;
      const skip = !/\w/.test(node.data) || holder.closest(".visually-hidden, .skip, script, option, noscript, :disabled, [aria-disabled=true]");
      if (skip || !holder.checkVisibility({ visibilityProperty: true })) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      const frame = range.getBoundingClientRect();
      // Only where letters are: around them may show what the word does not lie on.
      const [width, height] = [frame.width - 2, frame.height * 0.6];
      const [left, top] = [frame.left + 1, frame.top + frame.height * 0.2];
      const inside = left >= 0 && top >= 0 && left + width <= innerWidth && top + height <= innerHeight && width >= 1;
      if (!inside) continue;
      const { data } = context.getImageData(left * scale, top * scale, Math.ceil(width * scale), Math.ceil(height * scale));
      const counts = new Map();
      for (let at = 0; at < data.length; at += 4) {
        const colour = (data[at] << 16) | (data[at + 1] << 8) | data[at + 2];
        counts.set(colour, (counts.get(colour) ?? 0) + 1);
      }
      const ground = light([...counts].reduce((most, entry) => (entry[1] > most[1] ? entry : most))[0]);
      const best = Math.max(...[...counts.keys()].map((colour) => ratio(ground, light(colour))));
      looked++;
      if (best < least) faults.push(`“${node.data.trim().slice(0, 40)}”: ${best.toFixed(2)}`);
    }
    return looked > 20 ? faults : [`only ${looked} texts in the picture`];
  }, { picture, least });
  expect(faults, `texts under ${least}:1 as painted`).toEqual([]);
}
