//! What rate limiters have in common: a rate, a question, a verdict, and how much one must remember.
//!
//! Times are ticks: any unit, the same for every call on one limiter. A limiter of fixed unit says
//! which. Nothing here has a clock; callers pass `now`.

/// Bytes that one client's state takes in every limiter but the log: a count and a time.
pub const STATE_BYTES: usize = 16;

/// So many permits in so long a time, kept as a fraction so that nothing is ever rounded away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    permits: u64,
    period: u64,
}

impl Rate {
    /// `permits` in each `period` ticks; 0 permits is a rate that never gives any. A period of 0
    /// counts as one tick.
    pub const fn new(permits: u64, period: u64) -> Rate {
        Rate {
            permits,
            period: if period == 0 { 1 } else { period },
        }
    }

    /// How many permits a period brings.
    pub const fn permits(self) -> u64 {
        self.permits
    }

    /// How long a period is, in ticks; at least 1.
    pub const fn period(self) -> u64 {
        self.period
    }
}

/// What a limiter says to one request. Times are in the ticks of the question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Go now.
    Allowed,
    /// Go, but only after this time.
    Delayed(u64),
    /// Do not go.
    Refused {
        /// The shortest wait after which the same request would pass if nobody else asks in between,
        /// as in the header Retry-After. `None`: it never will.
        retry_after: Option<u64>,
    },
}

impl Verdict {
    /// Whether the request goes, at once or later.
    pub fn passes(self) -> bool {
        !matches!(self, Verdict::Refused { .. })
    }
}

/// One client's rate limiter.
pub trait Limiter {
    /// Asks for a request that costs this many permits, and counts it if it goes. A cost of 0 looks
    /// without taking.
    fn ask(&mut self, now: u64, cost: u64) -> Verdict;

    /// Bytes to remember for this one client.
    fn memory_bytes(&self) -> usize {
        STATE_BYTES
    }
}

/// A quotient rounded up, saturated to what a time can hold.
pub(crate) fn ceil_div(dividend: u128, divisor: u128) -> Option<u64> {
    (divisor > 0).then(|| saturate(dividend.div_ceil(divisor)))
}

/// The nearest time.
pub(crate) fn saturate(ticks: u128) -> u64 {
    u64::try_from(ticks).unwrap_or(u64::MAX)
}
