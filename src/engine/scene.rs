//! Scenes: what a lesson draws, as plain data in page units.
//!
//! A scene is as wide as the stage is in CSS pixels (within bounds), so that a text of 13 units is a text
//! of 13 pixels on every screen. Colours are roles; the page's theme gives them their values.

use crate::arg::Arg;
pub use crate::ids::{BACKDROP, Glyph, Ink, PartId};
use crate::text;
use crate::words::Words;
use std::fmt::Write;
use std::rc::Rc;

/// Stages narrower than this are laid out top to bottom.
pub const NARROW: f32 = 560.0;
/// Bounds of a scene's width; beyond them the stage scales.
pub const WIDTHS: (f32, f32) = (288.0, 1000.0);

/// A point of the scene.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    /// To the right.
    pub x: f32,
    /// Down.
    pub y: f32,
}

/// Shorthand for a point.
pub const fn pt(x: f32, y: f32) -> Point {
    Point { x, y }
}

/// An upright rectangle.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rect {
    /// Left edge.
    pub x: f32,
    /// Upper edge.
    pub y: f32,
    /// Width.
    pub w: f32,
    /// Height.
    pub h: f32,
}

impl Rect {
    /// A rectangle by its upper left corner and size.
    pub const fn new(x: f32, y: f32, w: f32, h: f32) -> Rect {
        Rect { x, y, w, h }
    }

    /// Its middle.
    pub fn centre(&self) -> Point {
        pt(self.x + self.w / 2.0, self.y + self.h / 2.0)
    }

    /// The middle of its left side.
    pub fn left(&self) -> Point {
        pt(self.x, self.y + self.h / 2.0)
    }

    /// The middle of its right side.
    pub fn right(&self) -> Point {
        pt(self.x + self.w, self.y + self.h / 2.0)
    }

    /// The middle of its upper side.
    pub fn top(&self) -> Point {
        pt(self.x + self.w / 2.0, self.y)
    }

    /// The middle of its lower side.
    pub fn bottom(&self) -> Point {
        pt(self.x + self.w / 2.0, self.y + self.h)
    }

    /// Whether `other` lies inside, give or take half a unit.
    pub fn holds(&self, other: &Rect) -> bool {
        other.x >= self.x - 0.5
            && other.y >= self.y - 0.5
            && other.x + other.w <= self.x + self.w + 0.5
            && other.y + other.h <= self.y + self.h + 0.5
    }

    /// Whether the two share more than half a unit.
    pub fn overlaps(&self, other: &Rect) -> bool {
        self.x + 0.5 < other.x + other.w
            && other.x + 0.5 < self.x + self.w
            && self.y + 0.5 < other.y + other.h
            && other.y + 0.5 < self.y + self.h
    }

    /// The rectangle `by` units larger on each side.
    pub fn grown(&self, by: f32) -> Rect {
        Rect::new(
            self.x - by,
            self.y - by,
            self.w + 2.0 * by,
            self.h + 2.0 * by,
        )
    }
}

/// How a scene lies in a frame of another size: as large as fits, in the middle, like SVG's `xMidYMid meet`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fit {
    /// Units of the frame to a scene unit; above 0.
    pub scale: f32,
    /// Where the scene's left edge lies in the frame.
    pub left: f32,
    /// Where its upper edge lies.
    pub top: f32,
}

impl Fit {
    /// Fits a scene of this width and height into a frame of `w` by `h`. None if either has no area.
    pub fn new(scene: (f32, f32), w: f32, h: f32) -> Option<Fit> {
        let sizes = [scene.0, scene.1, w, h];
        let sound = sizes.iter().all(|size| size.is_finite() && *size > 0.0);
        sound.then(|| {
            let scale = (w / scene.0).min(h / scene.1);
            Fit {
                scale,
                left: (w - scene.0 * scale) / 2.0,
                top: (h - scene.1 * scale) / 2.0,
            }
        })
    }

    /// The point of the scene that lies at a point of the frame.
    pub fn scene_point(&self, x: f32, y: f32) -> Point {
        pt((x - self.left) / self.scale, (y - self.top) / self.scale)
    }
}

/// Where a text stands relative to its point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Anchor {
    /// The text begins there.
    #[default]
    Start,
    /// Its middle is there.
    Middle,
    /// It ends there.
    End,
}

/// One drawn shape.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// A rectangle with round corners.
    Box {
        /// Where.
        rect: Rect,
        /// Radius of the corners.
        radius: f32,
        /// Ground.
        fill: Ink,
        /// Border.
        stroke: Ink,
        /// Width of the border.
        width: f32,
        /// Whether the border is dashed.
        dashed: bool,
    },
    /// One line of text.
    Text {
        /// Where its baseline stands.
        at: Point,
        /// Its size.
        size: f32,
        /// Weight 600 instead of 400.
        bold: bool,
        /// Its colour.
        ink: Ink,
        /// How it stands at its point.
        anchor: Anchor,
        /// What it says.
        text: String,
    },
    /// A line or area along SVG path data.
    Path {
        /// The data.
        d: String,
        /// Ground.
        fill: Ink,
        /// Line.
        stroke: Ink,
        /// Width of the line.
        width: f32,
        /// Whether the line is dashed.
        dashed: bool,
    },
    /// A glyph that stands still.
    Mark {
        /// Which.
        glyph: Glyph,
        /// Its middle.
        at: Point,
        /// Its radius.
        r: f32,
        /// Its colour.
        ink: Ink,
    },
}

/// What a part is to the learner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A thing of the system: in the reading order, focusable, picked by a click.
    Thing,
    /// A connection: named and pickable, but out of the reading order.
    Link,
}

/// One thing on the stage.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Its id, unique in the scene.
    pub id: PartId,
    /// What it is.
    pub role: Role,
    /// Its name, spoken and shown.
    pub name: String,
    /// Its state in words.
    pub value: String,
    /// Its bounds, for focus rings, hits and layout tests.
    pub frame: Rect,
    /// What is drawn.
    pub shapes: Vec<Shape>,
}

impl Part {
    /// The middle of what is drawn of a connection, where it is one way: a way that bends passes the centre of its frame by.
    fn middle(&self) -> Point {
        let way = self.shapes.iter().find_map(|shape| match shape {
            Shape::Path { d, .. } => Some(d),
            _ => None,
        });
        let numbers = way
            .iter()
            .flat_map(|d| d.split(|c: char| c.is_alphabetic() || c == ' '));
        let numbers = numbers.filter_map(crate::text::number);
        let numbers: Vec<f32> = numbers.map(|number| number as f32).collect();
        let points: Vec<Point> = numbers
            .chunks_exact(2)
            .map(|pair| pt(pair[0], pair[1]))
            .collect();
        let middle = match points[..] {
            [from, a, b, to] if way.is_some_and(|d| d.contains('C')) => {
                Some(Curve::cubic(from, a, b, to).at(0.5))
            }
            _ => halfway(&points),
        };
        let frame = self.frame.grown(1.0);
        let within = |at: &Point| frame.holds(&Rect::new(at.x, at.y, 0.0, 0.0));
        middle.filter(within).unwrap_or_else(|| self.frame.centre())
    }
}

/// The point half the way along a line through these points.
fn halfway(points: &[Point]) -> Option<Point> {
    let length = |ends: &[Point]| {
        let (dx, dy) = (ends[1].x - ends[0].x, ends[1].y - ends[0].y);
        (dx * dx + dy * dy).sqrt()
    };
    let mut left = points.windows(2).map(length).sum::<f32>() / 2.0;
    for ends in points.windows(2) {
        let here = length(ends);
        if here > 0.0 && here >= left {
            let share = left / here;
            return Some(pt(
                ends[0].x + (ends[1].x - ends[0].x) * share,
                ends[0].y + (ends[1].y - ends[0].y) * share,
            ));
        }
        left -= here;
    }
    None
}

/// One moving thing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Particle {
    /// Its middle, to the right.
    pub x: f32,
    /// Its middle, down.
    pub y: f32,
    /// Its radius.
    pub r: f32,
    /// Its shape.
    pub glyph: Glyph,
    /// Its colour.
    pub ink: Ink,
    /// The request, message or key that it is; 0 if it cannot be asked about.
    pub dot: u32,
}

/// Whose a moving thing is: a letter on it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Letter {
    /// The middle of what it stands on.
    pub at: Point,
    /// The letter.
    pub letter: char,
    /// Its colour.
    pub ink: Ink,
}

impl Letter {
    /// Its size, in units.
    pub const SIZE: f32 = 12.0;
}

/// A picture of the system at one moment.
#[derive(Clone, Debug)]
pub struct Scene {
    /// Its width in units.
    pub width: f32,
    /// Its height in units, set by the lesson.
    pub height: f32,
    /// The height that the stage has room for, in units. A lesson keeps to it as far as it can; what is higher is
    /// scaled. None where height is free.
    pub room: Option<f32>,
    words: Rc<Words>,
    parts: Vec<Part>,
    particles: Vec<Particle>,
    letters: Vec<Letter>,
    background: Vec<Shape>,
    figures: Vec<(PartId, &'static str, f64)>,
}

impl Scene {
    /// An empty scene for a stage of `width` CSS pixels.
    pub fn new(width: f32, words: Rc<Words>) -> Scene {
        let width = if width.is_finite() {
            width.clamp(WIDTHS.0, WIDTHS.1)
        } else {
            WIDTHS.1
        };
        Scene {
            width,
            height: 400.0,
            room: None,
            words,
            parts: Vec::new(),
            particles: Vec::new(),
            letters: Vec::new(),
            background: Vec::new(),
            figures: Vec::new(),
        }
    }

    /// Whether to lay out top to bottom.
    pub fn narrow(&self) -> bool {
        self.width < NARROW
    }

    /// The words that the learner reads.
    pub fn words(&self) -> &Rc<Words> {
        &self.words
    }

    /// The word `stage.<id>` with values.
    pub fn say(&self, id: &str, args: &[Arg]) -> String {
        self.words.fill(&format!("stage.{id}"), args)
    }

    /// The name of a part.
    pub fn name(&self, part: PartId) -> String {
        self.words.write(&Arg::Part(part))
    }

    /// Begins a thing; what is pushed to the pencil belongs to it.
    pub fn thing(&mut self, id: PartId, frame: Rect, value: String) -> Pencil<'_> {
        self.part(id, Role::Thing, frame, value)
    }

    /// Begins a link.
    pub fn link(&mut self, id: PartId, frame: Rect, value: String) -> Pencil<'_> {
        self.part(id, Role::Link, frame, value)
    }

    fn part(&mut self, id: PartId, role: Role, frame: Rect, value: String) -> Pencil<'_> {
        let name = self.name(id);
        self.parts.push(Part {
            id,
            role,
            name,
            value,
            frame,
            shapes: Vec::new(),
        });
        Pencil {
            shapes: &mut self
                .parts
                .last_mut()
                .expect("a part was pushed above")
                .shapes,
            part: id,
            figures: &mut self.figures,
        }
    }

    /// The part that was begun last, for what every part of a kind has beside what it draws itself.
    pub fn last(&mut self) -> Option<&mut Part> {
        self.parts.last_mut()
    }

    /// The figure that a part's view calls `name`: what [`crate::claim`] reads.
    pub fn figure(&self, part: PartId, name: &str) -> Option<f64> {
        let told = |told: &&(PartId, &str, f64)| (told.0, told.1) == (part, name);
        self.figures.iter().find(told).map(|told| told.2)
    }

    /// Draws what belongs to no part, behind everything.
    pub fn background(&mut self) -> Pencil<'_> {
        Pencil {
            shapes: &mut self.background,
            part: BACKDROP,
            figures: &mut self.figures,
        }
    }

    /// Adds a moving thing.
    #[inline]
    pub fn particle(&mut self, at: Point, r: f32, glyph: Glyph, ink: Ink, dot: u32) {
        self.particles.push(Particle {
            x: at.x,
            y: at.y,
            r,
            glyph,
            ink,
            dot,
        });
    }

    /// Writes on a moving thing whose it is; its radius should be 8 or more.
    pub fn letter(&mut self, at: Point, letter: char, ink: Ink) {
        self.letters.push(Letter { at, letter, ink });
    }

    /// What is written on moving things.
    pub fn letters(&self) -> &[Letter] {
        &self.letters
    }

    /// The parts in reading order.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The moving things.
    pub fn particles(&self) -> &[Particle] {
        &self.particles
    }

    /// What belongs to no part.
    pub fn backdrop(&self) -> &[Shape] {
        &self.background
    }

    /// The moving thing nearest to a point, at most `reach` away.
    pub fn particle_at(&self, at: Point, reach: f32) -> Option<&Particle> {
        let distance = |p: &&Particle| (p.x - at.x) * (p.x - at.x) + (p.y - at.y) * (p.y - at.y);
        let nearest = self
            .particles
            .iter()
            .min_by(|a, b| distance(a).total_cmp(&distance(b)))?;
        (distance(&nearest) <= reach * reach).then_some(nearest)
    }

    /// Takes the motion out of the picture: what travels along a link stands beside its middle, once for each shape
    /// and colour, with a count. What waits at a thing stays. For those who asked for reduced motion, so that a picture
    /// replaced by the next says the same without anything moving between the two.
    pub fn rest(&mut self) {
        const SPACING: f32 = 26.0;
        const REACH: f32 = 16.0;
        let of = |role: Role| self.parts.iter().filter(move |part| part.role == role);
        let things: Vec<Rect> = of(Role::Thing).map(|part| part.frame).collect();
        let links: Vec<Rect> = of(Role::Link).map(|part| part.frame).collect();
        let middles: Vec<Point> = of(Role::Link).map(Part::middle).collect();
        // (link, glyph, ink, how many, the first), in the order met, which is the lesson's own order and so the same in
        // each run.
        let mut groups: Vec<(usize, Glyph, Ink, usize, u32)> = Vec::new();
        let mut staying = Vec::new();
        // Those who stand together are counted, whosever they are.
        self.letters.clear();
        for particle in std::mem::take(&mut self.particles) {
            let at = Rect::new(particle.x, particle.y, 0.0, 0.0);
            let distance = |frame: &Rect| {
                let c = frame.centre();
                let (dx, dy) = (c.x - particle.x, c.y - particle.y);
                dx * dx + dy * dy
            };
            let near = links
                .iter()
                .enumerate()
                .filter(|(_, frame)| frame.grown(REACH).holds(&at))
                .min_by(|(_, a), (_, b)| distance(a).total_cmp(&distance(b)));
            match near {
                Some((link, _)) if !things.iter().any(|frame| frame.holds(&at)) => {
                    let same = |g: &&mut (usize, Glyph, Ink, usize, u32)| {
                        (g.0, g.1, g.2) == (link, particle.glyph, particle.ink)
                    };
                    match groups.iter_mut().find(same) {
                        Some(group) => group.3 += 1,
                        None => {
                            groups.push((link, particle.glyph, particle.ink, 1, particle.dot));
                        }
                    }
                }
                _ => staying.push(particle),
            }
        }
        self.particles = staying;
        groups.sort_by_key(|group| (group.0, group.1));
        let mut before = 0;
        for (place, (link, glyph, ink, count, dot)) in groups.iter().copied().enumerate() {
            if place > 0 && groups[place - 1].0 != link {
                before = place;
            }
            let all = groups.iter().filter(|group| group.0 == link).count();
            let offset = (place - before) as f32 - (all as f32 - 1.0) / 2.0;
            let middle = middles[link];
            // A link too short for its groups side by side holds them below each other.
            let across = links[link].w >= all as f32 * SPACING;
            let (x, y) = if across {
                (middle.x + offset * SPACING, middle.y)
            } else {
                (middle.x, middle.y + offset * 13.0)
            };
            let at = pt(
                x.clamp(8.0, self.width - 20.0),
                y.clamp(8.0, self.height - 8.0),
            );
            // The first of a group can be asked about, as any that travels can.
            self.particle(at, 4.5, glyph, ink, dot);
            if count > 1 {
                // Above a link that lies, beside one that stands: never on the link, nor under the card at its end.
                let rise = if across { -5.0 } else { 4.0 };
                self.background.push(Shape::Text {
                    at: pt(at.x + 7.0, at.y + rise),
                    size: 11.0,
                    bold: true,
                    ink: Ink::Ink,
                    anchor: Anchor::Start,
                    text: count.to_string(),
                });
            }
        }
    }

    /// A text of parts and values, the same for the same picture: what snapshot tests compare.
    pub fn outline(&self) -> String {
        let mut text = format!("scene {} x {}\n", self.width, self.height);
        for part in self.parts.iter().filter(|part| part.role == Role::Thing) {
            let _ = writeln!(text, "{}: {} | {}", part.id, part.name, part.value);
        }
        let mut counts: Vec<(Glyph, usize)> = Vec::new();
        for particle in &self.particles {
            match counts
                .iter_mut()
                .find(|(glyph, _)| *glyph == particle.glyph)
            {
                Some((_, n)) => *n += 1,
                None => counts.push((particle.glyph, 1)),
            }
        }
        counts.sort();
        for (glyph, n) in counts {
            let _ = writeln!(text, "{n} moving: {}", glyph.name());
        }
        text
    }

    /// What is wrong with the layout: texts outside the frame of their part, things outside the scene or over
    /// each other, numbers that are none. Empty for a sound scene; tests run it over every lesson.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let all = Rect::new(0.0, 0.0, self.width, self.height);
        let things: Vec<&Part> = self
            .parts
            .iter()
            .filter(|part| part.role == Role::Thing)
            .collect();
        for (i, part) in things.iter().enumerate() {
            if !all.holds(&part.frame) {
                faults.push(format!(
                    "{} lies outside the scene: {:?}",
                    part.id, part.frame
                ));
            }
            if part.name.is_empty() || part.value.is_empty() {
                faults.push(format!("{} has no name or no value", part.id));
            }
            for other in &things[i + 1..] {
                if part.frame.overlaps(&other.frame) {
                    faults.push(format!("{} overlaps {}", part.id, other.id));
                }
                if part.id == other.id {
                    faults.push(format!("two parts are called {}", part.id));
                }
            }
            for shape in &part.shapes {
                if let Shape::Text { text, size, .. } = shape {
                    let bounds = shape.bounds();
                    let on = |b: &Rect| b.overlaps(&Rect::new(bounds.x, bounds.y, 1.0, bounds.h));
                    let cards = part.shapes.iter().filter_map(|s| match s {
                        Shape::Box { rect, .. } if on(rect) => Some(rect),
                        _ => None,
                    });
                    for card in cards.filter(|card| !card.holds(&bounds)) {
                        faults.push(format!("{text:?} leaves its card: {bounds:?} in {card:?}"));
                    }
                    if !part.frame.holds(&bounds) {
                        faults.push(format!(
                            "{:?} leaves the frame of {}: {bounds:?} in {:?}",
                            text, part.id, part.frame
                        ));
                    }
                    if *size < 11.0 {
                        faults.push(format!("{text:?} is smaller than 11"));
                    }
                }
            }
        }
        for shape in self
            .background
            .iter()
            .chain(self.parts.iter().flat_map(|part| &part.shapes))
        {
            let b = shape.bounds();
            if ![b.x, b.y, b.w, b.h].iter().all(|v| v.is_finite()) {
                faults.push(format!("not a number in {shape:?}"));
            }
            if matches!(shape, Shape::Text { .. }) && !all.holds(&b) {
                faults.push(format!("text outside the scene: {shape:?}"));
            }
        }
        for particle in &self.particles {
            if !(particle.x.is_finite() && particle.y.is_finite() && particle.r.is_finite()) {
                faults.push(format!("not a number in {particle:?}"));
            } else if !all
                .grown(1.0)
                .holds(&Rect::new(particle.x, particle.y, 0.0, 0.0))
            {
                faults.push(format!("particle outside the scene: {particle:?}"));
            }
        }
        faults
    }
}

impl Shape {
    /// The rectangle that it fills, by the font's widths for text; empty for paths, whose bounds are not needed.
    pub fn bounds(&self) -> Rect {
        match self {
            Shape::Box { rect, .. } => *rect,
            Shape::Text {
                at,
                size,
                bold,
                anchor,
                text,
                ..
            } => {
                let w = text::width(text, *size, *bold);
                let x = match anchor {
                    Anchor::Start => at.x,
                    Anchor::Middle => at.x - w / 2.0,
                    Anchor::End => at.x - w,
                };
                Rect::new(x, at.y - size * 0.76, w, *size)
            }
            Shape::Path { d, .. } if d.contains("NaN") || d.contains("inf") => {
                Rect::new(f32::NAN, 0.0, 0.0, 0.0)
            }
            Shape::Path { .. } => Rect::default(),
            Shape::Mark { at, r, .. } => Rect::new(at.x - r, at.y - r, 2.0 * r, 2.0 * r),
        }
    }
}

/// Adds shapes to a part or to the background.
pub struct Pencil<'a> {
    shapes: &'a mut Vec<Shape>,
    part: PartId,
    figures: &'a mut Vec<(PartId, &'static str, f64)>,
}

impl Pencil<'_> {
    /// Tells a figure that is drawn here by a name of its own, from the variable that is written: beats lean on it, and a
    /// test holds their captions against it.
    pub fn figure(&mut self, name: &'static str, value: f64) -> &mut Self {
        self.figures.push((self.part, name, value));
        self
    }

    /// Any shape.
    pub fn shape(&mut self, shape: Shape) -> &mut Self {
        self.shapes.push(shape);
        self
    }

    /// A filled box with a border.
    pub fn bordered(
        &mut self,
        rect: Rect,
        radius: f32,
        fill: Ink,
        stroke: Ink,
        width: f32,
    ) -> &mut Self {
        self.shape(Shape::Box {
            rect,
            radius,
            fill,
            stroke,
            width,
            dashed: false,
        })
    }

    /// A box with a dashed border.
    pub fn dashed(
        &mut self,
        rect: Rect,
        radius: f32,
        fill: Ink,
        stroke: Ink,
        width: f32,
    ) -> &mut Self {
        self.shape(Shape::Box {
            rect,
            radius,
            fill,
            stroke,
            width,
            dashed: true,
        })
    }

    /// A filled box without a border.
    pub fn filled(&mut self, rect: Rect, radius: f32, fill: Ink) -> &mut Self {
        self.bordered(rect, radius, fill, Ink::None, 0.0)
    }

    /// A line of text.
    pub fn text(&mut self, at: Point, size: f32, ink: Ink, text: impl Into<String>) -> &mut Self {
        self.shape(Shape::Text {
            at,
            size,
            bold: false,
            ink,
            anchor: Anchor::Start,
            text: text.into(),
        })
    }

    /// A line of text at weight 600.
    pub fn bold(&mut self, at: Point, size: f32, ink: Ink, text: impl Into<String>) -> &mut Self {
        self.shape(Shape::Text {
            at,
            size,
            bold: true,
            ink,
            anchor: Anchor::Start,
            text: text.into(),
        })
    }

    /// A line of text around its point.
    pub fn centred(
        &mut self,
        at: Point,
        size: f32,
        bold: bool,
        ink: Ink,
        text: impl Into<String>,
    ) -> &mut Self {
        self.shape(Shape::Text {
            at,
            size,
            bold,
            ink,
            anchor: Anchor::Middle,
            text: text.into(),
        })
    }

    /// A line along path data.
    pub fn line(&mut self, d: impl Into<String>, stroke: Ink, width: f32) -> &mut Self {
        self.shape(Shape::Path {
            d: d.into(),
            fill: Ink::None,
            stroke,
            width,
            dashed: false,
        })
    }

    /// A dashed line along path data.
    pub fn dashed_line(&mut self, d: impl Into<String>, stroke: Ink, width: f32) -> &mut Self {
        self.shape(Shape::Path {
            d: d.into(),
            fill: Ink::None,
            stroke,
            width,
            dashed: true,
        })
    }

    /// A filled area.
    pub fn area(&mut self, d: impl Into<String>, fill: Ink) -> &mut Self {
        self.shape(Shape::Path {
            d: d.into(),
            fill,
            stroke: Ink::None,
            width: 0.0,
            dashed: false,
        })
    }

    /// A glyph that stands still.
    pub fn mark(&mut self, glyph: Glyph, at: Point, r: f32, ink: Ink) -> &mut Self {
        self.shape(Shape::Mark { glyph, at, r, ink })
    }

    /// A meter: how full something is, from 0 to 1; hatched when what it measures is dead.
    pub fn meter(&mut self, rect: Rect, share: f32, ink: Ink, dead: bool) -> &mut Self {
        let radius = rect.h / 2.0;
        if dead {
            return self.bordered(rect, radius, Ink::BadHatch, Ink::Bad, 1.0);
        }
        self.filled(rect, radius, Ink::Rail);
        let share = if share.is_finite() {
            share.clamp(0.0, 1.0)
        } else {
            0.0
        };
        if share > 0.0 {
            self.filled(
                Rect {
                    w: (rect.w * share).max(rect.h.min(rect.w)),
                    ..rect
                },
                radius,
                ink,
            );
        }
        self
    }
}

/// A curve that things travel along at constant speed.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    from: Point,
    to: Point,
    bend: [Point; 2],
    /// Length from the start to each sixteenth of the parameter.
    lengths: [f32; 17],
}

impl Curve {
    /// A straight line.
    pub fn straight(from: Point, to: Point) -> Curve {
        let third = |a: f32, b: f32, t: f32| a + (b - a) * t;
        Curve::cubic(
            from,
            pt(
                third(from.x, to.x, 1.0 / 3.0),
                third(from.y, to.y, 1.0 / 3.0),
            ),
            pt(
                third(from.x, to.x, 2.0 / 3.0),
                third(from.y, to.y, 2.0 / 3.0),
            ),
            to,
        )
    }

    /// A smooth S that leaves and arrives level, for links from left to right.
    pub fn across(from: Point, to: Point) -> Curve {
        let middle = (from.x + to.x) / 2.0;
        Curve::cubic(from, pt(middle, from.y), pt(middle, to.y), to)
    }

    /// A smooth S that leaves and arrives upright, for links from top to bottom.
    pub fn down(from: Point, to: Point) -> Curve {
        let middle = (from.y + to.y) / 2.0;
        Curve::cubic(from, pt(from.x, middle), pt(to.x, middle), to)
    }

    /// A cubic Bézier curve.
    pub fn cubic(from: Point, a: Point, b: Point, to: Point) -> Curve {
        let mut curve = Curve {
            from,
            to,
            bend: [a, b],
            lengths: [0.0; 17],
        };
        let mut last = from;
        for i in 1..17 {
            let next = curve.raw(i as f32 / 16.0);
            let (dx, dy) = (next.x - last.x, next.y - last.y);
            curve.lengths[i] = curve.lengths[i - 1] + (dx * dx + dy * dy).sqrt();
            last = next;
        }
        curve
    }

    fn raw(&self, t: f32) -> Point {
        let u = 1.0 - t;
        let (a, b, c, d) = (u * u * u, 3.0 * u * u * t, 3.0 * u * t * t, t * t * t);
        let [p, q] = self.bend;
        pt(
            a * self.from.x + b * p.x + c * q.x + d * self.to.x,
            a * self.from.y + b * p.y + c * q.y + d * self.to.y,
        )
    }

    /// Its length.
    pub fn length(&self) -> f32 {
        self.lengths[16]
    }

    /// The point at a share of its length from 0 to 1.
    pub fn at(&self, share: f32) -> Point {
        let wanted = share.clamp(0.0, 1.0) * self.length();
        let i = self
            .lengths
            .partition_point(|length| *length < wanted)
            .clamp(1, 16);
        let (low, high) = (self.lengths[i - 1], self.lengths[i]);
        let within = if high > low {
            (wanted - low) / (high - low)
        } else {
            0.0
        };
        self.raw((i as f32 - 1.0 + within) / 16.0)
    }

    /// Its path data.
    pub fn d(&self) -> String {
        let [p, q] = self.bend;
        let n = crate::text::tenths;
        format!(
            "M{} {}C{} {} {} {} {} {}",
            n(self.from.x),
            n(self.from.y),
            n(p.x),
            n(p.y),
            n(q.x),
            n(q.y),
            n(self.to.x),
            n(self.to.y)
        )
    }

    /// The rectangle that holds its ends and bends.
    pub fn frame(&self) -> Rect {
        let xs = [self.from.x, self.to.x, self.bend[0].x, self.bend[1].x];
        let ys = [self.from.y, self.to.y, self.bend[0].y, self.bend[1].y];
        let least = |v: [f32; 4]| v.into_iter().fold(f32::INFINITY, f32::min);
        let most = |v: [f32; 4]| v.into_iter().fold(f32::NEG_INFINITY, f32::max);
        Rect::new(
            least(xs),
            least(ys),
            most(xs) - least(xs),
            most(ys) - least(ys),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_written_and_recognised() {
        let server = PartId::nth("server", 2);
        assert_eq!(server.to_string(), "server-2");
        assert!(
            server.is("server-2")
                && !server.is("server")
                && !server.is("server-12")
                && !server.is("serverx")
        );
        assert!(PartId::one("balancer").is("balancer"));
    }

    #[test]
    fn inks_are_numbered_by_their_place() {
        for (place, ink) in Ink::ALL.into_iter().enumerate() {
            assert_eq!(ink as usize, place);
        }
    }

    #[test]
    fn a_scene_fits_into_the_middle() {
        let fit = Fit::new((100.0, 50.0), 300.0, 300.0).unwrap();
        assert_eq!((fit.scale, fit.left, fit.top), (3.0, 0.0, 75.0));
        assert_eq!(fit.scene_point(150.0, 150.0), pt(50.0, 25.0));
        for (w, h) in [(0.0, 9.0), (9.0, 0.0), (f32::NAN, 9.0), (9.0, -1.0)] {
            assert_eq!(Fit::new((100.0, 50.0), w, h), None);
        }
        assert_eq!(Fit::new((0.0, 0.0), 9.0, 9.0), None);
    }

    #[test]
    fn things_travel_at_constant_speed() {
        let curve = Curve::across(pt(0.0, 0.0), pt(200.0, 120.0));
        let step = |i: usize| {
            let (a, b) = (curve.at(i as f32 / 20.0), curve.at((i + 1) as f32 / 20.0));
            libm::hypotf(b.x - a.x, b.y - a.y)
        };
        let mean = curve.length() / 20.0;
        for i in 0..20 {
            assert!(
                (step(i) / mean - 1.0).abs() < 0.06,
                "step {i} is {} of {mean}",
                step(i)
            );
        }
        assert_eq!(curve.at(2.0), pt(200.0, 120.0));
    }

    #[test]
    fn faults_are_found() {
        let mut scene = Scene::new(884.0, Rc::default());
        let frame = Rect::new(10.0, 10.0, 50.0, 20.0);
        scene.thing(PartId::one("a"), frame, "x".into()).text(
            pt(12.0, 24.0),
            13.0,
            Ink::Ink,
            "far too long a text",
        );
        scene.thing(PartId::one("b"), frame, String::new());
        scene.particle(pt(f32::NAN, 0.0), 4.0, Glyph::Request, Ink::Accent, 1);
        let faults = scene.faults().join("\n");
        for expected in [
            "leaves the frame",
            "a overlaps b",
            "no name or no value",
            "not a number",
        ] {
            assert!(faults.contains(expected), "{expected}: {faults}");
        }
    }

    #[test]
    fn at_rest_nothing_travels_and_everything_is_counted() {
        let mut scene = Scene::new(400.0, Rc::default());
        let (a, b) = (
            Rect::new(0.0, 0.0, 60.0, 40.0),
            Rect::new(300.0, 0.0, 60.0, 40.0),
        );
        scene.thing(PartId::one("a"), a, "x".into());
        scene.thing(PartId::one("b"), b, "x".into());
        let wire = Rect::new(60.0, 18.0, 240.0, 4.0);
        scene.link(PartId::one("wire"), wire, "x".into());
        for (x, glyph) in [
            (30.0, Glyph::Request),
            (90.0, Glyph::Request),
            (200.0, Glyph::Request),
            (250.0, Glyph::Response),
        ] {
            scene.particle(pt(x, 20.0), 4.0, glyph, Ink::Accent, 1);
        }
        let mut later = scene.clone();
        for particle in later.particles.iter_mut().skip(1) {
            particle.x += 5.0;
        }
        scene.rest();
        later.rest();
        assert_eq!(
            scene.particles, later.particles,
            "a step along the link changes nothing"
        );
        assert_eq!(
            scene.particles.len(),
            3,
            "one waits in a thing, two groups are on the link"
        );
        let counts: Vec<_> = scene
            .background
            .iter()
            .map(|shape| format!("{shape:?}"))
            .collect();
        assert!(
            counts.len() == 1 && counts[0].contains("\"2\""),
            "{counts:?}"
        );
    }

    #[test]
    fn what_rests_on_a_way_that_bends_stands_on_the_way() {
        let group = |d: &str| {
            let mut scene = Scene::new(400.0, Rc::default());
            let frame = Rect::new(60.0, 0.0, 240.0, 100.0);
            let way = Shape::Path {
                d: d.to_owned(),
                fill: Ink::None,
                stroke: Ink::Line,
                width: 1.0,
                dashed: false,
            };
            scene
                .link(PartId::one("wire"), frame, "x".into())
                .shape(way);
            scene.particle(pt(70.0, 4.0), 4.0, Glyph::Request, Ink::Accent, 1);
            scene.rest();
            (scene.particles[0].x.round(), scene.particles[0].y.round())
        };
        assert_eq!(
            group("M60 0L300 0L300 100"),
            (230.0, 8.0),
            "clear of the edge"
        );
        assert_eq!(group("M60 20C180 20 180 80 300 80"), (180.0, 50.0));
        assert_eq!(group("nothing"), (180.0, 50.0), "the frame's");
    }
}
