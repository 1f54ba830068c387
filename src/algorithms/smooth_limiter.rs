//! A limiter that never refuses: the caller waits, and pays for what the caller before it took.
//!
//! Unused permits are stored up to a bound. The bursty form gives stored permits away at once; the
//! warming-up form makes them dearer the more there are, so that a system that was idle is loaded
//! slowly. Source: Guava's `RateLimiter` (`SmoothBursty`, `SmoothWarmingUp`), down to its whole
//! microseconds. Times are microseconds and do not run back: an earlier one counts as no time passed.

use crate::limiter::{Limiter, Verdict};

const SECOND_US: f64 = 1_000_000.0;

/// What stored permits cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape {
    /// Nothing; this many seconds' worth is stored. Guava: 1 s.
    Bursty {
        /// How long the limiter stores.
        burst_s: f64,
    },
    /// From the stable interval at half the stock up to `cold_factor` times that at all of it.
    WarmingUp {
        /// How long it takes from cold to warm.
        warmup_us: u64,
        /// How much longer the interval is when cold. Guava: 3.
        cold_factor: f64,
    },
}

impl Shape {
    /// Guava's bursty limiter: the permits of one second are stored.
    pub const BURSTY: Shape = Shape::Bursty { burst_s: 1.0 };
}

/// The limiter.
#[derive(Clone, Debug, PartialEq)]
pub struct SmoothLimiter {
    shape: Shape,
    rate_per_s: f64,
    stored: f64,
    stored_max: f64,
    /// Of a warming-up limiter: the stock below which permits cost no more than fresh ones.
    threshold: f64,
    /// Microseconds by which each stored permit beyond it is dearer than the one before.
    slope: f64,
    interval_us: f64,
    next_free_us: u64,
}

impl SmoothLimiter {
    /// A limiter of this rate, above 0; one that is not counts as the smallest there is. A bursty one
    /// starts without stored permits, a warming-up one cold.
    pub fn new(now_us: u64, rate_per_s: f64, shape: Shape) -> SmoothLimiter {
        let mut limiter = SmoothLimiter {
            shape,
            rate_per_s,
            stored: 0.0,
            stored_max: 0.0,
            threshold: 0.0,
            slope: 0.0,
            interval_us: 0.0,
            next_free_us: now_us,
        };
        limiter.set_rate(now_us, rate_per_s);
        limiter
    }

    /// Changes the rate. Permits in stock keep their share of the bound; a wait that has begun stays.
    pub fn set_rate(&mut self, now_us: u64, rate_per_s: f64) {
        self.resync(now_us);
        self.rate_per_s = if rate_per_s > 0.0 {
            rate_per_s
        } else {
            f64::MIN_POSITIVE
        };
        self.interval_us = SECOND_US / self.rate_per_s;
        let old_max = self.stored_max;
        let cold = match self.shape {
            Shape::Bursty { burst_s } => {
                self.stored_max = burst_s.max(0.0) * self.rate_per_s;
                false
            }
            Shape::WarmingUp {
                warmup_us,
                cold_factor,
            } => {
                let (warmup, cold_us) = (warmup_us as f64, self.interval_us * cold_factor.max(1.0));
                self.threshold = 0.5 * warmup / self.interval_us;
                self.stored_max = self.threshold + 2.0 * warmup / (self.interval_us + cold_us);
                let dear = self.stored_max - self.threshold;
                self.slope = if dear > 0.0 {
                    (cold_us - self.interval_us) / dear
                } else {
                    0.0
                };
                true
            }
        };
        self.stored = if old_max == f64::INFINITY {
            if cold { 0.0 } else { self.stored_max }
        } else if old_max == 0.0 {
            if cold { self.stored_max } else { 0.0 }
        } else if self.stored == 0.0 {
            0.0
        } else {
            self.stored * self.stored_max / old_max
        };
    }

    /// Permits in stock at this time.
    pub fn stored(&self, now_us: u64) -> f64 {
        let mut later = self.clone();
        later.resync(now_us);
        later.stored
    }

    /// When the next caller may go.
    pub fn next_free_us(&self) -> u64 {
        self.next_free_us
    }

    /// Takes permits and says how long the caller must wait: for those before it, not for its own.
    pub fn acquire(&mut self, now_us: u64, permits: u64) -> u64 {
        self.resync(now_us);
        let wait_us = self.next_free_us.saturating_sub(now_us);
        let spent = (permits as f64).min(self.stored);
        let fresh = permits as f64 - spent;
        // The casts round down and saturate; nothing at an infinite interval is no number, so 0.
        let fresh_us = (fresh * self.interval_us) as u64;
        let paid_us = self.stored_us(spent).saturating_add(fresh_us);
        self.next_free_us = self.next_free_us.saturating_add(paid_us);
        self.stored -= spent;
        wait_us
    }

    /// The same if the wait is no longer than `patience_us`; else nothing is taken.
    pub fn try_acquire(&mut self, now_us: u64, permits: u64, patience_us: u64) -> Option<u64> {
        let wait_us = self.next_free_us.saturating_sub(now_us);
        (wait_us <= patience_us).then(|| self.acquire(now_us, permits))
    }

    /// What it takes to hand out so many stored permits.
    fn stored_us(&self, permits: f64) -> u64 {
        if let Shape::Bursty { .. } = self.shape {
            return 0;
        }
        let dear = (self.stored - self.threshold).max(0.0);
        let dear_taken = dear.min(permits);
        let interval_at = |above: f64| self.interval_us + above * self.slope;
        // The area under the line from what is there to what is left.
        let length = interval_at(dear) + interval_at(dear - dear_taken);
        let dear_us = if dear > 0.0 {
            (dear_taken * length / 2.0) as u64
        } else {
            0
        };
        dear_us.saturating_add((self.interval_us * (permits - dear_taken)) as u64)
    }

    fn resync(&mut self, now_us: u64) {
        if now_us <= self.next_free_us {
            return;
        }
        let idle_us = (now_us - self.next_free_us) as f64;
        let cool_us = match self.shape {
            Shape::Bursty { .. } => self.interval_us,
            Shape::WarmingUp { warmup_us, .. } => warmup_us as f64 / self.stored_max,
        };
        // Without room nothing is stored, however it is counted.
        self.stored = if self.stored_max > 0.0 {
            (self.stored + idle_us / cool_us).min(self.stored_max)
        } else {
            0.0
        };
        self.next_free_us = now_us;
    }
}

impl Limiter for SmoothLimiter {
    /// Times are microseconds.
    fn ask(&mut self, now_us: u64, cost: u64) -> Verdict {
        match self.acquire(now_us, cost) {
            0 => Verdict::Allowed,
            wait_us => Verdict::Delayed(wait_us),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: u64 = 1_000_000;

    #[test]
    fn a_second_of_permits_is_stored_and_no_more() {
        let mut limiter = SmoothLimiter::new(0, 5.0, Shape::BURSTY);
        let waits: Vec<u64> = (0..7).map(|_| limiter.acquire(60 * S, 1)).collect();
        assert_eq!(waits, [0, 0, 0, 0, 0, 0, S / 5]);
    }

    #[test]
    fn an_infinite_rate_never_waits_and_leaves_a_full_stock() {
        let mut limiter = SmoothLimiter::new(0, 2.0, Shape::BURSTY);
        limiter.set_rate(S, f64::INFINITY);
        for _ in 0..100 {
            assert_eq!(limiter.acquire(S, 1_000), 0);
        }
        limiter.set_rate(S, 4.0);
        assert_eq!(limiter.stored(S), 4.0);
        let warmth = Shape::WarmingUp {
            warmup_us: S,
            cold_factor: 3.0,
        };
        let mut warm = SmoothLimiter::new(0, f64::INFINITY, warmth);
        assert_eq!((warm.acquire(0, 9), warm.acquire(0, 9)), (0, 0));
        warm.set_rate(0, 1.0);
        assert_eq!(warm.acquire(0, 1), 0);
        assert_eq!(warm.acquire(0, 1), S);
    }

    #[test]
    fn rates_that_are_none_wait_for_ever() {
        for rate in [0.0, -3.0, f64::NAN] {
            let mut limiter = SmoothLimiter::new(7, rate, Shape::BURSTY);
            assert_eq!(limiter.ask(7, 1), Verdict::Allowed);
            assert_eq!(limiter.ask(7, 1), Verdict::Delayed(u64::MAX - 7));
            assert_eq!(limiter.try_acquire(7, 1, 9), None);
        }
    }

    #[test]
    fn a_cold_limiter_gives_its_stock_in_the_warm_up_time() {
        let warmth = Shape::WarmingUp {
            warmup_us: 4 * S,
            cold_factor: 3.0,
        };
        let mut limiter = SmoothLimiter::new(0, 2.0, warmth);
        assert_eq!(limiter.stored(0), 8.0);
        let (begun, mut now) = (0, 0);
        for _ in 0..5 {
            now += limiter.acquire(now, 1);
        }
        assert_eq!(now - begun, 4 * S, "four dear permits in the warm-up time");
    }
}
