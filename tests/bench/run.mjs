// make bench: measures engine and site in headless Chromium and prints one table, each row as soon as it is measured.
// BENCH="frames flood" measures these only, ALL=1 every lesson, however long that takes.
//
// Each module gives `rows({ browser, bench, site })`, an async generator of rows: what, ours, unit, and where there is
// one a peer or limit with its name. `browser` is Playwright's, `bench` the address of the bench's own program, `site`
// that of the built site.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { brotliCompressSync } from "node:zlib";
import { chromium as browserType } from "@playwright/test";
import { chromium } from "../browser/chromium.mjs";
import { startServer } from "../browser/server.mjs";
import * as crowd from "./crowd.mjs";
import * as engine from "./engine.mjs";
import * as flood from "./flood.mjs";
import * as frames from "./frames.mjs";
import * as start from "./start.mjs";

/** The shortest come first: what is cut off at the end of the time has told most by then. */
const modules = { engine, flood, start, crowd, frames };
/** So long the bench may take; what is not measured by then is named and left out. */
const MINUTES = 10;
const top = fileURLToPath(new URL("../..", import.meta.url));
const out = `${top}target/bench`;
const run = (program, ...args) => execFileSync(program, args, { cwd: top, stdio: ["ignore", "inherit", "inherit"] });

/** Builds the bench's own program and lays out the folder that its page is served from. */
function build() {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  run("cargo", "build", "--quiet", "--locked", "--release", "-p", "loadlab-bench", "--target", "wasm32-unknown-unknown");
  // Programs of the bench's own, each in its folder: what is measured, and the bare page that starts are measured beside.
  for (const [name, folder] of [["loadlab_bench", out], ["bare", `${out}/bare`]]) {
    run("wasm-bindgen", "--target", "web", "--no-typescript", "--out-dir", folder, `target/wasm32-unknown-unknown/release/${name}.wasm`);
    const wasm = `${folder}/${name}_bg.wasm`;
    run("tests/node_modules/.bin/wasm-opt", wasm, "-o", wasm, "-O3", "--enable-bulk-memory",
      "--enable-nontrapping-float-to-int", "--enable-sign-ext", "--enable-mutable-globals", "--enable-reference-types",
      "--enable-multivalue");
  }
  writeFileSync(`${out}/bare/index.html`, `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Bare</title>
    <meta name="viewport" content="width=device-width"><script type="module" src="start.js"></script></head><body></body></html>`);
  writeFileSync(`${out}/bare/start.js`, 'import start from "./bare.js";\nstart();\n');
  // Served compressed, as the site is.
  for (const file of readdirSync(`${out}/bare`)) {
    writeFileSync(`${out}/bare/${file}.br`, brotliCompressSync(readFileSync(`${out}/bare/${file}`)));
  }
  for (const file of ["mmc.mjs", "crowd.page.mjs"]) cpSync(`${top}tests/bench/${file}`, `${out}/${file}`);
  cpSync(`${top}tests/node_modules/pixi.js/dist/pixi.min.mjs`, `${out}/pixi.mjs`);
  writeFileSync(`${out}/index.html`, "<!doctype html><title>bench</title><body style='margin:0'>");
}

/** A row of the table; where there is a peer or limit, with the ratio of ours to it. */
function written([what, ours, unit, peer = null, name = ""]) {
  const cell = (value) => (Number.isInteger(value) ? String(value) : value.toFixed(2));
  const [beside, ratio] = peer === null ? ["", ""] : [`${cell(peer)} (${name})`, (ours / peer).toFixed(2)];
  return `| ${what} | ${cell(ours)} | ${unit} | ${beside} | ${ratio} |`;
}

const until = Date.now() + MINUTES * 60_000;
const asked = (process.env.BENCH ?? "").split(/\s+/).filter(Boolean);
const chosen = Object.entries(modules).filter(([name]) => asked.length === 0 || asked.includes(name));
if (chosen.length === 0) throw new Error(`BENCH=${asked.join(" ")} names none of ${Object.keys(modules).join(", ")}`);

build();
const servers = [await startServer({ folder: out, port: 4390 }), await startServer({ folder: "dist", port: 4391 })];
const [bench, site] = servers.map((server) => server.url);
// Without a GPU this Chromium gives pages WebGL only if it is told that software will do.
const browser = await browserType.launch({ ...chromium, args: [...chromium.args, "--enable-unsafe-swiftshader"] });
const over = () => !process.env.ALL && Date.now() > until;
const left = [];
// What is printed is kept, so nothing is lost to whoever stops the bench.
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => { servers.forEach((server) => server.stop()); process.exit(1); });
try {
  console.log(`\n${cpus().length} cores, ${cpus()[0]?.model ?? ""}, Chromium ${browser.version()}, headless\n`);
  console.log("| what | ours | unit | peer or limit | ratio |\n|---|---:|---|---:|---:|");
  for (const [name, module] of chosen) {
    if (over()) {
      left.push(name);
      continue;
    }
    for await (const row of module.rows({ browser, bench, site })) {
      console.log(written(row));
      if (over()) {
        left.push(`the rest of ${name}`);
        break;
      }
    }
  }
  if (left.length > 0) console.log(`\nNot measured within ${MINUTES} minutes: ${left.join(", ")}. BENCH="…" measures a part, ALL=1 everything.`);
} finally {
  await browser.close();
  servers.forEach((server) => server.stop());
}
