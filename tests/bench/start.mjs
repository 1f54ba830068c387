// How a page starts: Lighthouse's scores for a phone on slow 4G, when it can be used, and what it moves over the wire.
import { chromium as browserType } from "@playwright/test";
import lighthouse from "lighthouse";
import { chromium } from "../browser/chromium.mjs";

const PORT = 4395;
/** What the project promises: scores of 100, when a page can be used, and what it weighs. */
const LIMITS = { performance: 95, accessibility: 100, "best-practices": 100, seo: 100, interactive: 2_500, bytes: 250_000 };
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
    told: Object.fromEntries(["first-contentful-paint", "largest-contentful-paint", "total-blocking-time",
      "cumulative-layout-shift", "speed-index"].map((name) => [name, number(name)])),
  };
}

/** The rows of the table. */
export async function* rows({ site }) {
  const browser = await browserType.launch({ ...chromium, args: [...chromium.args, `--remote-debugging-port=${PORT}`] });
  try {
    for (const [name, address] of [["catalogue", ""], ["lesson", "l/caching/"], ["embed", "embed/caching/?theme=auto"]]) {
      const runs = [];
      for (let run = 0; run < RUNS; run++) runs.push(await measure(site + address));
      if (process.env.TOLD) console.error(name, JSON.stringify(runs, null, 1));
      const row = (what, unit, part) => [`${name}: ${what}`, middle(runs.map((run) => run[part])), unit, LIMITS[part], "limit"];
      yield row("Lighthouse performance, phone, slow 4G", "of 100", "performance");
      yield row("accessibility", "of 100", "accessibility");
      yield row("best practices", "of 100", "best-practices");
      yield row("search engines", "of 100", "seo");
      yield row("can be used", "ms", "interactive");
      yield row("over the wire", "bytes", "bytes");
    }
  } finally {
    await browser.close();
  }
}
