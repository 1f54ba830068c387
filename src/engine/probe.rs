//! Probes: what a model measures while it runs, condensed into evenly spaced samples.

use crate::time::Time;
use hdrhistogram::Histogram;

/// Distance between two samples on the tape, unless a lesson in slow motion says otherwise ([`crate::Sheet::sample`]).
pub const SAMPLE_EVERY: Time = Time::ms(200);
/// Samples that a rate is averaged over: as a rule one second.
const RATE_SAMPLES: usize = 5;
/// Samples in one epoch of a quantile; two epochs (as a rule 2 to 4 s) make its window.
const EPOCH_SAMPLES: u64 = 10;

/// What a model measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// Things that happen, counted; read per second.
    Count,
    /// A quantity that holds until it changes; read as its mean over time.
    Level,
    /// Values of which the spread matters, such as latencies; non-negative, read as quantiles.
    Spread,
}

/// What a plotted line reads from a probe.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Statistic {
    /// Count per second over the last second, or the mean level.
    Mean,
    /// A quantile from 0 to 1 of the last 2 to 4 seconds; with fewer than [`SAMPLES_MIN`] values from 0.99 on it is the
    /// greatest, which is all that so few can tell.
    Quantile(f64),
    /// How many values the window of a spread holds.
    Number,
}

/// So many values are needed for a 99th percentile to be told apart from the slowest.
pub const SAMPLES_MIN: u64 = 300;

#[derive(Clone, Debug)]
enum Meter {
    Count {
        now: f64,
        recent: [f64; RATE_SAMPLES],
        /// How many of the recent samples are of the rules that hold.
        full: usize,
    },
    Level {
        value: f64,
        since: Time,
        area: f64,
    },
    /// The running epoch, and that one together with the one before, which is what is read.
    Spread {
        current: Box<Histogram<u32>>,
        window: Box<Histogram<u32>>,
        /// When it was last emptied.
        emptied: Time,
    },
}

/// The running meters of all probes; part of the world, so that a replay measures the same.
#[derive(Clone, Debug)]
pub struct Meters {
    meters: Vec<Meter>,
    every: Time,
    /// Samples closed so far.
    pub closed: u64,
}

impl Meters {
    /// Fresh meters for these probes, whose samples are so far apart.
    pub fn new(probes: &[Probe], every: Time) -> Meters {
        let meter = |probe: &Probe| match probe {
            Probe::Count => Meter::Count {
                now: 0.0,
                recent: [0.0; RATE_SAMPLES],
                full: 0,
            },
            Probe::Level => Meter::Level {
                value: 0.0,
                since: Time::ZERO,
                area: 0.0,
            },
            Probe::Spread => Meter::Spread {
                current: histogram(),
                window: histogram(),
                emptied: Time::ZERO,
            },
        };
        Meters {
            meters: probes.iter().map(meter).collect(),
            every,
            closed: 0,
        }
    }

    /// How far apart samples are.
    pub fn every(&self) -> Time {
        self.every
    }

    /// When the running sample ends.
    #[inline]
    pub fn ends_at(&self) -> Time {
        Time((self.closed + 1) * self.every.0)
    }

    /// Takes one measurement; numbers of probes that do not exist are ignored.
    #[inline]
    pub fn sample(&mut self, probe: usize, value: f64, now: Time) {
        match self.meters.get_mut(probe) {
            Some(Meter::Count { now, .. }) => *now += value,
            Some(Meter::Level {
                value: held,
                since,
                area,
            }) => {
                *area += *held * now.since(*since).as_s();
                (*held, *since) = (value, now);
            }
            Some(Meter::Spread {
                current, window, ..
            }) => {
                current.saturating_record(value as u64);
                window.saturating_record(value as u64);
            }
            None => {}
        }
    }

    /// When the window of a spread was last emptied.
    pub fn emptied(&self, probe: usize) -> Time {
        match self.meters.get(probe) {
            Some(Meter::Spread { emptied, .. }) => *emptied,
            _ => Time::ZERO,
        }
    }

    /// Empties the windows of rates and spreads.
    pub fn empty(&mut self, at: Time) {
        for meter in &mut self.meters {
            match meter {
                Meter::Count { now, full, .. } => (*now, *full) = (0.0, 0),
                Meter::Level { .. } => {}
                Meter::Spread {
                    current,
                    window,
                    emptied,
                } => {
                    current.reset();
                    window.reset();
                    *emptied = at;
                }
            }
        }
    }

    /// Ends the running sample; `read` tells which (probe, statistic) pairs the tape still lacks.
    pub fn close(&mut self, read: &[(usize, Statistic)], out: &mut Vec<f32>) {
        let end = self.ends_at();
        for meter in &mut self.meters {
            match meter {
                Meter::Count { now, recent, full } => {
                    recent[(self.closed % RATE_SAMPLES as u64) as usize] = *now;
                    *now = 0.0;
                    *full = (*full + 1).min(RATE_SAMPLES);
                }
                Meter::Level { value, since, area } => {
                    *area += *value * end.since(*since).as_s();
                    *since = end;
                }
                Meter::Spread { .. } => {}
            }
        }
        self.closed += 1;
        out.extend(
            read.iter()
                .map(|(probe, statistic)| self.read(*probe, *statistic) as f32),
        );
        for meter in &mut self.meters {
            match meter {
                Meter::Level { area, .. } => *area = 0.0,
                Meter::Spread {
                    current, window, ..
                } if self.closed.is_multiple_of(EPOCH_SAMPLES) => {
                    std::mem::swap(current, window);
                    current.reset();
                }
                _ => {}
            }
        }
    }

    fn read(&self, probe: usize, statistic: Statistic) -> f64 {
        match (self.meters.get(probe), statistic) {
            // A window that is not full would show a growth that never happened.
            (Some(Meter::Count { full, .. }), _) if *full < RATE_SAMPLES => f64::NAN,
            (Some(Meter::Count { recent, .. }), _) => {
                recent.iter().sum::<f64>() / (RATE_SAMPLES as f64 * self.every.as_s())
            }
            (Some(Meter::Level { area, .. }), _) => *area / self.every.as_s(),
            (Some(Meter::Spread { window, .. }), Statistic::Number) => window.len() as f64,
            (Some(Meter::Spread { window, .. }), _) if window.is_empty() => f64::NAN,
            (Some(Meter::Spread { window, .. }), Statistic::Quantile(q))
                if q >= 0.99 && window.len() < SAMPLES_MIN =>
            {
                window.max() as f64
            }
            (Some(Meter::Spread { window, .. }), Statistic::Quantile(q)) => {
                window.value_at_quantile(q) as f64
            }
            (Some(Meter::Spread { window, .. }), Statistic::Mean) => window.mean(),
            (None, _) => f64::NAN,
        }
    }
}

/// Up to about 67 seconds with two significant digits, no finer than 32 µs: 1 % wide buckets, 7 KB.
fn histogram() -> Box<Histogram<u32>> {
    Box::new(
        Histogram::new_with_bounds(50, 1 << 26, 2)
            .expect("the bounds are constants that the crate accepts"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(meters: &mut Meters, statistic: Statistic) -> f32 {
        let mut out = Vec::new();
        meters.close(&[(0, statistic)], &mut out);
        out[0]
    }

    #[test]
    fn counts_are_read_per_second() {
        let mut meters = Meters::new(&[Probe::Count], SAMPLE_EVERY);
        let mut last = 0.0;
        for _ in 0..10 {
            for _ in 0..4 {
                meters.sample(0, 1.0, Time::ZERO);
            }
            last = close(&mut meters, Statistic::Mean);
        }
        assert_eq!(last, 20.0);
    }

    #[test]
    fn a_window_that_is_not_full_says_nothing() {
        let mut meters = Meters::new(&[Probe::Count, Probe::Spread], SAMPLE_EVERY);
        let mut out = Vec::new();
        for sample in 1..=2 * RATE_SAMPLES {
            if sample == RATE_SAMPLES + 1 {
                meters.sample(1, 7_000.0, Time::ms(900));
                meters.empty(Time::s(1));
            }
            meters.sample(0, 2.0, Time::ZERO);
            out.clear();
            let read = [(0, Statistic::Mean), (1, Statistic::Number)];
            meters.close(&read, &mut out);
            assert_eq!(
                out[0].is_nan(),
                !sample.is_multiple_of(RATE_SAMPLES),
                "{sample}"
            );
        }
        assert_eq!(out, [10.0, 0.0]);
        assert_eq!(meters.emptied(1), Time::s(1));
    }

    #[test]
    fn too_few_values_have_a_slowest_only() {
        let mut meters = Meters::new(&[Probe::Spread], SAMPLE_EVERY);
        for value in 1..SAMPLES_MIN {
            meters.sample(0, value as f64 * 1_000.0, Time::ZERO);
        }
        let slowest = close(&mut meters, Statistic::Quantile(0.99));
        assert!((slowest / 299_000.0 - 1.0).abs() < 0.01, "{slowest}");
        meters.sample(0, 1_000.0, Time::ZERO);
        assert!(close(&mut meters, Statistic::Quantile(0.99)) < 299_000.0);
    }

    #[test]
    fn levels_are_weighted_by_time() {
        let mut meters = Meters::new(&[Probe::Level], SAMPLE_EVERY);
        meters.sample(0, 10.0, Time::ms(50));
        assert!((close(&mut meters, Statistic::Mean) - 7.5).abs() < 1e-6);
        assert!((close(&mut meters, Statistic::Mean) - 10.0).abs() < 1e-6);
    }

    #[test]
    fn quantiles_agree_with_sorting() {
        let mut meters = Meters::new(&[Probe::Spread], SAMPLE_EVERY);
        for value in 1..=1_000 {
            meters.sample(0, f64::from(value * 100), Time::ZERO);
        }
        let p99 = close(&mut meters, Statistic::Quantile(0.99));
        assert!(
            (p99 / 99_000.0 - 1.0).abs() < 0.01,
            "{p99}: the histogram promises 1 %"
        );
    }

    #[test]
    fn old_values_leave_the_window() {
        let mut meters = Meters::new(&[Probe::Spread], SAMPLE_EVERY);
        meters.sample(0, 5_000.0, Time::ZERO);
        for _ in 0..2 * EPOCH_SAMPLES {
            close(&mut meters, Statistic::Quantile(0.5));
        }
        assert!(close(&mut meters, Statistic::Quantile(0.5)).is_nan());
    }
}
