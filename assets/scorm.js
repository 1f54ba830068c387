// The lesson in a learning management system: finds the SCORM interface that the system offers, opens the
// lesson where the learner left it, and reports what the lesson tells through its port. Where there is no
// interface, or it belongs to another origin, the lesson runs all the same and nothing is reported.
"use strict";

(() => {
  const ns = "loadlab";
  // SCORM 2004 3rd edition guarantees 4000 characters of suspend data, SCORM 1.2 guarantees 4096.
  const suspendMax = 4000;
  // So long after the last event the state is asked for and kept, in milliseconds.
  const settle = 800;
  const began = performance.now();

  // The standard's way: up the parents, then the opener's. Asking a window of another origin throws.
  const search = (start) => {
    let place = start;
    for (let depth = 0; place && depth < 20; depth += 1) {
      try {
        if (place.API_1484_11) return { api: place.API_1484_11, modern: true };
        if (place.API) return { api: place.API, modern: false };
        if (place.parent === place) return undefined;
        place = place.parent;
      } catch {
        return undefined;
      }
    }
    return undefined;
  };
  const opener = () => {
    try {
      return window.opener;
    } catch {
      return undefined;
    }
  };
  const found = search(window) ?? search(opener());
  const modern = Boolean(found?.modern);

  const call = (name, ...values) => {
    try {
      return String(found?.api[modern ? name : `LMS${name === "Terminate" ? "Finish" : name}`](...values) ?? "");
    } catch (error) {
      console.warn("SCORM", name, error);
      return "";
    }
  };
  let open = false;
  const get = (name) => (open ? call("GetValue", name) : "");
  const set = (name, value) => open && call("SetValue", name, String(value)) === "true";
  const either = (old, now) => (modern ? now : old);

  const read = () => {
    try {
      const kept = JSON.parse(get("cmi.suspend_data"));
      if (kept?.v === 1) return { guesses: {}, done: [], ...kept };
    } catch {
      // Nothing was kept, or nothing that can be read.
    }
    return { v: 1, beat: 1, guesses: {}, done: [], over: false };
  };

  open = call("Initialize", "") === "true";
  const status = either("cmi.core.lesson_status", "cmi.completion_status");
  const kept = read();
  if (!["completed", "passed", "failed"].includes(get(status))) set(status, "incomplete");

  const span = () => {
    const all = Math.round((performance.now() - began) / 10);
    const two = (value) => String(value).padStart(2, "0");
    const [hours, minutes] = [Math.floor(all / 360000), Math.floor(all / 6000) % 60];
    const seconds = `${two(Math.floor(all / 100) % 60)}.${two(all % 100)}`;
    return modern ? `PT${hours}H${minutes}M${Number(seconds)}S` : `${two(hours).padStart(4, "0")}:${two(minutes)}:${seconds}`;
  };

  const save = () => {
    let text = JSON.stringify(kept);
    // A run too long to keep is left out; the step of the story is always kept.
    if (text.length > suspendMax) text = JSON.stringify({ ...kept, state: undefined });
    if (text.length > suspendMax) text = JSON.stringify({ v: 1, beat: kept.beat, guesses: {}, done: [], over: kept.over });
    set("cmi.suspend_data", text);
    set(either("cmi.core.lesson_location", "cmi.location"), kept.beat);
    call("Commit", "");
  };

  const record = (list, fields) => {
    const at = Number(get(`cmi.${list}._count`)) || 0;
    for (const [name, value] of fields) set(`cmi.${list}.${at}.${name}`, value);
  };

  const told = {
    ready: () => save(),
    step: ({ beat, count }) => {
      kept.beat = beat;
      // The run kept so far is that of another step; should the learner leave before it is asked for anew, the
      // step counts.
      delete kept.state;
      if (modern && count > 0) set("cmi.progress_measure", Math.min(1, beat / count));
    },
    predict: ({ beat, choice, correct }) => {
      if (kept.guesses[beat]) return;
      kept.guesses[beat] = [choice, correct ? 1 : 0];
      record("interactions", [
        ["id", `guess-${beat}`],
        ["type", "choice"],
        [either("student_response", "learner_response"), String.fromCharCode(97 + (choice % 26))],
        ["result", correct ? "correct" : either("wrong", "incorrect")],
      ]);
    },
    challenge: ({ id }) => {
      if (kept.done.includes(id)) return;
      kept.done.push(id);
      record("objectives", [["id", `challenge-${id}`], [either("status", "completion_status"), "completed"]]);
    },
    // The lesson counts the guesses of one visit; the learner's earlier ones count as well.
    complete: ({ questions }) => {
      kept.over = true;
      kept.questions = questions;
      const right = Object.values(kept.guesses).filter(([, correct]) => correct).length;
      const score = questions > 0 ? Math.min(1, right / questions) : 1;
      const base = either("cmi.core.score", "cmi.score");
      if (modern) set(`${base}.scaled`, score);
      set(`${base}.min`, 0);
      set(`${base}.max`, 100);
      set(`${base}.raw`, Math.round(100 * score));
      if (modern) set("cmi.progress_measure", 1);
      set(status, "completed");
    },
    ack: ({ id, ok, state }) => {
      if (id === "state" && ok && typeof state === "string") kept.state = state;
    },
  };

  let port;
  let timer;
  const ask = () => port?.postMessage({ ns, v: 1, type: "getState", id: "state" });
  const hear = ({ data }) => {
    if (data?.ns !== ns || data.v !== 1 || !Object.hasOwn(told, data.type)) return;
    told[data.type](data);
    if (data.type === "ack") {
      save();
      return;
    }
    if (data.type === "complete") save();
    clearTimeout(timer);
    timer = setTimeout(ask, settle);
  };

  const frame = document.querySelector("iframe");
  window.addEventListener("message", ({ source, data }) => {
    if (source !== frame.contentWindow || data?.ns !== ns || data.v !== 1 || data.type !== "hello") return;
    port?.close();
    const channel = new MessageChannel();
    port = channel.port1;
    port.onmessage = hear;
    // A page from a folder has no origin to name; the frame is this package's own.
    frame.contentWindow.postMessage({ ns, v: 1, type: "connect" }, "*", [channel.port2]);
  });

  const query = new URLSearchParams({ links: "0", resize: "off" });
  if (kept.state) query.set("state", kept.state);
  else if (kept.beat > 1) query.set("beat", kept.beat);
  frame.src = `${frame.dataset.src}?${query}`;

  let left = false;
  const leave = () => {
    if (left || !open) return;
    left = true;
    set(either("cmi.core.session_time", "cmi.session_time"), span());
    set(either("cmi.core.exit", "cmi.exit"), kept.over ? either("", "normal") : "suspend");
    save();
    call("Terminate", "");
    open = false;
  };
  window.addEventListener("pagehide", leave);
  window.addEventListener("beforeunload", leave);
})();
