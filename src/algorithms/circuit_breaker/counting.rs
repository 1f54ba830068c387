//! A circuit breaker that counts, with the semantics of sony/gobreaker v2.
//!
//! Closed: every failure asks the [`Trip`] rule. Open: refuses until the timeout has passed. Half-open: lets at
//! most `requests_max` probes through; that many successes in a row close it, the first failure opens it again.
//! Counts start anew with every change of state and every interval. Each such start is a *generation*, and the
//! result of a request that began in an earlier one is ignored.

pub use super::State;

/// When a closed breaker opens; asked after each counted failure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Trip {
    /// More than this many failures in a row. gobreaker's own rule is more than 5.
    ConsecutiveFailures {
        /// The most failures in a row that are still borne.
        more_than: u32,
    },
    /// A share of failures, once there were enough requests; excluded requests count in neither.
    FailureRatio {
        /// Fewer requests than this never trip it. Those still under way count.
        requests_min: u32,
        /// Trips at this share of failures and above, in 0..=1.
        ratio_min: f64,
    },
}

impl Trip {
    /// Whether these counts open the breaker.
    pub fn is_due(&self, counts: &Counts) -> bool {
        match *self {
            Trip::ConsecutiveFailures { more_than } => counts.consecutive_failures > more_than,
            Trip::FailureRatio {
                requests_min,
                ratio_min,
            } => {
                let requests = counts.requests.saturating_sub(counts.total_exclusions);
                requests > 0
                    && requests >= requests_min
                    && f64::from(counts.total_failures) / f64::from(requests) >= ratio_min
            }
        }
    }
}

/// How a breaker behaves. [`Settings::default`] is gobreaker's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Probes let through while half-open, and successes in a row that close it; 0 counts as 1.
    pub requests_max: u32,
    /// How often the counts start anew while closed; 0 is never.
    pub interval_us: u64,
    /// Width of a bucket of a rolling window. 0 clears all counts at once at every interval; otherwise the
    /// interval is rounded up to whole buckets and the oldest bucket leaves at a time.
    pub bucket_period_us: u64,
    /// How long it stays open; 0 counts as 60 s.
    pub timeout_us: u64,
    /// When it opens.
    pub trip: Trip,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            requests_max: 1,
            interval_us: 0,
            bucket_period_us: 0,
            timeout_us: TIMEOUT_US,
            trip: Trip::ConsecutiveFailures { more_than: 5 },
        }
    }
}

const TIMEOUT_US: u64 = 60_000_000;

/// Most buckets of a rolling window; a longer interval is cut to this many.
pub const BUCKETS_MAX: u64 = 10_000;

/// Requests and their outcomes since the counts last started anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests let through, those under way included.
    pub requests: u32,
    /// Requests that succeeded.
    pub total_successes: u32,
    /// Requests that failed.
    pub total_failures: u32,
    /// Requests whose outcome counts for nothing.
    pub total_exclusions: u32,
    /// Successes since the last failure.
    pub consecutive_successes: u32,
    /// Failures since the last success.
    pub consecutive_failures: u32,
}

impl Counts {
    fn add(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Success => {
                self.total_successes += 1;
                self.consecutive_successes += 1;
                self.consecutive_failures = 0;
            }
            Outcome::Failure => {
                self.total_failures += 1;
                self.consecutive_failures += 1;
                self.consecutive_successes = 0;
            }
            Outcome::Excluded => self.total_exclusions += 1,
        }
    }
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It succeeded.
    Success,
    /// It failed.
    Failure,
    /// It says nothing about the callee: the caller gave up, say.
    Excluded,
}

/// Why a request was not let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The breaker is open.
    Open,
    /// The breaker is half-open and enough probes are out.
    TooManyRequests,
}

/// Permission for one request, to be given back with its outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// The generation the request began in.
    pub generation: u64,
    /// The age of the window it began in, in buckets.
    pub age: u64,
}

/// The breaker; a clone is an independent breaker in the same state.
#[derive(Clone, Debug, PartialEq)]
pub struct Breaker {
    settings: Settings,
    state: State,
    generation: u64,
    counts: Counts,
    /// One bucket per period of a rolling window, a ring; a single one otherwise.
    buckets: Vec<Counts>,
    /// Periods since the generation began: where in the ring the newest bucket is.
    age: u64,
    generation_start_us: u64,
    /// When the interval or the open time is over; `None` is never.
    expiry_us: Option<u64>,
}

impl Breaker {
    /// A closed breaker. Nonsense in `settings` is read as [`Settings`] says.
    pub fn new(settings: Settings, now_us: u64) -> Self {
        let mut settings = settings;
        settings.requests_max = settings.requests_max.max(1);
        if settings.timeout_us == 0 {
            settings.timeout_us = TIMEOUT_US;
        }
        let buckets = if settings.interval_us == 0 || settings.bucket_period_us == 0 {
            1
        } else {
            settings
                .interval_us
                .div_ceil(settings.bucket_period_us)
                .min(BUCKETS_MAX)
        };
        let mut breaker = Self {
            settings,
            state: State::Closed,
            generation: 0,
            counts: Counts::default(),
            buckets: vec![Counts::default(); buckets as usize],
            age: 0,
            generation_start_us: now_us,
            expiry_us: None,
        };
        breaker.begin_generation(now_us);
        breaker
    }

    /// The state at `now_us`; a timeout or interval that has passed takes effect here.
    pub fn state(&mut self, now_us: u64) -> State {
        match self.state {
            State::Closed => {
                if self.is_expired(now_us) {
                    self.begin_generation(now_us);
                } else if self.buckets.len() > 1 {
                    self.roll_to(
                        now_us.saturating_sub(self.generation_start_us)
                            / self.settings.bucket_period_us,
                    );
                }
            }
            State::Open if self.is_expired(now_us) => self.enter(State::HalfOpen, now_us),
            State::Open | State::HalfOpen => {}
        }
        self.state
    }

    // region: allow
    /// Asks to let one request through.
    ///
    /// # Errors
    ///
    /// Refused while open, and while half-open once `requests_max` probes are out or done (excluded ones aside).
    pub fn allow(&mut self, now_us: u64) -> Result<Ticket, Refused> {
        match self.state(now_us) {
            State::Open => return Err(Refused::Open),
            State::HalfOpen
                if self
                    .counts
                    .requests
                    .saturating_sub(self.counts.total_exclusions)
                    >= self.settings.requests_max =>
            {
                return Err(Refused::TooManyRequests);
            }
            State::Closed | State::HalfOpen => {}
        }
        self.counts.requests += 1;
        let newest = self.bucket_index(self.age);
        self.buckets[newest].requests += 1;
        Ok(Ticket {
            generation: self.generation,
            age: self.age,
        })
    }
    // endregion

    // region: done
    /// Reports how a request ended. The result of an earlier generation is ignored.
    pub fn done(&mut self, ticket: Ticket, outcome: Outcome, now_us: u64) {
        let state = self.state(now_us);
        if ticket.generation != self.generation {
            return;
        }
        if state == State::HalfOpen && outcome == Outcome::Failure {
            self.enter(State::Open, now_us);
            return;
        }
        // A rolling window counts the result where its request began, unless that bucket has left.
        if self.age.saturating_sub(ticket.age) < self.buckets.len() as u64 && ticket.age <= self.age
        {
            self.counts.add(outcome);
            let began = self.bucket_index(ticket.age);
            self.buckets[began].add(outcome);
        }
        match (state, outcome) {
            (State::Closed, Outcome::Failure) if self.settings.trip.is_due(&self.counts) => {
                self.enter(State::Open, now_us);
            }
            (State::HalfOpen, Outcome::Success)
                if self.counts.consecutive_successes >= self.settings.requests_max =>
            {
                self.enter(State::Closed, now_us);
            }
            _ => {}
        }
    }
    // endregion

    /// The counts as of the latest call.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The buckets of the window, the oldest first; one alone if the window does not roll.
    pub fn buckets(&self) -> impl Iterator<Item = &Counts> {
        let oldest = self.bucket_index(self.age + 1);
        self.buckets[oldest..].iter().chain(&self.buckets[..oldest])
    }

    /// How many times the counts have started anew, the first included.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The last moment of the current interval or open time, if it has one; the change takes effect after it.
    pub fn expiry_us(&self) -> Option<u64> {
        self.expiry_us
    }

    /// The settings in force, with nonsense replaced.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    fn is_expired(&self, now_us: u64) -> bool {
        self.expiry_us.is_some_and(|expiry_us| expiry_us < now_us)
    }

    fn enter(&mut self, state: State, now_us: u64) {
        self.state = state;
        self.begin_generation(now_us);
    }

    fn begin_generation(&mut self, now_us: u64) {
        self.generation += 1;
        self.generation_start_us = now_us;
        self.clear_counts();
        self.age = 0;
        self.expiry_us = match self.state {
            State::Closed if self.settings.interval_us > 0 && self.buckets.len() == 1 => {
                // A bucket as wide as the interval, or wider, is the interval.
                Some(
                    now_us.saturating_add(
                        self.settings
                            .interval_us
                            .max(self.settings.bucket_period_us),
                    ),
                )
            }
            State::Closed | State::HalfOpen => None,
            State::Open => Some(now_us.saturating_add(self.settings.timeout_us)),
        };
    }

    fn clear_counts(&mut self) {
        self.counts = Counts::default();
        self.buckets.fill(Counts::default());
    }

    fn bucket_index(&self, age: u64) -> usize {
        (age % self.buckets.len() as u64) as usize
    }

    fn roll_to(&mut self, age: u64) {
        if age.saturating_sub(self.age) >= self.buckets.len() as u64 {
            self.clear_counts();
            self.age = age;
        }
        while self.age < age {
            self.age += 1;
            let leaving = self.bucket_index(self.age);
            self.drop_bucket(leaving);
        }
    }

    /// Takes a bucket out of the counts. A run of equal outcomes is shortened only if it reaches back into it.
    fn drop_bucket(&mut self, index: usize) {
        let bucket = std::mem::take(&mut self.buckets[index]);
        // The bucket is empty by now, so these sums are over all the younger ones.
        let successes: u32 = self
            .buckets
            .iter()
            .map(|bucket| bucket.total_successes)
            .sum();
        let failures: u32 = self
            .buckets
            .iter()
            .map(|bucket| bucket.total_failures)
            .sum();
        let counts = &mut self.counts;
        if counts.consecutive_successes == successes + bucket.consecutive_successes {
            counts.consecutive_successes -= bucket.consecutive_successes;
        }
        if counts.consecutive_failures == failures + bucket.consecutive_failures {
            counts.consecutive_failures -= bucket.consecutive_failures;
        }
        counts.requests = counts.requests.saturating_sub(bucket.requests);
        counts.total_successes = counts
            .total_successes
            .saturating_sub(bucket.total_successes);
        counts.total_failures = counts.total_failures.saturating_sub(bucket.total_failures);
        counts.total_exclusions = counts
            .total_exclusions
            .saturating_sub(bucket.total_exclusions);
        // Late results count in the bucket they began in, so a run may outlive its calls; no run is
        // longer than all.
        counts.consecutive_successes = counts.consecutive_successes.min(counts.total_successes);
        counts.consecutive_failures = counts.consecutive_failures.min(counts.total_failures);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg32;

    const S: u64 = 1_000_000;

    fn call(breaker: &mut Breaker, outcome: Outcome, now_us: u64) -> Result<(), Refused> {
        let ticket = breaker.allow(now_us)?;
        breaker.done(ticket, outcome, now_us);
        Ok(())
    }

    #[test]
    fn the_default_opens_at_the_sixth_failure_in_a_row_for_sixty_seconds() {
        let mut breaker = Breaker::new(Settings::default(), 0);
        for _ in 0..5 {
            assert_eq!(call(&mut breaker, Outcome::Failure, 0), Ok(()));
        }
        assert_eq!(breaker.state(0), State::Closed);
        assert_eq!(call(&mut breaker, Outcome::Failure, 0), Ok(()));
        assert_eq!(
            call(&mut breaker, Outcome::Success, 60 * S),
            Err(Refused::Open)
        );
        assert_eq!(breaker.state(60 * S + 1), State::HalfOpen);
        assert_eq!(call(&mut breaker, Outcome::Success, 60 * S + 1), Ok(()));
        assert_eq!(breaker.state(60 * S + 1), State::Closed);
    }

    #[test]
    fn zeros_mean_the_defaults() {
        let zero = Settings {
            requests_max: 0,
            timeout_us: 0,
            ..Settings::default()
        };
        assert_eq!(Breaker::new(zero, 0).settings(), &Settings::default());
        let mut breaker = Breaker::new(
            Settings {
                trip: Trip::FailureRatio {
                    requests_min: 0,
                    ratio_min: 0.0,
                },
                ..zero
            },
            0,
        );
        assert_eq!(call(&mut breaker, Outcome::Excluded, 0), Ok(()));
        assert_eq!(breaker.state(0), State::Closed);
    }

    #[test]
    fn a_run_that_reaches_into_the_leaving_bucket_is_shortened() {
        let mut breaker = Breaker::new(
            Settings {
                interval_us: 2 * S,
                bucket_period_us: S,
                trip: Trip::ConsecutiveFailures { more_than: 99 },
                ..Settings::default()
            },
            0,
        );
        for outcome in [Outcome::Success, Outcome::Failure] {
            assert_eq!(call(&mut breaker, outcome, 0), Ok(()));
        }
        assert_eq!(call(&mut breaker, Outcome::Failure, S), Ok(()));
        assert_eq!(breaker.counts().consecutive_failures, 2);
        breaker.state(2 * S);
        assert_eq!(breaker.counts().consecutive_failures, 1);
        assert_eq!(
            breaker
                .buckets()
                .map(|bucket| bucket.requests)
                .collect::<Vec<_>>(),
            [1, 0]
        );
        breaker.state(9 * S);
        assert_eq!(breaker.counts(), Counts::default());
    }

    #[test]
    fn a_rolling_window_is_always_the_sum_of_its_buckets() {
        let mut rng = Pcg32::seed_from_u64(4);
        let mut breaker = Breaker::new(
            Settings {
                interval_us: 5 * S,
                bucket_period_us: S,
                trip: Trip::FailureRatio {
                    requests_min: 5,
                    ratio_min: 0.4,
                },
                timeout_us: S,
                ..Settings::default()
            },
            0,
        );
        let (mut now_us, mut under_way) = (0, Vec::new());
        for _ in 0..5_000 {
            now_us += rng.random_range(0..S / 2);
            under_way.extend(breaker.allow(now_us));
            if rng.random_bool(0.7) && !under_way.is_empty() {
                let ticket =
                    under_way.swap_remove(rng.random_range(0..under_way.len() as u64) as usize);
                let outcome = [Outcome::Success, Outcome::Failure, Outcome::Failure]
                    [rng.random_range(0..3u64) as usize];
                breaker.done(ticket, outcome, now_us);
            }
            let sum = breaker
                .buckets()
                .fold(Counts::default(), |mut sum, bucket| {
                    sum.requests += bucket.requests;
                    sum.total_successes += bucket.total_successes;
                    sum.total_failures += bucket.total_failures;
                    sum
                });
            let counts = breaker.counts();
            assert_eq!(
                (sum.requests, sum.total_successes, sum.total_failures),
                (
                    counts.requests,
                    counts.total_successes,
                    counts.total_failures
                )
            );
            assert!(counts.consecutive_failures <= counts.total_failures);
            assert!(counts.consecutive_successes <= counts.total_successes);
        }
        assert!(breaker.generation() > 10, "it opened now and then");
    }
}
