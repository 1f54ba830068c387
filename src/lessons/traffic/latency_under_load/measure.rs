//! What is measured: times of answers since the last change, points of the curve, minutes one by one.

use algorithms::batch_means::BatchMeans;
use algorithms::histogram::Histogram;
use engine::Time;

/// Digits of the histograms, as HdrHistogram's users keep.
const DIGITS: u32 = 3;
/// From so many answers on a mean is drawn.
const ANSWERS_MIN: u64 = 200;
/// From a change until a measurement begins: what is asked before is part of neither.
pub(super) const SETTLES: Time = Time::s(5);
/// The length of one measurement of several.
pub(super) const MINUTE: Time = Time::s(60);
/// So many minutes follow one another.
pub(super) const MINUTES: usize = 3;

/// Times of answers to what was asked within a span.
#[derive(Clone, Debug)]
pub(super) struct Measure {
    /// What is asked from here on counts.
    pub(super) from: Time,
    /// What is asked from here on counts no longer.
    pub(super) until: Time,
    /// In µs.
    pub(super) times: Histogram,
    means: BatchMeans,
    /// Turned away.
    pub(super) refused: u32,
    /// Planned moments at which nobody asked.
    pub(super) missed: u32,
}

impl Measure {
    pub(super) fn new(from: Time, until: Time) -> Measure {
        Measure {
            from,
            until,
            times: Histogram::new(DIGITS),
            means: BatchMeans::default(),
            refused: 0,
            missed: 0,
        }
    }

    /// Whether what was asked then belongs to it.
    pub(super) fn holds(&self, asked: Time) -> bool {
        self.from <= asked && asked < self.until
    }

    pub(super) fn record(&mut self, took: Time, corrects: Option<Time>) {
        match corrects {
            Some(interval) => self.times.record_corrected(took.0, interval.0),
            None => self.times.record(took.0),
        }
        self.means.add(took.as_s());
    }

    /// Whether there are answers enough to say something of.
    pub(super) fn tells(&self) -> bool {
        self.times.total() >= ANSWERS_MIN
    }

    /// How long it has measured.
    pub(super) fn span(&self, now: Time) -> Time {
        now.min(self.until).since(self.from)
    }

    /// The share that was turned away.
    pub(super) fn loss(&self) -> f64 {
        let refused = f64::from(self.refused);
        refused / (refused + self.times.total() as f64).max(1.0)
    }

    pub(super) fn point(&self, busy: f64) -> Option<Point> {
        let s = |us: u64| Time(us).as_s();
        Some(Point {
            busy,
            mean: self.times.mean().filter(|_| self.tells())? / 1e6,
            error: self.means.standard_error(),
            p99: s(self.times.at_per_mille(990)?),
        })
    }
}

/// What was measured at one load; times in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    /// How busy each worker is asked to be, in percent.
    pub(super) busy: f64,
    pub(super) mean: f64,
    /// The standard error of the mean.
    pub(super) error: Option<f64>,
    pub(super) p99: f64,
}

/// So many other settings keep their points.
const SETTINGS_KEPT: usize = 6;
/// What all points of one curve have in common.
pub(super) type Rules = [u64; 9];

/// Points by load, of the settings that hold and of others before.
#[derive(Clone, Debug, Default)]
pub(super) struct Curve {
    rules: Rules,
    pub(super) points: Vec<Point>,
    kept: Vec<(Rules, Vec<Point>)>,
}

impl Curve {
    /// Other settings are another curve; one that was there before comes back.
    pub(super) fn turn_to(&mut self, rules: Rules) {
        if rules == self.rules {
            return;
        }
        let points = std::mem::take(&mut self.points);
        self.kept.retain(|(known, _)| *known != self.rules);
        if !points.is_empty() {
            self.kept.push((self.rules, points));
        }
        if self.kept.len() > SETTINGS_KEPT {
            self.kept.remove(0);
        }
        let known = self.kept.iter().find(|(known, _)| *known == rules);
        self.points = known.map(|(_, points)| points.clone()).unwrap_or_default();
        self.rules = rules;
    }

    /// Keeps a point; one at the same load is measured anew.
    pub(super) fn keep(&mut self, point: Point) {
        self.points.retain(|old| old.busy != point.busy);
        self.points.push(point);
        self.points
            .sort_by(|one, next| one.busy.total_cmp(&next.busy));
    }

    /// The mean at a load, in percent.
    pub(super) fn at(&self, busy: f64) -> Option<f64> {
        let mut points = self.points.iter();
        points
            .find(|point| point.busy == busy)
            .map(|point| point.mean)
    }
}

/// Minutes, one by one.
#[derive(Clone, Debug)]
pub(super) struct Minutes {
    pub(super) points: Vec<Point>,
    /// All of them together.
    pub(super) all: Measure,
}

impl Minutes {
    pub(super) fn from(from: Time) -> Minutes {
        let until = Time(from.0 + MINUTES as u64 * MINUTE.0);
        Minutes {
            points: Vec::new(),
            all: Measure::new(from, until),
        }
    }

    /// The largest mean over the smallest.
    pub(super) fn ratio(&self) -> f64 {
        let means = || self.points.iter().map(|point| point.mean);
        let least = means().fold(f64::INFINITY, f64::min);
        means().fold(0.0, f64::max) / least.max(1e-9)
    }

    /// The mean of the minutes' 99th percentiles, in seconds.
    pub(super) fn mean_p99(&self) -> f64 {
        let sum: f64 = self.points.iter().map(|point| point.p99).sum();
        sum / self.points.len().max(1) as f64
    }
}

/// Slots that [`Lately`] remembers beside the running one.
const SLOTS: usize = 10;

/// How many workers were busy over the last ten seconds, exactly.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Lately {
    /// Busy workers times µs, by second.
    areas: [u64; SLOTS + 1],
    second: u64,
    since: Time,
    busy: u64,
}

impl Lately {
    /// So many are busy from now on.
    pub(super) fn set(&mut self, busy: usize, now: Time) {
        let second = Time::s(1).0;
        while self.since < now {
            let slot = self.since.0 / second;
            let end = Time(((slot + 1) * second).min(now.0));
            self.areas[slot as usize % (SLOTS + 1)] += self.busy * end.since(self.since).0;
            self.since = end;
            self.open(end.0 / second);
        }
        self.busy = busy as u64;
    }

    /// A second begins: its slot is that of one that is forgotten.
    fn open(&mut self, slot: u64) {
        if slot > self.second {
            self.areas[slot as usize % (SLOTS + 1)] = 0;
            self.second = slot;
        }
    }

    /// The mean over the last ten whole seconds and the running one.
    pub(super) fn mean(&self, at: Time) -> f64 {
        let mut then = *self;
        then.set(then.busy as usize, at);
        let over = SLOTS as f64 + (at.0 % Time::s(1).0) as f64 / 1e6;
        then.areas.iter().sum::<u64>() as f64 / 1e6 / over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn busy_lately_is_a_mean_of_ten_seconds() {
        let mut lately = Lately::default();
        lately.set(2, Time::s(20));
        lately.set(0, Time::s(25));
        let close = |at: Time, mean: f64| {
            let is = lately.mean(at);
            assert!((is - mean).abs() < 1e-9, "{at}: {is}");
        };
        close(Time::s(30), 1.0);
        close(Time::s(33), 0.4);
        close(Time::ms(33_500), 4.0 / 10.5);
        close(Time::s(90), 0.0);
    }

    #[test]
    fn points_come_back_with_their_settings() {
        let point = |busy| Point {
            busy,
            mean: busy,
            error: None,
            p99: 1.0,
        };
        let mut curve = Curve::default();
        curve.keep(point(80.0));
        curve.keep(point(50.0));
        curve.keep(point(80.0));
        assert_eq!(curve.points, [point(50.0), point(80.0)]);
        curve.turn_to([1; 9]);
        assert_eq!(curve.at(80.0), None);
        curve.turn_to(Rules::default());
        assert_eq!(curve.at(80.0), Some(80.0));
    }
}
