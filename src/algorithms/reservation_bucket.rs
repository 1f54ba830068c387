//! A token bucket that takes reservations: tokens may be promised ahead, and a promise given back.
//!
//! Source: Go's `golang.org/x/time/rate`, down to its floating-point tokens and to its rule for a
//! clock that runs back (time goes on from the earlier moment, tokens stay). Times and durations are
//! nanoseconds in calls of its own, microseconds where it serves as a [`Limiter`].

use crate::limiter::{Limiter, Verdict};

/// The longest duration, which stands for "never".
pub const FOREVER_NS: u64 = i64::MAX as u64;

const NS_PER_US: u64 = 1_000;

/// The bucket: full at the start.
#[derive(Clone, Debug, PartialEq)]
pub struct ReservationBucket {
    rate_per_s: f64,
    burst: u64,
    tokens: f64,
    last_ns: u64,
    /// The latest moment at which a granted event acts.
    last_event_ns: u64,
}

/// A promise that `tokens` may be used from `act_ns` on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reservation {
    tokens: u64,
    act_ns: u64,
    /// The rate when it was made, which may change before it is given back; 0 if that was infinite.
    rate_per_s: f64,
}

impl Reservation {
    /// When the event may happen.
    pub fn act_ns(&self) -> u64 {
        self.act_ns
    }

    /// How long to wait for it from this moment.
    pub fn delay_ns(&self, now_ns: u64) -> u64 {
        self.act_ns.saturating_sub(now_ns)
    }
}

impl ReservationBucket {
    /// A bucket of `burst` tokens that grow at this rate. A rate of 0, below it or not a number grows
    /// none; an infinite one lets everything through whatever the burst.
    pub fn new(rate_per_s: f64, burst: u64) -> ReservationBucket {
        ReservationBucket {
            rate_per_s,
            burst,
            tokens: burst as f64,
            last_ns: 0,
            last_event_ns: 0,
        }
    }

    /// Tokens at this time; below 0 if some are promised ahead.
    pub fn tokens(&self, now_ns: u64) -> f64 {
        self.advanced(now_ns)
    }

    /// Takes the tokens now or not at all.
    pub fn allow(&mut self, now_ns: u64, tokens: u64) -> bool {
        self.reserve_within(now_ns, tokens, 0).is_some()
    }

    /// Promises the tokens, however long that takes. `None` for more than the burst.
    pub fn reserve(&mut self, now_ns: u64, tokens: u64) -> Option<Reservation> {
        self.reserve_within(now_ns, tokens, FOREVER_NS)
    }

    /// Promises the tokens if they come within `wait_max_ns`.
    pub fn reserve_within(
        &mut self,
        now_ns: u64,
        tokens: u64,
        wait_max_ns: u64,
    ) -> Option<Reservation> {
        let rate_per_s = self.rate_per_s;
        if rate_per_s == f64::INFINITY {
            return Some(Reservation {
                tokens,
                act_ns: now_ns,
                rate_per_s: 0.0,
            });
        }
        let left = self.advanced(now_ns) - tokens as f64;
        let wait_ns = if left < 0.0 {
            duration_ns(-left, rate_per_s)
        } else {
            0
        };
        if tokens > self.burst || wait_ns > wait_max_ns {
            return None;
        }
        let act_ns = now_ns.saturating_add(wait_ns);
        self.last_ns = now_ns;
        self.tokens = left;
        self.last_event_ns = act_ns;
        Some(Reservation {
            tokens,
            act_ns,
            rate_per_s,
        })
    }

    /// Gives a promise back, as far as no later one builds on it. Too late, it changes nothing.
    pub fn cancel(&mut self, now_ns: u64, reservation: Reservation) {
        let Reservation {
            tokens,
            act_ns,
            rate_per_s,
        } = reservation;
        if self.rate_per_s == f64::INFINITY || tokens == 0 || act_ns < now_ns {
            return;
        }
        // What was promised after it stays promised.
        let later_s = signed_s(self.last_event_ns, act_ns);
        let restored = tokens as f64 - grown(later_s, rate_per_s);
        if restored <= 0.0 {
            return;
        }
        self.tokens = (self.advanced(now_ns) + restored).min(self.burst as f64);
        self.last_ns = now_ns;
        if act_ns == self.last_event_ns {
            let before_ns = act_ns.saturating_sub(duration_ns(tokens as f64, rate_per_s));
            if before_ns >= now_ns {
                self.last_event_ns = before_ns;
            }
        }
    }

    /// Changes the rate from now on. Promises made before stand.
    pub fn set_rate(&mut self, now_ns: u64, rate_per_s: f64) {
        self.tokens = self.advanced(now_ns);
        self.last_ns = now_ns;
        self.rate_per_s = rate_per_s;
    }

    /// Changes the burst from now on. Tokens above it go at the next look.
    pub fn set_burst(&mut self, now_ns: u64, burst: u64) {
        self.tokens = self.advanced(now_ns);
        self.last_ns = now_ns;
        self.burst = burst;
    }

    fn advanced(&self, now_ns: u64) -> f64 {
        let elapsed_s = signed_s(now_ns, self.last_ns.min(now_ns));
        (self.tokens + grown(elapsed_s, self.rate_per_s)).min(self.burst as f64)
    }
}

fn signed_s(later_ns: u64, earlier_ns: u64) -> f64 {
    let ns = i128::from(later_ns) - i128::from(earlier_ns);
    // Whole seconds and the rest apart, so that neither loses digits.
    (ns / 1_000_000_000) as f64 + (ns % 1_000_000_000) as f64 / 1e9
}

fn grown(elapsed_s: f64, rate_per_s: f64) -> f64 {
    // Nothing grows in no time, even at an infinite rate, nor at a rate that is none.
    if elapsed_s == 0.0 || rate_per_s.is_nan() || rate_per_s <= 0.0 {
        0.0
    } else {
        elapsed_s * rate_per_s
    }
}

fn duration_ns(tokens: f64, rate_per_s: f64) -> u64 {
    if rate_per_s.is_nan() || rate_per_s <= 0.0 {
        return FOREVER_NS;
    }
    // The cast rounds down and saturates.
    ((tokens / rate_per_s * 1e9) as u64).min(FOREVER_NS)
}

impl Limiter for ReservationBucket {
    /// Times are microseconds.
    fn ask(&mut self, now_us: u64, cost: u64) -> Verdict {
        let now_ns = now_us.saturating_mul(NS_PER_US);
        if self.allow(now_ns, cost) {
            return Verdict::Allowed;
        }
        let wait_ns = self.clone().reserve(now_ns, cost);
        let wait_ns = wait_ns.map(|promise| promise.delay_ns(now_ns));
        Verdict::Refused {
            retry_after: wait_ns
                .filter(|&wait_ns| wait_ns < FOREVER_NS)
                .map(|wait_ns| wait_ns.div_ceil(NS_PER_US)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    #[test]
    fn a_cancelled_promise_makes_room_but_not_for_what_came_after() {
        let mut bucket = ReservationBucket::new(10.0, 2);
        bucket.reserve(0, 2).unwrap();
        let first = bucket.reserve(0, 1).unwrap();
        assert_eq!(first.act_ns(), 100 * MS);
        let second = bucket.reserve(0, 1).unwrap();
        assert_eq!(second.act_ns(), 200 * MS);
        bucket.cancel(0, first);
        assert_eq!(bucket.tokens(0), -2.0, "the second builds on the first");
        bucket.cancel(0, second);
        assert_eq!(bucket.tokens(0), -1.0);
    }

    #[test]
    fn rates_that_are_none_or_without_end_are_answered() {
        let mut endless = ReservationBucket::new(f64::INFINITY, 0);
        assert!(endless.allow(0, u64::MAX));
        let promise = endless.reserve(5, 7).unwrap();
        endless.set_rate(5, 1.0);
        endless.cancel(5, promise);
        assert!(!endless.allow(5, 1), "the burst is 0");
        for rate in [0.0, -1.0, f64::NAN] {
            let mut bucket = ReservationBucket::new(rate, 1);
            assert!(bucket.allow(0, 1));
            assert_eq!(bucket.ask(1, 1), Verdict::Refused { retry_after: None });
            assert!(!bucket.allow(u64::MAX, 1));
        }
    }

    #[test]
    fn retry_after_holds_what_it_says() {
        let mut bucket = ReservationBucket::new(3.0, 2);
        assert!(bucket.allow(0, 2));
        let Verdict::Refused { retry_after } = bucket.ask(10_000, 1) else {
            panic!("empty")
        };
        assert_eq!(retry_after, Some(323_334));
        assert!(bucket.ask(10_000 + 323_334, 1).passes());
        assert_eq!(bucket.ask(0, 3), Verdict::Refused { retry_after: None });
    }
}
