//! One type for every rate limiter, for who chooses among them while running.

use crate::fixed_window::FixedWindow;
use crate::gcra::Gcra;
use crate::leaky_bucket::LeakyBucket;
use crate::limit_req::LimitReq;
use crate::limiter::{Limiter, Verdict};
use crate::reservation_bucket::ReservationBucket;
use crate::sliding_log::SlidingLog;
use crate::sliding_window_counter::SlidingWindowCounter;
use crate::smooth_limiter::SmoothLimiter;
use crate::token_bucket::TokenBucket;

/// A limiter of any kind. Let all ticks be microseconds: that is the unit of those that fix one.
#[derive(Clone, Debug, PartialEq)]
pub enum AnyLimiter {
    /// See [`FixedWindow`].
    FixedWindow(FixedWindow),
    /// See [`SlidingLog`].
    SlidingLog(SlidingLog),
    /// See [`SlidingWindowCounter`].
    SlidingWindowCounter(SlidingWindowCounter),
    /// See [`TokenBucket`].
    TokenBucket(TokenBucket),
    /// See [`ReservationBucket`].
    ReservationBucket(ReservationBucket),
    /// See [`LeakyBucket`].
    LeakyBucket(LeakyBucket),
    /// See [`LimitReq`].
    LimitReq(LimitReq),
    /// See [`Gcra`].
    Gcra(Gcra),
    /// See [`SmoothLimiter`].
    Smooth(SmoothLimiter),
}

impl AnyLimiter {
    fn inner(&mut self) -> &mut dyn Limiter {
        match self {
            AnyLimiter::FixedWindow(limiter) => limiter,
            AnyLimiter::SlidingLog(limiter) => limiter,
            AnyLimiter::SlidingWindowCounter(limiter) => limiter,
            AnyLimiter::TokenBucket(limiter) => limiter,
            AnyLimiter::ReservationBucket(limiter) => limiter,
            AnyLimiter::LeakyBucket(limiter) => limiter,
            AnyLimiter::LimitReq(limiter) => limiter,
            AnyLimiter::Gcra(limiter) => limiter,
            AnyLimiter::Smooth(limiter) => limiter,
        }
    }
}

impl Limiter for AnyLimiter {
    fn ask(&mut self, now_us: u64, cost: u64) -> Verdict {
        self.inner().ask(now_us, cost)
    }

    fn memory_bytes(&self) -> usize {
        match self {
            AnyLimiter::SlidingLog(limiter) => limiter.memory_bytes(),
            AnyLimiter::LimitReq(limiter) => limiter.memory_bytes(),
            _ => crate::limiter::STATE_BYTES,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::leaky_bucket::Excess;
    use crate::limiter::Rate;
    use crate::token_bucket::Bandwidth;
    use rand::{Rng, RngExt, SeedableRng};
    use rand_pcg::Pcg32;
    use std::collections::VecDeque;

    const WINDOW: u64 = 1_000;

    fn all(permits: u64, burst: u64) -> Vec<(AnyLimiter, u64)> {
        let rate = Rate::new(permits, WINDOW);
        let leaky = |excess| AnyLimiter::LeakyBucket(LeakyBucket::new(rate, burst - 1, excess));
        let bucket = TokenBucket::new(0, &[Bandwidth::greedy(burst, rate)]);
        let gcra = Gcra::new(rate, burst - 1);
        let counter = SlidingWindowCounter::new(rate);
        vec![
            (AnyLimiter::FixedWindow(FixedWindow::new(rate)), 2 * permits),
            (
                AnyLimiter::SlidingLog(SlidingLog::new(rate, false)),
                permits,
            ),
            (AnyLimiter::SlidingWindowCounter(counter), 2 * permits),
            (AnyLimiter::TokenBucket(bucket), burst + permits),
            (leaky(Excess::Waits), permits),
            (leaky(Excess::Passes), burst + permits),
            (AnyLimiter::Gcra(gcra), burst + permits),
        ]
    }

    /// Bursts and pauses, many of them on or beside a tick.
    fn arrivals(rng: &mut impl Rng) -> Vec<u64> {
        let mut at = 0;
        let mut times = Vec::new();
        for _ in 0..120 {
            at += match rng.random_range(0..4) {
                0 => 0,
                1 => rng.random_range(0..90),
                2 => WINDOW - at % WINDOW,
                _ => rng.random_range(0..2 * WINDOW),
            };
            times.extend(std::iter::repeat_n(at, rng.random_range(1..9)));
        }
        times
    }

    #[test]
    fn no_window_holds_more_than_each_limiter_promises() {
        let mut rng = Pcg32::seed_from_u64(5);
        for round in 0..40 {
            let (permits, burst) = (1 + round % 7, 1 + round % 5);
            let times = arrivals(&mut rng);
            for (mut limiter, bound) in all(permits, burst) {
                let mut releases: Vec<u64> = Vec::new();
                for &now in &times {
                    match limiter.ask(now, 1) {
                        Verdict::Allowed => releases.push(now),
                        Verdict::Delayed(by) => releases.push(now + by),
                        Verdict::Refused { .. } => {}
                    }
                }
                releases.sort_unstable();
                let mut window = VecDeque::new();
                for at in releases {
                    window.push_back(at);
                    while at - window[0] >= WINDOW {
                        window.pop_front();
                    }
                    assert!(window.len() as u64 <= bound, "{limiter:?} at {at}");
                }
            }
        }
    }

    #[test]
    fn a_meter_a_token_bucket_and_gcra_are_one_rule() {
        let mut rng = Pcg32::seed_from_u64(6);
        for round in 0..40 {
            let (permits, burst) = (1 + round % 11, 1 + round % 6);
            let mut limiters = all(permits, burst).split_off(5);
            let bucket =
                TokenBucket::new(0, &[Bandwidth::greedy(burst, Rate::new(permits, WINDOW))]);
            limiters.push((AnyLimiter::TokenBucket(bucket), 0));
            for now in arrivals(&mut rng) {
                let cost = rng.random_range(1..3);
                let mut verdicts = limiters.iter_mut().map(|(l, _)| l.ask(now, cost));
                let first = verdicts.next().unwrap();
                assert!(verdicts.all(|verdict| verdict == first));
            }
        }
    }

    #[test]
    fn retry_after_is_exact() {
        let mut rng = Pcg32::seed_from_u64(7);
        for round in 0..20 {
            for (mut limiter, _) in all(1 + round % 7, 1 + round % 5) {
                for now in arrivals(&mut rng) {
                    let before = limiter.clone();
                    if let Verdict::Refused { retry_after } = limiter.ask(now, 1) {
                        let at = now + retry_after.unwrap();
                        assert!(before.clone().ask(at, 1).passes(), "{before:?} at {at}");
                        assert!(
                            !before.clone().ask(at - 1, 1).passes(),
                            "{before:?} at {at}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn under_a_steady_flood_each_passes_its_rate_and_at_most_its_burst_more() {
        for (mut limiter, bound) in all(5, 5) {
            let passed = (0..100 * WINDOW)
                .step_by(7)
                .filter(|&now| limiter.ask(now, 1).passes())
                .count() as u64;
            assert!(
                (495..=500 + bound).contains(&passed),
                "{limiter:?}: {passed}"
            );
        }
    }
}
