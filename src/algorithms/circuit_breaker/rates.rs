//! A circuit breaker on failure and slow-call rates over a sliding window, with the semantics of resilience4j.
//!
//! Once enough calls are in the window, a rate at or above its threshold opens the breaker. Half-open lets a fixed
//! number of probes through and judges them by the same thresholds. Unlike [`super::counting`] it does not know
//! which state a call began in: a late result counts in the state it arrives in.

pub use super::State;
use std::collections::VecDeque;

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It succeeded.
    Success,
    /// It failed.
    Failure,
}

/// Sums over the calls of a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// Calls recorded.
    pub calls: u64,
    /// Calls that failed, slow or not.
    pub failed: u64,
    /// Calls that were slow, failed or not.
    pub slow: u64,
    /// Calls that were both.
    pub slow_failed: u64,
    /// Their durations added up.
    pub duration_us: u64,
}

impl Sums {
    /// Calls that succeeded, slow or not.
    pub fn successful(&self) -> u64 {
        self.calls - self.failed
    }

    /// Share of failed calls in per cent, 0 for no calls.
    pub fn failure_percent(&self) -> f64 {
        self.per_call(100 * self.failed)
    }

    /// Share of slow calls in per cent, 0 for no calls.
    pub fn slow_percent(&self) -> f64 {
        self.per_call(100 * self.slow)
    }

    /// Mean duration, 0 for no calls.
    pub fn duration_us_mean(&self) -> f64 {
        self.per_call(self.duration_us)
    }

    fn per_call(&self, sum: u64) -> f64 {
        if self.calls == 0 {
            0.0
        } else {
            sum as f64 / self.calls as f64
        }
    }

    fn of_one(outcome: Outcome, is_slow: bool, duration_us: u64) -> Self {
        let failed = u64::from(outcome == Outcome::Failure);
        let slow = u64::from(is_slow);
        Self {
            calls: 1,
            failed,
            slow,
            slow_failed: failed * slow,
            duration_us,
        }
    }

    fn add(&mut self, other: &Sums) {
        self.calls += other.calls;
        self.failed += other.failed;
        self.slow += other.slow;
        self.slow_failed += other.slow_failed;
        self.duration_us = self.duration_us.saturating_add(other.duration_us);
    }

    fn subtract(&mut self, other: &Sums) {
        self.calls -= other.calls;
        self.failed -= other.failed;
        self.slow -= other.slow;
        self.slow_failed -= other.slow_failed;
        self.duration_us = self.duration_us.saturating_sub(other.duration_us);
    }
}

/// What a sliding window spans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// The last so many calls; 0 counts as 1.
    Calls(u32),
    /// The current whole second and those before it, so many in all; 0 counts as 1.
    Seconds(u32),
}

/// A sliding window of outcomes that keeps its sums as parts enter and leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    span: Span,
    total: Sums,
    /// Single calls, or one-second buckets with the second each began; the oldest first.
    parts: VecDeque<(u64, Sums)>,
}

impl Window {
    /// An empty window.
    pub fn new(span: Span) -> Self {
        Self {
            span,
            total: Sums::default(),
            parts: VecDeque::new(),
        }
    }

    /// Records one call that ended at `now_us` and returns the sums with it.
    pub fn record(
        &mut self,
        outcome: Outcome,
        is_slow: bool,
        duration_us: u64,
        now_us: u64,
    ) -> Sums {
        let call = Sums::of_one(outcome, is_slow, duration_us);
        let second = now_us / SECOND_US;
        self.advance(now_us);
        match (self.span, self.parts.back_mut()) {
            (Span::Seconds(_), Some((newest, bucket))) if *newest == second => bucket.add(&call),
            _ => self.parts.push_back((second, call)),
        }
        self.total.add(&call);
        if let Span::Calls(size) = self.span {
            while self.parts.len() > size.max(1) as usize {
                self.drop_oldest();
            }
        }
        self.total
    }

    /// The sums at `now_us`.
    pub fn sums(&mut self, now_us: u64) -> Sums {
        self.advance(now_us);
        self.total
    }

    /// The calls, or the seconds in which there were any, the oldest first, as of the latest call.
    pub fn parts(&self) -> impl Iterator<Item = &Sums> {
        self.parts.iter().map(|(_, sums)| sums)
    }

    /// What the window spans.
    pub fn span(&self) -> Span {
        self.span
    }

    fn advance(&mut self, now_us: u64) {
        let Span::Seconds(size) = self.span else {
            return;
        };
        let now = now_us / SECOND_US;
        while self
            .parts
            .front()
            .is_some_and(|(second, _)| now.saturating_sub(*second) >= u64::from(size.max(1)))
        {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        if let Some((_, oldest)) = self.parts.pop_front() {
            self.total.subtract(&oldest);
        }
    }
}

const SECOND_US: u64 = 1_000_000;
const MILLISECOND_US: u64 = 1_000;

/// How a breaker behaves. [`Settings::default`] is resilience4j's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Opens at this share of failures, in per cent, and above.
    pub failure_percent_min: f64,
    /// Opens at this share of slow calls, in per cent, and above.
    pub slow_percent_min: f64,
    /// A call that takes longer than this is slow.
    pub slow_after_us: u64,
    /// What is looked at while closed.
    pub window: Span,
    /// No rate is computed over fewer calls; cut to what a window of calls can hold; 0 counts as 1.
    pub calls_min: u32,
    /// Probes let through while half-open; 0 counts as 1.
    pub half_open_calls: u32,
    /// How long it stays open the first time; it ends *after* this moment for a caller, *at* it automatically.
    pub open_us: u64,
    /// Each reopening without having closed lasts this many times longer (1 for the same; less counts as 1).
    pub open_multiplier: f64,
    /// Goes half-open when the time is up rather than with the next call.
    pub half_open_automatic: bool,
    /// Longest stay in half-open before it opens again; below a millisecond it waits for the probes for ever.
    pub half_open_us_max: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            failure_percent_min: 50.0,
            slow_percent_min: 100.0,
            slow_after_us: 60 * SECOND_US,
            window: Span::Calls(100),
            calls_min: 100,
            half_open_calls: 10,
            open_us: 60 * SECOND_US,
            open_multiplier: 1.0,
            half_open_automatic: false,
            half_open_us_max: 0,
        }
    }
}

/// A standing order that overrides the three states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Override {
    /// Lets everything through and records nothing.
    Disabled,
    /// Lets everything through and records it, but never opens.
    MetricsOnly,
    /// Refuses everything.
    ForcedOpen,
}

/// A transition that the state machine does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IllegalTransition {
    /// The state it was in.
    pub from: State,
    /// The state it was asked to enter.
    pub to: State,
}

/// Rates of the current state, as an observer sees them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Metrics {
    /// Share of failures in per cent; `None` below the minimum number of calls.
    pub failure_percent: Option<f64>,
    /// Share of slow calls in per cent; `None` below the minimum number of calls.
    pub slow_percent: Option<f64>,
    /// The sums behind the rates.
    pub sums: Sums,
    /// Calls refused since the window began.
    pub not_permitted: u64,
}

/// The breaker; a clone is an independent breaker in the same state.
#[derive(Clone, Debug, PartialEq)]
pub struct Breaker {
    settings: Settings,
    state: State,
    standing_order: Option<Override>,
    window: Window,
    not_permitted: u64,
    /// Probes that may still start while half-open.
    permits: u32,
    /// Times it has opened without closing in between.
    openings: u32,
    /// When it last changed state.
    since_us: u64,
    /// How long this opening lasts.
    open_us: u64,
}

impl Breaker {
    /// A closed breaker with an empty window.
    pub fn new(settings: Settings, now_us: u64) -> Self {
        Self {
            settings,
            state: State::Closed,
            standing_order: None,
            window: Window::new(settings.window),
            not_permitted: 0,
            permits: 0,
            openings: 0,
            since_us: now_us,
            open_us: 0,
        }
    }

    // region: acquire
    /// Asks to let one call through. Give every permission back by [`Breaker::record`] or [`Breaker::release`].
    pub fn try_acquire(&mut self, now_us: u64) -> bool {
        self.apply_timers(now_us);
        let is_permitted = match (self.standing_order, self.state) {
            (Some(order), _) => order != Override::ForcedOpen,
            (None, State::Closed) => true,
            (None, State::Open) => {
                now_us > self.since_us.saturating_add(self.open_us) && {
                    self.enter(State::HalfOpen, now_us);
                    self.take_permit()
                }
            }
            (None, State::HalfOpen) => self.take_permit(),
        };
        self.not_permitted += u64::from(!is_permitted);
        is_permitted
    }
    // endregion

    /// Gives a permission back unused, or used by a call whose outcome is to be ignored.
    pub fn release(&mut self, now_us: u64) {
        self.apply_timers(now_us);
        if self.standing_order.is_none() && self.state == State::HalfOpen {
            self.permits += 1;
        }
    }

    // region: record
    /// Records how a call ended at `now_us`, after `duration_us`.
    pub fn record(&mut self, outcome: Outcome, duration_us: u64, now_us: u64) {
        self.apply_timers(now_us);
        if matches!(
            self.standing_order,
            Some(Override::Disabled | Override::ForcedOpen)
        ) {
            return;
        }
        let is_slow = duration_us > self.settings.slow_after_us;
        let sums = self.window.record(outcome, is_slow, duration_us, now_us);
        // Open, it still records the calls that were under way when it opened.
        if self.standing_order.is_some()
            || self.state == State::Open
            || sums.calls < self.calls_min()
        {
            return;
        }
        let is_exceeded = sums.failure_percent() >= self.settings.failure_percent_min
            || sums.slow_percent() >= self.settings.slow_percent_min;
        if is_exceeded {
            self.enter(State::Open, now_us);
        } else if self.state == State::HalfOpen {
            self.enter(State::Closed, now_us);
        }
    }
    // endregion

    /// The state at `now_us`. Without automatic transition, open lasts until somebody calls.
    pub fn state(&mut self, now_us: u64) -> State {
        self.apply_timers(now_us);
        self.state
    }

    /// Moves to `to` by hand.
    ///
    /// # Errors
    ///
    /// Half-open can be entered from open alone (or from itself, which starts it anew).
    pub fn transition(&mut self, to: State, now_us: u64) -> Result<(), IllegalTransition> {
        self.apply_timers(now_us);
        if to == State::HalfOpen && (self.state == State::Closed || self.standing_order.is_some()) {
            return Err(IllegalTransition {
                from: self.state,
                to,
            });
        }
        self.enter(to, now_us);
        Ok(())
    }

    /// Puts a standing order in force with an empty window, or lifts it and closes the breaker.
    pub fn set_override(&mut self, order: Option<Override>, now_us: u64) {
        self.enter(State::Closed, now_us);
        self.standing_order = order;
    }

    /// Closes it and forgets everything.
    pub fn reset(&mut self, now_us: u64) {
        self.enter(State::Closed, now_us);
    }

    /// The standing order in force, if any.
    pub fn standing_order(&self) -> Option<Override> {
        self.standing_order
    }

    /// Rates and sums at `now_us`.
    pub fn metrics(&mut self, now_us: u64) -> Metrics {
        self.apply_timers(now_us);
        let sums = self.window.sums(now_us);
        let is_enough = sums.calls >= self.calls_min();
        Metrics {
            failure_percent: is_enough.then(|| sums.failure_percent()),
            slow_percent: is_enough.then(|| sums.slow_percent()),
            sums,
            not_permitted: self.not_permitted,
        }
    }

    /// The window behind the rates.
    pub fn window(&self) -> &Window {
        &self.window
    }

    /// Probes that may still start; 0 unless half-open.
    pub fn permits(&self) -> u32 {
        if self.state == State::HalfOpen {
            self.permits
        } else {
            0
        }
    }

    /// When the next change of state comes by itself, so that a simulation can wake then; `None` is never.
    pub fn timer_us(&self) -> Option<u64> {
        match self.state {
            _ if self.standing_order.is_some() => None,
            State::Open if self.settings.half_open_automatic => {
                Some(self.since_us.saturating_add(self.open_us))
            }
            State::HalfOpen if self.settings.half_open_us_max >= MILLISECOND_US => {
                Some(self.since_us.saturating_add(self.settings.half_open_us_max))
            }
            _ => None,
        }
    }

    /// From after when on a call would be let through as a probe; `None` unless open.
    pub fn open_until_us(&self) -> Option<u64> {
        (self.state == State::Open).then(|| self.since_us.saturating_add(self.open_us))
    }

    /// The settings in force.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Lets timers that ran out act at the moment they ran out, one after the other.
    fn apply_timers(&mut self, now_us: u64) {
        while let Some(due_us) = self.timer_us()
            && due_us <= now_us
        {
            let next = if self.state == State::Open {
                State::HalfOpen
            } else {
                State::Open
            };
            self.enter(next, due_us);
        }
    }

    fn take_permit(&mut self) -> bool {
        let is_left = self.permits > 0;
        self.permits = self.permits.saturating_sub(1);
        is_left
    }

    fn calls_min(&self) -> u64 {
        let window = match self.window.span() {
            Span::Calls(size) => size.max(1),
            Span::Seconds(_) => u32::MAX,
        };
        u64::from(self.settings.calls_min.clamp(1, window))
    }

    fn enter(&mut self, state: State, now_us: u64) {
        self.state = state;
        self.since_us = now_us;
        self.standing_order = None;
        match state {
            // Open keeps the window that opened it, for all to see why.
            State::Open => {
                let longer = libm::pow(
                    self.settings.open_multiplier.max(1.0),
                    f64::from(self.openings),
                );
                self.open_us = (self.settings.open_us as f64 * longer) as u64;
                self.openings = self.openings.saturating_add(1);
            }
            State::HalfOpen => {
                self.permits = self.settings.half_open_calls.max(1);
                self.window = Window::new(Span::Calls(self.permits));
                self.not_permitted = 0;
            }
            State::Closed => {
                self.openings = 0;
                self.window = Window::new(self.settings.window);
                self.not_permitted = 0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg32;

    const MS: u64 = 1_000;

    fn settings() -> Settings {
        Settings {
            slow_percent_min: 50.0,
            slow_after_us: 4 * SECOND_US,
            window: Span::Seconds(5),
            calls_min: 5,
            half_open_calls: 4,
            open_us: 5 * SECOND_US,
            ..Settings::default()
        }
    }

    #[test]
    fn it_opens_on_failures_once_there_are_enough_calls() {
        let mut breaker = Breaker::new(settings(), 0);
        for outcome in [
            Outcome::Failure,
            Outcome::Failure,
            Outcome::Failure,
            Outcome::Success,
        ] {
            assert!(breaker.try_acquire(0));
            breaker.record(outcome, 0, 0);
            assert_eq!(
                (breaker.state(0), breaker.metrics(0).failure_percent),
                (State::Closed, None)
            );
        }
        breaker.record(Outcome::Success, 0, 0);
        assert_eq!(
            (breaker.state(0), breaker.metrics(0).failure_percent),
            (State::Open, Some(60.0))
        );
        assert!(!breaker.try_acquire(0));
        assert_eq!(breaker.metrics(0).not_permitted, 1);
    }

    #[test]
    fn it_opens_on_slow_calls_that_succeed() {
        let mut breaker = Breaker::new(settings(), 0);
        for duration_us in [5_000, 5_000, 100, 100, 5_000].map(|ms| ms * MS) {
            breaker.record(Outcome::Success, duration_us, 0);
        }
        assert_eq!(
            (breaker.state(0), breaker.metrics(0).slow_percent),
            (State::Open, Some(60.0))
        );
        assert_eq!(breaker.metrics(0).failure_percent, Some(0.0));
    }

    #[test]
    fn a_call_after_the_open_time_becomes_the_first_probe() {
        let mut breaker = Breaker::new(settings(), 0);
        assert_eq!(breaker.transition(State::Open, 0), Ok(()));
        assert!(!breaker.try_acquire(5 * SECOND_US));
        assert_eq!(
            breaker.state(6 * SECOND_US),
            State::Open,
            "nobody has called yet"
        );
        assert!(breaker.try_acquire(6 * SECOND_US));
        assert_eq!(
            (breaker.state(6 * SECOND_US), breaker.permits()),
            (State::HalfOpen, 3)
        );
        assert_eq!(breaker.metrics(6 * SECOND_US).not_permitted, 0);
    }

    #[test]
    fn timers_act_at_their_own_moment() {
        let automatic = Settings {
            half_open_automatic: true,
            half_open_us_max: SECOND_US,
            ..settings()
        };
        let mut breaker = Breaker::new(automatic, 0);
        assert_eq!(breaker.transition(State::Open, 0), Ok(()));
        assert_eq!(breaker.timer_us(), Some(5 * SECOND_US));
        assert_eq!(breaker.state(5 * SECOND_US), State::HalfOpen);
        // Open again at 6 s, half-open at 11 s, open at 12 s.
        assert_eq!(breaker.state(12 * SECOND_US), State::Open);
        assert_eq!(breaker.timer_us(), Some(17 * SECOND_US));
        let mut restless = Breaker::new(
            Settings {
                open_us: 0,
                ..automatic
            },
            0,
        );
        assert_eq!(restless.transition(State::Open, 0), Ok(()));
        assert_eq!(restless.state(12 * SECOND_US), State::HalfOpen);
    }

    #[test]
    fn reopening_lasts_longer_until_it_has_closed() {
        let mut breaker = Breaker::new(
            Settings {
                open_multiplier: 2.0,
                ..settings()
            },
            0,
        );
        for expected_s in [5, 10, 20] {
            assert_eq!(breaker.transition(State::Open, 0), Ok(()));
            assert_eq!(breaker.open_until_us(), Some(expected_s * SECOND_US));
            assert_eq!(breaker.transition(State::HalfOpen, 0), Ok(()));
        }
        breaker.reset(0);
        assert_eq!(breaker.transition(State::Open, 0), Ok(()));
        assert_eq!(breaker.open_until_us(), Some(5 * SECOND_US));
    }

    #[test]
    fn standing_orders_override_everything() {
        let mut breaker = Breaker::new(settings(), 0);
        for (order, is_permitted, calls) in [
            (Override::Disabled, true, 0),
            (Override::ForcedOpen, false, 0),
            (Override::MetricsOnly, true, 9),
        ] {
            breaker.set_override(Some(order), 0);
            for _ in 0..9 {
                assert_eq!(breaker.try_acquire(0), is_permitted, "{order:?}");
                breaker.record(Outcome::Failure, 0, 0);
            }
            assert_eq!(breaker.metrics(0).sums.calls, calls, "{order:?}");
            assert!(breaker.transition(State::HalfOpen, 0).is_err());
        }
        breaker.set_override(None, 0);
        assert_eq!(
            breaker
                .transition(State::HalfOpen, 0)
                .map_err(|error| error.from),
            Err(State::Closed)
        );
    }

    #[test]
    fn the_sums_are_those_of_the_calls_inside() {
        let mut rng = Pcg32::seed_from_u64(8);
        for span in [
            Span::Calls(7),
            Span::Seconds(3),
            Span::Calls(0),
            Span::Seconds(0),
        ] {
            let mut window = Window::new(span);
            let mut all: Vec<(u64, u64)> = Vec::new();
            let mut now_us = 0;
            for _ in 0..1_000 {
                now_us += rng.random_range(0..SECOND_US);
                let outcome = if rng.random_bool(0.5) {
                    Outcome::Failure
                } else {
                    Outcome::Success
                };
                all.push((now_us / SECOND_US, u64::from(outcome == Outcome::Failure)));
                let sums = window.record(outcome, false, 1, now_us);
                let inside: Vec<u64> = match span {
                    Span::Calls(size) => all
                        .iter()
                        .rev()
                        .take(size.max(1) as usize)
                        .map(|call| call.1)
                        .collect(),
                    Span::Seconds(size) => {
                        let second = now_us / SECOND_US;
                        let is_inside =
                            |call: &&(u64, u64)| call.0 + u64::from(size.max(1)) > second;
                        all.iter().filter(is_inside).map(|call| call.1).collect()
                    }
                };
                assert_eq!(
                    (sums.calls, sums.failed),
                    (inside.len() as u64, inside.iter().sum()),
                    "{span:?}"
                );
                assert_eq!(sums.duration_us, sums.calls);
            }
        }
    }
}
