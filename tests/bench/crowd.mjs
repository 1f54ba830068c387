// The stage with 20,000 requests in flight, beside PixiJS and plain canvas calls that draw the same, in turn.
const OPTIONS = { width: 960, height: 456, count: 20_000 };
const ROUNDS = 3;
const ROUND_MS = 3_000;
const LEAST = 55;

const PAINTERS = {
  stage: "the stage",
  particles: "PixiJS particles",
  sprites: "PixiJS sprites",
  stamps: "canvas drawImage",
  paths: "canvas paths",
};

const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];

/** Frames a second and script of every painter, round by round. */
async function measure(page) {
  const renderers = {}, covered = {}, rounds = {};
  const inPage = (what, ...args) =>
    page.evaluate(async ([what, args]) => (await import("./crowd.page.mjs"))[what](...args), [what, args]);
  for (const name of Object.keys(PAINTERS)) {
    renderers[name] = await inPage("prepare", name, OPTIONS);
    covered[name] = await inPage("covered", name);
    rounds[name] = [];
  }
  for (const [name, { share, width, height }] of Object.entries(covered)) {
    if (width !== OPTIONS.width || height !== OPTIONS.height) throw new Error(`${name} draws on ${width}×${height}`);
    if (Math.abs(share - covered.stamps.share) > 0.05) throw new Error(`${name} covers ${share}, not ${covered.stamps.share}`);
  }
  for (let i = 0; i < ROUNDS; i++) {
    for (const name of Object.keys(PAINTERS)) rounds[name].push(await inPage("round", name, ROUND_MS));
  }
  return { renderers, rounds };
}

/** The rows of the table. */
export async function* rows({ browser, bench }) {
  const page = await browser.newPage({ viewport: { width: 1000, height: 500 } });
  await page.goto(bench);
  const { renderers, rounds } = await measure(page);
  await page.close();
  const rate = (name) => median(rounds[name].map((round) => round.rate));
  const script = (name) => median(rounds[name].map((round) => round.script));
  const { count, width, height } = OPTIONS;
  const what = `stage, ${count} in flight on ${width}×${height}`;
  const stage = rate("stage");
  const beside = Object.entries(PAINTERS).filter(([name]) => name !== "stage");
  yield* [
    [what, stage, "frames/s", LEAST, "limit"],
    ...beside.map(([name, title]) => {
      const on = renderers[name] ? ` on ${renderers[name]}` : "";
      return [what, stage, "frames/s", rate(name), `${title}${on}`];
    }),
    ...beside.map(([name, title]) => ["its script a frame", script("stage"), "ms", script(name), title]),
  ];
}
