import { chromium } from "@playwright/test";
const base = process.argv[2], out = process.argv[3];
const jobs = JSON.parse(process.argv[4]);
const b = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
for (const [name, path, w, h, dark] of jobs) {
  const p = await b.newPage({ viewport: { width: w, height: h }, colorScheme: dark ? "dark" : "light" });
  p.on("console", m => { if (m.type() !== "log" && m.type() !== "debug") console.log(name, m.type(), m.text().slice(0, 200)); });
  p.on("pageerror", e => console.log(name, "ERR", String(e).slice(0, 300)));
  await p.goto(base + path);
  await p.waitForSelector("html[data-ready], [data-loadlab-ready]", { timeout: 3000 }).catch(() => {});
  await p.waitForTimeout(2500);
  await p.screenshot({ path: `${out}/${name}.png` });
  await p.close();
}
await b.close();
