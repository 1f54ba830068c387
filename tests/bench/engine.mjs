// The engine in the browser: events a second beside hand-written JavaScript, seeks, an hour of simulated time.

/** Runs in the page: every figure is the median of several rounds. */
async function measure() {
  const { default: start, Bench, Growing } = await import("./loadlab_bench.js");
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
  const growing = Growing.open("indexes");
  const slices = [];
  const [growthMs] = timed(() => {
    for (let done = false; !done;) {
      const [ms, over] = timed(() => growing.slice());
      slices.push(ms);
      done = over;
    }
  });
  growing.free();
  figures.growthS = growthMs / 1000;
  figures.growthSlice = slices.reduce((a, b) => Math.max(a, b));
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

/** The rows of the table. */
export async function* rows({ browser, bench }) {
  const page = await browser.newPage();
  await page.goto(bench);
  // The source of `measure` travels to the page, where its imports resolve against the served folder.
  const figures = await page.evaluate(`(${measure.toString().replaceAll('import("./', `import("${bench}`)})()`);
  await page.close();
  yield* [
    ["load balancing, events", figures.balancing, "M/s", 3, "limit"],
    ["M/M/8, events", figures.mmcOurs, "M/s", figures.mmcScript, "JavaScript"],
    ["four indexes grown to a million keys", figures.growthS, "s", 20, "limit"],
    ["the longest slice of that", figures.growthSlice, "ms", 50, "limit"],
    ["seek in 10 min at 200 req/s, p99", figures.seek99, "ms", 16, "limit"],
    ["seek in 10 min at 200 req/s, median", figures.seekMedian, "ms", 16, "limit"],
    ["one simulated hour at 200 req/s", figures.hourS, "s"],
    ["wasm memory after that hour", figures.hourMB, "MiB"],
    ["keyframes after that hour", figures.hourKeyframes, "", 64, "limit"],
  ];
}
