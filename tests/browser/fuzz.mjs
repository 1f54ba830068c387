// The fuzzer: seeded sequences of everything a learner, a browser and a page around can do to a lesson, what must hold
// after each step of them, and the shrinking of a sequence that breaks it.
//
// The lesson runs in a frame of a page that talks to it as a course site does. Time is the test's own, so that a
// sequence does the same whenever it is replayed.
import { readFileSync } from "node:fs";
import { Problems } from "./kit.mjs";

const HOST = "fuzz-host";

/** How often each kind of event is drawn. */
const KINDS = {
  press: 10, // a control of the page, by its place among them
  click: 4, // the mouse, anywhere or on the stage
  drag: 3,
  wheel: 1,
  tap: 3,
  swipe: 2,
  key: 8,
  slide: 8, // a slider: knobs, the time, what the twin differs in
  set: 4, // the rest are commands of the page around
  act: 6,
  seek: 5,
  fork: 6, // an input in the past
  twin: 3,
  beat: 2,
  play: 5,
  wait: 4,
  resize: 4,
  hide: 1,
  theme: 2,
  media: 2,
  motion: 1,
  lang: 1,
  state: 2,
  garbage: 3,
  connect: 1,
};

const KEYS = [
  " ", " ", "ArrowRight", "ArrowRight", "ArrowLeft", "ArrowLeft", "Shift+ArrowRight", "Shift+ArrowLeft", "Home", "Tab",
  "Tab", "Tab", "Shift+Tab", "Enter", "Enter", "Escape", "Escape", "?", "1", "2", "3", "4", "5", "6", "7", "8", "9", "0",
  "PageDown", "End", "ArrowUp", "ArrowDown", "x", "Delete",
];
/** What may be typed, or sent for a text. */
const TEXTS = [
  "fox", "Quick foxes", "jum*", "42", "7654321", "https://example.org/fox?q=1", "00ff", "naïve e\u0301", "👩‍👩‍👧‍👦", "שלום עולם", "狐", "a\0b", "",
  "<b>&\"'", "W".repeat(200), "x".repeat(10_000), 7, null, {},
];
/** What a page around may send by mistake or in bad faith; run in that page. */
const GARBAGE = [
  (send) => send("nonsense"),
  (send) => send("seek", { at: -1e308 }),
  (send) => send("seek", { at: "soon" }),
  (send) => send("seek", {}),
  (send) => send("set", { name: "load", value: {} }),
  (send) => send("set", { name: "x".repeat(9_000), value: 1 }),
  (send) => send("act", { name: "crash", target: 1e300 }),
  (send) => send("act", { name: "crash", target: -1 }),
  (send) => send("beat", { n: 1e300 }),
  (send) => send("beat", { n: null }),
  (send) => send("setState", { state: "AAAA" }),
  (send) => send("setState", { state: "A".repeat(5_000) }),
  (send) => send("theme", { value: "puce" }),
  (send) => send("lang", { value: "%00" }),
  (send, raw) => raw({ ns: "loadlab", v: 2, type: "play" }),
  (send, raw) => raw({ ns: "other", v: 1, type: "play", id: 1 }),
  (send, raw) => raw("play"),
  (send, raw) => raw(null),
  (send, raw) => raw([1, [2, [3]]]),
  (send, raw) => raw({ ns: "loadlab", v: 1, type: "play", id: { a: "b".repeat(9_000) } }),
  (send) => { for (let n = 0; n < 500; n++) send("set", { name: "load", value: n }); },
  (send) => { for (let n = 0; n < 200; n++) send("getState"); },
];

/** A generator of numbers in 0..1000, the same for the same seed everywhere (mulberry32). */
export function numbers(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % 1000;
  };
}

/**
 * The events of a seed, each as it is written: a kind and three numbers in 0..1000, which choose among whatever the
 * page offers then. So an event means something without those before it, and a sequence can be shortened anywhere.
 * @returns {string[]}
 */
export function sequence(seed, count) {
  const next = numbers(seed);
  const bag = Object.entries(KINDS).flatMap(([kind, times]) => Array(times).fill(kind));
  const event = () => `${bag[next() % bag.length]} ${next()} ${next()} ${next()}`;
  return [`open ${next()} ${next()} ${next()}`, ...Array.from({ length: count }, event)];
}

/** What the page around does: connects to each lesson that greets it, and sends what it is told to. */
const host = `<!doctype html><html lang="en"><title>Course</title><link rel="icon" href="data:,">
<style>html, body { margin: 0; overflow: hidden; overscroll-behavior: none } iframe { position: absolute; left: 0; top: 0; border: 0 }</style>
<body><script>
  const lines = new Map(); let sent = 0; const waiting = new Map();
  const connect = (source) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data }) => {
      if (data.type !== "ack") return;
      waiting.get(data.id)?.(data);
      waiting.delete(data.id);
    };
    lines.get(source)?.close();
    lines.set(source, port1);
    source.postMessage({ ns: "loadlab", v: 1, type: "connect" }, "*", [port2]);
  };
  addEventListener("message", ({ data, source }) => { if (data?.type === "hello") connect(source); });
  const frame = (name) => document.getElementsByName(name)[0];
  const reconnect = (name) => connect(frame(name).contentWindow);
  const connected = (name) => lines.has(frame(name).contentWindow);
  const raw = (name, message) => lines.get(frame(name).contentWindow).postMessage(message);
  const send = (name, type, fields) => new Promise((done) => {
    waiting.set(++sent, done);
    raw(name, { ns: "loadlab", v: 1, type, ...fields, id: sent });
  });
  const show = (name, src, width, height) => {
    const made = document.createElement("iframe");
    Object.assign(made, { name, src, width, height, title: name });
    document.body.append(made);
  };
</script>`;

/** Runs in every frame before its scripts: the frame's eyes and hands. */
export function prepare() {
  const nextFrame = requestAnimationFrame.bind(window);
  // Chance is the test's.
  let state = 1;
  crypto.getRandomValues = (bytes) => {
    for (let at = 0; at < bytes.length; at++) bytes[at] = state = Math.imul(state, 48_271) & 0x7fffffff;
    return bytes;
  };
  // Unless a test says otherwise, links lead nowhere and the lesson stays.
  addEventListener("click", (event) => {
    if (globalThis.fuzz.leaves) return;
    const link = event.target instanceof Element && event.target.closest("a[href]");
    if (link && !link.getAttribute("href").startsWith("#")) event.preventDefault();
  }, true);

  const shown = (element) => element.checkVisibility() && !element.disabled;
  const pick = (list, share) => list[Math.floor((share * list.length) / 1000)];
  // An open dialog makes everything behind it inert.
  const within = () => document.querySelector("dialog[open]") ?? document.querySelector("#app") ?? document;
  const all = (what) => [...within().querySelectorAll(what)].filter(shown);
  const number = /-?\d+(?:\.\d+)?(?:e[+-]?\d+)?/gi;

  globalThis.fuzz = {
    leaves: false,
    /** Where to press a control; presses it itself where a pointer cannot reach it. */
    press(share) {
      // Saved files end in the downloads of whoever runs this.
      const controls = all("button, input[type=radio], input[type=checkbox], summary, select").filter((element) =>
        !element.closest("fieldset:has(> legend + .actions)"));
      const control = pick(controls, share);
      if (!control) return null;
      if (control.tagName === "SELECT") {
        control.selectedIndex = Math.floor((share * 7) % control.options.length);
        control.dispatchEvent(new Event("change", { bubbles: true }));
        return null;
      }
      control.scrollIntoView({ block: "nearest" });
      const { x, y, width, height } = control.getBoundingClientRect();
      const at = { x: x + width / 2, y: y + height / 2 };
      const hit = document.elementFromPoint(at.x, at.y);
      if (width > 4 && (control.contains(hit) || hit?.closest("label")?.contains(control))) return at;
      control.click();
      return null;
    },
    /** Sets a slider as a drag does. */
    slide(share, to) {
      const slider = pick(all("input[type=range]"), share);
      if (!slider) return;
      const [min, max] = [Number(slider.min) || 0, Number(slider.max || 100)];
      const from = Number(slider.value);
      const target = min + ((max - min) * to) / 999;
      for (const part of [0.3, 0.7, 1]) {
        slider.value = String(from + (target - from) * part);
        slider.dispatchEvent(new Event("input", { bubbles: true }));
      }
      slider.dispatchEvent(new Event("change", { bubbles: true }));
    },
    /** A point of the window: anywhere, or on the stage. */
    point(a, b, stage) {
      const view = stage && document.querySelector(".stage-view");
      const box = view ? view.getBoundingClientRect() : { x: 0, y: 0, width: innerWidth, height: innerHeight };
      const inside = (at, most) => Math.max(1, Math.min(most - 2, at));
      return { x: inside(box.x + (box.width * a) / 1000, innerWidth), y: inside(box.y + (box.height * b) / 1000, innerHeight) };
    },
    now: () => Number(document.querySelector(".scrub")?.value ?? 0),
    frame: () => new Promise(nextFrame),

    /** What must hold at any moment. */
    look() {
      const faults = [];
      if (document.documentElement.dataset.failed) faults.push(`the lesson stopped: ${document.querySelector("#boot")?.textContent}`);
      // A frame that is not displayed has no layout to look at.
      if (!innerWidth || !document.querySelector("#app")?.getClientRects().length) return faults;
      const { scrollWidth, clientWidth } = document.documentElement;
      if (scrollWidth > clientWidth) faults.push(`sideways scroll: ${scrollWidth} in ${clientWidth}`);
      for (const view of document.querySelectorAll(".stage-view")) {
        const svg = view.querySelector("svg");
        const canvas = view.querySelector("canvas");
        if (!(canvas.width * canvas.height <= 4_000_000)) faults.push(`canvas of ${canvas.width} × ${canvas.height}`);
        for (const element of svg.querySelectorAll("*")) {
          for (const { name, value } of element.attributes) {
            if (name === "class" || name === "data-part" || name === "id") continue;
            const odd = /NaN|inf|undefined/i.test(value) || (value.match(number) ?? []).some((n) => Math.abs(n) > 1e5);
            if (odd) faults.push(`overflow on the stage: <${element.tagName} ${name}="${value.slice(0, 80)}">`);
          }
        }
        const { width, height } = svg.viewBox.baseVal;
        if (!width) continue;
        for (const text of svg.querySelectorAll("text")) {
          if (!text.textContent) continue;
          const box = text.getBBox();
          const told = `“${text.textContent}” of ${text.closest("[data-part]")?.dataset.part ?? "the backdrop"}`;
          if (box.x < -1 || box.x + box.width > width + 1 || box.y + box.height > height + 4) faults.push(`text leaves the stage: ${told}`);
          const group = text.closest("[data-part]");
          if (!group) continue;
          // A box that lies where the text begins is the card that has to hold it.
          const middle = box.y + box.height / 2;
          for (const card of group.querySelectorAll("rect:not(.halo)")) {
            const held = card.getBBox();
            const on = held.x < box.x + 1 && box.x < held.x + held.width && held.y < middle && middle < held.y + held.height;
            if (on && box.x + box.width > held.x + held.width + 1) {
              faults.push(`text leaves its card: ${told} by ${(box.x + box.width - held.x - held.width).toFixed(1)}`);
            }
          }
        }
      }
      return faults;
    },

    /** All that a state promises to restore, but for what the learner points at. */
    picture() {
      const bare = (svg) => {
        const copy = svg.cloneNode(true);
        for (const part of copy.querySelectorAll("[data-part]")) {
          part.setAttribute("class", part.getAttribute("class").replace(/ (dim|pointed|picked|focused|pulse)\b/g, ""));
        }
        copy.querySelectorAll("defs, .halo, .reach").forEach((element) => element.remove());
        return copy.innerHTML.replaceAll("><", ">\n<").split("\n");
      };
      const texts = (what) => [...document.querySelectorAll(what)].map((element) => element.textContent);
      return {
        clock: texts(".clock"),
        step: texts(".story").map((text) => /\d+\D+\d+/.exec(text)?.[0] ?? ""),
        knobs: [...document.querySelectorAll(".knobs input")].map((input) => (input.type === "range" ? input.value : input.checked)),
        parts: [...document.querySelectorAll(".stage")].map((stage) => [...stage.querySelectorAll(".parts button")].map((part) => part.textContent)),
        stages: [...document.querySelectorAll(".stage-svg")].map(bare),
        dots: [...document.querySelectorAll(".stage-dots")].map((canvas) => `${canvas.width} × ${canvas.height}: ${canvas.toDataURL()}`),
      };
    },
  };
}

/** The lessons that are built, in `dist` or the site that SITE names, with the ids of their knobs and actions. */
export const lessons = (() => {
  const words = new URL(`../../${process.env.SITE ?? "dist"}/words/`, import.meta.url);
  const read = (name) => JSON.parse(readFileSync(new URL(`${name}.en.json`, words), "utf8"));
  const ready = read("catalogue").chapters.flatMap((chapter) => chapter.lessons).filter((lesson) => lesson.ready);
  return ready.map(({ slug, title }) => {
    const { words } = read(slug);
    const ids = (group) => Object.keys(words).map((id) => id.split(".")).filter(([first, , more]) => first === group && !more).map(([, id]) => id);
    const options = (knob) => Object.keys(words).filter((id) => id.startsWith(`knob.${knob}.`)).map((id) => id.split(".")[2]);
    return { slug, title, actions: ids("action"), knobs: ids("knob").map((id) => ({ id, options: options(id) })) };
  });
})();

/** One sequence being played. */
export class Play {
  constructor(lesson, page, problems) {
    Object.assign(this, { lesson, page, problems, size: [1000, 800], states: [] });
  }

  get frame() {
    return this.page.frame({ name: "lesson" });
  }

  /** Lets time pass, frame by frame. */
  pass(ms) {
    return this.page.clock.runFor(ms);
  }

  async show(name, path) {
    await this.page.evaluate(([name, path, [w, h]]) => show(name, path, w, h), [name, path, this.size]);
    // Files come when they come; what never starts ends with the test, whose title says what is played.
    for (;;) {
      await this.pass(20);
      const { ready, failed } = (await this.page.frame({ name })?.evaluate(() => ({ ...document.documentElement.dataset })).catch(() => null)) ?? {};
      if (failed) throw new Fault("the lesson does not start");
      if (ready && (await this.page.evaluate((name) => connected(name), name))) break;
    }
    await this.page.frame({ name }).evaluate(() => document.fonts.ready.then(() => 0));
  }

  /** Sends a command; its answer needs time to pass. */
  async send(type, fields, name = "lesson") {
    const answer = this.page.evaluate(([name, type, fields]) => send(name, type, fields), [name, type, fields]);
    let done = false;
    const settled = answer.finally(() => { done = true; });
    while (!done) await Promise.all([this.pass(4), this.page.evaluate(() => 0)]);
    return settled;
  }

  async open([a, b]) {
    await this.page.goto(`http://127.0.0.1:${process.env.LOADLAB_PORT}/${HOST}`);
    this.path = a < 600 ? `l/${this.lesson.slug}/` : `embed/${this.lesson.slug}/`;
    this.size = [[1000, 800], [1280, 860], [390, 780], [720, 900]][b % 4];
    await this.show("lesson", this.path);
  }

  async press([a]) {
    const at = await this.frame.evaluate((a) => fuzz.press(a), a);
    if (at) await this.page.mouse.click(at.x, at.y);
  }

  point(a, b, stage) {
    return this.frame.evaluate(([a, b, stage]) => fuzz.point(a, b, stage), [a, b, stage]);
  }

  async click([a, b, c]) {
    const { x, y } = await this.point(a, b, c < 700);
    await this.page.mouse.click(x, y, { clickCount: 1 + (c % 2), button: c % 17 ? "left" : "middle" });
  }

  async drag([a, b, c]) {
    const [from, to] = [await this.point(a, b, c < 400), await this.point(b, c, c < 200)];
    await this.page.mouse.move(from.x, from.y);
    await this.page.mouse.down();
    await this.page.mouse.move(to.x, to.y, { steps: 3 });
    await this.pass(20);
    await this.page.mouse.up();
  }

  async wheel([a, b]) {
    await this.page.mouse.wheel(0, (a - 500) * 2 + (b % 3));
  }

  async touch(type, points) {
    this.line ??= await this.page.context().newCDPSession(this.page);
    await this.line.send("Input.dispatchTouchEvent", { type, touchPoints: points });
  }

  async tap([a, b, c]) {
    const at = await this.point(a, b, c < 600);
    await this.touch("touchStart", [at]);
    await this.touch("touchEnd", []);
  }

  async swipe([a, b, c]) {
    const [from, to] = [await this.point(a, b, c < 500), await this.point(b, c, false)];
    await this.touch("touchStart", [from]);
    for (const part of [0.4, 1]) {
      await this.touch("touchMove", [{ x: from.x + (to.x - from.x) * part, y: from.y + (to.y - from.y) * part }]);
    }
    await this.touch("touchEnd", []);
  }

  async key([a]) {
    // Keys go where the focus is; the page around must not keep it.
    await this.page.evaluate(() => frame("lesson").focus());
    await this.page.keyboard.press(KEYS[a % KEYS.length]);
  }

  async slide([a, b]) {
    await this.frame.evaluate(([a, b]) => fuzz.slide(a, b), [a, b]);
  }

  async set([a, b, c]) {
    const { id, options } = this.lesson.knobs[a % this.lesson.knobs.length];
    const odd = [NaN, Infinity, -1, 1e308, "0", "", true];
    const plain = options.length ? options[b % options.length] : (b * b) / 5_000;
    await this.send("set", { name: id, value: c < 60 ? odd[b % odd.length] : plain });
  }

  async act([a, b, c]) {
    const fields = { name: this.lesson.actions[a % this.lesson.actions.length] };
    if (c < 500) fields.target = 1 + (b % 12);
    // Actions that take none do not mind.
    fields.text = TEXTS[(b + c) % TEXTS.length];
    await this.send("act", fields);
  }

  async seek([a, b, c]) {
    const far = c < 15 ? 900 : c < 120 ? 90 : 15;
    await this.send("seek", { at: (far * a * a) / 1e6 + b / 1e4 });
  }

  async fork([a, b, c]) {
    await this.send("seek", { at: ((await this.frame.evaluate(() => fuzz.now())) * a) / 1000 });
    // Between two events of one moment is the place where forks are hardest.
    if (c % 3 === 0) await this.key([c % 2 ? 2 : 6]);
    await (c < 600 ? this.act([b, c, a]) : this.set([b, c, 999]));
  }

  async twin([a, b]) {
    const button = this.frame.locator(".tools button[aria-pressed]");
    if (await button.count()) await button.first().evaluate((button) => button.click());
    await this.pass(20);
    const choice = this.frame.locator("#compare-knob");
    if (b < 600 && (await choice.count())) {
      await choice.evaluate((choice, a) => {
        choice.selectedIndex = a % choice.options.length;
        choice.dispatchEvent(new Event("change", { bubbles: true }));
      }, a);
    }
  }

  async beat([a]) {
    await this.send("beat", { n: 1 + (a % 11) });
  }

  async play([a, b]) {
    await this.send("play");
    await this.pass(3 * a);
    if (b < 500) await this.send("pause");
  }

  async wait([ms]) {
    await this.pass(ms);
  }

  async resize([a, b, c]) {
    const width = c < 500 ? [320, 360, 559, 560, 768, 1024, 1440][a % 7] : 320 + Math.floor(a * 1.1);
    this.size = [width, 300 + Math.floor(b * 0.7)];
    await this.page.evaluate(([w, h]) => Object.assign(frame("lesson"), { width: w, height: h }), this.size);
    await this.frame.evaluate(() => fuzz.frame());
  }

  async hide([ms]) {
    const display = (value) => this.page.evaluate((value) => { frame("lesson").style.display = value; }, value);
    await display("none");
    await this.pass(ms);
    await display("");
    await this.frame.evaluate(() => fuzz.frame());
  }

  async theme([a]) {
    await this.send("theme", { value: ["auto", "light", "dark", "contrast"][a % 4] });
  }

  async media([a, b]) {
    const [name, values] = [
      ["colorScheme", ["light", "dark"]], ["reducedMotion", ["reduce", "no-preference"]],
      ["forcedColors", ["active", "none"]], ["contrast", ["more", "no-preference"]],
    ][a % 4];
    await this.page.emulateMedia({ [name]: values[b % 2] });
  }

  async motion([a]) {
    await this.send("motion", { value: a < 500 ? "reduce" : "auto" });
  }

  async lang([a]) {
    await this.send("lang", { value: ["en", "en-GB", "de", "zh-Hant-TW", "ar", "x"][a % 6] });
  }

  async state([a, b]) {
    if (b < 500 || !this.states.length) {
      const { state } = await this.send("getState");
      if (state) this.states.push(state);
    } else {
      await this.send("setState", { state: this.states[a % this.states.length] });
    }
  }

  async garbage([a]) {
    const at = a % GARBAGE.length;
    await this.page.evaluate(
      ([at, list]) => {
        const all = list.map((source) => (0, eval)(source));
        all[at]((type, fields) => { send("lesson", type, fields); }, (message) => raw("lesson", message));
      },
      [at, GARBAGE.map(String)],
    );
  }

  async connect() {
    await this.page.evaluate(() => reconnect("lesson"));
    await this.pass(20);
  }

  /** Does one event, lets a moment pass, and looks. */
  async step(event) {
    const [kind, ...chosen] = event.split(" ");
    await this[kind](chosen.map(Number));
    await this.pass(40);
    if (!this.frame) throw new Fault(`the lesson is gone: ${this.page.url()}`);
    this.fail([...(await this.frame.evaluate(() => fuzz.look())), ...this.problems.report()]);
  }

  fail(faults) {
    if (faults.length) throw new Fault(faults.slice(0, 5).join("\n"));
  }

  /** The state of the run and all that is seen of it, at rest and in one look. */
  async rest(name) {
    const place = this.page.frame({ name });
    await this.send("pause", {}, name);
    await this.send("theme", { value: "light" }, name);
    await this.send("motion", { value: "auto" }, name);
    // What somebody follows is no part of the run, and no link carries it.
    await place.evaluate(() => {
      const name = (button) => button.getAttribute("aria-label") ?? button.textContent.trim();
      [...document.querySelectorAll("button")].find((button) => name(button).startsWith("Stop following"))?.click();
    });
    // Who listens hears the present state even while the stage is scrolled out of sight, where it is not drawn.
    await this.pass(200);
    const heard = await place.evaluate(() => {
      const parts = fuzz.picture().parts[0];
      document.querySelector(".lab").scrollIntoView();
      return parts;
    });
    await place.evaluate(() => fuzz.frame());
    // A twin that is behind catches up frame by frame; what is looked at seldom is looked at once more.
    await this.pass(700);
    // One real frame lets the browser lay the page out and tell its observers.
    await place.evaluate(() => fuzz.frame());
    await this.pass(400);
    const { state } = await this.send("getState", {}, name);
    const picture = await place.evaluate(() => fuzz.picture());
    this.fail(JSON.stringify(heard) === JSON.stringify(picture.parts[0]) ? [] : [`parts out of date: ${difference(heard, picture.parts[0])}`]);
    return { state, ...picture };
  }

  /** Replays the run's own inputs in a lesson opened anew. */
  async replay() {
    await this.page.emulateMedia({ colorScheme: null, reducedMotion: null, forcedColors: null, contrast: null });
    const seen = await this.rest("lesson");
    // More inputs than a state can carry: there is nothing that promises to restore them.
    if (!seen.state) return;
    await this.show("witness", `${this.path}?state=${seen.state}`);
    const again = await this.rest("witness");
    const faults = [];
    for (const what of Object.keys(seen)) {
      const [was, is] = [JSON.stringify(seen[what]), JSON.stringify(again[what])];
      if (was !== is) faults.push(`another ${what} when replayed: ${difference(seen[what], again[what])}`);
    }
    this.fail([...faults, ...this.problems.report()]);
  }
}

/** Where two values differ first. */
function difference(was, is) {
  if (Array.isArray(was) && Array.isArray(is)) {
    if (was.length !== is.length) return `${was.length} and now ${is.length}`;
    const at = was.findIndex((value, at) => JSON.stringify(value) !== JSON.stringify(is[at]));
    return `[${at}] ${difference(was[at], is[at])}`;
  }
  const [one, other] = [String(was), String(is)];
  const at = Math.max(0, [...one].findIndex((letter, at) => letter !== other[at]) - 20);
  return `${one.slice(at, at + 200)}\n    and now ${other.slice(at, at + 200)}`;
}

/** Something that must not be. */
export class Fault extends Error {
  /** Faults of one kind differ in numbers and texts only. */
  get kind() {
    return this.message.split("\n")[0].split(":")[0].replace(/\d+/g, "#");
  }
}

/**
 * Plays a sequence in a context of its own.
 * @param {string[]} events
 * @returns {Promise<{ fault?: Fault, at: number }>} what broke and after how many events
 */
export async function attempt(browser, lesson, events) {
  const context = await browser.newContext({ hasTouch: false, serviceWorkers: "block" });
  const problems = new Problems();
  const base = new URL(`http://127.0.0.1:${process.env.LOADLAB_PORT}/`);
  problems.watch(context, [base.origin]);
  await context.addInitScript(prepare);
  const page = await context.newPage();
  await page.setViewportSize({ width: 1460, height: 1000 });
  await page.route(`${base}${HOST}`, (route) => route.fulfill({ contentType: "text/html", body: host }));
  await page.clock.install({ time: 0 });
  await page.clock.pauseAt(1_000);
  const play = new Play(lesson, page, problems);
  let at = 0;
  try {
    for (const event of events) {
      await play.step(event);
      at += 1;
    }
    await play.replay();
    return { at };
  } catch (error) {
    if (error instanceof Fault) return { fault: error, at };
    if (!browser.isConnected() || /has been closed/.test(error.message)) throw error;
    // What the page throws in a timer of the test's clock ends up here.
    return { fault: new Fault(`uncaught: ${error.message}`), at };
  } finally {
    await context.close();
  }
}

/**
 * Shortens a sequence that fails: leaves out ever smaller runs of events as long as the same kind of fault stays.
 * @returns {Promise<{ events: string[], fault: Fault }>}
 */
export async function shrink(browser, lesson, events, found, { tries = 40 } = {}) {
  let [best, fault] = [events.slice(0, Math.max(1, found.at + 1)), found.fault];
  const fails = async (shorter) => {
    tries -= 1;
    const tried = await attempt(browser, lesson, shorter);
    if (tried.fault?.kind !== fault.kind) return false;
    [best, fault] = [shorter.slice(0, Math.max(1, tried.at + 1)), tried.fault];
    return true;
  };
  // The first event opens the page, so it stays.
  for (let run = Math.ceil((best.length - 1) / 2); run >= 1 && tries > 0; run = run === 1 ? 0 : Math.ceil(run / 2)) {
    for (let from = 1; from < best.length && tries > 0;) {
      const shorter = [...best.slice(0, from), ...best.slice(from + run)];
      if (!(await fails(shorter))) from += run;
    }
  }
  return { events: best, fault };
}
