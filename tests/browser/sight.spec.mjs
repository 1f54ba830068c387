// What is said is in sight: at every step of every story, in windows and frames of many sizes, caption, Next, Play and
// what the story points at are seen without scrolling. A sample is looked at; ALL=1 looks at every step.
import { test, expect, open, rested, lessons, randomFrom } from "./kit.mjs";

const all = Boolean(process.env.ALL);
const seed = Number(process.env.SEED ?? 1);
/** So many steps of each story are in the sample. */
const SAMPLE = 2;

const KINDS = [
  { kind: "page", folder: "l", sizes: [[1280, 900], [1366, 650], [1024, 600], [640, 400]], use: {} },
  { kind: "phone", folder: "l", sizes: [[390, 844]], use: { hasTouch: true, isMobile: true } },
  { kind: "embed", folder: "embed", sizes: [[800, 560], [600, 400], [320, 256]], use: {} },
];

/** What cannot be seen of what should be, and where Next is. */
function look() {
  const faults = [];
  /** How a box is cut: by the window, or by anything around it that scrolls. */
  const cut = (element) => {
    const box = element.getBoundingClientRect();
    for (let around = element.parentElement; around; around = around.parentElement) {
      if (around === document.body || getComputedStyle(around).overflowY === "visible") continue;
      const frame = around.getBoundingClientRect();
      if (box.top < frame.top - 1 || box.bottom > frame.bottom + 1) return "is scrolled away";
    }
    const outside = box.left < -1 || box.top < -1 || box.right > innerWidth + 1 || box.bottom > innerHeight + 1;
    return outside ? "lies outside of the window" : box.height > 0 ? "" : "is not shown";
  };
  for (const [name, what] of [["the caption", ".story-caption"], ["Next", "#next"], ["Play", "#play"]]) {
    const how = cut(document.querySelector(what));
    if (how) faults.push(`${name} ${how}`);
  }
  // Who is asked sees all that may be answered, but for frames as low as a picture.
  if (innerHeight >= 400) {
    const answers = [...document.querySelectorAll(".answer")].filter((answer) => cut(answer));
    if (answers.length > 0) faults.push(`${answers.length} answers are out of sight`);
  }
  for (const view of document.querySelectorAll(".stage-view")) {
    const room = view.getBoundingClientRect();
    const pointed = [...view.querySelectorAll(".things .pointed")];
    if (pointed.length === 0) continue;
    const boxes = pointed.map((part) => part.getBoundingClientRect());
    const height = Math.max(...boxes.map((box) => box.bottom)) - Math.min(...boxes.map((box) => box.top));
    const hidden = pointed.filter((part) => cut(part));
    // Where all of them are higher than the room, one at least is seen, or fills it.
    const fits = height <= room.height - 12;
    const fills = boxes.some((box) => Math.min(box.bottom, room.bottom) - Math.max(box.top, room.top) > room.height / 2);
    const said = hidden.map((part) => part.dataset.part).join(", ");
    if (hidden.length > 0 && (fits || (hidden.length === pointed.length && !fills))) faults.push(`${said}: out of sight`);
    for (const text of view.querySelectorAll(".pointed text")) {
      const size = parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a;
      if (size < 10.95) faults.push(`“${text.textContent}” is ${size.toFixed(1)} px high`);
    }
  }
  const { left, top } = document.querySelector("#next").getBoundingClientRect();
  return { faults, next: `${Math.round(left)}, ${Math.round(top)}` };
}

for (const { kind, folder, sizes, use } of KINDS) {
  test.describe(kind, () => {
    test.use({ contextOptions: { reducedMotion: "reduce" }, ...use });
    for (const lesson of lessons) {
      test(`${lesson.title}: what is said is in sight`, async ({ page }) => {
        test.setTimeout(all ? 300_000 : 60_000);
        await page.setViewportSize({ width: sizes[0][0], height: sizes[0][1] });
        await open(page, `${folder}/${lesson.slug}/`);
        const story = page.getByRole("region", { name: "Story" });
        const steps = story.getByRole("group", { name: "Steps" }).getByRole("button");
        const count = await steps.count();
        // By its name, so that a new lesson changes no other's sample.
        const name = [...lesson.slug].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), seed);
        const random = randomFrom(name);
        const some = Array.from({ length: SAMPLE }, () => Math.floor(random() * count)).sort((a, b) => a - b);
        const faults = [];
        const next = new Map();
        for (const step of all ? Array(count).keys() : some) {
          await steps.nth(step).dispatchEvent("click");
          await expect(steps.nth(step)).toHaveAttribute("aria-current", "step", { timeout: 30_000 });
          for (const [width, height] of sizes) {
            await page.setViewportSize({ width, height });
            await rested(page);
            const size = `${width} × ${height}`;
            const seen = await page.evaluate(look);
            faults.push(...seen.faults.map((fault) => `step ${step + 1}, ${size}: ${fault}`));
            const before = next.get(size) ?? seen.next;
            if (before !== seen.next) faults.push(`step ${step + 1}, ${size}: Next moved from ${before} to ${seen.next}`);
            next.set(size, before);
          }
        }
        expect(faults, `SEED=${seed}`).toEqual([]);
      });
    }
  });
}
