//! Circuit breakers: stop calling what keeps failing, and find out carefully whether it is well again.
//!
//! Two designs in wide use, told apart by what they look at. [`counting`] (as sony/gobreaker) counts requests and
//! asks a rule after each failure; [`rates`] (as resilience4j) keeps a sliding window of outcomes and compares
//! the share of failures and of slow calls with thresholds. Both take the time as an argument and hold no timer.

pub mod counting;
pub mod rates;

/// The three states every breaker has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Calls go through and are watched.
    Closed,
    /// Calls are refused at once.
    Open,
    /// A few calls go through as probes; their outcome decides between open and closed.
    HalfOpen,
}

impl State {
    /// The usual name: `closed`, `open`, `half-open`.
    pub fn name(self) -> &'static str {
        match self {
            State::Closed => "closed",
            State::Open => "open",
            State::HalfOpen => "half-open",
        }
    }
}
