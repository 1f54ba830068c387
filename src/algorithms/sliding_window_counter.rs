//! Sliding window counter: two counts that stand for a log, the old one fading as the window moves on.
//!
//! It believes that the requests of the window before came evenly. Sources: Cloudflare, "How we built
//! rate limiting capable of scaling to millions of domains" (2017); RussellLuo/slidingwindow, whose
//! estimate is rounded down. Refused requests are not counted.

use crate::limiter::{Limiter, Rate, Verdict, ceil_div};

/// The estimate before rounding: `previous · (1 − elapsed / window) + current`. An elapsed time beyond
/// the window leaves nothing of the old count.
pub fn estimate(previous: f64, current: f64, elapsed: f64, window: f64) -> f64 {
    if window <= 0.0 {
        return current;
    }
    previous * (1.0 - (elapsed / window).clamp(0.0, 1.0)) + current
}

/// The counts of this window and the one before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlidingWindowCounter {
    rate: Rate,
    /// Where the present window began.
    start: u64,
    previous: u64,
    current: u64,
}

impl SlidingWindowCounter {
    /// Empty counts, windows aligned to multiples of the period.
    pub fn new(rate: Rate) -> SlidingWindowCounter {
        SlidingWindowCounter::with_origin(rate, 0)
    }

    /// Empty counts, one of the windows beginning at `origin`. Earlier times count as that one.
    pub fn with_origin(rate: Rate, origin: u64) -> SlidingWindowCounter {
        SlidingWindowCounter {
            rate,
            start: origin,
            previous: 0,
            current: 0,
        }
    }

    /// The two counts at this time, the previous window's first.
    pub fn counts(&mut self, now: u64) -> (u64, u64) {
        self.advance(now);
        (self.previous, self.current)
    }

    /// How many requests it believes lie in the window that ends now.
    pub fn estimate(&mut self, now: u64) -> f64 {
        self.advance(now);
        estimate(
            self.previous as f64,
            self.current as f64,
            now.saturating_sub(self.start) as f64,
            self.rate.period() as f64,
        )
    }

    /// Changes limit and window; the counts stay, and the old one fades over the new window.
    pub fn set_rate(&mut self, now: u64, rate: Rate) {
        self.advance(now);
        self.rate = rate;
        self.advance(now);
    }

    fn advance(&mut self, now: u64) {
        let windows = now.saturating_sub(self.start) / self.rate.period();
        if windows > 0 {
            self.previous = if windows == 1 { self.current } else { 0 };
            self.current = 0;
            self.start += windows * self.rate.period();
        }
    }

    /// The first time from `from` on, within the window that begins at `start`, at which
    /// `floor(previous · left / period) ≤ room`.
    fn fades(&self, previous: u64, room: u64, start: u64, from: u64) -> Option<u64> {
        let period = u128::from(self.rate.period());
        // `previous · left < (room + 1) · period`, solved for the largest `left`.
        let left_max = match ceil_div((u128::from(room) + 1) * period, u128::from(previous)) {
            Some(bound) => u128::from(bound) - 1,
            None => period,
        };
        let elapsed = u64::try_from(period.saturating_sub(left_max)).ok()?;
        let at = start.saturating_add(elapsed).max(from);
        (at - start < self.rate.period()).then_some(at)
    }

    /// When a request of this cost would pass, seen from `now` in the present window.
    fn retry_at(&self, now: u64, cost: u64) -> Option<u64> {
        let spare = self.rate.permits().checked_sub(cost)?;
        let next = self.start.saturating_add(self.rate.period());
        spare
            .checked_sub(self.current)
            .and_then(|room| self.fades(self.previous, room, self.start, now))
            .or_else(|| self.fades(self.current, spare, next, next))
            .or(Some(next.saturating_add(self.rate.period())))
    }
}

impl Limiter for SlidingWindowCounter {
    // region: counter
    fn ask(&mut self, now: u64, cost: u64) -> Verdict {
        let now = now.max(self.start);
        self.advance(now);
        let period = u128::from(self.rate.period());
        let left = period - u128::from(now - self.start);
        let believed = u128::from(self.previous) * left / period + u128::from(self.current);
        if believed + u128::from(cost) <= u128::from(self.rate.permits()) {
            self.current += cost;
            return Verdict::Allowed;
        }
        let retry_at = self.retry_at(now, cost);
        Verdict::Refused {
            retry_after: retry_at.map(|at| at - now),
        }
    }
    // endregion
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn for_single_requests_it_passes_while_the_estimate_is_below_the_limit() {
        for limit in 1..8 {
            for previous in 0..12 {
                for current in 0..8 {
                    for now in 10..20 {
                        let mut counter = SlidingWindowCounter {
                            rate: Rate::new(limit, 10),
                            start: 10,
                            previous,
                            current,
                        };
                        // previous · (W − e) + current · W < N · W, as whole numbers.
                        let below = previous * (20 - now) + current * 10 < limit * 10;
                        assert_eq!(counter.ask(now, 1).passes(), below);
                    }
                }
            }
        }
    }

    #[test]
    fn retry_after_is_exact() {
        for limit in 0..6 {
            for (previous, current) in (0..9).flat_map(|p| (0..9).map(move |c| (p, c))) {
                for (now, cost) in (7..14).flat_map(|now| (1..4).map(move |cost| (now, cost))) {
                    let counter = SlidingWindowCounter {
                        rate: Rate::new(limit, 7),
                        start: 7,
                        previous,
                        current,
                    };
                    let Verdict::Refused { retry_after } = counter.clone().ask(now, cost) else {
                        continue;
                    };
                    let passes = |at| counter.clone().ask(at, cost).passes();
                    let first = (now + 1..now + 30).find(|&at| passes(at));
                    assert_eq!(retry_after, first.map(|at| at - now));
                }
            }
        }
    }

    #[test]
    fn extremes_do_not_overflow() {
        let mut counter = SlidingWindowCounter::new(Rate::new(u64::MAX, u64::MAX));
        assert!(counter.ask(0, u64::MAX).passes());
        assert!(!counter.ask(u64::MAX - 1, 1).passes());
        assert_eq!(counter.counts(u64::MAX), (u64::MAX, 0));
        let mut none = SlidingWindowCounter::new(Rate::new(0, 5));
        assert_eq!(none.ask(3, 1), Verdict::Refused { retry_after: None });
        assert_eq!(estimate(10.0, 2.0, 70.0, 60.0), 2.0);
    }
}
