// The player as learners use it, and load balancing in particular.
import { test, expect, open, drag, some, expectAccessible, expectNoSidewaysScroll, expectReadableStage, ready, rested } from "./kit.mjs";

const BALANCING = "l/load-balancing/";

for (const lesson of some) {
  test.describe(lesson.title, () => {
    const path = `l/${lesson.slug}/`;

    test("plays, pauses and restarts", async ({ page }) => {
      const player = await open(page, path);
      await expect(page.getByRole("heading", { level: 1 })).toHaveText(lesson.title);
      await player.play.click();
      await expect.poll(() => player.seconds()).toBeGreaterThan(0.1);
      await player.pause.click();
      // Once no frame is asked for, nothing can move the time any more.
      await player.rested();
      await expect(player.play).toBeVisible();
      expect(await player.seconds()).toBeGreaterThan(0.1);
      await player.restart.click();
      await expect.poll(() => player.seconds()).toBe(0);
    });

    test("steps forward and back to the same picture", async ({ page }) => {
      const player = await open(page, path);
      await player.stepForward.click();
      await player.stepForward.click();
      const picture = await player.settled();
      const time = await player.seconds();
      await player.stepForward.click();
      await player.stepForward.click();
      await player.stepBack.click();
      await player.stepBack.click();
      await expect.poll(() => player.seconds()).toBe(time);
      await expect.poll(() => player.parts()).toEqual(picture);
    });

    test("scrubs, and an action in the past leaves a ghost", async ({ page }) => {
      const player = await open(page, path);
      await player.seek(6);
      const later = await player.settled();
      await player.seek(2);
      await player.seek(6);
      await expect.poll(() => player.parts()).toEqual(later);
      await player.seek(2);
      await player.rested();
      await player.enabledActions.first().click();
      await expect(page.locator(".tape .band-ghost")).toBeAttached();
    });

    test("tells its story to the end", async ({ page }) => {
      const player = await open(page, path);
      const count = await player.steps();
      for (let step = 2; step <= count; step++) await player.nextStep();
      await expect(player.next).toBeDisabled();
      await player.back.click();
      await player.atStep(count - 1);
    });

    test("compares with a twin", async ({ page }) => {
      const player = await open(page, path);
      await player.compare.click();
      await expect(player.stages).toHaveCount(2);
      // What moves is drawn in the shape that both stages have now, though nothing plays.
      const fits = () => player.dots.evaluateAll((all) =>
        all.map(({ width, height, clientWidth, clientHeight }) => Math.abs(width / height - clientWidth / clientHeight) < 0.02));
      await expect.poll(fits).toEqual([true, true]);
      await player.seek(3);
      await player.endComparison.click();
      await expect(player.stages).toHaveCount(1);
    });

    for (const [width, height] of [[320, 640], [390, 844], [768, 1024], [2560, 1300]]) {
      test(`fits ${width} px`, async ({ page }) => {
        await page.setViewportSize({ width, height });
        const player = await open(page, path);
        await expectNoSidewaysScroll(page);
        await player.nextStep();
        await player.rested();
        await expectNoSidewaysScroll(page);
        await expectReadableStage(page);
      });
    }
  });
}

test.describe("load balancing", () => {
  test("asks, locks a guess in and settles it on the tape", async ({ page }) => {
    const player = await open(page, BALANCING);
    for (let step = 2; step <= 4; step++) await player.nextStep();
    await drag(player.story.getByLabel("Your number"), 10);
    await player.answers.filter({ hasText: "Guess 10 /s" }).click();
    await expect(player.guess).toHaveText(/About 10 a second/);
    await player.nextStep();
    await expect(player.story.getByText(/turns ignore how long the work takes/i)).toBeVisible();
    await expect(page.locator(".tape").getByTitle(/proved right/).or(page.locator(".tape [data-guess]")).first()).toBeAttached();
  });

  test("a challenge ticks itself and stays done after a reload", async ({ page }) => {
    const player = await open(page, BALANCING);
    await page.getByRole("radio", { name: "Least conn." }).check({ force: true });
    await drag(player.knob("Servers"), 8);
    await drag(player.knob("Load"), 110);
    await player.rested();
    // Most of it is gone to, so that little of it takes as long as frames do.
    await player.seek(11);
    await player.play.click();
    const goal = page.getByRole("listitem").filter({ hasText: "Take 100 requests a second" });
    await expect(goal).toContainText("done");
    await open(page, BALANCING);
    await expect(goal).toContainText("done");
  });

  test("a crash is drawn, spoken and explained", async ({ page }) => {
    const player = await open(page, BALANCING);
    await player.seek(2);
    await player.rested();
    await player.button("Crash a server").click();
    const server = page.getByRole("button", { name: /^Server 2, down for/ });
    await expect(server).toBeAttached();
    await server.focus();
    await page.keyboard.press("Enter");
    const why = page.getByRole("region", { name: "Server 2 Why?" });
    await expect(why).toContainText("Server 2 crashes");
    await expect(why.getByRole("button", { name: "Mend Server 2" })).toBeEnabled();
    await why.getByRole("button", { name: "Mend Server 2" }).click();
    await expect(page.getByRole("button", { name: /^Server 2, \d of 2 busy/ })).toBeAttached();
  });

  test("the theme follows the system, can be chosen and is remembered", async ({ page }) => {
    await page.emulateMedia({ colorScheme: "dark" });
    await open(page, BALANCING);
    const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    expect(await paper()).toBe("rgb(15, 18, 22)");
    await page.getByRole("button", { name: /^Theme/ }).click();
    await expect(page.getByRole("button", { name: "Theme: light" })).toBeVisible();
    await expect.poll(paper).toBe("rgb(250, 249, 246)");
    await open(page, BALANCING);
    expect(await paper()).toBe("rgb(250, 249, 246)");
  });

  test("odd addresses warn once and open the lesson", async ({ page, problems }) => {
    problems.expect(/console\.warn/);
    const player = await open(page, `${BALANCING}?p.load=nonsense&at=NaN&theme=puce&seed=-1&beat=1e9&state=%00`);
    await expect(player.play).toBeVisible();
  });
});

test("the catalogue searches and opens a lesson without loading the page again", async ({ page }) => {
  await open(page);
  await page.getByRole("searchbox").fill("balanc");
  await expect(page.getByRole("link", { name: /Load balancing/ })).toBeVisible();
  await expect(page.getByRole("link", { name: /Merkle tree/ })).toBeHidden();
  await page.evaluate(() => { globalThis.stayed = true; });
  await page.getByRole("link", { name: /Load balancing/ }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Load balancing");
  expect(await page.evaluate(() => globalThis.stayed)).toBe(true);
});

test("two clicks in a row on a card are one entry in the history", async ({ page }) => {
  await open(page);
  // The lesson that was begun last has a link of its own, above the cards.
  const card = page.getByRole("listitem").getByRole("link", { name: /Caching/ });
  const title = page.getByRole("heading", { level: 1 });
  const back = async () => {
    await page.goBack();
    await expect(page.getByRole("searchbox")).toBeVisible();
  };
  await card.dblclick();
  await expect(title).toHaveText("Caching");
  await back();
  // Both within one turn of the event loop: the second comes before the page could change.
  await card.evaluate((link) => { link.click(); link.click(); });
  await expect(title).toHaveText("Caching");
  await back();
  await page.goForward();
  await expect(title).toHaveText("Caching");
});

test("a missing program says so and can be tried again", async ({ page, problems }) => {
  problems.expect(/404|request failed|Failed to load/);
  await page.route("**/*.wasm", (route) => route.fulfill({ status: 404, body: "" }));
  await page.goto(BALANCING);
  await expect(page.getByText("The program file is missing on the server")).toBeVisible();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Load balancing");
  await page.unroute("**/*.wasm");
  await page.getByRole("button", { name: "Try again" }).click();
  await ready(page);
});

/** The middle of a moving thing on the stage, in CSS pixels of the window. */
const aDot = (player) =>
  player.dots.first().evaluate((canvas) => {
    const { width, height } = canvas;
    const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
    const painted = (x, y) => data[4 * (y * width + x) + 3] > 128;
    const first = Array.from({ length: width * height }, (_, at) => [at % width, Math.floor(at / width)]).find(([x, y]) => painted(x, y));
    if (!first) return null;
    // The first painted pixel is at its upper edge.
    const around = [];
    for (let y = first[1]; y < Math.min(height, first[1] + 8); y++)
      for (let x = Math.max(0, first[0] - 8); x < Math.min(width, first[0] + 8); x++) if (painted(x, y)) around.push([x, y]);
    const mean = (axis) => around.reduce((sum, point) => sum + point[axis], 0) / around.length;
    const { x, y, width: wide } = canvas.getBoundingClientRect();
    return { x: x + (mean(0) * wide) / width, y: y + (mean(1) * wide) / width };
  });

test("a message that is pulled is held up for as long as it is pulled far", async ({ page }) => {
  const player = await open(page, "l/leader-election/");
  let dot = null;
  for (let steps = 0; !dot && steps < 20; steps++) {
    await player.stepForward.click();
    await player.rested();
    dot = await aDot(player);
  }
  const { x, y } = dot;
  const time = await player.clock.textContent();
  const why = page.getByRole("region", { name: /Why\?/ });
  // Put back where it was, nothing happens but that it is let go.
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.mouse.move(x + 60, y, { steps: 4 });
  await expect(page.getByText("Hold up for 2 × 100 ms").first()).toBeVisible();
  await page.mouse.move(x, y, { steps: 4 });
  await page.mouse.up();
  await expect(page.getByText(/^Hold up for/)).toHaveCount(0);
  await expect(why).toHaveCount(0);
  await page.mouse.down();
  await page.mouse.move(x + 60, y, { steps: 4 });
  await page.mouse.up();
  await expect(why).toContainText("You hold a message");
  // Who pulls stops time, and does not move it.
  await expect(player.clock).toHaveText(time);
});

test("lecture mode is large, is driven by a clicker, and counts hands", async ({ page }) => {
  await page.setViewportSize({ width: 1920, height: 1080 });
  const player = await open(page, BALANCING);
  const size = () => page.locator(".stage-svg text").first().evaluate((text) => parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a);
  await player.rested();
  const before = await size();
  await page.keyboard.press("p");
  await expect(page.locator("html[data-present]")).toBeAttached();
  await expect(page.getByRole("banner")).toBeHidden();
  await player.rested();
  expect(await size()).toBeGreaterThan(1.2 * before);
  await expect(player.next).toBeInViewport({ ratio: 1 });
  // A lesson that asks at its first step, opened by its address.
  await open(page, "l/sharding/?present=1");
  await expect(player.answers).toHaveCount(3);
  await page.keyboard.press("2");
  await page.keyboard.press("2");
  await page.keyboard.press("1");
  await expect(page.getByText("Hands: 3").first()).toBeVisible();
  await page.keyboard.press("PageDown");
  await expect(player.answers).toHaveCount(0);
  await player.jump();
  await expect(page.getByRole("list", { name: "Hands: 3" }).getByRole("listitem")).toContainText(["Answer 1: 1", "Answer 2: 2"]);
  await page.keyboard.press("PageUp");
  await player.atStep(1);
  await page.keyboard.press("b");
  await expect(page.locator(".blank")).toBeVisible();
  await page.keyboard.press("x");
  await expect(page.locator(".blank")).toHaveCount(0);
  await page.keyboard.press("l");
  await page.mouse.move(300, 200);
  await expect(page.locator(".light")).toHaveCSS("left", "300px");
  await page.keyboard.press("k");
  await expect(player.actions.first()).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.locator("html[data-present]")).toHaveCount(0);
  await expect(page.getByRole("banner")).toBeVisible();
  await expect(page.locator(".light")).toHaveCount(0);
});

test.describe("for the class", () => {
  const region = (page, name) => page.getByRole("region", { name });

  test("what was changed is taken back by keys and buttons, and done again", async ({ page }) => {
    const player = await open(page, BALANCING);
    const load = player.knob("Load");
    const first = await load.inputValue();
    await expect(player.button("Undo")).toHaveCount(0);
    await player.seek(6);
    const later = await player.settled();
    await player.seek(2);
    await player.rested();
    const [time, picture] = [await player.seconds(), await player.parts()];
    // A drag is one step, though the knob turns at many places of it.
    const box = await load.boundingBox();
    const to = (share) => [box.x + box.width * share, box.y + box.height / 2];
    await page.mouse.move(...to(0.3));
    await page.mouse.down();
    for (const share of [0.4, 0.6, 0.8]) {
      await page.mouse.move(...to(share));
      await player.rested();
    }
    await page.mouse.up();
    await player.rested();
    const turned = await load.inputValue();
    expect(turned).not.toBe(first);
    await expect(page.locator(".tape .band-ghost")).toBeAttached();
    await player.button("Crash a server").click();
    const crashed = await player.settled();
    await page.keyboard.press("Control+z");
    await expect(player.spoken).toHaveText("Undone: Crash a server.");
    await expect(page.locator(".flash")).toHaveText("Undone: Crash a server.");
    await expect(load).toHaveValue(turned);
    await player.button("Undo").click();
    await expect(load).toHaveValue(first);
    await expect(player.button("Undo")).toHaveCount(0);
    await expect(player.button("Redo")).toBeFocused();
    await player.rested();
    expect(await player.seconds()).toBe(time);
    expect(await player.parts()).toEqual(picture);
    // The future that was cut is there again.
    await player.seek(6);
    expect(await player.settled()).toEqual(later);
    await page.keyboard.press("Control+Shift+z");
    await page.keyboard.press("Control+y");
    await expect(load).toHaveValue(turned);
    expect(await player.settled()).toEqual(crashed);
    await page.keyboard.press("Control+y");
    await expect(player.spoken).toHaveText("There is nothing to redo.");
  });

  test("a request is followed to and fro, and let go", async ({ page }) => {
    const player = await open(page, BALANCING);
    const panel = region(page, /^Number \d+$/);
    await player.seek(2);
    await player.stepForward.click();
    await page.keyboard.press("f");
    await expect(panel).toBeVisible();
    await expect(player.stepForward).toBeFocused();
    await expect(player.spoken).toHaveText(/^Following\. Escape lets go\. Number \d+: /);
    await expect(page.locator(".stage-svg .dim").first()).toBeAttached();
    const title = await panel.getByRole("heading", { level: 2 }).textContent();
    const story = panel.getByRole("listitem");
    const known = await story.count();
    expect(known).toBeGreaterThan(0);
    await player.seek(4);
    await expect(panel).toContainText(/gone from the stage; last event at 00:0[2-4]/);
    expect(await story.count()).toBeGreaterThanOrEqual(known);
    // Its last event is where it leads, and it stays followed there.
    await story.last().getByRole("button").click();
    await player.stepBack.click();
    await expect(panel.getByRole("heading", { level: 2 })).toHaveText(title);
    await expect(panel).not.toContainText("gone from the stage");
    await player.seek(0);
    await expect(panel).toContainText("not on the stage yet");
    await expect(story).toHaveCount(0);
    await page.keyboard.press("Escape");
    await expect(panel).toHaveCount(0);
    await expect(page.locator(".stage-svg .dim")).toHaveCount(0);
    await expect(player.spoken).toHaveText("No longer following.");
  });

  test("a part is followed from its panel", async ({ page }) => {
    const player = await open(page, BALANCING);
    await player.seek(3);
    await player.button(/^Server 2, /).focus();
    await page.keyboard.press("Enter");
    await region(page, "Server 2 Why?").getByRole("button", { name: "Follow" }).click();
    await expect(region(page, "Server 2 Why?")).toHaveCount(0);
    const panel = region(page, "Server 2");
    await expect(panel).toContainText("busy");
    await expect(panel.getByRole("heading", { level: 2 })).toBeFocused();
    await expect(page.locator('.stage-svg [data-part="server-1"]')).toHaveClass(/dim/);
    await expect(page.locator('.stage-svg [data-part="server-2"]')).not.toHaveClass(/dim/);
    await expectAccessible(page);
    await panel.getByRole("button", { name: "Stop following" }).click();
    await expect(panel).toHaveCount(0);
  });

  test("notes are kept, marked on the tape, changed, taken along and deleted", async ({ page }) => {
    const player = await open(page, BALANCING);
    await player.seek(3);
    await page.keyboard.press("n");
    const panel = region(page, "Your notes");
    const text = panel.getByRole("textbox", { name: "Your note at 00:03.00" });
    await expect(text).toBeFocused();
    await page.keyboard.press("Control+Enter");
    await expect(page.locator(".flash")).toHaveText("Write something first.");
    await text.fill("Here *two* wait.\nWhy?");
    await page.keyboard.press("Control+Enter");
    await expect(player.spoken).toHaveText("Kept your note at 00:03.00.");
    await player.seek(1);
    await panel.getByRole("textbox").first().fill("Earlier");
    await panel.getByRole("button", { name: "Keep" }).click();
    const notes = panel.getByRole("listitem");
    await expect(notes).toContainText(["Earlier", "Here *two* wait."]);
    await expect(page.locator(".lane .mark-own")).toHaveCount(2);
    await expectAccessible(page);
    // They are there on the next visit, and lead to their moments.
    await open(page, BALANCING);
    await expect(page.locator(".lane .mark-own")).toHaveCount(2);
    await player.button("Notes").click();
    await notes.nth(1).getByRole("button", { name: "00:03.00" }).click();
    await expect.poll(() => player.seconds()).toBe(3);
    await notes.nth(0).getByRole("button", { name: "Edit" }).click();
    await expect(panel.getByRole("textbox", { name: "Edit" })).toBeFocused();
    await page.keyboard.type("!");
    await notes.nth(0).getByRole("button", { name: "Edit" }).click();
    await expect(notes.nth(0)).toContainText("Earlier!");
    await panel.getByText("All notes as text").click();
    const all = panel.getByRole("textbox", { name: "All notes as text" });
    await expect(all).toHaveValue(/^# Load balancing\n\n- \[00:01\.00\]\(http.*l\/load-balancing\/\?at=1\): Earlier!\n- \[00:03\.00\]\(http.*at=3\): Here \*two\* wait\.\n {2}Why\?\n$/);
    await notes.nth(0).getByRole("button", { name: "Delete" }).click();
    await expect(notes).toHaveCount(1);
    await expect(text.or(panel.getByRole("textbox").first())).toBeFocused();
    await page.keyboard.press("Escape");
    await expect(panel).toHaveCount(0);
    await expect(player.button("Notes")).toBeFocused();
  });

  test("notes travel in an address when asked for, are shown as somebody's, and are kept beside one's own", async ({ page }) => {
    const note = async (player, at, text) => {
      await player.seek(at);
      await page.keyboard.press("n");
      await region(page, "Your notes").getByRole("textbox").first().fill(text);
      await page.keyboard.press("Control+Enter");
      await page.keyboard.press("Escape");
    };
    const player = await open(page, BALANCING);
    await note(player, 3, "Here *two* wait.\nWhy? <b>狐</b>");
    await note(player, 1, "Earlier");
    await player.share.click();
    const dialog = page.getByRole("dialog", { name: "Share this moment" });
    const address = dialog.getByRole("textbox", { name: "Address" });
    const plain = await address.inputValue();
    const choice = dialog.getByRole("checkbox", { name: "With my notes (2)" });
    await choice.check();
    await expect(dialog).toContainText("Whoever opens this address can read your notes.");
    await expect(address).toHaveValue(/#notes=z[\w-]+$/);
    const whole = await address.inputValue();
    await choice.uncheck();
    await expect(address).toHaveValue(plain);
    await choice.check();
    await expect(address).toHaveValue(whole);
    await expectAccessible(page);
    // Another reader, with a note of their own.
    await page.evaluate(() => localStorage.clear());
    const other = await open(page, BALANCING);
    await note(other, 2, "Mine");
    await page.goto("about:blank");
    await page.goto(whole);
    await ready(page);
    const panel = region(page, "Your notes");
    const lent = panel.getByRole("region", { name: "Notes from the address" });
    await expect(lent.getByRole("listitem")).toContainText(["Earlier", "Here *two* wait.\nWhy? <b>狐</b>"]);
    await expect(other.spoken).toHaveText("Notes that came with this address: 2");
    await expect(page.locator(".lane .mark-own")).toHaveCount(3);
    await expect(panel.locator("> .jotted").getByRole("listitem")).toContainText(["Mine"]);
    await expectAccessible(page);
    await lent.getByRole("button", { name: "00:03.00" }).click();
    await expect.poll(() => other.seconds()).toBe(3);
    await lent.getByRole("button", { name: "Leave them" }).click();
    await expect(lent).toHaveCount(0);
    await expect(page.locator(".lane .mark-own")).toHaveCount(1);
    await page.reload();
    await ready(page);
    await lent.getByRole("button", { name: "Keep them with yours" }).click();
    await expect(lent).toHaveCount(0);
    const own = panel.locator("> .jotted").getByRole("listitem");
    await expect(own).toContainText(["Earlier", "Mine", "Here *two* wait."]);
    await expect(panel.getByRole("textbox").first()).toBeFocused();
    // What is one's own already is not offered again.
    await page.reload();
    await ready(page);
    await other.button("Notes").click();
    await expect(own).toHaveCount(3);
    await expect(lent).toHaveCount(0);
  });

  for (const [what, end, said] of [
    ["cut short", (packed) => packed.slice(0, -9), "could not be read. It may have been cut short"],
    ["of no known kind", () => "xAAAA", "could not be read"],
    ["plain, and nonsense", () => "pAAAA", "could not be read"],
    ["a flood", () => `z${"A".repeat(9_000)}`, "more notes than it may"],
    ["half right", () => `p${Buffer.from('{"version":1,"notes":[{"at":1,"text":"Whole"},{"at":"x"}]}').toString("base64url")}`, "Some of the notes"],
  ]) {
    test(`notes in an address that are ${what} are told and dropped, and the run is opened`, async ({ page }) => {
      const good = "zeJyrVipLLSrOzM9TsjLUUcrLL0ktVrKKrlZKLAEKGICBjlJJagWQqxSSWlyiVBtbCwCy-xAo";
      const player = await open(page, `${BALANCING}?at=2#notes=${end(good)}`);
      await expect(page.getByRole("alert")).toContainText(said);
      expect(await player.seconds()).toBe(2);
      await expect(region(page, "Your notes").getByRole("listitem")).toContainText(what === "half right" ? ["Whole"] : []);
    });
  }

  test("what is followed is in the address, and what does not exist is not", async ({ page }) => {
    const player = await open(page, `${BALANCING}?at=2&follow=server-2`);
    const panel = page.getByRole("region", { name: "Server 2" });
    await expect(panel).toContainText("Following");
    await player.share.click();
    const address = page.getByRole("dialog").getByRole("textbox", { name: "Address" });
    await expect(address).toHaveValue(/at=2&follow=server-2$/);
    await page.keyboard.press("Escape");
    await page.keyboard.press("Escape");
    await expect(panel).toHaveCount(0);
    await player.share.click();
    await expect(address).toHaveValue(/at=2$/);
  });

  test("notes that cannot be read are set aside with a word", async ({ page }) => {
    const player = await open(page, BALANCING);
    const key = "loadlab.notes.load-balancing";
    const odd = '{"notes":[{"at":2000000,"text":"Mended"},{"at":"x"}]}';
    await page.evaluate(([key, odd]) => localStorage.setItem(key, odd), [key, odd]);
    await open(page, BALANCING);
    await expect(page.getByRole("alert")).toContainText("could not be read");
    await expect(page.locator(".lane .mark-own")).toHaveCount(1);
    expect(await page.evaluate((key) => localStorage.getItem(`${key}.aside`), key)).toBe(odd);
    await open(page, BALANCING);
    await expect(page.getByRole("alert")).toHaveCount(0);
    await player.button("Notes").click();
    await expect(region(page, "Your notes").getByRole("listitem")).toContainText(["Mended"]);
  });

  test("A and B may differ in two things, and both say so", async ({ page }) => {
    const player = await open(page, BALANCING);
    await player.seek(2);
    await player.compare.click();
    const headings = page.locator(".stage-label strong");
    await expect(headings).toHaveCount(2);
    await expect(headings.first()).not.toContainText("·");
    await player.button("Change a second thing").click();
    const second = page.getByRole("combobox", { name: "Second thing that differs" });
    await expect(second).toBeFocused();
    await expect(headings).toContainText([" · ", " · "]);
    await expect(page.getByText("you cannot tell which").first()).toBeVisible();
    await second.selectOption("Crash a server");
    await expect(headings.first()).not.toContainText("·");
    await expect(headings.nth(1)).toContainText(/ · Crash .* at 00:02\.00$/);
    await player.seek(3);
    const [a, b, told] = [await player.settled(), await player.parts(1), await headings.allTextContents()];
    expect(b.join()).toContain("down for");
    await expectAccessible(page);
    await player.share.click();
    const address = await page.getByRole("textbox", { name: "Address" }).inputValue();
    await page.goto(address);
    await ready(page);
    await expect(headings).toHaveText(told);
    expect(await player.settled()).toEqual(a);
    expect(await player.parts(1)).toEqual(b);
    await player.button("Back to one difference").click();
    await expect(headings.nth(1)).not.toContainText("·");
    await page.keyboard.press("Control+z");
    await expect(headings).toHaveText(told);
  });

  test("the slider of the tape and the clock tell the same hundredths", async ({ page }) => {
    const player = await open(page, `${BALANCING}?at=0.6485`);
    await expect(player.clock).toHaveText("00:00.64");
    expect(await player.seconds()).toBe(0.64);
    await expect(player.time).toHaveAttribute("aria-valuetext", "0.64 seconds");
  });
});

test("what is typed is answered, goes into the link, and is no shortcut", async ({ page }) => {
  const player = await open(page, "l/inverted-index/");
  await player.seek(8);
  await player.rested();
  const time = await player.clock.textContent();
  const button = player.button("Ask your own query");
  await expect(button).toHaveAttribute("aria-expanded", "false");
  await button.click();
  await expect(button).toHaveAttribute("aria-expanded", "true");
  const field = page.getByRole("textbox", { name: "Words, or the beginning of a word and an asterisk" });
  await expect(field).toBeFocused();
  const answer = page.locator(".typing-said");
  // Bad texts are answered, and nothing happens.
  for (const [text, why] of [
    ["", "Type something first."],
    ["42 !", "There is no word in it."],
    ["x".repeat(100), "At most 60 characters, please."],
  ]) {
    await field.fill(text);
    await page.keyboard.press("Enter");
    await expect(answer).toContainText(why);
    await expect(field).toHaveAttribute("aria-invalid", "true");
  }
  await expectAccessible(page);
  // Each of these would do something elsewhere: play, go to a step, go home, open the help.
  await field.fill("");
  await page.keyboard.type("bridge 5? ");
  await page.keyboard.press("Home");
  await expect(field).toHaveValue("bridge 5? ");
  // A key that an input method still works on is not the end of the text.
  await field.dispatchEvent("keydown", { key: "Enter", isComposing: true, bubbles: true });
  await field.dispatchEvent("keydown", { key: "Enter", keyCode: 229, bubbles: true });
  await player.rested();
  await expect(player.clock).toHaveText(time);
  await expect(answer).toContainText("At most 60 characters, please.");
  await page.keyboard.press("Enter");
  await expect(answer).toContainText("Your query “bridge 5?” goes through the same gates.");
  await expect(field).not.toHaveAttribute("aria-invalid");
  await expect(field).toBeFocused();
  await expect(player.clock).toHaveText(time);
  // It is asked, and stands on the stage.
  await page.keyboard.press("Escape");
  await expect(field).toHaveCount(0);
  await expect(button).toBeFocused();
  await player.playFor(2);
  await player.rested();
  await expect(player.button(/^Query, bridge 5\?/)).toBeAttached();
  const look = async () => [await player.clock.textContent(), await player.parts()];
  const before = await look();
  await player.share.click();
  const shared = new URL(await page.getByLabel("Address", { exact: true }).inputValue());
  expect(shared.searchParams.get("state")).toBeTruthy();
  await open(page, shared.pathname + shared.search);
  await expect.poll(look).toEqual(before);
});

test("a structure is measured as it grows, can be stopped, and goes on", async ({ page }) => {
  await open(page, "l/indexes/");
  await page.getByRole("button", { name: "Measure to a million" }).click();
  const dialog = page.getByRole("dialog");
  const said = dialog.getByRole("status");
  await expect(said).toContainText("Nothing is measured yet.");
  // It is stopped as the first point comes: a hand might be late.
  await dialog.evaluate(
    (dialog) =>
      new Promise((done) => {
        const press = (name) => [...dialog.querySelectorAll("button")].find((button) => button.textContent === name).click();
        const points = new MutationObserver(() => {
          if (!dialog.querySelector("circle")) return;
          points.disconnect();
          press("Stop");
          done();
        });
        points.observe(dialog, { childList: true, subtree: true });
        press("Measure");
      }),
  );
  await expect(said).toContainText(/^Stopped at [\d,]+ keys\.$/);
  await rested(page);
  const points = dialog.locator("circle");
  const seen = await points.count();
  expect(seen).toBeGreaterThan(0);
  await expectAccessible(page);
  await dialog.getByText("The points as numbers").click();
  await expect(dialog.getByRole("row")).toHaveCount(17);
  await dialog.getByRole("button", { name: "Go on", exact: true }).click();
  await expect.poll(() => points.count()).toBeGreaterThan(seen);
  // Who closes it ends it.
  await page.keyboard.press("Escape");
  await expect(dialog).toHaveCount(0);
  await rested(page);
});
