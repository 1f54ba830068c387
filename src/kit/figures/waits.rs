//! Who waits for whom: cards around an ellipse, and arrows from who waits to whom it waits for.

use engine::scene::{Pencil, Point, Rect, pt};
use engine::{Ink, text};
use std::f32::consts::{FRAC_PI_2, TAU};

/// So many cards of this size around an ellipse that just fits `area`, clockwise from the top.
pub fn around(area: Rect, count: usize, size: (f32, f32)) -> Vec<Rect> {
    let (w, h) = size;
    let centre = area.centre();
    let place = |n: usize| {
        let (sin, cos) = libm::sincosf(TAU * n as f32 / count as f32 - FRAC_PI_2);
        let x = centre.x + cos * (area.w - w) / 2.0;
        let y = centre.y + sin * (area.h - h) / 2.0;
        Rect::new(x - w / 2.0, y - h / 2.0, w, h)
    };
    (0..count).map(place).collect()
}

/// The ends of a straight way from one card to another: where it leaves the one and reaches the other, a little off both.
pub fn ends(from: Rect, to: Rect) -> (Point, Point) {
    let edge = |card: Rect, other: Point| {
        let card = card.grown(3.0);
        let c = card.centre();
        let (x, y) = (other.x - c.x, other.y - c.y);
        let share = (card.w / 2.0 / x.abs())
            .min(card.h / 2.0 / y.abs())
            .min(0.5);
        pt(c.x + x * share, c.y + y * share)
    };
    (edge(from, to.centre()), edge(to, from.centre()))
}

/// An arrow between two points.
pub fn arrow(pencil: &mut Pencil<'_>, from: Point, to: Point, ink: Ink, width: f32) {
    let (x, y) = (to.x - from.x, to.y - from.y);
    let length = libm::hypotf(x, y).max(1.0);
    let (x, y) = (x / length, y / length);
    let (long, half) = (5.0 + 2.0 * width, 2.0 + 1.2 * width);
    let neck = pt(to.x - x * long, to.y - y * long);
    let at = |p: Point| format!("{} {}", text::tenths(p.x), text::tenths(p.y));
    pencil.line(format!("M{}L{}", at(from), at(neck)), ink, width);
    let (left, right) = (
        pt(neck.x - y * half, neck.y + x * half),
        pt(neck.x + y * half, neck.y - x * half),
    );
    pencil.area(format!("M{}L{}L{}Z", at(to), at(left), at(right)), ink);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cards_stand_in_their_area_and_apart_and_arrows_between_them() {
        let area = Rect::new(20.0, 30.0, 290.0, 220.0);
        for (count, size) in [(2, (62.0, 40.0)), (8, (62.0, 40.0)), (17, (34.0, 24.0))] {
            let cards = around(area, count, size);
            for (n, card) in cards.iter().enumerate() {
                assert!(area.grown(0.01).holds(card), "{count}: {card:?}");
                for other in &cards[n + 1..] {
                    assert!(!card.overlaps(other), "{count}: {card:?} {other:?}");
                    let (from, to) = ends(*card, *other);
                    for (end, card) in [(from, card), (to, other)] {
                        let dot = Rect::new(end.x, end.y, 0.0, 0.0);
                        assert!(card.grown(3.1).holds(&dot), "{count}: {end:?} {card:?}");
                    }
                }
            }
        }
    }
}
