//! What several lessons draw alike: node cards, callouts, queues of dots, things on links.

pub mod bars;
pub mod binary_tree;
pub mod cells;
pub mod label;
pub mod plane;
pub mod shares;
pub mod states;
pub mod steps;
pub mod tape;
pub mod waits;

pub use super::layout::LANE;
use engine::scene::{Curve, Pencil, Point, Rect, pt};
use engine::{Arg, Glyph, Ink, Scene, Time, text};

/// Radius of a moving dot.
pub const DOT: f32 = 5.0;
/// Distance between dots that wait in a row.
pub const PITCH: f32 = 13.0;

/// A node of the system: name in 600, one status line, one meter.
#[derive(Clone, Debug)]
pub struct NodeCard {
    /// Where it stands; 72 units of height hold all three lines, 54 the first two.
    pub rect: Rect,
    /// What it is called.
    pub name: String,
    /// One line on its state.
    pub status: String,
    /// [`Ink::Secondary`] while all is well; any other colour also makes the line bold.
    pub ink: Ink,
    /// [`Ink::LineStrong`] while all is well.
    pub border: Ink,
    /// How full it is (0 to 1), the colour, and whether what is measured is dead.
    pub meter: Option<(f32, Ink, bool)>,
}

impl NodeCard {
    /// A card that says nothing special.
    pub fn plain(rect: Rect, name: String, status: String) -> NodeCard {
        NodeCard {
            rect,
            name,
            status,
            ink: Ink::Secondary,
            border: Ink::LineStrong,
            meter: None,
        }
    }

    /// Where name and status stand; closer together on a card lower than 54 units, down to 46.
    pub fn baselines(&self) -> [f32; 2] {
        let flat = (54.0 - self.rect.h).clamp(0.0, 8.0);
        [self.rect.y + 26.0 - 0.65 * flat, self.rect.y + 45.0 - flat]
    }

    /// Draws it.
    pub fn draw(&self, pencil: &mut Pencil<'_>) {
        let r = self.rect;
        let width = if self.border == Ink::LineStrong {
            1.5
        } else {
            2.0
        };
        pencil.bordered(r, 12.0, Ink::Card, self.border, width);
        let [name_y, status_y] = self.baselines();
        pencil.bold(pt(r.x + 14.0, name_y), 14.5, Ink::Ink, self.name.as_str());
        let at = pt(r.x + 14.0, status_y);
        if self.ink == Ink::Secondary {
            pencil.text(at, 12.5, self.ink, self.status.as_str());
        } else {
            pencil.bold(at, 12.5, self.ink, self.status.as_str());
        }
        if let Some((share, ink, dead)) = self.meter {
            let meter = Rect::new(r.x + 14.0, r.y + r.h - 15.0, r.w - 28.0, 6.0);
            pencil.meter(meter, share, ink, dead);
        }
    }

    /// Places for `count` small dots at the right of the name, as far as there is room; none if they would touch.
    pub fn slots(&self, count: usize) -> Option<impl Fn(usize) -> Point + use<>> {
        let room = self.rect.w - 36.0 - text::width(&self.name, 14.5, true);
        let pitch = (room / count.max(1) as f32).min(14.0);
        let right = pt(self.rect.x + self.rect.w - 18.0, self.rect.y + 20.0);
        (pitch >= 10.0).then_some(move |i: usize| {
            pt(
                right.x - (count - 1).saturating_sub(i) as f32 * pitch,
                right.y,
            )
        })
    }
}

/// A framed part of a figure, with its title.
pub fn panel(pencil: &mut Pencil<'_>, rect: Rect, title: impl Into<String>) {
    pencil.bordered(rect, 10.0, Ink::Card, Ink::Line, 1.0);
    let at = pt(rect.x + 10.0, rect.y + 17.0);
    pencil.bold(at, 12.0, Ink::Secondary, title);
}

/// Empty places for the dots of [`NodeCard::slots`].
pub fn sockets(pencil: &mut Pencil<'_>, places: impl Iterator<Item = Point>) {
    for p in places {
        let socket = Rect::new(p.x - 5.5, p.y - 5.5, 11.0, 11.0);
        pencil.bordered(socket, 5.5, Ink::None, Ink::LineStrong, 1.0);
    }
}

/// How urgent a callout is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// Filled in the bad colour.
    Bad,
    /// Tinted in the warning colour.
    Warn,
    /// Tinted in the good colour.
    Ok,
}

/// A small box in `side` that speaks of the card to its left: a bold heading and a detail, wrapped.
pub fn callout(pencil: &mut Pencil<'_>, heading: &str, detail: &str, side: Rect, urgency: Urgency) {
    let inner = side.w - 14.0;
    let heading = text::wrap(heading, 11.5, true, inner);
    let detail = text::wrap(detail, 11.0, false, inner);
    let h = (heading.len() + detail.len()) as f32 * 13.5 + 11.0;
    let y = side.centre().y;
    let b = Rect::new(side.x, y - h / 2.0, side.w, h);
    let (ground, ink) = match urgency {
        Urgency::Bad => (Ink::Bad, Ink::OnBad),
        Urgency::Warn => (Ink::WarnSoft, Ink::Ink),
        Urgency::Ok => (Ink::OkSoft, Ink::Ink),
    };
    pencil.filled(b, 8.0, ground);
    let tip = format!(
        "M{} {}l-7 5l7 5Z",
        text::tenths(b.x + 0.5),
        text::tenths(y - 5.0)
    );
    pencil.area(tip, ground);
    let mut baseline = b.y + 16.0;
    for line in &heading {
        pencil.bold(pt(b.x + 7.0, baseline), 11.5, ink, line.as_str());
        baseline += 13.5;
    }
    for line in &detail {
        pencil.text(pt(b.x + 7.0, baseline), 11.0, ink, line.as_str());
        baseline += 13.5;
    }
}

/// Draws waiting things in rows from the upper left of `area`, as many as fit; `dots` gives their numbers.
pub fn queue(
    scene: &mut Scene,
    area: Rect,
    glyph: Glyph,
    ink: Ink,
    dots: impl Iterator<Item = u32>,
) {
    let per_row = ((area.w / PITCH) as usize).max(1);
    let rows = (area.h / PITCH) as usize;
    for (i, dot) in dots.take(per_row * rows).enumerate() {
        let (column, row) = ((i % per_row) as f32, (i / per_row) as f32);
        let at = pt(area.x + 6.0 + PITCH * column, area.y + 6.0 + PITCH * row);
        scene.particle(at, DOT, glyph, ink, dot);
    }
}

/// The point at `share` of a link, moved sideways into a lane.
pub fn on(curve: &Curve, share: f32, lane: Point) -> Point {
    let p = curve.at(share);
    pt(p.x + lane.x, p.y + lane.y)
}

/// A share that runs with a meter, in steps of five percent, so that the number rests between them.
pub fn roughly(share: f32) -> Arg {
    Arg::Share(f64::from((share * 20.0).round() / 20.0))
}

/// A span in seconds with one decimal, so that a running count keeps its width.
pub fn tenths(span: Time) -> Arg {
    Arg::Tenths((span.as_s() * 10.0) as u32)
}
