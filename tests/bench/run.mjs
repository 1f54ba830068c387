// make bench: measures the engine in headless Chromium beside hand-written JavaScript and prints one table.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { chromium as browserType } from "@playwright/test";
import { chromium } from "../browser/chromium.mjs";
import { startServer } from "../browser/server.mjs";

const top = fileURLToPath(new URL("../..", import.meta.url));
const out = `${top}target/bench`;
const run = (program, ...args) => execFileSync(program, args, { cwd: top, stdio: ["ignore", "inherit", "inherit"] });

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
run("cargo", "build", "--quiet", "--locked", "--release", "-p", "loadlab-bench", "--target", "wasm32-unknown-unknown");
run("wasm-bindgen", "--target", "web", "--no-typescript", "--out-dir", out,
  "target/wasm32-unknown-unknown/release/loadlab_bench.wasm");
const wasm = `${out}/loadlab_bench_bg.wasm`;
run("tests/node_modules/.bin/wasm-opt", wasm, "-o", wasm, "-O3", "--enable-bulk-memory",
  "--enable-nontrapping-float-to-int", "--enable-sign-ext", "--enable-mutable-globals", "--enable-reference-types",
  "--enable-multivalue");
cpSync(`${top}tests/bench/mmc.mjs`, `${out}/mmc.mjs`);
writeFileSync(`${out}/index.html`, "<!doctype html><title>bench</title>");

/** Runs in the page: every figure is the median of several rounds. */
async function measure() {
  const { default: start, Bench } = await import("./loadlab_bench.js");
  const { mmc } = await import("./mmc.mjs");
  await start();
  const median = (list) => list.sort((a, b) => a - b)[list.length >> 1];
  const timed = (work) => {
    const from = performance.now();
    const result = work();
    return [performance.now() - from, result];
  };
  const rate = (rounds, work) => median(Array.from({ length: rounds }, (_, round) => {
    const [ms, events] = timed(() => work(round + 1));
    return events / ms / 1000;
  }));

  const done = (bench, result) => {
    bench.free();
    return result;
  };
  // Eight servers of two workers; 110 req/s keep them 69 % busy, so queues are real but bounded.
  const balancing = (seed) => {
    const bench = Bench.open("load-balancing", seed);
    bench.set("servers", 8);
    bench.set("load", 110);
    return done(bench, bench.run_to(900));
  };
  // The same M/M/c for both: one server of eight workers at 56 req/s.
  const ours = (seed) => {
    const bench = Bench.open("load-balancing", seed);
    for (const [knob, value] of [["servers", 1], ["workers", 8], ["load", 56], ["queue", 60], ["timeout", 10]]) {
      bench.set(knob, value);
    }
    return done(bench, bench.run_to(1800));
  };
  balancing(1);
  ours(1);
  const figures = {};
  figures.balancing = rate(7, balancing);
  figures.mmcOurs = rate(7, ours);
  mmc(56, 10, 8, 1800);
  figures.mmcScript = rate(7, (seed) => mmc(56, 10, 8, 9000, seed).events);

  const seeker = Bench.open("load-balancing", 1);
  seeker.set("servers", 8);
  seeker.set("load", 200);
  seeker.set("service", 50);
  seeker.run_to(600);
  let state = 12345;
  const random = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 4294967296;
  const seeks = Array.from({ length: 600 }, () => timed(() => seeker.seek(random() * 600))[0]).sort((a, b) => a - b);
  figures.seekMedian = seeks[300];
  figures.seek99 = seeks[594];

  seeker.free();
  const hour = Bench.open("load-balancing", 1);
  hour.set("servers", 8);
  hour.set("load", 200);
  hour.set("workers", 8);
  const [hourMs] = timed(() => hour.run_to(3600));
  figures.hourS = hourMs / 1000;
  figures.hourKeyframes = hour.keyframes();
  const module = await start();
  figures.hourMB = module.memory.buffer.byteLength / 1048576;
  return figures;
}

const server = await startServer({ folder: out, port: 4390 });
const browser = await browserType.launch(chromium);
try {
  const page = await browser.newPage();
  await page.goto(server.url);
  // The source of `measure` travels to the page, where its imports resolve against the served folder.
  const figures = await page.evaluate(`(${measure.toString().replaceAll('import("./', `import("${server.url}`)})()`);
  const rows = [
    ["load-balancing, events", figures.balancing, "M/s", 3, "limit", "more"],
    ["M/M/8, events", figures.mmcOurs, "M/s", figures.mmcScript, "JavaScript", "more"],
    ["seek in 10 min at 200 req/s, p99", figures.seek99, "ms", 16, "limit", "less"],
    ["seek in 10 min at 200 req/s, median", figures.seekMedian, "ms", 16, "limit", "less"],
    ["one simulated hour at 200 req/s", figures.hourS, "s", null, "", ""],
    ["wasm memory after that hour", figures.hourMB, "MiB", null, "", ""],
    ["keyframes after that hour", figures.hourKeyframes, "", 64, "limit", "less"],
  ];
  const cell = (value) => (value === null ? "" : value.toFixed(2));
  console.log(`\n${cpus().length} cores, ${cpus()[0]?.model ?? ""}, Chromium ${browser.version()}, headless\n`);
  console.log("| what | ours | unit | peer or limit | ratio |\n|---|---:|---|---:|---:|");
  for (const [what, ours, unit, peer, name] of rows) {
    const ratio = peer === null ? "" : `${(ours / peer).toFixed(2)}`;
    console.log(`| ${what} | ${cell(ours)} | ${unit} | ${peer === null ? "" : `${cell(peer)} (${name})`} | ${ratio} |`);
  }
} finally {
  await browser.close();
  server.stop();
}
