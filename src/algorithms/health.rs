//! Health checks: how many failures it takes to believe that a server is down, or successes that it is up again.

/// What a probe's result changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transition {
    /// The server is back: send it requests.
    Up,
    /// The server is out: send it none.
    Down,
}

/// One server's standing, counted as HAProxy's `fall` and `rise` count: `fall` failed probes in a row
/// take it down, `rise` good ones in a row bring it back, and one result to the contrary starts the
/// count again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HealthCheck {
    fall: u32,
    rise: u32,
    up: bool,
    streak: u32,
}

impl HealthCheck {
    /// A server that is up, with no probe against it. Thresholds below 1 count as 1.
    pub fn new(fall: u32, rise: u32) -> HealthCheck {
        HealthCheck {
            fall: fall.max(1),
            rise: rise.max(1),
            up: true,
            streak: 0,
        }
    }

    /// Takes in one probe's result and says whether it changed the server's standing.
    pub fn observe(&mut self, passed: bool) -> Option<Transition> {
        if passed == self.up {
            self.streak = 0;
            return None;
        }
        self.streak = self.streak.saturating_add(1);
        if self.streak < self.threshold() {
            return None;
        }
        self.up = passed;
        self.streak = 0;
        Some(if passed {
            Transition::Up
        } else {
            Transition::Down
        })
    }

    /// Changes the thresholds without forgetting the streak; below 1 counts as 1.
    pub fn set_thresholds(&mut self, fall: u32, rise: u32) {
        self.fall = fall.max(1);
        self.rise = rise.max(1);
    }

    /// Whether the server is believed to be up.
    pub fn is_up(&self) -> bool {
        self.up
    }

    /// Results in a row that speak against the present standing.
    pub fn streak(&self) -> u32 {
        self.streak
    }

    /// The streak at which the present standing changes: `fall` while up, `rise` while down.
    pub fn threshold(&self) -> u32 {
        if self.up { self.fall } else { self.rise }
    }
}

/// Judging a server by the requests it is sent anyway, as nginx does with `max_fails` and
/// `fail_timeout`: after `max_fails` failures, none further apart than the time-out, it gets no
/// requests for the time-out; then one request tries it, and a success clears its record.
///
/// Times are in milliseconds and never go backwards (nginx counts whole seconds).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PassiveCheck {
    max_fails: u32,
    fail_timeout_ms: u64,
    fails: u32,
    failed_at_ms: u64,
    checked_at_ms: u64,
}

impl PassiveCheck {
    /// A server without failures. `max_fails` of 0 never takes it out.
    pub fn new(max_fails: u32, fail_timeout_ms: u64) -> PassiveCheck {
        PassiveCheck {
            max_fails,
            fail_timeout_ms,
            fails: 0,
            failed_at_ms: 0,
            checked_at_ms: 0,
        }
    }

    /// Whether the server may be picked now.
    pub fn is_available(&self, now_ms: u64) -> bool {
        self.max_fails == 0 || self.fails < self.max_fails || self.is_check_due(now_ms)
    }

    /// Notes that the server was picked. The first pick after the time-out is the trial: until it has
    /// an answer, a server that was out is out for others.
    pub fn picked(&mut self, now_ms: u64) {
        if self.is_check_due(now_ms) {
            self.checked_at_ms = now_ms;
        }
    }

    /// Notes that a request to the server succeeded.
    pub fn succeeded(&mut self) {
        if self.failed_at_ms < self.checked_at_ms {
            self.fails = 0;
        }
    }

    /// Notes that a request to the server failed.
    pub fn failed(&mut self, now_ms: u64) {
        self.fails = self.fails.saturating_add(1);
        self.failed_at_ms = now_ms;
        self.checked_at_ms = now_ms;
    }

    /// Failures on record.
    pub fn fails(&self) -> u32 {
        self.fails
    }

    fn is_check_due(&self, now_ms: u64) -> bool {
        now_ms.saturating_sub(self.checked_at_ms) > self.fail_timeout_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observe(check: &mut HealthCheck, results: &str) -> Vec<Option<Transition>> {
        results.chars().map(|c| check.observe(c == '+')).collect()
    }

    #[test]
    fn only_results_in_a_row_count() {
        let mut check = HealthCheck::new(3, 2);
        assert_eq!(observe(&mut check, "--+--+"), [None; 6]);
        assert_eq!(
            observe(&mut check, "---"),
            [None, None, Some(Transition::Down)]
        );
        assert!(!check.is_up());
        assert_eq!(observe(&mut check, "-+-+"), [None; 4]);
        assert_eq!(check.streak(), 1);
        assert_eq!(observe(&mut check, "+"), [Some(Transition::Up)]);
        assert!(check.is_up());
    }

    #[test]
    fn thresholds_of_zero_act_at_once() {
        let mut check = HealthCheck::new(0, 0);
        assert_eq!(check.observe(false), Some(Transition::Down));
        assert_eq!(check.observe(true), Some(Transition::Up));
    }

    #[test]
    fn a_lowered_threshold_acts_on_the_next_result() {
        let mut check = HealthCheck::new(10, 1);
        observe(&mut check, "-----");
        check.set_thresholds(2, 1);
        assert_eq!(check.observe(false), Some(Transition::Down));
    }

    #[test]
    fn a_passive_check_lets_one_trial_through_after_the_time_out() {
        let mut check = PassiveCheck::new(2, 10_000);
        check.failed(1_000);
        assert!(check.is_available(1_000));
        check.failed(2_000);
        assert!(!check.is_available(12_000));
        assert!(check.is_available(12_001));
        check.picked(12_001);
        assert!(!check.is_available(12_001));
        check.succeeded();
        assert!(check.is_available(12_001));
        assert_eq!(check.fails(), 0);
    }

    #[test]
    fn a_success_between_failures_does_not_clear_them() {
        let mut check = PassiveCheck::new(2, 10_000);
        check.failed(1_000);
        check.picked(1_500);
        check.succeeded();
        check.failed(2_000);
        assert!(!check.is_available(2_000));
        assert!(PassiveCheck::new(0, 0).is_available(0));
    }
}
