// Pictures of every lesson for people to judge, and a contact sheet for each set of them: in every dress, at every step of the
// story in windows and frames of several sizes, after every action.
// LESSON=load-balancing limits it to the lessons whose name contains that, ONLY=steps to one set, ONLY=phone to one size or dress.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { chromium as browserType } from "@playwright/test";
import { chromium } from "./chromium.mjs";
import { Player, expect, ready, rested, watchFrames } from "./kit.mjs";
import { startServer } from "./server.mjs";

const folder = new URL("../../gallery/", import.meta.url).pathname;
const wide = { width: 1440, height: 900 };
const page = (width, height) => ({ viewport: { width, height } });
const embed = (width, height) => ({ viewport: { width, height }, kind: "embed" });

/** The windows and frames in which each step of a story is looked at. */
const SIZES = {
  desktop: page(1280, 900),
  laptop: page(1366, 650),
  frame: embed(800, 560),
  small: embed(600, 400),
  phone: page(390, 844),
  dark: { ...page(1280, 900), colorScheme: "dark" },
};

/** Plays for so many seconds of who looks on: some lessons run in slow motion. */
async function watch(player, seconds) {
  await player.play.click();
  await new Promise((resolve) => setTimeout(resolve, 1_000 * seconds));
  await player.pause.click();
}

/** A lesson in every dress: its window, and what is done before the picture is taken. */
const DRESSES = [
  { name: "light", viewport: wide },
  { name: "dark", colorScheme: "dark", viewport: wide },
  { name: "embed", ...SIZES.frame },
  { name: "narrow", ...SIZES.phone, whole: true },
  { name: "mid-run", viewport: wide, act: (player) => watch(player, 4) },
  {
    name: "twin",
    viewport: wide,
    act: async (player) => {
      await player.compare.click();
      await watch(player, 3);
    },
  },
];

/** What goes wrong in a page, in words. */
function listen(page) {
  const wrong = [];
  page.on("console", (message) => wrong.push(`console.${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => wrong.push(String(error)));
  return wrong;
}

/** Opens a lesson in its dress, lets `look` take pictures of it, and says what went wrong. */
async function visit(browser, url, slug, dress, look) {
  const { name, viewport, kind = "l", colorScheme = "light", reducedMotion } = dress;
  const context = await browser.newContext({ colorScheme, viewport, reducedMotion, locale: "en-GB", baseURL: url });
  await context.addInitScript(watchFrames);
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const wrong = listen(page);
  const shot = (file, fullPage = false) =>
    page.screenshot({ path: join(folder, slug, `${file}.png`), fullPage }).catch((error) => wrong.push(String(error)));
  try {
    await page.goto(`${kind}/${slug}/`);
    await ready(page);
    await look(new Player(page), shot, page);
  } catch (error) {
    wrong.push(String(error.message).split("\n")[0]);
    // A picture of what went wrong is worth more than none.
    await shot(`${name}-wrong`);
  }
  await context.close();
  return wrong.map((text) => `${slug}, ${name}: ${text}`);
}

const two = (number) => String(number).padStart(2, "0");

/** The sets of pictures: what is visited for each lesson, and what is done there. */
const SETS = {
  dresses: DRESSES.map((dress) => ({
    dress,
    look: async (player, shot) => {
      await dress.act?.(player);
      await shot(dress.name, dress.whole);
    },
  })),
  steps: Object.entries(SIZES).map(([name, size]) => ({
    dress: { name, ...size, reducedMotion: "reduce" },
    look: async (player, shot, page) => {
      const steps = player.story.getByRole("group", { name: "Steps" }).getByRole("button");
      for (let step = 0; step < (await steps.count()); step += 1) {
        await steps.nth(step).dispatchEvent("click");
        await expect(steps.nth(step)).toHaveAttribute("aria-current", "step", { timeout: 30_000 });
        await rested(page);
        await shot(`${name}-${two(step + 1)}`);
      }
    },
  })),
  actions: [
    {
      dress: { name: "action", ...SIZES.desktop },
      look: async (player, shot, page) => {
        for (let action = 0; action < (await player.actions.count()); action += 1) {
          // Anew each time: a restart keeps what was done before.
          await page.reload();
          await ready(page);
          await watch(player, 2);
          const button = player.actions.nth(action);
          const cannot = async () => (await button.getAttribute("aria-disabled")) === "true";
          if (await cannot()) await player.actions.first().click();
          // Some can be done only after another, which nobody here knows.
          if (await cannot()) continue;
          await button.click();
          await watch(player, 3);
          await shot(`action-${two(action + 1)}`);
        }
      },
    },
  ],
};

const escape = (text) => text.replace(/[&<]/g, (mark) => (mark === "&" ? "&amp;" : "&lt;"));

/** Puts the pictures of one set on a sheet. */
async function sheet(browser, slug, set, files) {
  const cells = files.map((file) => {
    const data = readFileSync(join(folder, slug, file)).toString("base64");
    return `<figure><figcaption>${file.slice(0, -4)}</figcaption><img alt="" src="data:image/png;base64,${data}"></figure>`;
  });
  const page = await browser.newPage({ viewport: { width: 2000, height: 1200 } });
  await page.setContent(`<!doctype html><style>
    body { margin: 24px; background: #8a8a86; font: 600 20px sans-serif; color: #111 }
    main { columns: 3; column-gap: 20px }
    figure { margin: 0 0 20px; break-inside: avoid }
    img { max-width: 100%; max-height: 1100px; display: block }
    </style><h1>${escape(`${slug}: ${set}`)}</h1><main>${cells.join("")}</main>`);
  await page.screenshot({ path: join(folder, `${slug}-${set}.png`), fullPage: true });
  await page.close();
}

const { LESSON = "", ONLY = "" } = process.env;
const slugs = readdirSync(new URL("../../dist/l/", import.meta.url), { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name.includes(LESSON))
  .map((entry) => entry.name)
  .sort();
const wanted = (set) => SETS[set].filter(({ dress }) => set === ONLY || dress.name.includes(ONLY));
const sets = Object.keys(SETS).filter((set) => wanted(set).length > 0);
if (slugs.length === 0) throw new Error("no lesson in dist/l matches");
if (sets.length === 0) throw new Error(`ONLY names no pictures; there are ${Object.keys(SETS).join(", ")} and ${Object.keys(SIZES).join(", ")}`);

const server = await startServer();
const browser = await browserType.launch(chromium);
const wrong = [];
let taken = 0;
try {
  for (const slug of slugs) {
    rmSync(join(folder, slug), { recursive: true, force: true });
    mkdirSync(join(folder, slug), { recursive: true });
    let before = [];
    for (const set of sets) {
      // Two at a time: more would slow each other's runs on a small machine.
      const left = wanted(set);
      const worker = async () => {
        for (let next = left.shift(); next; next = left.shift()) {
          wrong.push(...(await visit(browser, server.url, slug, next.dress, next.look)));
        }
      };
      await Promise.all([worker(), worker()]);
      const files = readdirSync(join(folder, slug)).filter((file) => !before.includes(file));
      before = [...before, ...files];
      taken += files.length;
      // The steps of each size are a sheet of their own, so that they can be read.
      const of = (file) => (set === "steps" ? file.replace(/-\d+\.png$/, "") : set);
      for (const name of new Set(files.map(of))) {
        await sheet(browser, slug, name, files.filter((file) => of(file) === name).sort());
        console.log(`gallery/${slug}-${name}.png`);
      }
    }
  }
} finally {
  await browser.close();
  server.stop();
}
writeFileSync(join(folder, "problems.txt"), wrong.map((line) => `${line}\n`).join(""));
if (wrong.length > 0) {
  console.error(wrong.join("\n"));
  process.exitCode = 1;
}
console.log(`${slugs.length} lessons, ${taken} pictures, ${wrong.length} problems`);
