// The lesson in a learning management system: finds the SCORM interface that the system offers, opens the lesson where the
// learner left it, and reports what the lesson tells through its port. Where there is no interface, or it belongs to another
// origin, the lesson runs all the same and nothing is reported.
//
// A session is in one of five states:
//
//   state     | what happens                          | becomes
//   ----------|---------------------------------------|--------------------------------------------
//   alone     | no interface, or Initialize refused   | stays: nothing is written
//   opening   | the lesson is on its way              | watching or recording, when it is there; over, when the learner leaves
//   watching  | review, browse, or without credit     | over, when the learner leaves: nothing is written
//   recording | each change is written and committed  | over, when the learner leaves; stays, while a commit is tried again
//   over      | Terminate was called                  | recording or alone, when the browser brings the page back
//
// The learner leaves with `pagehide`, and only where the page does not stay in the browser's memory: a download, a mail link
// or a refused question on leaving also raise `beforeunload`, and ended sessions that went on. Whatever is to be known of a
// session (place, run, time, how it ends) is written with every save, so that a machine that loses power loses no more than
// the last seconds. What has been reached never falls: neither status, nor progress, nor score.
//
// Each call holds up the page until the system answers, and some take seconds. Before the lesson is there, nothing is asked but
// where it opens. What is to be written waits in a queue: a quick system gets it at once, a slow one a call at a time, with much
// longer pauses for the lesson between them. Who leaves, or looks elsewhere, has all of it written first. A system may answer
// anything, nothing, or throw.
"use strict";

(() => {
  const ns = "loadlab";
  // SCORM 1.2 guarantees 4096 characters of suspend data, SCORM 2004 4000 in its second edition and 64000 since the third. A system
  // need not be of the edition that the package names, and a run is seldom longer.
  const suspendMax = 4000;
  // In milliseconds: after the last event so long, the run is asked for and kept; so often at least while it is watched; and
  // after so long a commit that failed is tried again, at last every minute.
  const settle = 800;
  const often = 30_000;
  const again = [2_000, 5_000, 15_000, 60_000];
  // A call that takes longer is felt. So many times as long the lesson then has for itself; a call that takes seconds is told of.
  const felt = 100;
  const pause = 9;
  const long = 1_000;
  const frame = document.querySelector("iframe");
  const status = document.querySelector("[role=status]");
  const { scorm = "", pass = "", questions = "[]" } = frame.dataset;
  let began = performance.now();

  // Says what is not kept, where a learner sees it: the worst of what holds.
  const words = ["refused", "watching", "unsaved", "full", "slow"];
  const holding = new Set();
  const tell = (word, holds = true) => {
    if (holds) holding.add(word);
    else holding.delete(word);
    const text = status.dataset[words.find((word) => holding.has(word))] ?? "";
    // What stays is not said again.
    if (status.textContent !== text) status.textContent = text;
    status.hidden = !text;
  };

  // Without these methods nothing can be kept. The one that ends a session some systems name otherwise (Wagtail LMS), or lack: what
  // was committed is kept all the same.
  const names = {
    modern: { object: "API_1484_11", methods: ["Initialize", "GetValue", "SetValue", "Commit"], ends: ["Terminate"] },
    old: { object: "API", methods: ["LMSInitialize", "LMSGetValue", "LMSSetValue", "LMSCommit"], ends: ["LMSFinish", "LMSTerminate"] },
  };
  // An interface counts if it has the methods; reading those of another origin throws.
  const interfaceOf = (place, { object, methods }) => {
    const api = place[object];
    return api && methods.every((name) => typeof api[name] === "function") ? api : undefined;
  };
  // The standard's way: up the parents, then the opener's.
  const search = (start, kind) => {
    let place = start;
    for (let depth = 0; place && depth < 20; depth += 1) {
      try {
        const api = interfaceOf(place, kind);
        if (api) return api;
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
  // The version that the package says it is comes first: some systems offer both, and record the one that they launched.
  const kinds = scorm === "2004" ? [names.modern, names.old] : [names.old, names.modern];
  let api;
  let kind;
  for (kind of kinds) {
    api = search(window, kind) ?? search(opener(), kind);
    if (api) break;
  }
  const modern = kind === names.modern;
  const either = (old, now) => (modern ? now : old);

  const call = (name, ...values) => {
    const start = performance.now();
    try {
      return String(api[name](...values) ?? "");
    } catch (error) {
      console.warn("SCORM", name, error);
      return "false";
    } finally {
      const lasted = performance.now() - start;
      took += lasted;
      if (lasted > long) tell("slow");
    }
  };
  // How long the calls of one turn took.
  let took = 0;
  const yes = (answer) => /^(true|1)$/i.test(answer);
  const initialized = () => yes(call(kind.methods[0], ""));
  const end = () => {
    const name = kind.ends.find((name) => typeof api[name] === "function");
    if (name) call(name, "");
  };
  const open = () => ["opening", "watching", "recording"].includes(state);
  const get = (name) => (open() ? call(kind.methods[1], name) : "");

  let state = "alone";
  const initialize = () => {
    if (!api) return "alone";
    // An interface that outlived a page of this package may be open still: 101 and 103 say so.
    const begun = initialized() || isOpen();
    tell("refused", !begun);
    return begun ? "opening" : "alone";
  };
  const isOpen = () => {
    try {
      const code = String(modern ? api.GetLastError() : api.LMSGetLastError());
      return code === either("101", "103");
    } catch {
      return false;
    }
  };
  state = initialize();

  const run = "cmi.suspend_data";
  // What was kept, as far as it makes sense: a system may answer with anything.
  const read = () => {
    let found;
    try {
      found = JSON.parse(get(run));
    } catch {
      // Nothing was kept, or nothing that can be read.
    }
    const { beat, guesses, done, over, progress, best, questions, state: at } = found?.v === 1 ? found : {};
    const share = (value) => (value > 0 && value <= 1 ? Number(value) : 0);
    return {
      v: 1,
      beat: Number.isInteger(beat) && beat > 0 && beat < 1_000 ? beat : 1,
      guesses: Object.fromEntries(Object.entries(guesses ?? {}).filter(([, guess]) => Array.isArray(guess))),
      done: Array.isArray(done) ? done : [],
      over: over === true,
      progress: share(progress),
      best: share(best),
      questions: questions > 0 ? Number(questions) : undefined,
      state: typeof at === "string" ? at : undefined,
    };
  };
  const kept = read();
  const place = either("cmi.core.lesson_status", "cmi.completion_status");
  const base = either("cmi.core.score", "cmi.score");
  const reached = ["completed", "passed", "failed"];
  let before = "";

  const duration = (ms) => {
    const all = Math.round(ms / 10);
    const two = (value) => String(value).padStart(2, "0");
    const [hours, minutes] = [Math.floor(all / 360000), Math.floor(all / 6000) % 60];
    const seconds = `${two(Math.floor(all / 100) % 60)}.${two(all % 100)}`;
    return modern ? `PT${hours}H${minutes}M${Number(seconds)}S` : `${two(hours).padStart(4, "0")}:${two(minutes)}:${seconds}`;
  };
  const moment = () => (modern ? new Date().toISOString().replace(/\.\d+Z$/, "Z") : new Date().toTimeString().slice(0, 8));

  // What is to be written, by name, in its order; what stands as a function is settled when its turn comes. What was written
  // last is not written again, unless a commit fails: then all of it may be lost. Of what every system must take, a refusal is told.
  const queue = new Map();
  const written = new Map();
  const refused = new Map();
  const must = [place, "cmi.success_status", `${base}.raw`];
  const put = (name, value) => {
    const text = String(value);
    if (written.get(name) === text) return true;
    // Only "false" says no: some systems answer nothing.
    const done = call(kind.methods[2], name, text) !== "false";
    if (done) written.set(name, text);
    if (done) refused.delete(name);
    else if (must.includes(name)) refused.set(name, text);
    return done;
  };
  const set = (name, value) => state === "recording" && queue.set(name, value);

  // A run too long to keep is left out, then guesses and challenges; the step of the story is always kept.
  const keep = () => {
    const texts = [kept, { ...kept, state: undefined }, { v: 1, beat: kept.beat, over: kept.over, progress: kept.progress, best: kept.best }];
    const fits = texts.map((text) => JSON.stringify(text)).findIndex((text) => text.length <= suspendMax && put(run, text));
    if (fits < 0) refused.set(run);
    // Without a run, nothing is known of how long one would be.
    if (fits !== 0 || kept.state) tell("full", fits > 0);
  };

  // A commit waits in the queue like anything else, so that it gets its turn however much comes; what came behind it has another.
  const committing = "commit";
  let failures = 0;
  const commit = () => {
    const done = yes(call(kind.methods[3], ""));
    failures = done ? 0 : failures + 1;
    tell("unsaved", !done || refused.size > 0);
    if (!done) {
      // In the order of old: what names a thing comes before what is told of it.
      const waiting = [...queue];
      queue.clear();
      for (const [name, value] of [...written, ...waiting]) queue.set(name, value);
      written.clear();
    }
    if (!done || queue.size > 0) queue.set(committing);
    return done;
  };

  // Writes what waits, in its order, and commits it. `whole`: whatever it takes, for nobody looks on any more.
  let waits;
  let free = 0;
  const write = (whole = document.visibilityState === "hidden") => {
    clearTimeout(waits);
    const later = (ms) => {
      free = performance.now() + ms;
      waits = setTimeout(write, ms);
    };
    const wait = free - performance.now();
    if (!whole && wait > 0) return later(wait);
    while (state === "recording" && queue.size > 0) {
      const [[name, value]] = queue;
      queue.delete(name);
      took = 0;
      if (name === run) keep();
      else if (name !== committing) put(name, typeof value === "function" ? value() : value);
      else if (!commit()) return later(Math.max(again[Math.min(failures, again.length) - 1], pause * took));
      if (took > felt && !whole) return later(pause * took);
    }
  };

  const save = (whole) => {
    set(run);
    for (const [name, text] of refused) if (!queue.has(name)) set(name, text);
    set(either("cmi.core.lesson_location", "cmi.location"), () => kept.beat);
    if (modern && kept.progress > 0) set("cmi.progress_measure", () => kept.progress);
    set(either("cmi.core.session_time", "cmi.session_time"), () => duration(performance.now() - began));
    // Also after the end: whoever comes back finds what they left.
    set(either("cmi.core.exit", "cmi.exit"), "suspend");
    set(committing);
    write(whole);
  };

  // The lesson is there: whether this visit counts, and what the system knows of earlier ones.
  const begin = () => {
    if (state !== "opening") return;
    const mode = get(either("cmi.core.lesson_mode", "cmi.mode"));
    const credit = get(either("cmi.core.credit", "cmi.credit"));
    before = get(place);
    const watches = ["review", "browse"].includes(mode) || credit === "no-credit";
    state = watches ? "watching" : "recording";
    tell("watching", watches);
    if (reached.includes(before)) kept.over = true;
    else if (!kept.over) set(place, "incomplete");
  };

  // Open edX keeps no count: how many there are is asked once, and counted from then on.
  const counts = {};
  const record = (list, own, fields) => {
    if (state !== "recording") return;
    const said = counts[list] ?? Number(get(`cmi.${list}._count`));
    // Nobody has answered thousands of times.
    const at = Math.max(Number.isInteger(said) && said < 10_000 ? said : 0, own);
    counts[list] = at + 1;
    for (const [name, value] of fields) if (value !== undefined) set(`cmi.${list}.${at}.${name}`, value);
  };

  const asked = (() => {
    try {
      return [].concat(JSON.parse(questions));
    } catch {
      return [];
    }
  })();
  const letter = (choice) => String.fromCharCode(97 + (choice % 26));
  let shown = performance.now();

  const grade = () => {
    const right = Object.values(kept.guesses).filter(([, correct]) => correct).length;
    const score = kept.questions > 0 ? Math.min(1, right / kept.questions) : 1;
    kept.best = Math.max(kept.best, score);
    if (modern) set(`${base}.scaled`, kept.best);
    set(`${base}.min`, 0);
    set(`${base}.max`, 100);
    set(`${base}.raw`, Math.round(100 * kept.best));
    kept.progress = 1;
    const mark = Number(pass) / 100;
    const passed = pass !== "" && mark >= 0 && mark <= 1 ? kept.best >= mark : undefined;
    if (modern) {
      set(place, "completed");
      if (passed !== undefined) set("cmi.success_status", passed ? "passed" : "failed");
    } else if (before !== "passed") {
      set(place, passed === undefined ? "completed" : passed ? "passed" : "failed");
    }
  };

  const told = {
    ready: begin,
    change: () => {},
    step: ({ beat, count }) => {
      shown = performance.now();
      kept.beat = beat;
      // The run kept so far is that of another step; should the learner leave before it is asked for anew, the step counts.
      delete kept.state;
      if (count > 0) kept.progress = Math.max(kept.progress, Math.min(1, beat / count));
    },
    predict: ({ beat, choice, correct, truth }) => {
      if (kept.guesses[beat]) return;
      const own = Object.keys(kept.guesses).length;
      kept.guesses[beat] = [choice, correct ? 1 : 0];
      const { text, options = [] } = asked.find((one) => one?.beat === beat) ?? {};
      const right = typeof truth === "number" ? truth : correct ? choice : undefined;
      const said = text && [text, ...options.map((option, at) => `${letter(at)}: ${option}`)].join("\n");
      record("interactions", own, [
        ["id", `guess-${beat}`],
        ["type", "choice"],
        [either("time", "timestamp"), moment()],
        // SCORM 1.2 has no place for the question's text.
        ["description", modern && said ? said.slice(0, 250) : undefined],
        ["correct_responses.0.pattern", right === undefined ? undefined : letter(right)],
        [either("student_response", "learner_response"), letter(choice)],
        ["result", correct ? "correct" : either("wrong", "incorrect")],
        ["latency", duration(performance.now() - shown)],
      ]);
    },
    challenge: ({ id }) => {
      if (kept.done.includes(id)) return;
      const own = kept.done.length;
      kept.done.push(id);
      record("objectives", own, [["id", `challenge-${id}`], [either("status", "completion_status"), "completed"]]);
    },
    // The lesson counts the guesses of one visit; the learner's earlier ones count as well.
    complete: ({ questions }) => {
      kept.over = true;
      kept.questions = questions;
      grade();
    },
    ack: ({ id, ok, state }) => {
      if (id === "state" && ok && typeof state === "string") kept.state = state;
    },
  };

  let port;
  let timer;
  const ask = () => {
    clearTimeout(timer);
    timer = setTimeout(ask, often);
    port?.postMessage({ ns, v: 1, type: "getState", id: "state" });
  };
  const hear = ({ data }) => {
    if (data?.ns !== ns || data.v !== 1 || !Object.hasOwn(told, data.type)) return;
    told[data.type](data);
    if (data.type === "ack") {
      save();
      return;
    }
    if (data.type !== "change") save();
    clearTimeout(timer);
    timer = setTimeout(ask, settle);
  };

  window.addEventListener("message", ({ source, data }) => {
    if (source !== frame.contentWindow || data?.ns !== ns || data.v !== 1 || data.type !== "hello") return;
    port?.close();
    const channel = new MessageChannel();
    port = channel.port1;
    port.onmessage = hear;
    // A page from a folder has no origin to name; the frame is this package's own.
    frame.contentWindow.postMessage({ ns, v: 1, type: "connect" }, "*", [channel.port2]);
  });

  // The author's choice, such as a part of the story: what the lesson counts then is that part.
  const query = new URLSearchParams(frame.dataset.query);
  query.set("links", "0");
  query.set("resize", "off");
  // Whoever comes back stands where they left, wherever the author opens the lesson.
  if (kept.state || kept.beat > 1) for (const name of ["at", "state"]) query.delete(name);
  if (kept.state) query.set("state", kept.state);
  else if (kept.beat > 1) query.set("beat", kept.beat);
  frame.src = `${frame.dataset.src}?${query}`;

  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState !== "hidden") return;
    save();
    // The run of this moment comes a little later, and is kept then.
    ask();
  });
  window.addEventListener("pagehide", ({ persisted }) => {
    if (state === "recording") save(true);
    if (persisted || !open()) return;
    end();
    state = "over";
  });
  // A browser may bring a page back that it had said to be gone for good.
  window.addEventListener("pageshow", () => {
    if (state !== "over") return;
    queue.clear();
    written.clear();
    began = performance.now();
    state = initialize();
    begin();
    save();
  });
})();
