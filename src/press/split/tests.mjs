// Runs a program as it was linked, and in pieces as the page's script brings them: the core, then by door its chunks and
// its part, and rests when they are asked for. Prints what came out of both.
import { existsSync, readFileSync } from "node:fs";

const [folder, ...lists] = process.argv.slice(2);
const [doors, numbers, needs] = lists.map((list) => JSON.parse(list));
const compiled = (name) => new WebAssembly.Module(readFileSync(`${folder}/${name}.wasm`));

const whole = new WebAssembly.Instance(compiled("whole"), { env: { loadlabRest() {}, tell() {} } }).exports;

const asked = [];
const rests = new Map();
let core;
const env = {
  tell() {},
  loadlabRest(piece) {
    asked.push(piece);
    // A part's rest builds on those of the chunks, and all on the core's.
    const part = (number) => rests.get(number)?.name.startsWith("part-");
    const needed = ([number]) => number === 0 || number === piece || (part(piece) && !part(number));
    for (const [, { name, owner }] of [...rests].filter(needed).sort(([a], [b]) => a - b)) {
      if (owner.rested.value) continue;
      made(`${name}.rest`);
      owner.rested.value = 1;
    }
  },
};
// What a piece imports under a number stands in that slot of the program's table.
const offered = new Proxy({}, { get: (_, name) => core[name] ?? core.t.get(Number(name)) });
const made = (name) => new WebAssembly.Instance(compiled(name), { env, core: offered }).exports;
const hasRest = (name) => existsSync(`${folder}/${name}.rest.wasm`);

core = made("core");
if (hasRest("core")) rests.set(0, { name: "core", owner: core });
const open = new Set();
const bring = (name) => {
  if (open.has(name)) return;
  open.add(name);
  const owner = made(name);
  if (hasRest(name)) rests.set(owner.number.value, { name, owner });
};

const results = { whole: [], pieces: [], asked };
for (const door of doors) {
  for (const family of needs[door]) bring(`chunk-${family}`);
  bring(`part-${door}`);
  for (const number of numbers) {
    results.whole.push(whole.enter(door, number));
    results.pieces.push(core.enter(door, number));
  }
}
process.stdout.write(JSON.stringify(results));
