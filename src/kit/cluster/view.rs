//! Where nodes stand, the ways between them, and what is under way.

use super::crew::{Cluster, Face};
use algorithms::protocol::Id;
use engine::scene::{Pencil, Point, Rect, pt};
use engine::{Glyph, Ink, Scene, Time};
use std::f32::consts::TAU;
use std::fmt::Write;

/// Radius of a message.
const DOT: f32 = 5.5;
/// Messages of the two directions of a link keep so far from its middle.
const LANE: f32 = 4.0;

/// What is lost.
pub(super) const LOST: (Glyph, Ink) = (Glyph::Failure, Ink::Bad);

/// The places of `count` cards of this size on a ring in an area, the first at the top, then clockwise; two stand side by side.
pub fn ring(area: Rect, count: usize, card: (f32, f32)) -> Vec<Rect> {
    let (w, h) = card;
    let middle = area.centre();
    let (a, b) = ((area.w - w) / 2.0, (area.h - h) / 2.0);
    let first = if count == 2 { -TAU / 2.0 } else { -TAU / 4.0 };
    let place = |i: usize| {
        let angle = first + TAU * i as f32 / count.max(1) as f32;
        let (x, y) = match count {
            1 => (middle.x, middle.y),
            _ => (
                middle.x + a * libm::cosf(angle),
                middle.y + b * libm::sinf(angle),
            ),
        };
        Rect::new(x - w / 2.0, y - h / 2.0, w, h)
    };
    (0..count).map(place).collect()
}

/// Cards and the straight ways between any two of them.
#[derive(Clone, Debug, Default)]
pub struct Mesh {
    cards: Vec<Rect>,
}

impl Mesh {
    /// Of the cards of nodes 1 and on.
    pub fn of(cards: Vec<Rect>) -> Mesh {
        Mesh { cards }
    }

    /// The card of a node; empty for one that has none.
    pub fn card(&self, id: Id) -> Rect {
        let at = usize::from(id).checked_sub(1);
        at.and_then(|at| self.cards.get(at).copied())
            .unwrap_or_default()
    }

    /// From the edge of one card to the edge of the other.
    pub fn way(&self, from: Id, to: Id) -> (Point, Point) {
        let (a, b) = (self.card(from), self.card(to));
        (edge(a, b.centre()), edge(b, a.centre()))
    }

    /// Where a message is that has gone a share of its way, in the lane of its direction.
    pub fn at(&self, from: Id, to: Id, share: f32) -> Point {
        let (a, b) = self.way(from, to);
        let (dx, dy) = (b.x - a.x, b.y - a.y);
        let length = libm::sqrtf(dx * dx + dy * dy).max(1.0);
        pt(
            a.x + dx * share - dy / length * LANE,
            a.y + dy * share + dx / length * LANE,
        )
    }
}

/// Where the way from the middle of a card to a point leaves it.
fn edge(card: Rect, to: Point) -> Point {
    let from = card.centre();
    let (dx, dy) = (to.x - from.x, to.y - from.y);
    let reach = |half: f32, d: f32| {
        if d.abs() < f32::EPSILON {
            f32::INFINITY
        } else {
            half / d.abs()
        }
    };
    let share = reach(card.w / 2.0, dx)
        .min(reach(card.h / 2.0, dy))
        .min(1.0);
    pt(from.x + dx * share, from.y + dy * share)
}

/// Draws the messages under way; one that is lost stays as a failure where it ended until it would have arrived.
pub fn messages<P: Face>(cluster: &Cluster<P>, mesh: &Mesh, at: Time, scene: &mut Scene) {
    for (key, flight) in cluster.flights() {
        let Some(look) = P::look(&flight.word) else {
            continue;
        };
        let p = mesh.at(flight.from, flight.to, flight.share(at));
        let (glyph, ink) = if flight.is_lost(at) { LOST } else { look };
        let dot = P::dot((flight.from, flight.to), &flight.word, key.serial());
        scene.particle(p, DOT, glyph, ink, dot);
    }
}

/// A clock as a ring of which a share is left, from the top clockwise.
pub fn dial(pencil: &mut Pencil<'_>, middle: Point, r: f32, left: f32, ink: Ink) {
    pencil.line(arc(middle, r, 1.0), Ink::Line, 3.0);
    if left > 0.0 {
        pencil.line(arc(middle, r, left.min(1.0)), ink, 3.0);
    }
}

/// The path of an arc from the top clockwise.
fn arc(middle: Point, r: f32, share: f32) -> String {
    const STEPS: f32 = 32.0;
    let steps = libm::ceilf(STEPS * share).max(1.0) as u32;
    let mut d = String::new();
    for step in 0..=steps {
        let angle = TAU * (share * step as f32 / steps as f32 - 0.25);
        let (x, y) = (
            middle.x + r * libm::cosf(angle),
            middle.y + r * libm::sinf(angle),
        );
        let letter = if step == 0 { 'M' } else { 'L' };
        // Writing to a string cannot fail.
        let _ = write!(
            d,
            "{letter}{} {}",
            engine::text::tenths(x),
            engine::text::tenths(y)
        );
    }
    d
}
