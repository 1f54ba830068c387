import { chromium } from "@playwright/test";
const [,, url, out, w, h, full] = process.argv;
const b = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
const p = await b.newPage({ viewport: { width: +w, height: +h } });
await p.goto(url); await p.waitForTimeout(500);
await p.screenshot({ path: out, fullPage: full === "1" });
await b.close();
