// <loadlab-lesson lesson="load-balancing" theme="auto">: a lesson in any page. No dependency; many may stand on one page.
// Every other attribute of the element is a parameter of the lesson. An iframe inside it is used, so pages that
// strip scripts still show the lesson. Events: loadlab-ready, -step, -change, -predict, -challenge, -complete, -error.
const root = new URL("./", import.meta.url);
const own = new Set(["lesson", "class", "id", "style", "slot", "title", "width", "height", "hidden", "dir", "tabindex", "part"]);
const live = new Set(["theme", "motion", "lang"]);
const heard = new Set(["ready", "step", "change", "predict", "challenge", "complete", "error"]);
const mark = (type, fields) => ({ ns: "loadlab", v: 1, type, ...fields });
const ours = (data) => data && data.ns === "loadlab" && data.v === 1;

class LoadlabLesson extends HTMLElement {
  #frame;
  #port;
  #calls = new Map();
  #sent = 0;
  #watch;

  connectedCallback() {
    if (!this.style.display) this.style.display = "block";
    addEventListener("message", this);
    // While the page is still being read, the children of this element may be yet to come.
    if (document.readyState === "loading" && !this.querySelector("iframe")) {
      document.addEventListener("DOMContentLoaded", () => this.isConnected && this.#adopt(), { once: true });
    } else {
      this.#adopt();
    }
  }

  disconnectedCallback() {
    removeEventListener("message", this);
    this.#watch?.disconnect();
    this.#close();
  }

  #adopt() {
    const found = this.querySelector("iframe");
    const frame = (this.#frame = found ?? document.createElement("iframe"));
    if (!found) {
      frame.title = this.title || this.getAttribute("lesson") || "Loadlab";
      frame.loading = "lazy";
      frame.allow = "fullscreen; clipboard-write";
      frame.width = this.getAttribute("width") || 800;
      frame.height = this.getAttribute("height") || 560;
    }
    frame.style.cssText += ";border:0;width:100%;max-width:100%";
    this.#load();
    if (!found) this.replaceChildren(frame);
    this.#watch ??= new MutationObserver((changes) => this.#reflect(changes));
    this.#watch.observe(this, { attributes: true });
  }

  #load() {
    const lesson = this.getAttribute("lesson");
    const address = lesson ? new URL(`embed/${encodeURIComponent(lesson)}/`, root) : new URL(this.#frame.src, document.baseURI);
    for (const { name, value } of this.attributes) {
      if (!own.has(name) && !/^(on|data-|aria-)/.test(name)) address.searchParams.set(name, value);
    }
    // The same address is not loaded again.
    if (this.#frame.src !== address.href) {
      this.#close();
      this.#frame.src = address.href;
    }
  }

  // Looks change in the running lesson; anything else opens it anew.
  #reflect(changes) {
    const names = changes.map((change) => change.attributeName).filter((name) => name === "lesson" || !own.has(name));
    if (!names.length) return;
    if (this.#port && names.every((name) => live.has(name))) {
      for (const name of names) this.send(name, { value: this.getAttribute(name) || "auto" }).catch(() => {});
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
    source.postMessage(mark("connect"), origin === "null" ? "*" : origin, [port2]);
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
