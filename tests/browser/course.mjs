// A course of its own origin, whose pages hold lessons in frames and talk to them.
import { createServer } from "node:http";
import { expect, ready, Player } from "./kit.mjs";

// The course has a server of its own, so that its pages are of another origin than the lessons in them. Pages that a
// test made up without a server would count as the open network's, which may not reach into this machine.
export const port = process.env.LOADLAB_PORT;
export const pages = new Map();
const server = createServer((request, response) => {
  const body = pages.get(new URL(request.url, "http://course").pathname);
  response.writeHead(body ? 200 : 404, { "content-type": "text/html; charset=utf-8" }).end(body);
});
await new Promise((done) => server.listen(0, "127.0.0.1", done));
server.unref();
export const course = `http://localhost:${server.address().port}`;

/** What a course page does: it connects to each lesson that greets it, and keeps all it hears. */
const recorder = `
  window.told = []; window.events = []; window.line = null; window.connects ??= true;
  addEventListener("message", ({ data, source, origin }) => {
    told.push(data);
    // A frame that has left by the time its greeting is read is nobody to answer.
    if (!source || !window.connects || data?.ns !== "loadlab" || data.type !== "hello") return;
    const { port1, port2 } = new MessageChannel();
    window.line = port1;
    port1.onmessage = (event) => events.push(event.data);
    source.postMessage({ ns: "loadlab", v: 1, type: "connect" }, "*", [port2]);
  });
  window.sent = 0;
  window.send = (type, fields) => new Promise((done) => {
    const id = ++window.sent;
    line.addEventListener("message", function hear({ data }) {
      if (data.type !== "ack" || data.id !== id) return;
      line.removeEventListener("message", hear);
      done(data);
    });
    line.postMessage({ ns: "loadlab", v: 1, type, ...fields, id });
  });`;

/** Opens a page of the course's that holds this markup. */
export async function host(page, body, path = "host.html") {
  pages.set(
    `/${path}`,
    `<!doctype html><html lang="en"><title>Course</title><link rel="icon" href="data:,"><script>${recorder}</script><body>${body}`,
  );
  await page.goto(`${course}/${path}`);
}

export const address = (slug, query = "", hash = "") => `http://127.0.0.1:${port}/embed/${slug}/${query ? `?${query}` : ""}${hash}`;
export const iframe = (slug, { query, hash, attributes = "" } = {}) =>
  `<iframe src="${address(slug, query, hash).replaceAll("&", "&amp;")}" title="Lesson" width="800" height="560" ${attributes}></iframe>`;

/** The lesson in the only frame of a page. */
export async function framed(page) {
  const place = page.frameLocator("iframe");
  await ready(place);
  return new Player(place);
}
export const connected = (page) =>
  expect.poll(() => page.evaluate(() => events.some((event) => event.type === "ready")), { timeout: 20_000 }).toBe(true);
export const heard = (page, type) => page.evaluate((type) => events.filter((event) => event.type === type), type);
export const send = (page, type, fields) => page.evaluate(([type, fields]) => send(type, fields), [type, fields]);
export const clock = async (player) => Number((await player.time.getAttribute("aria-valuetext")).match(/[\d.]+/)[0]);

/** The seconds that a lesson's clock shows, in a frame too low for its tape, too. */
export const shown = async (player) => (await player.clock.textContent()).split(":").reduce((all, part) => all * 60 + Number(part), 0);
