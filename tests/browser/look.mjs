import { chromium as type } from "@playwright/test";
import { chromium } from "./chromium.mjs";
const base = process.argv[2];
const out = "/tmp/hand-shots/";
const browser = await type.launch({ ...chromium, executablePath: "/usr/bin/chromium" });
const shot = async (name, options, path, act) => {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.on("console", (m) => console.log(name, m.type(), m.text().slice(0, 300)));
  page.on("pageerror", (e) => console.log(name, "error", String(e).slice(0, 500)));
  try {
    await page.goto(base + path);
    await page.waitForSelector("html[data-ready]", { timeout: 60000 });
    await page.waitForTimeout(700);
    if (act) await act(page);
    await page.waitForTimeout(700);
  } catch (e) { console.log(name, "FAIL", String(e).slice(0, 400)); }
  await page.screenshot({ path: `${out}${name}.png` });
  await context.close();
};
const wide = { viewport: { width: 1360, height: 860 } };
const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 };
const LB = "l/load-balancing/";
const only = process.argv[3] ?? "";
const all = {
  undo: [wide, LB + "?at=3", async (p) => { await p.getByRole("button", { name: "Crash a server" }).click(); await p.waitForTimeout(200); await p.keyboard.press("Control+z"); }],
  undophone: [phone, LB + "?at=3", async (p) => { await p.getByRole("button", { name: "Crash a server" }).click(); await p.waitForTimeout(300); await p.keyboard.press("Control+z"); await p.evaluate(() => scrollTo(0, 0)); }],
  follow: [wide, LB + "?at=3", async (p) => { await p.getByRole("button", { name: "Step forward" }).click(); await p.keyboard.press("f"); }],
  followdark: [{ ...wide, colorScheme: "dark" }, LB + "?at=3", async (p) => { await p.getByRole("button", { name: /^Server 2, / }).focus(); await p.keyboard.press("Enter"); await p.getByRole("button", { name: "Follow", exact: true }).click(); }],
  inspector: [wide, LB + "?at=3", async (p) => { await p.getByRole("button", { name: /^Server 2, / }).focus(); await p.keyboard.press("Enter"); }],
  followphone: [phone, LB + "?at=3", async (p) => { await p.getByRole("button", { name: "Step forward" }).click(); await p.keyboard.press("f"); }],
  notes: [wide, LB + "?at=3", async (p) => { for (const x of ["Here the second server is full, and requests wait.", "A second note\nof two lines"]) { if (!(await p.locator("#jot-text").count())) await p.keyboard.press("n"); await p.locator("#jot-text").fill(x); await p.keyboard.press("Control+Enter"); await p.waitForTimeout(300); } await p.getByText("All notes as text").click(); }],
  notesphone: [phone, LB + "?at=3", async (p) => { await p.getByRole("button", { name: "Notes" }).click(); await p.locator("#jot-text").fill("A note on a phone"); await p.keyboard.press("Control+Enter"); }],
  compare: [wide, LB + "?at=3", async (p) => { await p.getByRole("button", { name: "Compare" }).click(); await p.getByRole("button", { name: "Change a second thing" }).click(); }],
  compareact: [wide, LB + "?at=3", async (p) => { await p.getByRole("button", { name: "Compare" }).click(); await p.getByRole("button", { name: "Change a second thing" }).click(); await p.locator("#compare-second").selectOption({ index: await p.locator("#compare-second option").count() - 1 }); }],
  comparephone: [phone, LB + "?at=3", async (p) => { await p.getByRole("button", { name: "Menu" }).click(); await p.getByRole("button", { name: "Compare" }).click(); await p.getByRole("button", { name: "Change a second thing" }).click(); await p.evaluate(() => scrollTo(0, 0)); }],
  lecture: [phone, LB + "?present=1"],
  lecture2: [phone, "l/sharding/?present=1"],
  lecture3: [phone, "l/sharding/?present=1&beat=4"],
  lectureland: [{ ...phone, viewport: { width: 844, height: 390 } }, "l/sharding/?present=1"],
  embed: [{ viewport: { width: 800, height: 560 } }, "embed/load-balancing/?at=3", async (p) => { await p.getByRole("button", { name: "Step forward" }).click(); await p.keyboard.press("f"); }],
  help: [wide, LB, async (p) => { await p.keyboard.press("?"); }],
};
for (const [name, [options, path, act]] of Object.entries(all)) if (name.includes(only)) await shot(name, options, path, act);
await browser.close();
