// Films: made frame by frame from a run of their own, as WebM, MP4 or GIF, the same each time and everywhere.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { test, expect, expectAccessible, expectNoSidewaysScroll, open, ready, Player } from "./kit.mjs";

const LESSON = "load-balancing";
const port = process.env.LOADLAB_PORT;

// A course with an origin of its own, which frames the lesson and allows it scripts and nothing else.
const course = createServer((_, response) => {
  const body = `<!doctype html><html lang="en"><title>Course</title><link rel="icon" href="data:,">
    <iframe sandbox="allow-scripts" src="http://127.0.0.1:${port}/embed/${LESSON}/" title="L" width="1000" height="800"></iframe>`;
  response.writeHead(200, { "content-type": "text/html" }).end(body);
});
await new Promise((done) => course.listen(0, "127.0.0.1", done));
course.unref();
const courseAddress = `http://localhost:${course.address().port}/`;
test.use({ origins: [new URL(courseAddress).origin] });
// A film takes as long as it takes: on a busy machine without a graphics card each frame is slow.
test.describe.configure({ timeout: 180_000 });
const patience = { timeout: 60_000 };

/** The dialog for films, by what it is called. */
class Films {
  constructor(place) {
    this.place = place;
    this.dialog = place.getByRole("dialog", { name: "Make a film" });
    this.make = this.dialog.getByRole("button", { name: "Make the film" });
    this.cancel = this.dialog.getByRole("button", { name: "Cancel" });
    this.save = this.dialog.getByRole("link", { name: "Save the film" });
    this.said = this.dialog.getByRole("status").first();
    this.plan = this.dialog.locator("#film-plan");
    this.video = this.dialog.locator("video");
    this.image = this.dialog.locator("img");
  }

  static async open(place) {
    await new Player(place).share.click();
    await place.getByRole("button", { name: "Film", exact: true }).click();
    const films = new Films(place);
    await expect(films.make).toBeVisible(patience);
    return films;
  }

  field(label) {
    return this.dialog.getByLabel(label, { exact: true });
  }

  /** Chooses a stretch of simulated time, and whatever else by its label. */
  async choose(from, to, more = {}) {
    await this.field("What it shows").selectOption("A stretch of time");
    await this.field("From, in seconds").fill(String(from));
    await this.field("To, in seconds").fill(String(to));
    for (const [label, option] of Object.entries(more)) await this.field(label).selectOption(option);
  }

  async made() {
    await this.make.click();
    await expect(this.save).toBeFocused(patience);
  }

  print() {
    return this.dialog.locator("[data-print]").getAttribute("data-print");
  }
}

/** A picture's or a video's pixels: how many differ from the ground, in a part of it given in shares of its size. */
const drawn = (view, [left, top, right, bottom]) => view.evaluate((view, [left, top, right, bottom]) => {
  const [w, h] = [view.videoWidth || view.naturalWidth, view.videoHeight || view.naturalHeight];
  const canvas = Object.assign(document.createElement("canvas"), { width: w, height: h });
  const context = canvas.getContext("2d");
  context.drawImage(view, 0, 0);
  const { data } = context.getImageData(left * w, top * h, (right - left) * w, (bottom - top) * h);
  let count = 0;
  for (let at = 4; at < data.length; at += 4) {
    count += Math.abs(data[at] - data[0]) + Math.abs(data[at + 1] - data[1]) + Math.abs(data[at + 2] - data[2]) > 90;
  }
  return count;
}, [left, top, right, bottom]);

/** Goes to a moment of a video. */
const seek = (video, time) => video.evaluate((video, time) => new Promise((done) => {
  video.addEventListener("seeked", done, { once: true });
  video.currentTime = time;
}), time);

const loaded = (video) => expect.poll(() => video.evaluate((video) => video.readyState)).toBeGreaterThanOrEqual(2);

/** What a GIF says of itself (CompuServe, "Graphics Interchange Format", version 89a): size, and each frame's delay in seconds. */
function gif(bytes) {
  expect(bytes.toString("latin1", 0, 6)).toBe("GIF89a");
  const table = (flags) => (flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0);
  const delays = [];
  let at = 13 + table(bytes[10]);
  const skip = () => {
    while (bytes[at]) at += bytes[at] + 1;
    at += 1;
  };
  let images = 0;
  for (;;) {
    const kind = bytes[at];
    if (kind === 0x3b) break;
    if (kind === 0x21) {
      if (bytes[at + 1] === 0xf9) delays.push(bytes.readUInt16LE(at + 4) / 100);
      at += 2;
      skip();
    } else {
      expect(kind).toBe(0x2c);
      images += 1;
      at += 10 + table(bytes[at + 9]) + 1;
      skip();
    }
  }
  expect(at).toBe(bytes.length - 1);
  expect(images).toBe(delays.length);
  return { width: bytes.readUInt16LE(6), height: bytes.readUInt16LE(8), delays };
}

/** The bytes that a link saves. */
async function saved(page, link) {
  const [download] = await Promise.all([page.waitForEvent("download"), link.click()]);
  return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
}

test("a step as WebM plays, as long and as large as it was said to be, with its caption in the picture", async ({ page }) => {
  const player = await open(page, `l/${LESSON}/?beat=2`);
  const before = await player.settled();
  const films = await Films.open(page);
  await expect(films.field("What it shows")).toHaveValue("1");
  await films.field("Frames a second").selectOption("12");
  await films.field("Speed").selectOption("Eight times the lesson's");
  const [, seconds, count] = /^([\d.]+) seconds, (\d+) frames/.exec(await films.plan.textContent());
  await films.made();
  await loaded(films.video);
  const facts = await films.video.evaluate((video) => [video.videoWidth, video.videoHeight, video.duration]);
  expect(facts.slice(0, 2)).toEqual([1280, 720]);
  expect(facts[2]).toBeCloseTo(Number(seconds), 1);
  expect(Number(count)).toBe(Math.round(facts[2] * 12));
  await seek(films.video, facts[2] - 0.1);
  expect(await drawn(films.video, [0.1, 0.87, 0.9, 0.99])).toBeGreaterThan(500);
  const file = await saved(page, films.save);
  expect(file.name).toBe(`${LESSON}-step-2.webm`);
  // EBML, the head of every WebM.
  expect(file.bytes.subarray(0, 4)).toEqual(Buffer.from([0x1a, 0x45, 0xdf, 0xa3]));
  // The learner's own run has not moved.
  await page.keyboard.press("Escape");
  await expect(films.dialog).toHaveCount(0);
  await page.keyboard.press("Escape");
  expect(await player.settled()).toEqual(before);
});

test("a GIF has a frame for each step of time, and captions in a file beside it", async ({ page }) => {
  await open(page, `l/${LESSON}/`);
  const films = await Films.open(page);
  await films.choose(0, 0.5, { Format: "GIF picture", Captions: "In a WebVTT file", Size: "1080 × 1080, square" });
  await expect(films.field("Frames a second")).toHaveValue("12");
  await expect(films.plan).toHaveText(/^2\.08 seconds, 25 frames\./);
  await films.made();
  const { bytes, name } = await saved(page, films.save);
  expect(name).toBe(`${LESSON}-0s-0.5s.gif`);
  const { width, height, delays } = gif(bytes);
  expect([width, height]).toEqual([1080, 1080]);
  expect(delays).toHaveLength(25);
  expect(delays.reduce((all, delay) => all + delay, 0)).toBeCloseTo(2.08, 2);
  expect(await drawn(films.image, [0, 0.1, 1, 0.9])).toBeGreaterThan(5_000);
  const beside = await saved(page, films.dialog.getByRole("link", { name: "Save the captions" }));
  expect(beside.name).toBe(`${LESSON}-0s-0.5s.vtt`);
  expect(beside.bytes.toString()).toMatch(/^WEBVTT\n\n1\n00:00:00\.000 --> 00:00:02\.083\n.+\n$/);
});

test("a step that was not reached is gone to first, and a late moment is near", async ({ page }) => {
  const player = await open(page, `l/${LESSON}/`);
  const films = await Films.open(page);
  await films.field("What it shows").selectOption("Step 3, not reached yet");
  await expect(films.plan).toHaveText(/^This run has not reached that step\./);
  const small = { Format: "GIF picture", Speed: "Eight times the lesson's" };
  for (const [label, option] of Object.entries(small)) await films.field(label).selectOption(option);
  await films.made();
  await expect(films.said).toHaveText(/^The film is ready: \d/);
  const ahead = await films.print();
  await films.dialog.getByRole("button", { name: "Close" }).click();
  await page.keyboard.press("Escape");
  expect(await player.seconds()).toBe(0);
  // Who has been there films the same.
  await open(page, `l/${LESSON}/?beat=3`);
  const reached = await Films.open(page);
  for (const [label, option] of Object.entries(small)) await reached.field(label).selectOption(option);
  await reached.made();
  expect(await reached.print()).toBe(ahead);
});

test("captions beside a video are its track", async ({ page }) => {
  await open(page, `l/${LESSON}/?beat=3`);
  const films = await Films.open(page);
  for (const [label, option] of [["Frames a second", "12"], ["Captions", "In a WebVTT file"], ["Speed", "Eight times the lesson's"]]) {
    await films.field(label).selectOption(option);
  }
  await films.made();
  await loaded(films.video);
  await expect.poll(() => films.video.evaluate((video) => video.textTracks[0].cues?.length)).toBe(2);
  const spans = await films.video.evaluate((video) => [...video.textTracks[0].cues].map(({ startTime, endTime }) => [startTime, endTime]));
  expect(spans[0][0]).toBe(0);
  expect(spans[0][1]).toBe(spans[1][0]);
});

test("the same choices give the same frames, others do not", async ({ page }) => {
  const player = await open(page, `l/${LESSON}/?at=2`);
  const prints = [];
  for (const colours of ["Light", "Light", "Dark"]) {
    const films = await Films.open(page);
    await films.choose(0.5, 0.75, { Format: "GIF picture", Colours: colours });
    await films.made();
    prints.push(await films.print());
    await films.dialog.getByRole("button", { name: "Close" }).click();
    await page.keyboard.press("Escape");
    // What the learner does in between is of no account, as long as the past stays the same.
    await player.seek(3);
  }
  expect(prints[0]).toMatch(/^[0-9a-f]{16}$/);
  expect(prints[1]).toBe(prints[0]);
  expect(prints[2]).not.toBe(prints[0]);
});

test("Cancel ends at once, and another film can be made", async ({ page }) => {
  await open(page, `l/${LESSON}/`);
  const films = await Films.open(page);
  await films.choose(0, 10);
  await films.make.click();
  await expect(films.cancel).toBeFocused();
  await expect(films.dialog.getByText(/^Frame [1-9]\d* of /)).toBeVisible(patience);
  await films.cancel.click();
  await expect(films.said).toHaveText("Cancelled. Nothing was kept.");
  await expect(films.make).toBeFocused();
  await films.choose(0, 0.1, { Format: "GIF picture" });
  await films.field("To, in seconds").press("Enter");
  await expect(films.save).toBeFocused(patience);
  // Escape leaves a film that is being made as well.
  await films.dialog.getByRole("button", { name: "Make another" }).click();
  await films.choose(0, 10);
  await films.make.click();
  await expect(films.cancel).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(films.dialog).toHaveCount(0);
});

test("what is too long, or empty, is said before it begins", async ({ page }) => {
  await open(page, `l/${LESSON}/`);
  const films = await Films.open(page);
  await expect(films.plan).toContainText("A film has at most 1800 frames and 100 MB.");
  await films.choose(0, 500);
  await expect(films.plan).toHaveText(/^That takes \d+ frames, and 1800 is the most\./);
  await expect(films.make).toBeDisabled();
  for (const [from, to] of [[5, 5], [5, 2], [5, ""]]) {
    await films.choose(from, to);
    await expect(films.plan).toHaveText(/^There is nothing to film/);
    await expect(films.make).toBeDisabled();
  }
  await films.choose(0, 1);
  await expect(films.make).toBeEnabled();
});

test("in a frame with scripts and nothing else a film is made and shown", async ({ page }) => {
  await page.goto(courseAddress);
  const frame = page.frameLocator("iframe");
  await ready(frame);
  const films = await Films.open(frame);
  await films.choose(0, 0.25, { "Frames a second": "12" });
  await films.made();
  await expect(films.dialog.getByText("The page around may forbid saving.")).toBeVisible();
  await loaded(films.video);
  expect(await drawn(films.video, [0, 0.1, 1, 0.85])).toBeGreaterThan(5_000);
  await films.dialog.getByRole("button", { name: "Make another" }).click();
  await films.choose(0, 0.25, { Format: "GIF picture" });
  await films.made();
  expect(await drawn(films.image, [0, 0.1, 1, 0.85])).toBeGreaterThan(5_000);
});

test("a browser without WebCodecs still makes a GIF, and is told why nothing else", async ({ page }) => {
  await page.addInitScript(() => delete globalThis.VideoEncoder);
  await open(page, `l/${LESSON}/`);
  const films = await Films.open(page);
  expect(await films.field("Format").locator("option").allTextContents()).toEqual(["GIF picture"]);
  await expect(films.dialog.getByText(/^Video is not offered/)).toBeVisible();
  await films.choose(0, 0.25);
  await films.made();
});

test("each format that is missing is said, each that is there can be chosen", async ({ page }) => {
  await open(page, `l/${LESSON}/`);
  const films = await Films.open(page);
  const offered = await films.field("Format").locator("option").allTextContents();
  const supported = (codec) => page.evaluate(async (codec) => {
    const asked = { codec, width: 1920, height: 1080, bitrate: 5e6, framerate: 30 };
    return (await VideoEncoder.isConfigSupported(asked)).supported;
  }, codec);
  const mp4 = await supported("avc1.640028");
  expect(offered.includes("MP4 video")).toBe(mp4);
  await expect(films.dialog.getByText(/^MP4 is not offered/)).toHaveCount(mp4 ? 0 : 1);
  expect(offered).toContain("WebM video");
});

test("two runs are filmed side by side, and the dialog is accessible at every stage", async ({ page }) => {
  const player = await open(page, `l/${LESSON}/?at=2`);
  await player.compare.click();
  await expect(player.stages).toHaveCount(2);
  const films = await Films.open(page);
  for (const scheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme: scheme });
    await expectAccessible(page);
  }
  await films.choose(0, 0.25, { Format: "GIF picture" });
  await expectAccessible(page);
  await films.made();
  await expectAccessible(page);
  expect(await drawn(films.image, [0, 0.15, 0.5, 0.85])).toBeGreaterThan(2_000);
  expect(await drawn(films.image, [0.5, 0.15, 1, 0.85])).toBeGreaterThan(2_000);
});

test("who asked for rest sees a GIF move only on demand, and on a telephone the dialog fits", async ({ page }) => {
  await page.emulateMedia({ reducedMotion: "reduce" });
  await page.setViewportSize({ width: 390, height: 780 });
  await open(page, `l/${LESSON}/`);
  const menu = page.getByRole("button", { name: "Menu", exact: true });
  if (await menu.isVisible()) await menu.click();
  const films = await Films.open(page);
  await expectNoSidewaysScroll(page);
  await films.choose(0, 0.1, { Format: "GIF picture" });
  await films.made();
  await expect(films.image).toBeHidden();
  await films.dialog.getByText("Show the picture").click();
  await expect(films.image).toBeVisible();
  await expectNoSidewaysScroll(page);
});

/** Serves the lesson's page with a policy. */
const under = (page, policy) => page.route(`**/l/${LESSON}/*`, async (route) => {
  const response = await route.fetch();
  await route.fulfill({ response, headers: { ...response.headers(), "content-security-policy": policy } });
});
const STRICT = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'";

test("under a strict policy a film is made and saved, and it is said why it does not play", async ({ page, problems }) => {
  problems.expect(/Content Security Policy/);
  await under(page, `${STRICT}; img-src 'self' data:`);
  await open(page, `l/${LESSON}/?seed=1`);
  const films = await Films.open(page);
  await films.choose(0, 0.25, { "Frames a second": "12" });
  await films.made();
  await expect(films.dialog.getByText(/does not let films play here/)).toBeVisible();
  await expect(films.video).toHaveCount(0);
  expect((await saved(page, films.save)).bytes.length).toBeGreaterThan(1_000);
});

test("where no picture may be drawn, that is said", async ({ page, problems }) => {
  problems.expect(/Content Security Policy/);
  await under(page, `${STRICT}; img-src 'self'`);
  await open(page, `l/${LESSON}/?seed=1`);
  const films = await Films.open(page);
  await films.make.click();
  await expect(films.said).toHaveText("The site's policy forbids pictures that are drawn here, so nothing can be filmed.", patience);
  await expect(films.make).toBeFocused();
});

test("a film that outgrows its bytes is dropped", async ({ page }) => {
  // The encoder claims more than it has written.
  await page.addInitScript(() => {
    const { byteLength } = Object.getOwnPropertyDescriptors(EncodedVideoChunk.prototype);
    Object.defineProperty(EncodedVideoChunk.prototype, "byteLength", {
      get() {
        return globalThis.heavy ? 60e6 : byteLength.get.call(this);
      },
    });
  });
  await open(page, `l/${LESSON}/`);
  const films = await Films.open(page);
  await films.choose(0, 5);
  await page.evaluate(() => (globalThis.heavy = true));
  await films.make.click();
  await expect(films.said).toHaveText(/^The film grew beyond 100 MB and was dropped\./, patience);
  await page.evaluate(() => (globalThis.heavy = false));
  await films.choose(0, 0.1);
  await films.made();
});

for (const [what, path] of [["script", "film.js"], ["file of words", "words/film.en.json"]]) {
  test(`a ${what} that does not come is said`, async ({ page, problems }) => {
    problems.expect(/film/);
    await page.route(`**/${path}*`, (route) => route.abort());
    const player = await open(page, `l/${LESSON}/`);
    await player.share.click();
    await page.getByRole("button", { name: "Film", exact: true }).click();
    await expect(page.getByText("The program could not be fetched. The connection may be gone.")).toBeVisible();
  });
}
