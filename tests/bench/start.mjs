// How a page starts: Lighthouse's scores for a phone on slow 4G, when it is painted, when it can be used, for how long it
// does not answer, and what it moves over the wire; beside a bare Leptos page that is served the same way. Three lessons
// stand for all; ALL=1 measures each.
import { readFileSync } from "node:fs";
import { chromium as browserType } from "@playwright/test";
import lighthouse from "lighthouse";
import { chromium } from "../browser/chromium.mjs";

const PORT = 4395;
/** What the project promises: scores of 100, when a page can be used, and what it weighs. */
const LIMITS = { performance: 95, accessibility: 100, "best-practices": 100, seo: 100, interactive: 2_500, bytes: 250_000, blocked: 150, ratio: 1.15 };
/** One measurement says little of speed; the middle one of so many counts. */
const RUNS = 3;

const middle = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];

/** Measures one page. */
async function measure(url) {
  const { lhr } = await lighthouse(url, { port: PORT, logLevel: "silent", output: "json" }, {
    extends: "lighthouse:default",
    settings: { onlyCategories: ["performance", "accessibility", "best-practices", "seo"] },
  });
  if (lhr.runtimeError) throw new Error(`${url}: ${lhr.runtimeError.message}`);
  const score = (name) => Math.round(100 * lhr.categories[name].score);
  const number = (name) => lhr.audits[name].numericValue;
  return {
    performance: score("performance"),
    accessibility: score("accessibility"),
    "best-practices": score("best-practices"),
    seo: score("seo"),
    interactive: Math.round(number("interactive")),
    bytes: number("total-byte-weight"),
    first: Math.round(number("first-contentful-paint")),
    largest: Math.round(number("largest-contentful-paint")),
    ratio: number("largest-contentful-paint") / number("first-contentful-paint"),
    blocked: Math.round(number("total-blocking-time")),
    shift: number("cumulative-layout-shift"),
  };
}

/** The lessons whose pages are measured. */
function chosen() {
  if (!process.env.ALL) return ["load-balancing", "caching", "cap-theorem"];
  const catalogue = JSON.parse(readFileSync(new URL("../../dist/words/catalogue.en.json", import.meta.url), "utf8"));
  return catalogue.chapters.flatMap(({ lessons }) => lessons).filter(({ ready }) => ready).map(({ slug }) => slug);
}

/** The rows of the table. */
export async function* rows({ site, bench }) {
  const browser = await browserType.launch({ ...chromium, args: [...chromium.args, `--remote-debugging-port=${PORT}`] });
  try {
    const middleOf = async (name, url) => {
      const runs = [];
      for (let run = 0; run < RUNS; run++) runs.push(await measure(url));
      if (process.env.TOLD) console.error(name, JSON.stringify(runs, null, 1));
      return (part) => middle(runs.map((run) => run[part]));
    };
    const bare = await middleOf("bare", `${bench}bare/`);
    const pages = chosen().flatMap((slug) => [[`lesson ${slug}`, `l/${slug}/`], [`embed ${slug}`, `embed/${slug}/?theme=auto`]]);
    for (const [name, address] of [["catalogue", ""], ...pages]) {
      const of = await middleOf(name, site + address);
      const row = (what, unit, part) => [`${name}: ${what}`, of(part), unit, LIMITS[part], "limit"];
      const beside = (what, unit, part) => [`${name}: ${what}`, of(part), unit, bare(part), "bare Leptos"];
      yield row("Lighthouse performance, phone, slow 4G", "of 100", "performance");
      yield row("accessibility", "of 100", "accessibility");
      yield row("best practices", "of 100", "best-practices");
      yield row("search engines", "of 100", "seo");
      yield beside("first paint", "ms", "first");
      yield beside("largest paint", "ms", "largest");
      yield row("largest paint over first", "", "ratio");
      yield row("blocked", "ms", "blocked");
      yield row("can be used", "ms", "interactive");
      yield row("over the wire", "bytes", "bytes");
      yield [`${name}: layout shift`, of("shift"), ""];
    }
  } finally {
    await browser.close();
  }
}
