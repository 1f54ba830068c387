//! One filter filled with a million keys: how often it lies, tried with strangers, beside what theory expects of its fill.

use algorithms::bloom_filter::{BloomFilter, expected_fill, rate_of_fill};
use engine::Ink;
use engine::growth::{Grower, Growth, Measured};

/// The filter is sized for so many keys and this error: half of those that come.
const SIZED_FOR: u64 = 500_000;
const ERROR: f64 = 0.01;
/// Strangers are numbered from here on.
const STRANGERS: u64 = 1 << 40;

pub(super) const GROWTH: Growth = Growth {
    lines: &[Measured {
        id: "lies",
        ink: Ink::Warn,
        samples: 20_000,
        begin: || Box::new(Filter(sized())),
        theory: |n| {
            let filter = sized();
            let fill = expected_fill(filter.bits(), filter.hashes(), n as u64);
            100.0 * rate_of_fill(fill, filter.hashes())
        },
    }],
    most: 1_000_000,
    // Of 20,000 strangers one is 0.005 per cent.
    powers_from: Some(0.001),
};

fn sized() -> BloomFilter {
    BloomFilter::for_rate(SIZED_FOR, ERROR)
}

struct Filter(BloomFilter);

impl Grower for Filter {
    fn add(&mut self, key: u64) {
        self.0.insert(&key.to_le_bytes());
    }
    fn cost(&mut self, number: u64, keys: u64) -> f64 {
        // Other strangers at each size: chance is not to be the same everywhere.
        let stranger = STRANGERS + (keys << 20) + number;
        100.0 * f64::from(u8::from(self.0.may_contain(&stranger.to_le_bytes())))
    }
}
