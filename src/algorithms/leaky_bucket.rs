//! Leaky bucket: every request is water, the hole lets out a steady rate, and what overflows is refused.
//!
//! Two uses share the name. As a *queue* the water waits for its turn, so requests leave at a steady
//! pace. As a *meter* (Turner 1986) it only measures: then it is the token bucket of capacity
//! `burst + 1` seen from the other side, decision by decision. Exact in any unit of time; nginx's
//! `limit_req`, with its rounding, is [`crate::limit_req`].

use crate::limiter::{Limiter, Rate, Verdict, ceil_div};

/// What becomes of a request that fits, but before which there is water.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Excess {
    /// It waits until that has run out (nginx: the default).
    Waits,
    /// It goes at once (nginx: `nodelay`).
    Passes,
    /// So many go at once, the rest wait for the remainder (nginx: `delay=`).
    WaitsBeyond(u64),
}

/// The water of one client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeakyBucket {
    rate: Rate,
    burst: u64,
    excess: Excess,
    /// Water in parts: a request is a period's worth of them, a tick lets out the rate's permits.
    water: u128,
    latest: u64,
}

impl LeakyBucket {
    /// A dry bucket that leaks `rate` and holds `burst` requests beside the one that is served.
    pub fn new(rate: Rate, burst: u64, excess: Excess) -> LeakyBucket {
        LeakyBucket {
            rate,
            burst,
            excess,
            water: 0,
            latest: 0,
        }
    }

    /// Requests' worth of water at this time, 0 to `burst + 1`.
    pub fn level(&self, now: u64) -> f64 {
        self.water_at(now) as f64 / self.rate.period() as f64
    }

    /// Changes rate and burst. The water stays, even above the new rim: then it must leak first.
    pub fn set_rate(&mut self, now: u64, rate: Rate, burst: u64) {
        self.leak(now);
        let scaled = self.water * u128::from(rate.period());
        self.water = scaled.div_ceil(u128::from(self.rate.period()));
        self.rate = rate;
        self.burst = burst;
    }

    /// Changes what becomes of excess from now on.
    pub fn set_excess(&mut self, excess: Excess) {
        self.excess = excess;
    }

    fn parts(&self, requests: u128) -> u128 {
        requests.saturating_mul(u128::from(self.rate.period()))
    }

    fn water_at(&self, now: u64) -> u128 {
        let elapsed = u128::from(now.saturating_sub(self.latest));
        self.water
            .saturating_sub(elapsed * u128::from(self.rate.permits()))
    }

    fn leak(&mut self, now: u64) {
        self.water = self.water_at(now);
        self.latest = self.latest.max(now);
    }
}

impl Limiter for LeakyBucket {
    // region: leaky
    fn ask(&mut self, now: u64, cost: u64) -> Verdict {
        self.leak(now);
        let rim = self.parts(u128::from(self.burst) + 1);
        let before = self.water;
        let after = before + self.parts(u128::from(cost));
        let leak = u128::from(self.rate.permits());
        if after > rim {
            let fits = u128::from(cost) <= u128::from(self.burst) + 1;
            return Verdict::Refused {
                retry_after: fits.then(|| ceil_div(after - rim, leak)).flatten(),
            };
        }
        let free = match self.excess {
            Excess::Waits => 0,
            Excess::WaitsBeyond(requests) => self.parts(u128::from(requests)),
            Excess::Passes => u128::MAX,
        };
        match ceil_div(before.saturating_sub(free), leak) {
            Some(0) => {}
            None if before <= free => {}
            // What never leaks can wait for ever: nobody would be served.
            None => return Verdict::Refused { retry_after: None },
            Some(delay) => {
                self.water = after;
                return Verdict::Delayed(delay);
            }
        }
        self.water = after;
        Verdict::Allowed
    }
    // endregion
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_queue_lets_one_go_each_period() {
        let mut bucket = LeakyBucket::new(Rate::new(5, 1_000), 4, Excess::Waits);
        let verdicts: Vec<_> = (0..6).map(|_| bucket.ask(0, 1)).collect();
        let late = |by| Verdict::Delayed(by);
        assert_eq!(verdicts[..3], [Verdict::Allowed, late(200), late(400)]);
        assert_eq!(
            verdicts[5],
            Verdict::Refused {
                retry_after: Some(200)
            }
        );
        assert!(!bucket.ask(199, 1).passes());
        assert_eq!(bucket.ask(200, 1), late(800));
        assert_eq!(bucket.ask(200, 6), Verdict::Refused { retry_after: None });
    }

    #[test]
    fn knobs_keep_the_water() {
        let mut bucket = LeakyBucket::new(Rate::new(1, 10), 3, Excess::Passes);
        assert!(bucket.ask(0, 4).passes());
        bucket.set_rate(0, Rate::new(1, 20), 1);
        assert_eq!(bucket.level(0), 4.0);
        assert_eq!(
            bucket.ask(0, 1),
            Verdict::Refused {
                retry_after: Some(60)
            }
        );
        assert!(bucket.ask(60, 1).passes());
    }

    #[test]
    fn what_never_leaks_serves_no_one_after_the_first() {
        let none = Rate::new(0, 10);
        let mut queue = LeakyBucket::new(none, 3, Excess::Waits);
        assert_eq!(queue.ask(0, 1), Verdict::Allowed);
        assert_eq!(
            queue.ask(u64::MAX, 1),
            Verdict::Refused { retry_after: None }
        );
        let mut meter = LeakyBucket::new(none, 3, Excess::Passes);
        let passed = (0..9).filter(|&now| meter.ask(now, 1).passes()).count();
        assert_eq!(passed, 4);
        let mut sea = LeakyBucket::new(Rate::new(1, u64::MAX), u64::MAX, Excess::WaitsBeyond(1));
        assert_eq!(sea.ask(0, u64::MAX), Verdict::Allowed);
        assert_eq!(sea.ask(u64::MAX, 1), Verdict::Delayed(u64::MAX));
    }
}
