import { chromium } from "@playwright/test";
const base = process.argv[2], out = process.argv[3];
const b = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
const acts = ["The star posts", "The star posts and a fan answers", "Everybody looks", "A sleeper returns", "One follows everybody, or leaves", "The star deletes her post", "Two generator workers die"];
let i = 0;
for (const act of acts) {
  const p = await b.newPage({ viewport: { width: 1280, height: 900 } });
  p.on("pageerror", e => console.log(act, "ERR", String(e).slice(0, 300)));
  await p.goto(base + "/l/social-feed/?at=6&p.design=" + (act.startsWith("One") ? "read&p.looks=20" : "write"));
  await p.waitForTimeout(1500);
  await p.getByRole("button", { name: act, exact: true }).click();
  await p.keyboard.press("Escape");
  await p.getByRole("button", { name: /^Play/ }).first().click().catch(() => console.log("no play"));
  await p.waitForTimeout(7000);
  await p.screenshot({ path: `${out}/act${i++}.png` });
  await p.close();
}
await b.close();
