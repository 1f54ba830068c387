//! GCRA, the generic cell rate algorithm: one time stamp that says when the next request would be due.
//!
//! Each request moves the theoretical arrival time on by one emission interval; it is refused if that
//! time would run ahead of the clock by more than the tolerance. It decides as a token bucket of
//! `burst + 1` tokens. Sources: ITU-T I.371 (virtual scheduling); throttled/throttled, whose numbers
//! are those of the headers RateLimit and Retry-After.

use crate::limiter::{Limiter, Rate, Verdict, ceil_div, saturate};

/// What a store would keep for one client, and the rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gcra {
    rate: Rate,
    burst: u64,
    /// The theoretical arrival time, in parts of `1 / permits` of a tick.
    arrival: u128,
    latest: u64,
}

/// The answer to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checked {
    /// Whether it is refused.
    pub limited: bool,
    /// Most requests that can pass at once.
    pub limit: u64,
    /// How many more would pass now.
    pub remaining: u64,
    /// Ticks until everything is as if no request had come, rounded up.
    pub reset_after: u64,
    /// For a refused request that could pass later: ticks until it does, rounded up.
    pub retry_after: Option<u64>,
}

impl Gcra {
    /// A limiter of one request each `period / permits` ticks, the emission interval, and `burst` more
    /// at once.
    pub fn new(rate: Rate, burst: u64) -> Gcra {
        Gcra {
            rate,
            burst,
            arrival: 0,
            latest: 0,
        }
    }

    /// Asks for `quantity` requests at once: all or none. A quantity of 0 looks only.
    pub fn check(&mut self, now: u64, quantity: u64) -> Checked {
        self.latest = self.latest.max(now);
        let clock = self.parts(self.latest);
        let arrival = self.arrival.max(clock);
        let tolerance = self.interval().saturating_mul(u128::from(self.burst) + 1);
        let increment = self.interval().saturating_mul(u128::from(quantity));
        let next = arrival.saturating_add(increment);
        let early = next.saturating_sub(clock).saturating_sub(tolerance);
        let limited = early > 0;
        if !limited {
            self.arrival = next;
        }
        let ahead = if limited { arrival } else { next } - clock;
        let never = || if ahead > 0 { u64::MAX } else { 0 };
        Checked {
            limited,
            limit: self.burst.saturating_add(1),
            remaining: saturate(tolerance.saturating_sub(ahead) / self.interval()),
            reset_after: ceil_div(ahead, self.tick()).unwrap_or_else(never),
            retry_after: (limited && increment <= tolerance)
                .then(|| ceil_div(early, self.tick()))
                .flatten(),
        }
    }

    /// How many requests ahead of the clock the next one would be, 0 to `burst + 1`.
    pub fn level(&self, now: u64) -> f64 {
        let clock = self.parts(self.latest.max(now));
        self.arrival.saturating_sub(clock) as f64 / self.interval() as f64
    }

    /// Changes rate and burst. What has passed counts on.
    pub fn set_rate(&mut self, now: u64, rate: Rate, burst: u64) {
        self.latest = self.latest.max(now);
        let ahead = self.arrival.saturating_sub(self.parts(self.latest));
        let scaled = (ahead * u128::from(rate.period())).div_ceil(self.interval());
        self.rate = rate;
        self.burst = burst;
        self.arrival = self.parts(self.latest) + scaled;
    }

    /// Parts in a tick.
    fn tick(&self) -> u128 {
        u128::from(self.rate.permits())
    }

    /// Parts in an emission interval.
    fn interval(&self) -> u128 {
        u128::from(self.rate.period())
    }

    fn parts(&self, ticks: u64) -> u128 {
        u128::from(ticks) * self.tick()
    }
}

impl Limiter for Gcra {
    fn ask(&mut self, now: u64, cost: u64) -> Verdict {
        let Checked {
            limited,
            retry_after,
            ..
        } = self.check(now, cost);
        if limited {
            Verdict::Refused { retry_after }
        } else {
            Verdict::Allowed
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_that_does_not_divide_its_period_is_kept_exactly() {
        let mut gcra = Gcra::new(Rate::new(3, 10), 0);
        let passed: Vec<u64> = (0..30).filter(|&now| gcra.ask(now, 1).passes()).collect();
        assert_eq!(passed, [0, 4, 8, 12, 16, 20, 24, 28]);
        let mut saved = Gcra::new(Rate::new(3, 10), 2);
        let passed = (0..30).filter(|&now| saved.ask(now, 1).passes()).count();
        assert_eq!(passed, 2 + 9);
    }

    #[test]
    fn knobs_keep_what_has_passed() {
        let mut gcra = Gcra::new(Rate::new(1, 10), 3);
        assert!(gcra.ask(5, 4).passes());
        gcra.set_rate(5, Rate::new(2, 30), 3);
        assert_eq!(gcra.level(5), 4.0);
        assert_eq!(gcra.check(5, 1).retry_after, Some(15));
        assert!(!gcra.ask(19, 1).passes());
        assert!(gcra.ask(20, 1).passes());
    }

    #[test]
    fn extremes_are_answered() {
        let mut none = Gcra::new(Rate::new(0, 10), 1);
        assert!(none.ask(0, 2).passes());
        let refused = none.check(u64::MAX, 1);
        assert_eq!((refused.limited, refused.retry_after), (true, None));
        assert_eq!(refused.reset_after, u64::MAX);
        let mut huge = Gcra::new(Rate::new(u64::MAX, u64::MAX), u64::MAX);
        assert!(huge.ask(u64::MAX, u64::MAX).passes());
        assert_eq!(huge.check(0, 0).limit, u64::MAX);
    }
}
