// <loadlab-download>: the part of the Embed dialog that makes files for a course. What packs them is assets/packages.js; this
// is the form around it. Its words and the list of lessons come with the table of packages.
import { Missing, kinds, pack } from "./packages.js";

const element = (tag, fields = {}, ...children) => {
  const made = Object.assign(document.createElement(tag), fields);
  made.append(...children);
  return made;
};
const filled = (text, ...values) => text.replace(/\{(\d)\}/g, (whole, at) => String(values[at] ?? whole));
// As an object lists its names, 2004 would come first.
const order = ["1.2", "2004", "cmi5", "single", "cartridge"];
let count = 0;

class LoadlabDownload extends HTMLElement {
  #words;
  #work;

  async connectedCallback() {
    this.root = new URL(this.dataset.root, document.baseURI).href;
    try {
      const { words, lessons } = await (await this.#fetch("packages/index.json")).json();
      this.#words = words;
      if (this.isConnected) this.#show(lessons);
    } catch (error) {
      this.replaceChildren(element("p", {}, filled(this.dataset.missing, error.path ?? "packages/index.json")));
    }
  }

  disconnectedCallback() {
    this.#work?.abort();
  }

  async #fetch(path, signal) {
    try {
      const answer = await fetch(this.root + path, { signal });
      if (answer.ok) return answer;
      throw new Error(answer.status);
    } catch (error) {
      signal?.throwIfAborted();
      throw new Missing(path, error);
    }
  }

  #show(lessons) {
    const say = (id) => this.#words[id] ?? id;
    const id = `download-${(count += 1)}`;
    const kind = element("select", { className: "input", id: `${id}-kind` },
      ...order.map((name) => element("option", { value: name }, say(name))));
    kind.value = "1.2";
    const hint = element("small", { id: `${id}-for` });
    kind.setAttribute("aria-describedby", hint.id);
    const pass = element("input", { className: "input", id: `${id}-pass`, type: "number", min: 0, max: 100, step: 1, placeholder: say("pass-none") });
    const passField = element("div", { className: "field" }, element("label", { htmlFor: pass.id }, say("pass")), pass);
    const boxes = lessons.filter(({ slug }) => slug !== this.dataset.slug).map(({ slug, title }) => element("label", {},
      element("input", { type: "checkbox", value: slug }), ` ${title}`));
    const more = element("details", { className: "more" }, element("summary", {}, say("more")),
      element("p", {}, say("more-text")), element("div", { className: "checks" }, ...boxes));
    const start = element("button", { className: "btn btn-primary", type: "submit" }, say("download"));
    const cancel = element("button", { className: "btn", type: "button", hidden: true, onclick: () => this.#work?.abort() }, say("cancel"));
    const progress = element("progress", { hidden: true });
    progress.setAttribute("aria-label", say("packing"));
    const said = element("p", {});
    said.setAttribute("role", "status");
    for (const control of [kind, pass]) control.style.maxWidth = "22rem";
    const change = () => {
      hint.textContent = say(`${kind.value}-for`);
      passField.hidden = !kinds[kind.value].manifest;
      more.hidden = Boolean(kinds[kind.value].alone);
      said.replaceChildren();
    };
    kind.addEventListener("change", change);
    change();
    const form = element("form", {}, element("h3", {}, say("title")), element("p", {}, say("lead")),
      element("div", { className: "field" }, element("label", { htmlFor: kind.id }, say("kind")), kind, hint), passField, more,
      element("div", { className: "actions" }, start, cancel), progress, said);
    form.style.cssText = "display: grid; gap: var(--s3)";
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (this.#work) return;
      const chosen = kinds[kind.value].alone ? [] : boxes.map(({ control }) => control).filter((box) => box.checked).map((box) => box.value);
      const choice = { slugs: [this.dataset.slug, ...chosen], query: this.dataset.query ?? "", home: this.root,
        pass: passField.hidden || pass.value === "" ? "" : Number(pass.value) };
      [cancel.hidden, progress.hidden] = [false, false];
      start.setAttribute("aria-disabled", "true");
      cancel.focus();
      said.replaceChildren();
      said.replaceChildren(...(await this.#make(kind.value, choice, progress)));
      said.scrollIntoView({ block: "nearest" });
      const back = document.activeElement === cancel;
      [cancel.hidden, progress.hidden] = [true, true];
      start.removeAttribute("aria-disabled");
      if (back) start.focus();
    });
    this.replaceChildren(form);
  }

  /** Makes the file and hands it to the browser; returns what there is to say. */
  async #make(kind, choice, progress) {
    const say = (id, ...values) => [filled(this.#words[id] ?? id, ...values)];
    const work = (this.#work = new AbortController());
    progress.removeAttribute("value");
    const got = new Map();
    const get = async (path) => {
      if (!got.has(path)) got.set(path, new Uint8Array(await (await this.#fetch(path, work.signal)).arrayBuffer()));
      return got.get(path);
    };
    let done = 0;
    // The page stays alive between two files, and shows how far it is; each file is fetched once and packed once.
    const step = async () => {
      done += 1;
      progress.max = Math.max(progress.max, done + 12, 40 * choice.slugs.length);
      progress.value = done;
      await new Promise((resolve) => setTimeout(resolve));
      work.signal.throwIfAborted();
    };
    try {
      const { name, blob } = await pack(kind, choice, { get, step });
      work.signal.throwIfAborted();
      const address = URL.createObjectURL(blob);
      element("a", { href: address, download: name }).click();
      // The browser has begun to read it by then.
      setTimeout(() => URL.revokeObjectURL(address), 60_000);
      const text = say("done", name, Math.ceil(blob.size / 1024));
      if (window.top === window) return text;
      const own = element("a", { href: location.href, target: "_blank", rel: "noopener" }, this.#words["own-tab"]);
      return [`${text} ${this.#words.framed} `, own];
    } catch (error) {
      if (work.signal.aborted) return say("cancelled");
      if (error instanceof Missing) return say("missing", error.path);
      return say("failed", error.message);
    } finally {
      this.#work = undefined;
    }
  }
}

if (!customElements.get("loadlab-download")) customElements.define("loadlab-download", LoadlabDownload);
