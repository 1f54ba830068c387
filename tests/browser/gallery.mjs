// Pictures of every lesson in every dress, and one contact sheet a lesson, for people to judge.
// LESSON=load-balancing limits it to the lessons whose name contains that.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { chromium as browserType } from "@playwright/test";
import { chromium } from "./chromium.mjs";
import { Player, ready } from "./kit.mjs";
import { startServer } from "./server.mjs";

const folder = new URL("../../gallery/", import.meta.url).pathname;
const wide = { width: 1440, height: 900 };
const nothing = async () => {};

/** Each picture: its window, the page's path and parameters, and what is done before it is taken. */
const pictures = [
  { name: "light", colorScheme: "light", viewport: wide, act: nothing },
  { name: "dark", colorScheme: "dark", viewport: wide, act: nothing },
  { name: "embed", colorScheme: "light", viewport: { width: 800, height: 560 }, kind: "embed", act: nothing },
  { name: "narrow", colorScheme: "light", viewport: { width: 390, height: 844 }, whole: true, act: nothing },
  { name: "mid-run", colorScheme: "light", viewport: wide, act: (player) => player.playFor(4) },
  {
    name: "after-action",
    colorScheme: "dark",
    viewport: wide,
    act: async (player) => {
      await player.playFor(2);
      await player.actions.first().click();
      await player.playFor(3);
    },
  },
  {
    name: "twin",
    colorScheme: "light",
    viewport: wide,
    act: async (player) => {
      await player.compare.click();
      await player.playFor(3);
    },
  },
];

/** Takes one picture and returns what went wrong on the way, if anything. */
async function take(browser, url, slug, { name, colorScheme, viewport, kind = "l", whole = false, act }) {
  const context = await browser.newContext({ colorScheme, viewport, locale: "en-GB", baseURL: url });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const wrong = [];
  page.on("console", (message) => wrong.push(`console.${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => wrong.push(String(error)));
  try {
    await page.goto(`${kind}/${slug}/`);
    await ready(page);
    await act(new Player(page));
  } catch (error) {
    wrong.push(String(error.message).split("\n")[0]);
  }
  // A picture of what went wrong is worth more than none.
  await page.screenshot({ path: join(folder, slug, `${name}.png`), fullPage: whole }).catch((error) => wrong.push(String(error)));
  await context.close();
  return wrong.map((text) => `${slug}, ${name}: ${text}`);
}

const escape = (text) => text.replace(/[&<]/g, (mark) => (mark === "&" ? "&amp;" : "&lt;"));

/** Puts a lesson's pictures on one sheet. */
async function sheet(browser, slug) {
  const cells = pictures
    .map(({ name }) => [name, join(folder, slug, `${name}.png`)])
    .filter(([, path]) => existsSync(path))
    .map(([name, path]) => {
      const data = readFileSync(path).toString("base64");
      return `<figure><figcaption>${name}</figcaption><img alt="" src="data:image/png;base64,${data}"></figure>`;
    });
  const page = await browser.newPage({ viewport: { width: 2000, height: 1200 } });
  await page.setContent(`<!doctype html><style>
    body { margin: 24px; background: #8a8a86; font: 600 20px sans-serif; color: #111 }
    main { columns: 3; column-gap: 20px }
    figure { margin: 0 0 20px; break-inside: avoid }
    img { max-width: 100%; max-height: 1100px; display: block }
    </style><h1>${escape(slug)}</h1><main>${cells.join("")}</main>`);
  await page.screenshot({ path: join(folder, `${slug}.png`), fullPage: true });
  await page.close();
}

const slugs = readdirSync(new URL("../../dist/l/", import.meta.url), { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name.includes(process.env.LESSON ?? ""))
  .map((entry) => entry.name)
  .sort();
if (slugs.length === 0) throw new Error("no lesson in dist/l matches");
for (const slug of slugs) {
  rmSync(join(folder, slug), { recursive: true, force: true });
  mkdirSync(join(folder, slug), { recursive: true });
}

const server = await startServer();
const browser = await browserType.launch(chromium);
const wrong = [];
try {
  for (const slug of slugs) {
    // Two at a time: more would slow each other's runs on a small machine.
    const left = [...pictures];
    const worker = async () => {
      for (let picture = left.shift(); picture; picture = left.shift()) {
        wrong.push(...(await take(browser, server.url, slug, picture)));
      }
    };
    await Promise.all([worker(), worker()]);
    await sheet(browser, slug);
    console.log(`gallery/${slug}.png`);
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
console.log(`${slugs.length} lessons, ${slugs.length * pictures.length} pictures, ${wrong.length} problems`);
