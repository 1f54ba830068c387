// Loads the application into a page that is readable without it: shows progress by bytes, and says
// what is wrong where something is. A classic script, because a sandboxed frame without an origin may
// not load modules from every host, and this message must reach the reader there too.
"use strict";

(() => {
  const page = document.documentElement;
  const boot = document.getElementById("boot");
  const still = document.getElementById("static");
  const app = document.getElementById("app");

  // Crawlers want the page to be found by its whole address, which no build knows of a site that any host may serve.
  const canonical = document.querySelector("link[rel=canonical]");
  if (canonical) canonical.href = new URL(canonical.getAttribute("href"), location.href).href;
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

  // WordPress gives its frames a secret and shows them as high as they say; it should not wait for the program.
  // Told once here; from then on the lesson does it.
  const tellWordPress = () => {
    const secret = /secret=([a-zA-Z0-9]+)/.exec(location.hash)?.[1];
    if (!secret || window.parent === window || page.dataset.page !== "embed") return;
    const height = Math.ceil(document.body.getBoundingClientRect().height);
    const value = Math.min(1000, Math.max(200, height));
    window.parent.postMessage({ message: "height", value, secret }, "*");
  };

  let attempt = 0;
  let ready = false;
  let failed = false;

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
    console.error(trouble.cause ?? trouble);
    page.dataset.failed = "1";
    if (ready) {
      stop(trouble);
      return;
    }
    // What a panic left half built would stand beside the static page.
    app.replaceChildren();
    still?.removeAttribute("hidden");
    const actions = element("div", "actions");
    actions.append(
      button(say("retry"), () => (trouble.reload ? location.reload() : start())),
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
  };

  // After the start the static page is gone: the message stands over the page, whose state the address keeps.
  const stop = (trouble) => {
    const dialog = element("dialog", "dialog");
    const head = element("div", "dialog-head");
    const body = element("div", "dialog-body");
    const title = element("h2", "", say("stopped"));
    title.id = "boot-stopped";
    dialog.setAttribute("role", "alertdialog");
    dialog.setAttribute("aria-labelledby", title.id);
    const actions = element("div", "actions");
    actions.append(button(say("reload"), () => location.reload()));
    head.append(title);
    body.append(element("p", "", trouble.message), actions);
    dialog.append(head, body);
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

  const fetched = async (address, options) => {
    let response;
    try {
      response = await fetch(address, options);
    } catch (cause) {
      throw new Trouble(say("unreachable"), { cause });
    }
    if (!response.ok) throw new Trouble(say("notFound", response.status));
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
      throw new Trouble(say("damaged"), { cause });
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
    return once(opened, slug, async () => {
      const [code, core] = await Promise.all([codeOf(slug, {}, 0), running, ...chunksOf(slug).map(joinChunk)]);
      const owner = (await WebAssembly.instantiate(code, { core: offered(core) })).exports;
      const address = lateAddress?.replace("*", slug);
      if (owner.rested) rests.set(owner.number.value, { address, owner, alone: true });
      if (eager) await bringRests();
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
    request.send();
    if (request.status !== 200) throw new Error(`${address}: ${request.status}`);
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
  window.loadlabRest = (piece) => {
    try {
      const alone = rests.get(piece)?.alone;
      const needed = ([number, rest]) => number === 0 || number === piece || (alone && !rest.alone);
      for (const [, { address, owner }] of [...rests].filter(needed).sort(([a], [b]) => a - b)) {
        if (!owner.rested.value) join(owner, new WebAssembly.Module(programNow(address)));
      }
    } catch (cause) {
      fail(new Trouble(say("unreachable"), { cause, reload: true }));
      throw cause;
    }
  };
  const bringRests = async () => {
    try {
      const all = [...rests].sort(([a], [b]) => a - b).map(([, rest]) => rest).filter(({ owner }) => !owner.rested.value);
      const came = await Promise.all(all.map(({ address }) => programSoon(address)));
      all.forEach(({ owner }, at) => join(owner, came[at]));
    } catch {
      // Whoever needs it will ask again.
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
    if (still) still.hidden = true;
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

  const offerUpdate = () => {
    window.dispatchEvent(new CustomEvent("loadlab-update"));
    if (document.querySelector(".update")) return;
    const notice = element("div", "toast update");
    notice.setAttribute("role", "status");
    notice.append(
      element("span", "", say("update")),
      button(say("reload"), () => location.reload()),
    );
    document.body.prepend(notice);
  };

  // A trap that the panic hook did not see, such as memory running out.
  const trapped = (error) => {
    if (globalThis.WebAssembly && error instanceof WebAssembly.RuntimeError) {
      fail(new Trouble(say("panicked", plain(error)), { cause: error, reload: true }));
    }
  };
  window.addEventListener("error", (event) => trapped(event.error));
  window.addEventListener("unhandledrejection", (event) => trapped(event.reason));

  // A course that keeps records names its store, and a script of its own frames the lesson and tells what happens.
  if (page.dataset.page === "embed" && /[?&](endpoint|fetch)=/.test(location.search)) {
    import(new URL("xapi.js", rootHref).href).catch(start);
  } else {
    tellWordPress();
    start();
  }
})();
