//! A chart of levels over the last moments: bands stacked on each other, each level holding until the next begins.

use engine::scene::{Pencil, Rect, pt};
use engine::{Ink, Time, text};

/// What held from one moment to the next.
#[derive(Clone, Debug, PartialEq)]
pub struct Level<'a> {
    /// Since when.
    pub since: Time,
    /// The height of each band that has one: (its number, height), from below.
    pub bands: &'a [(u32, u8)],
    /// A bound that held at that time.
    pub floor: Option<f32>,
}

/// The chart.
#[derive(Clone, Debug)]
pub struct Steps<'a> {
    /// Where it is drawn.
    pub plot: Rect,
    /// The moment at the right edge, and how much time the width shows.
    pub now: Time,
    /// See `now`; above zero.
    pub window: Time,
    /// The height at the upper edge; above zero.
    pub top: f32,
    /// What the sum must not fall below.
    pub need: f32,
    /// In the order of time.
    pub levels: &'a [Level<'a>],
}

impl Steps<'_> {
    /// Draws it. `band` gives the ground of a band and the name that stands in it where there is room. A stretch whose
    /// sum is zero is hatched from top to bottom, and the line of the sum is bad where it is below what is needed.
    pub fn draw(&self, pencil: &mut Pencil<'_>, band: impl Fn(u32) -> (Ink, String)) {
        let (plot, n) = (self.plot, text::tenths);
        let x = |t: Time| {
            let back = self.now.since(t).0 as f32 / self.window.0 as f32;
            plot.x + plot.w * (1.0 - back).max(0.0)
        };
        let y = |v: f32| plot.y + plot.h - (v / self.top).clamp(0.0, 1.0) * (plot.h - 2.0);
        let right = plot.x + plot.w;
        pencil.bordered(plot, 6.0, Ink::Card, Ink::Line, 1.0);
        let (mut total, mut lacking, mut floor, mut seams) =
            (String::new(), String::new(), String::new(), String::new());
        // (number, from, until, lower and upper edge) of the widest piece of each band.
        let mut widest: Vec<(u32, f32, f32, f32, f32)> = Vec::new();
        // One path a band, so that no seam shows where one level ends and the next begins.
        let mut areas: Vec<(u32, String)> = Vec::new();
        for (i, level) in self.levels.iter().enumerate() {
            // What the first level says held before it, too.
            let from = if i == 0 { plot.x } else { x(level.since) };
            let until = self.levels.get(i + 1).map_or(right, |next| x(next.since));
            if until <= from {
                continue;
            }
            let (a, b) = (n(from), n(until));
            let mut sum = 0.0;
            for (number, height) in level.bands {
                let (low, high) = (y(sum), y(sum + f32::from(*height)));
                sum += f32::from(*height);
                let area = format!("M{a} {}V{}H{b}V{}Z", n(low), n(high), n(low));
                match areas.iter_mut().find(|(other, _)| other == number) {
                    Some((_, d)) => d.push_str(&area),
                    None => areas.push((*number, area)),
                }
                seams += &format!("M{a} {}H{b}", n(high));
                let piece = (*number, from, until, low, high);
                match widest.iter_mut().find(|other| other.0 == *number) {
                    // One piece goes on in the next while neither edge moves.
                    Some(old) if old.2 == from && old.3 == low && old.4 == high => old.2 = until,
                    Some(old) if old.2 - old.1 < until - from => *old = piece,
                    Some(_) => {}
                    None => widest.push(piece),
                }
            }
            if sum <= 0.0 {
                let (low, high) = (n(plot.y + plot.h), n(plot.y));
                pencil.area(format!("M{a} {low}V{high}H{b}V{low}Z"), Ink::BadHatch);
            }
            if sum < self.need {
                lacking += &format!("M{a} {}H{b}", n(y(sum)));
            }
            if let Some(v) = level.floor {
                floor += &format!("M{a} {}H{b}", n(y(v)));
            }
            let first = total.is_empty();
            let go = if first {
                format!("M{a} ")
            } else {
                "V".to_owned()
            };
            total += &format!("{go}{}H{b}", n(y(sum)));
        }
        for (number, d) in areas {
            pencil.area(d, band(number).0);
        }
        pencil.line(seams, Ink::LineStrong, 1.0);
        for (number, from, until, low, high) in widest {
            let (_, name) = band(number);
            if low - high >= 14.0 && until - from >= text::width(&name, 11.0, true) + 8.0 {
                let at = pt(f32::midpoint(from, until), f32::midpoint(low, high) + 4.0);
                pencil.centred(at, 11.0, true, Ink::Ink, name);
            }
        }
        if !floor.is_empty() {
            pencil.dashed_line(floor, Ink::Warn, 1.5);
        }
        let need = format!("M{} {}H{}", n(plot.x), n(y(self.need)), n(right));
        pencil.line(need, Ink::Ink, 1.5).line(total, Ink::Ok, 2.5);
        if !lacking.is_empty() {
            pencil.line(lacking, Ink::Bad, 3.5);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::scene::Shape;
    use engine::{PartId, Scene};
    use std::rc::Rc;

    fn drawn(levels: &[Level<'_>]) -> Vec<Shape> {
        let mut scene = Scene::new(400.0, Rc::default());
        let plot = Rect::new(0.0, 0.0, 200.0, 82.0);
        let mut pencil = scene.thing(PartId::one("a"), plot, "x".into());
        let steps = Steps {
            plot,
            now: Time::s(10),
            window: Time::s(10),
            top: 8.0,
            need: 5.0,
            levels,
        };
        steps.draw(&mut pencil, |number| {
            let ink = if number == 3 {
                Ink::AccentSoft
            } else {
                Ink::Rail
            };
            (ink, format!("v{number}"))
        });
        let faults = scene.faults();
        assert!(faults.iter().all(|f| f.contains("no name")), "{faults:?}");
        scene.parts()[0].shapes.clone()
    }

    fn level(since: u64, bands: &[(u32, u8)], floor: Option<f32>) -> Level<'_> {
        let since = Time::s(since);
        Level {
            since,
            bands,
            floor,
        }
    }

    fn paths(shapes: &[Shape], ink: Ink) -> Vec<String> {
        let found = shapes.iter().filter_map(|shape| match shape {
            Shape::Path {
                d, fill, stroke, ..
            } if *fill == ink || *stroke == ink => Some(d.clone()),
            _ => None,
        });
        found.collect()
    }

    #[test]
    fn each_band_has_its_own_ground_and_name_and_a_gap_is_hatched() {
        let shapes = drawn(&[
            level(0, &[(1, 6)], None),
            level(4, &[], None),
            level(6, &[(3, 6)], Some(5.0)),
        ]);
        assert_eq!(paths(&shapes, Ink::Rail), ["M0 82V22H80V82Z"]);
        assert_eq!(paths(&shapes, Ink::AccentSoft), ["M120 82V22H200V82Z"]);
        assert_eq!(paths(&shapes, Ink::BadHatch), ["M80 82V0H120V82Z"]);
        assert_eq!(paths(&shapes, Ink::Bad), ["M80 82H120"]);
        // The bound is drawn from the release on that has it, not backwards over the gap.
        assert_eq!(paths(&shapes, Ink::Warn), ["M120 32H200"]);
        let names = shapes.iter().filter_map(|shape| match shape {
            Shape::Text { text, .. } => Some(text.as_str()),
            _ => None,
        });
        assert_eq!(names.collect::<Vec<_>>(), ["v1", "v3"]);
    }

    #[test]
    fn the_sum_is_one_line_of_steps() {
        let shapes = drawn(&[level(0, &[(1, 6)], None), level(5, &[(1, 2), (3, 4)], None)]);
        assert_eq!(paths(&shapes, Ink::Ok), ["M0 22H100V22H200"]);
        assert!(paths(&shapes, Ink::Bad).is_empty());
    }
}
