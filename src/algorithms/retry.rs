//! Retries: how long to wait before trying again, how often, and a budget that stops a retry storm.
//!
//! The jitter variants are those of Brooker, "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015), and
//! the randomised interval of resilience4j; the budget is a token bucket as in Finagle and gRPC.

use rand::{Rng, RngExt};

/// How the wait is chosen below the exponential ceiling.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Jitter {
    /// None: everybody who failed together comes back together.
    None,
    /// Anything from nothing to the ceiling.
    Full,
    /// Half the ceiling, and anything up to the other half.
    Equal,
    /// Anything from the base to three times the previous wait, capped.
    Decorrelated,
    /// The exponential, more or less this share of it (in 0..=1), and then capped: far beyond the cap nothing varies.
    Randomized(f64),
}

/// Exponential backoff: waits that grow from failure to failure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Backoff {
    /// The wait at exponent 0. A base of 0 always retries at once.
    pub base_us: u64,
    /// No ceiling is above this.
    pub cap_us: u64,
    /// Growth per failure; 1 is constant. Below 1 or not a number counts as 1.
    pub multiplier: f64,
    /// What chance does to it.
    pub jitter: Jitter,
}

impl Backoff {
    /// Retries at once.
    pub const IMMEDIATE: Backoff = Backoff {
        base_us: 0,
        cap_us: 0,
        multiplier: 1.0,
        jitter: Jitter::None,
    };

    // region: wait
    /// The exponential itself: `min(cap, base · multiplier^exponent)`.
    ///
    /// The AWS simulator uses the number of failures so far as the exponent (so it begins at `2 · base`),
    /// resilience4j one less.
    pub fn ceiling_us(&self, exponent: u32) -> u64 {
        self.exponential_us(exponent).min(self.cap_us)
    }

    fn exponential_us(&self, exponent: u32) -> u64 {
        let multiplier = if self.multiplier >= 1.0 {
            self.multiplier
        } else {
            1.0
        };
        let ceiling = self.base_us as f64 * libm::pow(multiplier, f64::from(exponent));
        // 0 · ∞ is not a number; the cast makes it 0, which is right for a base of 0.
        libm::round(ceiling) as u64
    }

    /// Draws a wait. `previous_us` is the wait before (the base, for the first), which [`Jitter::Decorrelated`] needs.
    pub fn wait_us(&self, exponent: u32, previous_us: u64, rng: &mut impl Rng) -> u64 {
        let ceiling_us = self.ceiling_us(exponent);
        match self.jitter {
            Jitter::None => ceiling_us,
            Jitter::Full => rng.random_range(0..=ceiling_us),
            Jitter::Equal => rng.random_range(ceiling_us / 2..=ceiling_us),
            Jitter::Decorrelated => {
                let high_us = previous_us.saturating_mul(3).max(self.base_us);
                rng.random_range(self.base_us..=high_us).min(self.cap_us)
            }
            Jitter::Randomized(share) => {
                let middle_us = self.exponential_us(exponent);
                let spread_us = (middle_us as f64 * share.clamp(0.0, 1.0)) as u64;
                let least_us = middle_us.saturating_sub(spread_us);
                let drawn_us = rng.random_range(least_us..=middle_us.saturating_add(spread_us));
                drawn_us.min(self.cap_us)
            }
        }
    }
    // endregion
}

/// The retries of one request: counts the failures and remembers the last wait.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Retries {
    backoff: Backoff,
    attempts_max: u32,
    failures: u32,
    previous_us: u64,
}

impl Retries {
    /// For a request tried at most `attempts_max` times in all, the first included.
    pub fn new(backoff: Backoff, attempts_max: u32) -> Self {
        Self {
            backoff,
            attempts_max,
            failures: 0,
            previous_us: backoff.base_us,
        }
    }

    /// Notes a failure and says how long to wait before the next attempt, or `None` if there is none left.
    ///
    /// The first failure waits `base · multiplier`, as in the AWS simulator.
    pub fn wait_us(&mut self, rng: &mut impl Rng) -> Option<u64> {
        self.failures = self.failures.saturating_add(1);
        if self.failures >= self.attempts_max {
            return None;
        }
        self.previous_us = self.backoff.wait_us(self.failures, self.previous_us, rng);
        Some(self.previous_us)
    }

    /// Failures so far.
    pub fn failures(&self) -> u32 {
        self.failures
    }
}

/// A retry budget: requests earn a fraction of a retry each, a retry spends a whole one.
///
/// While most requests succeed there is always enough; when everything fails, retries are held to that fraction of
/// the load, however many attempts each request would be allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    balance_milli: u64,
    capacity_milli: u64,
    per_request_milli: u64,
    per_second_milli: u64,
    earned_until_us: u64,
    /// What time has earned below a thousandth of a retry, in millionths of that.
    remainder: u64,
}

impl Budget {
    /// A full budget for up to `capacity` retries at once, that earns `retry_ratio` of a retry with each request
    /// (to a thousandth; negative or not a number counts as 0) and `retries_per_s` with each second.
    pub fn new(capacity: u32, retry_ratio: f64, retries_per_s: u32, now_us: u64) -> Self {
        let capacity_milli = u64::from(capacity) * MILLI;
        Self {
            balance_milli: capacity_milli,
            capacity_milli,
            per_request_milli: libm::round(retry_ratio.clamp(0.0, 1e6) * MILLI as f64) as u64,
            per_second_milli: u64::from(retries_per_s) * MILLI,
            earned_until_us: now_us,
            remainder: 0,
        }
    }

    // region: budget
    /// Notes a first attempt.
    pub fn on_request(&mut self, now_us: u64) {
        self.earn(now_us);
        self.balance_milli = (self.balance_milli + self.per_request_milli).min(self.capacity_milli);
    }

    /// Spends one retry, or refuses it.
    pub fn try_retry(&mut self, now_us: u64) -> bool {
        self.earn(now_us);
        let is_enough = self.balance_milli >= MILLI;
        if is_enough {
            self.balance_milli -= MILLI;
        }
        is_enough
    }
    // endregion

    /// What is left, in retries, as of the latest call.
    pub fn balance(&self) -> f64 {
        self.balance_milli as f64 / MILLI as f64
    }

    /// The most it can hold, in retries.
    pub fn capacity(&self) -> u64 {
        self.capacity_milli / MILLI
    }

    fn earn(&mut self, now_us: u64) {
        let elapsed_us = now_us.saturating_sub(self.earned_until_us);
        self.earned_until_us += elapsed_us;
        // The remainder is kept, so that small steps lose nothing to rounding.
        let earned =
            u128::from(elapsed_us) * u128::from(self.per_second_milli) + u128::from(self.remainder);
        self.remainder = (earned % SECOND_US) as u64;
        let balance = u128::from(self.balance_milli) + earned / SECOND_US;
        self.balance_milli = balance.min(u128::from(self.capacity_milli)) as u64;
    }
}

const MILLI: u64 = 1_000;
const SECOND_US: u128 = 1_000_000;

/// Calls that reach the bottom of `layers` hops, each of which retries every failure, when everything fails.
///
/// Saturates at `u64::MAX`.
pub fn amplification(layers: u32, retries_per_layer: u32) -> u64 {
    (u64::from(retries_per_layer) + 1).saturating_pow(layers)
}

/// Mean attempts of a request that fails with probability `failure` each time and is tried `attempts_max` times.
pub fn attempts_mean(failure: f64, attempts_max: u32) -> f64 {
    let mut reached = 1.0;
    let mut mean = 0.0;
    for _ in 0..attempts_max {
        mean += reached;
        reached *= failure;
    }
    mean
}

/// Probability that one of `attempts_max` attempts succeeds.
pub fn success_probability(failure: f64, attempts_max: u32) -> f64 {
    1.0 - libm::pow(failure, f64::from(attempts_max))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_pcg::Pcg32;

    fn backoff(jitter: Jitter) -> Backoff {
        Backoff {
            base_us: 5_000,
            cap_us: 2_000_000,
            multiplier: 2.0,
            jitter,
        }
    }

    #[test]
    fn waits_stay_within_their_variant() {
        let mut rng = Pcg32::seed_from_u64(6);
        for failures in 0..40 {
            let ceiling = backoff(Jitter::None).ceiling_us(failures);
            for _ in 0..50 {
                let mut wait = |jitter| backoff(jitter).wait_us(failures, 7_000, &mut rng);
                assert_eq!(wait(Jitter::None), ceiling);
                assert!(wait(Jitter::Full) <= ceiling);
                assert!((ceiling / 2..=ceiling).contains(&wait(Jitter::Equal)));
                assert!((5_000..=21_000).contains(&wait(Jitter::Decorrelated)));
                let (low, high) = (ceiling as f64 * 0.5, ceiling as f64 * 1.5);
                assert!((low..=high).contains(&(wait(Jitter::Randomized(0.5)) as f64)));
            }
        }
    }

    /// resilience4j's `generatesCappedExponentialRandomIntervals`.
    #[test]
    fn a_randomized_wait_is_capped_after_it_was_drawn() {
        let backoff = Backoff {
            base_us: 100_000,
            cap_us: 1_000_000,
            multiplier: 2.0,
            jitter: Jitter::Randomized(0.5),
        };
        let mut rng = Pcg32::seed_from_u64(4);
        let mut waits = |exponent| -> Vec<u64> {
            let wait = |_| backoff.wait_us(exponent, 0, &mut rng);
            (0..200).map(wait).collect()
        };
        // Around 800 ms: some are below the cap, some would be above it.
        let near = waits(3);
        assert!(near.iter().all(|wait| (400_000..=1_000_000).contains(wait)));
        assert!(near.contains(&1_000_000) && near.iter().any(|wait| *wait < 800_000));
        assert!(waits(6).iter().all(|wait| *wait == 1_000_000));
    }

    #[test]
    fn nonsense_never_panics() {
        let mut rng = Pcg32::seed_from_u64(6);
        for multiplier in [f64::NAN, -1.0, 0.0, f64::INFINITY, 1e300] {
            for base_us in [0, 1, u64::MAX] {
                for cap_us in [0, 10, u64::MAX] {
                    for share in [f64::NAN, -1.0, 9.0] {
                        for jitter in [
                            Jitter::Full,
                            Jitter::Equal,
                            Jitter::Decorrelated,
                            Jitter::Randomized(share),
                        ] {
                            let backoff = Backoff {
                                base_us,
                                cap_us,
                                multiplier,
                                jitter,
                            };
                            backoff.wait_us(u32::MAX, u64::MAX, &mut rng);
                            backoff.wait_us(0, 0, &mut rng);
                        }
                    }
                }
            }
        }
        assert_eq!(Backoff::IMMEDIATE.wait_us(9, 0, &mut rng), 0);
        assert_eq!(amplification(u32::MAX, 9), u64::MAX);
    }

    #[test]
    fn a_request_is_tried_as_often_as_allowed() {
        let mut rng = Pcg32::seed_from_u64(6);
        let mut retries = Retries::new(backoff(Jitter::None), 4);
        let waits: Vec<u64> = std::iter::from_fn(|| retries.wait_us(&mut rng)).collect();
        assert_eq!(waits, [10_000, 20_000, 40_000]);
        assert_eq!(Retries::new(Backoff::IMMEDIATE, 1).wait_us(&mut rng), None);
        assert_eq!(Retries::new(Backoff::IMMEDIATE, 0).wait_us(&mut rng), None);
    }

    #[test]
    fn when_everything_fails_the_budget_holds_retries_to_its_share() {
        let mut budget = Budget::new(10, 0.2, 0, 0);
        let retried = (0..1_000)
            .filter(|_| {
                budget.on_request(0);
                budget.try_retry(0)
            })
            .count();
        // The full bucket at the start, then one retry for every five requests.
        assert!((209..=210).contains(&retried), "{retried}");
    }

    #[test]
    fn time_earns_the_same_in_small_steps_as_in_large() {
        for step_us in [1, 7, 333, 1_000, 999_999, 9_000_000] {
            let mut budget = Budget::new(1_000, 0.0, 3, 0);
            while budget.try_retry(0) {}
            let mut now_us = 0;
            while now_us < 3_000_000 {
                now_us = (now_us + step_us).min(3_000_000);
                budget.on_request(now_us);
            }
            assert!(
                (budget.balance() - 9.0).abs() < 0.01,
                "{step_us}: {}",
                budget.balance()
            );
        }
    }
}
