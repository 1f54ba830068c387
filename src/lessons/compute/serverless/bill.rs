//! Money, in whole picodollars (10⁻¹² of a US dollar).
//!
//! Prices of AWS in us-east-1, x86, as of 2025: Lambda $0.20 a million requests and $0.0000166667 a GB-second of init and work; with
//! provisioned concurrency $0.0000041667 a GB-second kept and $0.0000097222 used; EC2 t3.medium $0.0416 an hour.

use engine::Time;

const REQUEST: u128 = 200_000;
const USED_GB_S: u128 = 16_666_700;
const KEPT_GB_S: u128 = 4_166_700;
const USED_PROVISIONED_GB_S: u128 = 9_722_200;
/// A GB-second in MB-microseconds.
const GB_S: u128 = 1_024 * 1_000_000;
/// A month has 730 hours.
const MONTH_US: u128 = 730 * 3_600 * 1_000_000;
/// What one server costs in a month.
pub(super) const SERVER_MONTH: u64 = 730 * 41_600_000_000;
/// What is free each month: requests, and GB-seconds in MB-microseconds.
const FREE_REQUESTS: u128 = 1_000_000;
const FREE_MB_US: u128 = 400_000 * GB_S;

/// What is charged for. Times are instances' memory times their spans, in MB-microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Meter {
    pub(super) requests: u64,
    /// Init and work of ordinary instances.
    pub(super) used: u64,
    /// Work of provisioned ones.
    pub(super) used_provisioned: u64,
    /// How long provisioned ones have been there.
    pub(super) kept: u64,
}

fn price(requests: u128, used: u128, used_provisioned: u128, kept: u128) -> u64 {
    let spans = used * USED_GB_S + used_provisioned * USED_PROVISIONED_GB_S + kept * KEPT_GB_S;
    (requests * REQUEST + spans / GB_S) as u64
}

impl Meter {
    /// What it comes to.
    pub(super) fn price(&self) -> u64 {
        let all = [self.requests, self.used, self.used_provisioned, self.kept];
        let [requests, used, used_provisioned, kept] = all.map(u128::from);
        price(requests, used, used_provisioned, kept)
    }

    /// What a month comes to in which all goes on as it went since `before`, a span ago.
    pub(super) fn month(&self, before: &Meter, span: Time, free: bool) -> u64 {
        let pairs = [
            (self.requests, before.requests),
            (self.used, before.used),
            (self.used_provisioned, before.used_provisioned),
            (self.kept, before.kept),
        ];
        let a_month =
            |(now, then): (u64, u64)| u128::from(now - then) * MONTH_US / u128::from(span.0.max(1));
        let [mut requests, mut used, used_provisioned, kept] = pairs.map(a_month);
        // It does not hold for functions with provisioned instances.
        if free && kept == 0 {
            requests = requests.saturating_sub(FREE_REQUESTS);
            used = used.saturating_sub(FREE_MB_US);
        }
        price(requests, used, used_provisioned, kept)
    }
}

/// Requests a second from which on one server is cheaper, for so much memory and time each.
pub(super) fn break_even(memory_mb: u64, work: Time) -> f64 {
    let one = Meter {
        requests: 1,
        used: memory_mb * work.0,
        ..Meter::default()
    };
    SERVER_MONTH as f64 / (one.price() as f64 * (MONTH_US / 1_000_000) as f64)
}

/// In dollars.
pub(super) fn dollars(pico: u64) -> f64 {
    pico as f64 / 1e12
}
