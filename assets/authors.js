// The workbench of the authors' page: writes the address and the snippets from what the author chooses, shows the
// lesson with it, and lets the author talk to it as a course page would. The page reads well without this script.
"use strict";

(() => {
  for (const button of document.querySelectorAll("[data-copies]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const source = document.getElementById(button.dataset.copies);
      try {
        await navigator.clipboard.writeText(source.textContent);
        button.textContent = button.dataset.done;
      } catch {
        // Where copying is not allowed the text is selected, ready for the keyboard.
        getSelection().selectAllChildren(source);
      }
    });
  }
  // The page of recipes has code to copy and no workbench.
  const bench = document.querySelector(".bench");
  if (!bench) return;
  const frame = document.getElementById("bench-frame");
  const log = document.getElementById("bench-log");
  const form = document.getElementById("bench-form");
  const talk = document.getElementById("bench-talk");
  const root = new URL(bench.dataset.root, document.baseURI).href;
  // So many messages stay in view.
  const kept = 60;
  // The lesson follows this long after the last change, in milliseconds.
  const settle = 400;

  const escaped = (text) =>
    text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  // What may stay plain in a query stays plain, so that addresses can be read.
  const encoded = (text) => encodeURIComponent(text).replaceAll("%2C", ",").replaceAll("%2F", "/").replaceAll("%3A", ":");

  /** The parameters chosen, as names and values. */
  const chosen = () =>
    [...form.querySelectorAll("[data-parameter]")].flatMap(({ value, dataset }) => {
      const text = value.trim();
      if (!text) return [];
      if (dataset.parameter !== "p.<knob>") return [[dataset.parameter, text]];
      return text.split(/[,\s]+/).filter(Boolean).map((pair) => {
        const [knob, ...rest] = pair.split("=");
        return [`p.${knob}`, rest.join("=")];
      });
    });

  const write = () => {
    const lesson = form.elements.lesson;
    const slug = lesson.value;
    const title = bench.dataset.title.replace("{0}", lesson.selectedOptions[0].textContent);
    const pairs = chosen();
    const query = pairs.map(([name, value]) => `${encoded(name)}=${encoded(value)}`).join("&");
    const address = `${root}embed/${slug}/${query && "?"}${query}`;
    const attributes = pairs.map(([name, value]) => ` ${name}="${escaped(value)}"`).join("");
    const snippets = {
      address,
      iframe: `<iframe src="${escaped(address)}" title="${escaped(title)}"\n width="${frame.width}" height="${frame.height}" ` +
        `style="border:0;width:100%;max-width:960px" loading="lazy"\n allow="fullscreen; clipboard-write"></iframe>`,
      jsx: `<iframe src="${escaped(address)}" title="${escaped(title)}"\n width={${frame.width}} height={${frame.height}} ` +
        `style={{ border: 0, width: "100%", maxWidth: 960 }} loading="lazy"\n allow="fullscreen; clipboard-write" />`,
      element: `<script type="module" src="${escaped(root)}embed.js"></script>\n` +
        `<loadlab-lesson lesson="${slug}"${attributes}></loadlab-lesson>`,
    };
    for (const [name, text] of Object.entries(snippets)) document.getElementById(`snippet-${name}`).textContent = text;
    return address;
  };

  let timer;
  const show = () => {
    const address = write();
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (frame.src !== address) frame.src = address;
    }, settle);
  };

  const say = (way, data) => {
    const { ns, v, ...rest } = data;
    const line = document.createElement("li");
    line.dataset.way = way;
    line.textContent = JSON.stringify(rest);
    log.append(line);
    while (log.childElementCount > kept) log.firstElementChild.remove();
    log.scrollTop = log.scrollHeight;
  };

  let port;
  let sent = 0;
  addEventListener("message", ({ source, data }) => {
    if (source !== frame.contentWindow || data?.ns !== "loadlab" || data.v !== 1) return;
    if (data.type !== "hello") return;
    port?.close();
    say("heard", data);
    const channel = new MessageChannel();
    port = channel.port1;
    port.onmessage = ({ data }) => {
      if (data?.ns !== "loadlab") return;
      // As an author's page would do it: the frame is as high as the lesson wants to be.
      if (data.type === "resize") frame.style.height = `${data.height}px`;
      say("heard", data);
    };
    frame.contentWindow.postMessage({ ns: "loadlab", v: 1, type: "connect" }, new URL(root).origin, [channel.port2]);
  });

  const command = talk.elements.command;
  const fields = talk.elements.fields;
  // A knob or an action is one of the lesson shown.
  const example = () => {
    const own = form.elements.lesson.selectedOptions[0].dataset;
    fields.value = own[command.value] ?? command.selectedOptions[0].dataset.fields;
    form.querySelector("[data-parameter='p.<knob>']").placeholder = own.knobs;
  };
  command.addEventListener("change", example);
  form.elements.lesson.addEventListener("change", example);
  talk.addEventListener("submit", (event) => {
    event.preventDefault();
    let more;
    try {
      more = JSON.parse(fields.value || "{}");
      fields.setCustomValidity("");
    } catch (error) {
      fields.setCustomValidity(error.message);
      fields.reportValidity();
      return;
    }
    if (!port) return;
    sent += 1;
    const message = { ns: "loadlab", v: 1, type: command.value, ...more, id: sent };
    say("sent", message);
    port.postMessage(message);
  });
  fields.addEventListener("input", () => fields.setCustomValidity(""));

  form.addEventListener("input", show);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    show();
  });
  form.addEventListener("reset", () => setTimeout(() => {
    example();
    show();
  }));
  for (const part of [form, talk]) part.hidden = false;
  example();
  show();
})();
