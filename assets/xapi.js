// The lesson and a learning record store (xAPI 1.0.3): opens the lesson where the learner left it and tells the store what the
// lesson tells through its port. A launch is plain (`endpoint`, `auth`, `actor`; `registration`, `activity_id`, `pass` as wanted) or
// cmi5's (`fetch`, `endpoint`, `actor`, `registration`, `activityId`). A package's page has its frame already; an embed of the site
// becomes such a page when its address names a store, and then what its parent and the lesson say to each other passes through.
//
// A session is in one of these states:
//
//   state    | what happens                                             | becomes
//   ---------|----------------------------------------------------------|------------------------------------------------
//   opening  | token, launch data and what was kept are asked for       | telling; watching; silent, where they cannot be had
//   silent   | nothing is sent, and the learner is told so              | stays
//   watching | cmi5's Browse and Review: only how the visit began       | over, when the learner leaves
//   telling  | statements go out in order, one batch at a time          | waiting; refused; over, when the learner leaves
//   waiting  | the store was slow, busy or out of reach: tried again    | telling; refused; over, when the learner leaves
//   refused  | the store turned a statement down: nothing more is sent  | stays
//   over     | terminated was sent                                      | stays
//
// Each statement has an id before it is first sent, so sending it again stores it once. What has been reached never falls, and
// completed, passed and each answer are told once for a registration: what was told is kept in the store beside the run.
"use strict";

(() => {
  const ns = "loadlab";
  const verbs = {
    launched: "http://adlnet.gov/expapi/verbs/launched",
    initialized: "http://adlnet.gov/expapi/verbs/initialized",
    answered: "http://adlnet.gov/expapi/verbs/answered",
    progressed: "http://adlnet.gov/expapi/verbs/progressed",
    completed: "http://adlnet.gov/expapi/verbs/completed",
    passed: "http://adlnet.gov/expapi/verbs/passed",
    failed: "http://adlnet.gov/expapi/verbs/failed",
    terminated: "http://adlnet.gov/expapi/verbs/terminated",
  };
  const cmi5 = "https://w3id.org/xapi/cmi5/context/";
  const progressName = "https://w3id.org/xapi/cmi5/result/extensions/progress";
  const stateId = "loadlab";
  // In milliseconds: an answer is waited for so long, and by the lesson before it opens so long; after a failure it is tried again so late, at last every minute; after the
  // last event so long, the run is asked for and kept.
  const patience = 30_000;
  const courtesy = 5_000;
  const again = [2_000, 5_000, 15_000, 60_000];
  const settle = 800;
  // So many hellos a parent gets, so often, until it connects.
  const hellos = { every: 500, times: 20 };
  const began = performance.now();
  const asked = new URLSearchParams(location.search);
  const page = document.documentElement.dataset;
  const launch = ["endpoint", "auth", "actor", "registration", "activity_id", "activityId", "fetch", "pass"];

  let state = "opening";
  let status = document.querySelector("[role=status]");
  let frame = document.querySelector("iframe[data-src]");
  const relays = !frame;
  // What an embed of the site says and asks comes from the site's own table.
  const root = new URL(page.root ?? "./", document.baseURI);
  const read = async (name) => (await fetch(new URL(`packages/${name}.json`, root))).json();
  let questions = [];
  let words = {};

  // Says what is not kept, where a learner sees it.
  const tell = (word) => {
    if (!status) return;
    status.textContent = word ? (words[word] ?? "") : "";
    status.hidden = !word;
  };

  // The launch

  const one = (value) => (Array.isArray(value) ? value[0] : value);
  /** Who learns: an agent with one identifier; launches of older versions put each into a list. */
  const agentOf = (text) => {
    try {
      const { name, mbox, mbox_sha1sum, openid, account } = JSON.parse(text);
      const agent = { objectType: "Agent" };
      if (typeof one(name) === "string") agent.name = one(name);
      const [home, id] = [one(account)?.homePage ?? one(account)?.accountServiceHomePage, one(account)?.name ?? one(account)?.accountName];
      if (home && id) return { ...agent, account: { homePage: String(home), name: String(id) } };
      for (const [kind, value] of Object.entries({ mbox, mbox_sha1sum, openid })) if (one(value)) return { ...agent, [kind]: String(one(value)) };
    } catch {
      // No JSON, or no agent.
    }
    return undefined;
  };
  const addressOf = (text, slash) => {
    try {
      const url = new URL(text);
      if (!/^https?:$/.test(url.protocol)) return undefined;
      return slash && !url.href.endsWith("/") ? `${url.href}/` : url.href;
    } catch {
      return undefined;
    }
  };
  const endpoint = addressOf(asked.get("endpoint"), true);
  const tokens = addressOf(asked.get("fetch"));
  const actor = agentOf(asked.get("actor") ?? "null");
  const registration = asked.get("registration") ?? undefined;
  const activity = asked.get("activityId") ?? asked.get("activity_id") ?? new URL(`l/${page.slug ?? ""}/`, root).href;
  let authority = asked.get("auth") ?? undefined;
  let template = {};
  let mark = /^\d+(\.\d+)?$/.test(asked.get("pass") ?? "") ? Math.min(100, Number(asked.get("pass"))) / 100 : undefined;
  let masters = false;

  const headers = (more) => ({ Authorization: authority, "X-Experience-API-Version": "1.0.3", ...more });
  const request = (path, options = {}) => fetch(endpoint + path, { signal: AbortSignal.timeout(patience), ...options, headers: headers(options.headers) });
  const stateAt = (id) => {
    const query = new URLSearchParams({ activityId: activity, agent: JSON.stringify(actor), stateId: id });
    if (registration) query.set("registration", registration);
    return `activities/state?${query}`;
  };
  const objectAt = async (path) => {
    const answer = await request(path);
    if (!answer.ok) return undefined;
    const found = await answer.json();
    return found && typeof found === "object" && !Array.isArray(found) ? found : undefined;
  };
  const maybe = (promise) => promise.catch((error) => {
    console.warn("xAPI", error);
  });

  /** What becomes of the session. */
  const open = async () => {
    if (!endpoint || !actor) return "silent";
    if (tokens) {
      const answer = await maybe(fetch(tokens, { method: "POST", signal: AbortSignal.timeout(patience) }).then((answer) => answer.json()));
      const token = answer?.["auth-token"];
      if (typeof token !== "string" || !token) return "silent";
      authority = `Basic ${token}`;
    }
    if (!authority) return "silent";
    const fresh = await maybe(objectAt(stateAt(stateId)));
    if (fresh?.v === 1) recall(fresh);
    if (!tokens) return "telling";
    // Without its launch data a lesson may not tell in cmi5's name.
    const data = await maybe(objectAt(stateAt("LMS.LaunchData")));
    if (!data) return "silent";
    if (data.contextTemplate && typeof data.contextTemplate === "object") template = data.contextTemplate;
    if (data.masteryScore >= 0 && data.masteryScore <= 1) [mark, masters] = [data.masteryScore, true];
    const profile = `agents/profile?${new URLSearchParams({ agent: JSON.stringify(actor), profileId: "cmi5LearnerPreferences" })}`;
    const wishes = await maybe(objectAt(profile));
    language = String(wishes?.languagePreference ?? "").split(",")[0].trim();
    return data.launchMode === "Browse" || data.launchMode === "Review" ? "watching" : "telling";
  };

  // What is kept

  const kept = { v: 1, beat: 1, guesses: {}, over: false, passed: false, progress: 0, best: 0 };
  let language = "";
  /** Takes what an earlier visit reached; this one may have begun meanwhile. */
  const recall = (fresh) => {
    kept.guesses = { ...fresh.guesses, ...kept.guesses };
    kept.over ||= Boolean(fresh.over);
    kept.passed ||= Boolean(fresh.passed);
    for (const name of ["progress", "best"]) kept[name] = Math.max(kept[name], Number(fresh[name]) || 0);
    if (frame.src) return;
    kept.beat = Number(fresh.beat) || 1;
    if (typeof fresh.state === "string") kept.state = fresh.state;
  };
  const keep = async () => {
    if (state !== "telling" && state !== "waiting") return;
    const options = { method: "PUT", body: JSON.stringify(kept), headers: { "Content-Type": "application/json" }, keepalive: true };
    const answer = await maybe(request(stateAt(stateId), options));
    if (!answer?.ok && state === "telling") tell("unsaved");
  };

  // Statements

  const duration = (ms) => `PT${Number((ms / 1000).toFixed(2))}S`;
  const lesson = () => ({
    objectType: "Activity", id: activity,
    definition: { type: "http://adlnet.gov/expapi/activities/lesson", name: { en: frame.title } },
  });
  const contextOf = (verb) => {
    const context = { ...template };
    if (registration) context.registration = registration;
    if (!tokens || verb === "answered" || verb === "progressed") return context;
    const category = [].concat(template.contextActivities?.category ?? [], { id: `${cmi5}categories/cmi5` });
    const moves = verb === "completed" || verb === "passed" || verb === "failed";
    if (moves) category.push({ id: `${cmi5}categories/moveon` });
    context.contextActivities = { ...template.contextActivities, category };
    if (masters && (verb === "passed" || verb === "failed")) {
      context.extensions = { ...template.extensions, [`${cmi5}extensions/masteryscore`]: mark };
    }
    return context;
  };
  const uuid = () => {
    if (crypto.randomUUID) return crypto.randomUUID();
    // Pages that are not secure have no such method (RFC 9562, version 4).
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 15) | 64;
    bytes[8] = (bytes[8] & 63) | 128;
    const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  };
  let queue = [];
  const say = (verb, { object, result } = {}) => {
    if (state === "silent" || state === "refused" || state === "over") return;
    if (state === "watching" && verb !== "initialized" && verb !== "terminated") return;
    queue.push({
      id: uuid(), actor, verb: { id: verbs[verb], display: { en: verb } }, object: object ?? lesson(),
      ...(result && { result }), context: contextOf(verb), timestamp: new Date().toISOString(),
    });
    send();
  };

  let sending = false;
  let failures = 0;
  let retry;
  const post = (batch) => request("statements", {
    method: "POST", body: JSON.stringify(batch), headers: { "Content-Type": "application/json" }, keepalive: true,
  });
  const send = async () => {
    if (sending || state === "opening" || state === "refused" || queue.length === 0) return;
    sending = true;
    clearTimeout(retry);
    const batch = [...queue];
    const answer = await maybe(post(batch));
    sending = false;
    // A conflict says that the store has them.
    if (answer?.ok || answer?.status === 409) {
      queue = queue.filter((statement) => !batch.includes(statement));
      if (failures > 0) tell();
      failures = 0;
      if (state === "waiting") state = "telling";
      send();
    } else if (answer && answer.status >= 400 && answer.status < 500 && answer.status !== 408 && answer.status !== 429) {
      console.warn("xAPI", answer.status);
      queue = [];
      state = "refused";
      tell("refused");
    } else {
      if (state === "telling") state = "waiting";
      tell("unsaved");
      retry = setTimeout(send, again[Math.min(failures, again.length - 1)]);
      failures += 1;
    }
  };

  // What the lesson tells

  const letter = (choice) => String.fromCharCode(97 + (choice % 26));
  let shown = performance.now();
  const told = {
    ready: () => {},
    change: () => {},
    challenge: () => {},
    step: ({ beat, count }) => {
      shown = performance.now();
      kept.beat = beat;
      delete kept.state;
      const progress = count > 0 ? Math.min(100, Math.round((100 * beat) / count)) : 0;
      if (progress <= kept.progress) return;
      kept.progress = progress;
      // The whole is told as completed.
      if (progress < 100) say("progressed", { result: { extensions: { [progressName]: progress }, duration: duration(performance.now() - began) } });
    },
    predict: ({ beat, choice, correct, truth }) => {
      if (kept.guesses[beat]) return;
      kept.guesses[beat] = [choice, correct ? 1 : 0];
      const { id, text, options = [] } = questions.find((one) => one.beat === beat) ?? {};
      const right = typeof truth === "number" ? truth : correct ? choice : undefined;
      const choices = options.map((option, at) => ({ id: letter(at), description: { en: option } }));
      say("answered", {
        object: {
          objectType: "Activity", id: `${activity.replace(/[/#]*$/, "")}/question-${id ?? beat}`,
          definition: {
            type: "http://adlnet.gov/expapi/activities/cmi.interaction", interactionType: "choice",
            ...(text && { description: { en: text } }), ...(choices.length > 0 && { choices }),
            ...(right !== undefined && { correctResponsesPattern: [letter(right)] }),
          },
        },
        result: { response: letter(choice), success: Boolean(correct), score: { scaled: correct ? 1 : 0 }, duration: duration(performance.now() - shown) },
      });
    },
    // The lesson counts the guesses of one visit; the learner's earlier ones count as well.
    complete: ({ questions: count }) => {
      const right = Object.values(kept.guesses).filter(([, correct]) => correct).length;
      kept.best = Math.max(kept.best, count > 0 ? Math.min(1, right / count) : 1);
      const score = { scaled: kept.best, raw: Math.round(100 * kept.best), min: 0, max: 100 };
      const spent = duration(performance.now() - began);
      // In cmi5 only passed and failed carry a score.
      if (!kept.over) say("completed", { result: { completion: true, duration: spent, ...(!tokens && { score }) } });
      kept.over = true;
      kept.progress = 100;
      if (mark === undefined || kept.passed) return;
      kept.passed = kept.best >= mark;
      say(kept.passed ? "passed" : "failed", { result: { success: kept.passed, score, duration: spent } });
    },
    ack: ({ id, ok, state }) => {
      if (id === "xapi" && ok && typeof state === "string") kept.state = state;
    },
  };

  // The line to the lesson, and past it to the page around

  const ours = (data) => data?.ns === ns && data.v === 1;
  const around = relays && window.parent !== window ? window.parent : undefined;
  let port;
  let outer;
  let introduction;
  let timer;
  const hear = ({ data }) => {
    if (!ours(data)) return;
    const own = data.type === "ack" && data.id === "xapi";
    if (data.type === "ready") introduction = data;
    if (!own) outer?.postMessage(data);
    if (!Object.hasOwn(told, data.type)) return;
    told[data.type](data);
    if (own) {
      keep();
    } else if (data.type !== "ack") {
      clearTimeout(timer);
      timer = setTimeout(() => port.postMessage({ ns, v: 1, type: "getState", id: "xapi" }), settle);
    }
  };
  const greet = (data, left) => {
    if (outer || !around || left === 0) return;
    around.postMessage(data, "*");
    setTimeout(() => greet(data, left - 1), hellos.every);
  };
  window.addEventListener("message", ({ source, data, ports, origin }) => {
    if (source === frame?.contentWindow) {
      if (!ours(data) || data.type !== "hello") {
        around?.postMessage(data, "*");
        return;
      }
      port?.close();
      const channel = new MessageChannel();
      port = channel.port1;
      port.onmessage = hear;
      // A page without an origin has none to name; the frame is this page's own.
      frame.contentWindow.postMessage({ ns, v: 1, type: "connect" }, "*", [channel.port2]);
      greet(data, hellos.times);
    } else if (around && source === around && frame) {
      const only = asked.get("origin");
      if (only && only.replace(/\/$/, "") !== origin) return;
      if (!ours(data) || data.type !== "connect" || !ports[0]) {
        frame.contentWindow.postMessage(data, "*");
        return;
      }
      outer?.close();
      outer = ports[0];
      outer.onmessage = ({ data }) => port?.postMessage(data);
      if (introduction) outer.postMessage(introduction);
    }
  });

  /** Makes an embed of the site a page that frames it, and finds what it says and asks. */
  const wrap = async () => {
    const title = document.querySelector("h1")?.textContent ?? document.title;
    const [table, index, { questionsOf }] = await Promise.all([read(page.slug), read("index"), import(new URL("packages.js", root))]);
    words = index.words;
    questions = questionsOf(table, location.search);
    return title;
  };
  const build = (title) => {
    for (const part of [document.documentElement, document.body]) part.style.cssText = "height: 100%; margin: 0";
    document.body.style.cssText += "; display: flex; flex-direction: column";
    status = document.createElement("p");
    status.setAttribute("role", "status");
    status.hidden = true;
    status.style.cssText = "margin: 0; padding: 4px 12px";
    frame = document.createElement("iframe");
    frame.title = title;
    frame.allow = "fullscreen; clipboard-write";
    frame.style.cssText = "display: block; width: 100%; flex: 1; border: 0";
    document.body.replaceChildren(status, frame);
  };

  const begin = async () => {
    const query = relays ? new URLSearchParams(asked) : new URLSearchParams(frame.dataset.query);
    if (relays) {
      // The lesson runs without its table too; only the questions' words are missing then.
      const title = await maybe(wrap());
      build(title ?? document.title);
      for (const name of [...launch, "origin"]) query.delete(name);
    } else {
      words = status.dataset;
      if (frame.dataset.pass !== "") mark = Number(frame.dataset.pass) / 100;
      try {
        questions = JSON.parse(frame.dataset.questions);
      } catch {
        // The answers are told without their questions.
      }
      query.set("links", "0");
      query.set("resize", "off");
    }
    const opened = maybe(open()).then((became = "silent") => {
      state = became;
      if (state === "silent") tell("refused");
      if (state === "watching") tell("watching");
      if (state !== "telling") queue = queue.filter(({ verb }) => state === "watching" && verb.id === verbs.initialized);
      send();
    });
    // A store that is slow does not keep the learner from the lesson.
    await Promise.race([opened, new Promise((resolve) => setTimeout(resolve, courtesy))]);
    if (language && !query.has("lang")) query.set("lang", language);
    // Whoever comes back stands where they left, wherever the author opens the lesson.
    if (kept.state || kept.beat > 1) for (const name of ["at", "state"]) query.delete(name);
    if (kept.state) query.set("state", kept.state);
    else if (kept.beat > 1) query.set("beat", kept.beat);
    const hash = relays ? location.hash : "";
    frame.src = `${frame.dataset.src ?? location.pathname}?${query}${hash}`;
    if (!tokens) say("launched");
    say("initialized");
  };
  begin();

  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") keep();
  });
  window.addEventListener("pagehide", ({ persisted }) => {
    if (persisted || !["telling", "waiting", "watching"].includes(state)) return;
    keep();
    // What is under way may be cut off with the page, so it goes along once more; the store knows it by its ids.
    sending = true;
    say("terminated", { result: { duration: duration(performance.now() - began) } });
    maybe(post(queue));
    state = "over";
  });
  window.addEventListener("pageshow", () => {
    if (state === "over") tell("watching");
  });
})();
