// <loadlab-lesson lesson="load-balancing" theme="auto">: a lesson in any page. No dependency; many may stand on one page.
// Every other attribute of the element is a parameter of the lesson. An iframe inside it is used, so pages that
// strip scripts still show the lesson; without one, the element's own stands in its shadow, where no framework that
// compares the page with what it wrote finds it. Unless a theme is asked for, the lesson is as light or dark as the page.
// Events: loadlab-ready, -step, -change, -predict, -challenge, -complete, -key, -error.
const root = new URL("./", import.meta.url);
const own = new Set(["lesson", "class", "id", "style", "slot", "title", "width", "height", "hidden", "dir", "tabindex", "part", "keys"]);
const live = new Set(["theme", "motion", "lang"]);
const heard = new Set(["ready", "step", "change", "predict", "challenge", "complete", "key", "error"]);
const mark = (type, fields) => ({ ns: "loadlab", v: 1, type, ...fields });
const ours = (data) => data && data.ns === "loadlab" && data.v === 1;

// Whoever needs more contrast, or colours of their own, gets them from the system, whatever the page around looks like.
const needs = ["(prefers-contrast: more)", "(forced-colors: active)"].map((query) => matchMedia(query));
const dark = matchMedia("(prefers-color-scheme: dark)");

/** Whether the page is light or dark where an element stands: as it says, else as the colour of its words tells. */
function looks(element) {
  if (needs.some(({ matches }) => matches)) return "auto";
  const { color, colorScheme } = getComputedStyle(element);
  const said = /^(?:only )?(light|dark)(?: only)?$/.exec(colorScheme)?.[1];
  if (said) return said;
  const words = /^rgba?\((\d+), (\d+), (\d+)/.exec(color)?.slice(1).map(Number);
  if (!words) return dark.matches && colorScheme !== "normal" ? "dark" : "light";
  const [red, green, blue] = words;
  return 0.299 * red + 0.587 * green + 0.114 * blue > 140 ? "dark" : "light";
}

// All lessons of a page look whenever something may have changed its looks: an attribute of its root, a style sheet, the
// system, or a change of colours that has come to its end.
const placed = new Set();
const look = () => placed.forEach((lesson) => lesson.follow());
let watched = false;
function watchPage() {
  if (watched) return;
  watched = true;
  const changes = new MutationObserver(look);
  for (const root of [document.documentElement, document.body]) changes.observe(root, { attributes: true });
  changes.observe(document.head, { childList: true, subtree: true, attributes: true });
  for (const query of [dark, ...needs]) query.addEventListener("change", look);
  addEventListener("transitionend", ({ propertyName }) => /color/.test(propertyName) && look());
  addEventListener("load", look, true);
}

let sheet;
/** The element is a block unless the page says otherwise; nothing is written into the page itself. */
function shade(shadow) {
  try {
    sheet ??= new CSSStyleSheet();
    if (!sheet.cssRules.length) sheet.replaceSync(":host { display: block } :host([hidden]) { display: none }");
    shadow.adoptedStyleSheets = [sheet];
  } catch {
    // A browser that is too old for it shows the lesson all the same.
  }
}

class LoadlabLesson extends HTMLElement {
  #frame;
  #address;
  #theme;
  #port;
  #calls = new Map();
  #sent = 0;
  #watch;

  connectedCallback() {
    if (!this.shadowRoot) shade(this.attachShadow({ mode: "open" }));
    addEventListener("message", this);
    placed.add(this);
    // While the page is still being read, the children of this element may be yet to come.
    if (document.readyState === "loading" && !this.querySelector("iframe")) {
      document.addEventListener("DOMContentLoaded", () => this.isConnected && this.#adopt(), { once: true });
    } else {
      this.#adopt();
    }
  }

  disconnectedCallback() {
    removeEventListener("message", this);
    placed.delete(this);
    this.#watch?.disconnect();
    this.#close();
  }

  #adopt() {
    watchPage();
    const found = this.querySelector("iframe");
    const frame = found ?? this.shadowRoot.querySelector("iframe") ?? document.createElement("iframe");
    this.#frame = frame;
    frame.style.cssText += ";border:0;width:100%;max-width:100%";
    if (found) {
      this.shadowRoot.replaceChildren(document.createElement("slot"));
    } else {
      frame.title = this.title || this.getAttribute("lesson") || "Loadlab";
      frame.loading = "lazy";
      frame.allow = "fullscreen; clipboard-write";
      frame.width = this.getAttribute("width") || 800;
      frame.height = this.getAttribute("height") || 560;
    }
    this.#load();
    if (!found && !frame.isConnected) this.shadowRoot.replaceChildren(frame);
    this.#watch ??= new MutationObserver((changes) => this.#reflect(changes));
    this.#watch.observe(this, { attributes: true });
  }

  #load() {
    const lesson = this.getAttribute("lesson");
    const address = lesson ? new URL(`embed/${encodeURIComponent(lesson)}/`, root) : new URL(this.#frame.src, document.baseURI);
    for (const { name, value } of this.attributes) {
      if (!own.has(name) && !/^(on|data-|aria-)/.test(name)) address.searchParams.set(name, value);
    }
    const { href } = address;
    const asked = address.searchParams.get("theme");
    const follows = !asked || asked === "auto";
    this.#theme = follows ? looks(this) : undefined;
    // The same address is not loaded again, nor is a frame that stood in the page already: it hears of the theme.
    if (this.#address === href || this.#frame.src === href) return;
    this.#address = href;
    if (lesson && follows && this.#theme !== "auto") address.searchParams.set("theme", this.#theme);
    this.#close();
    this.#frame.src = address.href;
  }

  /** Looks anew whether the page is light or dark, and tells the lesson if that is another. */
  follow() {
    if (!this.#theme || !this.isConnected) return;
    const theme = looks(this);
    if (theme === this.#theme) return;
    this.#theme = theme;
    this.#tellTheme();
  }

  #tellTheme() {
    if (this.#theme && this.#port) this.send("theme", { value: this.#theme }).catch(() => {});
  }

  // Looks change in the running lesson; anything else opens it anew.
  #reflect(changes) {
    const names = changes.map((change) => change.attributeName).filter((name) => name === "lesson" || !own.has(name));
    if (!names.length) return;
    if (this.#port && names.every((name) => live.has(name))) {
      for (const name of names) {
        const value = this.getAttribute(name) || "auto";
        const follows = name === "theme" && value === "auto";
        if (name === "theme") this.#theme = follows ? looks(this) : undefined;
        this.send(name, { value: follows ? this.#theme : value }).catch(() => {});
      }
    } else {
      this.#load();
    }
  }

  handleEvent({ source, data, origin }) {
    if (!this.#frame || source !== this.#frame.contentWindow || !ours(data)) return;
    if (data.type === "resize") this.#size(data.height);
    if (data.type !== "hello") return;
    this.#close();
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    port1.onmessage = (event) => this.#hear(event.data);
    // A sandboxed lesson has no origin that could be named; all this tells it is a port.
    const keys = this.hasAttribute("keys");
    source.postMessage(mark("connect", { keys }), origin === "null" ? "*" : origin, [port2]);
    // The page may have changed since the lesson's address was written, or the frame was in it before this script.
    this.#tellTheme();
  }

  #hear(data) {
    if (!ours(data)) return;
    const { ns, v, type, ...detail } = data;
    if (type === "resize") this.#size(detail.height);
    else if (type === "ack") {
      const call = this.#calls.get(detail.id);
      this.#calls.delete(detail.id);
      if (detail.ok) call?.[0](detail.state);
      else call?.[1](new Error(detail.error));
    } else if (heard.has(type)) {
      // As if it had been pressed here, so that the page's own listeners hear it.
      if (type === "key") this.dispatchEvent(new KeyboardEvent("keydown", { ...detail, bubbles: true, composed: true, cancelable: true }));
      this.dispatchEvent(new CustomEvent(`loadlab-${type}`, { detail, bubbles: true, composed: true }));
    }
  }

  #size(height) {
    if (height > 0 && this.getAttribute("resize") !== "off") this.#frame.style.height = `${height}px`;
  }

  #close() {
    this.#port?.close();
    this.#port = undefined;
    for (const [, fail] of this.#calls.values()) fail(new Error("closed"));
    this.#calls.clear();
  }

  /** Sends a command, such as `send("set", { name: "load", value: 80 })`; resolves when the lesson has done it. */
  send(type, fields) {
    return new Promise((done, fail) => {
      if (!this.#port) return fail(new Error("not connected"));
      const id = ++this.#sent;
      this.#calls.set(id, [done, fail]);
      this.#port.postMessage(mark(type, { ...fields, id }));
    });
  }
}

if (!customElements.get("loadlab-lesson")) customElements.define("loadlab-lesson", LoadlabLesson);
