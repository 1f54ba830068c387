//! The stage: patches a scene into live SVG and paints its moving things on a canvas above.

use engine::raster::{self, Kind, Raster, Rgb, Sprite};
use engine::scene::{Fit, Ink, Letter, Part, PartId, Particle, Point, Rect, Role, Scene, Shape};
use engine::show::Picked;
pub(crate) use engine::svg::names;
use engine::svg::{self, Sink};
use engine::text::{fixed, tenths};
use std::cell::Cell;
use std::rc::Rc;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{Clamped, JsCast};
use web_sys::{
    CanvasRenderingContext2d, Document, Element, EventTarget, HtmlCanvasElement, ImageData,
    ResizeObserver, Text,
};

const SVG: &str = "http://www.w3.org/2000/svg";
/// A part catches clicks over at least this many CSS pixels each way.
const TARGET_PX: f32 = 24.0;
/// How far the ring around a part lies outside of its frame, in scene units.
const RING: f32 = 3.0;
/// A change of state shows for this long; the animation itself is the style sheet's.
const PULSE_MS: f64 = 300.0;
/// More pixels than this cost more time than they add sharpness.
const PIXELS_MAX: f64 = 4_000_000.0;
/// The same for a crowd, which is copied to the screen pixel by pixel in every frame.
const CROWD_PIXELS_MAX: f64 = 700_000.0;

/// What the stage should draw attention to.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Emphasis {
    /// The parts that the story speaks of; all others are dimmed unless it is empty. A part without a number
    /// stands for all of its kind.
    pub(crate) points: Vec<PartId>,
    /// The parts that would give the answer to an open question away; nobody sees them until it is answered.
    pub(crate) hides: Vec<PartId>,
    /// What the learner follows: everything else fades.
    pub(crate) follows: Option<Picked>,
    /// The part that the learner picked.
    pub(crate) picked: Option<PartId>,
    /// The part whose button has the focus.
    pub(crate) focused: Option<PartId>,
    /// Whether nothing may move: a change of state shows without a pulse.
    pub(crate) still: bool,
    /// Whether the scene is a ghost: what was, or might have been.
    pub(crate) ghost: bool,
    /// Changes with the theme, so that the colours are read anew.
    pub(crate) theme_epoch: u32,
}

impl Emphasis {
    /// Whether the story points at this part.
    fn points_at(&self, id: PartId) -> bool {
        names(&self.points, id)
    }
}

/// The values of all inks in the present theme.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Palette([Rgb; Ink::ALL.len()]);

impl Palette {
    /// Reads the custom properties of the document's root (`--accent`, `--ok`, …); the light theme's value stands
    /// in for one that is missing or unreadable.
    pub(crate) fn read() -> Palette {
        let window = web_sys::window();
        let root = window
            .as_ref()
            .and_then(web_sys::Window::document)
            .and_then(|document| document.document_element());
        let style = root.and_then(|root| window?.get_computed_style(&root).ok()?);
        Palette(Ink::ALL.map(|ink| {
            let named = if ink == Ink::BadHatch { Ink::Bad } else { ink };
            let value = style.as_ref().and_then(|style| {
                style
                    .get_property_value(&format!("--{}", named.name()))
                    .ok()
            });
            value
                .and_then(|value| parse(value.trim()).or_else(|| ask_canvas(value.trim())))
                .unwrap_or_else(|| light(named))
        }))
    }

    /// The value of an ink.
    pub(crate) fn rgb(&self, ink: Ink) -> Rgb {
        self.0.get(ink as usize).copied().unwrap_or_default()
    }

    /// The value of an ink as CSS.
    pub(crate) fn css(&self, ink: Ink) -> String {
        let (r, g, b) = self.rgb(ink);
        format!("rgb({r},{g},{b})")
    }
}

fn light(ink: Ink) -> Rgb {
    svg::LIGHT
        .iter()
        .find(|(named, _)| *named == ink)
        .and_then(|(_, value)| parse(value))
        .unwrap_or_default()
}

/// Reads `#rrggbb`.
fn parse(value: &str) -> Option<Rgb> {
    let digits = value.strip_prefix('#')?;
    if digits.len() != 6 || !digits.is_ascii() {
        return None;
    }
    let byte = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).ok();
    Some((byte(0)?, byte(2)?, byte(4)?))
}

/// Reads any other CSS colour, system colours and mixtures included, by painting one pixel with it.
fn ask_canvas(value: &str) -> Option<Rgb> {
    if value.is_empty() {
        return None;
    }
    let canvas = new_canvas(1)?;
    let context = context_of(&canvas)?;
    context.set_fill_style_str(value);
    context.fill_rect(0.0, 0.0, 1.0, 1.0);
    let data = context.get_image_data(0.0, 0.0, 1.0, 1.0).ok()?.data();
    match data[..] {
        [r, g, b, 255] => Some((r, g, b)),
        _ => None,
    }
}

fn new_canvas(side: u32) -> Option<HtmlCanvasElement> {
    let document = web_sys::window()?.document()?;
    let canvas = document.create_element("canvas").ok()?;
    let canvas: HtmlCanvasElement = canvas.dyn_into().ok()?;
    canvas.set_width(side);
    canvas.set_height(side);
    Some(canvas)
}

fn context_of(canvas: &HtmlCanvasElement) -> Option<CanvasRenderingContext2d> {
    canvas.get_context("2d").ok()??.dyn_into().ok()
}

/// One live element that mirrors a shape.
struct LiveShape {
    tag: &'static str,
    element: Element,
    attrs: Vec<(&'static str, String)>,
    text: Option<(Text, String)>,
}

/// Receives one element and brings a live one into line with it, touching only what differs.
struct Patch<'a> {
    document: &'a Document,
    parent: &'a Element,
    live: &'a mut Option<LiveShape>,
    attrs_seen: usize,
}

impl Patch<'_> {
    fn to<'a>(
        document: &'a Document,
        parent: &'a Element,
        live: &'a mut Option<LiveShape>,
    ) -> Patch<'a> {
        Patch {
            document,
            parent,
            live,
            attrs_seen: 0,
        }
    }
}

impl Sink for Patch<'_> {
    fn open(&mut self, tag: &'static str) {
        if self.live.as_ref().is_some_and(|live| live.tag == tag) {
            return;
        }
        let old = self.live.take();
        // Without an element the rest of this shape has nowhere to go; the next change of the part tries again.
        let Ok(element) = self.document.create_element_ns(Some(SVG), tag) else {
            return;
        };
        let _ = match old {
            Some(old) => self.parent.replace_child(&element, &old.element),
            None => self.parent.append_child(&element),
        };
        *self.live = Some(LiveShape {
            tag,
            element,
            attrs: Vec::new(),
            text: None,
        });
    }

    fn attr(&mut self, name: &'static str, value: &str) {
        let Some(live) = self.live.as_mut() else {
            return;
        };
        let at = self.attrs_seen;
        self.attrs_seen += 1;
        // Shapes of one tag mostly name the same attributes in the same order.
        if live.attrs.get(at).is_some_and(|(old, _)| *old != name) {
            for (old, _) in live.attrs.drain(at..) {
                let _ = live.element.remove_attribute(old);
            }
        }
        match live.attrs.get_mut(at) {
            Some((_, old)) if old == value => return,
            Some((_, old)) => value.clone_into(old),
            None => live.attrs.push((name, value.to_owned())),
        }
        let _ = live.element.set_attribute(name, value);
    }

    fn text(&mut self, text: &str) {
        let Some(live) = self.live.as_mut() else {
            return;
        };
        match &mut live.text {
            Some((_, old)) if old == text => {}
            Some((node, old)) => {
                text.clone_into(old);
                node.set_data(text);
            }
            None => {
                let node = self.document.create_text_node(text);
                let _ = live.element.append_child(&node);
                live.text = Some((node, text.to_owned()));
            }
        }
    }

    fn close(&mut self) {
        if let Some(live) = self.live.as_mut() {
            for (old, _) in live.attrs.drain(self.attrs_seen.min(live.attrs.len())..) {
                let _ = live.element.remove_attribute(old);
            }
        }
    }
}

/// Brings the elements of a list of shapes into line; shapes equal to `before` are left alone.
fn patch_shapes(
    document: &Document,
    parent: &Element,
    live: &mut Vec<Option<LiveShape>>,
    before: &[Shape],
    now: &[Shape],
) {
    for (i, shape) in now.iter().enumerate() {
        if live.len() == i {
            live.push(None);
        } else if live[i].is_some() && before.get(i) == Some(shape) {
            continue;
        }
        svg::shape(shape, &mut Patch::to(document, parent, &mut live[i]));
    }
    for gone in live.drain(now.len()..).flatten() {
        gone.element.remove();
    }
}

/// Where the pulse of a part stands.
#[derive(Clone, Copy, PartialEq)]
enum Pulse {
    Idle,
    /// Interrupted by another change: without the class for one frame, so that the animation starts again.
    Again,
    /// Until this time of the page's clock, in milliseconds.
    Until(f64),
}

/// One live group that mirrors a part.
struct LivePart {
    part: Part,
    group: Element,
    hit: Option<LiveShape>,
    shapes: Vec<Option<LiveShape>>,
    /// See [`class`].
    states: u8,
    pulse: Pulse,
}

const DIM: u8 = 1;
const POINTED: u8 = 2;
const PICKED: u8 = 4;
const FOCUSED: u8 = 8;
const PULSING: u8 = 16;
const VEILED: u8 = 32;

/// What all parts are drawn with in one frame.
struct Frame<'a> {
    document: &'a Document,
    emphasis: &'a Emphasis,
    /// The least size of a target in scene units, and whether it has changed.
    target: f32,
    retarget: bool,
    /// The page's clock in milliseconds.
    now_ms: f64,
    /// Frames of the cards that the story points at: what lies on such a card is pointed at with it.
    lit: Vec<Rect>,
}

impl LivePart {
    fn new(frame: &Frame<'_>, part: &Part) -> Option<LivePart> {
        let group = frame.document.create_element_ns(Some(SVG), "g").ok()?;
        let _ = group.set_attribute("data-part", &part.id.to_string());
        let _ = group.set_attribute("class", svg::part_class(part));
        let mut live = LivePart {
            part: Part {
                shapes: Vec::new(),
                ..part.clone()
            },
            group,
            hit: None,
            shapes: Vec::new(),
            states: 0,
            pulse: Pulse::Idle,
        };
        live.draw(frame, part);
        Some(live)
    }

    fn draw(&mut self, frame: &Frame<'_>, part: &Part) {
        let document = frame.document;
        let mut patch = Patch::to(document, &self.group, &mut self.hit);
        hit(part, frame.target, &mut patch);
        let before = &self.part.shapes;
        patch_shapes(
            document,
            &self.group,
            &mut self.shapes,
            before,
            &part.shapes,
        );
        self.part.clone_from(part);
    }

    fn update(&mut self, frame: &Frame<'_>, part: &Part) {
        if self.part != *part {
            if !frame.emphasis.still && condition(&self.part) != condition(part) {
                self.pulse = match self.pulse {
                    Pulse::Idle => Pulse::Until(frame.now_ms + PULSE_MS),
                    _ => Pulse::Again,
                };
            }
            self.draw(frame, part);
        } else if frame.retarget {
            let mut patch = Patch::to(frame.document, &self.group, &mut self.hit);
            hit(part, frame.target, &mut patch);
        }
    }

    /// Sets the class names; true while the part pulses.
    fn mark(&mut self, frame: &Frame<'_>) -> bool {
        let (emphasis, now_ms, id) = (frame.emphasis, frame.now_ms, self.part.id);
        let pointed = emphasis.points_at(id);
        let lit = frame.lit.iter().any(|card| card.holds(&self.part.frame));
        let dim = !pointed && !lit && !emphasis.points.is_empty();
        let mut states = 0;
        for (state, holds) in [
            (DIM, dim),
            (POINTED, pointed),
            (PICKED, emphasis.picked == Some(id)),
            (FOCUSED, emphasis.focused == Some(id)),
            (VEILED, names(&emphasis.hides, id)),
        ] {
            if holds {
                states |= state;
            }
        }
        match self.pulse {
            Pulse::Until(end) if now_ms < end => states |= PULSING,
            Pulse::Again if self.states & PULSING == 0 => {
                self.pulse = Pulse::Until(now_ms + PULSE_MS);
                states |= PULSING;
            }
            Pulse::Again => {}
            _ => self.pulse = Pulse::Idle,
        }
        if states != self.states {
            self.states = states;
            let _ = self
                .group
                .set_attribute("class", &class(&self.part, states));
        }
        self.pulse != Pulse::Idle
    }
}

fn class(part: &Part, states: u8) -> String {
    let mut class = svg::part_class(part).to_owned();
    for (state, name) in [
        (DIM, " dim"),
        (POINTED, " pointed"),
        (PICKED, " picked"),
        (FOCUSED, " focused"),
        (PULSING, " pulse"),
        (VEILED, " veiled"),
    ] {
        if states & state != 0 {
            class.push_str(name);
        }
    }
    class
}

/// The inks of a part's first box tell its condition: alive, strained, dead.
fn condition(part: &Part) -> Option<(Ink, Ink, bool)> {
    part.shapes.iter().find_map(|shape| match shape {
        Shape::Box {
            fill,
            stroke,
            dashed,
            ..
        } => Some((*fill, *stroke, *dashed)),
        _ => None,
    })
}

/// The invisible element that catches the pointer: a ring around a thing, a broad stroke along a link.
fn hit(part: &Part, target: f32, sink: &mut dyn Sink) {
    let lines: Vec<&str> = part
        .shapes
        .iter()
        .filter_map(|shape| match shape {
            Shape::Path { d, stroke, .. } if *stroke != Ink::None => Some(d.as_str()),
            _ => None,
        })
        .collect();
    if part.role == Role::Link && !lines.is_empty() {
        sink.open("path");
        sink.attr("class", "reach");
        sink.attr("d", &lines.concat());
        sink.attr("fill", "none");
        sink.attr("stroke", "transparent");
        sink.attr("stroke-width", &tenths(target));
        sink.attr("pointer-events", "stroke");
    } else {
        let ring = part.frame.grown(RING);
        let (more_w, more_h) = ((target - ring.w).max(0.0), (target - ring.h).max(0.0));
        let radius = part.shapes.iter().find_map(|shape| match shape {
            Shape::Box { radius, .. } => Some(*radius),
            _ => None,
        });
        sink.open("rect");
        sink.attr("class", "halo");
        sink.attr("x", &fixed((ring.x - more_w / 2.0).into(), 1));
        sink.attr("y", &fixed((ring.y - more_h / 2.0).into(), 1));
        sink.attr("width", &fixed((ring.w + more_w).into(), 1));
        sink.attr("height", &fixed((ring.h + more_h).into(), 1));
        sink.attr("rx", &fixed((radius.unwrap_or(5.0) + RING).into(), 1));
        sink.attr("fill", "none");
        sink.attr("pointer-events", "all");
    }
    sink.close();
}

/// The parts of one role, in the order of the scene.
struct Layer {
    role: Role,
    group: Element,
    parts: Vec<LivePart>,
}

impl Layer {
    /// Brings the groups into line; true while a part pulses.
    fn patch(&mut self, frame: &Frame<'_>, scene: &Scene) -> bool {
        let mut count = 0;
        let mut pulsing = false;
        for part in scene.parts().iter().filter(|part| part.role == self.role) {
            let here = self.parts.get(count);
            if here.is_none_or(|live| live.part.id != part.id) {
                let later = self
                    .parts
                    .iter()
                    .skip(count)
                    .position(|live| live.part.id == part.id);
                let moved = match later {
                    Some(place) => Some(self.parts.remove(count + place)),
                    None => LivePart::new(frame, part),
                };
                let Some(moved) = moved else {
                    continue;
                };
                let next = self.parts.get(count).map(|live| &live.group);
                let _ = self
                    .group
                    .insert_before(&moved.group, next.map(|next| -> &web_sys::Node { next }));
                self.parts.insert(count, moved);
            }
            let live = &mut self.parts[count];
            live.update(frame, part);
            pulsing |= live.mark(frame);
            count += 1;
        }
        for gone in self.parts.drain(count..) {
            gone.group.remove();
        }
        pulsing
    }
}

/// What happens to the canvas between two frames, shared with the listeners.
#[derive(Default)]
struct Surface {
    /// Size in CSS pixels.
    size: Cell<(f64, f64)>,
    /// The room that the page gives the stage, in CSS pixels: a scene that needs more is scaled, and then scrolls.
    room: Cell<(f64, f64)>,
    /// Whether what is shown is out of date although the scene is not.
    stale: Cell<bool>,
    /// Whether the browser threw away what the canvases held.
    restored: Cell<bool>,
}

impl Surface {
    /// Reads the sizes of the canvas and of its room; true if one is another.
    fn measure(&self, canvas: &HtmlCanvasElement, room: &Element) -> bool {
        let frame = canvas.get_bounding_client_rect();
        let size = (frame.width(), frame.height());
        let frame = room.get_bounding_client_rect();
        let room = (frame.width(), frame.height());
        let changed = (self.size.replace(size) != size) | (self.room.replace(room) != room);
        if changed {
            self.stale.set(true);
        }
        changed
    }
}

/// A glyph on a small canvas of its own, ready to be copied.
struct Stamp {
    kind: Kind,
    canvas: HtmlCanvasElement,
    half: f64,
}

/// The moving things: one canvas.
struct Dots {
    canvas: HtmlCanvasElement,
    context: Option<CanvasRenderingContext2d>,
    buffer: (u32, u32),
    scale: f32,
    raster: Raster,
    stamps: Vec<Stamp>,
    /// Whether nothing is painted.
    blank: bool,
    /// Whether there are so many that they are rasterised here.
    crowd: bool,
}

impl Dots {
    fn forget(&mut self) {
        self.stamps.clear();
        self.raster.forget();
    }

    fn draw(&mut self, scene: &Scene, size: (f64, f64), palette: &Palette) {
        let Some(context) = &self.context else {
            return;
        };
        let ratio = web_sys::window().map_or(1.0, |window| window.device_pixel_ratio());
        let area = (size.0 * size.1).max(1.0);
        let particles = scene.particles();
        // A crowd stays one until it is clearly smaller, since either way the canvas may change its size.
        let least = if self.crowd {
            raster::CROWD * 4 / 5
        } else {
            raster::CROWD
        };
        self.crowd = particles.len() >= least;
        let most = if self.crowd {
            CROWD_PIXELS_MAX
        } else {
            PIXELS_MAX
        };
        let ratio = ratio.clamp(0.5, 8.0).min((most / area).sqrt());
        // Rounding down keeps the buffer within its bound.
        let buffer = ((size.0 * ratio) as u32, (size.1 * ratio) as u32);
        let (w, h) = (buffer.0 as f32, buffer.1 as f32);
        let Some(fit) = Fit::new((scene.width, scene.height), w, h) else {
            return;
        };
        if buffer != self.buffer {
            self.buffer = buffer;
            self.canvas.set_width(buffer.0);
            self.canvas.set_height(buffer.1);
            self.blank = true;
        }
        if fit.scale != self.scale {
            self.scale = fit.scale;
            self.stamps.clear();
        }
        if self.crowd {
            let (w, h) = (buffer.0 as usize, buffer.1 as usize);
            self.raster
                .paint((w, h), particles, fit, &|ink| palette.rgb(ink));
            let pixels = Clamped(self.raster.pixels());
            let image = ImageData::new_with_u8_clamped_array_and_sh(pixels, buffer.0, buffer.1);
            if let Ok(image) = image {
                let _ = context.put_image_data(&image, 0.0, 0.0);
            }
            self.blank = false;
            return;
        }
        if !self.blank {
            context.clear_rect(0.0, 0.0, w.into(), h.into());
        }
        self.blank = particles.is_empty();
        let mut at = 0;
        for particle in particles {
            let Some(kind) = raster::kind(particle) else {
                continue;
            };
            // Neighbours in the list are mostly of one kind.
            if self.stamps.get(at).is_none_or(|stamp| stamp.kind != kind) {
                let found = self.stamps.iter().position(|stamp| stamp.kind == kind);
                at = match found {
                    Some(found) => found,
                    None => match Stamp::new(kind, fit.scale, palette) {
                        Some(stamp) => {
                            self.stamps.push(stamp);
                            self.stamps.len() - 1
                        }
                        None => continue,
                    },
                };
            }
            self.stamps[at].put(context, particle, fit);
        }
        self.write(context, scene.letters(), fit, palette);
    }

    /// Writes on moving things whose they are.
    fn write(
        &self,
        context: &CanvasRenderingContext2d,
        letters: &[Letter],
        fit: Fit,
        palette: &Palette,
    ) {
        if letters.is_empty() {
            return;
        }
        let size = tenths(Letter::SIZE * fit.scale);
        context.set_font(&format!("600 {size}px Inter, system-ui, sans-serif"));
        context.set_text_align("center");
        for on in letters {
            context.set_fill_style_str(&palette.css(on.ink));
            let y = (on.at.y + Letter::SIZE * 0.36) * fit.scale + fit.top;
            let x = on.at.x * fit.scale + fit.left;
            let _ = context.fill_text(on.letter.encode_utf8(&mut [0; 4]), x.into(), y.into());
        }
    }
}

/// How much is left of moving things beside the one that is followed.
const FADED: &str = "rgb(0 0 0 / 0.22)";

impl Dots {
    /// Fades everything that is painted but what is followed: one thing, or those within a part.
    fn single_out(&mut self, scene: &Scene, followed: Picked, palette: &Palette) {
        let (w, h) = (self.buffer.0 as f32, self.buffer.1 as f32);
        let fit = Fit::new((scene.width, scene.height), w, h);
        let (Some(context), Some(fit)) = (self.context.clone(), fit) else {
            return;
        };
        context.set_fill_style_str(FADED);
        // The browser knows these modes by name, so this cannot fail.
        let _ = context.set_global_composite_operation("destination-in");
        context.fill_rect(0.0, 0.0, w.into(), h.into());
        let _ = context.set_global_composite_operation("source-over");
        let within = |id: PartId| {
            let mut parts = scene.parts().iter();
            parts.find(|part| part.id == id).map(|part| part.frame)
        };
        let frame = match followed {
            Picked::Part(id) => within(id),
            Picked::Dot(_) => None,
        };
        for particle in scene.particles() {
            let place = Rect::new(particle.x, particle.y, 0.0, 0.0);
            let one = followed == Picked::Dot(particle.dot);
            if !one && !frame.is_some_and(|frame| frame.holds(&place)) {
                continue;
            }
            let stamp =
                raster::kind(particle).and_then(|kind| Stamp::new(kind, fit.scale, palette));
            if let Some(stamp) = stamp {
                stamp.put(&context, particle, fit);
            }
            if one {
                let (x, y) = (
                    particle.x * fit.scale + fit.left,
                    particle.y * fit.scale + fit.top,
                );
                let ring = (particle.r + 5.0) * fit.scale;
                context.set_stroke_style_str(&palette.css(Ink::Accent));
                context.set_line_width(f64::from(2.0 * fit.scale));
                context.begin_path();
                let _ = context.arc(x.into(), y.into(), ring.into(), 0.0, std::f64::consts::TAU);
                context.stroke();
            }
        }
        self.blank = false;
    }
}

impl Stamp {
    fn new(kind: Kind, scale: f32, palette: &Palette) -> Option<Stamp> {
        let sprite = Sprite::new(kind, scale, (0.0, 0.0), &|ink| palette.rgb(ink));
        let side = sprite.side() as u32;
        let canvas = new_canvas(side)?;
        let pixels = Clamped(sprite.pixels());
        let image = ImageData::new_with_u8_clamped_array_and_sh(pixels, side, side).ok()?;
        context_of(&canvas)?.put_image_data(&image, 0.0, 0.0).ok()?;
        let half = f64::from(side) / 2.0;
        Some(Stamp { kind, canvas, half })
    }

    fn put(&self, context: &CanvasRenderingContext2d, particle: &Particle, fit: Fit) {
        let x = f64::from(particle.x * fit.scale + fit.left) - self.half;
        let y = f64::from(particle.y * fit.scale + fit.top) - self.half;
        let _ = context.draw_image_with_html_canvas_element(&self.canvas, x, y);
    }
}

/// A scene shown in the page.
pub(crate) struct StageView {
    svg: Element,
    document: Option<Document>,
    backdrop: Option<Element>,
    backdrop_shapes: (Vec<Option<LiveShape>>, Vec<Shape>),
    layers: Vec<Layer>,
    dots: Dots,
    palette: Palette,
    theme_epoch: Option<u32>,
    ghost: bool,
    view_box: (f32, f32),
    target: f32,
    pulsing: bool,
    room: Element,
    surface: Rc<Surface>,
    observer: Option<ResizeObserver>,
    // Only kept: the observer calls it.
    _on_resize: Closure<dyn FnMut()>,
    on_restored: Closure<dyn FnMut()>,
}

impl StageView {
    /// Takes over an `<svg>`, dropping what is in it, and the canvas that lies over it in the same place and size;
    /// both stand in a `room` of which they may be larger. `changed` is called once sizes are known and when they are
    /// others, and so it has to be drawn.
    pub(crate) fn new(
        svg: Element,
        canvas: HtmlCanvasElement,
        room: Element,
        changed: impl Fn() + 'static,
    ) -> StageView {
        let document = svg.owner_document();
        svg.set_text_content(None);
        let _ = svg.set_attribute("preserveAspectRatio", "xMidYMid meet");
        let group = |name: &str| {
            let group = document.as_ref()?.create_element_ns(Some(SVG), "g").ok()?;
            let _ = group.set_attribute("class", name);
            svg.append_child(&group).ok()?;
            Some(group)
        };
        let backdrop = group("backdrop");
        // Links come first, so that cards cover their ends.
        let layers = [(Role::Link, "links"), (Role::Thing, "things")]
            .into_iter()
            .filter_map(|(role, name)| {
                let group = group(name)?;
                Some(Layer {
                    role,
                    group,
                    parts: Vec::new(),
                })
            })
            .collect();

        let surface = Rc::new(Surface::default());
        // Sizes are read when they change, the first time included: to ask at any other moment forces a layout.
        let on_resize = Closure::<dyn FnMut()>::new({
            let (surface, canvas, room) = (surface.clone(), canvas.clone(), room.clone());
            move || {
                if surface.measure(&canvas, &room) {
                    changed();
                }
            }
        });
        let observer = ResizeObserver::new(on_resize.as_ref().unchecked_ref()).ok();
        match &observer {
            Some(observer) => {
                observer.observe(&canvas);
                observer.observe(&room);
            }
            None => _ = surface.measure(&canvas, &room),
        }
        let restored = surface.clone();
        let on_restored = Closure::<dyn FnMut()>::new(move || {
            restored.restored.set(true);
            restored.stale.set(true);
        });
        let _ = canvas.add_event_listener_with_callback(
            "contextrestored",
            on_restored.as_ref().unchecked_ref(),
        );
        StageView {
            svg,
            document,
            backdrop,
            backdrop_shapes: (Vec::new(), Vec::new()),
            layers,
            dots: Dots {
                context: context_of(&canvas),
                canvas,
                buffer: (0, 0),
                scale: 0.0,
                raster: Raster::default(),
                stamps: Vec::new(),
                blank: true,
                crowd: false,
            },
            // Read with the first picture: to ask before the page is laid out forces that.
            palette: Palette(Ink::ALL.map(light)),
            theme_epoch: None,
            ghost: false,
            view_box: (0.0, 0.0),
            target: TARGET_PX,
            pulsing: false,
            room,
            surface,
            observer,
            _on_resize: on_resize,
            on_restored,
        }
    }

    /// Whether to call [`StageView::render`] again although neither scene nor emphasis has changed: the stage was
    /// resized, its canvas was lost and restored, or a pulse is running.
    pub(crate) fn stale(&self) -> bool {
        self.pulsing || self.surface.stale.get()
    }

    /// Its room in whole CSS pixels; no width before it is laid out, and where it is not displayed.
    pub(crate) fn room(&self) -> (f32, f32) {
        let (w, h) = self.surface.room.get();
        (w.round() as f32, h.round() as f32)
    }

    /// Reads its size now, for those who cannot wait for the browser to tell it.
    pub(crate) fn measure(&self) {
        self.surface.measure(&self.dots.canvas, &self.room);
    }

    /// Takes over the colours that another stage has read: to read them again would force a layout.
    pub(crate) fn dress_like(&mut self, other: &StageView) {
        self.palette = other.palette.clone();
        self.theme_epoch = other.theme_epoch;
    }

    /// The colours as last read.
    pub(crate) fn palette(&self) -> &Palette {
        &self.palette
    }

    /// Shows a scene.
    pub(crate) fn render(&mut self, scene: &Scene, emphasis: &Emphasis) {
        self.surface.stale.set(false);
        if self.theme_epoch != Some(emphasis.theme_epoch) {
            self.theme_epoch = Some(emphasis.theme_epoch);
            self.palette = Palette::read();
            self.dots.forget();
        }
        if self.surface.restored.replace(false) {
            self.dots.forget();
            self.dots.blank = false;
        }
        self.patch(scene, emphasis);
        self.dots
            .draw(scene, self.surface.size.get(), &self.palette);
        if let Some(followed) = emphasis.follows {
            self.dots.single_out(scene, followed, &self.palette);
        }
    }

    fn patch(&mut self, scene: &Scene, emphasis: &Emphasis) {
        let Some(document) = self.document.clone() else {
            return;
        };
        if self.view_box != (scene.width, scene.height) {
            self.view_box = (scene.width, scene.height);
            let value = format!("0 0 {} {}", tenths(scene.width), tenths(scene.height));
            let _ = self.svg.set_attribute("viewBox", &value);
        }
        if self.ghost != emphasis.ghost {
            self.ghost = emphasis.ghost;
            for element in [&self.svg, self.dots.canvas.as_ref()] {
                let _ = element
                    .class_list()
                    .toggle_with_force("ghost", emphasis.ghost);
            }
        }
        // One pattern serves every stage of the page; the stage that owned it may be gone.
        if document.get_element_by_id("hatch-bad").is_none() {
            let _ = self.svg.insert_adjacent_html("afterbegin", svg::HATCH);
        }
        if let Some(group) = &self.backdrop {
            let (live, before) = &mut self.backdrop_shapes;
            if before.as_slice() != scene.backdrop() {
                patch_shapes(&document, group, live, before, scene.backdrop());
                before.clear();
                before.extend_from_slice(scene.backdrop());
            }
        }
        let target = self.target_now();
        let retarget = target != self.target;
        self.target = target;
        let now_ms = web_sys::window()
            .and_then(|window| window.performance())
            .map_or(0.0, |clock| clock.now());
        let lit = scene.parts().iter().filter(|part| {
            let boxed = matches!(part.shapes.first(), Some(Shape::Box { .. }));
            boxed && emphasis.points_at(part.id)
        });
        let lit = lit.map(|part| part.frame).collect();
        let frame = Frame {
            document: &document,
            emphasis,
            target,
            retarget,
            now_ms,
            lit,
        };
        self.pulsing = false;
        for layer in &mut self.layers {
            self.pulsing |= layer.patch(&frame, scene);
        }
    }

    /// The least size of a target in scene units: a stage that is shown smaller needs more of them.
    fn target_now(&self) -> f32 {
        let (w, h) = self.surface.size.get();
        let scale = Fit::new(self.view_box, w as f32, h as f32).map_or(1.0, |fit| fit.scale);
        // In steps of one unit, so that a window that is being dragged does not patch every part in every frame.
        (TARGET_PX / scale.clamp(0.1, 1.0)).ceil()
    }

    /// The part under the target of an event, as it is written: `server-2`.
    pub(crate) fn part_at(&self, target: Option<EventTarget>) -> Option<String> {
        let element: Element = target?.dyn_into().ok()?;
        let group = element.closest("[data-part]").ok()??;
        if !self.svg.contains(Some(&group)) {
            return None;
        }
        group.get_attribute("data-part")
    }

    /// The point of the scene under a point of the window, as events give it (`clientX`, `clientY`).
    pub(crate) fn scene_point(&self, client_x: f64, client_y: f64) -> Point {
        let frame = self.svg.get_bounding_client_rect();
        let (w, h) = (frame.width() as f32, frame.height() as f32);
        let (x, y) = (client_x - frame.left(), client_y - frame.top());
        Fit::new(self.view_box, w, h)
            .map_or_else(Point::default, |fit| fit.scene_point(x as f32, y as f32))
    }
}

impl Drop for StageView {
    fn drop(&mut self) {
        if let Some(observer) = &self.observer {
            observer.disconnect();
        }
        let _ = self.dots.canvas.remove_event_listener_with_callback(
            "contextrestored",
            self.on_restored.as_ref().unchecked_ref(),
        );
    }
}
