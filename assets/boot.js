// Loads the application into a page that is readable without it: shows progress by bytes, and says
// what is wrong where something is. A classic script, because a sandboxed frame without an origin may
// not load modules from every host, and this message must reach the reader there too.
"use strict";

// What has to be settled before anything of the page is drawn or fetched. The head waits for this file.
(() => {
  const page = document.documentElement;
  const { dataset } = page;

  // Addresses in a page are relative to its folder. Where a host serves the folder without the slash at its end, they
  // would lead astray; this file is found all the same, for a copy of it lies one folder higher than the others look.
  const { pathname, search, hash } = location;
  if (!("alone" in dataset) && pathname.endsWith(`/${dataset.slug || dataset.page}`)) {
    try {
      history.replaceState(history.state, "", `${pathname}/${search}${hash}`);
    } catch {
      // A frame without an origin may not touch its address, but it may say what others are relative to.
      const base = document.createElement("base");
      base.href = `${pathname}/`;
      document.head.prepend(base);
    }
  }

  // A chosen theme shows from the first frame on: the address's, else the one that the reader took last.
  const themed = (theme) => /^(auto|light|dark|contrast)$/.test(theme) && theme;
  const kept = () => {
    try {
      return localStorage.getItem("loadlab.theme");
    } catch {
      return null; // No storage, nothing kept.
    }
  };
  const theme = themed(new URLSearchParams(search).get("theme")) || themed(kept());
  if (theme) {
    dataset.theme = theme;
    // Until the style sheet is here the browser paints the ground by this.
    const scheme = document.querySelector("meta[name=color-scheme]");
    if (scheme && /light|dark/.test(theme)) scheme.content = theme;
  }

  // The page holds the lesson as it opens. An embed is as high as its scene wishes, which depends on its width
  // (`src/site/fit.rs`); what opens in it depends on its height (`src/site/drawers.rs`). Both are settled before it is drawn.
  if (dataset.heights) {
    const { innerWidth: width, innerHeight: height } = window;
    const low = width < 700 && height < 460 && 208;
    const beside = width < 560 ? 0 : low || (width < 960 ? Math.min(250, Math.max(190, 0.28 * width)) : width < 1600 ? 304 : 340);
    const heights = dataset.heights.split(" ");
    const nearest = Math.round((width - beside - 280) / 20);
    page.style.setProperty("--natural", `${heights[Math.min(heights.length - 1, Math.max(0, nearest))]}px`);
    new MutationObserver((_, reading) => {
      const embed = document.querySelector("#static .embed");
      if (!embed) return;
      reading.disconnect();
      if (height >= 680) embed.dataset.drawer = "tape";
    }).observe(page, { childList: true, subtree: true });
  }

  // What the page around says before the program listens is kept, and said again when it does: a deck of reveal.js
  // starts its slide as soon as the frame is loaded. Of several wishes the last counts.
  let wish;
  const hear = (event) => {
    const { source, data } = event;
    const bare = data?.ns === "loadlab" && data.v === 1 ? data.type : data;
    if (source === window.parent && /^(slide:start|slide:stop|play|pause)$/.test(bare)) wish = event;
  };
  const sayAgain = () => {
    window.removeEventListener("message", hear);
    if (!wish) return;
    const { data, origin, source } = wish;
    window.dispatchEvent(new MessageEvent("message", { data, origin, source }));
  };
  if (window.parent !== window) {
    window.addEventListener("message", hear);
    window.addEventListener("loadlab-ready", sayAgain, { once: true });
  }
})();

(async () => {
  const page = document.documentElement;
  if (document.readyState === "loading") {
    await new Promise((read) => document.addEventListener("DOMContentLoaded", read, { once: true }));
  }
  const boot = document.getElementById("boot");
  const still = document.getElementById("static");
  const app = document.getElementById("app");

  // Crawlers want the page to be found by its whole address, which no build knows of a site that any host may serve.
  const canonical = document.querySelector("link[rel=canonical]");
  if (canonical) canonical.href = new URL(canonical.getAttribute("href"), document.baseURI).href;
  if (!boot || !app) return;

  const say = (id, ...values) =>
    (boot.dataset[id] ?? id).replace(/\{(\d)\}/g, (whole, at) => String(values[at] ?? whole));
  const wholeKb = (bytes) => Math.ceil(bytes / 1024);
  const catalogue = page.dataset.page === "catalogue";
  // Some lessons share a chunk of code with others, which must be there before their own: name, bytes, and who they are.
  const chunks = (boot.dataset.chunks || "").split(";").filter(Boolean).map((line) => {
    const [name, bytes, ...slugs] = line.split(" ");
    return { name, bytes: Number(bytes), slugs };
  });
  const chunksOf = (slug) => chunks.filter(({ slugs }) => slugs.includes(slug));
  const own = catalogue ? "catalogue" : page.dataset.slug;
  // What the page fetches before it starts, in bytes: the program, and on a lesson's page its chunks and its own code.
  const expected = [boot.dataset.bytes, boot.dataset.codeBytes, ...chunksOf(own).map(({ bytes }) => bytes)].reduce(
    (all, bytes) => all + (Number(bytes) || 0),
    0,
  );

  // A failure with words for the reader; `reload` where only a new page helps.
  class Trouble extends Error {
    constructor(text, { cause, reload = false } = {}) {
      super(text, { cause });
      this.reload = reload;
    }
  }

  // Storage alone may throw in a frame.
  const known = () => {
    try {
      return localStorage.getItem("loadlab.last") !== null;
    } catch {
      return false;
    }
  };

  // The page holds the lesson, or the catalogue, as it opens. What depends on window and address is put right here, before the first frame.
  const atRest = () => {
    for (const element of still.querySelectorAll("[data-at], [data-fill]")) {
      for (const name of ["at", "fill"]) {
        if (name in element.dataset) element.style.setProperty(`--${name}`, element.dataset[name]);
      }
    }
    const asked = new URLSearchParams(location.search);
    const list = (name) => (asked.get(name) ?? "").split(",");
    const hidden = [...list("hide"), ...(/^(0|false)$/.test(asked.get("links")) ? ["links"] : [])];
    for (const element of still.querySelectorAll("[data-hides]")) {
      if (!hidden.includes(element.dataset.hides)) continue;
      if (element.dataset.hides === "title") element.className = "visually-hidden";
      else element.remove();
    }
    const locked = list("lock");
    for (const control of still.querySelectorAll("[data-locks]")) {
      control.disabled = locked.includes("all") || locked.includes(control.dataset.locks);
    }
    // Who has been here before sees a catalogue of their own.
    if (catalogue) still.toggleAttribute("data-known", known());
    // What needs more than the author leaves to the learner is not offered (`Player::withhold`), nor is a list of nothing.
    const stuck = locked.includes("all") || hidden.includes("knobs");
    const withheld = (need) => (need === "actions" ? hidden.includes(need) : stuck || locked.includes(need));
    for (const one of still.querySelectorAll("[data-needs]")) {
      const { needs } = one.dataset;
      if (needs && needs.split(" ").some(withheld)) one.remove();
    }
    if (!still.querySelector(".challenge")) {
      for (const part of still.querySelectorAll("[data-hides=challenges]")) part.remove();
    }
    // An address that leads elsewhere in the lesson is not answered with its opening.
    const elsewhere = /[?&](at|beat|from|state|seed|present|p\.\w+)=/.test(location.search);
    still.toggleAttribute("data-elsewhere", elsewhere);
  };

  // What a reader does before the program is there is kept, and done as soon as it can be. A control is known by its place in
  // its part of the page, which the program builds alike.
  const CONTROLS = "button, input, summary";
  const PARTS = [".top", ".catalogue-head", ".routes", ".story", ".transport", ".tracks", ".knobs", "[data-panel=actions]", "[data-panel=challenges]", ".drawers"];
  const early = [];
  const keep = (control) => {
    const part = PARTS.find((part) => control.closest(part));
    const all = (root) => [...(root.querySelector(part)?.querySelectorAll(CONTROLS) ?? [])];
    const at = part ? all(still).indexOf(control) : -1;
    // What an author locked may take some of them away.
    const like = (one) => one?.textContent === control.textContent;
    return at < 0 ? () => null : () => (like(all(app)[at]) ? all(app)[at] : all(app).find(like));
  };
  const heed = (event) => {
    if (ready || failed) return;
    const control = event.target.closest?.(CONTROLS);
    if (event.type === "keydown") {
      const { key, code, shiftKey, ctrlKey, metaKey, altKey } = event;
      if (catalogue || control || ctrlKey || metaKey || altKey || !/^(.|Arrow(Left|Right)|Home)$/.test(key)) return;
      event.preventDefault();
      early.push(() => document.body.dispatchEvent(new KeyboardEvent("keydown", { key, code, shiftKey, bubbles: true, cancelable: true })));
    } else if (control && still.contains(control)) {
      const filled = /^(range|search)$/.test(control.type);
      if (filled ? event.type !== "input" : event.type !== "click") return;
      const find = keep(control);
      control.dataset.waits = "";
      early.push(() => {
        const same = find();
        if (!filled) return same?.click();
        if (same) same.value = control.value;
        same?.dispatchEvent(new Event("input", { bubbles: true }));
      });
    }
    eager = true;
    early.splice(0, early.length - 40);
  };
  const answerEarly = () => {
    for (const type of ["click", "input", "keydown"]) window.removeEventListener(type, heed, true);
    const focused = still.contains(document.activeElement) ? keep(document.activeElement) : () => null;
    const scrolled = still.querySelector(".side")?.scrollTop;
    // The page at rest goes first: its ids would stand there twice.
    queueMicrotask(() => {
      const side = app.querySelector(".side");
      if (side && scrolled) side.scrollTop = scrolled;
      focused()?.focus({ preventScroll: true });
      for (const answer of early.splice(0)) answer();
    });
  };

  // WordPress gives its frames a secret and hides them until they say how high they are. The lesson does so as soon as it
  // is drawn. Where that takes long, or never comes to it, the page is shown all the same.
  const patience = 3_000;
  const tellWordPress = () => {
    const secret = /secret=([a-zA-Z0-9]+)/.exec(location.hash)?.[1];
    if (ready || !secret || window.parent === window || page.dataset.page !== "embed") return;
    const height = Math.ceil(document.body.getBoundingClientRect().height);
    const value = Math.min(failed ? 1000 : 640, Math.max(200, height));
    window.parent.postMessage({ message: "height", value, secret }, "*");
  };

  let attempt = 0;
  let ready = false;
  let failed = false;
  let stopped;

  const element = (tag, className, text) => {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (text) made.textContent = text;
    return made;
  };

  // A round mark while it goes well, a triangle where it does not.
  const glyph = (className, d) => {
    const space = "http://www.w3.org/2000/svg";
    const picture = document.createElementNS(space, "svg");
    const path = document.createElementNS(space, "path");
    for (const [name, value] of [["class", "glyph"], ["viewBox", "0 0 10 10"], ["aria-hidden", "true"]]) {
      picture.setAttribute(name, value);
    }
    path.setAttribute("class", className);
    path.setAttribute("d", d);
    picture.append(path);
    return picture;
  };

  // Progress: a bar and the bytes. Only the heading is spoken, or speech would count along.
  let bar;
  let bytes;
  const showProgress = () => {
    bar = element("div", "bar");
    bytes = element("p", "num");
    for (const silent of [bar, bytes]) silent.setAttribute("aria-hidden", "true");
    boot.setAttribute("role", "status");
    const mark = glyph("f-accent", "M1 5a4 4 0 1 0 8 0a4 4 0 1 0-8 0Z");
    boot.replaceChildren(mark, element("h2", "", say(catalogue ? "catalogueTitle" : "title")), bytes, bar);
    boot.hidden = false;
  };
  const showBytes = (got) => {
    const whole = Math.max(expected, got);
    bar.style.setProperty("--fill", `${whole ? Math.floor((100 * got) / whole) : 0}%`);
    bytes.textContent = got < whole ? say("sized", wholeKb(got), wholeKb(whole)) : say("starting");
  };

  const button = (text, press) => {
    const made = element("button", "btn btn-primary", text);
    made.type = "button";
    made.addEventListener("click", press);
    return made;
  };
  const link = () => {
    const made = element("a", "btn", say("all"));
    made.href = page.dataset.root || "./";
    return made;
  };

  const fail = (trouble) => {
    if (failed) return;
    failed = true;
    // What was cut off in the middle leaves the program in disorder: whatever else fails then has the same cause.
    if (!stopped) console.error(trouble.cause ?? trouble);
    page.dataset.failed = "1";
    if (ready) {
      stopped ??= trouble;
      stop(stopped);
      return;
    }
    // What a panic left half built would stand beside the static page.
    app.replaceChildren();
    still?.removeAttribute("hidden");
    const actions = element("div", "actions");
    actions.append(
      button(say("retry"), () => (trouble.reload || attempt > 1 ? location.reload() : start())),
    );
    if (page.dataset.page === "lesson") actions.append(link());
    boot.setAttribute("role", "alert");
    boot.replaceChildren(
      glyph("f-bad", "M5 .5 10 9.5H0Z"),
      element("h2", "", say(catalogue ? "catalogueFailed" : "failed")),
      element("p", "", `${trouble.message} ${say("below")}`),
      actions,
    );
    boot.hidden = false;
    tellWordPress();
  };

  // Opens the page anew where it stands. Without its rest nothing but the story and time can have moved in it.
  const reload = () => {
    const { search } = location;
    const time = Number(document.querySelector(".scrub")?.value) || 0;
    const steps = [...document.querySelectorAll(".dot")];
    const step = steps.findIndex((step) => step.hasAttribute("aria-current"));
    const lacks = [...rests.values()].some(({ owner }) => !owner.rested.value);
    if (lacks && !/[?&]state=/.test(search) && (time || step > 0)) {
      const here = new URL(location.href);
      if (step >= 0) here.searchParams.set("beat", step + 1);
      here.searchParams.set("at", time);
      try {
        history.replaceState(history.state, "", here);
      } catch {
        location.replace(here); // A frame without an origin may only go elsewhere.
        return;
      }
    }
    location.reload();
  };

  // After the start the static page is gone: the message stands over the page. Who closes it may read on, and whatever
  // is out of order says so again when it is pressed.
  const stop = (trouble) => {
    const dialog = element("dialog", "dialog");
    const head = element("div", "dialog-head");
    const body = element("div", "dialog-body");
    const title = element("h2", "", say("stopped"));
    title.id = "boot-stopped";
    dialog.setAttribute("role", "alertdialog");
    dialog.setAttribute("aria-labelledby", title.id);
    const actions = element("div", "actions");
    actions.append(button(say("reload"), reload));
    head.append(title);
    body.append(element("p", "", trouble.message), actions);
    dialog.append(head, body);
    dialog.addEventListener("close", () => {
      boot.hidden = true;
      failed = false;
    });
    boot.replaceChildren(dialog);
    boot.className = "";
    document.body.append(boot);
    boot.hidden = false;
    try {
      dialog.showModal();
    } catch {
      dialog.setAttribute("open", "");
    }
  };

  const hasWasm = () => {
    try {
      // The smallest module, eight bytes; compiling it also asks the content security policy.
      const least = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0);
      return new WebAssembly.Module(least) instanceof WebAssembly.Module;
    } catch {
      return false;
    }
  };

  // A file that is not there any more, or another in its place: the site has changed since this page was loaded, and only
  // a new page knows its files.
  const gone = (status) => new Trouble(say("notFound", status), { reload: true });
  const strange = (cause) => new Trouble(say("damaged"), { cause, reload: ready });
  const troubled = (cause) => (cause instanceof Trouble ? cause : strange(cause));

  const fetched = async (address, options) => {
    let response;
    try {
      response = await fetch(address, options);
    } catch (cause) {
      throw new Trouble(say("unreachable"), { cause });
    }
    if (!response.ok) throw gone(response.status);
    return response;
  };

  // Passes the bytes on as they come and counts them. Compressed transfers count unpacked, as `expected` does.
  let got = 0;
  const counted = async (response, count) => {
    const headers = { "content-type": "application/wasm" };
    if (!response.body || typeof TransformStream === "undefined") {
      const whole = await response.arrayBuffer();
      count.got = whole.byteLength;
      return new Response(whole, { headers });
    }
    const meter = new TransformStream({
      transform(chunk, stream) {
        count.got += chunk.byteLength;
        got += chunk.byteLength;
        if (!ready) showBytes(got);
        stream.enqueue(chunk);
      },
    });
    return new Response(response.body.pipeThrough(meter), { headers });
  };

  // The response is relabelled above, so that a host with a wrong MIME type streams like any other.
  const compile = async (response, whole) => {
    const count = { got: 0 };
    try {
      const program = await counted(response, count);
      return WebAssembly.compileStreaming
        ? await WebAssembly.compileStreaming(program)
        : await WebAssembly.compile(await program.arrayBuffer());
    } catch (cause) {
      if (count.got < whole) {
        throw new Trouble(say("cut", wholeKb(count.got), wholeKb(whole)), { cause });
      }
      throw strange(cause);
    }
  };

  // The release build keeps each lesson's code in a file of its own. Instantiating it fills the places that the
  // program's table and memory keep free for it, so it must be there before that lesson is opened. Navigation inside
  // the application changes what relative addresses mean, so the address is found now.
  const codeAddress = boot.dataset.code && new URL(boot.dataset.code, document.baseURI).href;
  // A page in one file brings along what it needs.
  const chunkAddress = (name, end) =>
    boot.getAttribute(`data-chunk-${name}${end.replace(".", "-")}`) ?? codeAddress.replace("*", `${name}.chunk${end}`);
  let running;
  let run;
  const again = () => {
    got = 0;
    running = new Promise((resolve) => (run = resolve));
  };
  // Remembers what is on its way or here by name; what failed is asked for anew the next time.
  const once = (known, name, begin) => {
    if (!known.has(name)) {
      const coming = begin();
      coming.catch(() => known.delete(name));
      known.set(name, coming);
    }
    return known.get(name);
  };
  const codes = new Map();
  const codeAt = (address, options, whole) =>
    once(codes, address, () => fetched(address, options).then((response) => compile(response, whole)));
  const codeOf = (slug, options, whole) => codeAt(codeAddress.replace("*", slug), options, whole);
  const chunkOf = ({ name, bytes }, options) => codeAt(chunkAddress(name, ""), options, bytes);
  // What a piece imports under a number stands in that slot of the program's table.
  const offered = (core) => new Proxy(core, { get: (core, name) => core[name] ?? core.t.get(Number(name)) });
  const joined = new Map();
  const joinChunk = (chunk) =>
    once(joined, chunk.name, async () => {
      const [code, core] = await Promise.all([chunkOf(chunk, {}), running]);
      const owner = (await WebAssembly.instantiate(code, { core: offered(core) })).exports;
      if (owner.rested) rests.set(owner.number.value, { address: chunkAddress(chunk.name, ".rest"), owner });
    });
  const opened = new Map();
  window.loadlabCode = (slug) => {
    if (!codeAddress) return Promise.resolve();
    const open = async () => {
      const [code, core] = await Promise.all([codeOf(slug, {}, 0), running, ...chunksOf(slug).map(joinChunk)]);
      const owner = (await WebAssembly.instantiate(code, { core: offered(core) })).exports;
      const address = lateAddress?.replace("*", slug);
      if (owner.rested) rests.set(owner.number.value, { address, owner, alone: true });
      if (eager) await bringRests();
    };
    return once(opened, slug, open).catch((cause) => {
      const trouble = troubled(cause);
      // The address is that of the lesson already, whose own page fits it.
      if (!ready || !trouble.reload) throw trouble;
      location.reload();
      return new Promise(() => {});
    });
  };

  // What no start runs is kept in files of its own as well: one for the program, each chunk and each lesson. They are fetched
  // at the first sign that somebody means to use the page; what calls into one earlier than it is there has to wait
  // for it on the spot. A service worker does not see requests that are waited for, but what it keeps costs nothing,
  // so a page that has one brings everything before it starts, as does one whose address leads to a certain moment.
  const restAddress = boot.dataset.rest && new URL(boot.dataset.rest, document.baseURI).href;
  const lateAddress = boot.dataset.late && new URL(boot.dataset.late, document.baseURI).href;
  const hasWorker = () => {
    try {
      return Boolean(navigator.serviceWorker?.controller);
    } catch {
      return false; // A frame without an origin may not even ask.
    }
  };
  let eager = hasWorker() || /[?&](at|beat|from|state|p\.\w+)=/.test(location.search);
  const programNow = (address) => {
    const [kind, carried] = address.split(";base64,");
    if (kind.startsWith("data:")) return Uint8Array.from(atob(carried), (byte) => byte.charCodeAt(0));
    const request = new XMLHttpRequest();
    request.open("GET", address, false);
    // The only way to bytes in a request that is waited for.
    request.overrideMimeType("text/plain; charset=x-user-defined");
    try {
      request.send();
    } catch (cause) {
      throw new Trouble(say("unreachable"), { cause, reload: true });
    }
    if (request.status !== 200) throw gone(request.status);
    return Uint8Array.from(request.responseText, (byte) => byte.charCodeAt(0) & 255);
  };
  const programSoon = (address) => codeAt(address, {}, 0);
  // By the number of the piece that a rest belongs to. All build on that of the program, 0, and a lesson's, which nobody
  // else needs, on those of chunks; each comes after those with lower numbers.
  const rests = new Map();
  const join = (owner, program) => {
    if (owner.rested.value) return;
    new WebAssembly.Instance(program, { core: offered(core) });
    owner.rested.value = 1;
  };
  // In the order of their numbers.
  const lacking = (needed = () => true) =>
    [...rests].filter(needed).sort(([a], [b]) => a - b).map(([, rest]) => rest).filter(({ owner }) => !owner.rested.value);
  const bringNow = (needed) => {
    try {
      for (const { address, owner } of lacking(needed)) join(owner, new WebAssembly.Module(programNow(address)));
    } catch (cause) {
      const trouble = troubled(cause);
      missed = true;
      fail(trouble);
      // Nothing else ends what the program is about.
      throw trouble;
    }
  };
  window.loadlabRest = (piece) => {
    const alone = rests.get(piece)?.alone;
    bringNow(([number, rest]) => number === 0 || number === piece || (alone && !rest.alone));
  };
  // What is cut off in the middle of the program leaves it locked. So once that has happened, whatever is pressed asks for
  // what was missed before the program hears of it.
  let missed = false;
  const askFirst = (event) => {
    if (!missed || boot.contains(event.target) || event.target.closest?.(".update")) return;
    try {
      bringNow();
    } catch {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
  };
  for (const use of ["click", "input", "change"]) window.addEventListener(use, askFirst, true);
  const bringRests = async () => {
    try {
      const all = lacking();
      const came = await Promise.all(all.map(({ address }) => programSoon(address)));
      all.forEach(({ owner }, at) => join(owner, came[at]));
    } catch (cause) {
      // Whoever needs it will ask again. What will never come is better told before anything is lost by it.
      const trouble = troubled(cause);
      if (ready && trouble.reload) offer(trouble.message);
    }
  };
  const signs = ["pointerover", "pointerdown", "keydown", "focusin", "message"];
  const onSign = () => {
    for (const sign of signs) window.removeEventListener(sign, onSign, true);
    eager = true;
    bringRests();
  };
  const awaitSigns = () => {
    for (const sign of signs) window.addEventListener(sign, onSign, true);
  };
  let core;

  // The program's words come beside it. It asks for them here; what failed it fetches itself, and says so.
  const words = new Map();
  const fetchWords = () => {
    if (catalogue || page.dataset.languages !== "en" || "alone" in page.dataset) return;
    for (const name of ["site", page.dataset.slug]) {
      const path = `words/${name}.en.json`;
      const address = `${rootHref}${path}?v=${page.dataset.version}`;
      const coming = fetch(address).then((answer) => (answer.ok ? answer.text() : Promise.reject(new Error(address))));
      coming.catch(() => {});
      words.set(path, coming);
    }
  };
  window.loadlabWords = (path) => words.get(path);

  const start = async () => {
    again();
    attempt += 1;
    failed = false;
    delete page.dataset.failed;
    showProgress();
    showBytes(0);
    const halt = new AbortController();
    try {
      if (!hasWasm()) throw new Trouble(say("noWasm"));
      // A module that failed once stays failed under its address; the query makes the next try a new one.
      const script = new URL(boot.dataset.script, document.baseURI);
      if (attempt > 1) script.searchParams.set("try", String(attempt));
      const options = { signal: halt.signal, cache: attempt > 1 ? "reload" : "default" };
      if (eager && restAddress) programSoon(restAddress).catch(() => {});
      fetchWords();
      const [program, glue] = await Promise.all([
        fetched(boot.dataset.wasm, options).then((response) => compile(response, Number(boot.dataset.bytes))),
        import(script.href).catch((cause) => explainModule(script, cause)),
        codeAddress && codeOf(own, options, Number(boot.dataset.codeBytes)),
        ...chunksOf(own).map((chunk) => chunkOf(chunk, options)),
      ]);
      showBytes(expected);
      try {
        core = await glue.default({ module_or_path: program });
        if (restAddress) rests.set(0, { address: restAddress, owner: core });
        if (eager) await bringRests();
        run(core);
        glue.openPage();
      } catch (cause) {
        throw new Trouble(say("panicked", plain(cause)), { cause, reload: true });
      }
    } catch (error) {
      halt.abort();
      fail(error instanceof Trouble ? error : new Trouble(say("panicked", plain(error)), { cause: error }));
    }
  };

  // An import that fails does not say why; asking for the file does.
  const explainModule = async (script, cause) => {
    await fetched(script, { cache: "reload" });
    throw new Trouble(say("damaged"), { cause });
  };

  const plain = (error) => String(error?.message ?? error).slice(0, 300);

  window.addEventListener("loadlab-ready", () => {
    if (failed) return;
    ready = true;
    boot.hidden = true;
    boot.replaceChildren();
    if (still) answerEarly();
    awaitSigns();
    keepOffline();
  });
  window.addEventListener("loadlab-failed", (event) => {
    fail(new Trouble(say("panicked", plain(event.detail)), { cause: event.detail, reload: true }));
  });
  // The worker that keeps the site for offline use. Only a page of its own has one: a course's page is none of
  // its business, and in a frame without an origin even asking throws.
  let asked = false;
  const keepOffline = () => {
    if (asked || !page.dataset.worker) return;
    asked = true;
    try {
      if (window.top !== window.self || !/^https?:$/.test(location.protocol)) return;
      const workers = navigator.serviceWorker;
      if (!workers) return;
      workers.addEventListener("message", ({ data }) => {
        if (data?.ns === "loadlab" && data.type === "update" && data.version !== page.dataset.version) offerUpdate();
      });
      // A reader who allows no storage gets no worker, which is no fault.
      workers.register(new URL(page.dataset.worker, rootHref)).catch(() => {});
    } catch {
      // Storage is off: the page works, but not offline.
    }
  };

  // Navigation inside the application changes what relative addresses mean, so the top is found now.
  const rootHref = new URL(page.dataset.root || "./", document.baseURI).href;

  const offer = (why) => {
    if (document.querySelector(".update")) return;
    const notice = element("div", "toast update");
    notice.setAttribute("role", "status");
    notice.append(element("span", "", why), button(say("reload"), reload));
    document.body.prepend(notice);
  };
  const offerUpdate = () => {
    window.dispatchEvent(new CustomEvent("loadlab-update"));
    offer(say("update"));
  };

  // A trap that the panic hook did not see, such as memory running out, or a program that calls itself for ever because
  // a piece of it is of another build. What has been told is no news to anybody.
  const trapped = (event, error) => {
    if (stopped || error instanceof Trouble) event.preventDefault();
    const traps = [globalThis.WebAssembly?.RuntimeError, RangeError, globalThis.InternalError];
    if (traps.some((trap) => trap && error instanceof trap)) {
      fail(new Trouble(say("panicked", plain(error)), { cause: error, reload: true }));
    }
  };
  window.addEventListener("error", (event) => trapped(event, event.error));
  window.addEventListener("unhandledrejection", (event) => trapped(event, event.reason));

  const go = () => {
    if (still) {
      atRest();
      for (const type of ["click", "input", "keydown"]) window.addEventListener(type, heed, true);
    }
    setTimeout(tellWordPress, patience);
    start();
  };
  // A course that keeps records names its store, and a script of its own frames the lesson and tells what happens.
  if (page.dataset.page === "embed" && /[?&](endpoint|fetch)=/.test(location.search)) {
    import(new URL("xapi.js", rootHref).href).catch(go);
  } else {
    go();
  }
})();
