//! Token bucket: unused permits are saved up to a capacity, and a request takes its tokens or nothing.
//!
//! Whole tokens, with the part of a token that has grown so far kept as an exact remainder; several
//! limits may hold at once, the scarcest decides. Source: Bucket4j, whose refill is greedy (a token as
//! soon as it has grown) or by intervals (a whole batch at the end of each period), the intervals
//! perhaps aligned to a given moment. In any window of length `W` a greedy bucket lets through at most
//! its capacity plus what grows in `W`.

use crate::limiter::{Limiter, Rate, Verdict, saturate};

/// How tokens come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refill {
    /// Each token as soon as it has grown.
    Greedy,
    /// The whole batch at the end of each period, counted from when the bucket was made.
    Intervally,
    /// The same, with the first batch at a given moment.
    IntervallyAligned {
        /// When the first batch comes.
        first: u64,
        /// Whether a bucket made before that moment starts with a share of the first batch instead of
        /// its initial tokens, so that the first, shorter interval has no more than its part.
        adaptive: bool,
    },
}

/// One limit of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bandwidth {
    /// Most tokens it holds.
    pub capacity: u64,
    /// Tokens and time of a refill.
    pub rate: Rate,
    /// How they come.
    pub refill: Refill,
    /// Tokens at the start. Above the capacity they can be used, but none come until they are.
    pub initial: u64,
}

impl Bandwidth {
    /// A greedy limit that starts full.
    pub fn greedy(capacity: u64, rate: Rate) -> Bandwidth {
        Bandwidth {
            capacity,
            rate,
            refill: Refill::Greedy,
            initial: capacity,
        }
    }
}

/// What one limit holds.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Level {
    limit: Bandwidth,
    tokens: i128,
    /// What has grown of the next token, in parts of `1 / period`.
    grown: u128,
    refilled_at: i128,
}

/// A bucket with one limit or several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenBucket {
    levels: Vec<Level>,
}

impl TokenBucket {
    /// A bucket of these limits, made now. Without any limit everything passes.
    pub fn new(now: u64, limits: &[Bandwidth]) -> TokenBucket {
        TokenBucket {
            levels: limits.iter().map(|&limit| Level::new(now, limit)).collect(),
        }
    }

    /// Whole tokens that a request could take now: those of the scarcest limit.
    pub fn available(&mut self, now: u64) -> i64 {
        self.refill(now);
        let tokens = self.levels.iter().map(|level| level.tokens).min();
        let tokens = tokens.unwrap_or(i128::from(i64::MAX));
        tokens.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
    }

    /// How full the first limit is, parts of a token included, for drawing; 0 to its capacity.
    pub fn level(&mut self, now: u64) -> f64 {
        self.refill(now);
        self.levels.first().map_or(0.0, |level| {
            level.tokens as f64 + level.grown as f64 / level.limit.rate.period() as f64
        })
    }

    /// What has grown of the first limit's next token, in parts of 1 ÷ its period.
    pub fn remainder(&mut self, now: u64) -> u64 {
        self.refill(now);
        self.levels.first().map_or(0, |level| saturate(level.grown))
    }

    /// Takes the tokens, or none if one limit has too few. Returns whether it did.
    // region: token
    pub fn consume(&mut self, now: u64, tokens: u64) -> bool {
        self.refill(now);
        let wanted = i128::from(tokens);
        let enough = self.levels.iter().all(|level| level.tokens >= wanted);
        if enough {
            self.consume_anyway(now, tokens);
        }
        enough
    }
    // endregion

    /// Takes the tokens even if that leaves a debt.
    pub fn consume_anyway(&mut self, now: u64, tokens: u64) {
        self.refill(now);
        for level in &mut self.levels {
            level.tokens -= i128::from(tokens);
        }
    }

    /// How long until so many tokens are there, rounded down to a whole tick as Bucket4j does; `None`
    /// if they never come. Capacities are not asked, so the answer may be for more than fits: see
    /// [`TokenBucket::fits`].
    pub fn wait(&mut self, now: u64, tokens: u64) -> Option<u64> {
        self.refill(now);
        self.longest(|level| level.wait(now, tokens, false))
    }

    /// Whether so many tokens can ever be there at once.
    pub fn fits(&self, tokens: u64) -> bool {
        self.levels
            .iter()
            .all(|level| tokens <= level.limit.capacity)
    }

    /// How long until every limit is full; `None` if never.
    pub fn wait_full(&mut self, now: u64) -> Option<u64> {
        self.refill(now);
        self.longest(|level| level.wait(now, level.limit.capacity, false))
    }

    /// Puts tokens in, up to the capacities.
    pub fn add(&mut self, now: u64, tokens: u64) {
        self.refill(now);
        for level in &mut self.levels {
            level.grow(i128::from(tokens), level.grown);
        }
    }

    /// Puts tokens in even beyond the capacities.
    pub fn force_add(&mut self, now: u64, tokens: u64) {
        self.refill(now);
        for level in &mut self.levels {
            level.tokens += i128::from(tokens);
        }
    }

    /// Fills every limit.
    pub fn reset(&mut self, now: u64) {
        self.refill(now);
        for level in &mut self.levels {
            level.fill();
        }
    }

    /// Changes the first limit's capacity and rate. Tokens stay, but never more than the capacity; so
    /// does the part of a token that has grown.
    pub fn set_rate(&mut self, now: u64, capacity: u64, rate: Rate) {
        self.refill(now);
        let Some(level) = self.levels.first_mut() else {
            return;
        };
        let old_period = u128::from(level.limit.rate.period());
        level.grown = level.grown * u128::from(rate.period()) / old_period;
        level.limit.capacity = capacity;
        level.limit.rate = rate;
        level.grow(0, level.grown);
    }

    fn refill(&mut self, now: u64) {
        for level in &mut self.levels {
            level.refill(now);
        }
    }

    fn longest(&self, wait: impl Fn(&Level) -> Option<u64>) -> Option<u64> {
        self.levels
            .iter()
            .try_fold(0, |longest, level| Some(wait(level)?.max(longest)))
    }
}

impl Level {
    fn new(now: u64, limit: Bandwidth) -> Level {
        let (now, period) = (i128::from(now), i128::from(limit.rate.period()));
        let (mut tokens, mut refilled_at) = (i128::from(limit.initial), now);
        if let Refill::IntervallyAligned { first, adaptive } = limit.refill {
            let first = i128::from(first);
            refilled_at = first - period;
            if adaptive && now < first {
                let capacity = i128::from(limit.capacity);
                let batch = i128::from(limit.rate.permits());
                let share = (first - now) * batch / period;
                tokens = ((capacity - batch).max(0) + share).min(capacity);
            }
        }
        Level {
            limit,
            tokens,
            grown: 0,
            refilled_at,
        }
    }

    fn fill(&mut self) {
        self.tokens = i128::from(self.limit.capacity);
        self.grown = 0;
    }

    /// Adds tokens and sets what has grown of the next one; a full bucket grows nothing.
    fn grow(&mut self, tokens: i128, grown: u128) {
        self.tokens += tokens;
        self.grown = grown;
        if self.tokens >= i128::from(self.limit.capacity) {
            self.fill();
        }
    }

    fn refill(&mut self, now: u64) {
        let period = i128::from(self.limit.rate.period());
        let mut elapsed = i128::from(now) - self.refilled_at;
        if self.limit.refill != Refill::Greedy {
            elapsed -= elapsed.rem_euclid(period);
        }
        // A clock that runs back brings nothing and takes nothing.
        let Some(elapsed) = u128::try_from(elapsed).ok().filter(|&ticks| ticks > 0) else {
            return;
        };
        self.refilled_at += elapsed as i128;
        if self.tokens >= i128::from(self.limit.capacity) {
            return;
        }
        let grown = self.grown + elapsed * u128::from(self.limit.rate.permits());
        let period = u128::from(self.limit.rate.period());
        self.grow((grown / period) as i128, grown % period);
    }

    /// Rounded up it is the first moment at which the tokens are there.
    fn wait(&self, now: u64, tokens: u64, round_up: bool) -> Option<u64> {
        let missing = u128::try_from(i128::from(tokens) - self.tokens).unwrap_or(0);
        if missing == 0 {
            return Some(0);
        }
        let (batch, period) = (self.limit.rate.permits(), self.limit.rate.period());
        if batch == 0 {
            return None;
        }
        let (batch, period) = (u128::from(batch), u128::from(period));
        if self.limit.refill == Refill::Greedy {
            let parts = missing * period - self.grown;
            return Some(saturate(if round_up {
                parts.div_ceil(batch)
            } else {
                parts / batch
            }));
        }
        let at = self.refilled_at + (missing.div_ceil(batch) * period) as i128;
        Some(saturate(u128::try_from(at - i128::from(now)).unwrap_or(0)))
    }
}

impl Limiter for TokenBucket {
    fn ask(&mut self, now: u64, cost: u64) -> Verdict {
        if self.consume(now, cost) {
            return Verdict::Allowed;
        }
        let exact = || self.longest(|level| level.wait(now, cost, true));
        Verdict::Refused {
            retry_after: self.fits(cost).then(exact).flatten(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_third_of_a_token_is_never_lost() {
        let mut bucket = TokenBucket::new(0, &[Bandwidth::greedy(1, Rate::new(3, 10))]);
        assert!(bucket.consume(0, 1));
        let passed: Vec<u64> = (1..=30).filter(|&now| bucket.consume(now, 1)).collect();
        assert_eq!(
            passed.len(),
            7,
            "ten thirds of ten, less what a full bucket loses: {passed:?}"
        );
        let mut large = TokenBucket::new(0, &[Bandwidth::greedy(9, Rate::new(3, 10))]);
        large.consume(0, 9);
        for now in 1..=30 {
            large.available(now);
        }
        assert_eq!(large.available(30), 9);
    }

    #[test]
    fn retry_after_is_exact() {
        for style in [Refill::Greedy, Refill::Intervally] {
            for capacity in 1..4 {
                let limit = Bandwidth {
                    refill: style,
                    ..Bandwidth::greedy(capacity, Rate::new(2, 7))
                };
                let mut bucket = TokenBucket::new(0, &[limit]);
                for now in 0..40 {
                    let Verdict::Refused { retry_after } = bucket.clone().ask(now, 2) else {
                        assert!(bucket.consume(now, 2));
                        continue;
                    };
                    let passes = |at: &u64| bucket.clone().ask(*at, 2).passes();
                    let first = (now + 1..now + 30).find(passes);
                    assert_eq!(retry_after, first.map(|at| at - now));
                }
            }
        }
    }

    #[test]
    fn debts_overflow_and_zero_rates_are_answered() {
        let mut bucket = TokenBucket::new(0, &[Bandwidth::greedy(2, Rate::new(0, 5))]);
        assert!(bucket.consume(0, 2));
        assert_eq!(bucket.wait(9, 1), None);
        assert_eq!(
            bucket.ask(u64::MAX, 1),
            Verdict::Refused { retry_after: None }
        );
        let rate = Rate::new(u64::MAX, 1);
        let mut huge = TokenBucket::new(0, &[Bandwidth::greedy(u64::MAX, rate)]);
        huge.consume_anyway(0, u64::MAX);
        huge.consume_anyway(0, u64::MAX);
        assert_eq!(huge.available(0), i64::MIN);
        assert_eq!(huge.wait(0, u64::MAX), Some(2));
        huge.force_add(1, u64::MAX);
        assert_eq!(huge.available(u64::MAX), i64::MAX);
        assert!(TokenBucket::new(0, &[]).consume(0, u64::MAX));
    }

    #[test]
    fn a_clock_that_runs_back_brings_nothing() {
        let mut bucket = TokenBucket::new(100, &[Bandwidth::greedy(1, Rate::new(1, 10))]);
        assert!(bucket.consume(100, 1));
        assert!(!bucket.consume(0, 1));
        assert!(!bucket.consume(109, 1));
        assert!(bucket.consume(110, 1));
    }

    #[test]
    fn knobs_keep_the_level() {
        let mut bucket = TokenBucket::new(0, &[Bandwidth::greedy(5, Rate::new(1, 10))]);
        bucket.set_rate(0, 3, Rate::new(1, 10));
        assert_eq!(bucket.available(0), 3);
        bucket.consume(0, 3);
        assert_eq!(bucket.available(5), 0);
        bucket.set_rate(5, 3, Rate::new(1, 20));
        assert_eq!((bucket.available(14), bucket.available(15)), (0, 1));
    }
}
