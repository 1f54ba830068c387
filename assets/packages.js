// Packs lessons as `cargo press scorm`, `single` and `cartridge` do (src/press/packages.rs), from the same table and the same
// templates, so that both make the same files. It knows no page: what it needs it asks `get` for.
//
// `get(path)` resolves to the bytes of a file of the site; `step()` is called before each piece of work and may throw to end it.
const encoder = new TextEncoder();
const decoder = new TextDecoder();
const bytesOf = (text) => encoder.encode(text);
const textOf = (bytes) => decoder.decode(bytes);

/** What is packed: its name, its ending, its type. `manifest` is its template and the path of what that makes. */
export const kinds = {
  "1.2": { ends: "-scorm-1.2.zip", type: "application/zip", script: "scorm.js", version: "1.2", manifest: ["scorm-1.2", "imsmanifest.xml"] },
  2004: { ends: "-scorm-2004.zip", type: "application/zip", script: "scorm.js", version: "2004", manifest: ["scorm-2004", "imsmanifest.xml"] },
  cmi5: { ends: "-cmi5.zip", type: "application/zip", script: "xapi.js", version: "", manifest: ["cmi5", "cmi5.xml"] },
  single: { ends: ".html", type: "text/html", alone: true },
  cartridge: { ends: ".imscc", type: "application/zip", links: true },
};

/** A lesson, or a table, cannot be had; `path` names what is missing. */
export class Missing extends Error {
  constructor(path, cause) {
    super(path, { cause });
    this.path = path;
  }
}

// As src/press/template.rs, whose head tells the language.
const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
const find = (scopes, name) => scopes.findLast((scope) => Object.hasOwn(scope, name))?.[name];
const length = (lines) => {
  let open = 1;
  const end = lines.findIndex((line) => {
    open += Number(line.startsWith("%each ")) - Number(line.startsWith("%end"));
    return open === 0;
  });
  return end < 0 ? lines.length : end;
};
const put = (lines, scopes) => {
  let out = "";
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at];
    if (line.startsWith("%each ")) {
      const inner = lines.slice(at + 1, at + 1 + length(lines.slice(at + 1)));
      const entries = find(scopes, line.slice(6).trimEnd()) ?? [];
      out += entries.map((entry) => put(inner, [...scopes, entry])).join("");
      at += inner.length + 1;
    } else {
      out += line.replace(/\{([^{}]*)\}/g, (whole, name) => {
        const text = find(scopes, name);
        return typeof text === "string" ? escaped(text) : whole;
      });
    }
  }
  return out;
};
export const fill = (template, data) => put(template.split(/(?<=\n)/), [data]);

/** What the part of the story that is told asks, by the number of its step there, from 1. */
export function questionsOf({ slug, steps }, query) {
  const asked = new URLSearchParams(query);
  const place = (name, otherwise) => {
    if (!asked.has(name)) return otherwise;
    const at = steps.findIndex(({ id }) => id === asked.get(name));
    if (at < 0) throw new Missing(`${slug}: ${asked.get(name)}`);
    return at;
  };
  const [first, last] = [place("from", 0), place("to", steps.length - 1)];
  // What the last step asks is answered by a step that is not told.
  const told = steps.map(({ id, asks }, at) => ({ id, asks, at }))
    .filter(({ asks, at }) => asks && at >= first && at <= last && (at < last || last + 1 === steps.length));
  return told.map(({ id, asks, at }) => ({ beat: at - first + 1, id, options: asks.options, text: asks.text }));
}

const tableAt = async (get, name) => JSON.parse(textOf(await get(`packages/${name}.json`)));

/** The lessons of a choice, each with its table and its part of the query. */
async function choose({ slugs, query }, { get, step }, shared) {
  const chosen = [];
  for (const [at, slug] of slugs.entries()) {
    await step();
    const table = await tableAt(get, slug);
    const own = query.split("&").filter((pair) => at === 0 || shared.includes(pair.split("=")[0]) || pair === "lock=all");
    chosen.push({ ...table, query: own.join("&") });
  }
  return chosen;
}

async function packageOf(kind, { pass = "", ...choice }, { get, step }) {
  const { title, templates, words, shared } = await tableAt(get, "index");
  const chosen = await choose(choice, { get, step }, shared);
  const files = new Map();
  const listed = [];
  for (const { slug, title, about, query, files: needed, steps } of chosen) {
    const page = chosen.length === 1 ? "index.html" : `${slug}.html`;
    const launch = { slug, title, script: kind.script, version: kind.version, query, pass: String(pass),
      questions: JSON.stringify(questionsOf({ slug, steps }, query)),
      unsaved: words.unsaved, full: words.full, slow: words.slow, watching: words.watching, refused: words.refused };
    const own = new Map();
    for (const path of [...needed, kind.script]) {
      await step();
      own.set(path, files.get(path) ?? (await get(path)));
    }
    // There is no worker to install beside somebody else's system.
    const embed = `embed/${slug}/index.html`;
    own.set(embed, bytesOf(textOf(await get(embed)).replaceAll(' data-worker="sw.js"', "")));
    own.set("launch.css", bytesOf(templates["launch.css"]));
    own.set(page, bytesOf(fill(templates["launch.html"], launch)));
    listed.push({ slug, title, about, page, files: [...own.keys()].sort().map((path) => ({ path })) });
    for (const [path, bytes] of own) files.set(path, bytes);
  }
  const one = listed.length === 1 ? listed[0] : { slug: "course", title, about: title };
  const course = { id: one.slug, title: one.title, about: one.about, moves: pass === "" ? "Completed" : "Passed",
    marks: pass === "" ? [] : [{ mark: String(pass / 100) }], lessons: listed };
  const [template, path] = kind.manifest;
  files.set(path, bytesOf(fill(templates[template], course)));
  return files;
}

async function cartridgeOf({ home, ...choice }, { get, step }) {
  const { title, templates, shared } = await tableAt(get, "index");
  const files = new Map();
  const listed = (await choose(choice, { get, step }, shared)).map((lesson) => {
    questionsOf(lesson, lesson.query);
    const { slug, title, query } = lesson;
    const url = `${home}embed/${slug}/${query && "?"}${query}`;
    files.set(`links/${slug}.xml`, bytesOf(fill(templates.link, { slug, title, url })));
    return { slug, title };
  });
  const one = listed.length === 1 ? listed[0] : { slug: "course", title };
  files.set("imsmanifest.xml", bytesOf(fill(templates.cartridge, { id: one.slug, title: one.title, lessons: listed })));
  return files;
}

const base64 = (bytes) => {
  let text = "";
  for (let at = 0; at < bytes.length; at += 32768) text += String.fromCharCode(...bytes.subarray(at, at + 32768));
  return btoa(text);
};
const dataOf = (kind, bytes) => `data:${kind};base64,${base64(bytes)}`;
const attribute = (tag, name) => new RegExp(` ${name}="([^"]*)"`).exec(tag)?.[1];
const without = (tag, name) => tag.replace(new RegExp(` ${name}="[^"]*"`), () => "");
const fromTop = (address) => address.replace(/^(\.\.\/)+/, "");

/** One lesson as one file; see `single` in src/press/packages.rs, step by step. */
async function singleOf({ slugs: [slug], query }, { get, step }) {
  const { files, steps } = await tableAt(get, slug);
  questionsOf({ slug, steps }, query);
  const page = textOf(await get(`l/${slug}/index.html`));
  const text = async (path) => textOf(await get(path));
  let wish = query && `try { location.search || history.replaceState(null, "", "?${query}" + location.hash); } catch {}`;

  const sheet = async (path) => {
    let css = await text(path);
    for (const name of files.filter((name) => name.endsWith(".woff2"))) {
      css = css.replaceAll(`../${name}`, dataOf("font/woff2", await get(name)));
    }
    return css.replaceAll("</", "<\\/");
  };
  const chunksInto = async (tag) => {
    const code = fromTop(attribute(tag, "data-code") ?? "");
    const told = [];
    let attributes = "";
    for (const line of (attribute(tag, "data-chunks") ?? "").split(";")) {
      const [name, , ...who] = line.split(" ");
      if (!who.includes(slug)) continue;
      const bytes = await get(code.replace("*", `${name}.chunk`));
      told.push(`${name} ${bytes.length} ${slug}`);
      attributes += ` data-chunk-${name}="${dataOf("application/wasm", bytes)}"`;
      const rest = code.replace("*", `${name}.chunk.rest`);
      if (files.includes(rest)) attributes += ` data-chunk-${name}-rest="${dataOf("application/wasm", await get(rest))}"`;
    }
    const out = without(tag, "data-chunks");
    return told.length ? `${out.slice(0, -1)}${attributes} data-chunks="${told.join(";")}">` : out;
  };
  const programInto = async (tag) => {
    let out = await chunksInto(tag);
    for (const [name, kind] of [["data-script", "text/javascript"], ["data-wasm", "application/wasm"], ["data-code", "application/wasm"],
      ["data-rest", "application/wasm"], ["data-late", "application/wasm"]]) {
      const address = attribute(out, name);
      if (address === undefined) continue;
      const path = fromTop(address).replaceAll("*", slug);
      if (name === "data-late" && !files.includes(path)) out = without(out, name);
      else {
        const data = dataOf(kind, await get(path));
        out = out.replace(address, () => data);
      }
    }
    return out;
  };
  const wordsOf = async () => {
    const own = files.filter((path) => path.startsWith("words/")).sort();
    const lines = [];
    for (const path of own) {
      const words = (await text(path)).replaceAll("<", "\\u003c");
      lines.push(`<script type="application/json" id="${path}">${words}</script>\n`);
    }
    return lines.join("");
  };
  const changed = async (tag) => {
    if (tag.startsWith("<html ")) return tag.replaceAll(' data-worker="sw.js"', ' data-alone=""').replaceAll('"../../"', '"./"');
    if (tag.startsWith("<link ")) {
      const path = fromTop(attribute(tag, "href") ?? "");
      const rel = attribute(tag, "rel");
      if (rel === "stylesheet") return `<style>${await sheet(path)}</style>`;
      if (rel === "icon") return `<link rel="icon" href="${dataOf("image/svg+xml", await get(path))}">`;
      return "";
    }
    if (tag.startsWith('<meta property="og:') || tag.startsWith('<meta name="twitter:')) return "";
    if (tag.startsWith("<script ")) {
      const script = dataOf("text/javascript", await get(fromTop(attribute(tag, "src") ?? "")));
      const first = wish && `<script src="${dataOf("text/javascript", bytesOf(wish))}"></script>`;
      wish = "";
      return `${first}<script defer src="${script}">`;
    }
    if (tag.startsWith("<a ") && !tag.includes('href="#') && !tag.includes('href="https:')) return without(tag, "href");
    if (tag.includes(' id="boot"')) return programInto(tag);
    if (tag === "</body>") return (await wordsOf()) + tag;
    return tag;
  };
  let out = "";
  for (const piece of page.split(/(<[^>]*>)/)) {
    if (piece.startsWith("<")) {
      await step();
      out += await changed(piece);
    } else out += piece;
  }
  return bytesOf(out);
}

/** Files as a zip archive. */
async function zipped(files, { step }) {
  const { Zip, ZipDeflate } = await import("./fflate.js");
  const pieces = [];
  let fault;
  const zip = new Zip((error, piece) => {
    fault ??= error;
    if (piece) pieces.push(piece);
  });
  for (const path of [...files.keys()].sort()) {
    await step();
    const entry = new ZipDeflate(path, { mtime: new Date(1980, 0, 1) });
    zip.add(entry);
    entry.push(files.get(path), true);
  }
  zip.end();
  if (fault) throw fault;
  return new Blob(pieces);
}

/** The files of a package by their paths, as the archive holds them. */
export const filesOf = (kind, choice, means) =>
  kinds[kind].links ? cartridgeOf(choice, means) : packageOf(kinds[kind], choice, means);

/** What is downloaded, under the name that press gives it. `choice`: slugs, query, pass, and home for links. */
export async function pack(kind, choice, means) {
  const { ends, type, alone } = kinds[kind];
  const name = `${choice.slugs.length === 1 ? choice.slugs[0] : "course"}${ends}`;
  const blob = alone ? new Blob([await singleOf(choice, means)]) : await zipped(await filesOf(kind, choice, means), means);
  return { name, blob: blob.slice(0, blob.size, type) };
}
