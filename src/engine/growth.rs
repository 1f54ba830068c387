//! Growth: what an operation on a real structure costs as the structure grows, measured, beside what theory expects.
//!
//! A run shows a structure that fits the stage. A [`Survey`] grows the same one to a million keys, a few at a time so that a page
//! stays alive, and measures it at sizes on its way: 10, 20, 50, 100 and so on. It knows neither clock nor chance: the same
//! survey gives the same points. One structure is grown after another, so that memory holds one of them at a time.

use crate::ids::Ink;
use crate::text::{fixed, tenths, trim_number};

/// Between two looks at the clock so many keys are added, or operations measured.
const SLICE: u64 = 100;

/// A real structure that grows.
pub trait Grower {
    /// Gets ready to hold so many keys in all, of which it has `now`, and says how many it keeps. One that would have to be built anew
    /// on the way may begin with none, so that no single step takes long.
    fn aim(&mut self, _keys: u64, now: u64) -> u64 {
        now
    }
    /// Puts in the key of this number, counted from 0.
    fn add(&mut self, key: u64);
    /// What one operation costs among so many keys; the same number gives the same operation.
    fn cost(&mut self, number: u64, keys: u64) -> f64;
}

/// One structure that is measured.
pub struct Measured {
    /// Its words: `growth.<id>`.
    pub id: &'static str,
    /// The colour of its line.
    pub ink: Ink,
    /// How many operations a point is the mean of.
    pub samples: u64,
    /// An empty one.
    pub begin: fn() -> Box<dyn Grower>,
    /// What theory expects of so many keys.
    pub theory: fn(f64) -> f64,
}

/// What a lesson measures. Its words: `growth.title`, `growth.unit` and `growth.about`.
pub struct Growth {
    /// The structures, in the order in which they are grown.
    pub lines: &'static [Measured],
    /// So many keys at last.
    pub most: u64,
    /// Costs are drawn by powers of ten from this one up, where the story is about powers; evenly from zero without it.
    pub powers_from: Option<f64>,
}

/// A size, and the mean cost there.
pub type Point = (u64, f64);

/// A survey that is under way.
pub struct Survey {
    growth: &'static Growth,
    points: Vec<Vec<Point>>,
    /// What is grown now; none between two.
    grower: Option<Box<dyn Grower>>,
    size: u64,
    /// The size that it was made ready for.
    aimed: u64,
    /// The operations measured at this size, and their costs together.
    measured: (u64, f64),
}

/// The sizes at which is measured: 10, 20, 50, 100, …, and the last one.
pub fn sizes(most: u64) -> impl Iterator<Item = u64> {
    let decades = (1..).map_while(|power| 10_u64.checked_pow(power));
    let steps = decades.flat_map(|ten| [1, 2, 5].map(|step| ten.saturating_mul(step)));
    steps.take_while(move |size| *size < most).chain([most])
}

impl Survey {
    /// One that has not begun.
    pub fn new(growth: &'static Growth) -> Survey {
        Survey {
            growth,
            points: growth.lines.iter().map(|_| Vec::new()).collect(),
            grower: None,
            size: 0,
            aimed: 0,
            measured: (0, 0.0),
        }
    }

    /// What is measured.
    pub fn growth(&self) -> &'static Growth {
        self.growth
    }

    /// The points of each line so far.
    pub fn points(&self) -> &[Vec<Point>] {
        &self.points
    }

    /// Which line is measured now, and how many keys its structure has; none at the end.
    pub fn present(&self) -> Option<(usize, u64)> {
        let line = self.points.iter().position(|points| {
            points
                .last()
                .is_none_or(|(size, _)| *size < self.growth.most)
        });
        line.map(|line| (line, self.size))
    }

    /// The share of the whole that is done, by keys.
    pub fn share(&self) -> f64 {
        let all = self.growth.lines.len().max(1) as f64;
        let (line, size) = self.present().unwrap_or((self.growth.lines.len(), 0));
        // One that begins anew for each size has been as far as its last point.
        let been = self.points.get(line).and_then(|points| points.last());
        let size = been.map_or(size, |(been, _)| size.max(*been));
        ((line as f64 + size as f64 / self.growth.most as f64) / all).min(1.0)
    }

    /// Goes on while there is patience; true at the end.
    pub fn work(&mut self, mut patience: impl FnMut() -> bool) -> bool {
        while let Some((line, _)) = self.present() {
            self.slice(line);
            if !patience() {
                break;
            }
        }
        self.present().is_none()
    }

    fn slice(&mut self, line: usize) {
        let of = &self.growth.lines[line];
        let points = &mut self.points[line];
        let Some(target) = sizes(self.growth.most).nth(points.len()) else {
            return;
        };
        let grower = self.grower.get_or_insert_with(of.begin);
        if self.aimed != target {
            self.size = grower.aim(target, self.size);
            self.aimed = target;
        }
        if self.size < target {
            let until = target.min(self.size + SLICE);
            (self.size..until).for_each(|key| grower.add(key));
            self.size = until;
            return;
        }
        let until = of.samples.min(self.measured.0 + SLICE);
        for number in self.measured.0..until {
            self.measured.1 += grower.cost(number, target);
        }
        self.measured.0 = until;
        if until == of.samples {
            points.push((target, self.measured.1 / of.samples as f64));
            self.measured = (0, 0.0);
            if target == self.growth.most {
                (self.grower, self.size, self.aimed) = (None, 0, 0);
            }
        }
    }
}

/// A cost as the table shows it.
pub fn written(value: f64) -> String {
    fixed(value, if value < 10.0 { 2 } else { 1 })
}

/// The chart as SVG of this size: keys by powers of ten to the right, costs upward, evenly or by powers of ten too; points and the line through them as measured,
/// theory as a pale band, which shows beside a line and under it. Its colours are classes of the page.
pub fn chart(survey: &Survey, width: f32, height: f32) -> String {
    let growth = survey.growth;
    let (left, right, top, bottom) = (34.0, width - 12.0, 10.0, height - 22.0);
    let log = |keys: f64| libm::log10(keys) as f32;
    let last = log(growth.most as f64);
    let x = |keys: f64| left + (right - left) * (log(keys) - 1.0) / (last - 1.0);
    let theory = growth
        .lines
        .iter()
        .map(|line| (line.theory)(growth.most as f64));
    let seen = survey.points.iter().flatten().map(|(_, cost)| *cost);
    let most = theory.chain(seen).fold(1.0, f64::max);
    let step = step(most);
    let scale = match growth.powers_from {
        Some(least) => libm::ceil(libm::log10(most / least)).max(1.0) as u32,
        None => (most / step + 0.999) as u32,
    };
    let share = |cost: f64| match growth.powers_from {
        Some(least) => libm::log10((cost / least).max(1.0)),
        None => cost / step,
    };
    let y = |cost: f64| bottom - (bottom - top) * (share(cost) / f64::from(scale)) as f32;
    let mut svg = format!(
        "<svg viewBox=\"0 0 {} {}\" aria-hidden=\"true\">",
        tenths(width),
        tenths(height)
    );
    let mut rule = |d: String, label: String, px: f32, py: f32, anchor: &str| {
        svg += &format!(
            "<path class=\"s-line\" fill=\"none\" d=\"{d}\"/><text class=\"f-secondary\" x=\"{}\" y=\"{}\" text-anchor=\"{anchor}\">{label}</text>",
            tenths(px),
            tenths(py)
        );
    };
    for n in 0..=scale {
        let (value, said) = match growth.powers_from {
            Some(least) => {
                let value = least * libm::pow(10.0, f64::from(n));
                let digits = (0.5 - libm::log10(value)).max(0.0) as u8;
                (value, fixed(value, digits))
            }
            None => (step * f64::from(n), trim_number(step * f64::from(n))),
        };
        let at = y(value);
        let d = format!("M{} {}H{}", tenths(left), tenths(at), tenths(right));
        rule(d, said, left - 6.0, at + 4.0, "end");
    }
    for (power, name) in [
        (1, "10"),
        (2, "100"),
        (3, "1k"),
        (4, "10k"),
        (5, "100k"),
        (6, "1M"),
    ] {
        let at = x(libm::pow(10.0, f64::from(power)));
        if at <= right + 0.5 {
            let d = format!("M{} {}V{}", tenths(at), tenths(top), tenths(bottom));
            rule(d, name.to_owned(), at, bottom + 16.0, "middle");
        }
    }
    let path = |points: &mut dyn Iterator<Item = (f64, f64)>| {
        let mut d = String::new();
        for (keys, cost) in points {
            d.push(if d.is_empty() { 'M' } else { 'L' });
            d += &format!("{} {}", tenths(x(keys)), tenths(y(cost)));
        }
        d
    };
    for (line, points) in growth.lines.iter().zip(&survey.points) {
        let ink = line.ink.name();
        let expected = sizes(growth.most).map(|size| (size as f64, (line.theory)(size as f64)));
        let theory = path(&mut expected.into_iter());
        let seen = path(&mut points.iter().map(|(size, cost)| (*size as f64, *cost)));
        svg += &format!(
            "<path class=\"s-{ink}\" fill=\"none\" stroke-width=\"6\" opacity=\"0.25\" d=\"{theory}\"/>"
        );
        if !seen.is_empty() {
            svg +=
                &format!("<path class=\"s-{ink}\" fill=\"none\" stroke-width=\"2\" d=\"{seen}\"/>");
        }
        for (size, cost) in points {
            let (cx, cy) = (tenths(x(*size as f64)), tenths(y(*cost)));
            svg += &format!("<circle class=\"f-{ink}\" cx=\"{cx}\" cy=\"{cy}\" r=\"3\"/>");
        }
    }
    svg + "</svg>"
}

/// A round distance between rules, of which about five reach `most`.
fn step(most: f64) -> f64 {
    let rough = most / 5.0;
    let mut ten = 0.001;
    loop {
        for round in [1.0, 2.0, 5.0] {
            if ten * round >= rough {
                return ten * round;
            }
        }
        ten *= 10.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A list that is looked through from its beginning.
    #[derive(Default)]
    struct List(Vec<u64>);
    impl Grower for List {
        fn add(&mut self, key: u64) {
            self.0.push(key);
        }
        fn cost(&mut self, number: u64, keys: u64) -> f64 {
            assert_eq!(self.0.len() as u64, keys);
            let key = number * 7 % keys;
            self.0
                .iter()
                .position(|other| *other == key)
                .map_or(0.0, |at| at as f64 + 1.0)
        }
    }

    /// One that begins anew for every size.
    #[derive(Default)]
    struct Anew(List);
    impl Grower for Anew {
        fn aim(&mut self, _: u64, _: u64) -> u64 {
            self.0.0.clear();
            0
        }
        fn add(&mut self, key: u64) {
            self.0.add(key);
        }
        fn cost(&mut self, number: u64, keys: u64) -> f64 {
            self.0.cost(number, keys)
        }
    }

    const GROWTH: Growth = Growth {
        lines: &[
            Measured {
                id: "list",
                ink: Ink::Accent,
                samples: 1_000,
                begin: || Box::new(List::default()),
                theory: |n| (n + 1.0) / 2.0,
            },
            Measured {
                id: "anew",
                ink: Ink::Warn,
                samples: 250,
                begin: || Box::new(Anew::default()),
                theory: |n| (n + 1.0) / 2.0,
            },
        ],
        most: 2_000,
        powers_from: None,
    };

    #[test]
    fn it_is_measured_at_round_sizes_whatever_the_patience() {
        let expected = [10, 20, 50, 100, 200, 500, 1_000, 2_000];
        assert_eq!(sizes(2_000).collect::<Vec<_>>(), expected);
        assert_eq!(sizes(7).collect::<Vec<_>>(), [7]);
        let mut whole = Survey::new(&GROWTH);
        assert!(whole.work(|| true));
        let mut sliced = Survey::new(&GROWTH);
        let (mut share, mut slices) = (0.0, 0);
        while !sliced.work(|| false) {
            assert!(sliced.share() >= share, "it only goes on");
            (share, slices) = (sliced.share(), slices + 1);
        }
        assert!(slices > 60, "{slices}");
        assert_eq!((sliced.points(), sliced.share()), (whole.points(), 1.0));
        for points in whole.points() {
            assert!(points.iter().map(|(size, _)| *size).eq(expected));
            for (size, cost) in points {
                let theory = (GROWTH.lines[0].theory)(*size as f64);
                assert!(
                    (cost / theory - 1.0).abs() < 0.2,
                    "{size}: {cost}, not {theory}"
                );
            }
        }
    }

    #[test]
    fn a_chart_shows_what_there_is() {
        let mut survey = Survey::new(&GROWTH);
        let svg = chart(&survey, 600.0, 300.0);
        assert_eq!(
            (
                svg.matches("<circle").count(),
                svg.matches("opacity").count()
            ),
            (0, 2)
        );
        assert!(!svg.contains("NaN") && !svg.contains("inf"));
        survey.work(|| true);
        assert_eq!(chart(&survey, 600.0, 300.0).matches("<circle").count(), 16);
    }

    #[test]
    fn costs_may_be_drawn_by_powers_of_ten() {
        const POWERS: Growth = Growth {
            powers_from: Some(0.01),
            ..GROWTH
        };
        let mut survey = Survey::new(&POWERS);
        survey.work(|| true);
        let svg = chart(&survey, 600.0, 300.0);
        for label in ["0.01", "0.1", "1", "10", "100", "1000", "10000"] {
            assert!(svg.contains(&format!(">{label}</text>")), "{label}");
        }
        assert!(!svg.contains("NaN") && !svg.contains("inf"));
    }
}
