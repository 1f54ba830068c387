// node tests/browser/clients.mjs [id …]: tries the recipes of src/press/course.json in the systems themselves, as far as those can be
// installed from a package registry: makes a small site with each, opens it, and waits until the lesson in it runs. It installs
// into a folder of its own, so it is no part of `make test`; the table's `tried` says what it last ran with.
import { execFileSync, spawn } from "node:child_process";
import { cpSync, createReadStream, existsSync, mkdirSync, mkdtempSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium as browserType } from "@playwright/test";
import { chromium } from "./chromium.mjs";
import { lessons, ready } from "./kit.mjs";

const top = fileURLToPath(new URL("../..", import.meta.url));
const recipes = JSON.parse(readFileSync(join(top, "src/press/course.json"), "utf8"));
const work = process.env.CLIENTS ?? mkdtempSync(join(tmpdir(), "loadlab-clients-"));
const [{ slug, title: name }] = lessons;
const title = `${name}: interactive lesson`;
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm", ".css": "text/css",
  ".json": "application/json", ".svg": "image/svg+xml", ".woff2": "font/woff2" };

/** A plain static host of a folder. */
async function host(folder) {
  const server = createServer((request, response) => {
    const path = join(folder, decodeURIComponent(new URL(request.url, "http://host").pathname).replace(/\/$/, "/index.html"));
    const found = existsSync(path) && statSync(path).isFile();
    response.writeHead(found ? 200 : 404, { "content-type": TYPES[extname(path)] ?? "application/octet-stream", "access-control-allow-origin": "*" });
    if (found) createReadStream(path).pipe(response);
    else response.end();
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${server.address().port}/`;
}

const root = await host(join(top, "dist"));
const address = `${root}embed/${slug}/`;
const frame = `<iframe src="${address}" title="${title}"\n width="800" height="560" style="border:0;width:100%;max-width:960px" loading="lazy"\n ` +
  `allow="fullscreen; clipboard-write"></iframe>`;
/** The code of a recipe, as src/press/course.rs fills it. */
const code = (id) => recipes.find((recipe) => recipe.id === id).code.split("\n").map((line) => {
  const indent = /^ */.exec(line)[0];
  return line.replace("IFRAME", frame.replaceAll("\n", `\n${indent}`)).replaceAll("ADDRESS", address).replaceAll("ROOT", root)
    .replaceAll("SLUG", slug).replaceAll("TITLE", title);
}).join("\n");

const run = (folder, command, ...words) => execFileSync(command, words, { cwd: folder, stdio: ["ignore", "pipe", "inherit"] }).toString();
const put = (folder, files) => {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
};
/** Python packages in an environment of their own; returns where its commands are. */
const python = (...names) => {
  const folder = join(work, "python");
  if (!existsSync(folder)) run(work, "python3", "-m", "venv", folder);
  run(work, join(folder, "bin/pip"), "install", "--quiet", ...names);
  return (command) => join(folder, "bin", command);
};
const npm = (folder, ...names) => {
  put(folder, { "package.json": '{"private":true,"type":"module"}' });
  run(folder, "npm", "install", "--silent", "--no-audit", "--no-fund", ...names);
};
/** Starts a server that says its address, or answers at it; returns what the page waits for. */
const serve = (folder, url, command, ...words) => {
  const child = spawn(command, words, { cwd: folder, stdio: "ignore" });
  return { url, stop: () => child.kill() };
};
const answers = async (url) => {
  for (let tries = 0; tries < 240; tries += 1) {
    if (await fetch(url).then(({ ok }) => ok, () => false)) return;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  throw new Error(`${url} does not answer`);
};

/** What makes a site with each recipe: returns its address, or where it is built. */
const makers = {
  sphinx: (folder) => {
    const bin = python("sphinx");
    put(folder, { "conf.py": 'project = "Course"\nmaster_doc = "lesson"\n', "lesson.rst": `Lesson\n======\n\n${code("sphinx")}\n` });
    run(folder, bin("sphinx-build"), "-q", "-b", "html", ".", "out");
    return { built: "out", page: "lesson.html" };
  },
  furo: (folder) => {
    const bin = python("sphinx", "furo");
    const [conf, text] = code("furo").replace("# conf.py\n", "").split(".. lesson.rst\n");
    put(folder, { "conf.py": `project = "Course"\nmaster_doc = "lesson"\n${conf}`, "lesson.rst": `Lesson\n======\n\n${text}\n` });
    run(folder, bin("sphinx-build"), "-q", "-b", "html", ".", "out");
    return { built: "out", page: "lesson.html" };
  },
  "mkdocs-material": (folder) => {
    const bin = python("mkdocs-material");
    put(folder, { "mkdocs.yml": "site_name: Course\ntheme:\n  name: material\n  font: false\n", "docs/index.md": `# Lesson\n\n${code("mkdocs-material")}\n` });
    run(folder, bin("mkdocs"), "build", "--quiet");
    return { built: "site", page: "" };
  },
  hugo: (folder) => {
    const [short, text] = code("hugo").split("<!-- content/lesson.md -->\n");
    put(folder, { "config.toml": 'title = "Course"\nbaseURL = "/"\ndisableKinds = ["taxonomy", "term", "RSS", "sitemap"]\n',
      "layouts/shortcodes/loadlab.html": short, "layouts/_default/single.html": "<!doctype html><title>C</title>{{ .Content }}",
      "layouts/index.html": "<!doctype html><title>C</title>", "content/lesson.md": `---\ntitle: Lesson\n---\n${text}\n` });
    run(folder, "hugo", "--quiet");
    return { built: "public", page: "lesson/" };
  },
  vitepress: (folder) => {
    npm(folder, "vitepress");
    put(folder, { "docs/index.md": `# Lesson\n\n${code("vitepress")}\n` });
    run(folder, "npx", "vitepress", "build", "docs");
    return { built: "docs/.vitepress/dist", page: "" };
  },
  reveal: (folder) => {
    npm(folder, "reveal.js");
    cpSync(join(folder, "node_modules/reveal.js/dist"), join(folder, "out/dist"), { recursive: true });
    put(folder, { "out/index.html": `<!doctype html><title>Slides</title><link rel="stylesheet" href="dist/reveal.css"><div class="reveal"><div class="slides">
      ${code("reveal")}</div></div><script type="module">import Reveal from "./dist/reveal.mjs"; new Reveal().initialize();</script>` });
    return { built: "out", page: "" };
  },
  streamlit: (folder) => {
    const bin = python("streamlit");
    put(folder, { "app.py": `${code("streamlit")}\n` });
    return serve(folder, "http://127.0.0.1:18501/", bin("streamlit"), "run", "app.py", "--server.port", "18501", "--server.headless", "true", "--browser.gatherUsageStats", "false");
  },
  marimo: (folder) => {
    const bin = python("marimo");
    const body = code("marimo").replace("import marimo as mo\n\n", "").split("\n").map((line) => `    ${line}`).join("\n");
    put(folder, { "app.py": `import marimo\n\napp = marimo.App()\n\n\n@app.cell\ndef _():\n    import marimo as mo\n${body}\n    return\n` });
    return serve(folder, "http://127.0.0.1:18502/", bin("marimo"), "run", "app.py", "--port", "18502", "--headless", "--no-token");
  },
  notebook: (folder) => {
    // What both front ends show of a cell is its HTML, which nbconvert writes as they do.
    const bin = python("nbconvert", "ipykernel");
    const cell = { cell_type: "code", id: "a", metadata: {}, outputs: [], execution_count: null, source: code("notebook") };
    put(folder, { "lesson.ipynb": JSON.stringify({ cells: [cell], metadata: {}, nbformat: 4, nbformat_minor: 5 }) });
    run(folder, bin("jupyter"), "nbconvert", "--execute", "--to", "html", "--output-dir", "out", "lesson.ipynb");
    return { built: "out", page: "lesson.html" };
  },
};

const asked = process.argv.slice(2);
const browser = await browserType.launch(chromium);
let failed = 0;
for (const [id, make] of Object.entries(makers)) {
  if (asked.length > 0 && !asked.includes(id)) continue;
  const folder = join(work, id);
  mkdirSync(folder, { recursive: true });
  let made;
  try {
    made = make(folder);
    const url = made.url ?? (await host(join(folder, made.built))) + made.page;
    await answers(url);
    const page = await browser.newPage();
    await page.goto(url);
    const place = page.frameLocator(`iframe[src*="/embed/${slug}/"]`);
    await page.locator(`iframe[src*="/embed/${slug}/"]`).first().scrollIntoViewIfNeeded({ timeout: 60_000 });
    await ready(place);
    await page.screenshot({ path: join(work, `${id}.png`) });
    await page.close();
    console.log(`${id}: the lesson runs`);
  } catch (error) {
    failed += 1;
    console.log(`${id}: ${error.message.split("\n")[0]}`);
  } finally {
    made?.stop?.();
  }
}
console.log(`pictures in ${work}`);
await browser.close();
process.exit(failed > 0 ? 1 : 0);
