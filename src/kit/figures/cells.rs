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

    /// So many places in rows of one of these lengths (ascending), up to `pitch_max` units apart, in the middle of `area`: of
    /// the length that leaves most room for each. Rows that come out even count for a fifth more; of equals the longest.
    pub fn grid(area: Rect, count: usize, per_row: &[usize], pitch_max: f32) -> Cells {
        let pitch = |per_row: usize| {
            let rows = count.div_ceil(per_row).max(1);
            let wide = area.w / per_row as f32;
            wide.min(area.h / rows as f32).min(pitch_max)
        };
        let mut best = (0.0, 1);
        for one in per_row.iter().copied().filter(|one| *one > 0) {
            let even = count.is_multiple_of(one);
            let worth = pitch(one) * if even { 1.2 } else { 1.0 };
            if worth >= best.0 {
                best = (worth, one);
            }
        }
        let (per_row, pitch) = (best.1, pitch(best.1));
        let (w, h) = (per_row as f32, count.div_ceil(per_row) as f32);
        let centre = area.centre();
        let area = Rect::new(
            centre.x - pitch * w / 2.0,
            centre.y - pitch * h / 2.0,
            pitch * w,
            pitch * h,
        );
        Cells {
            area,
            per_row,
            pitch,
            r: (pitch * 0.42).min(DOT),
        }
    }

    /// How far apart the places are.
    pub fn pitch(&self) -> f32 {
        self.pitch
    }

    /// The middle of a place.
    pub fn at(&self, i: usize) -> Point {
        let (column, row) = ((i % self.per_row) as f32, (i / self.per_row) as f32);
        pt(
            self.area.x + self.pitch * (column + 0.5),
            self.area.y + self.pitch * (row + 0.5),
        )
    }

    /// Squares that nearly touch, at these places, as the data of one path: a grid of hundreds is one shape.
    pub fn squares(&self, places: impl Iterator<Item = usize>) -> String {
        let side = self.pitch - (self.pitch * 0.15).min(2.0);
        let (half, w) = (side / 2.0, tenths(side));
        // Each column's number is written once, each row's when it is reached.
        let columns: Vec<String> = (0..self.per_row)
            .map(|i| tenths(self.at(i).x - half))
            .collect();
        let (mut row, mut y) = (usize::MAX, String::new());
        let mut d = String::new();
        for i in places {
            if i / self.per_row != row {
                row = i / self.per_row;
                y = tenths(self.at(i).y - half);
            }
            let x = &columns[i % self.per_row];
            for piece in ["M", x, " ", &y, "h", &w, "v", &w, "h-", &w, "Z"] {
                d += piece;
            }
        }
        d
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

    #[test]
    fn a_grid_takes_the_rows_that_leave_most_room_and_stays_in_its_area() {
        let area = Rect::new(10.0, 20.0, 430.0, 216.0);
        for (count, per_row) in [
            (8, 8),
            (64, 8),
            (128, 16),
            (256, 24),
            (512, 32),
            (1_024, 48),
            (1_152, 48),
            (60, 8),
        ] {
            let cells = Cells::grid(area, count, &[8, 16, 24, 32, 48, 64], 40.0);
            assert_eq!(cells.per_row, per_row, "{count}");
            let half = cells.pitch() / 2.0;
            for i in 0..count {
                let p = cells.at(i);
                let square = Rect::new(p.x - half, p.y - half, 2.0 * half, 2.0 * half);
                assert!(area.grown(0.01).holds(&square), "{count}: {i}");
            }
        }
        let squares = Cells::grid(area, 128, &[16], 22.0).squares([0, 17].into_iter());
        assert_eq!(squares, "M50 41h20v20h-20ZM72 63h20v20h-20Z");
    }
}
