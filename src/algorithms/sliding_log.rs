//! Sliding log: remembers when each request came, so no window of its length ever holds too many.
//!
//! The rule: a request at `t` passes if fewer than `N` are remembered in `(t − W, t]`; one exactly
//! `W` old has left. The log holds the requests that passed. In the variant of many copied recipes
//! refused ones are logged too, and a client that keeps asking never gets in again.

use crate::limiter::{Limiter, Rate, Verdict};
use std::collections::VecDeque;

/// Bytes that one remembered request takes.
pub const ENTRY_BYTES: usize = 8;

/// The times of remembered requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlidingLog {
    rate: Rate,
    logs_refused: bool,
    /// When, and how many at once: oldest first.
    entries: VecDeque<(u64, u64)>,
    /// Requests in all entries.
    logged: u128,
    latest: u64,
}

impl SlidingLog {
    /// An empty log that lets `rate.permits()` through in any window of `rate.period()` ticks.
    pub fn new(rate: Rate, logs_refused: bool) -> SlidingLog {
        SlidingLog {
            rate,
            logs_refused,
            entries: VecDeque::new(),
            logged: 0,
            latest: 0,
        }
    }

    /// How many requests are remembered at this time.
    pub fn count(&mut self, now: u64) -> u64 {
        self.forget(now);
        u64::try_from(self.logged).unwrap_or(u64::MAX)
    }

    /// The remembered times, oldest first, each with how many came then.
    pub fn entries(&self) -> impl Iterator<Item = (u64, u64)> {
        self.entries.iter().copied()
    }

    /// Changes limit and window. What the log has forgotten does not come back.
    pub fn set_rate(&mut self, now: u64, rate: Rate) {
        self.forget(now);
        self.rate = rate;
        self.forget(now);
    }

    /// Sets whether refused requests are logged from now on.
    pub fn set_logs_refused(&mut self, logs_refused: bool) {
        self.logs_refused = logs_refused;
    }

    fn forget(&mut self, now: u64) {
        // The clock never runs back here: an earlier time counts as the latest seen.
        self.latest = self.latest.max(now);
        while let Some(&(at, count)) = self.entries.front() {
            if self.latest - at < self.rate.period() {
                break;
            }
            self.logged -= u128::from(count);
            self.entries.pop_front();
        }
    }

    fn log(&mut self, count: u64) {
        self.logged += u128::from(count);
        match self.entries.back_mut() {
            Some((at, held)) if *at == self.latest => *held = held.saturating_add(count),
            _ if count > 0 => self.entries.push_back((self.latest, count)),
            _ => {}
        }
        // Of refused requests, more than the limit decide nothing: the newest alone fill the window.
        let limit = u128::from(self.rate.permits());
        while let Some(&(_, oldest)) = self.entries.front() {
            let rest = self.logged - u128::from(oldest);
            if self.entries.len() == 1 || rest < limit {
                break;
            }
            self.logged = rest;
            self.entries.pop_front();
        }
    }

    /// When enough has left for this cost, seen from `latest`.
    fn retry_after(&self, cost: u64) -> Option<u64> {
        let room = u128::from(self.rate.permits().checked_sub(cost)?);
        let mut logged = self.logged;
        for &(at, count) in &self.entries {
            logged -= u128::from(count);
            if logged <= room {
                return Some(at.saturating_add(self.rate.period()) - self.latest);
            }
        }
        None
    }
}

impl Limiter for SlidingLog {
    // region: log
    fn ask(&mut self, now: u64, cost: u64) -> Verdict {
        self.forget(now);
        if self.logged + u128::from(cost) <= u128::from(self.rate.permits()) {
            self.log(cost);
            return Verdict::Allowed;
        }
        if self.logs_refused {
            self.log(cost);
        }
        Verdict::Refused {
            retry_after: self.retry_after(cost),
        }
    }
    // endregion

    /// A log that is full takes [`ENTRY_BYTES`] for each request of its limit.
    fn memory_bytes(&self) -> usize {
        usize::try_from(self.logged)
            .unwrap_or(usize::MAX)
            .saturating_mul(ENTRY_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_exactly_a_window_old_has_left() {
        let mut log = SlidingLog::new(Rate::new(2, 10), false);
        assert!(log.ask(0, 1).passes() && log.ask(4, 1).passes());
        assert_eq!(
            log.ask(7, 1),
            Verdict::Refused {
                retry_after: Some(3)
            }
        );
        assert!(!log.ask(9, 1).passes());
        assert!(log.ask(10, 1).passes());
        assert_eq!(
            log.ask(10, 2),
            Verdict::Refused {
                retry_after: Some(10)
            }
        );
        assert_eq!(log.ask(10, 3), Verdict::Refused { retry_after: None });
        assert_eq!(log.memory_bytes(), 16);
    }

    #[test]
    fn who_hammers_a_log_of_refusals_stays_out() {
        let mut log = SlidingLog::new(Rate::new(3, 100), true);
        let passed = (0..1_000).filter(|&at| log.ask(at, 1).passes()).count();
        assert_eq!(passed, 3);
        assert!(log.entries.len() <= 3, "and takes no more memory");
        assert_eq!(
            log.ask(1_000, 1),
            Verdict::Refused {
                retry_after: Some(98)
            }
        );
        assert!(log.ask(1_098, 1).passes());
    }

    #[test]
    fn limits_of_zero_and_of_the_largest_number_hold() {
        let mut none = SlidingLog::new(Rate::new(0, 10), true);
        assert_eq!(none.ask(0, 1), Verdict::Refused { retry_after: None });
        let mut all = SlidingLog::new(Rate::new(u64::MAX, u64::MAX), true);
        assert!(all.ask(0, u64::MAX).passes());
        assert!(!all.ask(u64::MAX - 1, 1).passes());
    }
}
