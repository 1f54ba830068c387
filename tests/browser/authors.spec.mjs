// What authors are offered: a part of a story, files for a course made in the page, and statements for a record store.
import { execFileSync } from "node:child_process";
import { createServer } from "node:http";
import { copyFileSync, mkdtempSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { test as plain } from "@playwright/test";
import { test, expect, expectAccessible, lessons, open, ready, watchFrames, Player } from "./kit.mjs";

const top = fileURLToPath(new URL("../..", import.meta.url));
const dist = join(top, "dist");
const { slug: first, title } = lessons[0];
const others = ["cap-theorem", "caching"];
const table = JSON.parse(readFileSync(join(dist, `packages/${first}.json`), "utf8"));
const press = (...words) => execFileSync("cargo", ["press", ...words], { cwd: top, stdio: ["ignore", "ignore", "inherit"] });

// The site's modules end in .js and lie outside a package that says what that means, so they are read from a copy that does.
const modules = mkdtempSync(join(tmpdir(), "loadlab-modules-"));
writeFileSync(join(modules, "package.json"), '{"type":"module"}');
for (const name of ["packages.js", "fflate.js"]) copyFileSync(join(top, "assets", name), join(modules, name));
const module = (name) => import(pathToFileURL(join(modules, name)).href);
const { filesOf, pack } = await module("packages.js");
const { unzipSync } = await module("fflate.js");

plain.beforeEach(({ context }) => context.addInitScript(watchFrames));

/** Every file below a folder, by its path from there. */
function files(folder, prefix = "") {
  return readdirSync(join(folder, prefix)).flatMap((name) => {
    const path = prefix + name;
    return statSync(join(folder, path)).isDirectory() ? files(folder, `${path}/`) : [path];
  });
}
const contents = (folder) => new Map(files(folder).sort().map((path) => [path, readFileSync(join(folder, path))]));

test.describe("a part of the story", () => {
  const at = Math.min(3, table.steps.length - 2);
  const [from, to] = [table.steps[at].id, table.steps[at + 1].id];

  test("is told from its first step to its last, and Share keeps it", async ({ page, baseURL }) => {
    const player = await open(page, `l/${first}/?from=${from}&to=${to}`);
    await player.atStep(1);
    expect(await player.steps()).toBe(2);
    await expect(player.story.locator(".dot")).toHaveCount(2);
    const began = await player.seconds();
    expect(began).toBeGreaterThan(0);
    await player.jump();
    await expect(player.next).toHaveAttribute("aria-disabled", "true");
    await player.restart.click();
    await player.atStep(1);
    expect(await player.seconds()).toBeCloseTo(began, 2);
    // No way leads before it.
    await player.time.press("Home");
    expect(await player.seconds()).toBeCloseTo(began, 2);
    await player.rested();
    expect(await player.seconds()).toBeCloseTo(began, 2);
    // A slider keeps the keys that it knows; anywhere else a digit is a step.
    await player.restart.press("2");
    await player.atStep(2);
    await player.share.click();
    const address = await page.getByLabel("Address").inputValue();
    expect(address).toBe(`${baseURL}l/${first}/?beat=2&from=${from}&to=${to}`);
    await page.goto(address);
    await ready(page);
    await player.atStep(2);
  });

  test("that is none is warned of, and the whole is told", async ({ page, problems }) => {
    problems.expect(/from=nowhere is not valid; to=.* is not valid/);
    const player = await open(page, `embed/${first}/?from=nowhere&to=nobody`);
    expect(await player.steps()).toBe(table.steps.length);
  });

  test("is chosen in the Embed dialog by its two ends", async ({ page }) => {
    const player = await open(page, `l/${first}/`);
    await player.embed.click();
    const dialog = page.getByRole("dialog");
    const code = dialog.getByRole("textbox", { name: "Paste this" });
    await dialog.getByLabel("First step").selectOption(String(at + 1));
    await dialog.getByLabel("Last step").selectOption(String(at + 2));
    await expect(code).toHaveValue(new RegExp(`\\?from=${from}&amp;to=${to}"`));
    await dialog.getByLabel("Open at").selectOption(String(at + 2));
    await expect(code).toHaveValue(new RegExp(`\\?beat=2&amp;from=${from}&amp;to=${to}"`));
    // An end before the beginning takes the beginning along.
    await dialog.getByLabel("Last step").selectOption("1");
    await expect(dialog.getByLabel("First step")).toHaveValue("1");
    await expect(code).toHaveValue(new RegExp(`\\?to=${table.steps[0].id}"`));
  });
});

plain.describe("files for a course", () => {
  const query = `theme=dark&p.load=80&from=${table.steps[1].id}&hide=challenges&lock=load`;
  const means = { get: async (path) => new Uint8Array(readFileSync(join(dist, path))), step: async () => {} };

  for (const [kind, slugs, pass] of [["1.2", [first], ""], ["2004", [first, ...others], 57], ["cmi5", [first], 60], ["cmi5", [first, ...others], ""]]) {
    plain(`the page and press make the same ${kind} package of ${slugs.length}`, async () => {
      const folder = `${mkdtempSync(join(tmpdir(), "loadlab-pack-"))}/`;
      press("scorm", slugs.join(","), folder, "--version", kind, "--query", query, ...(pass === "" ? [] : ["--pass", String(pass)]));
      const made = await filesOf(kind, { slugs, query, pass }, means);
      const wanted = contents(folder);
      expect([...made.keys()].sort()).toEqual([...wanted.keys()]);
      for (const [path, bytes] of made) expect(Buffer.from(bytes).equals(wanted.get(path)), path).toBe(true);
      const { blob } = await pack(kind, { slugs, query, pass }, means);
      const unpacked = unzipSync(new Uint8Array(await blob.arrayBuffer()));
      expect(Object.keys(unpacked).sort()).toEqual([...wanted.keys()]);
      for (const [path, bytes] of Object.entries(unpacked)) expect(Buffer.from(bytes).equals(wanted.get(path)), path).toBe(true);
    });
  }

  plain("the page and press make the same single file and the same links", async () => {
    const folder = mkdtempSync(join(tmpdir(), "loadlab-pack-"));
    for (const wish of ["", query]) {
      press("single", first, `${folder}/one.html`, ...(wish ? ["--query", wish] : []));
      const { blob } = await pack("single", { slugs: [first], query: wish }, means);
      expect((await blob.text()) === readFileSync(`${folder}/one.html`, "utf8")).toBe(true);
    }
    press("cartridge", [first, ...others].join(","), `${folder}/links/`, "--query", query, "--home", "https://a.example/b/");
    const links = await filesOf("cartridge", { slugs: [first, ...others], query, home: "https://a.example/b/" }, means);
    const wanted = contents(`${folder}/links`);
    expect([...links.keys()].sort()).toEqual([...wanted.keys()]);
    for (const [path, bytes] of links) expect(Buffer.from(bytes).toString(), path).toBe(wanted.get(path).toString());
  });

  plain("the vendored archive library is the one of its package", () => {
    // The site has no dependency; its copy is held to the version that tests/package.json pins.
    const { devDependencies } = JSON.parse(readFileSync(join(top, "tests/package.json"), "utf8"));
    expect(devDependencies.fflate).toBe("0.8.3");
    const own = join(top, "tests/node_modules/fflate");
    expect(readFileSync(join(top, "assets/fflate.js"), "utf8")).toBe(readFileSync(join(own, "esm/browser.js"), "utf8"));
    expect(readFileSync(join(top, "assets/fflate-LICENSE.txt"), "utf8")).toBe(readFileSync(join(own, "LICENSE"), "utf8"));
  });
});

test.describe("the dialog's downloads", () => {
  /** The dialog of the first lesson, its download form there. */
  async function dialogOf(page) {
    const player = await open(page, `l/${first}/`);
    await player.embed.click();
    const dialog = page.getByRole("dialog");
    const start = dialog.getByRole("button", { name: "Download", exact: true });
    await expect(start).toBeVisible();
    return { dialog, start, kind: dialog.getByLabel("Kind") };
  }

  test("a package with the author's choice", async ({ page }) => {
    const { dialog, start, kind } = await dialogOf(page);
    await dialog.getByLabel("Colours").selectOption({ label: "dark" });
    await dialog.getByLabel("First step").selectOption("2");
    await kind.selectOption("2004");
    await dialog.getByLabel(/^Pass mark/).fill("60");
    await dialog.getByText("More lessons in it").click();
    await dialog.getByLabel(lessons[1].title, { exact: true }).check();
    await expectAccessible(page);
    const [download] = await Promise.all([page.waitForEvent("download", { timeout: 60_000 }), start.click()]);
    expect(download.suggestedFilename()).toBe("course-scorm-2004.zip");
    const unpacked = unzipSync(new Uint8Array(readFileSync(await download.path())));
    const launch = Buffer.from(unpacked[`${first}.html`]).toString();
    expect(launch).toContain(`data-query="theme=dark&amp;from=${table.steps[1].id}" data-scorm="2004" data-pass="60"`);
    expect(Buffer.from(unpacked["imsmanifest.xml"]).toString()).toContain(`href="${lessons[1].slug}.html"`);
    await expect(dialog.getByText(/^course-scorm-2004\.zip, \d+ KB, is made/)).toBeVisible();
    await expect(start).toBeFocused();
    // A mark that is none is the form's own to refuse.
    await dialog.getByLabel(/^Pass mark/).fill("101");
    await start.click();
    expect(await dialog.getByLabel(/^Pass mark/).evaluate((input) => input.validity.rangeOverflow)).toBe(true);
    await kind.selectOption("single");
    await expect(dialog.getByLabel(/^Pass mark/)).toBeHidden();
  });

  test("a file that cannot be fetched is named, and cancelling saves nothing", async ({ page, problems }) => {
    problems.expect(/500/);
    const { dialog, start } = await dialogOf(page);
    await page.route("**/scorm.js", (route) => route.fulfill({ status: 500, body: "no" }));
    await start.click();
    await expect(dialog.getByText("scorm.js could not be fetched. Nothing was saved.")).toBeVisible();
    await page.unroute("**/scorm.js");
    let held;
    await page.route(`**/packages/${first}.json`, (route) => { held = route; });
    await start.click();
    await dialog.getByRole("button", { name: "Cancel" }).click();
    await expect(dialog.getByText("Cancelled. Nothing was saved.")).toBeVisible();
    await held?.abort().catch(() => {});
    await page.unrouteAll();
    const [download] = await Promise.all([page.waitForEvent("download", { timeout: 60_000 }), start.click()]);
    expect(download.suggestedFilename()).toBe(`${first}-scorm-1.2.zip`);
  });
});

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".wasm": "application/wasm", ".css": "text/css",
  ".json": "application/json", ".svg": "image/svg+xml", ".woff2": "font/woff2" };

/** A plain static host of a folder. */
async function host(folder) {
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url, "http://host").pathname.slice(1)).replace(/(^|\/)$/, "$1index.html");
    try {
      const body = readFileSync(join(folder, path));
      response.writeHead(200, { "content-type": TYPES[extname(path)] ?? "application/octet-stream" });
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${server.address().port}/`, close: () => new Promise((resolve) => { server.closeAllConnections(); server.close(resolve); }) };
}

/** A record store that keeps what it is sent; `answer(request, path)` may give another answer for a while. */
async function store() {
  const kept = { statements: [], documents: new Map(), seen: [], answer: () => undefined, launch: undefined, tokens: 0 };
  const server = createServer((request, response) => {
    const url = new URL(request.url, "http://store");
    let body = "";
    request.on("data", (bytes) => { body += bytes; });
    request.on("end", () => {
      const cors = { "access-control-allow-origin": "*", "access-control-allow-headers": "*, authorization", "access-control-allow-methods": "*" };
      const send = (status, content = "", type = "application/json") => response.writeHead(status, { ...cors, "content-type": type }).end(content);
      if (request.method === "OPTIONS") return send(204);
      if (url.pathname === "/token") {
        kept.tokens += 1;
        return send(200, kept.tokens === 1 ? '{"auth-token":"dG9rZW4="}' : '{"error-code":"1","error-text":"used"}');
      }
      kept.seen.push({ method: request.method, path: url.pathname, auth: request.headers.authorization, version: request.headers["x-experience-api-version"] });
      const other = kept.answer({ method: request.method, path: url.pathname, tries: kept.seen.length, send });
      if (other) return undefined;
      if (url.pathname === "/xapi/statements") {
        const sent = [].concat(JSON.parse(body));
        for (const one of sent) if (!kept.statements.some(({ id }) => id === one.id)) kept.statements.push(one);
        return send(200, JSON.stringify(sent.map(({ id }) => id)));
      }
      const id = `${url.searchParams.get("stateId")} ${url.searchParams.get("registration")} ${url.searchParams.get("agent")}`;
      if (url.pathname === "/xapi/activities/state") {
        if (url.searchParams.get("stateId") === "LMS.LaunchData") return kept.launch ? send(200, JSON.stringify(kept.launch)) : send(404);
        if (request.method === "PUT") kept.documents.set(id, body);
        const found = kept.documents.get(id);
        return request.method === "PUT" ? send(204) : found ? send(200, found) : send(404);
      }
      return send(404);
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return Object.assign(kept, {
    url: `http://127.0.0.1:${server.address().port}/`,
    verbs: () => kept.statements.map(({ verb }) => verb.id.split("/").at(-1)),
    close: () => new Promise((resolve) => { server.closeAllConnections(); server.close(resolve); }),
  });
}

/** Fails on what is no statement of xAPI 1.0.3 (part 2, section 2). */
function conforms(statement) {
  expect(statement.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(statement.verb.id).toMatch(/^http:\/\/adlnet\.gov\/expapi\/verbs\/(launched|initialized|answered|progressed|completed|passed|failed|terminated)$/);
  expect(statement.verb.display.en).toBe(statement.verb.id.split("/").at(-1));
  expect(statement.actor).toEqual(ACTOR);
  expect(statement.object).toMatchObject({ objectType: "Activity", id: expect.stringMatching(/^[a-z]+:/) });
  expect(Number.isNaN(Date.parse(statement.timestamp))).toBe(false);
  const { result } = statement;
  if (result?.duration) expect(result.duration).toMatch(/^PT\d+(\.\d{1,2})?S$/);
  if (result?.score) expect(result.score.scaled >= 0 && result.score.scaled <= 1).toBe(true);
  const named = /answered$/.test(statement.verb.id);
  if (!named) return;
  const { definition } = statement.object;
  expect(definition).toMatchObject({ type: "http://adlnet.gov/expapi/activities/cmi.interaction", interactionType: "choice" });
  expect(definition.description.en.length).toBeGreaterThan(5);
  const ids = definition.choices.map(({ id }) => id);
  expect(ids).toEqual(["a", "b", "c", "d"].slice(0, ids.length));
  expect(ids).toContain(definition.correctResponsesPattern[0]);
  expect(ids).toContain(result.response);
  expect(result.success).toBe(result.response === definition.correctResponsesPattern[0]);
}

plain("a SCORM package of a part of the story counts that part alone", async ({ page }) => {
  const folder = `${mkdtempSync(join(tmpdir(), "loadlab-part-"))}/`;
  press("scorm", first, folder, "--version", "2004", "--query", `from=${table.steps[1].id}&to=${table.steps[2].id}&theme=dark`);
  writeFileSync(join(folder, "lms.html"), `<!doctype html><title>LMS</title><script>
    window.kept = {};
    window.API_1484_11 = { Initialize: () => "true", GetValue: (name) => kept[name] ?? "", SetValue: (name, value) => { kept[name] = value; return "true"; },
      Commit: () => "true", Terminate: () => "true", GetLastError: () => "0" };
  </script><iframe title="SCO" src="index.html" width="1000" height="760"></iframe>`);
  const place = await host(folder);
  await page.goto(`${place.url}lms.html`);
  const lesson = page.frameLocator("iframe").frameLocator("iframe");
  await ready(lesson);
  await expect(lesson.locator("html[data-theme=dark]")).toBeAttached();
  const player = new Player(lesson);
  expect(await player.steps()).toBe(2);
  const kept = (name) => page.evaluate((name) => window.kept[name], name);
  expect(await kept("cmi.completion_status")).toBe("incomplete");
  await player.jump();
  await expect.poll(() => kept("cmi.completion_status")).toBe("completed");
  expect(await kept("cmi.progress_measure")).toBe("1");
  expect(await kept("cmi.location")).toBe("2");
  await place.close();
});

const ACTOR = { objectType: "Agent", name: "Ada", account: { homePage: "https://school.example/", name: "ada" } };
const REGISTRATION = "7d3a8f5e-1c2b-4d5e-8f90-112233445566";

plain.describe("a record store", () => {
  let lrs;
  plain.beforeEach(async () => { lrs = await store(); });
  plain.afterEach(() => lrs.close());

  const address = (base, more = {}) => `${base}embed/${first}/?${new URLSearchParams({
    endpoint: `${lrs.url}xapi`, auth: "Basic YTpi", actor: JSON.stringify(ACTOR), ...more })}`;

  /** The lesson in the page that tells the store. */
  async function launched(page, url) {
    await page.goto(url);
    const lesson = page.frameLocator("iframe");
    await ready(lesson);
    return { lesson, player: new Player(lesson), said: page.locator("body > [role=status]") };
  }

  /** Goes to the end, answering everything. */
  async function walk(player) {
    const count = await player.steps();
    for (let step = 1; step < count; step += 1) {
      if (await player.asks()) await player.answer();
      await player.jump();
    }
    return count;
  }

  plain("is told everything once, and a learner who comes back is not told of twice", async ({ page, baseURL }) => {
    let { player } = await launched(page, address(baseURL, { registration: REGISTRATION, pass: "100" }));
    await expect.poll(() => lrs.verbs()).toEqual(["launched", "initialized"]);
    const count = await walk(player);
    await expect.poll(() => lrs.verbs()).toContain("completed");
    await expect.poll(() => lrs.verbs().filter((verb) => /passed|failed/.test(verb)).length).toBe(1);
    const asked = table.steps.filter(({ asks }) => asks).length;
    expect(lrs.verbs().filter((verb) => verb === "answered")).toHaveLength(asked);
    const progress = lrs.statements.map(({ result }) => result?.extensions?.["https://w3id.org/xapi/cmi5/result/extensions/progress"]).filter(Boolean);
    expect(progress).toEqual([...progress].sort((a, b) => a - b));
    expect(new Set(progress).size).toBe(count - 2);
    for (const statement of lrs.statements) {
      conforms(statement);
      expect(statement.context.registration).toBe(REGISTRATION);
    }
    expect(lrs.seen.every(({ auth, version }) => auth === "Basic YTpi" && version === "1.0.3")).toBe(true);
    await expect.poll(() => [...lrs.documents.values()].some((text) => JSON.parse(text).state && JSON.parse(text).over)).toBe(true);
    await page.goto("about:blank");
    await expect.poll(() => lrs.verbs().at(-1)).toBe("terminated");
    // The second visit of the same registration.
    const before = lrs.statements.length;
    ({ player } = await launched(page, address(baseURL, { registration: REGISTRATION, pass: "100" })));
    await player.atStep(count);
    await player.restart.click();
    await player.atStep(1);
    await walk(player);
    await page.goto("about:blank");
    await expect.poll(() => lrs.verbs().at(-1)).toBe("terminated");
    const second = lrs.verbs().slice(before);
    expect(second.filter((verb) => verb !== "failed")).toEqual(["launched", "initialized", "terminated"]);
  });

  plain("counts the part of the story that is told", async ({ page, baseURL }) => {
    const { player } = await launched(page, address(baseURL, { to: table.steps[2].id }));
    expect(await player.steps()).toBe(3);
    await player.jump();
    await player.jump();
    await expect.poll(() => lrs.verbs()).toEqual(["launched", "initialized", "progressed", "completed"]);
  });

  plain("that is slow, fails or speaks nonsense loses nothing and keeps nobody from the lesson", async ({ page, baseURL }) => {
    let mode = "fail";
    let held;
    lrs.answer = ({ method, path, send }) => {
      if (method === "GET") return send(200, "<html>what?") ?? true;
      if (path !== "/xapi/statements") return undefined;
      if (mode === "fail") return send(500, "no") ?? true;
      if (mode === "hold") return (held = send) && true;
      return undefined;
    };
    const { player, said } = await launched(page, address(baseURL));
    await expect(said).toHaveText("Your progress could not be saved. Saving is tried again.");
    await player.jump();
    mode = "garbage";
    await expect.poll(() => lrs.verbs(), { timeout: 30_000 }).toEqual(["launched", "initialized", "progressed"]);
    await expect(said).toBeHidden();
    mode = "hold";
    await player.jump();
    await expect.poll(() => Boolean(held)).toBe(true);
    await player.jump();
    mode = "";
    held(200, "neither JSON nor ids");
    await expect.poll(() => lrs.statements.length).toBeGreaterThan(3);
  });

  plain("that turns the lesson down is asked no more, and the learner is told", async ({ page, baseURL }) => {
    lrs.answer = ({ path, send }) => path === "/xapi/statements" && (send(401), true);
    const { player, said } = await launched(page, address(baseURL));
    await expect(said).toContainText("Your progress is not recorded.");
    await player.jump();
    await player.rested();
    expect(lrs.seen.filter(({ path }) => path === "/xapi/statements")).toHaveLength(1);
  });

  plain("is not spoken to where nobody is named, or no address", async ({ page, baseURL }) => {
    for (const wrong of [{ actor: "{" }, { actor: "[]" }, { actor: '{"name":"nobody"}' }, { endpoint: "javascript:1" }, { auth: "" }]) {
      const { player, said } = await launched(page, address(baseURL, wrong));
      await expect(said).toContainText("Your progress is not recorded.");
      await player.jump();
    }
    expect(lrs.seen).toEqual([]);
  });

  plain("passes on what the lesson and its course page say to each other", async ({ page, baseURL }) => {
    const folder = mkdtempSync(join(tmpdir(), "loadlab-parent-"));
    writeFileSync(join(folder, "index.html"), `<!doctype html><title>Course</title><script type="module" src="${baseURL}embed.js"></script>
      <loadlab-lesson lesson="${first}" endpoint="${lrs.url}xapi" auth="Basic YTpi" actor='${JSON.stringify(ACTOR)}'></loadlab-lesson>`);
    const parent = await host(folder);
    await page.goto(parent.url);
    const lesson = page.frameLocator("iframe").frameLocator("iframe");
    await ready(lesson);
    // The line is there a moment after the lesson is.
    const send = (type, fields) => page.evaluate(([type, fields]) => document.querySelector("loadlab-lesson").send(type, fields).catch(() => undefined), [type, fields]);
    let state;
    await expect.poll(async () => (state = await send("getState"))).toBeTruthy();
    await page.evaluate(() => {
      globalThis.steps = [];
      document.addEventListener("loadlab-step", ({ detail }) => globalThis.steps.push(detail.beat));
    });
    await send("beat", { n: 2 });
    await expect.poll(() => page.evaluate(() => globalThis.steps)).toEqual([2]);
    await expect.poll(() => lrs.verbs()).toContain("progressed");
    expect(state).toMatch(/^[\w-]+$/);
    await parent.close();
  });

  plain("cmi5: its launch, its categories, its mark", async ({ page }) => {
    const folder = `${mkdtempSync(join(tmpdir(), "loadlab-cmi5-"))}/`;
    press("scorm", first, folder, "--version", "cmi5", "--pass", "40");
    const place = await host(folder);
    lrs.launch = { launchMode: "Normal", masteryScore: 0.01, contextTemplate: { extensions: { "https://w3id.org/xapi/cmi5/context/extensions/sessionid": "s-1" },
      contextActivities: { grouping: [{ id: "https://lms.example/course" }] } } };
    const url = `${place.url}?${new URLSearchParams({ endpoint: `${lrs.url}xapi/`, fetch: `${lrs.url}token`, actor: JSON.stringify(ACTOR),
      registration: REGISTRATION, activityId: "https://lms.example/au/1" })}`;
    const { player } = await launched(page, url);
    await walk(player);
    await expect.poll(() => lrs.verbs().some((verb) => /passed|failed/.test(verb))).toBe(true);
    await page.goto("about:blank");
    await expect.poll(() => lrs.verbs().at(-1)).toBe("terminated");
    expect(lrs.tokens).toBe(1);
    expect(lrs.verbs()[0]).toBe("initialized");
    for (const statement of lrs.statements) {
      conforms(statement);
      const { context, object, verb, result } = statement;
      const name = verb.display.en;
      expect(context.extensions["https://w3id.org/xapi/cmi5/context/extensions/sessionid"]).toBe("s-1");
      expect(context.contextActivities.grouping).toEqual([{ id: "https://lms.example/course" }]);
      const categories = (context.contextActivities.category ?? []).map(({ id }) => id.split("/").at(-1));
      const defined = { initialized: ["cmi5"], terminated: ["cmi5"], completed: ["cmi5", "moveon"], passed: ["cmi5", "moveon"], failed: ["cmi5", "moveon"] };
      expect(categories, name).toEqual(defined[name] ?? []);
      if (defined[name]) expect(object.id).toBe("https://lms.example/au/1");
      if (name === "completed") expect(result).toEqual({ completion: true, duration: expect.any(String) });
      if (/passed|failed/.test(name)) expect(context.extensions["https://w3id.org/xapi/cmi5/context/extensions/masteryscore"]).toBe(0.01);
    }
    // The token works once: a page that is loaded anew records nothing, and the lesson runs.
    const before = lrs.statements.length;
    const { player: again, said } = await launched(page, url);
    await expect(said).toContainText("Your progress is not recorded.");
    await again.jump();
    expect(lrs.statements).toHaveLength(before);
    await place.close();
  });

  plain("cmi5: a review is not recorded", async ({ page }) => {
    const folder = `${mkdtempSync(join(tmpdir(), "loadlab-cmi5-"))}/`;
    press("scorm", first, folder, "--version", "cmi5");
    const place = await host(folder);
    lrs.launch = { launchMode: "Review", contextTemplate: {} };
    const { player, said } = await launched(page, `${place.url}?${new URLSearchParams({ endpoint: `${lrs.url}xapi/`, fetch: `${lrs.url}token`,
      actor: JSON.stringify(ACTOR), registration: REGISTRATION, activityId: "https://lms.example/au/1" })}`);
    await expect(said).toHaveText("This visit is not recorded.");
    await walk(player);
    await page.goto("about:blank");
    await expect.poll(() => lrs.verbs()).toEqual(["initialized", "terminated"]);
    await place.close();
  });
});

test("without a store nothing of it is loaded", async ({ page }) => {
  const asked = [];
  page.on("request", (request) => asked.push(request.url()));
  await open(page, `embed/${first}/`);
  expect(asked.filter((url) => /xapi|packages|download|fflate/.test(url))).toEqual([]);
});

test("every recipe is on the page, in its words", async ({ page }) => {
  await page.goto("authors/course/");
  const recipes = JSON.parse(readFileSync(join(top, "src/press/course.json"), "utf8"));
  for (const { name } of recipes) await expect(page.getByRole("heading", { name, exact: true })).toBeVisible();
  const rows = page.getByRole("table").getByRole("row");
  await expect(rows).toHaveCount(recipes.length + 1);
  for (const [at, { name, tried, seen }] of recipes.entries()) {
    const row = rows.nth(at + 1);
    await expect(row.getByRole("rowheader", { name, exact: true })).toBeVisible();
    await expect(row.getByRole("cell").first()).toHaveText(seen ? `${tried} ${seen.day}` : "Not tried");
    await expect(row.getByRole("cell")).toHaveCount(seen ? 8 : 1);
  }
  await expect(page.locator("#code-mkdocs-material")).toContainText(`title="${title}: interactive lesson"`);
  await expect(page.getByRole("button", { name: "Copy" }).first()).toBeVisible();
  await expectAccessible(page);
});
