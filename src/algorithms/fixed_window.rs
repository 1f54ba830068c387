//! Fixed window: a count that starts anew at every tick of an aligned clock.
//!
//! Cheap, and it lets twice its limit through across a tick. Source: resilience4j's
//! `AtomicRateLimiter`, whose windows are `floor(now / period)` and whose callers may wait for
//! permits of windows to come, which leaves the present one in debt. With no waiting allowed it is
//! the counter that is so often kept in Redis with INCR and EXPIRE.

use crate::limiter::{Limiter, Rate, Verdict, saturate};

/// A window's permits, perhaps promised ahead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FixedWindow {
    rate: Rate,
    /// Which window the permits belong to, counted from time 0.
    window: u64,
    /// What is left of it; below 0 if permits of later windows are promised.
    permits: i128,
}

impl FixedWindow {
    /// A limiter whose first window is full.
    pub fn new(rate: Rate) -> FixedWindow {
        FixedWindow {
            rate,
            window: 0,
            permits: i128::from(rate.permits()),
        }
    }

    /// Permits left at this time; below 0 if some of later windows are promised already.
    pub fn available(&self, now: u64) -> i64 {
        let permits = self.permits_at(now);
        permits.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
    }

    /// How long until so many permits could be had, those of several windows together if need be;
    /// `None` if never.
    pub fn wait(&self, now: u64, permits: u64) -> Option<u64> {
        let missing = i128::from(permits) - self.permits_at(now);
        if missing <= 0 {
            return Some(0);
        }
        let (window, limit) = (self.window_at(now), self.rate.permits());
        let windows = u128::try_from(missing).ok()?;
        let windows = (limit > 0).then(|| windows.div_ceil(u128::from(limit)))?;
        let end = (u128::from(window) + windows).saturating_mul(u128::from(self.rate.period()));
        Some(saturate(end.saturating_sub(u128::from(now))))
    }

    /// Takes permits if the wait for them is no longer than `patience`, and promises them if it is
    /// not 0. The retry-after of a refusal is that wait.
    // region: fixed
    pub fn acquire(&mut self, now: u64, permits: u64, patience: u64) -> Verdict {
        let wait = self.wait(now, permits);
        self.refresh(now);
        match wait {
            Some(wait) if wait <= patience => {
                self.permits -= i128::from(permits);
                if wait == 0 {
                    Verdict::Allowed
                } else {
                    Verdict::Delayed(wait)
                }
            }
            retry_after => Verdict::Refused { retry_after },
        }
    }
    // endregion

    /// Throws away what is left of the window, as many as were left when it was last looked at.
    pub fn drain(&mut self, now: u64) {
        let left = self.permits.max(0);
        self.refresh(now);
        if left <= self.permits {
            self.permits -= left;
        }
    }

    /// Sets how many permits a window has. What is left of the present one stays as it is.
    pub fn set_limit(&mut self, permits: u64) {
        self.rate = Rate::new(permits, self.rate.period());
    }

    /// Changes limit and window at once. What is left stays, but never more than the new limit.
    pub fn set_rate(&mut self, now: u64, rate: Rate) {
        self.refresh(now);
        self.rate = rate;
        self.window = now / rate.period();
        self.permits = self.permits.min(i128::from(rate.permits()));
    }

    /// A clock that runs back stays in the latest window it saw.
    fn window_at(&self, now: u64) -> u64 {
        (now / self.rate.period()).max(self.window)
    }

    fn permits_at(&self, now: u64) -> i128 {
        let limit = i128::from(self.rate.permits());
        match self.window_at(now) - self.window {
            0 => self.permits,
            passed => (self.permits + i128::from(passed) * limit).min(limit),
        }
    }

    fn refresh(&mut self, now: u64) {
        self.permits = self.permits_at(now);
        self.window = self.window_at(now);
    }
}

impl Limiter for FixedWindow {
    fn ask(&mut self, now: u64, cost: u64) -> Verdict {
        if cost > self.rate.permits() {
            return Verdict::Refused { retry_after: None };
        }
        self.acquire(now, cost, 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promise_is_paid_by_the_windows_to_come() {
        let mut limiter = FixedWindow::new(Rate::new(2, 10));
        assert_eq!(limiter.acquire(3, 5, 100), Verdict::Delayed(17));
        assert_eq!(limiter.available(3), -3);
        assert_eq!(limiter.available(19), -1);
        assert_eq!(limiter.available(20), 1);
        assert_eq!(
            limiter.acquire(19, 1, 0),
            Verdict::Refused {
                retry_after: Some(1)
            }
        );
        assert_eq!(limiter.acquire(20, 1, 0), Verdict::Allowed);
    }

    #[test]
    fn a_request_at_the_tick_belongs_to_the_new_window() {
        let mut limiter = FixedWindow::new(Rate::new(1, 10));
        assert_eq!(limiter.ask(9, 1), Verdict::Allowed);
        assert_eq!(limiter.ask(10, 1), Verdict::Allowed);
        assert!(!limiter.ask(5, 1).passes(), "the clock ran back");
    }

    #[test]
    fn knobs_keep_what_is_left() {
        let mut limiter = FixedWindow::new(Rate::new(5, 10));
        for _ in 0..5 {
            assert!(limiter.ask(0, 1).passes());
        }
        limiter.set_limit(10);
        assert_eq!(limiter.available(9), 0);
        assert_eq!(limiter.available(10), 10);
        limiter.set_rate(12, Rate::new(3, 7));
        assert_eq!(limiter.available(13), 3);
        let never = Verdict::Refused { retry_after: None };
        assert_eq!(FixedWindow::new(Rate::new(0, 0)).ask(1, 1), never);
        assert_eq!(limiter.ask(u64::MAX, 4), never);
        assert!(limiter.ask(u64::MAX, 3).passes());
        assert_eq!(
            limiter.ask(u64::MAX, 3),
            Verdict::Refused {
                retry_after: Some(7 - u64::MAX % 7)
            }
        );
    }
}
