// What an embedded lesson makes of 10,000 messages from the page around it: the longest task and the memory.
import { longest } from "./trace.mjs";

const MESSAGES = 10_000;
const LIMIT_MS = 50;

/** In every frame: notes the memory of its program. */
function observe() {
  for (const way of ["instantiate", "instantiateStreaming"]) {
    const real = WebAssembly[way];
    WebAssembly[way] = async (...args) => {
      const made = await real(...args);
      // A lesson's own code brings no memory; it uses the program's.
      globalThis.program = (made.instance ?? made).exports.memory ?? globalThis.program;
      return made;
    };
  }
}

/** In the page around the lesson: opens it and the line to it. */
function connect(address) {
  const frame = document.createElement("iframe");
  Object.assign(frame, { src: address, width: 900, height: 700 });
  globalThis.acks = 0;
  return new Promise((resolve) => {
    addEventListener("message", ({ data, source, origin }) => {
      if (data?.ns !== "loadlab" || data.type !== "hello" || globalThis.line) return;
      const { port1, port2 } = new MessageChannel();
      globalThis.line = port1;
      port1.onmessage = ({ data }) => {
        if (data.type === "ready") resolve();
        if (data.type === "ack") globalThis.acks++;
      };
      source.postMessage({ ns: "loadlab", v: 1, type: "connect" }, origin, [port2]);
    });
    document.body.append(frame);
  });
}

/** In the page around the lesson: sends everything that exists and much that does not, a hundred a task. */
async function flood(messages) {
  const kinds = [
    (i) => ({ type: "set", name: "load", value: 5 + (i % 150) }),
    (i) => ({ type: "seek", at: (i * 7) % 600 }),
    () => ({ type: "getState" }),
    (i) => ({ type: "beat", beat: 1 + (i % 5) }),
    (i) => ({ type: "act", name: "kill-server", target: 1 + (i % 3) }),
    () => ({ type: "play" }),
    () => ({ type: "restart" }),
    (i) => ({ type: "setState", state: "A".repeat(i % 5_000) }),
    (i) => ({ type: ["nonsense", 7, null][i % 3], value: { deep: [i] } }),
  ];
  globalThis.acks = 0;
  for (let i = 0; i < messages; i++) {
    globalThis.line.postMessage({ ns: "loadlab", v: 1, id: i, ...kinds[i % kinds.length](i) });
    if (i % 100 === 99) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  while (globalThis.acks < messages) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** MiB in use after a forced collection: script objects, the document's, and the memory of the program. */
async function memory(session, frame) {
  await session.send("HeapProfiler.collectGarbage");
  const { usedSize, embedderHeapUsedSize = 0 } = await session.send("Runtime.getHeapUsage");
  const program = await frame.evaluate(() => globalThis.program.buffer.byteLength);
  return (usedSize + embedderHeapUsedSize + program) / 1_048_576;
}

/** The rows of the table. */
export async function* rows({ browser, bench, site }) {
  const page = await browser.newPage();
  await page.addInitScript(observe);
  await page.goto(bench);
  await page.evaluate(connect, `${site}embed/load-balancing/`);
  const session = await page.context().newCDPSession(page);
  const frame = page.frames().find((frame) => frame.url().startsWith(site));
  // The first round is there to warm up: memory that the program once asked for it keeps.
  await page.evaluate(flood, MESSAGES);
  const before = await memory(session, frame);
  let s = 0;
  const { took, worked } = await longest(page, async () => {
    const from = performance.now();
    await page.evaluate(flood, MESSAGES);
    s = (performance.now() - from) / 1_000;
  });
  const after = await memory(session, frame);
  await page.close();
  yield* [
    [`longest task in a flood of ${MESSAGES} messages`, took, "ms", LIMIT_MS, "limit"],
    ["the same in time on the processor", worked, "ms", LIMIT_MS, "limit"],
    ["memory after that flood", after, "MiB", before, "before it"],
    ["all acknowledged after", s, "s"],
  ];
}
