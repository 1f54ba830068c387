// Films: asks what is to be filmed, and makes it frame by frame, as WebM, MP4 or GIF. Run each time the reader asks for a
// film; the program answers events at the window (src/site/film.rs) from a run of its own, never the reader's, and draws
// each frame as SVG. Nothing waits for a clock: a film takes as long as it takes, and comes out the same.
//
// A film ends in one of four ways: done, cancelled, too large, failed. However it ends, its run is given back, the
// encoder is closed, and what it wrote is let go, but for a film that is done: that goes with the dialog.
"use strict";

(() => {
  const script = document.currentScript;
  // Bytes of a film at most: both are kept in memory until they are saved.
  const bytesMost = { webm: 100e6, mp4: 100e6, gif: 50e6 };
  // In pixels, and how many there are to a unit of the drawing: what is for telephones is drawn large.
  const sizes = { wide: [1280, 720, 1], large: [1920, 1080, 1.5], square: [1080, 1080, 1.5], tall: [1080, 1920, 1.5] };
  const rates = [12, 24, 30];
  const speeds = [0.25, 0.5, 1, 2, 4, 8];
  // What a browser may be able to encode, best first. The level of each allows 1920 by 1080, upright too, at 30 frames a second.
  const codecs = {
    webm: [["vp9", "vp09.00.40.08"], ["vp8", "vp8"], ["av1", "av01.0.12M.08"]],
    mp4: [["avc", "avc1.640028"]],
  };
  // Bits for each pixel: flat colours and sharp text need few. A slow rate leaves more to say in each frame.
  const bitsPerPixel = 0.1;
  const rateLeast = 24;
  // Frames that wait in the encoder at most, and seconds from one key frame to the next.
  const queueMost = 4;
  const keySeconds = 2;

  const ask = (what, more = {}) => {
    const detail = { ask: what, ...more };
    dispatchEvent(new CustomEvent("loadlab-film", { detail }));
    return detail;
  };
  const about = ask("about");
  if (!about.slug) return;
  const beats = JSON.parse(about.beats);
  const at = (path) => about.root + path + about.version;

  // The lesson's speed at steps that were looked for.
  const paces = new Map();

  // An end that is no fault of the program: nothing said means that it was cancelled.
  class Ended extends Error {}

  const made = (tag, properties = {}, ...inside) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...inside);
    return element;
  };
  const glyph = () => {
    const space = "http://www.w3.org/2000/svg";
    const picture = document.createElementNS(space, "svg");
    const path = document.createElementNS(space, "path");
    const drawn = { viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": "true" };
    for (const [name, value] of Object.entries(drawn)) picture.setAttribute(name, value);
    const line = { d: "M4 4l8 8M12 4l-8 8", fill: "none", stroke: "currentColor", "stroke-width": "1.5", "stroke-linecap": "round" };
    for (const [name, value] of Object.entries(line)) path.setAttribute(name, value);
    picture.append(path);
    return picture;
  };

  const fetched = async (path, read) => {
    const response = await fetch(at(path));
    if (!response.ok) throw new Error(`${path}: ${response.status}`);
    return response[read]();
  };
  // Lets the page answer between two frames. Timers and animation frames rest in a tab that is not seen, messages do not.
  const pause = () => new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(0);
  });

  /** Which codec of a format this browser encodes; none where it cannot. */
  const encodable = async (format) => {
    if (typeof VideoEncoder === "undefined") return undefined;
    for (const [name, codec] of codecs[format]) {
      const config = { codec, width: 1920, height: 1080, bitrate: 5e6, framerate: 30 };
      const { supported } = await VideoEncoder.isConfigSupported(config).catch(() => ({}));
      if (supported) return { name, codec };
    }
    return undefined;
  };

  const dataUrl = (blob) => new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
  // A picture may not fetch, so the page's font goes with it, as text. Without it the system's takes its place.
  let face;
  const fontFace = () => {
    face ??= fetched("assets/fonts/inter-latin-wght.woff2", "blob")
      .then(dataUrl)
      .then((url) => encodeURIComponent(
        `@font-face{font-family:Inter;font-weight:400 700;src:url(data:font/woff2;${url.slice(url.indexOf("base64,"))})format("woff2")}`,
      ))
      .catch(() => "");
    return face;
  };

  /** Draws a frame's SVG on the canvas. */
  const paint = (context, svg, font) => new Promise((resolve, reject) => {
    const image = new Image();
    image.onload = () => {
      context.drawImage(image, 0, 0, context.canvas.width, context.canvas.height);
      resolve();
    };
    image.onerror = () => reject(new Ended("picture"));
    const [head, rest] = svg.split("<style>");
    image.src = `data:image/svg+xml,${encodeURIComponent(`${head}<style>`)}${font}${encodeURIComponent(rest)}`;
  });

  /** Writes video: frames go in, bytes come out of `end`. `grown` is told each number of bytes so far. */
  const videoWriter = async ({ format, codec, width, height, rate }, grown, signal) => {
    const { BufferTarget, EncodedPacket, EncodedVideoPacketSource, Mp4OutputFormat, Output, WebMOutputFormat } =
      await import(at("assets/film/mediabunny.js"));
    const target = new BufferTarget();
    const output = new Output({ format: format === "mp4" ? new Mp4OutputFormat() : new WebMOutputFormat(), target });
    const source = new EncodedVideoPacketSource(codec.name);
    output.addVideoTrack(source, { frameRate: rate });
    await output.start();
    let fault;
    let bytes = 0;
    let written = Promise.resolve();
    const encoder = new VideoEncoder({
      output: (chunk, meta) => {
        bytes += chunk.byteLength;
        written = written.then(() => source.add(EncodedPacket.fromEncodedChunk(chunk), meta));
        written.catch((error) => (fault ??= error));
      },
      error: (error) => (fault ??= error),
    });
    const bitrate = Math.round(width * height * Math.max(rate, rateLeast) * bitsPerPixel);
    const own = format === "mp4" ? { avc: { format: "avc" } } : {};
    encoder.configure({ codec: codec.codec, width, height, bitrate, framerate: rate, latencyMode: "quality", ...own });
    const room = () => new Promise((resolve) => {
      encoder.addEventListener("dequeue", resolve, { once: true, signal });
      signal.addEventListener("abort", resolve, { once: true });
    });
    return {
      async add(canvas, number) {
        if (fault) throw fault;
        while (encoder.encodeQueueSize >= queueMost && !signal.aborted) await room();
        if (signal.aborted) throw new Ended();
        const time = (frame) => Math.round((frame * 1e6) / rate);
        const frame = new VideoFrame(canvas, { timestamp: time(number), duration: time(number + 1) - time(number) });
        encoder.encode(frame, { keyFrame: number % (rate * keySeconds) === 0 });
        frame.close();
        grown(bytes);
      },
      async end() {
        await encoder.flush();
        await written;
        if (fault) throw fault;
        encoder.close();
        await output.finalize();
        return new Blob([target.buffer], { type: format === "mp4" ? "video/mp4" : "video/webm" });
      },
      drop() {
        if (encoder.state !== "closed") encoder.close();
        if (output.state === "started") output.cancel().catch(() => {});
      },
    };
  };

  // The colours of a GIF: the theme's own, what lies between each and the grounds, where edges are smoothed, and what
  // else the first frame has.
  const coloursOf = (svg, pixels, quantize) => {
    const hex = [...svg.matchAll(/\.f-([a-z-]+)\{fill:#([0-9A-F]{6})\}/gi)];
    const inks = new Map(hex.map(([, name, value]) => [name, [0, 2, 4].map((from) => parseInt(value.slice(from, from + 2), 16))]));
    const grounds = ["paper", "card"].map((name) => inks.get(name)).filter(Boolean);
    const between = [...inks.values()].flatMap((ink) =>
      grounds.flatMap((ground) => [0.25, 0.5, 0.75].map((share) => ink.map((part, i) => Math.round(part * share + ground[i] * (1 - share))))),
    );
    const all = new Map();
    for (const colour of [...inks.values(), ...between, ...quantize(pixels, 64)]) all.set(colour.join(), colour);
    // One place is left for what does not change from frame to frame.
    return [...all.values()].slice(0, 255);
  };

  /** Writes a GIF: each frame says only what has changed since the one before. */
  const gifWriter = async ({ width, height, rate }, grown) => {
    const { GIFEncoder, nearestColorIndex, quantize } = await import(at("assets/film/gifenc.js"));
    const gif = GIFEncoder();
    const same = 255;
    let palette;
    let before;
    // The place of each colour met so far: the library's own table takes colours together that are alike, and a white
    // card would have the tint of whatever edge came first.
    const places = new Map();
    const placed = (pixels) => {
      const out = new Uint8Array(pixels.length);
      let last;
      let place;
      for (let at = 0; at < pixels.length; at += 1) {
        const pixel = pixels[at];
        if (pixel !== last) {
          last = pixel;
          place = places.get(pixel);
          if (place === undefined) {
            place = nearestColorIndex(palette, [pixel & 255, (pixel >> 8) & 255, (pixel >> 16) & 255]);
            places.set(pixel, place);
          }
        }
        out[at] = place;
      }
      return out;
    };
    // In hundredths of a second, which is what the format counts; rounded so that they do not drift.
    const time = (frame) => Math.round((frame * 100) / rate);
    return {
      // A frame that stays is one frame.
      async add(canvas, number, context, svg, until = number + 1) {
        const { data } = context.getImageData(0, 0, width, height);
        const first = !palette;
        palette ??= coloursOf(svg, data, quantize);
        const drawn = placed(new Uint32Array(data.buffer));
        const written = before ? drawn.map((colour, i) => (colour === before[i] ? same : colour)) : drawn;
        before = drawn;
        const full = [...palette, ...Array.from({ length: 256 - palette.length }, () => [0, 0, 0])];
        gif.writeFrame(written, width, height, {
          palette: first ? full : undefined, delay: (time(until) - time(number)) * 10, transparent: !first, transparentIndex: same, dispose: 1,
        });
        grown(gif.bytesView().length);
      },
      async end() {
        gif.finish();
        return new Blob([gif.bytes()], { type: "image/gif" });
      },
      drop() {
        gif.reset();
      },
    };
  };

  /** Makes the film. `progress` is told each frame. */
  const make = async (wanted, signal, progress) => {
    const { format, size, rate } = wanted;
    const [width, height, unit] = sizes[size];
    const look = { dark: wanted.dark, across: width / unit, high: height / unit, burnt: wanted.captions === "burnt" };
    const far = async (answer) => {
      const known = answer.way !== undefined;
      if (known) progress(answer.way);
      await pause();
      if (signal.aborted) throw new Ended();
      return known;
    };
    // A step that the reader's run has not reached is looked for first.
    if (ask("plan", { ...wanted.of, speed: wanted.speed, rate }).ahead) {
      let answer = ask("search", wanted.of);
      while (await far(answer)) answer = ask("search", wanted.of);
      // The story may go on there at another speed, as it would have for who goes on with it.
      paces.set(wanted.of.beat, answer.speed);
      wanted.speed *= answer.speed / about.speed;
      const found = ask("plan", { ...wanted.of, speed: wanted.speed, rate });
      if (found.ahead) throw new Ended("stuck");
      if (!found.fits) throw new Ended("long");
    }
    const begun = ask("make", { ...wanted.of, speed: wanted.speed, rate, ...look });
    if (!begun.frames) throw new Ended();
    const canvas = made("canvas", { width, height });
    let writer;
    try {
      const font = await fontFace();
      const context = canvas.getContext("2d", { alpha: false, willReadFrequently: format === "gif" });
      const grown = (bytes) => {
        if (bytes > bytesMost[format]) throw new Ended("large");
      };
      const settings = { format, codec: wanted.codec, width, height, rate };
      writer = await (format === "gif" ? gifWriter(settings, grown) : videoWriter(settings, grown, signal));
      let print = "";
      let svg = "";
      for (let frame = 0; frame < begun.frames; frame += 1) {
        for (let drawn = frame > begun.still; !drawn; ) {
          const answer = ask("draw", { frame });
          if (!answer.known || signal.aborted) throw new Ended();
          drawn = answer.picture !== undefined;
          if (drawn) ({ picture: svg, print } = answer);
          else if (frame === 0) await far(answer);
          else await pause();
        }
        if (frame <= begun.still) await paint(context, svg, font);
        const last = format === "gif" && frame === begun.still;
        await writer.add(canvas, frame, context, svg, last ? begun.frames : undefined);
        progress(last ? begun.frames : frame + 1, begun.frames);
        await pause();
        if (signal.aborted) throw new Ended();
        if (last) break;
      }
      const blob = await writer.end();
      if (signal.aborted) throw new Ended();
      if (blob.size > bytesMost[format]) throw new Ended("large");
      return { blob, print, frames: begun.frames, captions: begun.captions };
    } finally {
      writer?.drop();
      canvas.width = 0;
      ask("end");
    }
  };

  const open = async () => {
    const { words } = await fetched(about.words, "json");
    const [webm, mp4] = await Promise.all([encodable("webm"), encodable("mp4")]);
    const word = (id, ...values) => (words[id] ?? id).replace(/\{(\d)\}/g, (whole, place) => String(values[place] ?? whole));
    const seconds = (value) => String(Math.round(value * 1e6) / 1e6);
    const length = (value) => String(Math.round(value * 100) / 100);
    const size = (bytes) => (bytes < 1e6 ? word("kb", Math.ceil(bytes / 1e3)) : word("mb", Math.round(bytes / 1e5) / 10));

    const field = (id, label, control, ...more) => {
      control.id = `film-${id}`;
      return made("div", { className: "field" }, made("label", { htmlFor: control.id, textContent: label }), control, ...more);
    };
    const choice = (options, chosen) => {
      const select = made("select", { className: "input" });
      for (const [value, label] of options) {
        select.append(made("option", { value: String(value), textContent: label, selected: value === chosen }));
      }
      return select;
    };
    const number = (value) => made("input", { className: "input", type: "number", min: "0", step: "any", value: seconds(value) });

    const subject = choice(
      [
        ...beats.map((caption, beat) => [beat, caption ? word("step", beat + 1, caption) : word("step-ahead", beat + 1)]),
        ["range", word("range")],
      ],
      about.beat,
    );
    const from = number(Math.max(0, about.end - 10 * about.speed));
    const to = number(about.end > 0 ? about.end : 10 * about.speed);
    const span = made("div", { className: "sides" }, field("from", word("from"), from), field("to", word("to"), to));
    const format = choice(
      [...(webm ? [["webm", word("webm")]] : []), ...(mp4 ? [["mp4", word("mp4")]] : []), ["gif", word("gif")]],
      webm ? "webm" : mp4 ? "mp4" : "gif",
    );
    const missing = typeof VideoEncoder === "undefined" ? word("no-video")
      : [!webm && word("no-webm"), !mp4 && word("no-mp4")].filter(Boolean).join(" ");
    const shape = choice(Object.entries(sizes).map(([id, [w, h]]) => [id, word(id, w, h)]), "wide");
    const rate = choice(rates.map((each) => [each, String(each)]), format.value === "gif" ? 12 : 30);
    const speed = choice(speeds.map((each) => [each, word(`speed-${String(each).replace(".", "-")}`)]), 1);
    const colours = choice([["light", word("light")], ["dark", word("dark")]], about.dark ? "dark" : "light");
    const captions = choice(["burnt", "file", "none"].map((id) => [id, word(`captions-${id}`)]), "burnt");
    const plan = made("p", { id: "film-plan" });
    plan.setAttribute("role", "status");
    const start = made("button", { className: "btn btn-primary", type: "button", textContent: word("make") });
    start.setAttribute("aria-describedby", plan.id);
    // No form: a sandbox may forbid to submit one.
    const form = made("div", { className: "dialog-body" },
      field("subject", word("subject"), subject),
      span,
      made("div", { className: "sides" },
        field("format", word("format"), format), field("size", word("size"), shape),
        field("rate", word("rate"), rate), field("speed", word("speed"), speed),
        field("colours", word("colours"), colours), field("captions", word("captions"), captions)),
      ...(missing ? [made("p", { textContent: missing })] : []),
      plan,
      made("div", { className: "actions" }, start),
    );

    // The range is shown where it counts.
    const wanted = () => {
      const range = subject.value === "range";
      return {
        of: range ? { from: from.valueAsNumber, to: to.valueAsNumber } : { beat: Number(subject.value) },
        format: format.value, codec: format.value === "mp4" ? mp4 : webm, size: shape.value, rate: Number(rate.value),
        speed: Number(speed.value) * (paces.get(Number(subject.value)) ?? about.speed), dark: colours.value === "dark", captions: captions.value,
      };
    };
    const check = () => {
      span.hidden = subject.value !== "range";
      const asked = wanted();
      const planned = ask("plan", { ...asked.of, speed: asked.speed, rate: asked.rate });
      const bounds = word("bounds", about.most, bytesMost[asked.format] / 1e6);
      const says = planned.ahead ? `${word("ahead")} ${bounds}`
        : !planned.frames ? word("nothing")
        : !planned.fits ? word("long", planned.frames, about.most)
        : `${word("plan", length(planned.seconds), planned.frames)} ${bounds}`;
      if (plan.textContent !== says) plan.textContent = says;
      start.disabled = !planned.fits && !planned.ahead;
      return !start.disabled;
    };
    let rateChosen = false;
    form.addEventListener("input", (event) => {
      rateChosen ||= event.target === rate;
      // Each format has the rate that suits it, until the reader chooses one.
      if (!rateChosen) rate.value = format.value === "gif" ? "12" : "30";
      check();
    });

    const title = made("h2", { id: "film-title", textContent: word("title") });
    const close = made("button", { className: "icon-btn btn-quiet", type: "button" }, glyph());
    close.setAttribute("aria-label", word("close"));
    const said = made("p");
    said.setAttribute("role", "status");
    const counted = made("p", { className: "num" });
    counted.setAttribute("aria-hidden", "true");
    const bar = made("progress", { max: 1, value: 0 });
    bar.setAttribute("aria-label", word("progress"));
    bar.style.width = "100%";
    const stop = made("button", { className: "btn", type: "button", textContent: word("cancel") });
    const working = made("div", { className: "dialog-body", hidden: true }, bar, counted, made("div", { className: "actions" }, stop));
    const result = made("div", { className: "dialog-body", hidden: true });
    const status = made("div", { className: "dialog-body" }, said);
    status.style.paddingBottom = "0";
    const dialog = made("dialog", { className: "dialog", id: "film" },
      made("div", { className: "dialog-head" }, title, close), status, form, working, result);
    dialog.setAttribute("aria-labelledby", title.id);

    let ending = new AbortController();
    let kept = [];
    const forget = () => {
      for (const url of kept.splice(0)) URL.revokeObjectURL(url);
      result.replaceChildren();
    };
    const urlOf = (blob) => {
      const url = URL.createObjectURL(blob);
      kept.push(url);
      return url;
    };
    const show = (part) => {
      for (const each of [form, working, result]) each.hidden = each !== part;
      status.hidden = part === form && !said.textContent;
    };
    const say = (words) => {
      said.textContent = words;
      status.hidden = !words;
    };

    const present = ({ blob, print, frames, captions: written }, asked) => {
      const planned = ask("plan", { ...asked.of, speed: asked.speed, rate: asked.rate });
      const place = asked.of.beat === undefined ? `${seconds(asked.of.from)}s-${seconds(asked.of.to)}s` : `step-${asked.of.beat + 1}`;
      const name = `${about.slug}-${place}`;
      const url = urlOf(blob);
      const save = (id, href, ending, className) => made("a", { className, href, download: `${name}.${ending}`, textContent: word(id) });
      const first = save("save", url, asked.format, "btn btn-primary");
      const actions = made("div", { className: "actions" }, first);
      const [width, height] = sizes[asked.size];
      const label = word("shows", about.title);
      const blocked = made("p", { textContent: word("no-play"), hidden: true });
      const refuse = (view) => view.addEventListener("error", () => {
        blocked.hidden = false;
        view.remove();
      });
      let view;
      let shown;
      if (asked.format === "gif") {
        view = made("img", { alt: label, width, height });
        // A GIF moves at once and cannot be stopped: who asked for rest is asked first.
        shown = view;
        if (about.still) {
          shown = made("details", {}, made("summary", { textContent: word("show") }), view);
          shown.addEventListener("toggle", () => (view.src = url), { once: true });
        } else view.src = url;
      } else {
        view = made("video", { src: url, controls: true, muted: true, playsInline: true, width, height });
        view.setAttribute("aria-label", label);
        shown = view;
      }
      Object.assign(view.style, { display: "block", maxWidth: "100%", height: "auto" });
      refuse(view);
      if (asked.captions === "file") {
        const track = urlOf(new Blob([written], { type: "text/vtt" }));
        actions.append(save("save-captions", track, "vtt", "btn"));
        if (asked.format !== "gif") {
          view.append(made("track", { kind: "captions", srclang: document.documentElement.lang, label: word("captions"), src: track, default: true }));
        }
      }
      const again = made("button", { className: "btn", type: "button", textContent: word("again") });
      again.addEventListener("click", () => {
        forget();
        say("");
        show(form);
        subject.focus();
      });
      actions.append(again);
      say(word("done", length(planned.seconds), frames, size(blob.size)));
      result.dataset.print = print;
      result.replaceChildren(
        ...(self.origin === "null" ? [made("p", { textContent: word("framed") })] : []),
        shown, blocked, actions, made("small", { textContent: word("print", print) }),
      );
      show(result);
      first.focus();
    };

    const film = async () => {
      if (!check()) return;
      const asked = wanted();
      forget();
      ending = new AbortController();
      const { signal } = ending;
      let quarter = 0;
      bar.value = 0;
      counted.textContent = "";
      say(word("begun"));
      show(working);
      stop.focus();
      try {
        const outcome = await make(asked, signal, (done, of) => {
          if (of === undefined) {
            counted.textContent = word("way", Math.floor(done * 100));
            return;
          }
          bar.value = done / of;
          counted.textContent = word("frame", done, of);
          const reached = Math.floor((done * 4) / of);
          if (reached > quarter && reached < 4) {
            quarter = reached;
            say(word("percent", reached * 25));
          }
        });
        if (dialog.isConnected) present(outcome, asked);
      } catch (error) {
        if (!(error instanceof Ended)) console.warn(error);
        const ends = {
          large: () => word("outgrown", bytesMost[asked.format] / 1e6),
          picture: () => word("no-picture"),
          stuck: () => word("stuck"),
          long: () => word("long", ask("plan", { ...asked.of, speed: asked.speed, rate: asked.rate }).frames, about.most),
          "": () => word("cancelled"),
        };
        say(error instanceof Ended ? ends[error.message]() : word("failed", error.message));
        show(form);
        start.focus();
      }
    };

    start.addEventListener("click", film);
    form.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !event.target.matches("input")) return;
      // Else the key would go on to press what has the focus by then.
      event.preventDefault();
      film();
    });
    stop.addEventListener("click", () => ending.abort());
    close.addEventListener("click", () => dialog.close());
    const leave = () => dialog.close();
    addEventListener("popstate", leave);
    dialog.addEventListener("close", () => {
      removeEventListener("popstate", leave);
      ending.abort();
      ask("leave");
      forget();
      dialog.remove();
    });
    document.body.append(dialog);
    check();
    show(form);
    dialog.showModal();
    subject.focus();
  };

  // The page says that something could not be fetched where the script itself could not, so for its words as well.
  open().catch(() => script.dispatchEvent(new Event("error"))).finally(() => script.remove());
})();
