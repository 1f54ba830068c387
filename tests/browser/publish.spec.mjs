// What press publishes, on hosts of every temper: strict policies, wrong types, damaged files, no network,
// any path, no server at all, and inside a learning management system.
import { execFileSync } from "node:child_process";
import { createServer } from "node:http";
import { mkdtempSync, readFileSync, readdirSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { test as plain } from "@playwright/test";
import { test, expect, lessons, open, ready, some, watchFrames, Player } from "./kit.mjs";

const top = fileURLToPath(new URL("../..", import.meta.url));
const dist = join(top, "dist");
const first = lessons[0].slug;
const LESSON = `l/${first}/`;

plain.beforeEach(({ context }) => context.addInitScript(watchFrames));

/** Every file below a folder, by its path from there. */
function files(folder, prefix = "") {
  return readdirSync(join(folder, prefix)).flatMap((name) => {
    const path = prefix + name;
    return statSync(join(folder, path)).isDirectory() ? files(folder, `${path}/`) : [path];
  });
}

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".wasm": "application/wasm", ".css": "text/css",
  ".json": "application/json", ".svg": "image/svg+xml", ".woff2": "font/woff2", ".png": "image/png" };

/** The plainest static host: folders from `folder` below `base`, with whatever `answer` changes about a path. */
async function host({ folder = dist, base = "/", answer = () => undefined } = {}) {
  const missed = [];
  const asked = [];
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, "http://host");
    const path = decodeURIComponent(pathname.slice(base.length)).replace(/(^|\/)$/, "$1index.html");
    asked.push(request.url);
    const changed = pathname.startsWith(base) ? answer(path) : { status: 404 };
    let body = changed?.body;
    try {
      body ??= readFileSync(join(folder, path));
    } catch {
      body ??= undefined;
    }
    const status = changed?.status ?? (body === undefined ? 404 : 200);
    if (status === 404) missed.push(request.url);
    response.writeHead(status, { "content-type": TYPES[extname(path)] ?? "application/octet-stream", ...changed?.headers });
    if (changed?.send) changed.send(response, body);
    else response.end(status === 200 ? body : String(status));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = () => new Promise((resolve) => {
    server.closeAllConnections();
    server.close(resolve);
  });
  return { url: `http://127.0.0.1:${server.address().port}${base}`, missed, asked, close };
}

const press = (...words) => execFileSync("cargo", ["press", ...words], { cwd: top, stdio: ["ignore", "ignore", "inherit"] });

/** A page of another origin that frames these addresses. */
const framed = (...addresses) => `<!doctype html><title>Course</title>` +
  addresses.map((address) => `<iframe src="${address}" title="L" width="800" height="560"></iframe>`).join("");

/** Opens lessons at once, each in a frame of one page, and waits until `settled` holds for each. */
async function openAll(page, root, settled, headers = {}) {
  const addresses = some.map((lesson) => `${root}embed/${lesson.slug}/`);
  const parent = await host({ answer: () => ({ body: framed(...addresses), headers: { "content-type": "text/html", ...headers } }) });
  await page.goto(parent.url);
  for (const at of some.keys()) await settled(page.frameLocator("iframe").nth(at), some[at]);
  await parent.close();
}

plain.describe("hosts", () => {
  plain("a strict policy on scripts", async ({ page }) => {
    const policy = { "content-security-policy": "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data:" };
    const place = await host({ answer: () => ({ headers: policy }) });
    const said = [];
    page.on("console", (message) => said.push(message.text()));
    for (const path of ["", ...some.map((lesson) => `l/${lesson.slug}/`)]) {
      await page.goto(place.url + path);
      await ready(page);
    }
    await openAll(page, place.url, ready);
    await page.goto(`${place.url}authors/`);
    await ready(page.frameLocator("iframe"));
    expect(said).toEqual([]);
    await place.close();
  });

  plain.describe("pages without their last slash", () => {
    for (const base of ["/", "/courses/x/"]) {
      for (const kind of ["l", "embed", "authors", "authors/course"]) {
        plain(`${base}${kind}`, async ({ page }) => {
          // Such a host knows folders by their names and never redirects; it would lead back to what it just left.
          const about = kind.startsWith("authors");
          const folder = about ? kind : `${kind}/${first}`;
          const place = await host({ base, answer: (path) => path === folder
            ? { body: readFileSync(join(dist, folder, "index.html")), headers: { "content-type": "text/html" } } : undefined });
          for (const end of ["", "?theme=dark", "/index.html"]) {
            await page.goto(place.url + folder + end);
            if (!about) await ready(page);
            expect(await page.evaluate(() => getComputedStyle(document.body).marginTop), "it is styled").toBe("0px");
            const canonical = kind === "embed" ? `l/${first}/` : `${folder}/`;
            await expect(page.locator("link[rel=canonical]")).toHaveAttribute("href", place.url + canonical);
            if (about) await expect(page.locator(".snippet pre").first(), "its own sheet is there").toHaveCSS("overflow-x", "auto");
          }
          if (kind === "l") {
            await page.getByRole("link", { name: "Loadlab", exact: true }).click();
            await expect(page.getByRole("searchbox")).toBeVisible();
            expect(page.url()).toBe(place.url);
          }
          await place.close();
        });
      }

      plain(`${base}l, a hand-out`, async ({ page }) => {
        const folder = `l/${first}/handout`;
        const place = await host({ base, answer: (path) => path === folder
          ? { body: readFileSync(join(dist, folder, "index.html")), headers: { "content-type": "text/html" } } : undefined });
        for (const end of ["", "/", "/index.html"]) {
          await page.goto(place.url + folder + end);
          await expect(page.locator("body")).toHaveCSS("max-width", "736px");
          const pictures = page.locator("figure img");
          await expect.poll(() => pictures.evaluateAll((all) => all.length > 0 && all.every(({ naturalWidth }) => naturalWidth > 0)), "its pictures are there").toBe(true);
          await page.locator("a[href='#answers']").click();
          await expect(page.locator("#answers")).toBeVisible();
          expect(await page.locator(".tool a").first().evaluate(({ href }) => href)).toBe(`${place.url}l/${first}/`);
        }
        await place.close();
      });

      plain(`${base} in a frame without an origin`, async ({ page }) => {
        const place = await host({ base, answer: (path) => ({
          headers: { "access-control-allow-origin": "*", ...(path === `embed/${first}` && { "content-type": "text/html" }) },
          ...(path === `embed/${first}` && { body: readFileSync(join(dist, path, "index.html")) }) }) });
        const address = `${place.url}embed/${first}`;
        const parent = await host({ answer: () => ({ body: framed(address).replace("<iframe", '<iframe sandbox="allow-scripts"'), headers: { "content-type": "text/html" } }) });
        await page.goto(parent.url);
        const frame = page.frameLocator("iframe");
        await ready(frame);
        await expect(frame.getByRole("link", { name: "Open the full lesson" })).toHaveAttribute("href", new RegExp(`${base}l/${first}/$`));
        await expect(frame.locator("link[rel=canonical]")).toHaveAttribute("href", `${place.url}l/${first}/`);
        await parent.close();
        await place.close();
      });
    }
  });

  plain("a parent that isolates itself (COEP)", async ({ page }) => {
    const lesson = await host({ answer: () => ({ headers: {
      "cross-origin-embedder-policy": "require-corp", "cross-origin-resource-policy": "cross-origin" } }) });
    await openAll(page, lesson.url, ready, {
      "cross-origin-embedder-policy": "require-corp", "cross-origin-opener-policy": "same-origin" });
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
    await lesson.close();
  });

  plain("a wrong type for the program", async ({ page }) => {
    const place = await host({ answer: (path) => path.endsWith(".wasm") && { headers: { "content-type": "text/plain" } } });
    await page.goto(place.url + LESSON);
    await ready(page);
    await openAll(page, place.url, ready);
    await place.close();
  });

  for (const [what, change, says] of [
    ["missing", () => ({ status: 404 }), /missing on the server/],
    ["truncated", (body) => ({ body: body.subarray(0, body.length / 2) }), /arrived incomplete/],
  ]) {
    plain(`a ${what} program`, async ({ page }) => {
      let broken = true;
      const place = await host({ answer: (path) => broken && path.endsWith(".wasm")
        ? change(readFileSync(join(dist, path))) : undefined });
      await page.goto(place.url + LESSON);
      await expect(page.getByRole("alert")).toContainText(says);
      await expect(page.getByRole("heading", { level: 1 })).toHaveText(lessons[0].title);
      await openAll(page, place.url, async (frame, lesson) => {
        await expect(frame.getByRole("alert")).toContainText(says);
        await expect(frame.getByRole("heading", { level: 1 })).toHaveText(lesson.title);
      });
      await page.goto(place.url + LESSON);
      await expect(page.getByRole("alert")).toContainText(says);
      broken = false;
      await page.getByRole("button", { name: "Try again" }).click();
      await ready(page);
      await place.close();
    });
  }

  plain("a browser without WebAssembly", async ({ page, baseURL }) => {
    await page.addInitScript(() => delete globalThis.WebAssembly);
    await page.goto(baseURL + LESSON);
    await expect(page.getByRole("alert")).toContainText("no WebAssembly");
    await openAll(page, baseURL, async (frame) => {
      await expect(frame.getByRole("alert")).toContainText("no WebAssembly");
      await expect(frame.locator("#static article")).toBeVisible();
    });
  });

  plain("a slow network shows progress by bytes", async ({ page }) => {
    // The program comes in three parts, each when the one before has been seen.
    let [part, more] = [0, undefined];
    const send = async (response, body) => {
      const third = Math.ceil(body.length / 3);
      for (part = 1; part <= 3; part++) {
        response.write(body.subarray(third * (part - 1), third * part));
        if (part < 3) await new Promise((resolve) => { more = resolve; });
      }
      response.end();
    };
    const program = readdirSync(dist).find((name) => name.endsWith("_bg.wasm"));
    const place = await host({ answer: (path) => path === program && { send } });
    await page.goto(place.url + LESSON, { waitUntil: "commit" });
    const told = page.locator("#boot .num");
    // The lesson's own code comes at full speed beside it, so the first figure may still change.
    const size = async () => Number(/^([1-9]\d*) of \d+ KB$/.exec(await told.textContent())?.[1] ?? 0);
    const third = statSync(join(dist, program)).size / 3 / 1024;
    await expect.poll(size).toBeGreaterThanOrEqual(Math.floor(third));
    more();
    await expect.poll(size).toBeGreaterThanOrEqual(Math.floor(2 * third));
    expect(part).toBe(2);
    more();
    await ready(page);
    await place.close();
  });
});

for (const base of ["/", "/repo/", "/a/b/c/"]) {
  plain(`nothing is missing and nothing foreign is asked for below ${base}`, async ({ page }) => {
    const place = await host({ base });
    const foreign = [];
    page.on("request", (request) => {
      if (!request.url().startsWith(place.url) && !request.url().startsWith("data:")) foreign.push(request.url());
    });
    // Several lessons at the deepest place, one of each kind at the others.
    const opened = base === "/a/b/c/" ? some : lessons.slice(0, 1);
    for (const path of ["", ...opened.flatMap(({ slug }) => [`l/${slug}/`, `embed/${slug}/`]), "authors/"]) {
      await page.goto(place.url + path);
      await (path === "authors/" ? expect(page.locator("table").first()).toBeVisible() : ready(page));
    }
    await page.goto(place.url);
    await ready(page);
    await page.getByRole("link", { name: lessons[0].title }).first().click();
    await expect(page).toHaveURL(`${place.url}${LESSON}`);
    // What a head names and a browser fetches only for previews and installing must be there too.
    for (const path of [LESSON, `embed/${first}/`, "authors/"]) {
      await page.goto(place.url + path);
      const named = await page.evaluate(() => [...document.querySelectorAll("link[href], meta[property='og:image']")]
        .map((element) => new URL(element.getAttribute("href") ?? element.content, document.baseURI).href));
      expect(named.length).toBeGreaterThan(5);
      for (const address of named) expect((await page.request.get(address)).status(), address).toBe(200);
    }
    expect(place.missed).toEqual([]);
    expect(foreign).toEqual([]);
    await place.close();
  });
}

plain.describe("offline", () => {
  // The worker fetches the whole site first, however long that takes on a loaded machine.
  plain.describe.configure({ timeout: 240_000 });
  const kept = (page) => page.evaluate(async () => {
    const registration = await navigator.serviceWorker.ready;
    return Boolean(registration.active);
  });

  plain("a visited site opens without a network, with a new query too", async ({ page }) => {
    const place = await host();
    await page.goto(place.url + LESSON);
    await ready(page);
    expect(await kept(page)).toBe(true);
    await place.close();
    await page.goto(`${place.url}${LESSON}?seed=7&theme=dark`);
    await ready(page);
    await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
    for (const lesson of some) {
      for (const folder of ["l", "embed"]) {
        await page.goto(`${place.url}${folder}/${lesson.slug}/?at=1&new=${lesson.slug}`);
        await ready(page);
      }
    }
    await page.goto(place.url);
    await ready(page);
  });

  plain("a frame installs no worker", async ({ page }) => {
    // A lesson asks for its worker while it says that it is ready, or never.
    const asked = [];
    await page.exposeFunction("askedFor", (address) => { asked.push(address); });
    await page.addInitScript(() => {
      const { register } = ServiceWorkerContainer.prototype;
      ServiceWorkerContainer.prototype.register = function (...given) {
        window.askedFor(String(given[0]));
        return register.apply(this, given);
      };
    });
    const place = await host();
    const parent = await host({ answer: () => ({ body: framed(`${place.url}embed/${first}/`), headers: { "content-type": "text/html" } }) });
    await page.goto(parent.url);
    await ready(page.frameLocator("iframe"));
    await page.frameLocator("iframe").locator("html").evaluate(() => new Promise(requestAnimationFrame));
    expect(asked).toEqual([]);
    expect(place.asked.filter((path) => path.includes("sw.js"))).toEqual([]);
    // The same lesson as a page of its own does ask.
    await page.goto(place.url + LESSON);
    await ready(page);
    await expect.poll(() => asked).toEqual([expect.stringContaining("sw.js")]);
    await place.close();
    await parent.close();
  });

  plain("two versions are never mixed, and a newer one is announced", async ({ page, context }) => {
    const worker = readFileSync(join(dist, "sw.js"), "utf8");
    const old = /VERSION = "([0-9a-f]+)"/.exec(worker)[1];
    const newer = "f".repeat(16);
    const words = JSON.parse(readFileSync(join(dist, "words/site.en.json"), "utf8"));
    words.words.title = "Newer Loadlab";
    const body = JSON.stringify(words);
    const digest = (await import("node:crypto")).createHash("sha256").update(body).digest("hex").slice(0, 16);
    let updated = false;
    // For a while the host has the new worker and the new pages, but still the old words.
    let half = false;
    const place = await host({ answer: (path) => {
      if (!updated) return undefined;
      if (path === "words/site.en.json" && !half) return { body };
      if (path === "sw.js") {
        const listed = worker.replace(old, newer).replace(/(words\/site\.en\.json\\":\\")[0-9a-f]+/, `$1${digest}`);
        return { body: listed };
      }
      if (path.endsWith(".html")) return { body: readFileSync(join(dist, path), "utf8").replace(old, newer) };
      return undefined;
    } });
    const seen = async (tab) => [await tab.locator("html").getAttribute("data-version"), await tab.locator("a.brand").first().textContent()];
    await page.goto(place.url + LESSON);
    await ready(page);
    expect(await kept(page)).toBe(true);
    await page.reload();
    await ready(page);
    expect(await seen(page)).toEqual([old, "Loadlab"]);

    [updated, half] = [true, true];
    const refused = await page.evaluate(async () => {
      const registration = await navigator.serviceWorker.ready;
      // Whether the update itself fails or its worker does later depends on when the browser notices.
      await registration.update().catch(() => {});
      const worker = registration.installing;
      if (worker && worker.state !== "redundant") await new Promise((resolve) => worker.addEventListener("statechange", resolve, { once: true }));
      return worker?.state ?? "redundant";
    });
    expect(refused).toBe("redundant");
    expect(await page.evaluate(async () => (await caches.keys()).length)).toBe(1);
    expect(await seen(page)).toEqual([old, "Loadlab"]);

    half = false;
    const other = await context.newPage();
    await other.goto(place.url + LESSON);
    await ready(other);
    expect(await seen(other)).toEqual([newer, "Newer Loadlab"]);
    // The open page still gets what belongs to it, and is told.
    const title = await page.evaluate(async (address) => (await (await fetch(address)).json()).words.title, `${place.url}words/site.en.json?v=${old}`);
    expect(title).toBe("Loadlab");
    await page.evaluate(async () => (await navigator.serviceWorker.ready).update());
    await expect(page.locator(".update")).toContainText("newer version");
    await expect(other.locator(".update")).toHaveCount(0);

    await place.close();
    await other.reload();
    await ready(other);
    const offline = await seen(other);
    expect([[old, "Loadlab"], [newer, "Newer Loadlab"]]).toContainEqual(offline);
  });
});

plain.describe("open since before a deploy", () => {
  const NAMES = /[0-9a-f]{16}/g;
  const other = (name) => [...name].reverse().join("");
  const whole = { "access-control-allow-origin": "*" };

  /** A host that once `deployed` is true has another build: the same files under other names, and of the old ones what `instead` says. */
  async function moved(instead) {
    const state = { deployed: false };
    const place = await host({ answer: (path) => {
      const html = path.endsWith(".html") && { "content-type": "text/html" };
      const answer = { headers: { ...whole, ...html } };
      if (!state.deployed) return answer;
      if (html) return { ...answer, body: readFileSync(join(dist, path), "utf8").replaceAll(NAMES, other) };
      if (path.search(NAMES) < 0) return answer;
      try {
        return { ...answer, body: readFileSync(join(dist, path.replaceAll(NAMES, other))) };
      } catch {
        return { ...instead, headers: { ...whole, ...instead.headers } };
      }
    } });
    return Object.assign(state, place);
  }

  const gone = { "whose old files are gone": { status: 404 },
    "whose old files are a page now": { body: "<!doctype html><title>Home</title>", headers: { "content-type": "text/html" } } };
  for (const [what, instead] of Object.entries(gone)) {
    for (const [which, words] of [["a frame", ""], ["a frame without an origin", `sandbox="allow-scripts"`]]) {
      plain(`${which} ${what} says so, and goes on in the new build where its run stood`, async ({ page }) => {
        plain.skip(!readdirSync(dist).some((name) => /_rest\.wasm$/.test(name)), "the program is one file");
        const faults = [];
        page.on("pageerror", (error) => faults.push(error.message));
        const place = await moved(instead);
        const around = await host({ answer: () => ({ headers: { "content-type": "text/html" },
          body: `<!doctype html><title>Course</title><iframe src="${place.url}embed/${first}/" title="L" width="800" height="560" ${words}></iframe>` }) });
        await page.goto(around.url);
        const lesson = page.frameLocator("iframe");
        await ready(lesson);
        const player = new Player(lesson);
        const press = (button) => button.evaluate((button) => button.click());
        // From here on nothing of the old build is to be had. The learner comes back to the tab.
        place.deployed = true;
        await page.locator("iframe").hover();
        const offer = lesson.getByRole("status").filter({ hasText: /missing on the server|version of the site/ });
        await expect(offer.getByRole("button", { name: "Reload the page" })).toBeVisible();
        await press(player.play);
        await expect.poll(() => player.seconds()).toBeGreaterThan(0);
        await press(player.pause);
        const at = await player.seconds();
        await press(player.button("Share"));
        const stopped = lesson.getByRole("alertdialog");
        await expect(stopped).toContainText(/missing on the server|version of the site/);
        place.asked.length = 0;
        await stopped.getByRole("button", { name: "Reload the page" }).click();
        await expect.poll(() => place.asked.some((url) => url.startsWith(`/embed/${first}/`))).toBe(true);
        await ready(lesson);
        await expect.poll(() => player.seconds()).toBeGreaterThanOrEqual(at);
        // All of it is of the new build, and whole.
        await player.button("Share").click();
        await expect(lesson.getByRole("dialog")).toBeVisible();
        const old = readdirSync(dist).filter((name) => name.search(NAMES) >= 0);
        expect(place.asked.filter((url) => old.some((name) => url.includes(name)))).toEqual([]);
        expect(faults).toEqual([]);
        await around.close();
        await place.close();
      });
    }
  }

  // What has no name of its build in its own may be gone all the same, or never come.
  for (const [what, instead] of Object.entries({ "is gone": { status: 404 }, "is a page now": gone["whose old files are a page now"] })) {
    plain.describe(`what is fetched on demand and ${what}`, () => {
      plain.use({ serviceWorkers: "block" });

      plain("is said, and comes when it is there again", async ({ page }) => {
        const faults = [];
        page.on("pageerror", (error) => faults.push(error.message));
        let missing;
        const place = await host({ answer: (path) => missing?.test(path) ? instead : undefined });
        await page.goto(`${place.url}${LESSON}`);
        await ready(page);
        const player = new Player(page);
        missing = /more\.en\.json|code\.json|download\.js|film\.js/;
        await player.button("Embed").click();
        const notice = page.getByRole("alert").filter({ hasText: "could not be fetched" });
        await expect(notice).toBeVisible();
        await expect(page.getByRole("dialog")).toHaveCount(0);
        await notice.getByRole("button", { name: "Close" }).click();
        await player.button("Code").first().click();
        await expect(page.getByText(/The code could not be fetched/)).toBeVisible();
        missing = /download\.js|film\.js/;
        await player.button("Embed").click();
        const dialog = page.getByRole("dialog");
        await expect(dialog.getByRole("heading", { name: "Embed this lesson" })).toBeVisible();
        await expect(dialog.getByText(/download\.js/)).toBeVisible();
        await page.keyboard.press("Escape");
        await player.button("Share").click();
        await dialog.getByRole("button", { name: "Film" }).click();
        await expect(dialog.getByText(/could not be fetched/)).toBeVisible();
        // Nothing of it took the lesson along.
        await page.keyboard.press("Escape");
        await player.playFor(0.1);
        // What reads a page as a script finds no script there; nothing else is wrong.
        expect(faults.filter((fault) => !/^Unexpected token '<'$/.test(fault))).toEqual([]);
        await place.close();
      });
    });
  }
});

test("an embed names the full page and its answer to oEmbed", async ({ page, request }) => {
  await open(page, `embed/${first}/`);
  const link = (rel) => page.locator(`link[rel="${rel}"]`).evaluate((element) => element.href);
  expect(await link("canonical")).toBe(new URL(`/${LESSON}`, page.url()).href);
  const answer = await (await request.get(await link("alternate"))).json();
  expect(answer).toMatchObject({ version: "1.0", type: "rich", width: 600, height: expect.any(Number), title: lessons[0].title });
  expect(answer.html).toContain(`height="${answer.height}"`);
  await expect(page.locator("link[rel=manifest]")).toHaveCount(0);
});

test("the authors' workbench writes snippets, shows the lesson and talks to it", async ({ page, baseURL, problems }) => {
  problems.expect(/seed=-3 is not valid/);
  await page.goto("authors/");
  const frame = page.frameLocator("iframe");
  await ready(frame);
  const log = page.getByRole("list", { name: "Messages" }).getByRole("listitem");
  await expect(log.filter({ hasText: '"type":"ready"' })).toHaveCount(1);
  // What is chosen stands in every snippet and in the lesson.
  const other = lessons[1];
  await page.getByLabel("Lesson", { exact: true }).selectOption(other.slug);
  await page.getByLabel("theme", { exact: true }).selectOption("dark");
  await page.getByLabel("hide", { exact: true }).fill("story");
  await page.getByLabel("seed", { exact: true }).fill("-3");
  await expect(page.locator("#snippet-address")).toHaveText(`${baseURL}embed/${other.slug}/?theme=dark&seed=-3&hide=story`);
  await expect(page.locator("#snippet-iframe")).toContainText(`title="${other.title}: interactive lesson"`);
  await expect(page.locator("#snippet-element")).toContainText(`<loadlab-lesson lesson="${other.slug}" theme="dark" seed="-3" hide="story">`);
  await expect(frame.locator("html[data-theme=dark][data-ready='1']")).toBeAttached({ timeout: 30_000 });
  await expect(frame.getByRole("region", { name: "Story" })).toHaveCount(0);
  await expect(log.filter({ hasText: "seed=-3 is not valid" })).toHaveCount(1);
  // Each command comes with fields that the lesson takes.
  const command = page.getByLabel("Command");
  const names = await command.locator("option").allTextContents();
  for (const [at, name] of names.entries()) {
    await command.selectOption(name);
    await page.getByRole("button", { name: "Send" }).click();
    const answer = log.filter({ hasText: `"type":"ack","id":${at + 1},` });
    if (name !== "setState") await expect(answer, name).toContainText('"ok":true');
  }
  await page.getByLabel("Its fields").fill("{");
  await page.getByRole("button", { name: "Send" }).click();
  await expect(log.filter({ hasText: `"id":${names.length + 1}` })).toHaveCount(0);
  await page.getByRole("button", { name: "Clear" }).click();
  await expect(page.locator("#snippet-address")).toHaveText(`${baseURL}embed/${lessons[0].slug}/`);
  // Reference: every knob of every lesson.
  for (const lesson of lessons) await page.locator("summary", { hasText: lesson.title }).click();
  await expect(page.getByRole("cell", { name: "p.policy", exact: true }).first()).toBeVisible();
});

plain("a single file runs from a folder, without a network", async ({ page, context }) => {
  const file = join(mkdtempSync(join(tmpdir(), "loadlab-")), "a lesson.html");
  press("single", first, file);
  const outside = [];
  context.on("request", (request) => /^(data|file|blob):/.test(request.url()) || outside.push(request.url()));
  const said = [];
  page.on("console", (message) => said.push(message.text()));
  await page.goto(pathToFileURL(file).href);
  await ready(page);
  const player = new Player(page);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(lessons[0].title);
  await player.play.click();
  await expect.poll(async () => Number(await player.time.inputValue())).toBeGreaterThan(0.1);
  expect(outside).toEqual([]);
  expect(said).toEqual([]);
});

plain.describe("in a learning management system", () => {
  const script = createRequire(import.meta.url).resolve("scorm-again");
  const library = readFileSync(join(script, "../../dist/scorm-again.min.js"));
  let folders;
  plain.beforeAll(() => {
    const folder = mkdtempSync(join(tmpdir(), "loadlab-scorm-"));
    folders = Object.fromEntries(["1.2", "2004"].map((version) => [version, `${folder}/${version}/`]));
    for (const [version, out] of Object.entries(folders)) press("scorm", first, out, "--version", version);
  });

  /** A system that keeps what it is told in its page's `kept`. */
  const system = (version) => `<!doctype html><title>LMS</title><script src="/scorm-again.js"></script><script>
    const key = "kept";
    const kept = JSON.parse(sessionStorage.getItem(key) ?? "null");
    const api = window.${version === "1.2" ? "API = new Scorm12API" : "API_1484_11 = new Scorm2004API"}({ autocommit: false, logLevel: 5 });
    // How long each text was that a lesson asked to keep.
    window.asked = [];
    const put = api.${version === "1.2" ? "LMSSetValue" : "SetValue"};
    api.${version === "1.2" ? "LMSSetValue" : "SetValue"} = (name, text) => {
      if (name === "cmi.suspend_data") asked.push(text.length);
      return put.call(api, name, text);
    };
    if (kept) api.loadFromJSON(kept.cmi ?? kept, "cmi");
    const keep = (over) => {
      const told = api.renderCMIToJSONObject();
      // At the end of a sitting a system adds its time to the total.
      const times = ${version === "1.2" ? "told.cmi.core" : "told.cmi"};
      if (over) times.total_time = api.cmi.getCurrentTotalTime();
      sessionStorage.setItem(key, JSON.stringify(told));
    };
    api.on("${version === "1.2" ? "LMSCommit" : "Commit"}", () => keep(false));
    api.on("${version === "1.2" ? "LMSFinish" : "Terminate"}", () => keep(true));
  </script><iframe title="SCO" src="/index.html" width="1000" height="760"></iframe>`;

  const run = (version, lms = system(version)) => host({ folder: folders[version], answer: (path) => {
    if (path === "lms.html") return { body: lms };
    if (path === "scorm-again.js") return { body: library };
    return undefined;
  } });

  /** The lesson in the package that a system shows, and what the system knows. */
  async function launched(page, url) {
    await page.goto(`${url}lms.html`);
    const lesson = page.frameLocator("iframe").frameLocator("iframe");
    await ready(lesson);
    const value = (name) => page.evaluate((name) => {
      const api = window.API ?? window.API_1484_11;
      return String((api.LMSGetValue ?? api.GetValue).call(api, name));
    }, name);
    // What SCORM 1.2 only lets lessons write, the system knows all the same.
    const told = (list) => page.evaluate((list) => {
      const { childArray, ...rest } = JSON.parse(JSON.stringify((window.API ?? window.API_1484_11).cmi[list]));
      return childArray ?? Object.values(rest);
    }, list);
    return { lesson, value, told, player: new Player(lesson) };
  }

  /** The parts of a duration of either standard, in seconds. */
  const span = (text) => {
    const [, hours, minutes, seconds] = /^PT(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?$/.exec(text) ?? /^(\d+):(\d+):([\d.]+)$/.exec(text) ?? [];
    return Number(hours ?? 0) * 3600 + Number(minutes ?? 0) * 60 + Number(seconds ?? 0);
  };

  for (const version of ["1.2", "2004"]) {
    const modern = version === "2004";
    const name = modern
      ? { status: "cmi.completion_status", place: "cmi.location", score: "cmi.score", total: "cmi.total_time", wrong: "incorrect", done: "completion_status", response: "learner_response" }
      : { status: "cmi.core.lesson_status", place: "cmi.core.lesson_location", score: "cmi.core.score", total: "cmi.core.total_time", wrong: "wrong", done: "status", response: "student_response" };

    plain(`SCORM ${version} reports, keeps and resumes`, async ({ page }) => {
      const place = await run(version);
      let { value, told, player } = await launched(page, place.url);
      await expect.poll(() => value(name.status)).toBe("incomplete");
      const count = await player.steps();
      const guesses = [];
      const forward = async (from, to) => {
        for (let beat = from; beat <= to; beat++) {
          await player.jump();
          if (await player.asks()) {
            await player.answer();
            guesses.push(beat);
          }
        }
      };
      // As far as the first guess is settled, then away.
      const half = Math.ceil(count / 2);
      await forward(2, half);
      expect(guesses.length).toBeGreaterThan(0);
      await expect.poll(() => value(name.place)).toBe(String(half));
      await expect.poll(() => value("cmi.interactions._count")).toBe("1");
      expect((await told("interactions"))[0]).toMatchObject({ id: `guess-${guesses[0]}`, type: "choice", [name.response]: "c",
        result: expect.stringMatching(`^(correct|${name.wrong})$`) });
      if (modern) expect(Number(await value("cmi.progress_measure"))).toBeCloseTo(half / count, 2);
      await expect.poll(async () => Boolean(JSON.parse(await value("cmi.suspend_data")).state)).toBe(true);
      expect((await value("cmi.suspend_data")).length).toBeLessThanOrEqual(4096);

      // A learner who comes back stands where they left; what was told is kept, and time adds up.
      ({ value, told, player } = await launched(page, place.url));
      await player.atStep(half);
      await expect.poll(() => value("cmi.interactions._count")).toBe("1");
      expect(await value(name.status)).toBe("incomplete");
      // The system adds a sitting up when it ends.
      await expect.poll(async () => span(await value(name.total))).toBeGreaterThan(0);
      const earlier = span(await value(name.total));

      await forward(half + 1, count);
      await expect.poll(() => value(name.status)).toBe("completed");
      const results = (await told("interactions")).map(({ result }) => result);
      expect(results.length).toBe(guesses.length);
      const right = results.filter((result) => result === "correct").length;
      const raw = Number(await value(`${name.score}.raw`));
      const kept = JSON.parse(await value("cmi.suspend_data"));
      expect(raw).toBe(Math.round((100 * right) / kept.questions));
      expect([await value(`${name.score}.min`), await value(`${name.score}.max`)]).toEqual(["0", "100"]);
      if (modern) {
        expect(Number(await value("cmi.score.scaled"))).toBeCloseTo(raw / 100, 2);
        expect(Number(await value("cmi.progress_measure"))).toBe(1);
      }
      expect((await value("cmi.suspend_data")).length).toBeLessThanOrEqual(4096);
      ({ value, player } = await launched(page, place.url));
      await player.atStep(count);
      expect(await value(name.status)).toBe("completed");
      expect(span(await value(name.total))).toBeGreaterThan(earlier);
      await place.close();
    });

    plain(`SCORM ${version} hears of challenges, and a long run is kept short`, async ({ page }) => {
      const place = await run(version);
      const { lesson, value, player } = await launched(page, place.url);
      const drag = (label, to) => player.knob(label).evaluate((input, to) => {
        input.value = String(to);
        input.dispatchEvent(new Event("input", { bubbles: true }));
      }, to);
      if (await player.button("Settings").isVisible()) await player.button("Settings").click();
      await lesson.getByRole("radio", { name: "Least conn." }).check({ force: true });
      await drag("Servers", 8);
      await drag("Load", 110);
      await lesson.getByRole("radio", { name: "4×" }).check({ force: true });
      await player.play.click();
      await expect.poll(() => value("cmi.objectives._count"), { timeout: 30_000 }).not.toBe("0");
      expect(await value("cmi.objectives.0.id")).toMatch(/^challenge-/);
      await expect.poll(() => value(`cmi.objectives.0.${name.done}`)).toBe("completed");
      // So much is done that no address could hold it.
      await player.pause.click();
      await player.knob("Load").evaluate((input) => {
        for (let load = 0; load < 300; load++) {
          input.value = String(20 + (load % 100));
          input.dispatchEvent(new Event("input", { bubbles: true }));
        }
      });
      // The run is asked for when the lesson has been quiet for a while, and kept or left out then, with the step.
      await player.jump();
      await expect.poll(() => value(name.place)).toBe("2");
      expect(Math.max(...(await page.evaluate(() => window.asked)))).toBeLessThanOrEqual(4096);
      expect(JSON.parse(await value("cmi.suspend_data")).done).toHaveLength(1);
      await place.close();
    });

    plain(`SCORM ${version}: what is pressed while the system keeps the page waiting counts once it answers`, async ({ page }) => {
      // The system's server answers a commit when the test lets it.
      let waiting;
      const held = new Promise((resolve) => { waiting = resolve; });
      let whole = true;
      const lms = `<!doctype html><title>LMS</title><script>
        const commit = () => {
          const asked = new XMLHttpRequest();
          asked.open("GET", "/held.txt", false);
          asked.send();
          return asked.responseText;
        };
        const [yes, nothing] = [() => "true", () => ""];
        window.API = { LMSInitialize: yes, LMSGetValue: nothing, LMSSetValue: yes, LMSCommit: commit, LMSFinish: yes };
        window.API_1484_11 = { Initialize: yes, GetValue: nothing, SetValue: yes, Commit: commit, Terminate: yes };
      </script><iframe title="SCO" src="/index.html" width="1000" height="760"></iframe>`;
      const place = await host({ folder: folders[version], answer: (path) => {
        if (path === "lms.html") return { body: lms };
        if (path !== "held.txt") return undefined;
        return { body: "true", send: (response, body) => (whole ? response.end(body) : waiting(() => response.end(body))) };
      } });
      await page.goto(`${place.url}lms.html`);
      const lesson = page.frameLocator("iframe").frameLocator("iframe");
      await ready(lesson);
      const player = new Player(lesson);
      // Keys go where a learner pressed last.
      await lesson.locator(".clock").click();
      whole = false;
      const stepped = player.next.evaluate((next) => [next.click(), next.click()].length);
      const release = await held;
      // The page stands still: this press waits with it.
      const pressed = page.keyboard.press("4");
      whole = true;
      release();
      await Promise.all([stepped, pressed]);
      await player.atStep(4);
      await place.close();
    });

    // A system that breaks at one call must not break the lesson, whichever call it is.
    const calls = modern ? ["Initialize", "GetValue", "SetValue", "Commit", "Terminate"] : ["LMSInitialize", "LMSGetValue", "LMSSetValue", "LMSCommit", "LMSFinish"];
    plain(`SCORM ${version} survives an interface that throws at any call`, async ({ page }) => {
      const frames = await Promise.all(calls.map((broken) => run(version, `<!doctype html><title>LMS</title><script>
        window.called = [];
        const call = (name, answer) => () => { called.push(name); if (name === "${broken}") throw new Error("no " + name); return answer; };
        window.${modern ? "API_1484_11" : "API"} = { ${calls.map((name) => `${name}: call("${name}", ${/GetValue/.test(name) ? '""' : '"true"'})`).join(", ")} };
      </script><iframe title="SCO" src="/index.html" width="1000" height="760"></iframe>`)));
      for (const [at, place] of frames.entries()) {
        await page.goto(`${place.url}lms.html`);
        const lesson = page.frameLocator("iframe").frameLocator("iframe");
        await ready(lesson);
        const player = new Player(lesson);
        await player.play.click();
        await expect.poll(async () => Number(await player.time.inputValue())).toBeGreaterThan(0);
        // Leaving is a call of its own.
        await page.evaluate(() => { document.querySelector("iframe").src = "about:blank"; });
        await expect.poll(() => page.evaluate(() => window.called)).toContain(calls[at]);
        await place.close();
      }
    });
  }

  plain.describe("keeps a session's rules", () => {
    /** A lesson that tells what a test has it tell, and gives its run when it is asked. */
    const stub = `<!doctype html><title>Lesson</title><script>
      let port, runs = 0;
      window.tell = (message) => port.postMessage({ ns: "loadlab", v: 1, ...message });
      addEventListener("message", ({ data, ports }) => {
        if (data?.type !== "connect") return;
        port = ports[0];
        port.onmessage = ({ data }) => data.type === "getState" && tell({ type: "ack", id: data.id, ok: true, state: "run-" + ++runs });
        tell({ type: "ready" });
        document.documentElement.dataset.ready = "1";
      });
      parent.postMessage({ ns: "loadlab", v: 1, type: "hello" }, "*");
    </script>`;
    /** An interface that notes each call; it knows `values`, and its commits fail while it refuses. */
    const fake = (versions, values = {}, refuses = false) => `<!doctype html><title>LMS</title><script>
      window.log = [];
      window.values = ${JSON.stringify(values)};
      window.refuses = ${refuses};
      const acts = {
        Initialize: () => "true", GetLastError: () => "0", Terminate: () => "true",
        GetValue: (name) => String(values[name] ?? ""),
        SetValue: (name, value) => { values[name] = value; return "true"; },
        Commit: () => String(!window.refuses),
      };
      for (const version of ${JSON.stringify(versions)}) {
        const old = version === "1.2";
        const api = window[old ? "API" : "API_1484_11"] = {};
        for (const [name, act] of Object.entries(acts))
          api[old ? "LMS" + (name === "Terminate" ? "Finish" : name) : name] = (...given) => { log.push([version, name, ...given]); return act(...given); };
      }
    </script><iframe title="SCO" src="/index.html" width="1000" height="760"></iframe>`;
    /** The package in a system, with a stub for its lesson. */
    async function launch(page, version, lms, folder = folders[version]) {
      const place = await host({ folder, answer: (path) => {
        if (path === "lms.html") return { body: lms };
        return path === `embed/${first}/index.html` ? { body: stub } : undefined;
      } });
      await page.goto(`${place.url}lms.html`);
      const sco = page.frameLocator("iframe");
      const lesson = sco.frameLocator("iframe").locator("html");
      await expect(lesson).toHaveAttribute("data-ready", "1");
      const log = () => page.evaluate(() => window.log);
      return {
        place, sco, log,
        tell: (message) => lesson.evaluate((_, message) => window.tell(message), message),
        value: (name) => page.evaluate((name) => window.values[name], name),
        calls: async (name) => (await log()).filter((call) => call[1] === name),
        // Told and answered: what came before it has been heard too.
        heard: async (tell, beat) => {
          await tell({ type: "step", beat, count: 10 });
          await expect.poll(async () => (await log()).some(([, name, key, value]) => name === "SetValue" && /location$/.test(key) && value === String(beat))).toBe(true);
        },
      };
    }

    for (const version of ["1.2", "2004"]) {
      const modern = version === "2004";
      const key = modern
        ? { status: "cmi.completion_status", exit: "cmi.exit", time: "cmi.session_time", mode: "cmi.mode", credit: "cmi.credit", raw: "cmi.score.raw" }
        : { status: "cmi.core.lesson_status", exit: "cmi.core.exit", time: "cmi.core.session_time", mode: "cmi.core.lesson_mode", credit: "cmi.core.credit", raw: "cmi.core.score.raw" };

      plain(`SCORM ${version}: a download does not end it, leaving does, and each save says how it would end`, async ({ page }) => {
        const { place, sco, tell, value, calls, heard } = await launch(page, version, fake([version]));
        await heard(tell, 2);
        expect(await value(key.exit)).toBe("suspend");
        expect(await value(key.time)).toMatch(modern ? /^PT\d+H\d+M[\d.]+S$/ : /^\d{4}:\d\d:\d\d\.\d\d$/);
        await sco.locator("body").evaluate(() => { window.dispatchEvent(new Event("beforeunload", { cancelable: true })); });
        await heard(tell, 3);
        expect(await calls("Terminate")).toEqual([]);
        await page.evaluate(() => { document.querySelector("iframe").src = "about:blank"; });
        await expect.poll(async () => (await calls("Terminate")).length).toBe(1);
        await place.close();
      });

      plain(`SCORM ${version}: of two interfaces its own is spoken to`, async ({ page }) => {
        const { place, tell, log, heard } = await launch(page, version, fake(["1.2", "2004"]));
        await heard(tell, 2);
        expect(new Set((await log()).map(([spoken]) => spoken))).toEqual(new Set([version]));
        await place.close();
      });

      plain(`SCORM ${version}: an interface without its methods is passed over`, async ({ page }) => {
        const other = modern ? "1.2" : "2004";
        const half = `<script>window.${modern ? "API_1484_11" : "API"} = { version: "1" };</script>`;
        const { place, tell, log, heard } = await launch(page, version, fake([other]) + half);
        await heard(tell, 2);
        expect((await log())[0][0]).toBe(other);
        await place.close();
      });

      plain(`SCORM ${version}: an interface that ends otherwise, under both names, is spoken to in the words that it knows`, async ({ page }) => {
        // As Wagtail LMS 0.11 has it: the methods of 1.2 but LMSFinish, under the name of 2004 too.
        const lms = `<!doctype html><title>LMS</title><script>
          window.log = [];
          window.values = {};
          const note = (name, act) => (...given) => { log.push(["1.2", name, ...given]); return act(...given); };
          window.API = window.API_1484_11 = {
            LMSInitialize: note("Initialize", () => "true"), LMSTerminate: note("Terminate", () => "true"), LMSCommit: note("Commit", () => "true"),
            LMSGetValue: note("GetValue", (name) => values[name] ?? ""), LMSSetValue: note("SetValue", (name, value) => { values[name] = value; return "true"; }),
            LMSGetLastError: () => "0",
          };
        </script><iframe title="SCO" src="/index.html" width="1000" height="760"></iframe>`;
        const { place, tell, value, calls, heard } = await launch(page, version, lms);
        await heard(tell, 2);
        expect(await value("cmi.core.lesson_status")).toBe("incomplete");
        await page.evaluate(() => { document.querySelector("iframe").src = "about:blank"; });
        await expect.poll(async () => (await calls("Terminate")).length).toBe(1);
        await place.close();
      });

      plain(`SCORM ${version}: an interface that cannot end is written to all the same`, async ({ page }) => {
        const { place, tell, value, heard } = await launch(page, version, `${fake([version])}<script>delete window.${modern ? "API_1484_11.Terminate" : "API.LMSFinish"};</script>`);
        await heard(tell, 2);
        expect(await value(key.status)).toBe("incomplete");
        await page.evaluate(() => { document.querySelector("iframe").src = "about:blank"; });
        await expect.poll(async () => JSON.parse(await value("cmi.suspend_data")).beat).toBe(2);
        await place.close();
      });

      for (const [what, values] of [["a review", { [key.mode]: "review" }], ["browsing", { [key.mode]: "browse" }], ["a visit without credit", { [key.credit]: "no-credit" }]]) {
        plain(`SCORM ${version}: ${what} opens where the record stands and writes nothing`, async ({ page }) => {
          const kept = { "cmi.suspend_data": JSON.stringify({ v: 1, beat: 4, guesses: {}, done: [], over: true }) };
          const { place, sco, tell, calls } = await launch(page, version, fake([version], { ...values, ...kept }));
          await expect(sco.locator("iframe")).toHaveAttribute("src", /[?&]beat=4(&|$)/);
          await expect(sco.getByRole("status")).toHaveText("This visit is not recorded.");
          await tell({ type: "step", beat: 5, count: 10 });
          await tell({ type: "complete", questions: 0 });
          await page.evaluate(() => { document.querySelector("iframe").src = "about:blank"; });
          await expect.poll(async () => (await calls("Terminate")).length).toBe(1);
          expect([await calls("SetValue"), await calls("Commit")]).toEqual([[], []]);
          await place.close();
        });
      }

      plain(`SCORM ${version}: what was reached never falls`, async ({ page }) => {
        const guesses = { 2: [0, 1], 3: [1, 1] };
        const kept = { v: 1, beat: 1, guesses, done: [], over: true, questions: 4, progress: 1, best: 0.75 };
        // The system forgot the status, as some do on a new attempt.
        const { place, tell, value, calls, heard } = await launch(page, version, fake([version], { "cmi.suspend_data": JSON.stringify(kept) }));
        await heard(tell, 2);
        expect((await calls("SetValue")).filter(([, , name, text]) => name === key.status && text === "incomplete")).toEqual([]);
        if (modern) expect(await value("cmi.progress_measure")).toBe("1");
        await tell({ type: "complete", questions: 4 });
        await expect.poll(() => value(key.status)).toBe("completed");
        // Two of four are right this time; three were before.
        expect(await value(key.raw)).toBe("75");
        await place.close();
      });

      plain(`SCORM ${version}: a commit that fails is said and tried again`, async ({ page }) => {
        await page.clock.install();
        const { place, sco, tell, value, calls, heard } = await launch(page, version, fake([version], {}, true));
        const unsaved = sco.getByText("Your progress could not be saved.");
        await heard(tell, 2);
        await expect(unsaved).toBeVisible();
        // Nothing more happens in the lesson: it is the clock that tries again.
        const before = (await calls("Commit")).length;
        await page.clock.runFor(120_000);
        await expect.poll(async () => (await calls("Commit")).length).toBeGreaterThan(before);
        await expect(unsaved).toBeVisible();
        await page.evaluate(() => { window.refuses = false; });
        await page.clock.runFor(120_000);
        await expect(unsaved).toHaveCount(0);
        expect(JSON.parse(await value("cmi.suspend_data"))).toMatchObject({ beat: 2, state: expect.stringMatching(/^run-/) });
        await place.close();
      });

      plain(`SCORM ${version}: a slow system is told a call at a time, and all of it when the learner leaves`, async ({ page }) => {
        await page.clock.install({ time: 0 });
        await page.clock.pauseAt(1_000);
        // By the package's clock each call takes two seconds; nobody waits for them.
        await page.addInitScript(() => {
          const now = performance.now.bind(performance);
          performance.now = () => now() + (top.lasted ?? 0);
        });
        const lms = `${fake([version])}<script>
          window.lasted = 0;
          for (const api of [window.API, window.API_1484_11].filter(Boolean)) for (const [name, act] of Object.entries(api))
            api[name] = (...given) => { lasted += 2_000; return act(...given); };
        </script>`;
        const { place, sco, log, tell, value, calls } = await launch(page, version, lms);
        await expect(sco.getByText("Your course's system is slow.")).toBeVisible();
        // Before the lesson was there nothing was asked but where it opens; of what came then, one thing is written.
        expect((await log()).slice(0, 2).map(([, name, key]) => [name, key])).toEqual([["Initialize", ""], ["GetValue", "cmi.suspend_data"]]);
        await expect.poll(async () => (await calls("SetValue")).length).toBe(1);
        await tell({ type: "step", beat: 2, count: 10 });
        await tell({ type: "predict", beat: 2, choice: 0, correct: true, truth: 0 });
        // The count is asked for when the guess was heard; what it has to say waits.
        await expect.poll(async () => (await calls("GetValue")).filter(([, , name]) => name === "cmi.interactions._count").length).toBe(1);
        expect((await calls("SetValue")).length).toBe(1);
        await page.clock.runFor(20_000);
        await expect.poll(async () => (await calls("SetValue")).length).toBe(2);
        // However much comes meanwhile, everything has its turn, the commit too.
        let beat = 2;
        await expect.poll(async () => {
          await tell({ type: "step", beat: ++beat % 10, count: 10 });
          await page.clock.runFor(20_000);
          return [(await calls("Commit")).length > 0, await value("cmi.interactions.0.result")];
        }, { timeout: 30_000, intervals: [50] }).toEqual([true, "correct"]);
        // In a minute of the lesson's time there are at most four calls.
        const before = (await calls("SetValue")).length + (await calls("Commit")).length;
        await page.clock.runFor(60_000);
        expect((await calls("SetValue")).length + (await calls("Commit")).length - before).toBeLessThanOrEqual(4);
        await tell({ type: "step", beat: 9, count: 10 });
        await tell({ type: "predict", beat: 9, choice: 1, correct: false, truth: 0 });
        await tell({ type: "challenge", id: "first" });
        await expect.poll(async () => (await calls("GetValue")).at(-1)[2]).toBe("cmi.objectives._count");
        await page.evaluate(() => { document.querySelector("iframe").src = "about:blank"; });
        await expect.poll(async () => (await calls("Terminate")).length).toBe(1);
        expect(JSON.parse(await value("cmi.suspend_data"))).toMatchObject({ beat: 9, guesses: { 2: [0, 1], 9: [1, 0] } });
        expect(await value("cmi.interactions.1.result")).toBe(modern ? "incorrect" : "wrong");
        expect(await value("cmi.objectives.0.id")).toBe("challenge-first");
        expect((await log()).slice(-2).map(([, name]) => name)).toEqual(["Commit", "Terminate"]);
        await place.close();
      });

      plain(`SCORM ${version}: a system without room keeps what fits, and what is lost is said`, async ({ page }) => {
        await page.clock.install();
        // Shorter than a run with its guesses, longer than the step.
        const lms = `${fake([version])}<script>
          window.room = 90;
          window.shut = [];
          for (const [, api] of Object.entries({ API: window.API, API_1484_11: window.API_1484_11 }).filter(([, api]) => api)) {
            const name = "SetValue" in api ? "SetValue" : "LMSSetValue";
            const put = api[name];
            api[name] = (key, text) => (key === "cmi.suspend_data" && text.length > room) || shut.includes(key) ? "false" : put(key, text);
          }
        </script>`;
        const { place, sco, tell, value } = await launch(page, version, lms);
        const said = sco.getByRole("status");
        await tell({ type: "challenge", id: "a-name-that-is-far-too-long-to-have-room" });
        await tell({ type: "step", beat: 3, count: 10 });
        await expect.poll(async () => JSON.parse((await value("cmi.suspend_data")) ?? "{}").beat).toBe(3);
        await expect(said).toHaveText(/no room for your whole run/);
        // Without room for anything, and with it again.
        await page.evaluate(() => { window.room = 0; });
        await tell({ type: "step", beat: 4, count: 10 });
        await expect(said).toHaveText(/could not be saved/);
        await page.evaluate(() => { window.room = 4_000; });
        await page.clock.runFor(120_000);
        await expect(said).toBeHidden();
        expect(JSON.parse(await value("cmi.suspend_data"))).toMatchObject({ beat: 4, state: expect.stringMatching(/^run-/) });
        // A status that is turned down is no small thing either.
        await page.evaluate((name) => { window.shut = [name]; }, key.status);
        await tell({ type: "complete", questions: 0 });
        await expect(said).toHaveText(/could not be saved/);
        expect(await value(key.status)).toBe("incomplete");
        await page.evaluate(() => { window.shut = []; });
        await page.clock.runFor(120_000);
        await expect(said).toBeHidden();
        expect(await value(key.status)).toBe("completed");
        await place.close();
      });

      const kept = [{ v: 1 }, { v: 2, beat: 3 }, { v: 1, beat: "x", guesses: 7, done: {}, over: "no", progress: "a lot", best: {}, questions: -3, state: 5 },
        { v: 1, beat: -2, guesses: [null, "a", [0, 1]], done: "abc", progress: 9e9, best: -1, questions: "NaN", state: {} },
        { v: 1, beat: 1e300, guesses: { 2: "b", 3: null }, done: null, progress: null }];
      // As scripts that make the answer.
      const garbage = {
        "nothing": ["undefined", "null", "NaN", "[]"],
        "things that are no texts": ["7", "{}", "Symbol('s')", "{ toString() { throw new Error('no'); } }"],
        "texts of others": ["'<!doctype html><title>Sign in</title>'", "'['", "'-1'", "'x'.repeat(1e6)"],
        "records of others": kept.map((record) => JSON.stringify(JSON.stringify(record))),
      };
      for (const [what, answers] of Object.entries(garbage)) plain(`SCORM ${version}: where a system answers with ${what}, the lesson opens and its record makes sense`, async ({ page }) => {
        const faults = [];
        page.on("pageerror", (error) => faults.push(error.message));
        for (const answer of answers) {
          const lms = `${fake([version])}<script>
            for (const api of [window.API, window.API_1484_11].filter(Boolean)) for (const name of Object.keys(api).filter((name) => /GetValue|Error/.test(name))) {
              const note = api[name];
              api[name] = (...given) => { note(...given); return (${answer}); };
            }
          </script>`;
          const { place, sco, tell, value, calls, heard } = await launch(page, version, lms);
          await expect(sco.locator("iframe"), answer).toHaveAttribute("src", /^embed\/[^?]+\?(?!.*(beat|state)=(-|NaN|undefined|\[|x)).*$/);
          await tell({ type: "predict", beat: 2, choice: 0, correct: true, truth: 0 });
          await heard(tell, 5);
          await tell({ type: "complete", questions: 1 });
          await expect.poll(() => value(key.status), answer).toBe("completed");
          const raw = Number(await value(key.raw));
          expect(raw >= 0 && raw <= 100, `${answer}: ${raw}`).toBe(true);
          expect((await calls("SetValue")).filter(([, , , text]) => /undefined|NaN|\[object/.test(text)), answer).toEqual([]);
          await page.evaluate(() => { document.querySelector("iframe").src = "about:blank"; });
          await expect.poll(async () => (await calls("Terminate")).length).toBe(1);
          await place.close();
        }
        expect(faults).toEqual([]);
      });

      plain(`SCORM ${version}: where nobody counts, each guess has a place of its own, with question, answers and result`, async ({ page }) => {
        const { place, tell, value, heard } = await launch(page, version, fake([version]));
        await tell({ type: "predict", beat: 2, choice: 0, correct: false, truth: 1 });
        await tell({ type: "predict", beat: 4, choice: 2, correct: true, truth: 2 });
        await tell({ type: "predict", beat: 4, choice: 0, correct: false, truth: 2 });
        await heard(tell, 5);
        const of = async (at, names) => Promise.all(names.map((name) => value(`cmi.interactions.${at}.${name}`)));
        const names = ["id", "type", modern ? "learner_response" : "student_response", "correct_responses.0.pattern", "result"];
        expect(await of(0, names)).toEqual(["guess-2", "choice", "a", "b", modern ? "incorrect" : "wrong"]);
        expect(await of(1, names)).toEqual(["guess-4", "choice", "c", "c", "correct"]);
        expect(await value("cmi.interactions.2.id")).toBeUndefined();
        expect(await value("cmi.interactions.0.latency")).toMatch(modern ? /^PT/ : /^\d{4}:/);
        expect(await value(`cmi.interactions.0.${modern ? "timestamp" : "time"}`)).toMatch(modern ? /^\d{4}-\d\d-\d\dT[\d:]+Z$/ : /^\d\d:\d\d:\d\d$/);
        await place.close();
      });

      plain(`SCORM ${version}: a pass mark tells passed from failed`, async ({ page }) => {
        const folder = `${mkdtempSync(join(tmpdir(), "loadlab-pass-"))}/`;
        press("scorm", first, folder, "--version", version, "--pass", "60");
        const success = modern ? "cmi.success_status" : key.status;
        const guesses = (right) => ({ 2: [0, 1], 3: [1, right] });
        const kept = (right) => ({ "cmi.suspend_data": JSON.stringify({ v: 1, beat: 1, guesses: guesses(right), done: [], over: false }) });
        for (const [right, is] of [[1, "passed"], [0, "failed"]]) {
          const { place, tell, value } = await launch(page, version, fake([version], kept(right)), folder);
          await tell({ type: "complete", questions: 2 });
          await expect.poll(() => value(success)).toBe(is);
          await place.close();
        }
      });
    }
  });

  for (const [what, lms] of [
    ["no interface", `<!doctype html><title>LMS</title><iframe title="SCO" src="/index.html"></iframe>`],
    ["an interface whose methods cannot be read", `<!doctype html><title>LMS</title><script>window.API = { get LMSInitialize() { throw new Error("no"); } }</script><iframe title="SCO" src="/index.html"></iframe>`],
  ]) {
    plain(`survives ${what}`, async ({ page }) => {
      const place = await run("1.2", lms);
      await page.goto(`${place.url}lms.html`);
      await ready(page.frameLocator("iframe").frameLocator("iframe"));
      await place.close();
    });
  }

  plain("survives an interface of another origin", async ({ page }) => {
    const place = await run("1.2");
    const parent = await host({ answer: () => ({ headers: { "content-type": "text/html" },
      body: `<script>window.API = { LMSInitialize: () => "true" }</script>${framed(`${place.url}index.html`)}` }) });
    await page.goto(parent.url);
    await ready(page.frameLocator("iframe").frameLocator("iframe"));
    await place.close();
    await parent.close();
  });

  plain("lists every file of the package", () => {
    for (const folder of Object.values(folders)) {
      const manifest = readFileSync(join(folder, "imsmanifest.xml"), "utf8");
      const listed = [...manifest.matchAll(/<file href="([^"]+)"/g)].map((match) => match[1]);
      expect(files(folder).filter((path) => path !== "imsmanifest.xml").sort()).toEqual(listed.sort());
    }
  });
});
