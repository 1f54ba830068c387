//! A link that turns corners: straight runs joined by round bends, travelled at constant speed.

use engine::scene::{Curve, Point, Rect, pt};

/// Radius of the bends.
const BEND: f32 = 16.0;

/// A way through several points.
pub(super) struct Route {
    legs: Vec<Curve>,
}

impl Route {
    /// The way through these points, whose inner corners are rounded; straight for two points.
    pub(super) fn through(points: &[Point]) -> Route {
        let mut legs = Vec::new();
        let mut from = points.first().copied().unwrap_or_default();
        for (i, point) in points.iter().enumerate().skip(1) {
            match points.get(i + 1) {
                Some(next) => {
                    let (before, after) = (toward(*point, from), toward(*point, *next));
                    legs.push(Curve::straight(from, before));
                    legs.push(Curve::cubic(before, *point, *point, after));
                    from = after;
                }
                None => legs.push(Curve::straight(from, *point)),
            }
        }
        Route { legs }
    }

    /// The point at a share of its length from 0 to 1.
    pub(super) fn at(&self, share: f32) -> Point {
        let length: f32 = self.legs.iter().map(Curve::length).sum();
        let mut left = share.clamp(0.0, 1.0) * length;
        for leg in &self.legs {
            if left <= leg.length() {
                return leg.at(left / leg.length().max(f32::MIN_POSITIVE));
            }
            left -= leg.length();
        }
        self.legs.last().map_or(Point::default(), |leg| leg.at(1.0))
    }

    /// Its path data.
    pub(super) fn d(&self) -> String {
        self.legs.iter().map(Curve::d).collect()
    }

    /// The rectangle that holds it.
    pub(super) fn frame(&self) -> Rect {
        let frames = self.legs.iter().map(Curve::frame);
        frames
            .reduce(|a, b| {
                let (x, y) = (a.x.min(b.x), a.y.min(b.y));
                let right = (a.x + a.w).max(b.x + b.w);
                let bottom = (a.y + a.h).max(b.y + b.h);
                Rect::new(x, y, right - x, bottom - y)
            })
            .unwrap_or_default()
    }
}

/// The point one bend away from `corner`, in the direction of `other`.
fn toward(corner: Point, other: Point) -> Point {
    let (dx, dy) = (other.x - corner.x, other.y - corner.y);
    let length = (dx * dx + dy * dy).sqrt().max(f32::MIN_POSITIVE);
    let share = (BEND / length).min(0.5);
    pt(corner.x + dx * share, corner.y + dy * share)
}
