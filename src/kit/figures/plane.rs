//! A small chart of points over two straight axes from zero: what was measured, against what theory says.

use super::label::ending;
use engine::Ink;
use engine::scene::{Pencil, Point, Rect, pt};
use engine::text::tenths;

/// The chart.
#[derive(Clone, Copy, Debug)]
pub struct Plane {
    /// Where the axes stand; 28 units to the left and 16 below are for their figures.
    pub rect: Rect,
    /// What the right edge stands for; above zero.
    pub right: f64,
    /// What the upper edge stands for; above zero.
    pub top: f64,
}

impl Plane {
    /// Where a point stands; one that is too far stands at the edge.
    pub fn at(&self, x: f64, y: f64) -> Point {
        let share = |value: f64, end: f64| (value / end.max(f64::MIN_POSITIVE)).clamp(0.0, 1.0);
        let (across, up) = (share(x, self.right) as f32, share(y, self.top) as f32);
        let r = self.rect;
        pt(r.x + r.w * across, r.y + r.h * (1.0 - up))
    }

    /// Draws the axes, with a figure at each of these places.
    pub fn axes(&self, pencil: &mut Pencil<'_>, across: &[u32], up: &[u32]) {
        let r = self.rect;
        for y in up {
            let p = self.at(0.0, f64::from(*y));
            let line = format!("M{} {}h{}", tenths(r.x), tenths(p.y), tenths(r.w));
            pencil.line(line, Ink::Line, 1.0);
            let label = pt(r.x - 5.0, p.y + 4.0);
            ending(pencil, label, 11.0, false, Ink::Secondary, y.to_string());
        }
        for x in across {
            let p = pt(self.at(f64::from(*x), 0.0).x, r.y + r.h + 14.0);
            pencil.centred(p, 11.0, false, Ink::Secondary, x.to_string());
        }
        let axes = format!(
            "M{} {}v{}h{}",
            tenths(r.x),
            tenths(r.y),
            tenths(r.h),
            tenths(r.w)
        );
        pencil.line(axes, Ink::LineStrong, 1.0);
    }

    /// A path through these points; empty for less than two.
    pub fn path(&self, points: impl IntoIterator<Item = (f64, f64)>) -> String {
        let mut d = String::new();
        let mut count = 0;
        for (x, y) in points {
            let p = self.at(x, y);
            let go = if count == 0 { 'M' } else { 'L' };
            d += &format!("{go}{} {}", tenths(p.x), tenths(p.y));
            count += 1;
        }
        if count < 2 { String::new() } else { d }
    }

    /// Figures from zero on for the axis up: about `count` of them, in steps of 1, 2 or 5 times a power of ten.
    pub fn marks(&self, count: u32) -> Vec<u32> {
        let mut step = 1_u32;
        let steps = [2.0, 2.5, 2.0];
        let mut nth = 0;
        while self.top / f64::from(step) > f64::from(count.max(1)) && step < 1_000_000_000 {
            step = (f64::from(step) * steps[nth % 3]) as u32;
            nth += 1;
        }
        (0..=(self.top / f64::from(step)) as u32)
            .map(|i| i * step)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_stand_where_their_values_are_and_never_outside() {
        let plane = Plane {
            rect: Rect::new(10.0, 20.0, 100.0, 50.0),
            right: 8.0,
            top: 200.0,
        };
        assert_eq!(plane.at(4.0, 100.0), pt(60.0, 45.0));
        assert_eq!(plane.at(9.0, 900.0), pt(110.0, 20.0));
        assert_eq!(plane.path([(0.0, 0.0)]), "");
        assert_eq!(plane.path([(0.0, 0.0), (8.0, 200.0)]), "M10 70L110 20");
        assert_eq!(plane.marks(4), [0, 50, 100, 150, 200]);
        let high = Plane {
            top: 190.0,
            ..plane
        };
        assert_eq!(high.marks(4), [0, 50, 100, 150]);
    }
}
