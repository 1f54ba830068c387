// What every browser test stands on: a `test` that fails on anything the browser complains about,
// and names for the player's controls as people and screen readers know them.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test as plain, expect } from "@playwright/test";

export { expect };

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Collects whatever a context's pages, frames and workers complain about. */
export class Problems {
  #seen = [];
  #expected = [];

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

  /** What came unannounced, and what was announced and never came. */
  report() {
    const unexpected = this.#seen.filter((text) => !this.#expected.some((pattern) => pattern.test(text)));
    const missing = this.#expected.filter((pattern) => !this.#seen.some((text) => pattern.test(text)));
    return [...unexpected, ...missing.map((pattern) => `never came: ${pattern}`)];
  }
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

/** The controls of one lesson in a page or frame, by role and accessible name. */
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
    this.next = named("Next");
    this.back = named("Back");
    this.compare = named("Compare");
    this.share = named("Share");
    this.embed = named("Embed");
    this.time = this.knob("Time");
  }

  /** A slider, by its knob's label. */
  knob(label) {
    return this.place.getByRole("slider", { name: label, exact: true });
  }

  /** A button of any other name: an action, an answer, a beat. */
  button(name) {
    return this.place.getByRole("button", { name, exact: typeof name === "string" });
  }

  /** The buttons that break something, in order. */
  get actions() {
    return this.place.getByRole("region", { name: "Break it" }).getByRole("button");
  }

  /** Plays for a while of real time, then pauses. */
  async playFor(ms) {
    await this.play.click();
    await new Promise((resolve) => setTimeout(resolve, ms));
    await this.pause.click();
    await expect(this.play).toBeVisible();
  }
}

/** Fails on anything axe-core finds wrong with the page as it is now. */
export async function expectAccessible(page, options = {}) {
  await page.evaluate(axe);
  const found = await page.evaluate((options) => globalThis.axe.run(document, options), options);
  const told = found.violations.map(
    ({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.target.join(" ")).join(", ")}`,
  );
  expect(told, "axe-core found faults").toEqual([]);
}

/** Fails where the page is wider than its window. */
export async function expectNoSidewaysScroll(page) {
  const { page: wide, window: narrow } = await page.evaluate(() => ({
    page: document.documentElement.scrollWidth,
    window: document.documentElement.clientWidth,
  }));
  expect(wide, "width of the page against its window").toBeLessThanOrEqual(narrow);
}
