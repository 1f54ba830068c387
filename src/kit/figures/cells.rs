//! Blocks of small places: workers that are taken, a queue that fills.

use super::DOT;
use engine::Ink;
use engine::scene::{Pencil, Point, Rect, pt};
use engine::text::tenths;

/// A block of small places in rows.
#[derive(Clone, Copy, Debug)]
pub struct Cells {
    area: Rect,
    per_row: usize,
    pitch: f32,
    /// The radius of a dot that fills its place.
    pub r: f32,
}

impl Cells {
    /// So many places in at most so many rows of `area`, up to `pitch_max` units apart.
    pub fn of(area: Rect, count: usize, rows: usize, pitch_max: f32) -> Cells {
        let fit = ((area.w / pitch_max) as usize).max(1);
        let rows = count.div_ceil(fit).clamp(1, rows.max(1));
        let per_row = count.div_ceil(rows).max(1);
        let pitch = (area.w / per_row as f32)
            .min(area.h / rows as f32)
            .min(pitch_max);
        Cells {
            area,
            per_row,
            pitch,
            r: (pitch * 0.42).min(DOT),
        }
    }

    /// The middle of a place.
    pub fn at(&self, i: usize) -> Point {
        let (column, row) = ((i % self.per_row) as f32, (i / self.per_row) as f32);
        pt(
            self.area.x + self.pitch * (column + 0.5),
            self.area.y + self.pitch * (row + 0.5),
        )
    }

    /// Specks for places to wait in, as one path.
    pub fn pips(&self, pencil: &mut Pencil<'_>, count: usize) {
        let d: String = (0..count)
            .map(|i| {
                let p = self.at(i);
                format!("M{} {}h2v2h-2Z", tenths(p.x - 1.0), tenths(p.y - 1.0))
            })
            .collect();
        pencil.area(d, Ink::LineStrong);
    }

    /// Rings for workers, as one path.
    pub fn sockets(&self, pencil: &mut Pencil<'_>, count: usize) {
        let r = (self.r - 0.4).max(1.5);
        let d: String = (0..count)
            .map(|i| {
                let p = self.at(i);
                let (x, y) = (tenths(p.x - r), tenths(p.y));
                format!(
                    "M{x} {y}a{r} {r} 0 1 0 {w} 0a{r} {r} 0 1 0 -{w} 0",
                    r = tenths(r),
                    w = tenths(2.0 * r)
                )
            })
            .collect();
        pencil.line(d, Ink::LineStrong, 1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_lies_in_its_area() {
        for count in 1..=60 {
            for (w, h, rows) in [(122.0, 39.0, 3), (300.0, 18.0, 2), (60.0, 12.0, 1)] {
                let area = Rect::new(10.0, 20.0, w, h);
                let cells = Cells::of(area, count, rows, 13.0);
                for i in 0..count {
                    let p = cells.at(i);
                    let r = cells.r;
                    let dot = Rect::new(p.x - r, p.y - r, 2.0 * r, 2.0 * r);
                    assert!(area.grown(0.01).holds(&dot), "{count} in {w}: {i}");
                }
            }
        }
    }
}
