//! Failure detectors: from heartbeats that come to the suspicion that one will not come any more.
//!
//! The φ accrual detector is that of Hayashibara, Défago, Yared and Katayama, "The φ accrual failure detector", SRDS 2004, as
//! Akka has it: the normal distribution is approximated by a logistic one, intervals while somebody was suspected are not
//! learnt, and before the first interval one of a second is assumed.

use std::collections::VecDeque;

/// The lengths of the last intervals between heartbeats, in ms.
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    intervals: VecDeque<f64>,
    most: usize,
}

impl History {
    /// Remembers at most so many.
    pub fn new(most: usize) -> History {
        History {
            intervals: VecDeque::new(),
            most: most.max(1),
        }
    }

    /// One more; the oldest goes.
    pub fn push(&mut self, interval: f64) {
        if self.intervals.len() == self.most {
            self.intervals.pop_front();
        }
        self.intervals.push_back(interval);
    }

    /// Their mean.
    pub fn mean(&self) -> f64 {
        self.intervals.iter().sum::<f64>() / self.intervals.len().max(1) as f64
    }

    /// Their variance, that of the population.
    pub fn variance(&self) -> f64 {
        let mean = self.mean();
        let squares = self.intervals.iter().map(|interval| interval - mean);
        squares.map(|off| off * off).sum::<f64>() / self.intervals.len().max(1) as f64
    }
}

// region: phi
/// How much speaks against one who has been silent for so long: 1 means that one in ten such silences is only a late
/// heartbeat, 2 that one in a hundred is. All spans in the same unit; the deviation is above 0.
pub fn phi(silent: f64, mean: f64, deviation: f64) -> f64 {
    let y = (silent - mean) / deviation;
    let e = libm::exp(-y * (1.5976 + 0.070_566 * y * y));
    // Of the two ways to say the same, the one that keeps its digits.
    let late = match silent > mean {
        true => e / (1.0 + e),
        false => 1.0 - 1.0 / (1.0 + e),
    };
    -libm::log10(late)
}
// endregion

/// The settings of a detector; spans in ms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// From this φ on somebody is suspected.
    pub threshold: f64,
    /// So many intervals are remembered.
    pub samples_max: usize,
    /// Intervals are taken to vary at least so much, in ms.
    pub deviation_min: f64,
    /// A pause so long is nothing unusual, in ms.
    pub pause: f64,
    /// What the first interval is taken for, in ms.
    pub first: f64,
}

impl Default for Settings {
    /// Akka's, but for the pause, which it has at 3 s in clusters.
    fn default() -> Settings {
        Settings {
            threshold: 8.0,
            samples_max: 1_000,
            deviation_min: 100.0,
            pause: 0.0,
            first: 1_000.0,
        }
    }
}

/// A detector for one who sends heartbeats.
#[derive(Clone, Debug, PartialEq)]
pub struct PhiAccrual {
    settings: Settings,
    history: History,
    last: Option<u64>,
}

impl PhiAccrual {
    /// Nothing has been heard yet.
    pub fn new(settings: Settings) -> PhiAccrual {
        let mut history = History::new(settings.samples_max);
        // Two intervals whose mean is the first one's, and whose deviation is a quarter of it.
        let off = settings.first / 4.0;
        history.push(settings.first - off);
        history.push(settings.first + off);
        PhiAccrual {
            settings,
            history,
            last: None,
        }
    }

    /// A heartbeat, at this time in ms.
    pub fn hear(&mut self, now: u64) {
        if let Some(last) = self.last
            && self.is_available(now)
        {
            self.history.push(now.saturating_sub(last) as f64);
        }
        self.last = Some(now);
    }

    /// The suspicion; 0 before the first heartbeat.
    pub fn phi(&self, now: u64) -> f64 {
        let Some(last) = self.last else {
            return 0.0;
        };
        let silent = now.saturating_sub(last) as f64;
        let deviation = self.history.variance().sqrt();
        let deviation = deviation.max(self.settings.deviation_min);
        phi(silent, self.history.mean() + self.settings.pause, deviation)
    }

    /// Whether nobody would suspect it.
    pub fn is_available(&self, now: u64) -> bool {
        self.phi(now) < self.settings.threshold
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suspicion_grows_with_silence_and_falls_with_a_heartbeat() {
        let mut detector = PhiAccrual::new(Settings::default());
        assert_eq!(detector.phi(90_000), 0.0, "nobody is missed who never came");
        for second in 0..20 {
            detector.hear(second * 1_000);
        }
        let at: Vec<f64> = (0..6).map(|i| detector.phi(19_000 + i * 500)).collect();
        assert!(at.is_sorted() && at[0] < 0.1 && at[5] > 8.0, "{at:?}");
        detector.hear(21_500);
        assert!(detector.is_available(21_600));
    }

    #[test]
    fn regular_heartbeats_are_missed_sooner_than_irregular_ones() {
        let silence = |wobble: u64| {
            let mut detector = PhiAccrual::new(Settings::default());
            let mut now = 0;
            for beat in 0..200 {
                now += 1_000 + if beat % 2 == 0 { wobble } else { 0 };
                detector.hear(now);
            }
            (0..).find(|ms| !detector.is_available(now + ms)).unwrap()
        };
        assert!(silence(0) + 500 < silence(800));
    }

    #[test]
    fn a_silence_that_was_suspected_is_not_learnt() {
        let mut detector = PhiAccrual::new(Settings::default());
        for second in 0..10 {
            detector.hear(second * 1_000);
        }
        let before = detector.history.clone();
        detector.hear(60_000);
        assert_eq!(detector.history, before);
    }
}
