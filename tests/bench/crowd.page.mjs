// In the page: one crowd, drawn by several painters in turn, each on a canvas of the same size.
import * as PIXI from "./pixi.mjs";

const LANES = 40;
const RADIUS = 5;
const RIM = 1.2;
const BODY = { request: "#1a5fd0", failure: "#c22f2f" };
const PAPER = "#ffffff";

/** Where a dot is after `s` seconds: the same rule stands in crowd.rs. */
function place(dot, s, width, height, out) {
  const lane = dot % LANES;
  const way = (dot * 0.618034 + s * (0.1 + 0.01 * lane)) % 1;
  out.x = 10 + (width - 20) * (dot % 2 === 0 ? way : 1 - way);
  out.y = 10 + ((height - 20) * (lane + way)) / LANES;
}

/** Traces a dot's outline: a circle, or a triangle, as the stage draws them. */
function trace(context, dot, x, y, r) {
  context.beginPath();
  if (dot % 2 === 0) {
    context.arc(x, y, r, 0, 2 * Math.PI);
  } else {
    context.moveTo(x, y - r);
    context.lineTo(x + r, y + 0.8 * r);
    context.lineTo(x - r, y + 0.8 * r);
    context.closePath();
  }
}

function glyph(context, dot, x, y) {
  trace(context, dot, x, y, RADIUS);
  context.strokeStyle = PAPER;
  context.lineWidth = 2 * RIM;
  context.stroke();
  context.fillStyle = dot % 2 === 0 ? BODY.request : BODY.failure;
  context.fill();
}

/** The picture of a dot on a canvas of its own. */
function stamp(dot) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 18;
  glyph(canvas.getContext("2d"), dot, 9, 9);
  return canvas;
}

function sized(width, height) {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height });
  canvas.style.cssText = `position:absolute;left:0;top:0;width:${width}px;height:${height}px`;
  document.body.append(canvas);
  return canvas;
}

const at = { x: 0, y: 0 };

/** Every painter: its name, its elements and what it does for one frame. */
const painters = {
  async stage({ width, height, count }) {
    const { default: start, Crowd } = await import("./loadlab_bench.js");
    await start();
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.style.cssText = `position:absolute;left:0;top:0;width:${width}px;height:${height}px`;
    document.body.append(svg);
    const canvas = sized(width, height);
    const crowd = Crowd.open("load-balancing", svg, canvas, count);
    return { elements: [svg, canvas], frame: (s) => crowd.draw(s, width, height), canvas };
  },
  async stamps({ width, height, count }) {
    const canvas = sized(width, height);
    const context = canvas.getContext("2d");
    const stamps = [stamp(0), stamp(1)];
    const frame = (s) => {
      context.clearRect(0, 0, width, height);
      for (let dot = 0; dot < count; dot++) {
        place(dot, s, width, height, at);
        context.drawImage(stamps[dot % 2], at.x - 9, at.y - 9);
      }
    };
    return { elements: [canvas], frame, canvas };
  },
  async paths({ width, height, count }) {
    const canvas = sized(width, height);
    const context = canvas.getContext("2d");
    const frame = (s) => {
      context.clearRect(0, 0, width, height);
      for (let dot = 0; dot < count; dot++) {
        place(dot, s, width, height, at);
        glyph(context, dot, at.x, at.y);
      }
    };
    return { elements: [canvas], frame, canvas };
  },
  // The fastest way of PixiJS: bare particles of which only the position changes, one container a texture.
  async particles(options) {
    return pixi(options, (stage, textures, { count, width, height }) => {
      const dynamicProperties = { position: true, vertex: false, rotation: false, uvs: false, color: false };
      const containers = textures.map((texture) => new PIXI.ParticleContainer({ texture, dynamicProperties }));
      stage.addChild(...containers);
      const particles = Array.from({ length: count }, (_, dot) => {
        const particle = new PIXI.Particle({ texture: textures[dot % 2], anchorX: 0.5, anchorY: 0.5 });
        containers[dot % 2].addParticle(particle);
        return particle;
      });
      return (s) => {
        for (let dot = 0; dot < count; dot++) place(dot, s, width, height, particles[dot]);
      };
    });
  },
  async sprites(options) {
    return pixi(options, (stage, textures, { count, width, height }) => {
      const sprites = Array.from({ length: count }, (_, dot) => {
        const sprite = new PIXI.Sprite({ texture: textures[dot % 2], anchor: 0.5 });
        stage.addChild(sprite);
        return sprite;
      });
      return (s) => {
        for (let dot = 0; dot < count; dot++) {
          place(dot, s, width, height, at);
          sprites[dot].position.set(at.x, at.y);
        }
      };
    });
  },
};

async function pixi(options, people) {
  const { width, height } = options;
  const canvas = sized(width, height);
  const renderer = await PIXI.autoDetectRenderer({
    canvas, width, height, resolution: 1, antialias: false, backgroundAlpha: 0,
  });
  const stage = new PIXI.Container();
  const textures = [stamp(0), stamp(1)].map((source) => PIXI.Texture.from(source));
  const move = people(stage, textures, options);
  const gl = renderer.gl;
  const info = gl?.getExtension("WEBGL_debug_renderer_info");
  const device = info ? gl.getParameter(info.UNMASKED_RENDERER_WEBGL) : "";
  const frame = (s) => {
    move(s);
    renderer.render(stage);
  };
  return { elements: [canvas], frame, canvas, renderer: `${renderer.name} ${device}`.trim() };
}

const ready = {};

/** Sets up a painter, out of sight; says what it draws with. */
export async function prepare(name, options) {
  ready[name] = await painters[name](options);
  show(name, false);
  return ready[name].renderer ?? "";
}

function show(name, shown) {
  for (const element of ready[name].elements) element.style.visibility = shown ? "visible" : "hidden";
}

/** Draws with one painter for `ms`; frames a second, and how long its script took a frame. */
export async function round(name, ms) {
  show(name, true);
  const next = () => new Promise(requestAnimationFrame);
  // Some frames to warm up, and so that nothing of the painter before is still being shown.
  for (let i = 0; i < 20; i++) ready[name].frame((await next()) / 1000);
  let frames = 0, script = 0;
  const from = await next();
  let now = from;
  while (now - from < ms) {
    const began = performance.now();
    ready[name].frame(now / 1000);
    script += performance.now() - began;
    frames++;
    now = await next();
  }
  const result = { rate: (frames * 1000) / (now - from), script: script / frames };
  show(name, false);
  await next();
  return result;
}

/** How much of a painter's picture is painted, to see that all draw the same; 0 to 1. */
export async function covered(name) {
  show(name, true);
  ready[name].frame(1);
  const { canvas } = ready[name];
  const copy = document.createElement("canvas");
  Object.assign(copy, { width: canvas.width, height: canvas.height });
  const context = copy.getContext("2d");
  context.drawImage(canvas, 0, 0);
  const { data } = context.getImageData(0, 0, copy.width, copy.height);
  let painted = 0;
  for (let i = 3; i < data.length; i += 4) painted += data[i] > 127 ? 1 : 0;
  show(name, false);
  return { share: painted / (data.length / 4), width: copy.width, height: copy.height };
}
